package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/describe"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// The six kinds at their simplest. The method asks the oracle where it may.

type (
	method    struct{}
	embedder  struct{}
	operator  struct{}
	loss      struct{}
	oracle    struct{}
	task      struct{}
	nearness  struct{}
	embedding struct{ shape []int }
	judge     struct{ embedding }
	evolution struct{}
)

func description(name string) core.Description {
	return core.Description{Name: name, Summary: "Simple",
		Options: []core.Option{core.IntOption("n", 1, 0, 9, "a number")}}
}

func (method) Describe() core.Description {
	d := description("method")
	d.Exposure = core.OracleExposed
	return d
}
func (embedder) Describe() core.Description { return description("embedder") }
func (operator) Describe() core.Description { return description("operator") }
func (loss) Describe() core.Description     { return description("loss") }
func (oracle) Describe() core.Description   { return description("oracle") }
func (task) Describe() core.Description     { return description("task") }

func (method) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	t.Progress.Phase("training", 1)
	t.Progress.Epoch(core.Epoch{Number: 1})
	if t.OracleEmbedding != nil {
		if _, err := t.OracleEmbedding.Embed(ctx, t.Train.Snapshots()); err != nil {
			return nil, err
		}
	}
	for _, name := range t.Checkpoints.Names() {
		if state := t.Checkpoints.Load(name); state != nil && t.Checkpoints.Due() {
			t.Checkpoints.Store(name, state)
		}
	}
	return core.ModelFunc(func(_ context.Context, x core.Snapshots) (core.Snapshots, error) { return x, nil }), nil
}

func (method) Load(_ context.Context, s *core.Saved) (core.Model, error) {
	if s.Arrays["w"].Values == nil {
		return nil, core.ErrShape
	}
	return still{}, nil
}

func (embedder) Fit(_ context.Context, t *core.Training) (core.Embedding, error) {
	return embedding{t.Train.Shape()}, nil
}

func (e embedding) Dim() int { return 2 }

func (embedding) Embed(_ context.Context, x core.Snapshots) (*mat.Dense, error) {
	return x.Matrix(), nil
}

func (e embedding) Decode(_ context.Context, z mat.Matrix) (core.Snapshots, error) {
	return core.SnapshotsFromMatrix(z, e.shape...)
}

func (operator) Fit(context.Context, *core.OperatorTraining) (core.Operator, error) {
	return evolution{}, nil
}

func (evolution) Rank() int { return 1 }

func (evolution) Predict(_ context.Context, z mat.Matrix, _ int) (*mat.Dense, error) {
	return mat.DenseCopyOf(z), nil // panics for an empty matrix
}

func (evolution) PredictObservable(context.Context, mat.Matrix, int) (*mat.Dense, error) {
	return nil, core.ErrUnavailable
}

func (loss) Evaluate(_ context.Context, x, y mat.Matrix, _ core.Options) (core.LossValue, error) {
	return core.LossValue{Value: mat.Sum(x), GradX: mat.DenseCopyOf(x), GradY: mat.DenseCopyOf(y)}, nil
}

func (oracle) Fit(_ context.Context, t *core.Training) (core.Judge, error) {
	return judge{embedding{t.Train.Shape()}}, nil
}

func (judge) Classify(_ context.Context, x core.Snapshots) ([]int, error) {
	return make([]int, x.Len()), nil
}

func (j judge) Encoder() core.Embedding { return j.embedding }

func (task) Open(context.Context, core.Options) (*core.Problem, error) { return problem(), nil }

// problem has all that a problem can have.
func problem() *core.Problem {
	x, err := core.NewSnapshots([]float32{1, 2, 3, 4, 5, 6}, 2)
	if err != nil {
		panic(err)
	}
	one := core.OneTrajectory(x)
	two, err := core.NewTrajectories(x.Slice(0, 2), x)
	if err != nil {
		panic(err)
	}
	return &core.Problem{
		Train: two, Validation: one, Test: one, Starts: []int{0, 2}, Lag: 1, Steps: 2, Rank: 2, Picture: core.CurvePicture,
		States: &core.States{
			Count: 2, Train: []int{0, 1, 0, 1, 0}, Validation: []int{0, 1, 0}, Test: []int{0, 1, 0},
			Expected: [][]int{{1, 1}, {0, 0}},
		},
		Truth: &core.Truth{Eigenvalues: []complex128{1, -1}}, Score: nearness{},
	}
}

