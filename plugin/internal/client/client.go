package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/describe"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Session is a running plugin. It may be used by several goroutines at a time.
type Session interface {
	// Name is the plugin's name in messages, "" for what is no plugin to the user.
	Name() string
	Plugin() wire.PluginClient
	// Called is told of a call that gave a result: how long it took without what this program computed
	// meanwhile to answer the plugin, and how long the plugin says that its own code took, or a
	// negative time where it does not say.
	Called(took, computed time.Duration)
	// Failed turns an error of the connection during a call into what is to be said of it.
	Failed(ctx context.Context, err error) error
}

// Sessions returns the running plugin for calls under ctx.
type Sessions func(ctx context.Context) (Session, error)

// Stub returns the stand-in for a thing that a plugin serves, which is of the same kind, with a
// guard around it ([core.Guard]). trajectories says that the plugin knows several of them. The
// error is [core.ErrDescription].
func Stub(t *wire.Thing, trajectories bool, sessions Sessions) (any, error) {
	d := describe.Description(t)
	if err := d.Validate(); err != nil {
		return nil, err
	}
	if t.GetKind() == wire.Kind_TASK && d.Exposure != core.Unexposed {
		return nil, fmt.Errorf("%w: the task %q declares the exposure %q; a task has none", core.ErrDescription,
			d.Name, d.Exposure)
	}
	r := remote{sessions, t.GetKind(), d, t.GetLoads(), trajectories}
	stub := stubs[describe.CoreKind(r.kind)]
	if stub == nil {
		return nil, fmt.Errorf("%w: %q is of the unknown kind %s", core.ErrDescription, d.Name, t.GetKind())
	}
	return core.Guard(stub(r)), nil
}

// stubs make the stand-ins of each kind.
var stubs = map[core.Kind]func(remote) any{
	core.KindMethod:   func(r remote) any { return method{r} },
	core.KindEmbedder: func(r remote) any { return embedder{r} },
	core.KindOperator: func(r remote) any { return operator{r} },
	core.KindLoss:     func(r remote) any { return loss{r} },
	core.KindOracle:   func(r remote) any { return oracle{r} },
	core.KindTask:     func(r remote) any { return task{r} },
}

// remote is a thing in a plugin.
type remote struct {
	sessions    Sessions
	kind        wire.Kind
	description core.Description
	loads       bool // what it has fitted and saved

	trajectories bool // it learns from several of them
}

func (r remote) Describe() core.Description { return r.description }

// call is a call in progress.
type call struct {
	transfer.Stream
	ctx     context.Context
	session Session
	begun   time.Time
	asked   time.Duration           // that the oracle took to answer
	oracle  core.Embedding          // that answers the plugin, nil if it may not ask
	update  func(*wire.Frame) error // is told of progress; nil for no one
	asks    []int                   // the shape of the snapshots that it may ask about, nil if that is not known
	kept    core.Checkpoints        // nil if the plugin is to send none
	stored  map[string]bool         // the names of the checkpoints that it has sent
}

// begin makes a call with its first frame and arrays.
func begin(
	ctx context.Context, session Session, open func(context.Context, wire.PluginClient) (transfer.Stream, error),
	first *wire.Frame, arrays ...transfer.Array,
) (*call, error) {
	if err := transfer.CheckSize(arrays...); err != nil {
		return nil, err
	}
	begun := time.Now()
	s, err := open(ctx, session.Plugin())
	if err != nil {
		return nil, session.Failed(ctx, err)
	}
	c := &call{Stream: s, ctx: ctx, session: session, begun: begun}
	// io.EOF: the plugin has ended the stream, and what it said comes with the next frame.
	if err := transfer.Send(s, first, arrays...); err != nil && !errors.Is(err, io.EOF) {
		return nil, c.failed(err)
	}
	return c, nil
}

func (c *call) failed(err error) error {
	switch {
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	case errors.Is(err, core.ErrContract):
		return err
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the plugin ended the call without a result", core.ErrContract)
	}
	switch status.Code(err) {
	case codes.Canceled, codes.DeadlineExceeded:
		if c.soonOver() {
			return c.ctx.Err()
		}
		return c.session.Failed(c.ctx, err)
	case codes.Unavailable, codes.Aborted:
		return c.session.Failed(c.ctx, err)
	case codes.ResourceExhausted:
		return fmt.Errorf("%w: the plugin sent a message that is too large: %w; "+
			"arrays go in chunks of at most %d bytes, and a report has at most %d epochs and %d warnings",
			core.ErrContract, err, transfer.MaxChunk, core.MaxHistory, core.MaxWarnings)
	}
	return fmt.Errorf("%w: the plugin answered with a gRPC error where a Failure belongs: %w", core.ErrContract, err)
}

