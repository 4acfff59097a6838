package broken

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// fitted is what a fit of a method, an embedder or an oracle gives. All of them compute a row of
// numbers for each snapshot: the next snapshot, the features, or a score for each label. What a
// thing does not have is nil.
type fitted struct {
	dim      int
	states   int
	compute  func(ctx context.Context, x core.Snapshots) (*mat.Dense, error)
	report   func() core.Report
	decode   func(z mat.Matrix) (core.Snapshots, error)
	view     func(x core.Snapshots) (mat.Matrix, error)
	values   func() []complex128
	left     func(ctx context.Context, x core.Snapshots) (*mat.CDense, error)
	right    func(ctx context.Context, x core.Snapshots) (*mat.CDense, error)
	forecast func(ctx context.Context, x core.Snapshots, steps int) (*mat.Dense, error) // 2 steps ahead and more
	encoder  func() core.Embedding
	finished func(x core.Snapshots) core.Snapshots // the last word on predictions
	// Forecast, in place of the right one
	ahead    func(ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error)
	labelled func(labels []int) []int // the last word on labels
	// the last word after it was saved
	loaded func(x core.Snapshots, rows *mat.Dense)
}

type fitFunc func(ctx context.Context, t *core.Training) (*fitted, error)

// maxEpochs is the largest value of the option "epochs".
const maxEpochs = 20_000

func describe(name, summary string) core.Description {
	return core.Description{
		Name: name, Summary: summary,
		Doc: "Orthogonal iteration (Golub and Van Loan, Matrix Computations, 4th edition, §7.3.2): the directions of " +
			"largest variance.",
		Options: []core.Option{
			core.IntOption("epochs", 10, 1, maxEpochs, "passes over the training data"),
			core.BoolOption("centre", true, "subtract the mean of the training snapshots"),
			core.ChoiceOption("start", "law of the directions to start from", "gaussian", "uniform"),
		},
	}
}

// subspace is an embedder: the coordinates of a snapshot along the directions of largest variance.
type subspace struct {
	shape      []int
	mean       []float64
	directions *mat.Dense // size×d, orthonormal columns
	history    []core.Epoch
}

func fitSubspace(ctx context.Context, t *core.Training) (*subspace, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := t.Validate(); err != nil {
		return nil, err
	}
	s := &subspace{shape: t.Train.Shape(), mean: make([]float64, t.Train.Size())}
	train, validation := t.Train.Matrix(), t.Validation.Matrix()
	n, size := train.Dims()
	if t.Options.Bool("centre") {
		for i := range n {
			for j, v := range train.RawRowView(i) {
				s.mean[j] += v / float64(n)
			}
		}
	}
	subtract(train, s.mean)
	subtract(validation, s.mean)
	random := t.Stream("directions")
	s.directions = mat.NewDense(size, min(t.States, size), nil)
	s.directions.Apply(func(int, int, float64) float64 { return draw(random, t.Options.String("start")) }, s.directions)
	s.orthonormalise(s.directions)
	epochs, kept := t.Options.Int("epochs"), checkpointsOf(t)
	t.Progress.Phase("training", epochs)
	so := progress{"subspace", &s.history, map[string]*mat.Dense{"directions": s.directions}}
	so.resume(kept)
	for epoch := len(s.history) + 1; epoch <= epochs; epoch++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var coordinates, next mat.Dense
		coordinates.Mul(train, s.directions)
		next.Mul(train.T(), &coordinates)
		e := core.Epoch{Number: epoch, Train: s.loss(train), Validation: s.loss(validation)}
		s.orthonormalise(&next)
		s.history = append(s.history, e)
		t.Progress.Advance(epoch)
		t.Progress.Epoch(e)
		so.store(kept)
	}
	return s, nil
}

func draw(random *rand.Rand, law string) float64 {
	if law == "uniform" {
		return random.Float64() - 0.5
	}
	return random.NormFloat64()
}

func subtract(m *mat.Dense, mean []float64) {
	m.Apply(func(_, j int, v float64) float64 { return v - mean[j] }, m)
}