func (nearness) Measure() core.Measure {
	return core.Measure{Name: "nearness", Summary: "near", Least: 0, Most: 1, Chance: 0.5}
}

func (n nearness) Fit(context.Context, *core.Training) (core.Scorer, error) { return n, nil }

func (nearness) Score(_ context.Context, _ int, predicted core.Snapshots) ([]float64, error) {
	return make([]float64, predicted.Len()), nil
}

// script is a call whose host has said all already.
type script struct {
	grpc.ServerStream
	ctx      context.Context
	received []*wire.Frame
	sent     []*wire.Frame
	trailer  metadata.MD
}

func (s *script) SetTrailer(trailer metadata.MD) { s.trailer = trailer }

func (s *script) Context() context.Context { return s.ctx }

func (s *script) Send(f *wire.Frame) error {
	s.sent = append(s.sent, f)
	return nil
}

func (s *script) Recv() (*wire.Frame, error) {
	if len(s.received) == 0 {
		return nil, io.EOF
	}
	f := s.received[0]
	s.received = s.received[1:]
	return f, nil
}

// still is a model that predicts what it sees, any number of steps ahead.
type still struct{}

func (still) Predict(_ context.Context, x core.Snapshots) (core.Snapshots, error) { return x, nil }

func (still) Forecast(_ context.Context, x core.Snapshots, _ int) (core.Snapshots, error) {
	return x, nil
}

func (still) Save(context.Context) (*core.State, error) { return someState(), nil }

func someState() *core.State {
	return &core.State{Facts: []byte("{}"),
		Arrays: map[string]core.Array{"w": {Shape: []int{2}, Values: []float32{1, 2}}, "n": {Values: []int64{3}}}}
}

// Handles of newServer, beside those of the kinds.
const problemHandle, scorerHandle = 20, 21

func newServer(t testing.TB) *Server {
	s, err := New("", "", method{}, embedder{}, operator{}, loss{}, oracle{}, task{})
	require.NoError(t, err)
	p, err := core.GuardProblem(problem())
	require.NoError(t, err)
	scorer, err := p.Score.Fit(t.Context(), nil)
	require.NoError(t, err)
	s.fitted[problemHandle] = &fitted{kind: wire.Kind_TASK, thing: p}
	s.fitted[scorerHandle] = &fitted{kind: wire.Kind_TASK, thing: scorer}
	for kind, thing := range map[wire.Kind]any{
		wire.Kind_METHOD:   still{},
		wire.Kind_EMBEDDER: embedding{[]int{2}}, wire.Kind_OPERATOR: evolution{},
		wire.Kind_ORACLE: judge{embedding{[]int{2}}},
	} {
		s.fitted[uint64(kind)] = &fitted{kind: kind, thing: thing}
	}
	s.last = 100
	return s
}

