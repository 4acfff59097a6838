package compose_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	_ "github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/synthetic"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/nn"
)

var (
	testRuntime = nn.NewRuntime("cpu")
	small       = &nn.CNN{Channels: []int{4, 8}, Kernel: 3}
)

func training(t testing.TB, d core.Description, seed int64, options map[string]any) *core.Training {
	tr, err := synthetic.Training(d, 120, 8, 3, seed, options)
	require.NoError(t, err)
	return tr
}

// agreement is the loss −Σ x·y/n + Σ (x·y')²: a spectral contrastive loss as a third party might
// write it, with its gradient.
type agreement struct{ warning string }

func (agreement) Describe() core.Description {
	return core.Description{Name: "agreement", Summary: "views agree", Options: []core.Option{
		core.FloatOption("push", 1, 0, 10, "weight of the pairs that do not belong together"),
		core.IntOption("epochs", 3, 1, 5, "an option that the embedder has too"),
	}}
}

func (a agreement) Evaluate(_ context.Context, x, y mat.Matrix, o core.Options) (core.LossValue, error) {
	n, d := x.Dims()
	if o.Int("epochs") != 3 {
		return core.LossValue{}, errors.New("the loss's own option was mixed up")
	}
	others := o.Float("push") / float64(n*n)
	value := core.LossValue{GradX: mat.NewDense(n, d, nil), GradY: mat.NewDense(n, d, nil)}
	var products mat.Dense
	products.Mul(x, y.T())
	for i := range n {
		value.Value -= 2 * products.At(i, i) / float64(n)
		for j := range n {
			value.Value += others * products.At(i, j) * products.At(i, j)
		}
	}
	products.Scale(2*others, &products)
	for i := range n {
		products.Set(i, i, products.At(i, i)-2/float64(n))
	}
	value.GradX.Mul(&products, y)
	value.GradY.Mul(products.T(), x)
	if a.warning != "" {
		value.Warnings = []string{a.warning}
	}
	return value, nil
}

// graphAgreement is the same as a graph, and says that small batches are degenerate.
type graphAgreement struct{ agreement }

func (graphAgreement) Graph(x, y *graph.Node, o core.Options) (loss, degenerate *graph.Node) {
	n := x.Shape().Dim(0)
	products := graph.Dot(x, graph.Transpose(y, 0, 1)).Product()
	loss = graph.MulScalar(graph.ReduceAllSum(graph.Square(products)), o.Float("push")/float64(n*n))
	loss = graph.Add(loss, graph.MulScalar(graph.ReduceAllSum(graph.Mul(x, y)), -2/float64(n)))
	if n < 16 {
		return loss, graph.Scalar(x.Graph(), dtypes.Float32, 0.25)
	}
	return loss, nil
}

var _ nn.GraphLoss = graphAgreement{}

func lossMethod(loss core.Loss) core.Method {
	return compose.LossMethod(testRuntime, loss, linalg.Ridge{}, &compose.LossOptions{Network: small})
}

var quick = map[string]any{"epochs": 30, "batch_size": 16, "lr": 0.01}

// states returns which state each snapshot is nearest to, by the mean training snapshot of each.
func states(t *core.Training, x core.Snapshots) []int {
	means := mat.NewDense(t.States, x.Size(), nil)
	train := t.Train.Matrix()
	for i, label := range t.TrainLabels {
		for j := range x.Size() {
			means.Set(label, j, means.At(label, j)+train.At(i, j)*float64(t.States)/float64(t.Train.Len()))
		}
	}
	labels, rows := make([]int, x.Len()), x.Matrix()
	for i := range labels {
		nearest := math.Inf(1)
		for label := range t.States {
			var difference mat.VecDense
			difference.SubVec(rows.RowView(i), means.RowView(label))
			if distance := difference.Norm(2); distance < nearest {
				labels[i], nearest = label, distance
			}
		}
	}
	return labels
}

// share of the predictions from validation snapshots that show the next state.
func accuracy(t testing.TB, m core.Model, tr *core.Training) float64 {
	predicted, err := m.Predict(t.Context(), tr.Validation.Snapshots())
	require.NoError(t, err)
	require.Equal(t, tr.Validation.Len(), predicted.Len())
	require.True(t, predicted.SameShape(tr.Validation.At(0)))
	require.NoError(t, predicted.CheckFinite())
	right := 0.0
	for i, label := range states(tr, predicted) {
		if label == (tr.ValidationLabels[i]+1)%tr.States {
			right++
		}
	}
	return right / float64(predicted.Len())
}

