package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/describe"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// script is a call whose plugin has said all already, and a plugin all of whose calls continue it.
type script struct {
	wire.PluginClient
	grpc.ClientStream
	replies []*wire.Frame
	sent    []*wire.Frame
	trailer metadata.MD
	calls   [][2]time.Duration // that the session was told of
}

type stream = grpc.BidiStreamingClient[wire.Frame, wire.Frame]

func (s *script) Fit(context.Context, ...grpc.CallOption) (stream, error)      { return s, nil }
func (s *script) Apply(context.Context, ...grpc.CallOption) (stream, error)    { return s, nil }
func (s *script) Evaluate(context.Context, ...grpc.CallOption) (stream, error) { return s, nil }
func (s *script) Open(context.Context, ...grpc.CallOption) (stream, error)     { return s, nil }
func (s *script) CloseSend() error                                             { return nil }

func (s *script) Release(context.Context, *wire.ReleaseRequest, ...grpc.CallOption) (*wire.ReleaseReply, error) {
	return &wire.ReleaseReply{}, nil
}

func (s *script) Send(f *wire.Frame) error {
	s.sent = append(s.sent, f)
	return nil
}

// Recv ends a call at each frame without content.
func (s *script) Recv() (*wire.Frame, error) {
	if len(s.replies) == 0 {
		return nil, io.EOF
	}
	f := s.replies[0]
	s.replies = s.replies[1:]
	if f.GetContent() == nil {
		return nil, io.EOF
	}
	return f, nil
}

func (s *script) Trailer() metadata.MD { return s.trailer }

func (s *script) Called(took, computed time.Duration) {
	s.calls = append(s.calls, [2]time.Duration{took, computed})
}

func (s *script) Name() string                              { return "far" }
func (s *script) Plugin() wire.PluginClient                 { return s }
func (s *script) Failed(_ context.Context, err error) error { return errors.Join(core.ErrCrashed, err) }

func stub(t testing.TB, kind wire.Kind, s *script) any {
	d := core.Description{Name: "far", Summary: "Far", Exposure: core.OracleExposed}
	if kind == wire.Kind_TASK {
		d.Exposure = core.Unexposed
	}
	described := describe.Thing(kind, d)
	described.Loads = true
	thing, err := Stub(described, true, func(context.Context) (Session, error) { return s, nil })
	require.NoError(t, err)
	return thing
}

// kept are checkpoints that are wanted.
type kept struct{ stored, left map[string]*core.State }

func (k kept) Names() []string                      { return slices.Collect(maps.Keys(k.left)) }
func (k kept) Load(name string) *core.State         { return k.left[name] }
func (k kept) Due() bool                            { return false }
func (k kept) Every() time.Duration                 { return time.Second }
func (k kept) Store(name string, state *core.State) { k.stored[name] = state }

func someState() *core.State {
	return &core.State{Facts: []byte("{}"), Arrays: map[string]core.Array{
		"one": {Shape: []int{}, Values: []int64{3}}, "two/w": {Shape: []int{1, 2}, Values: []float32{1, 2}},
		"bytes": {Shape: []int{2}, Values: []uint8{1, 2}}, "doubles": {Shape: []int{1}, Values: []float64{0.5}},
		"none": {Shape: []int{0}, Values: []float64(nil)},
	}}
}

// encoder is the oracle's.
type encoder struct{}

func (encoder) Dim() int { return 2 }

func (encoder) Embed(_ context.Context, x core.Snapshots) (*mat.Dense, error) {
	if x.Size() != 2 {
		return nil, core.ErrShape
	}
	return x.Matrix(), nil
}

func snapshots(t testing.TB) core.Snapshots {
	x, err := core.NewSnapshots([]float32{1, 2, 3, 4, 5, 6}, 2)
	require.NoError(t, err)
	return x
}