// calls are those of a well-behaved host, by the kind.
func calls(t testing.TB) [][]*wire.Frame {
	x, err := core.NewSnapshots([]float32{1, 2, 3, 4, 5, 6}, 2)
	require.NoError(t, err)
	options, err := description("x").Resolve(nil)
	require.NoError(t, err)
	values := describe.Values(options)
	m := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})
	with := func(make func([]*wire.Array) *wire.Frame, arrays ...transfer.Array) []*wire.Frame {
		s := &script{}
		require.NoError(t, transfer.Send(s, make(transfer.Headers(arrays)), arrays...))
		return s.sent
	}
	fit := func(kind wire.Kind, name string, dim uint64) func([]*wire.Array) *wire.Frame {
		return func(a []*wire.Array) *wire.Frame {
			return &wire.Frame{Content: &wire.Frame_Fit{Fit: &wire.FitCall{Kind: kind, Name: name, Options: values, Lag: 1,
				States: 2, OracleDim: dim, Arrays: a}}}
		}
	}
	apply := func(handle wire.Kind, o wire.Operation) func([]*wire.Array) *wire.Frame {
		return func(a []*wire.Array) *wire.Frame {
			return &wire.Frame{Content: &wire.Frame_Apply{Apply: &wire.ApplyCall{Handle: uint64(handle), Operation: o, Steps: 1,
				Arrays: a}}}
		}
	}
	train, validation, snapshots := transfer.Snapshots("train", x), transfer.Snapshots("validation", x),
		transfer.Snapshots("snapshots", x)
	features := transfer.Matrix("features", m)
	labels := []transfer.Array{transfer.Labels("train_labels", []int{0, 1, 0}),
		transfer.Labels("validation_labels", []int{0, 1, 0})}
	state, stored, err := transfer.State("training", someState())
	require.NoError(t, err)
	answer := with(func(a []*wire.Array) *wire.Frame {
		return &wire.Frame{Content: &wire.Frame_Features{Features: &wire.Features{Arrays: a}}}
	}, features)
	return [][]*wire.Frame{
		append(with(fit(wire.Kind_METHOD, "method", 2), train, validation), answer...),
		with(fit(wire.Kind_METHOD, "method", 0), train, validation),
		with(func(a []*wire.Array) *wire.Frame {
			f := fit(wire.Kind_METHOD, "method", 0)(a[:2])
			f.GetFit().CheckpointSeconds, f.GetFit().Checkpoints = 1e-9, []*wire.State{state}
			return f
		}, append([]transfer.Array{train, validation}, stored...)...),
		with(func([]*wire.Array) *wire.Frame {
			return &wire.Frame{Content: &wire.Frame_Load{Load: &wire.LoadCall{Kind: wire.Kind_METHOD, Name: "method",
				State: state, OracleDim: 2}}}
		}, stored...),
		{{Content: &wire.Frame_Apply{Apply: &wire.ApplyCall{Handle: uint64(wire.Kind_METHOD),
			Operation: wire.Operation_SAVE}}}},
		with(fit(wire.Kind_EMBEDDER, "embedder", 0), train, validation),
		with(func(a []*wire.Array) *wire.Frame {
			f := fit(wire.Kind_EMBEDDER, "embedder", 0)(a)
			f.GetFit().TrainLengths, f.GetFit().ValidationLengths = []uint64{1, 2}, []uint64{2, 0, 1}
			return f
		}, train, validation),
		with(func(a []*wire.Array) *wire.Frame {
			f := fit(wire.Kind_OPERATOR, "operator", 0)(a)
			f.GetFit().FeatureLengths = []uint64{2, 1}
			return f
		}, features),
		with(fit(wire.Kind_OPERATOR, "operator", 0), features),
		with(fit(wire.Kind_OPERATOR, "operator", 0), features, transfer.Matrix("observable", m)),
		with(fit(wire.Kind_ORACLE, "oracle", 0), append([]transfer.Array{train, validation}, labels...)...),
		with(apply(wire.Kind_METHOD, wire.Operation_PREDICT), snapshots),
		with(apply(wire.Kind_METHOD, wire.Operation_FORECAST), snapshots),
		with(apply(wire.Kind_EMBEDDER, wire.Operation_EMBED), snapshots),
		with(apply(wire.Kind_EMBEDDER, wire.Operation_DECODE), features),
		with(apply(wire.Kind_OPERATOR, wire.Operation_PREDICT_FEATURES), features),
		with(apply(wire.Kind_ORACLE, wire.Operation_CLASSIFY), snapshots),
		with(apply(wire.Kind_ORACLE, wire.Operation_EMBED), snapshots),
		{{Content: &wire.Frame_Open{Open: &wire.OpenCall{Name: "task", Options: values}}}},
		{{Content: &wire.Frame_FitScore{FitScore: &wire.FitScoreCall{Problem: problemHandle, Seed: 1, Name: "judge",
			States: 2}}}},
		with(func(a []*wire.Array) *wire.Frame {
			return &wire.Frame{Content: &wire.Frame_Score{Score: &wire.ScoreCall{Handle: scorerHandle, Step: 2, Arrays: a}}}
		}, transfer.Snapshots("snapshots", x.Slice(0, 2))),
		with(func(a []*wire.Array) *wire.Frame {
			return &wire.Frame{Content: &wire.Frame_Evaluate{Evaluate: &wire.EvaluateCall{Name: "loss", Options: values,
				Arrays: a}}}
		}, transfer.Matrix("x", m), transfer.Matrix("y", m)),
	}
}