// soonOver reports whether the call's context is over, or just about to be: the plugin's clock may be a little ahead.
func (c *call) soonOver() bool {
	const ahead = time.Second
	if deadline, ok := c.ctx.Deadline(); ok && time.Until(deadline) < ahead {
		<-c.ctx.Done()
	}
	return c.ctx.Err() != nil
}

// result returns the frame that is neither progress nor a question.
func (c *call) result() (*wire.Frame, error) {
	for {
		frame, err := c.Recv()
		if err != nil {
			return nil, c.failed(err)
		}
		switch content := frame.GetContent().(type) {
		case *wire.Frame_Phase, *wire.Frame_Advance, *wire.Frame_Epoch:
			if c.update != nil {
				if err := c.update(frame); err != nil {
					return nil, err
				}
			}
		case *wire.Frame_Embed:
			if err := c.embed(content.Embed); err != nil {
				return nil, err
			}
		case *wire.Frame_Checkpoint:
			if err := c.checkpoint(content.Checkpoint); err != nil {
				return nil, err
			}
		case *wire.Frame_Failure:
			switch cancelled := content.Failure.GetKind() == wire.Failure_CANCELLED; {
			case c.ctx.Err() != nil, cancelled && c.soonOver():
				return nil, c.ctx.Err()
			case cancelled: // not by this program
				return nil, fmt.Errorf("something in the plugin was cancelled, or took too long: %s", content.Failure.GetMessage())
			}
			return nil, transfer.Error(content.Failure)
		default:
			return frame, nil
		}
	}
}

// embed answers a question for features of the oracle's encoder.
func (c *call) embed(question *wire.Embed) error {
	if c.oracle == nil {
		return fmt.Errorf("%w: the plugin asked for the oracle's features without declaring the exposure %q",
			core.ErrContract, core.OracleExposed)
	}
	arrays, err := c.receive(question.GetArrays(), func(h *wire.Array) error { return expectShape(h, c.asks) },
		"snapshots")
	if err != nil {
		return err
	}
	x, err := arrays[0].Snapshots()
	if err != nil {
		return err
	}
	answer := &wire.Features{}
	var features []transfer.Array
	begun := time.Now()
	z, err := c.oracle.Embed(c.ctx, x)
	c.asked += time.Since(begun)
	if err != nil {
		answer.Failure = transfer.Failure(err)
	} else {
		features = []transfer.Array{transfer.Matrix("features", z)}
		if err := transfer.CheckSize(features...); err != nil {
			return err
		}
		answer.Arrays = transfer.Headers(features)
	}
	if err := transfer.Send(c, &wire.Frame{Content: &wire.Frame_Features{Features: answer}}, features...); err != nil &&
		!errors.Is(err, io.EOF) {
		return c.failed(err)
	}
	return nil
}

// receive receives the arrays that a frame has announced, if each is what expect says.
func (c *call) receive(headers []*wire.Array, expect func(*wire.Array) error,
	names ...string) ([]transfer.Received, error) {
	if err := transfer.CheckAnnounced(headers, names...); err != nil {
		return nil, err
	}
	for _, h := range headers {
		if err := expect(h); err != nil {
			return nil, err
		}
	}
	arrays, err := transfer.Receive(c, headers, names...)
	if err != nil {
		return nil, c.failed(err)
	}
	return arrays, nil
}

// finish waits for the end of the stream, so that nothing of the call is left.
func (c *call) finish() error {
	closer, ok := c.Stream.(interface{ CloseSend() error })
	if !ok {
		return nil
	}
	if err := closer.CloseSend(); err != nil {
		return c.failed(err)
	}
	frame, err := c.Recv()
	switch {
	case errors.Is(err, io.EOF):
		c.session.Called(time.Since(c.begun)-c.asked, c.computed())
		return nil
	case err != nil:
		return c.failed(err)
	}
	return fmt.Errorf("%w: %s came after the result", core.ErrContract, transfer.Kind(frame))
}