// use makes the calls that a thing of that kind is made for, and checks what comes back.
func use(t testing.TB, kind wire.Kind, s *script) error {
	ctx, x := t.Context(), snapshots(t)
	z := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})
	checkpoints := kept{map[string]*core.State{}, map[string]*core.State{"training": someState()}}
	training := &core.Training{
		Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x),
		Lag: 1, States: 3, Progress: core.NoProgress, OracleEmbedding: encoder{}, Checkpoints: checkpoints,
	}
	defer func() {
		for _, state := range checkpoints.stored {
			assert.NoError(t, state.Validate())
		}
	}()
	finite := func(m *mat.Dense, columns int) {
		n, d := m.Dims()
		assert.Equal(t, []int{3, columns}, []int{n, d})
		assert.False(t, mat.Norm(m, 1)-mat.Norm(m, 1) != 0)
	}
	switch thing := stub(t, kind, s).(type) {
	case core.Method:
		model, err := thing.Fit(ctx, training)
		if err != nil {
			return err
		}
		y, err := model.Predict(ctx, x)
		if err != nil {
			return err
		}
		assert.True(t, y.Len() == 3 && y.SameShape(x) && y.CheckFinite() == nil)
		if s, ok := core.As[core.Spectral](model); ok {
			if _, err = s.LeftEigenfunctions(ctx, x); err != nil {
				return err
			}
		}
		saver, ok := core.As[core.Saver](model)
		if !ok {
			return nil
		}
		state, err := saver.Save(ctx)
		if err != nil {
			return err
		}
		assert.NoError(t, state.Validate())
		loader, ok := core.As[core.ModelLoader](thing)
		require.True(t, ok)
		_, err = loader.Load(ctx, &core.Saved{State: *state, OracleEmbedding: encoder{}})
		return err
	case core.Embedder:
		embedding, err := thing.Fit(ctx, training)
		if err != nil {
			return err
		}
		m, err := embedding.Embed(ctx, x)
		if err != nil {
			return err
		}
		finite(m, embedding.Dim())
		if d, ok := core.As[core.Decoder](embedding); ok {
			_, err = d.Decode(ctx, m)
		}
		return err
	case core.EvolutionOperator:
		operator, err := thing.Fit(ctx, &core.OperatorTraining{Features: z, Observable: z, Lag: 1})
		if err != nil {
			return err
		}
		m, err := operator.Predict(ctx, z, 1)
		if err != nil {
			return err
		}
		finite(m, 2)
		_, err = operator.PredictObservable(ctx, z, 1)
		return err
	case core.Loss:
		value, err := thing.Evaluate(ctx, z, z, core.Options{})
		if err != nil {
			return err
		}
		finite(value.GradX, 2)
		finite(value.GradY, 2)
		return nil
	case core.Oracle:
		judge, err := thing.Fit(ctx, training)
		if err != nil {
			return err
		}
		labels, err := judge.Classify(ctx, x)
		if err != nil {
			return err
		}
		assert.NoError(t, core.CheckLabels(labels, 3, 3))
		return nil
	case core.Task:
		p, err := thing.Open(ctx, core.Options{})
		if err != nil {
			return err
		}
		require.NoError(t, p.Validate())
		if p.Score == nil {
			return nil
		}
		scorer, err := p.Score.Fit(ctx, training)
		if err != nil {
			return err
		}
		size := 1
		for _, axis := range p.Test.Shape() {
			size *= axis
		}
		predicted, err := core.NewSnapshots(make([]float32, p.StartCount()*size), p.Test.Shape()...)
		require.NoError(t, err)
		scores, err := scorer.Score(ctx, p.Steps, predicted)
		if err != nil {
			return err
		}
		assert.NoError(t, core.CheckScores(p.Measure(), scores, p.StartCount()))
		return nil
	}
	return nil
}