// run makes the call that the first frame belongs to, and returns its last frame.
func run(s *Server, c *script) (*wire.Frame, error) {
	var err error
	switch c.received[0].GetContent().(type) {
	case *wire.Frame_Apply, *wire.Frame_Score:
		err = s.Apply(c)
	case *wire.Frame_Open:
		err = s.Open(c)
	case *wire.Frame_Evaluate:
		err = s.Evaluate(c)
	default:
		err = s.Fit(c)
	}
	if err != nil || len(c.sent) == 0 {
		return nil, err
	}
	return c.sent[len(c.sent)-1], nil
}

func TestCalls(t *testing.T) {
	for i, frames := range calls(t) {
		c := &script{ctx: t.Context(), received: frames}
		last, err := run(newServer(t), c)
		require.NoError(t, err)
		assert.Nil(t, last.GetFailure(), "call %d", i)
		require.Len(t, c.trailer.Get(transfer.ComputedTrailer), 1)
		seconds, err := strconv.ParseFloat(c.trailer.Get(transfer.ComputedTrailer)[0], 64)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, seconds, 0.0)
		assert.Less(t, seconds, 1.0)
	}
}

// TestBadLengths: trajectories that are not in the arrays are refused before anything is fitted.
func TestBadLengths(t *testing.T) {
	for _, c := range []struct {
		lengths []uint64
		want    wire.Failure_Kind
	}{
		{[]uint64{2, 2}, wire.Failure_SHAPE}, {[]uint64{2}, wire.Failure_SHAPE},
		{[]uint64{3, 1 << 31}, wire.Failure_OPTION}, {[]uint64{math.MaxUint64, 4}, wire.Failure_OPTION},
	} {
		for _, set := range []func(*wire.FitCall){
			func(f *wire.FitCall) { f.TrainLengths = c.lengths },
			func(f *wire.FitCall) { f.ValidationLengths = c.lengths },
			func(f *wire.FitCall) { f.FeatureLengths = c.lengths },
		} {
			tried := 0
			for _, frames := range calls(t) {
				call := frames[0].GetFit()
				if call == nil {
					continue
				}
				call.TrainLengths, call.ValidationLengths, call.FeatureLengths = nil, nil, nil
				set(call)
				if (call.GetKind() == wire.Kind_OPERATOR) != (call.GetFeatureLengths() != nil) {
					continue
				}
				last, err := run(newServer(t), &script{ctx: t.Context(), received: frames})
				require.NoError(t, err)
				assert.Equal(t, c.want, last.GetFailure().GetKind(), "%v", c.lengths)
				tried++
			}
			assert.Positive(t, tried)
		}
	}
}

// TestStates: a checkpoint comes back as it was sent, a model that was loaded is one, and what is saved is sent.
func TestStates(t *testing.T) {
	all := calls(t)
	read := func(c *script, sent *wire.State) *core.State {
		t.Helper()
		for i, f := range c.sent {
			if f.GetCheckpoint() == sent || f.GetResult().GetState() == sent {
				state, err := transfer.ReceiveState(&script{received: c.sent[i+1:]}, sent)
				require.NoError(t, err)
				return state
			}
		}
		return nil
	}
	var checkpoints, loaded, saved int
	for _, frames := range all {
		c := &script{ctx: t.Context(), received: frames}
		last, err := run(newServer(t), c)
		require.NoError(t, err)
		for _, f := range c.sent {
			if sent := f.GetCheckpoint(); sent != nil {
				checkpoints++
				assert.Equal(t, "training", sent.GetName())
				assert.Equal(t, someState().Arrays["w"], read(c, sent).Arrays["w"])
			}
			if sent := f.GetResult().GetState(); sent != nil {
				saved++
				assert.Equal(t, someState().Facts, read(c, sent).Facts)
			}
		}
		if frames[0].GetLoad() != nil {
			loaded++
			assert.Equal(t, []string{"forecast", "save"}, last.GetFitted().GetAbilities())
		}
	}
	assert.Equal(t, []int{1, 1, 1}, []int{checkpoints, loaded, saved})

	for _, frames := range [][]*wire.Frame{
		{{Content: &wire.Frame_Load{Load: &wire.LoadCall{Kind: wire.Kind_ORACLE, Name: "oracle"}}}},
		{{Content: &wire.Frame_Load{Load: &wire.LoadCall{Kind: wire.Kind_METHOD, Name: "method"}}}},
		{{Content: &wire.Frame_Apply{Apply: &wire.ApplyCall{Handle: uint64(wire.Kind_ORACLE),
			Operation: wire.Operation_SAVE}}}},
	} {
		last, err := run(newServer(t), &script{ctx: t.Context(), received: frames})
		require.NoError(t, err)
		assert.Contains(t, []wire.Failure_Kind{wire.Failure_UNAVAILABLE, wire.Failure_SHAPE}, last.GetFailure().GetKind())
	}
}