func TestLossMethodLearns(t *testing.T) {
	for name, loss := range map[string]core.Loss{"in the graph": graphAgreement{}, "outside": agreement{}} {
		t.Run(name, func(t *testing.T) {
			m := lossMethod(loss)
			tr := training(t, m.Describe(), 4, quick)
			model, err := m.Fit(t.Context(), tr)
			require.NoError(t, err)
			report := core.ReportOf(model)
			require.Len(t, report.History, 30)
			assert.Less(t, report.History[29].Train, report.History[0].Train-0.5)
			assert.Less(t, report.History[29].Validation, report.History[0].Validation-0.5)
			assert.Equal(t, 3, report.Rank)
			assert.Empty(t, report.Untrained)
			assert.Positive(t, report.CompileSeconds)
			assert.Equal(t, 4*9+4+8*4*9+8+32*3+3+9, report.Parameters)
			assert.Greater(t, accuracy(t, model, tr), 0.95)

			spectral, ok := core.As[core.Spectral](model)
			require.True(t, ok)
			require.Len(t, spectral.Eigenvalues(), 3)
			left, err := spectral.LeftEigenfunctions(t.Context(), tr.Validation.Snapshots())
			require.NoError(t, err)
			rows, columns := left.Dims()
			assert.Equal(t, []int{30, 3}, []int{rows, columns})
		})
	}
}

// TestLossOutsideTheGraph: the same loss trains the same encoder, whether its gradient is found in
// the graph or outside.
func TestLossOutsideTheGraph(t *testing.T) {
	var histories [2][]core.Epoch
	var predictions [2]core.Snapshots
	for i, loss := range []core.Loss{graphAgreement{}, agreement{}} {
		m := lossMethod(loss)
		tr := training(t, m.Describe(), 4, nil)
		var err error
		tr.Options, err = m.Describe().Resolve(map[string]any{"epochs": 3, "batch_size": 30, "push": 2.0})
		require.NoError(t, err)
		model, err := m.Fit(t.Context(), tr)
		require.NoError(t, err)
		histories[i] = core.ReportOf(model).History
		predictions[i], err = model.Predict(t.Context(), tr.Validation.Snapshots())
		require.NoError(t, err)
	}
	for i, e := range histories[0] {
		assert.InDelta(t, e.Train, histories[1][i].Train, 1e-4)
		assert.InDelta(t, e.Validation, histories[1][i].Validation, 1e-4)
	}
	assert.InDeltaSlice(t, predictions[0].Floats(), predictions[1].Floats(), 1e-2)
}

func TestFitsAreReproducible(t *testing.T) {
	m := lossMethod(graphAgreement{})
	predict := func(seed int64) []float32 {
		tr := training(t, m.Describe(), seed, map[string]any{"epochs": 2, "batch_size": 16})
		model, err := m.Fit(t.Context(), tr)
		require.NoError(t, err)
		x, err := model.Predict(t.Context(), tr.Validation.Snapshots())
		require.NoError(t, err)
		return x.Floats()
	}
	first := predict(1)
	assert.Equal(t, first, predict(1), "one seed, equal bits")
	assert.NotEqual(t, first, predict(2))
}

func TestOptionsOfParts(t *testing.T) {
	d := lossMethod(agreement{}).Describe()
	assert.Equal(t, "loss:agreement", d.Name)
	assert.Equal(t, "views agree", d.Summary)
	var names []string
	for _, o := range d.Options {
		names = append(names, o.Name)
	}
	assert.Equal(t, []string{
		"epochs", "lr", "batch_size", "weight_decay", "optimiser", "schedule", "clip", "patience",
		"features", "normalise", "lagged", "constant", "centre", "push", "loss_epochs", "alpha", "rank", "variant",
	}, names)
	rank, _ := d.Option("rank")
	assert.Contains(t, rank.Doc, "number of states")
	d.Name = "valid"
	require.NoError(t, d.Validate())
}