// replies are those of well-behaved plugins, by kind.
func replies(t testing.TB) map[wire.Kind][]*wire.Frame {
	end := &wire.Frame{}
	with := func(make func([]*wire.Array) *wire.Frame, arrays ...transfer.Array) []*wire.Frame {
		s := &script{}
		require.NoError(t, transfer.Send(s, make(transfer.Headers(arrays)), arrays...))
		return append(s.sent, end)
	}
	result := func(a []*wire.Array) *wire.Frame {
		return &wire.Frame{Content: &wire.Frame_Result{Result: &wire.Result{Arrays: a}}}
	}
	fitted := func(f *wire.Fitted) func([]*wire.Array) *wire.Frame {
		return func(a []*wire.Array) *wire.Frame {
			f.Arrays = a
			return &wire.Frame{Content: &wire.Frame_Fitted{Fitted: f}}
		}
	}
	join := func(parts ...[]*wire.Frame) (all []*wire.Frame) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	x := snapshots(t)
	z := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})
	question := with(func(a []*wire.Array) *wire.Frame {
		return &wire.Frame{Content: &wire.Frame_Embed{Embed: &wire.Embed{Arrays: a}}}
	}, transfer.Snapshots("snapshots", x))
	eigenvalues := transfer.Complexes("eigenvalues", []complex128{1, 0.5}, 2)
	state := func(name string, make func(*wire.State) *wire.Frame) []*wire.Frame {
		sent, arrays, err := transfer.State(name, someState())
		require.NoError(t, err)
		return with(func([]*wire.Array) *wire.Frame { return make(sent) }, arrays...)
	}
	checkpoint := state("training",
		func(s *wire.State) *wire.Frame { return &wire.Frame{Content: &wire.Frame_Checkpoint{Checkpoint: s}} })
	saved := state("", func(s *wire.State) *wire.Frame {
		return &wire.Frame{Content: &wire.Frame_Result{Result: &wire.Result{State: s}}}
	})
	return map[wire.Kind][]*wire.Frame{
		wire.Kind_METHOD: join([]*wire.Frame{{Content: &wire.Frame_Phase{Phase: &wire.Phase{Name: "training", Total: 3}}}},
			question[:len(question)-1],
			checkpoint[:len(checkpoint)-1],
			with(fitted(&wire.Fitted{Abilities: []string{"spectrum", "save"},
				Report: &wire.Report{History: []*wire.Epoch{{Number: 1}}}}), eigenvalues),
			with(result, transfer.Snapshots("snapshots", x)),
			with(result, transfer.ComplexMatrix("values", mat.NewCDense(3, 2, nil))), saved,
			with(fitted(&wire.Fitted{}))),
		wire.Kind_EMBEDDER: join(with(fitted(&wire.Fitted{Dim: 2, Abilities: []string{"decode"}})),
			with(result, transfer.Matrix("features", z)), with(result, transfer.Snapshots("snapshots", x))),
		wire.Kind_OPERATOR: join(with(fitted(&wire.Fitted{Rank: 2})), with(result, transfer.Matrix("features", z)),
			with(result, transfer.Matrix("observable", z))),
		wire.Kind_LOSS: with(func(a []*wire.Array) *wire.Frame {
			return &wire.Frame{Content: &wire.Frame_Loss{Loss: &wire.LossValue{Value: 1, Arrays: a}}}
		}, transfer.Matrix("gradient_x", z), transfer.Matrix("gradient_y", z)),
		wire.Kind_ORACLE: join(with(fitted(&wire.Fitted{})), with(result, transfer.Labels("labels", []int{0, 1, 2}))),
		wire.Kind_TASK: join(with(func(a []*wire.Array) *wire.Frame {
			return &wire.Frame{Content: &wire.Frame_Opened{Opened: &wire.Opened{
				Handle: 1, Lag: 1, Steps: 2, Rank: 2, TrainLengths: []uint64{1, 2}, ValidationLengths: []uint64{3},
				TestLengths: []uint64{3}, States: 2, Word: "side", Source: "a coin", Picture: "curve", Arrays: a,
				Measure: &wire.Measure{Name: "nearness", Summary: "near", Least: 0, Most: 1, Chance: 0.5},
			}}}
		}, transfer.Snapshots("train", x), transfer.Snapshots("validation", x), transfer.Snapshots("test", x),
			transfer.Labels("starts", []int{2, 0}), transfer.Labels("train_states", []int{0, 1, 0}),
			transfer.Labels("validation_states", []int{0, 1, 0}), transfer.Labels("test_states", []int{0, 1, 0}),
			transfer.Whole("expected_states", []int{1, 1, 0, 0}, 2, 2), eigenvalues),
			with(fitted(&wire.Fitted{Handle: 2})), with(result, transfer.Doubles("scores", []float64{0.5, 1}, 2))),
	}
}

// TestStates: what is kept of a fit is sent with it, what comes is kept as it is, and what was not
// asked for is refused.
func TestStates(t *testing.T) {
	s := &script{replies: replies(t)[wire.Kind_METHOD]}
	x := snapshots(t)
	k := kept{map[string]*core.State{}, map[string]*core.State{"training": someState()}}
	training := &core.Training{
		Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x),
		Lag: 1, States: 3, Progress: core.NoProgress, OracleEmbedding: encoder{}, Checkpoints: k,
	}
	_, err := stub(t, wire.Kind_METHOD, s).(core.Method).Fit(t.Context(), training)
	require.NoError(t, err)
	assert.Equal(t, map[string]*core.State{"training": someState()}, k.stored)
	call := s.sent[0].GetFit()
	assert.InDelta(t, 1, call.GetCheckpointSeconds(), 0)
	require.Len(t, call.GetCheckpoints(), 1)
	left, err := transfer.ReceiveState(&script{replies: s.sent[1+2:]},
		call.GetCheckpoints()[0]) // after those of two arrays of snapshots
	require.NoError(t, err)
	assert.Equal(t, someState(), left)

	training.Checkpoints = nil
	_, err = stub(t, wire.Kind_METHOD, &script{replies: replies(t)[wire.Kind_METHOD]}).(core.Method).Fit(t.Context(),
		training)
	require.ErrorIs(t, err, core.ErrContract)
	assert.ErrorContains(t, err, "none was asked for")
}