// TestComputedSeconds: they are those of the thing's own code, without waiting for the host.
func TestComputedSeconds(t *testing.T) {
	const compute, wait = 40 * time.Millisecond, 80 * time.Millisecond
	s := &stream{}
	begun := time.Now()
	require.NoError(t, s.compute(func() error {
		time.Sleep(compute + wait)
		s.waited.Add(int64(wait))
		return nil
	}))
	assert.GreaterOrEqual(t, s.ownSeconds(), compute.Seconds())
	assert.LessOrEqual(t, s.ownSeconds(), (time.Since(begun) - wait).Seconds())
}

// TestForecastIsAnAbility: it is announced where it is there, and refused where it is not or for too many steps.
func TestForecastIsAnAbility(t *testing.T) {
	x, err := core.NewSnapshots([]float32{1, 2}, 2)
	require.NoError(t, err)
	s := newServer(t)
	s.fitted[7] = &fitted{kind: wire.Kind_METHOD, thing: core.ModelFunc(still{}.Predict)}
	for handle, abilities := range map[uint64][]string{uint64(wire.Kind_METHOD): {"forecast", "save"}, 7: nil} {
		described, _, err := s.fitted[handle].describe()
		require.NoError(t, err)
		assert.Equal(t, abilities, described.GetAbilities())
	}
	for _, c := range []struct {
		handle, steps uint64
		fails         wire.Failure_Kind
	}{{7, 2, wire.Failure_UNAVAILABLE}, {uint64(wire.Kind_METHOD), 1 << 40, wire.Failure_OPTION}} {
		sent, arrays := &script{}, []transfer.Array{transfer.Snapshots("snapshots", x)}
		call := &wire.ApplyCall{Handle: c.handle, Operation: wire.Operation_FORECAST, Steps: c.steps,
			Arrays: transfer.Headers(arrays)}
		require.NoError(t, transfer.Send(sent, &wire.Frame{Content: &wire.Frame_Apply{Apply: call}}, arrays...))
		last, err := run(s, &script{ctx: t.Context(), received: sent.sent})
		require.NoError(t, err)
		require.NotNil(t, last.GetFailure())
		assert.Equal(t, c.fails, last.GetFailure().GetKind())
	}
}