func TestDegenerateBatchesAreCounted(t *testing.T) {
	// 89 pairs are 5 batches of 16 and one of 9.
	m := lossMethod(graphAgreement{})
	model, err := m.Fit(t.Context(), training(t, m.Describe(), 1, map[string]any{"epochs": 2, "batch_size": 16}))
	require.NoError(t, err)
	require.Len(t, core.ReportOf(model).Warnings, 1)
	assert.Contains(t, core.ReportOf(model).Warnings[0], "2 of 12 training batches, from epoch 1 to epoch 2")

	m = lossMethod(agreement{"views are poor"})
	model, err = m.Fit(t.Context(), training(t, m.Describe(), 1, map[string]any{"epochs": 1, "batch_size": 64}))
	require.NoError(t, err)
	require.NotEmpty(t, core.ReportOf(model).Warnings)
	assert.Contains(t, core.ReportOf(model).Warnings[0],
		"2 of 2 training batches, from epoch 1 to epoch 1: views are poor")
}

// broken is a loss that fails in one way.
type broken struct {
	agreement
	how string
}

func (b broken) Evaluate(ctx context.Context, x, y mat.Matrix, o core.Options) (core.LossValue, error) {
	value, err := b.agreement.Evaluate(ctx, x, y, o)
	switch b.how {
	case "error":
		return core.LossValue{}, errors.New("no such loss")
	case "shape":
		value.GradY = mat.NewDense(1, 1, nil)
	case "nil":
		value.GradX = nil
	case "nan":
		value.Value = math.NaN()
	case "panic":
		panic("out of order")
	}
	return value, err
}

func TestBrokenLosses(t *testing.T) {
	for how, want := range map[string]error{"error": nil, "shape": core.ErrContract, "nil": core.ErrContract,
		"nan": core.ErrNonFinite, "panic": core.ErrPanic} {
		m := lossMethod(broken{how: how})
		_, err := m.Fit(t.Context(), training(t, m.Describe(), 1, quick))
		require.Error(t, err, how)
		if want != nil {
			require.ErrorIs(t, err, want, how)
		}
	}
}

func TestUnsuitableData(t *testing.T) {
	m := lossMethod(graphAgreement{})
	tr := training(t, m.Describe(), 1, quick)
	odd, err := core.NewSnapshots(make([]float32, 10*3*8), 3, 8)
	require.NoError(t, err)
	bad := *tr
	bad.Train, bad.Validation = core.OneTrajectory(odd), core.OneTrajectory(odd)
	bad.TrainLabels, bad.ValidationLabels = nil, nil
	_, err = m.Fit(t.Context(), &bad)
	require.ErrorIs(t, err, core.ErrShape)
	assert.ErrorContains(t, err, "at least 4", "the remedy")

	bad = *tr
	bad.Train = core.OneTrajectory(tr.Train.At(0).Slice(0, 1))
	_, err = m.Fit(t.Context(), &bad)
	require.ErrorIs(t, err, core.ErrTooShort)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.Fit(ctx, tr)
	require.ErrorIs(t, err, context.Canceled)

	tr.Options, err = m.Describe().Resolve(map[string]any{"epochs": 1})
	require.NoError(t, err)
	model, err := m.Fit(t.Context(), tr)
	require.NoError(t, err)
	_, err = model.Predict(t.Context(), odd)
	require.ErrorIs(t, err, core.ErrShape)
	none, err := model.Predict(t.Context(), tr.Train.Snapshots().Slice(0, 0))
	require.NoError(t, err)
	assert.Zero(t, none.Len())

	_, err = compose.LossMethod(nn.NewRuntime("nothing"), agreement{}, linalg.Ridge{},
		&compose.LossOptions{Network: small}).Fit(t.Context(), tr)
	require.ErrorIs(t, err, core.ErrUnknown)
}

// fixed is an embedder without training: the first d values of a snapshot, or zeros.
type fixed struct {
	d     int
	zeros bool
	fits  *atomic.Int32
	err   error
}

func (fixed) Describe() core.Description {
	return core.Description{Name: "fixed", Summary: "the first values",
		Options: []core.Option{core.IntOption("rank", 7, 0, 9, "not the operator's")}}
}

func (f fixed) Fit(_ context.Context, t *core.Training) (core.Embedding, error) {
	if f.fits != nil {
		f.fits.Add(1)
	}
	if t.Name != "fixed" || t.Options.Int("rank") != 7 {
		return nil, errors.New("the embedder was not given its own name and options")
	}
	return f, f.err
}

func (f fixed) Dim() int { return f.d }

func (f fixed) Report() core.Report { return core.Report{CompileSeconds: 5, Parameters: 2} }

func (f fixed) Embed(_ context.Context, x core.Snapshots) (*mat.Dense, error) {
	if x.Size() == 1 {
		return mat.NewDense(1, 1, nil), nil // a mistake
	}
	z := mat.NewDense(x.Len(), f.d, nil)
	if !f.zeros {
		z.Copy(x.Matrix())
	}
	return z, nil
}