// TestBadStates: a state that cannot be one is the plugin's fault.
func TestBadStates(t *testing.T) {
	for name, sent := range map[string]*wire.State{
		"two arrays": {Arrays: []*wire.Array{{Name: "a", Type: wire.Type_UINT8, Shape: []uint64{0}},
			{Name: "a", Type: wire.Type_UINT8, Shape: []uint64{0}}}},
		"COMPLEX128":    {Arrays: []*wire.Array{{Name: "a", Type: wire.Type_COMPLEX128, Shape: []uint64{0}}}},
		"joined by":     {Arrays: []*wire.Array{{Name: "../a", Type: wire.Type_UINT8, Shape: []uint64{0}}}},
		"more than":     {Arrays: []*wire.Array{{Name: "a", Type: wire.Type_UINT8, Shape: []uint64{1 << 40}}}},
		"the most is 8": {Arrays: []*wire.Array{{Name: "a", Type: wire.Type_UINT8, Shape: make([]uint64, 9)}}},
		"4097 arrays":   {Arrays: make([]*wire.Array, 4097)},
		"together": {Arrays: []*wire.Array{{Name: "a", Type: wire.Type_UINT8, Shape: []uint64{1 << 30}},
			{Name: "b", Type: wire.Type_UINT8, Shape: []uint64{1}}}},
		"unknown type 9": {Arrays: []*wire.Array{{Name: "a", Type: 9, Shape: []uint64{0}}}},
	} {
		_, err := transfer.ReceiveState(&script{}, sent)
		require.ErrorIs(t, err, core.ErrContract)
		assert.ErrorContains(t, err, name)
	}
}

// TestNothingIsReceivedThatDoesNotBelong: what is announced in another shape than the one that
// belongs there is refused before any of its values are taken.
func TestNothingIsReceivedThatDoesNotBelong(t *testing.T) {
	tried := 0
	for kind, good := range replies(t) {
		for i := range good {
			frames := make([]*wire.Frame, len(good))
			for k, f := range good {
				frames[k] = proto.CloneOf(f)
			}
			want := core.ErrShape
			switch content := frames[i].GetContent().(type) {
			case *wire.Frame_Fitted:
				if len(content.Fitted.GetArrays()) == 0 {
					continue
				}
				content.Fitted.GetArrays()[0].Shape[0] = maxEigenvalues + 1
			case *wire.Frame_Embed:
				content.Embed.GetArrays()[0].Shape[1]++
			case *wire.Frame_Opened:
				content.Opened.GetArrays()[7].Shape[1]++
			case *wire.Frame_Loss:
				content.Loss.GetArrays()[1].Shape[0]++
			case *wire.Frame_Checkpoint:
				content.Checkpoint.GetArrays()[4].Name, want = "../a", core.ErrDescription
			case *wire.Frame_Result:
				if state := content.Result.GetState(); state != nil {
					state.GetArrays()[4].Name, want = "bytes", core.ErrContract
				} else {
					content.Result.GetArrays()[0].Shape[0]++
				}
			default:
				continue
			}
			tried++
			s := &script{replies: frames}
			err := use(t, kind, s)
			require.ErrorIs(t, err, core.ErrContract, "%v %d", kind, i)
			assert.ErrorIs(t, err, want, "%v %d", kind, i)
			assert.Len(t, s.replies, len(good)-i-1, "%v %d: %v", kind, i, err)
		}
	}
	assert.Equal(t, 14, tried)
}

// TestBadProblems: what a plugin tells of a task is refused in words that name the plugin and the
// rule, and before any of its arrays are taken if that can be.
func TestBadProblems(t *testing.T) {
	const taken, none = true, false
	for says, c := range map[string]struct {
		taken  bool // its arrays are
		change func(o *wire.Opened)
	}{
		"a lag of 18446744073709551615; the most is":        {none, func(o *wire.Opened) { o.Lag = math.MaxUint64 }},
		"a lag of 0 snapshots":                              {taken, func(o *wire.Opened) { o.Lag = 0 }},
		"a roll-out of 1099511627776 steps; the most is":    {none, func(o *wire.Opened) { o.Steps = 1 << 40 }},
		"a rank of 0; it must be":                           {taken, func(o *wire.Opened) { o.Rank = 0 }},
		"a number of states of 9223372036854775808; the mo": {none, func(o *wire.Opened) { o.States = 1 << 63 }},
		"the states of the training snapshots: label out":   {taken, func(o *wire.Opened) { o.States = 1 }},
		"6 arrays were announced where 8 belong":            {none, func(o *wire.Opened) { o.Arrays = o.Arrays[3:] }},
		"9 arrays were announced where 5 belong":            {none, func(o *wire.Opened) { o.States = 0 }},
		`the array "test" was announced where "train"`:      {none, func(o *wire.Opened) { o.Arrays[0].Name = "test" }},
		"more than 1073741824 bytes":                        {none, func(o *wire.Opened) { o.Arrays[2].Shape[0] = 1 << 40 }},
		`"train" has the shape [3 2], and its trajectories`: {none, func(o *wire.Opened) { o.TrainLengths[1] = 3 }},
		`"validation" has the shape [3 2], and its traject`: {none, func(o *wire.Opened) {
			o.ValidationLengths = []uint64{1}
		}},
		`"test" has the shape [6]; snapshots have at least`: {none, func(o *wire.Opened) { o.Arrays[2].Shape = []uint64{6} }},
		`a trajectory of the array "test" has 1844674407`: {none, func(o *wire.Opened) {
			o.TestLengths[0] = math.MaxUint64
		}},
		"has 1048577 trajectories; the most is 1048576": {none, func(o *wire.Opened) {
			o.TrainLengths = make([]uint64, 1<<20+1)
		}},
		`the array "train_states" has the shape [4]; it mu`: {none, func(o *wire.Opened) { o.Arrays[4].Shape[0]++ }},
		`the array "starts" has the shape [1 2]; it must h`: {none, func(o *wire.Opened) {
			o.Arrays[3].Shape = []uint64{1, 2}
		}},
		`"expected_states" has the shape [2 2]; it must ha`: {none, func(o *wire.Opened) { o.Steps = 3 }},
		"there can be at most 65536":                        {none, func(o *wire.Opened) { o.Arrays[8].Shape[0] = 1 << 20 }},
		`the array "test" is FLOAT64`: {taken, func(o *wire.Opened) {
			o.Arrays[2].Type, o.Arrays[2].Shape = wire.Type_FLOAT64, []uint64{3, 1}
		}},
		`the array "starts" is FLOAT64`: {taken, func(o *wire.Opened) {
			o.Arrays[3].Type = wire.Type_FLOAT64
		}},
		`the picture "film"`: {taken, func(o *wire.Opened) { o.Picture = "film" }},
		"the source of the data has 8193 bytes": {taken, func(o *wire.Opened) {
			o.Source = strings.Repeat("a", 8193)
		}},
		`the measure "nearness" has no summary`: {taken, func(o *wire.Opened) { o.Measure.Summary = "" }},
		"is 2, but its scores are in 0 … 1":     {taken, func(o *wire.Opened) { o.Measure.Chance = 2 }},
	} {
		frames := replies(t)[wire.Kind_TASK]
		o := frames[0].GetOpened()
		c.change(o)
		s := &script{replies: frames}
		err := use(t, wire.Kind_TASK, s)
		require.ErrorIs(t, err, core.ErrContract, says)
		assert.ErrorContains(t, err, "plugin far: ")
		assert.ErrorContains(t, err, says)
		assert.Equal(t, c.taken, len(s.replies) < len(frames)-1, says)
	}
}