// orthonormalise takes the directions from the columns of m, by Gram and Schmidt; a column that
// vanishes changes nothing.
func (s *subspace) orthonormalise(m *mat.Dense) {
	size, d := m.Dims()
	for k := range d {
		column := mat.Col(nil, k, m)
		for range 2 { // twice is enough
			for l := range k {
				product := 0.0
				for i, v := range column {
					product += v * s.directions.At(i, l)
				}
				for i := range column {
					column[i] -= product * s.directions.At(i, l)
				}
			}
		}
		square := 0.0
		for _, v := range column {
			square += v * v
		}
		if square < 1e-24 {
			continue
		}
		for i := range size {
			s.directions.Set(i, k, column[i]/math.Sqrt(square))
		}
	}
}

// loss is the mean square of what the directions leave out.
func (s *subspace) loss(m *mat.Dense) float64 {
	var coordinates mat.Dense
	coordinates.Mul(m, s.directions)
	n, _ := m.Dims()
	whole, kept := mat.Norm(m, 2), mat.Norm(&coordinates, 2)
	return (whole*whole - kept*kept) / float64(n)
}

func (s *subspace) embed(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
	if err := ctx.Err(); err != nil || x.Len() == 0 {
		return &mat.Dense{}, err
	}
	view, err := s.view(x)
	if err != nil {
		return nil, err
	}
	return mat.DenseCopyOf(view), nil
}

func (s *subspace) view(x core.Snapshots) (mat.Matrix, error) {
	if !slices.Equal(x.Shape(), s.shape) {
		return nil, fmt.Errorf("%w: snapshots of shape %v; the fit had %v", core.ErrShape, x.Shape(), s.shape)
	}
	return coordinates{x.View(), s}, nil
}

// coordinates are features computed as they are read.
type coordinates struct {
	x mat.Matrix
	s *subspace
}

var _ mat.Matrix = coordinates{}

func (c coordinates) Dims() (rows, columns int) {
	rows, _ = c.x.Dims()
	_, columns = c.s.directions.Dims()
	return rows, columns
}

func (c coordinates) At(i, k int) float64 {
	sum := 0.0
	for j, mean := range c.s.mean {
		sum += (c.x.At(i, j) - mean) * c.s.directions.At(j, k)
	}
	return sum
}

func (c coordinates) T() mat.Matrix { return mat.Transpose{Matrix: c} }

func (s *subspace) decode(z mat.Matrix) (core.Snapshots, error) {
	n, columns := z.Dims()
	size, d := s.directions.Dims()
	if columns != d {
		return core.Snapshots{}, fmt.Errorf("%w: %d features; there are %d", core.ErrShape, columns, d)
	}
	values := make([]float32, n*size)
	for i := range n {
		for j := range size {
			sum := s.mean[j]
			for k := range d {
				sum += z.At(i, k) * s.directions.At(j, k)
			}
			values[i*size+j] = float32(sum)
		}
	}
	return core.NewSnapshots(values, s.shape...)
}

// fitEmbedder is the fit of the correct embedder.
func fitEmbedder(ctx context.Context, t *core.Training) (*fitted, error) {
	s, err := fitSubspace(ctx, t)
	if err != nil {
		return nil, err
	}
	size, d := s.directions.Dims()
	return &fitted{
		dim: d, states: t.States, compute: s.embed, decode: s.decode, view: s.view,
		report: func() core.Report { return core.Report{History: slices.Clone(s.history), Parameters: size * d} },
	}, nil
}