// decoding is fixed with a decoder that writes the features into otherwise black snapshots.
type decoding struct{ fixed }

func (f decoding) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	_, err := f.fixed.Fit(ctx, t)
	return f, err
}

func (f decoding) Decode(_ context.Context, z mat.Matrix) (core.Snapshots, error) {
	n, d := z.Dims()
	x := mat.NewDense(n, 64, nil)
	x.Slice(0, n, 0, d).(*mat.Dense).Copy(z)
	return core.SnapshotsFromMatrix(x, 8, 8)
}

// plain is ridge regression without a spectrum.
type plain struct{ linalg.Ridge }

func (p plain) Fit(ctx context.Context, t *core.OperatorTraining) (core.Operator, error) {
	o, err := p.Ridge.Fit(ctx, t)
	return struct{ core.Operator }{o}, err
}

func TestEmbedderMethod(t *testing.T) {
	m := compose.EmbedderMethod(fixed{d: 64}, linalg.Ridge{})
	assert.Equal(t, "embedder:fixed", m.Describe().Name)
	tr := training(t, m.Describe(), 1, nil)
	model, err := m.Fit(t.Context(), tr)
	require.NoError(t, err)
	report := core.ReportOf(model)
	assert.Equal(t, 3, report.Rank, "the number of states")
	assert.Equal(t, 2, report.Parameters)
	assert.InDelta(t, 5, report.CompileSeconds, 0)
	assert.Greater(t, accuracy(t, model, tr), 0.95)

	tr = training(t, m.Describe(), 1, map[string]any{"operator_rank": 2})
	model, err = m.Fit(t.Context(), tr)
	require.NoError(t, err)
	assert.Equal(t, 2, core.ReportOf(model).Rank)
	assert.Empty(t, core.ReportOf(model).Untrained)

	tr = training(t, m.Describe(), 1, map[string]any{"variant": "full"})
	model, err = m.Fit(t.Context(), tr)
	require.NoError(t, err)
	assert.Equal(t, 64, core.ReportOf(model).Rank, "the full operator has no smaller one")
}

// TestDecoder: an embedding that decodes predicts by its decoder, others by the snapshots as observable.
func TestDecoder(t *testing.T) {
	for _, c := range []struct {
		embedder core.Embedder
		decodes  bool
	}{{fixed{d: 20}, false}, {decoding{fixed{d: 20}}, true}} {
		for _, shared := range []bool{false, true} {
			e := c.embedder
			if shared {
				e = compose.Share(e)
			}
			m := compose.New(e, linalg.Ridge{}, nil)
			tr := training(t, m.Describe(), 1, nil)
			for range 2 {
				model, err := m.Fit(t.Context(), tr)
				require.NoError(t, err)
				x, err := model.Predict(t.Context(), tr.Validation.Snapshots())
				require.NoError(t, err)
				assert.Equal(t, c.decodes, x.Floats()[63] == 0 && x.Floats()[62] == 0)
			}
		}
	}
}

func TestSpectrumIsTheOperators(t *testing.T) {
	m := compose.New(fixed{d: 20}, plain{}, nil)
	model, err := m.Fit(t.Context(), training(t, m.Describe(), 1, nil))
	require.NoError(t, err)
	_, ok := core.As[core.Spectral](model)
	assert.False(t, ok)
	_, ok = core.As[core.Reporter](model)
	assert.True(t, ok)
}

func TestDeadFeatures(t *testing.T) {
	m := compose.New(fixed{d: 4, zeros: true}, linalg.Ridge{}, &compose.Options{FullRank: true})
	tr := training(t, m.Describe(), 1, nil)
	model, err := m.Fit(t.Context(), tr)
	require.NoError(t, err)
	report := core.ReportOf(model)
	assert.Zero(t, report.Rank)
	assert.Contains(t, report.Untrained, "rank 0")
	assert.Contains(t, strings.Join(report.Warnings, "\n"), "the features are the same for all training snapshots")
	x, err := model.Predict(t.Context(), tr.Validation.Snapshots())
	require.NoError(t, err)
	require.NoError(t, x.CheckFinite())
}