// TestBadScores are the plugin's fault.
func TestBadScores(t *testing.T) {
	for says, change := range map[string]func(frames []*wire.Frame) []*wire.Frame{
		"it returned 1 scores for 2 starts": func(f []*wire.Frame) []*wire.Frame {
			f[0].GetResult().GetArrays()[0].Shape[0] = 1
			return f
		},
		"it returned scores of shape [2 1] for 2": func(f []*wire.Frame) []*wire.Frame {
			f[0].GetResult().GetArrays()[0].Shape = []uint64{2, 1}
			return f
		},
		`the array "scores" is INT64`: func(f []*wire.Frame) []*wire.Frame {
			f[0].GetResult().GetArrays()[0].Type = wire.Type_INT64
			return f
		},
		`start 1: contract broken: a score of 2; the measure "nearness" takes finite numbers in ` +
			`0 … 1`: func(f []*wire.Frame) []*wire.Frame {
			s := &script{}
			require.NoError(t, transfer.Send(s, f[0], transfer.Doubles("scores", []float64{0, 2}, 2)))
			return append(s.sent, &wire.Frame{})
		},
		"came where scores belong": func(f []*wire.Frame) []*wire.Frame {
			return []*wire.Frame{{Content: &wire.Frame_Opened{Opened: &wire.Opened{}}}}
		},
		`"result" came where the end of a fit belongs`: nil,
		"came after the result":                        func(f []*wire.Frame) []*wire.Frame { return append(f[:2], f[0]) },
	} {
		frames := replies(t)[wire.Kind_TASK]
		last := slices.IndexFunc(frames, func(f *wire.Frame) bool { return f.GetResult() != nil })
		if change == nil {
			frames = slices.Delete(frames, last-2, last)
		} else {
			frames = append(frames[:last:last], change(frames[last:])...)
		}
		err := use(t, wire.Kind_TASK, &script{replies: frames})
		require.ErrorIs(t, err, core.ErrContract, says)
		assert.ErrorContains(t, err, "plugin far: ")
		assert.ErrorContains(t, err, says)
	}
}

// TestCheckpointsThatCannotBeKept: a fit goes on that stores a state under a name that cannot be
// one, and one does not that stores without end.
func TestCheckpointsThatCannotBeKept(t *testing.T) {
	x := snapshots(t)
	fit := func(names ...string) (kept, error) {
		s := &script{}
		for _, name := range names {
			sent, arrays, err := transfer.State(name, someState())
			require.NoError(t, err)
			require.NoError(t, transfer.Send(s, &wire.Frame{Content: &wire.Frame_Checkpoint{Checkpoint: sent}}, arrays...))
		}
		s = &script{replies: append(s.sent, &wire.Frame{Content: &wire.Frame_Fitted{Fitted: &wire.Fitted{}}})}
		k := kept{map[string]*core.State{}, nil}
		training := &core.Training{
			Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x),
			Lag: 1, States: 3, Progress: core.NoProgress, Checkpoints: k,
		}
		_, err := stub(t, wire.Kind_METHOD, s).(core.Method).Fit(t.Context(), training)
		return k, err
	}
	k, err := fit("No Name", "training")
	require.NoError(t, err)
	assert.Equal(t, map[string]*core.State{"No Name": {}, "training": someState()}, k.stored)
	var names []string
	for i := range maxCheckpoints + 1 {
		names = append(names, fmt.Sprint("at-", i))
	}
	_, err = fit(names[1:]...)
	require.NoError(t, err)
	_, err = fit(names...)
	require.ErrorIs(t, err, core.ErrContract)
	assert.ErrorContains(t, err, "checkpoints of more than 64 names")
}

