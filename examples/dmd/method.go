package main

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// dmd is exact dynamic mode decomposition. Its models predict by the linear map that carries each
// training snapshot into the next with the least squared error, among those that act on the leading
// principal directions of the snapshots only.
type dmd struct{}

var _ core.Method = dmd{}

// Describe implements [core.Method].
func (dmd) Describe() core.Description {
	return core.Description{
		Name:    "energy-dmd",
		Summary: "exact dynamic mode decomposition of the pixels",
		Doc: "The singular value decomposition of the training snapshots, cut to a rank, and the least-squares linear map " +
			"from it to the snapshots one lag later (Schmid, Dynamic mode decomposition of numerical and experimental data, " +
			"J. Fluid Mech. 656, 2010; in the exact form of Tu, Rowley, Luchtenburg, Brunton and Kutz, On dynamic mode " +
			"decomposition: theory and applications, J. Comput. Dyn. 1, 2014). Predictions are not clipped.",
		Options: []core.Option{
			core.IntOption("rank", 0, 0, 100_000, "largest rank; 0 for as many as energy asks for"),
			core.FloatOption("energy", 0.99, 0, 1,
				"share of the snapshots' squared singular values that the rank keeps at least"),
			core.BoolOption("centre", true, "subtract the mean training snapshot"),
		},
	}
}