// computed is the time that the plugin says its own code took in the call, which has ended;
// negative where it does not say.
func (c *call) computed() time.Duration {
	ended, ok := c.Stream.(interface{ Trailer() metadata.MD })
	if !ok {
		return -1
	}
	values := ended.Trailer().Get(transfer.ComputedTrailer)
	if len(values) == 0 {
		return -1
	}
	seconds, err := strconv.ParseFloat(values[0], 64)
	if err != nil || !(seconds >= 0) || seconds > math.MaxInt32 {
		return -1
	}
	return time.Duration(seconds * float64(time.Second))
}

// fitted is something that was fitted in a plugin.
type fitted struct {
	session     Session
	handle      uint64
	kind        wire.Kind
	dim, rank   int
	abilities   []string
	reports     bool
	report      core.Report
	eigenvalues []complex128
	oracle      core.Embedding

	// What came with the fit, by which results are checked.
	shape      []int // of a snapshot
	states     int
	features   int // of an evolution operator
	observable int // columns, 0 without one
}

func (f *fitted) Report() core.Report { return f.report }

func (f *fitted) Eigenvalues() []complex128 { return slices.Clone(f.eigenvalues) }

// Has implements [core.Declarer].
func (f *fitted) Has(a core.Ability) bool {
	if a == core.AbilityReporter {
		return f.reports
	}
	name := describe.AbilityName(a)
	return name != "" && slices.Contains(f.abilities, name)
}

// host is what a plugin may ask of this program while it fits; nil for what it may not.
type host struct {
	progress    core.Progress
	encoder     core.Embedding
	checkpoints core.Checkpoints
	shape       []int // of a snapshot, nil if it is not known
	eigenvalues int   // the most that there can be, 0 for [maxEigenvalues]
}

// fit makes a fit. The arrays are those of the call, and then those of its checkpoints.
func (r remote) fit(ctx context.Context, first *wire.FitCall, arrays []transfer.Array, h host) (*fitted, error) {
	first.Kind, first.Name = r.kind, r.description.Name
	return r.obtain(ctx, &wire.Frame{Content: &wire.Frame_Fit{Fit: first}}, arrays, h)
}

