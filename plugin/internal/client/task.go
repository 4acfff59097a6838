package client

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime"
	"slices"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/describe"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

type task struct{ remote }

var _ core.Task = task{}

// Open implements [core.Task].
func (t task) Open(ctx context.Context, o core.Options) (*core.Problem, error) {
	opened := &opened{task: t, options: o, values: context.WithoutCancel(ctx), turn: make(chan struct{}, 1)}
	if err := opened.open(ctx); err != nil {
		return nil, err
	}
	p := opened.problem
	return &p, nil
}

// opened is a task that was opened, and is again if the process that has the problem has ended.
type opened struct {
	task    task
	options core.Options
	values  context.Context // of the first opening: its scope says which process has the problem

	// What came with the first opening.
	problem core.Problem
	reply   *wire.Opened // without its handle
	bits    uint64       // hash of the arrays

	turn    chan struct{} // held while current is used
	current *held         // the problem in the plugin; nil if that has no score
}

// held is something that a process of the plugin keeps until nothing refers to it here.
type held struct {
	session Session
	handle  uint64
	ended   *atomic.Bool // the process has; of all that is held of one opening
}

func keep(session Session, handle uint64, ended *atomic.Bool) *held {
	k := &held{session, handle, ended}
	runtime.AddCleanup(k, release, released{session.Plugin(), handle})
	return k
}

// is returns whether there is such a thing, and its process has not ended.
func (k *held) is() bool { return k != nil && !k.ended.Load() }

// called notes what the error of a call says about the process.
func (k *held) called(err error) {
	if errors.Is(err, core.ErrCrashed) || errors.Is(err, core.ErrScopeClosed) {
		k.ended.Store(true)
	}
}

// again is the context of a call that makes something for later calls too: it ends with the call,
// and has the values of another.
type anew struct {
	context.Context
	values context.Context
}

func (a anew) Value(key any) any { return a.values.Value(key) }

// hashed is a stream whose chunks are hashed.
type hashed struct {
	transfer.Stream
	bits maphash.Hash
}

func (h *hashed) Recv() (*wire.Frame, error) {
	f, err := h.Stream.Recv()
	if err == nil {
		_, _ = h.bits.Write(f.GetChunk())
	}
	return f, err
}

var hashSeed = maphash.MakeSeed()

// open opens the task, for the first time or again.
func (o *opened) open(ctx context.Context) (err error) {
	session, err := o.task.sessions(anew{ctx, o.values})
	if err != nil {
		return err
	}
	defer named(session.Name(), &err)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first := &wire.OpenCall{Name: o.task.description.Name, Options: describe.Values(o.options)}
	c, err := begin(ctx, session, openOpen, &wire.Frame{Content: &wire.Frame_Open{Open: first}})
	if err != nil {
		return err
	}
	frame, err := c.result()
	if err != nil {
		return err
	}
	reply := frame.GetOpened()
	if reply == nil {
		return fmt.Errorf("%w: %s came where an opened task belongs", core.ErrContract, transfer.Kind(frame))
	}
	handle := reply.GetHandle()
	reply.Handle = 0
	receive := o.receive
	if o.reply != nil {
		receive = o.compare
	}
	if err := receive(c, reply); err != nil {
		return err
	}
	if err := c.finish(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // the plugin may have forgotten it already
		return err
	}
	if reply.GetMeasure() != nil {
		o.current = keep(session, handle, &atomic.Bool{})
	}
	return nil
}

// receive receives the problem of the first opening.
func (o *opened) receive(c *call, reply *wire.Opened) error {
	p, names, err := announced(reply)
	if err != nil {
		return err
	}
	plain, bits := c.Stream, &hashed{Stream: c.Stream}
	bits.bits.SetSeed(hashSeed)
	c.Stream = bits
	arrays, err := transfer.Receive(c, reply.GetArrays(), names...)
	c.Stream = plain
	if err != nil {
		return c.failed(err)
	}
	if err := fill(p, reply, arrays); err != nil {
		return err
	}
	if m := reply.GetMeasure(); m != nil {
		p.Score = score{o, core.Measure{
			Name: m.GetName(), Summary: m.GetSummary(), Unit: m.GetUnit(), LowerIsBetter: m.GetLowerIsBetter(),
			Least: m.GetLeast(), Most: m.GetMost(), Chance: m.GetChance(), RootMeanSquare: m.GetRootMeanSquare(),
		}}
	}
	if err := p.Validate(); err != nil {
		return err
	}
	o.problem, o.reply, o.bits = *p, reply, bits.bits.Sum64()
	return nil
}