// TestBadTaskCalls: a host that asks for what is not there is told so.
func TestBadTaskCalls(t *testing.T) {
	x, err := core.NewSnapshots([]float32{1, 2, 3, 4}, 2)
	require.NoError(t, err)
	score := func(handle, step uint64, x core.Snapshots) []*wire.Frame {
		sent, arrays := &script{}, []transfer.Array{transfer.Snapshots("snapshots", x)}
		call := &wire.ScoreCall{Handle: handle, Step: step, Arrays: transfer.Headers(arrays)}
		require.NoError(t, transfer.Send(sent, &wire.Frame{Content: &wire.Frame_Score{Score: call}}, arrays...))
		return sent.sent
	}
	fit := func(problem, states uint64) []*wire.Frame {
		return []*wire.Frame{{Content: &wire.Frame_FitScore{FitScore: &wire.FitScoreCall{Problem: problem, States: states}}}}
	}
	for says, c := range map[string]struct {
		frames []*wire.Frame
		kind   wire.Failure_Kind
	}{
		`no TASK called "none"`: {[]*wire.Frame{{Content: &wire.Frame_Open{Open: &wire.OpenCall{Name: "none"}}}},
			wire.Failure_UNKNOWN},
		"nothing fitted has the handle 99": {fit(99, 2), wire.Failure_UNKNOWN},
		"the handle 21 is no problem's":    {fit(scorerHandle, 2), wire.Failure_UNKNOWN},
		"0 states":                         {fit(problemHandle, 0), wire.Failure_OPTION},
		"a number of states of 1099":       {fit(problemHandle, 1<<40), wire.Failure_OPTION},
		"the handle 20 is not that of a s": {score(problemHandle, 1, x), wire.Failure_UNKNOWN},
		"step 0 of a roll-out of 2 steps":  {score(scorerHandle, 0, x), wire.Failure_OPTION},
		"step 3 of a roll-out of 2 steps":  {score(scorerHandle, 3, x), wire.Failure_OPTION},
		"a step of 1099511627776":          {score(scorerHandle, 1<<40, x), wire.Failure_OPTION},
		"1 predicted snapshots for 2":      {score(scorerHandle, 1, x.Slice(0, 1)), wire.Failure_SHAPE},
	} {
		last, err := run(newServer(t), &script{ctx: t.Context(), received: c.frames})
		require.NoError(t, err, says)
		assert.Equal(t, c.kind, last.GetFailure().GetKind(), says)
		assert.Contains(t, last.GetFailure().GetMessage(), says)
	}
	open := &script{ctx: t.Context(), received: fit(1, 1)}
	require.NoError(t, newServer(t).Open(open))
	assert.Contains(t, open.sent[0].GetFailure().GetMessage(), `"fit_score" begins the opening of a task; OpenCall must`)
}

// TestForgotten: what was fitted for a host that no longer listens is not kept.
func TestForgotten(t *testing.T) {
	s := newServer(t)
	before := len(s.fitted)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = run(s, &script{ctx: ctx, received: calls(t)[2]})
	assert.Len(t, s.fitted, before)
	_, err := run(s, &script{ctx: t.Context(), received: calls(t)[2]})
	require.NoError(t, err)
	assert.Len(t, s.fitted, before+1)
	_, err = s.Release(t.Context(), &wire.ReleaseRequest{Handle: s.last})
	require.NoError(t, err)
	assert.Len(t, s.fitted, before)

	open := []*wire.Frame{{Content: &wire.Frame_Open{Open: &wire.OpenCall{Name: "task"}}}}
	_, _ = run(s, &script{ctx: ctx, received: open})
	assert.Len(t, s.fitted, before)
	c := &script{ctx: t.Context(), received: open}
	_, err = run(s, c)
	require.NoError(t, err)
	assert.Equal(t, s.last, c.sent[0].GetOpened().GetHandle())
	assert.Len(t, s.fitted, before+1)
}

// FuzzServer: whatever a host sends, the call ends, with an error, a Failure, or a result.
func FuzzServer(f *testing.F) {
	for _, frames := range calls(f) {
		var text bytes.Buffer
		for _, frame := range frames {
			_, err := protodelim.MarshalTo(&text, frame)
			require.NoError(f, err)
		}
		f.Add(text.Bytes())
		f.Add(text.Bytes()[:text.Len()-3])
	}
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, text []byte) {
		c := &script{ctx: t.Context()}
		for r := bytes.NewReader(text); ; {
			frame := &wire.Frame{}
			if protodelim.UnmarshalFrom(r, frame) != nil {
				break
			}
			c.received = append(c.received, frame)
		}
		if len(c.received) == 0 {
			return
		}
		s := newServer(t)
		type end struct {
			last *wire.Frame
			err  error
		}
		done := make(chan end, 1)
		go func() {
			last, err := run(s, c)
			done <- end{last, err}
		}()
		select {
		case e := <-done:
			if e.err != nil {
				return
			}
			require.NotNil(t, e.last, "nothing was answered")
			if failure := e.last.GetFailure(); failure != nil {
				assert.NotEmpty(t, failure.GetMessage())
			}
		case <-time.After(2 * time.Minute):
			t.Fatal("the call hangs")
		}
	})
}

