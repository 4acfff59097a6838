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
	described := describe.Thing(kind, d)
	described.Loads = true
	thing, err := Stub(described, func(context.Context) (Session, error) { return s, nil })
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
		Train: x, Validation: x, Lag: 1, States: 3, Progress: core.NoProgress, OracleEmbedding: encoder{},
		Checkpoints: checkpoints,
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
	}
}

// TestStates: what is kept of a fit is sent with it, what comes is kept as it is, and what was not
// asked for is refused.
func TestStates(t *testing.T) {
	s := &script{replies: replies(t)[wire.Kind_METHOD]}
	x := snapshots(t)
	k := kept{map[string]*core.State{}, map[string]*core.State{"training": someState()}}
	training := &core.Training{Train: x, Validation: x, Lag: 1, States: 3, Progress: core.NoProgress,
		OracleEmbedding: encoder{}, Checkpoints: k}
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
	assert.Equal(t, 12, tried)
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
		training := &core.Training{Train: x, Validation: x, Lag: 1, States: 3, Progress: core.NoProgress, Checkpoints: k}
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
	_, err := Stub(&wire.Thing{Name: "far", Summary: "Far", Kind: 99}, nil)
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
		d := core.Description{Name: "far", Summary: "Far"}
		thing, err := Stub(describe.Thing(wire.Kind_LOSS, d), func(context.Context) (Session, error) { return h, nil })
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
		Train: x, Validation: x, Lag: 1, States: 2, Name: "far", Progress: canceller{core.NoProgress, cancel},
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
		Train: x, Validation: x, Lag: 1, States: 2, Name: "large", Progress: p,
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
		f.Add(uint8(kind), text.Bytes())
		f.Add(uint8(kind), text.Bytes()[:text.Len()/2])
	}
	failure := &wire.Frame{Content: &wire.Frame_Failure{Failure: &wire.Failure{Kind: wire.Failure_CANCELLED}}}
	var text bytes.Buffer
	_, err := protodelim.MarshalTo(&text, failure)
	require.NoError(f, err)
	f.Add(uint8(wire.Kind_METHOD), text.Bytes())
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
		go func() { done <- use(t, wire.Kind(kind%5+1), s) }()
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