func TestEmbeddingsOfWrongShape(t *testing.T) {
	m := compose.New(fixed{d: 4}, linalg.Ridge{}, nil)
	tr := training(t, m.Describe(), 1, nil)
	x, err := core.NewSnapshots(make([]float32, 10), 1)
	require.NoError(t, err)
	tr.Train, tr.Validation = core.OneTrajectory(x), core.OneTrajectory(x)
	tr.TrainLabels, tr.ValidationLabels = nil, nil
	_, err = m.Fit(t.Context(), tr)
	require.ErrorIs(t, err, core.ErrContract)
}

func TestOperatorMethodsShareTheirFeatures(t *testing.T) {
	var fits atomic.Int32
	reference := compose.Share(fixed{d: 20, fits: &fits})
	m := compose.OperatorMethod(linalg.Ridge{}, reference)
	d := m.Describe()
	assert.Equal(t, "operator:ridge", d.Name)
	assert.Equal(t, linalg.Ridge{}.Describe().Summary, d.Summary)
	var wait sync.WaitGroup
	var compiling atomic.Int32
	for range 6 {
		wait.Go(func() {
			model, err := m.Fit(context.Background(), training(t, d, 1, nil))
			if assert.NoError(t, err) {
				compiling.Add(int32(core.ReportOf(model).CompileSeconds))
			}
		})
	}
	wait.Wait()
	assert.EqualValues(t, 1, fits.Load())
	assert.EqualValues(t, 5, compiling.Load(), "compiling is counted once")

	_, err := m.Fit(t.Context(), training(t, d, 2, nil))
	require.NoError(t, err)
	assert.EqualValues(t, 2, fits.Load(), "another seed is another fit")
	other := training(t, d, 2, nil)
	other.Train = core.OneTrajectory(other.Train.At(0).Slice(1, other.Train.Len()))
	other.TrainLabels = other.TrainLabels[1:]
	_, err = m.Fit(t.Context(), other)
	require.NoError(t, err)
	assert.EqualValues(t, 3, fits.Load(), "other data is another fit")
	other.Train, err = core.CutTrajectories(other.Train.Snapshots(), []int{10, other.Train.Len() - 10})
	require.NoError(t, err)
	_, err = m.Fit(t.Context(), other)
	require.NoError(t, err)
	assert.EqualValues(t, 4, fits.Load(), "the same snapshots in two trajectories are other data")
}

func TestSharedFailuresAreNotKept(t *testing.T) {
	var fits atomic.Int32
	failure := errors.New("no fit")
	reference := compose.Share(fixed{d: 20, fits: &fits, err: failure})
	tr := training(t, reference.Describe(), 1, nil)
	for range 2 {
		_, err := reference.Fit(t.Context(), tr)
		require.ErrorIs(t, err, failure)
	}
	assert.EqualValues(t, 2, fits.Load())

	tr.OracleEmbedding = fixed{}
	_, err := reference.Fit(t.Context(), tr)
	require.ErrorIs(t, err, core.ErrUnavailable)
}

// stuck is an embedder that fits until its context ends.
type stuck struct {
	fixed
	started chan struct{}
}

func (s stuck) Fit(ctx context.Context, _ *core.Training) (core.Embedding, error) {
	s.started <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestWaitingForASharedFitIsCancelled(t *testing.T) {
	s := stuck{started: make(chan struct{})}
	reference := compose.Share(s)
	tr := training(t, reference.Describe(), 1, nil)
	first, endFirst := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := reference.Fit(first, tr)
		done <- err
	}()
	<-s.started
	second, endSecond := context.WithCancel(t.Context())
	endSecond()
	_, err := reference.Fit(second, tr)
	require.ErrorIs(t, err, context.Canceled)
	endFirst()
	require.ErrorIs(t, <-done, context.Canceled)
}

// speechless panics with what is no error.
type speechless struct{ nn.Encoder }

func (speechless) Encode(*model.Scope, *graph.Node, int) *graph.Node { panic("no such layer") }

// TestEncoderPanics: a fit ends with what an encoder panicked with, wherever the loss is evaluated.
func TestEncoderPanics(t *testing.T) {
	for _, loss := range []core.Loss{agreement{}, graphAgreement{}} {
		m := compose.LossMethod(testRuntime, loss, linalg.Ridge{}, &compose.LossOptions{Network: speechless{small}})
		tr, ended := training(t, m.Describe(), 1, nil), make(chan error, 1)
		go func() {
			_, err := m.Fit(t.Context(), tr)
			ended <- err
		}()
		select {
		case err := <-ended:
			assert.ErrorContains(t, err, "no such layer")
		case <-time.After(time.Minute):
			t.Fatal("the fit does not end")
		}
	}
}