// Fit implements [core.Method].
func (dmd) Fit(ctx context.Context, t *core.Training) (_ core.Model, err error) {
	defer core.Recover(&err)
	if err := t.Validate(); err != nil {
		return nil, err
	}
	t.Progress.Phase("decomposing", 2)
	m := &model{shape: t.Train.Shape(), mean: mat.NewVecDense(t.Train.Size(), nil)}
	snapshots := t.Train.Matrix() // n×d
	if t.Options.Bool("centre") {
		m.subtractMean(snapshots)
	}
	starts := t.Train.PairStarts(t.Lag) // no pair crosses the end of a trajectory
	now, next := mat.NewDense(starts.Len(), t.Train.Size(), nil), mat.NewDense(starts.Len(), t.Train.Size(), nil)
	for k := range starts.Len() {
		now.SetRow(k, snapshots.RawRowView(starts.At(k)))
		next.SetRow(k, snapshots.RawRowView(starts.At(k)+t.Lag))
	}

	var svd mat.SVD // now = P Σ Qᵀ
	if !svd.Factorize(now, mat.SVDThin) {
		return nil, fmt.Errorf("%w: the singular value decomposition of the snapshots did not converge", core.ErrNonFinite)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.Progress.Advance(1)
	rank := m.chooseRank(svd.Values(nil), starts.Len(), t.Options)
	if rank == 0 {
		m.report.Untrained = "all training snapshots are equal: there is nothing to decompose"
		return m, nil
	}
	m.fit(&svd, next, rank)
	t.Progress.Advance(2)
	return m, ctx.Err()
}

// subtractMean centres the rows of snapshots, and keeps their mean.
func (m *model) subtractMean(snapshots *mat.Dense) {
	n, _ := snapshots.Dims()
	for i := range n {
		m.mean.AddScaledVec(m.mean, 1/float64(n), snapshots.RowView(i))
	}
	for i := range n {
		row := snapshots.RowView(i).(*mat.VecDense)
		row.SubVec(row, m.mean)
	}
}

// chooseRank returns the rank that the options ask for, given the singular values of pairs
// snapshots in descending order.
func (m *model) chooseRank(values []float64, pairs int, o core.Options) int {
	rounding := values[0] * float64(max(pairs, m.mean.Len())) * 0x1p-52
	total, numerical := 0.0, 0
	for _, s := range values {
		if s > rounding {
			total, numerical = total+s*s, numerical+1
		}
	}
	rank, kept := 0, 0.0
	for rank < numerical && (rank == 0 || kept < o.Float("energy")*total) {
		kept, rank = kept+values[rank]*values[rank], rank+1
	}
	if asked := o.Int("rank"); asked > 0 {
		if rank = min(asked, numerical); rank < asked {
			m.report.Warnings = append(m.report.Warnings,
				fmt.Sprintf("the rank is %d and not %d: the training snapshots span no more directions", rank, asked))
		}
	}
	return rank
}

// fit computes the operator Q B with B = Σ⁻¹ Pᵀ next of that rank, and its spectrum.
func (m *model) fit(svd *mat.SVD, next mat.Matrix, rank int) {
	var p, q mat.Dense
	svd.UTo(&p)
	svd.VTo(&q)
	n, _ := p.Dims()
	d, _ := q.Dims()
	m.project = mat.DenseCopyOf(q.Slice(0, d, 0, rank))
	m.advance = new(mat.Dense)
	m.advance.Mul(p.Slice(0, n, 0, rank).T(), next)
	for k, s := range svd.Values(nil)[:rank] {
		row := m.advance.RawRowView(k)
		for j := range row {
			row[j] /= s
		}
	}
	m.report.Rank = rank
	if m.spectrum = newSpectrum(m.project, m.advance); m.spectrum == nil {
		m.report.Warnings = append(m.report.Warnings, "the eigenvalues did not converge, so there are none")
	}
}

// model is a fitted dmd. A snapshot x, less the mean, is predicted to become x Q B, plus the mean.
type model struct {
	shape    []int
	mean     *mat.VecDense // d values, zero unless centred
	project  *mat.Dense    // Q, d×r; nil for rank 0
	advance  *mat.Dense    // B, r×d
	spectrum *spectrum     // nil if there is none
	report   core.Report
}

var (
	_ core.Model      = (*model)(nil)
	_ core.Reporter   = (*model)(nil)
	_ core.Spectral   = (*model)(nil)
	_ core.Forecaster = (*model)(nil)
)

// Report implements [core.Reporter].
func (m *model) Report() core.Report { return m.report }

// Predict implements [core.Model].
func (m *model) Predict(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
	return m.Forecast(ctx, x, 1)
}

// Forecast implements [core.Forecaster].
func (m *model) Forecast(ctx context.Context, x core.Snapshots, steps int) (_ core.Snapshots, err error) {
	defer core.Recover(&err)
	if steps < 1 {
		return core.Snapshots{}, fmt.Errorf("%w: %d steps; the number of steps must be at least 1", core.ErrOption, steps)
	}
	if err := m.check(ctx, x); err != nil || x.Len() == 0 {
		return x, err
	}
	next := x.Matrix()
	for i := range x.Len() { // one by one, so that what is computed for a row depends on no other, to the bit
		if err := ctx.Err(); err != nil {
			return core.Snapshots{}, err
		}
		row := next.RowView(i).(*mat.VecDense)
		for range steps {
			m.step(row)
		}
	}
	return core.SnapshotsFromMatrix(next, m.shape...)
}

// step advances a flattened snapshot by one lag.
func (m *model) step(x *mat.VecDense) {
	if m.project == nil {
		x.CopyVec(m.mean)
		return
	}
	var deviation, reduced, next mat.VecDense
	deviation.SubVec(x, m.mean)
	reduced.MulVec(m.project.T(), &deviation)
	next.MulVec(m.advance.T(), &reduced)
	x.AddVec(&next, m.mean)
}

func (m *model) check(ctx context.Context, x core.Snapshots) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if x.Len() > 0 && !slices.Equal(x.Shape(), m.shape) {
		return fmt.Errorf("%w: snapshots of shape %v; the training snapshots had shape %v", core.ErrShape, x.Shape(), m.shape)
	}
	return nil
}

// Eigenvalues implements [core.Spectral].
func (m *model) Eigenvalues() []complex128 {
	if m.spectrum == nil {
		return nil
	}
	return slices.Clone(m.spectrum.values)
}

// LeftEigenfunctions implements [core.Spectral]. Their coefficients are the exact DMD modes.
func (m *model) LeftEigenfunctions(ctx context.Context, x core.Snapshots) (_ *mat.CDense, err error) {
	defer core.Recover(&err)
	if err := m.check(ctx, x); err != nil || x.Len() == 0 || m.spectrum == nil {
		return &mat.CDense{}, err
	}
	rows := x.Matrix()
	functions := mat.NewCDense(x.Len(), len(m.spectrum.values), nil)
	for i := range x.Len() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row := rows.RawRowView(i)
		for k, mode := range m.spectrum.modes {
			sum := complex(0, 0)
			for j, v := range row {
				sum += complex(v-m.mean.AtVec(j), 0) * mode[j]
			}
			functions.Set(i, k, sum)
		}
	}
	return functions, nil
}