// compare receives a problem that must be the same as before.
func (o *opened) compare(c *call, reply *wire.Opened) error {
	other := fmt.Errorf("%w: the task was opened again with the same options, and gave other data; equal options "+
		"must give equal bits, in another process too", core.ErrContract)
	if !proto.Equal(reply, o.reply) {
		return other
	}
	bits := &hashed{Stream: c.Stream}
	bits.bits.SetSeed(hashSeed)
	if err := transfer.Discard(bits, reply.GetArrays()); err != nil {
		return c.failed(err)
	}
	if bits.bits.Sum64() != o.bits {
		return other
	}
	return nil
}

// use runs something with the problem in the plugin, which is opened again if need be.
func (o *opened) use(ctx context.Context, run func(problem *held) error) error {
	return inTurn(ctx, o.turn, func() error {
		if !o.current.is() {
			if err := o.open(ctx); err != nil {
				return err
			}
		}
		err := run(o.current)
		o.current.called(err)
		return err
	})
}

// inTurn waits for a turn, and runs something in it.
func inTurn(ctx context.Context, turn chan struct{}, run func() error) error {
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
		return run()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// score is that of a problem.
type score struct {
	of      *opened
	measure core.Measure
}

var _ core.Score = score{}

func (s score) Measure() core.Measure { return s.measure }

// Fit implements [core.Score]. The plugin has the data already.
func (s score) Fit(ctx context.Context, t *core.Training) (core.Scorer, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	judge := &scorer{score: s, seed: t.Seed, name: t.Name, states: t.States, turn: make(chan struct{}, 1)}
	if err := judge.fit(ctx, t.Progress); err != nil {
		return nil, err
	}
	return judge, nil
}

// scorer is a score that was fitted, and is again if its process has ended.
type scorer struct {
	score
	seed   int64
	name   string
	states int

	turn   chan struct{} // held while fitted is used
	fitted *held
}

var _ core.Scorer = (*scorer)(nil)

// fit fits the score; progress may be nil.
func (j *scorer) fit(ctx context.Context, progress core.Progress) error {
	return j.of.use(ctx, func(problem *held) (err error) {
		defer named(problem.session.Name(), &err)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		first := &wire.FitScoreCall{Problem: problem.handle, Seed: j.seed, Name: j.name, States: uint64(j.states)}
		c, err := begin(ctx, problem.session, openFit, &wire.Frame{Content: &wire.Frame_FitScore{FitScore: first}})
		if err != nil {
			return err
		}
		if progress != nil {
			c.update = func(f *wire.Frame) error { return tell(progress, f) }
		}
		reply, err := c.fitted()
		if err != nil {
			return err
		}
		if err := c.finish(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil { // the plugin may have forgotten it already
			return err
		}
		j.fitted = keep(problem.session, reply.GetHandle(), problem.ended)
		return nil
	})
}

// Score implements [core.Scorer].
func (j *scorer) Score(ctx context.Context, step int, predicted core.Snapshots) ([]float64, error) {
	scores, err := j.try(ctx, step, predicted)
	if errors.Is(err, core.ErrScopeClosed) { // the process had ended before the call
		return j.try(ctx, step, predicted)
	}
	return scores, err
}

// try asks the plugin once.
func (j *scorer) try(ctx context.Context, step int, predicted core.Snapshots) ([]float64, error) {
	var fitted *held
	err := inTurn(ctx, j.turn, func() (err error) {
		if !j.fitted.is() {
			err = j.fit(ctx, nil)
		}
		fitted = j.fitted
		return err
	})
	if err != nil {
		return nil, err
	}
	scores, err := j.ask(ctx, fitted, step, predicted)
	fitted.called(err)
	return scores, err
}

// ask asks the plugin for scores.
func (j *scorer) ask(ctx context.Context, fitted *held, step int, predicted core.Snapshots) (_ []float64, err error) {
	defer named(fitted.session.Name(), &err)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	arrays := []transfer.Array{transfer.Snapshots("snapshots", predicted)}
	first := &wire.ScoreCall{Handle: fitted.handle, Step: uint64(step), Arrays: transfer.Headers(arrays)}
	c, err := begin(ctx, fitted.session, openApply, &wire.Frame{Content: &wire.Frame_Score{Score: first}}, arrays...)
	if err != nil {
		return nil, err
	}
	frame, err := c.result()
	if err != nil {
		return nil, err
	}
	if frame.GetResult() == nil {
		return nil, fmt.Errorf("%w: %s came where scores belong", core.ErrContract, transfer.Kind(frame))
	}
	n := j.of.problem.StartCount()
	expect := func(h *wire.Array) error { return expectScores(h, n) }
	received, err := c.receive(frame.GetResult().GetArrays(), expect, "scores")
	if err != nil {
		return nil, err
	}
	scores, err := received[0].Doubles()
	if err != nil {
		return nil, err
	}
	if err := core.CheckScores(j.measure, scores, n); err != nil {
		return nil, err
	}
	runtime.KeepAlive(fitted)
	return scores, c.finish()
}

// maxTrajectories is the most of a part that a plugin may tell.
const maxTrajectories = 1 << 20

// announced returns what a plugin says of a problem before its arrays come, and the names that
// these must have.
func announced(reply *wire.Opened) (*core.Problem, []string, error) {
	p := &core.Problem{
		Source: reply.GetSource(), Picture: core.Picture(reply.GetPicture()), ValidUpTo: reply.GetValidUpTo(),
		Clock: core.Clock{Interval: reply.GetInterval(), Unit: reply.GetTimeUnit()},
	}
	var err error
	for _, n := range []struct {
		what string
		sent uint64
		to   *int
	}{
		{"lag", reply.GetLag(), &p.Lag}, {"number of steps", reply.GetSteps(), &p.Steps}, {"rank", reply.GetRank(), &p.Rank},
	} {
		if *n.to, err = describe.CoreCount(n.what, n.sent); err != nil {
			return nil, nil, err
		}
	}
	if p.Steps > core.MaxSteps {
		return nil, nil, fmt.Errorf("%w: a roll-out of %d steps; the most is %d", core.ErrContract, p.Steps, core.MaxSteps)
	}
	headers, names := reply.GetArrays(), []string{"train", "validation", "test"}
	if len(headers) > 3 && headers[3].GetName() == "starts" {
		names = append(names, "starts")
	}
	if reply.GetStates() > 0 {
		names = append(names, "train_states", "validation_states", "test_states", "expected_states")
		p.States = &core.States{Word: reply.GetWord()}
		if p.States.Count, err = describe.CoreCount("number of states", reply.GetStates()); err != nil {
			return nil, nil, err
		}
	}
	if announces(headers, "eigenvalues") {
		names = append(names, "eigenvalues")
		p.Truth = &core.Truth{}
		if p.Truth.Leading, err = describe.CoreCount("number of leading eigenvalues", reply.GetLeading()); err != nil {
			return nil, nil, err
		}
		if announces(headers, "eigenfunctions") {
			names = append(names, "eigenfunctions")
		}
		if announces(headers, "density") {
			names = append(names, "density")
		}
	}
	if err := transfer.CheckAnnounced(headers, names...); err != nil {
		return nil, nil, err
	}
	return p, names, expectProblem(reply)
}

// announces reports whether there is an array of that name.
func announces(headers []*wire.Array, name string) bool {
	return slices.ContainsFunc(headers, func(h *wire.Array) bool { return h.GetName() == name })
}

// expectProblem checks the shapes of the arrays of a problem, which have the names that they must
// have.
func expectProblem(reply *wire.Opened) error {
	lengths := map[string]uint64{}
	for name, of := range map[string][]uint64{
		"train": reply.GetTrainLengths(), "validation": reply.GetValidationLengths(), "test": reply.GetTestLengths(),
	} {
		if len(of) > maxTrajectories {
			return fmt.Errorf("%w: the array %q has %d trajectories; the most is %d", core.ErrContract, name, len(of),
				maxTrajectories)
		}
		for _, n := range of {
			if n > transfer.MaxArray { // so that sums do not overflow
				return fmt.Errorf("%w: a trajectory of the array %q has %d snapshots", core.ErrContract, name, n)
			}
			lengths[name] += n
		}
	}
	for _, h := range reply.GetArrays()[:3] {
		switch s, n := h.GetShape(), lengths[h.GetName()]; {
		case len(s) < 2:
			return fmt.Errorf("%w: %w: the array %q has the shape %v; snapshots have at least 2 axes", core.ErrContract,
				core.ErrShape, h.GetName(), s)
		case n == 0: // one trajectory
			lengths[h.GetName()] = s[0]
		case n != s[0]:
			return fmt.Errorf("%w: %w: the array %q has the shape %v, and its trajectories have %d snapshots together",
				core.ErrContract, core.ErrShape, h.GetName(), s, n)
		}
	}
	starts := lengths["test"]
	if h := reply.GetArrays(); len(h) > 3 && h[3].GetName() == "starts" && len(h[3].GetShape()) == 1 {
		starts = h[3].GetShape()[0]
	}
	for _, h := range reply.GetArrays() {
		var err error
		switch h.GetName() {
		case "starts":
			err = expectExactly(h, starts)
		case "train_states":
			err = expectExactly(h, lengths["train"])
		case "validation_states":
			err = expectExactly(h, lengths["validation"])
		case "test_states":
			err = expectExactly(h, lengths["test"])
		case "expected_states":
			err = expectExactly(h, reply.GetSteps(), starts)
		case "eigenvalues":
			err = expectFew(h, maxEigenvalues)
		case "eigenfunctions":
			err = expectFunctions(h, lengths["test"])
		case "density":
			err = expectExactly(h, lengths["test"])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fill puts the arrays of a problem in their places.
func fill(p *core.Problem, reply *wire.Opened, arrays []transfer.Received) error {
	of := map[string]*transfer.Received{}
	for i := range arrays {
		of[arrays[i].Name] = &arrays[i]
	}
	var err error
	for _, part := range []struct {
		name    string
		lengths []uint64
		to      *core.Trajectories
	}{
		{"train", reply.GetTrainLengths(), &p.Train}, {"validation", reply.GetValidationLengths(), &p.Validation},
		{"test", reply.GetTestLengths(), &p.Test},
	} {
		if *part.to, err = trajectories(of[part.name], part.lengths); err != nil {
			return err
		}
	}
	labels := map[string]*[]int{"starts": &p.Starts}
	if s := p.States; s != nil {
		labels["train_states"], labels["validation_states"], labels["test_states"] = &s.Train, &s.Validation, &s.Test
		if s.Expected, err = of["expected_states"].WholeRows(); err != nil {
			return err
		}
	}
	for name, to := range labels {
		if a := of[name]; a != nil {
			if *to, err = a.Labels(); err != nil {
				return err
			}
		}
	}
	if p.Truth == nil {
		return nil
	}
	if p.Truth.Eigenvalues, err = of["eigenvalues"].Complexes(); err != nil {
		return err
	}
	if a := of["density"]; a != nil {
		if p.Truth.Density, err = a.Doubles(); err != nil {
			return err
		}
	}
	if of["eigenfunctions"] == nil {
		return nil
	}
	functions, err := of["eigenfunctions"].ComplexMatrix()
	if err != nil {
		return err
	}
	if raw := functions.RawCMatrix(); raw.Cols > 0 {
		p.Truth.Eigenfunctions = slices.Collect(slices.Chunk(raw.Data, raw.Cols))
	}
	return nil
}

// trajectories cuts an array of snapshots into trajectories of those lengths; none stand for one
// trajectory.
func trajectories(a *transfer.Received, sent []uint64) (core.Trajectories, error) {
	x, err := a.Snapshots()
	if err != nil {
		return core.Trajectories{}, err
	}
	var lengths []int
	for _, n := range sent {
		lengths = append(lengths, int(n))
	}
	t, err := core.CutTrajectories(x, lengths)
	return t, broken(err)
}