// oddModel says of itself what it is told to, or panics.
type oddModel struct {
	still
	report func() core.Report
}

func (m oddModel) Report() core.Report { return m.report() }

// oddMethod gives odd models, or ends its goroutine.
type oddMethod struct {
	method
	fit func(t *core.Training) (core.Model, error)
}

func (m oddMethod) Fit(_ context.Context, t *core.Training) (core.Model, error) { return m.fit(t) }

// oddLoss warns.
type oddLoss struct {
	loss
	warnings []string
}

func (l oddLoss) Evaluate(ctx context.Context, x, y mat.Matrix, o core.Options) (core.LossValue, error) {
	v, err := l.loss.Evaluate(ctx, x, y, o)
	v.Warnings = l.warnings
	return v, err
}

// TestOddThings: what cannot be sent as it is, or ends a goroutine, ends the call alone, with a
// Failure of the right kind.
func TestOddThings(t *testing.T) {
	reports := func(r core.Report) oddMethod {
		return oddMethod{fit: func(*core.Training) (core.Model, error) {
			return oddModel{report: func() core.Report { return r }}, nil
		}}
	}
	goexit := oddMethod{fit: func(*core.Training) (core.Model, error) { runtime.Goexit(); return nil, nil }}
	speechless := oddMethod{fit: func(*core.Training) (core.Model, error) {
		return oddModel{report: func() core.Report { panic("no report") }}, nil
	}}
	fitCall, lossCall := calls(t)[1], calls(t)[len(calls(t))-1]
	for says, c := range map[string]struct {
		thing any
		call  []*wire.Frame
		kind  wire.Failure_Kind
	}{
		"the rank is -1":             {reports(core.Report{Rank: -1}), fitCall, wire.Failure_CONTRACT},
		"number of parameters is -1": {reports(core.Report{Parameters: -1}), fitCall, wire.Failure_CONTRACT},
		"is epoch -1": {reports(core.Report{History: []core.Epoch{{Number: -1}}}), fitCall,
			wire.Failure_CONTRACT},
		"runtime.Goexit was called":   {goexit, fitCall, wire.Failure_PANIC},
		"internal failure: no report": {speechless, fitCall, wire.Failure_PANIC},
		"there are 1001 warnings":     {oddLoss{warnings: make([]string, 1001)}, lossCall, wire.Failure_CONTRACT},
	} {
		t.Run(says, func(t *testing.T) {
			s, err := New("", "", core.Guard(c.thing))
			require.NoError(t, err)
			last, err := run(s, &script{ctx: t.Context(), received: c.call})
			require.NoError(t, err)
			assert.Equal(t, c.kind, last.GetFailure().GetKind())
			assert.Contains(t, last.GetFailure().GetMessage(), says)
		})
	}
}

// TestTextsAreUTF8: others cannot be sent, and would end the call with an error of gRPC.
func TestTextsAreUTF8(t *testing.T) {
	m := oddMethod{fit: func(t *core.Training) (core.Model, error) {
		t.Progress.Phase("phas\xe9", 1)
		report := core.Report{Untrained: "b\xe4d", Warnings: []string{"w\xe4rm"}}
		return oddModel{report: func() core.Report { return report }}, nil
	}}
	fails := oddMethod{fit: func(*core.Training) (core.Model, error) { return nil, errors.New("b\xe4d") }}
	for _, c := range []struct {
		thing any
		call  []*wire.Frame
	}{{m, calls(t)[1]}, {fails, calls(t)[1]}, {oddLoss{warnings: []string{"w\xe4rm"}}, calls(t)[len(calls(t))-1]}} {
		s, err := New("", "", c.thing)
		require.NoError(t, err)
		odd := &script{ctx: t.Context(), received: c.call}
		_, err = run(s, odd)
		require.NoError(t, err)
		require.NotEmpty(t, odd.sent)
		for _, frame := range odd.sent {
			_, err := proto.Marshal(frame)
			assert.NoError(t, err)
		}
	}
}