// fitMethod is the fit of the correct method: ridge regression on the features of the correct embedder.
func fitMethod(ctx context.Context, t *core.Training) (*fitted, error) {
	s, err := fitSubspace(ctx, t)
	if err != nil {
		return nil, err
	}
	z, err := s.embed(ctx, t.Train.Snapshots())
	if err != nil {
		return nil, err
	}
	operator, err := linalg.FitRidge(ctx, z, nil, t.Lag, &linalg.RidgeOptions{Lengths: t.Train.Lengths()})
	if err != nil {
		return nil, err
	}
	size, d := s.directions.Dims()
	ahead := func(ctx context.Context, x core.Snapshots, steps int) (*mat.Dense, error) {
		z, err := s.embed(ctx, x)
		if err != nil || z.IsEmpty() {
			return z, err
		}
		next, err := operator.Predict(z, steps)
		if err != nil {
			return nil, err
		}
		decoded, err := s.decode(next)
		return decoded.Matrix(), err
	}
	return &fitted{
		dim: size, states: t.States, forecast: ahead,
		compute: func(ctx context.Context, x core.Snapshots) (*mat.Dense, error) { return ahead(ctx, x, 1) },
		report: func() core.Report {
			r := operator.Report()
			return core.Report{History: slices.Clone(s.history), Parameters: size * d, Rank: r.Rank, Warnings: r.Warnings,
				Untrained: r.Untrained}
		},
		values: operator.Eigenvalues,
		left: func(ctx context.Context, x core.Snapshots) (*mat.CDense, error) {
			z, err := s.embed(ctx, x)
			if err != nil {
				return nil, err
			}
			return operator.LeftEigenfunctions(z)
		},
		right: func(ctx context.Context, x core.Snapshots) (*mat.CDense, error) {
			z, err := s.embed(ctx, x)
			if err != nil {
				return nil, err
			}
			return operator.RightEigenfunctions(z)
		},
	}, nil
}

// fitOracle is the fit of the correct oracle: the score of a label is minus the squared distance
// from the mean of its snapshots.
func fitOracle(ctx context.Context, t *core.Training) (*fitted, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := t.Validate(); err != nil {
		return nil, err
	}
	if err := core.CheckLabels(t.TrainLabels, t.Train.Len(), t.States); err != nil {
		return nil, err
	}
	size, shape, next := t.Train.Size(), t.Train.Shape(), 0
	means, counts := mat.NewDense(t.States, size, nil), mat.NewDense(t.States, 1, nil)
	so, kept := progress{"sums", &next, map[string]*mat.Dense{"means": means, "counts": counts}}, checkpointsOf(t)
	so.resume(kept)
	row := make([]float32, size)
	for ; next < t.Train.Len(); next++ {
		if next > 0 && next%16 == 0 {
			so.store(kept)
		}
		t.Train.Read(row, next)
		label := t.TrainLabels[next]
		counts.Set(label, 0, counts.At(label, 0)+1)
		for j, v := range row {
			means.Set(label, j, means.At(label, j)+float64(v))
		}
	}
	means.Apply(func(k, _ int, v float64) float64 { return v / math.Max(counts.At(k, 0), 1) }, means)
	f := &fitted{dim: t.States, states: t.States}
	f.compute = func(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
		if err := ctx.Err(); err != nil || x.Len() == 0 {
			return &mat.Dense{}, err
		}
		if !slices.Equal(x.Shape(), shape) {
			return nil, fmt.Errorf("%w: snapshots of shape %v; the fit had %v", core.ErrShape, x.Shape(), shape)
		}
		scores := mat.NewDense(x.Len(), f.states, nil)
		row := make([]float32, size)
		for i := range x.Len() {
			x.Read(row, i)
			for k := range f.states {
				for j, v := range row {
					d := float64(v) - means.At(k, j)
					scores.Set(i, k, scores.At(i, k)-d*d)
				}
			}
		}
		return scores, nil
	}
	f.report = func() core.Report { return core.Report{Parameters: size * f.states} }
	f.encoder = func() core.Embedding { return embedding{f: f} }
	return f, nil
}

// narrowed returns eigenfunctions without the last of them.
func narrowed[X any](all func(context.Context, X) (*mat.CDense, error)) func(context.Context, X) (*mat.CDense, error) {
	return func(ctx context.Context, x X) (*mat.CDense, error) {
		values, err := all(ctx, x)
		if err != nil {
			return nil, err
		}
		n, r := values.Dims()
		return values.Slice(0, n, 0, r-1).(*mat.CDense), nil
	}
}