func TestReplies(t *testing.T) {
	for kind, frames := range replies(t) {
		assert.NoError(t, use(t, kind, &script{replies: frames}), kind.String())
	}
	_, err := Stub(&wire.Thing{Name: "far", Summary: "Far", Kind: 99}, true, nil)
	assert.ErrorIs(t, err, core.ErrDescription)
}

// hasty is a plugin that ends its calls before their time is over.
type hasty struct {
	*script
	err error
}

func (h hasty) Plugin() wire.PluginClient { return h }

func (h hasty) Evaluate(context.Context, ...grpc.CallOption) (stream, error) { return h, nil }

func (h hasty) Recv() (*wire.Frame, error) {
	if h.err != nil {
		return nil, h.err
	}
	return h.script.Recv()
}

// TestHastyPlugin: where the plugin's clock is ahead, a call that is out of time is no crash; and a
// plugin that says so without reason is not believed.
func TestHastyPlugin(t *testing.T) {
	cancelled := &wire.Frame{Content: &wire.Frame_Failure{Failure: &wire.Failure{Kind: wire.Failure_CANCELLED,
		Message: "out of time"}}}
	for _, late := range []error{status.Error(codes.DeadlineExceeded, "out of time"),
		status.Error(codes.Canceled, "out of time"), nil} {
		h := hasty{&script{replies: []*wire.Frame{cancelled, cancelled}}, late}
		d := describe.Thing(wire.Kind_LOSS, core.Description{Name: "far", Summary: "Far"})
		thing, err := Stub(d, true, func(context.Context) (Session, error) { return h, nil })
		require.NoError(t, err)
		z := mat.NewDense(1, 1, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err = thing.(core.Loss).Evaluate(ctx, z, z, core.Options{})
		assert.Equal(t, context.DeadlineExceeded, err)
		cancel()
		_, err = thing.(core.Loss).Evaluate(t.Context(), z, z, core.Options{})
		require.ErrorContains(t, err, "out of time")
		assert.NotErrorIs(t, err, context.Canceled)
		assert.NotErrorIs(t, err, context.DeadlineExceeded)
	}
}

// canceller is told of progress, and cancels.
type canceller struct {
	core.Progress
	cancel context.CancelFunc
}

func (c canceller) Advance(int) { c.cancel() }

// TestCancelledWhileTheResultCame: the plugin forgets what it fitted for a call that is over, so no one gets it.
func TestCancelledWhileTheResultCame(t *testing.T) {
	s := &script{replies: []*wire.Frame{
		{Content: &wire.Frame_Advance{Advance: &wire.Advance{Done: 1}}},
		{Content: &wire.Frame_Fitted{Fitted: &wire.Fitted{Handle: 1}}},
	}}
	ctx, cancel := context.WithCancel(t.Context())
	x := snapshots(t)
	model, err := stub(t, wire.Kind_METHOD, s).(core.Method).Fit(ctx, &core.Training{
		Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x),
		Lag: 1, States: 2, Name: "far", Progress: canceller{core.NoProgress, cancel},
	})
	assert.Equal(t, context.Canceled, err)
	assert.Nil(t, model)
}

// TestLagsBelowOneAreNotSent: the plugin would see another number.
func TestLagsBelowOneAreNotSent(t *testing.T) {
	for _, lag := range []int{0, -3} {
		s := &script{}
		_, err := stub(t, wire.Kind_OPERATOR, s).(core.EvolutionOperator).Fit(t.Context(), &core.OperatorTraining{
			Features: mat.NewDense(3, 2, nil), Lag: lag,
		})
		require.ErrorIs(t, err, core.ErrOption)
		assert.ErrorContains(t, err, fmt.Sprintf("a lag of %d rows", lag))
		assert.Empty(t, s.sent)
	}
}