// obtain makes the call of that first frame, of which something fitted comes.
func (r remote) obtain(ctx context.Context, first *wire.Frame, arrays []transfer.Array, h host) (_ *fitted, err error) {
	session, err := r.sessions(ctx)
	if err != nil {
		return nil, err
	}
	defer named(session.Name(), &err)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := begin(ctx, session, openFit, first, arrays...)
	if err != nil {
		return nil, err
	}
	c.oracle, c.kept, c.asks = h.encoder, h.checkpoints, h.shape
	if h.progress != nil {
		c.update = func(f *wire.Frame) error { return tell(h.progress, f) }
	}
	reply, err := c.fitted()
	if err != nil {
		return nil, err
	}
	report, err := describe.CoreReport(reply.GetReport())
	if err != nil {
		return nil, err
	}
	f := &fitted{
		session: session, handle: reply.GetHandle(), kind: r.kind, abilities: reply.GetAbilities(),
		reports: reply.GetReport() != nil, report: report, oracle: h.encoder,
	}
	if err := errors.Join(f.readSizes(reply), f.report.Validate()); err != nil {
		return nil, err
	}
	if f.Has(core.AbilitySpectral) {
		if err := f.readEigenvalues(c, reply, h.eigenvalues); err != nil {
			return nil, err
		}
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	runtime.AddCleanup(f, release, released{session.Plugin(), f.handle})
	if err := ctx.Err(); err != nil { // the plugin may have forgotten it already
		return nil, err
	}
	return f, nil
}

// fitted returns the end of a fit.
func (c *call) fitted() (*wire.Fitted, error) {
	frame, err := c.result()
	if err != nil {
		return nil, err
	}
	reply := frame.GetFitted()
	if reply == nil {
		return nil, fmt.Errorf("%w: %s came where the end of a fit belongs", core.ErrContract, transfer.Kind(frame))
	}
	return reply, nil
}

// released is what no one refers to any more.
type released struct {
	plugin wire.PluginClient
	handle uint64
}

// release makes the plugin forget something fitted. That it cannot be reached is the same.
func release(r released) {
	go func() { _, _ = r.plugin.Release(context.Background(), &wire.ReleaseRequest{Handle: r.handle}) }()
}

// most is the largest number of features or rank that a plugin may tell.
const most = 1 << 24

func (f *fitted) readSizes(reply *wire.Fitted) error {
	needsDim := f.kind == wire.Kind_EMBEDDER || f.Has(core.AbilityEncoder)
	if reply.GetDim() > most || reply.GetRank() > most || (needsDim && reply.GetDim() == 0) {
		return fmt.Errorf(
			"%w: the fit gave something of %d features and rank %d; features are 1 to %d and the rank is at most that",
			core.ErrContract, reply.GetDim(), reply.GetRank(), most)
	}
	f.dim, f.rank = int(reply.GetDim()), int(reply.GetRank())
	return nil
}

// maxEigenvalues is the most that a plugin may tell: the operator that has more would not fit into
// memory.
const maxEigenvalues = 1 << 16

func (f *fitted) readEigenvalues(c *call, reply *wire.Fitted, atMost int) error {
	if atMost == 0 {
		atMost = maxEigenvalues
	}
	arrays, err := c.receive(reply.GetArrays(), func(h *wire.Array) error { return expectFew(h, atMost) }, "eigenvalues")
	if err != nil {
		return err
	}
	if f.eigenvalues, err = arrays[0].Complexes(); err != nil {
		return err
	}
	return checkComplexes("eigenvalues", f.eigenvalues)
}

func openFit(ctx context.Context, p wire.PluginClient) (transfer.Stream, error) { return p.Fit(ctx) }

func openApply(ctx context.Context, p wire.PluginClient) (transfer.Stream, error) {
	return p.Apply(ctx)
}

func openOpen(ctx context.Context, p wire.PluginClient) (transfer.Stream, error) { return p.Open(ctx) }

func openEvaluate(ctx context.Context, p wire.PluginClient) (transfer.Stream, error) {
	return p.Evaluate(ctx)
}

// tell passes progress on. The error is [core.ErrContract] for a number that is too large.
func tell(p core.Progress, f *wire.Frame) error {
	switch content := f.GetContent().(type) {
	case *wire.Frame_Phase:
		name := transfer.Text(content.Phase.GetName(), transfer.MaxName)
		total, err := describe.CoreCount(fmt.Sprintf("total of the phase %q", name), content.Phase.GetTotal())
		if err != nil {
			return err
		}
		p.Phase(name, total)
	case *wire.Frame_Advance:
		done, err := describe.CoreCount("progress", content.Advance.GetDone())
		if err != nil {
			return err
		}
		p.Advance(done)
	case *wire.Frame_Epoch:
		epoch, err := describe.CoreEpoch(content.Epoch)
		if err != nil {
			return err
		}
		p.Epoch(epoch)
	}
	return nil
}

// apply applies what was fitted to an array, and returns the array of that name that comes back, if
// its announcement is what expect says.
func (f *fitted) apply(ctx context.Context, operation wire.Operation, steps int, on transfer.Array,
	result string, expect func(*wire.Array) error) (_ *transfer.Received, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first := &wire.ApplyCall{Handle: f.handle, Operation: operation, Steps: uint64(max(steps, 0)),
		Arrays: transfer.Headers([]transfer.Array{on})}
	c, reply, err := f.begin(ctx, first, on)
	if err != nil {
		return nil, err
	}
	arrays, err := c.receive(reply.GetArrays(), expect, result)
	if err != nil {
		return nil, err
	}
	runtime.KeepAlive(f)
	return &arrays[0], c.finish()
}

// begin begins an application, and returns the frame of its result.
func (f *fitted) begin(ctx context.Context, first *wire.ApplyCall, on ...transfer.Array) (*call, *wire.Result, error) {
	c, err := begin(ctx, f.session, openApply, &wire.Frame{Content: &wire.Frame_Apply{Apply: first}}, on...)
	if err != nil {
		return nil, nil, err
	}
	c.oracle, c.asks = f.oracle, f.shape
	frame, err := c.result()
	if err != nil {
		return nil, nil, err
	}
	if frame.GetResult() == nil {
		return nil, nil, fmt.Errorf("%w: %s came where a result belongs", core.ErrContract, transfer.Kind(frame))
	}
	return c, frame.GetResult(), nil
}