// TestSeveralTrajectoriesAreForPluginsThatKnowThem: to others nothing is sent, and one trajectory
// goes as it always did.
func TestSeveralTrajectoriesAreForPluginsThatKnowThem(t *testing.T) {
	x := snapshots(t)
	two, err := core.CutTrajectories(x, []int{2, 1})
	require.NoError(t, err)
	one := core.OneTrajectory(x)
	z := mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6})
	thing := func(kind wire.Kind, knows bool, s *script) any {
		d := describe.Thing(kind, core.Description{Name: "far", Summary: "Far"})
		thing, err := Stub(d, knows, func(context.Context) (Session, error) { return s, nil })
		require.NoError(t, err)
		return thing
	}
	fit := func(knows bool, train, validation core.Trajectories) (*script, error) {
		s := &script{}
		_, err = thing(wire.Kind_METHOD, knows, s).(core.Method).Fit(t.Context(), &core.Training{
			Train: train, Validation: validation, Lag: 1, States: 2, Name: "far", Progress: core.NoProgress,
		})
		return s, err
	}
	fitOperator := func(knows bool, lengths []int) (*script, error) {
		s := &script{}
		_, err = thing(wire.Kind_OPERATOR, knows, s).(core.EvolutionOperator).Fit(t.Context(), &core.OperatorTraining{
			Features: z, Lag: 1, Lengths: lengths,
		})
		return s, err
	}
	for _, parts := range [][2]core.Trajectories{{two, one}, {one, two}} {
		s, err := fit(false, parts[0], parts[1])
		require.ErrorIs(t, err, core.ErrUnavailable)
		assert.ErrorContains(t, err, "far learns from one trajectory only, and there are 2")
		assert.Empty(t, s.sent)
	}
	s, err := fitOperator(false, []int{2, 1})
	require.ErrorIs(t, err, core.ErrUnavailable)
	assert.Empty(t, s.sent)

	for _, knows := range []bool{false, true} {
		s, err = fit(knows, one, one)
		require.ErrorIs(t, err, core.ErrContract, "the script says nothing")
		sent := s.sent[0].GetFit()
		assert.Empty(t, sent.GetTrainLengths())
		assert.Empty(t, sent.GetValidationLengths())
		for _, lengths := range [][]int{nil, {3}} {
			s, err = fitOperator(knows, lengths)
			require.ErrorIs(t, err, core.ErrContract)
			assert.Empty(t, s.sent[0].GetFit().GetFeatureLengths())
		}
	}
	s, err = fit(true, two, one)
	require.ErrorIs(t, err, core.ErrContract)
	assert.Equal(t, []uint64{2, 1}, s.sent[0].GetFit().GetTrainLengths())
	assert.Empty(t, s.sent[0].GetFit().GetValidationLengths())
	s, err = fitOperator(true, []int{1, 2})
	require.ErrorIs(t, err, core.ErrContract)
	assert.Equal(t, []uint64{1, 2}, s.sent[0].GetFit().GetFeatureLengths())
	s, err = fitOperator(true, []int{1, 3})
	require.ErrorIs(t, err, core.ErrShape)
	assert.Empty(t, s.sent)
}

// told keeps what it is told.
type told struct {
	core.Progress
	total, done, epoch int
}

func (p *told) Phase(_ string, total int) { p.total = total }
func (p *told) Advance(done int)          { p.done = done }
func (p *told) Epoch(e core.Epoch)        { p.epoch = e.Number }

// fitThat fits a method whose plugin replies with these frames.
func fitThat(t *testing.T, p core.Progress, replies ...*wire.Frame) (core.Model, error) {
	t.Helper()
	x := snapshots(t)
	return stub(t, wire.Kind_METHOD, &script{replies: replies}).(core.Method).Fit(t.Context(), &core.Training{
		Train: core.OneTrajectory(x), Validation: core.OneTrajectory(x), Lag: 1, States: 2, Name: "large", Progress: p,
	})
}

// TestCountsComeThroughWhole: up to 2⁵³ a count is what the plugin sent, and beyond there is none.
func TestCountsComeThroughWhole(t *testing.T) {
	replies := func(n uint64) map[string]*wire.Frame {
		return map[string]*wire.Frame{
			"total":      {Content: &wire.Frame_Phase{Phase: &wire.Phase{Name: "training", Total: n}}},
			"progress":   {Content: &wire.Frame_Advance{Advance: &wire.Advance{Done: n}}},
			"epoch":      {Content: &wire.Frame_Epoch{Epoch: &wire.Epoch{Number: n}}},
			"parameters": {Content: &wire.Frame_Fitted{Fitted: &wire.Fitted{Report: &wire.Report{Parameters: n}}}},
			"rank":       {Content: &wire.Frame_Fitted{Fitted: &wire.Fitted{Report: &wire.Report{Rank: n}}}},
		}
	}
	for _, n := range []uint64{1<<24 + 1, 1 << 31, 3_000_000_000, 1 << 53} {
		p := &told{Progress: core.NoProgress}
		r := replies(n)
		model, err := fitThat(t, p, r["total"], r["progress"], r["epoch"], r["parameters"])
		require.NoError(t, err)
		assert.Equal(t, []int{int(n), int(n), int(n)}, []int{p.total, p.done, p.epoch})
		assert.Equal(t, int(n), core.ReportOf(model).Parameters)
	}
	for _, n := range []uint64{1<<53 + 1, 1 << 63, math.MaxUint64} {
		for name, frame := range replies(n) {
			model, err := fitThat(t, core.NoProgress, frame)
			require.ErrorIs(t, err, core.ErrContract, name)
			assert.ErrorContains(t, err, fmt.Sprintf("%d; the most is 9007199254740992", n), name)
			assert.Nil(t, model)
		}
	}
}

// FuzzClient: whatever a plugin replies, calls end, with an error or with results that keep their contract.
func FuzzClient(f *testing.F) {
	for kind, frames := range replies(f) {
		var text bytes.Buffer
		for _, frame := range frames {
			_, err := protodelim.MarshalTo(&text, frame)
			require.NoError(f, err)
		}
		f.Add(uint8(kind)-1, text.Bytes())
		f.Add(uint8(kind)-1, text.Bytes()[:text.Len()/2])
	}
	failure := &wire.Frame{Content: &wire.Frame_Failure{Failure: &wire.Failure{Kind: wire.Failure_CANCELLED}}}
	var text bytes.Buffer
	_, err := protodelim.MarshalTo(&text, failure)
	require.NoError(f, err)
	f.Add(uint8(wire.Kind_METHOD)-1, text.Bytes())
	f.Fuzz(func(t *testing.T, kind uint8, text []byte) {
		s := &script{}
		for r := bytes.NewReader(text); ; {
			frame := &wire.Frame{}
			if protodelim.UnmarshalFrom(r, frame) != nil {
				break
			}
			s.replies = append(s.replies, frame)
		}
		done := make(chan error, 1)
		go func() { done <- use(t, wire.Kind(kind%6+1), s) }()
		select {
		case err := <-done:
			if err != nil {
				assert.NotEmpty(t, err.Error())
				assert.NotErrorIs(t, err, context.Canceled)
			}
		case <-time.After(2 * time.Minute):
			t.Fatal("the call hangs")
		}
	})
}

// TestComputed: what a plugin says of the time of its own code is taken where it can be true.
func TestComputed(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0.25": 250 * time.Millisecond, "0": 0, "": -1, "-1": -1, "NaN": -1, "Inf": -1, "1e300": -1, "soon": -1,
	} {
		c := &call{Stream: &script{trailer: metadata.Pairs(transfer.ComputedTrailer, text)}}
		assert.Equal(t, want, c.computed(), text)
	}
	assert.Negative(t, (&call{Stream: &script{}}).computed(), "it says nothing")
}

// TestBadReports: what a plugin says of a fit, or of a loss, is checked as what a method in this
// program says.
func TestBadReports(t *testing.T) {
	long := strings.Repeat("a", 8193)
	for says, report := range map[string]*wire.Report{
		"compile_seconds is NaN":                {CompileSeconds: math.NaN()},
		"compile_seconds is +Inf":               {CompileSeconds: math.Inf(1)},
		"compile_seconds is -1":                 {CompileSeconds: -1},
		"untrained has 8193 bytes":              {Untrained: long},
		"warning 1 has 8193 bytes":              {Warnings: []string{long}},
		"there are 1001 warnings":               {Warnings: make([]string, 1001)},
		"is epoch 0, after epoch 0":             {History: []*wire.Epoch{{}}},
		"entry 2 of the history is epoch 2, af": {History: []*wire.Epoch{{Number: 2}, {Number: 2}}},
	} {
		for _, kind := range []wire.Kind{wire.Kind_METHOD, wire.Kind_EMBEDDER, wire.Kind_OPERATOR, wire.Kind_ORACLE} {
			reply := &wire.Fitted{Dim: 2, Report: report}
			s := &script{replies: []*wire.Frame{{Content: &wire.Frame_Fitted{Fitted: reply}}}}
			err := use(t, kind, s)
			assert.ErrorIs(t, err, core.ErrContract, "%s: %s", kind, says)
			assert.ErrorContains(t, err, "plugin far: ")
			assert.ErrorContains(t, err, says)
		}
	}
	frames := replies(t)[wire.Kind_LOSS]
	frames[0].GetLoss().Warnings = []string{long}
	err := use(t, wire.Kind_LOSS, &script{replies: frames})
	assert.ErrorIs(t, err, core.ErrContract)
	assert.ErrorContains(t, err, "plugin far: contract broken: warning 1 has 8193 bytes")
}

// TestNamesOfPhases from a plugin are short.
func TestNamesOfPhases(t *testing.T) {
	p := &phases{Progress: core.NoProgress}
	long := &wire.Phase{Name: strings.Repeat("a", 1<<20)}
	require.NoError(t, tell(p, &wire.Frame{Content: &wire.Frame_Phase{Phase: long}}))
	assert.Equal(t, strings.Repeat("a", 256), p.name)
}

type phases struct {
	core.Progress
	name string
}

func (p *phases) Phase(name string, _ int) { p.name = name }
