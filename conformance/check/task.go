package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/cmplx"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/koopbench/koopbench/core"
)

// Task runs all checks of a task. Nil options are the defaults.
func Task(ctx context.Context, t core.Task, o *Options) Report { return NewTask(t, o).RunAll(ctx) }

// NewTask returns a session that runs the checks of a task one by one. Nil options are the
// defaults. Options.Settings choose the problem that is checked; a small one is faster.
func NewTask(t core.Task, o *Options) *Session {
	return newSession(core.KindTask, t, o, taskChecks(), func(o Options) *posed { return newPosed(t, o) })
}

// posed is a task and the problem that it poses.
type posed struct {
	o    Options
	task core.Task

	mu      sync.Mutex
	problem *core.Problem
	scorer  core.Scorer
}

func newPosed(t core.Task, o Options) *posed { return &posed{o: o, task: t} }

const (
	openCheck     = "open"
	finiteCheck   = "finite"
	validCheck    = "valid"
	measureCheck  = "measure"
	repeatsCheck  = "repeatable"
	dataUnchanged = "unchanged"
	scoreFits     = "score-fit"
	scoreLength   = "score-length"
	scoreRepeats  = "score-repeatable"
)

const (
	badProblem = "change what Open gives, as the rules of a problem say"
	badOptions = "give an error of package core for options that do not fit the data"
)

func taskChecks() []check[*posed] {
	opened, valid, steady := []string{openCheck}, []string{validCheck}, []string{repeatsCheck, dataUnchanged}
	scored := []string{dataUnchanged, scoreLength}
	return []check[*posed]{
		{"exposure", "A task declares no exposure, which is about what methods see", "", nil,
			(*posed).checkExposure},
		{"option-types", "If the options data, split, lag and steps are declared, data and split are texts, and lag " +
			"and steps are whole numbers from 1 on", "", nil, (*posed).checkTypes},
		{openCheck, "Open gives a problem", "", nil, (*posed).checkOpen},
		{finiteCheck, "All snapshots and true eigenvalues are finite", "", opened, (*posed).checkFinite},
		{validCheck, "The problem follows the rules of core.Problem: there are data to train, validate and test on, of " +
			"one shape, with pairs at the lag; starts, states and steps fit them", "", []string{openCheck, finiteCheck},
			(*posed).checkValid},
		{"pairs", "Each trajectory to train or validate on has a pair of snapshots at the lag", "", valid,
			(*posed).checkTrajectories},
		{measureCheck, "The measure is the same at every call", "", valid, (*posed).checkMeasure},
		{repeatsCheck, "Opening twice with equal options, in another process too, gives equal bits of snapshots, starts, " +
			"states and eigenvalues", "", []string{validCheck, measureCheck}, (*posed).checkRepeatable},
		{dataUnchanged, "A problem stays as it is when its score is fitted and used, and when others are opened, and " +
			"scoring does not change predictions", "", []string{repeatsCheck}, (*posed).checkUnchanged},
		{"options", "Open takes every value of the declared options that is tried (switches, choices, texts, least " +
			"numbers, largest of a few), or returns an error of package core", "", steady, (*posed).checkOptions},
		{"option-values", "If the options lag, steps and split are declared, the problem has that lag, so many steps, " +
			"and so many snapshots to train, validate and test on", "", steady, (*posed).checkValues},
		{"data-seed", "Any two values of the option data_seed or seed give other data, even if they share their lower " +
			"or upper 32 bits or the modulus", "", steady, (*posed).checkSeeds},
		{"concurrent-opens", "Opening at the same time gives the same bits as one after the other", "", steady,
			(*posed).checkConcurrentOpens},
		{"cancelled", "Open returns the context's error soon after the context ends, before or during the call", "",
			valid, (*posed).checkCancelled},
		{"expected-states", "The states expected after a start are those of the test snapshots that follow it, as far " +
			"as its trajectory goes on", "", steady, (*posed).checkExpected},
		{"truth", "True eigenvalues are in descending order of modulus and, if there are finitely many states, within the " +
			"unit disc; true eigenfunctions go with them", "", valid, (*posed).checkTruth},
		{scoreFits, "The score can be fitted to the training and validation snapshots", "", steady,
			(*posed).checkScoreFit},
		{scoreLength, "Scoring gives a finite number within the bounds of the measure for each start", "",
			[]string{scoreFits}, (*posed).checkScoreLength},
		{"score-rows", "The score of a start depends on its own prediction alone: whatever is predicted for other starts " +
			"leaves it as it is", "", append(scored, scoreRepeats), (*posed).checkScoreRows},
		{scoreRepeats, "Scoring gives the same bits twice, by several goroutines, and after another fit", "", scored,
			(*posed).checkScoreRepeatable},
		{"score-direction", "The true future, one step after each start, scores on average at least as well as the mean " +
			"of the training snapshots, in the direction that the measure says is better", "", scored,
			(*posed).checkScoreDirection},
		sameOutputs(func(s *posed) (any, Options) { return s.task, s.o }, validCheck),
	}
}

// resolve returns the options of a problem: Options.Settings with some of them changed.
func (s *posed) resolve(changes ...setting) (core.Options, error) {
	values := maps.Clone(s.o.Settings)
	if values == nil {
		values = map[string]any{}
	}
	for _, c := range changes {
		values[c.name] = c.value
	}
	options, err := s.task.Describe().Resolve(values)
	if err != nil {
		return options, wrong("declare a range whose ends are valid", "%v", err)
	}
	return options, nil
}

// open opens a problem again.
func (s *posed) open(ctx context.Context, changes ...setting) (p *core.Problem, err error) {
	options, err := s.resolve(changes...)
	if err != nil {
		return nil, err
	}
	err = safely(func() (err error) {
		p, err = s.task.Open(ctx, options)
		return err
	})
	if err == nil && p == nil {
		return nil, wrong("return one of the two", "Open returned neither a problem nor an error")
	}
	return p, err
}

// opened returns the problem of Options.Settings, which is opened once.
func (s *posed) opened(ctx context.Context) (*core.Problem, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.problem != nil {
		return s.problem, nil
	}
	p, err := s.open(ctx)
	if errors.Is(err, core.ErrContract) { // the other side of a connection has validated it
		return nil, wrong(badProblem, "Open: %v", err)
	}
	if err != nil {
		return nil, failed("Open", err)
	}
	s.problem = p
	return p, nil
}

func (s *posed) checkExposure(context.Context, *notes) error {
	if d := s.task.Describe(); d.Exposure != core.Unexposed {
		return wrong("leave the exposure out of the description", "the task declares the exposure %q", d.Exposure)
	}
	return nil
}

func (s *posed) checkTypes(context.Context, *notes) error {
	for _, c := range []struct {
		name string
		text bool
		most float64
	}{{core.DataOption, true, 0}, {core.SplitOption, true, 0}, {core.LagOption, false, math.MaxFloat64},
		{core.StepsOption, false, core.MaxSteps}} {
		o, declared := s.task.Describe().Option(c.name)
		switch {
		case !declared:
		case c.text && o.Type() != "text":
			return wrong("declare it as a text, or give it another name", "the option %s is of the type %s; in every "+
				"task it is a text", c.name, o.Type())
		case !c.text && (o.Type() != "int" || o.Min < 1 || o.Max > c.most):
			return wrong("declare it as a whole number from 1 on, or give it another name",
				"the option %s takes %s (%s); in every task it is a whole number from 1 to at most %.10g", c.name,
				o.Range(), o.Type(), c.most)
		}
	}
	return nil
}

func (s *posed) checkOpen(ctx context.Context, _ *notes) error {
	_, err := s.opened(ctx)
	return err
}

func (s *posed) checkFinite(ctx context.Context, _ *notes) error {
	p, err := s.opened(ctx)
	if err != nil {
		return err
	}
	for _, part := range partsOf(p) {
		if err := part.x.CheckFinite(); err != nil {
			return wrong("leave such snapshots out, or give an error of package core", "the %s data: %v", part.name, err)
		}
	}
	for i, v := range eigenvaluesOf(p) {
		if cmplx.IsNaN(v) || cmplx.IsInf(v) {
			return wrong("leave out what is not known", "true eigenvalue %d is %v", i, v)
		}
	}
	return nil
}

// eigenvaluesOf are the true eigenvalues that are known.
func eigenvaluesOf(p *core.Problem) []complex128 {
	if p.Truth == nil {
		return nil
	}
	return p.Truth.Eigenvalues
}

func (s *posed) checkValid(ctx context.Context, n *notes) error {
	p, err := s.opened(ctx)
	if err != nil {
		return err
	}
	if err := p.Validate(); err != nil {
		return wrong(badProblem, "%v", err)
	}
	n.addf("%d, %d and %d snapshots of shape %v to train, validate and test on; %d starts of %d steps", p.Train.Len(),
		p.Validation.Len(), p.Test.Len(), p.Train.Shape(), p.StartCount(), p.Steps)
	if strings.TrimSpace(p.Source) == "" {
		n.addf("the problem does not say where its data come from: its source is empty")
	}
	return nil
}

func (s *posed) checkTrajectories(ctx context.Context, _ *notes) error {
	p, err := s.opened(ctx)
	if err != nil {
		return err
	}
	for _, part := range partsOf(p)[:2] {
		for i := range part.x.Count() {
			if n := part.x.At(i).Len(); n <= p.Lag {
				return wrong("leave out trajectories that are too short", "trajectory %d of the %s data has %d snapshots, "+
					"and thus no pair at a lag of %d", i, part.name, n, p.Lag)
			}
		}
	}
	return nil
}

func (s *posed) checkMeasure(ctx context.Context, n *notes) error {
	p, err := s.opened(ctx)
	if err != nil {
		return err
	}
	m := p.Measure()
	if again := p.Measure(); fmt.Sprint(m) != fmt.Sprint(again) { // NaN equals itself in a text
		return wrong("return a constant", "the measure is %+v, and then %+v", m, again)
	}
	direction := "higher"
	if m.LowerIsBetter {
		direction = "lower"
	}
	n.addf("the measure is %q, and %s is better", m.Name, direction)
	return nil
}

func (s *posed) checkRepeatable(ctx context.Context, _ *notes) error {
	p, err := s.opened(ctx)
	if err != nil {
		return err
	}
	const remedy = "seed everything that is drawn from the options, and depend neither on time, on earlier calls, nor " +
		"on the order of a hash table or a folder"
	again, err := s.open(ctx)
	if err != nil {
		return failed("another call of Open", err)
	}
	if d := differs(p, again); d != "" {
		return wrong(remedy, "of two calls of Open with equal options, %s", d)
	}
	other, scope := core.WithScope(ctx) // of which a plugin makes another process
	again, err = s.open(other)
	if err = errors.Join(err, scope.Close()); err != nil {
		return inCase("in another process", failed("Open", err))
	}
	if d := differs(p, again); d != "" {
		return wrong(remedy, "of calls of Open with equal options in two processes, %s", d)
	}
	return nil
}

func (s *posed) checkUnchanged(ctx context.Context, _ *notes) error {
	p, err := s.opened(ctx)
	if err != nil {
		return err
	}
	before := digestsOf(p)
	stays := func(after string) error {
		now := digestsOf(p)
		for _, name := range slices.Sorted(maps.Keys(now)) {
			if before[name] != now[name] {
				return wrong("return memory that nothing else writes to, and let the score work on copies",
					"after %s, the array %s of the first problem has changed", after, name)
			}
		}
		return nil
	}
	for _, change := range append(s.alternatives(), setting{}) {
		var changes []setting
		after := "another call of Open"
		if change.name != "" {
			changes, after = []setting{change}, fmt.Sprintf("Open with %s=%v", change.name, change.value)
		}
		if _, err := s.open(ctx, changes...); err != nil && !typed(err) {
			return inCase(after, failed("Open", err))
		}
		if err := stays(after); err != nil {
			return err
		}
	}
	if p.Score == nil {
		return nil
	}
	scorer, fits := s.fit(ctx, p)
	if err := stays("its score was fitted"); fits != nil || err != nil {
		return err // another check says if the fit fails
	}
	for _, step := range stepsOf(p) {
		predicted, values, err := floats(persistence(p))
		if err != nil {
			return err
		}
		want := slices.Clone(values)
		_ = safely(func() error { _, err := scorer.Score(ctx, step, predicted); return err }) // another check says so
		if !slices.Equal(want, values) {
			return wrong("work on a copy: predictions belong to the caller", "Score at step %d changed the predictions", step)
		}
	}
	return stays("its score was used")
}

// seedOptions are the names that an option has which seeds the data.
var seedOptions = []string{"data_seed", "seed"}

// alternatives are other values of options that change what a problem is.
func (s *posed) alternatives() []setting {
	d := s.task.Describe()
	var all []setting
	for _, name := range append(slices.Clone(seedOptions), core.StepsOption, core.LagOption) {
		o, declared := d.Option(name)
		current, whole := s.current(o).(int)
		if !declared || !whole {
			continue
		}
		for _, other := range []int{current + 1, current - 1} {
			if o.Check(other) == nil {
				all = append(all, setting{name, other})
				break
			}
		}
	}
	return all
}

// current is the value that an option has without a change.
func (s *posed) current(o core.Option) any {
	if given, there := s.o.Settings[o.Name]; there {
		return given
	}
	return o.Default
}

// variations are values of options that are tried: those of all kinds of things, and the largest
// number if it is not far from the least or an option has a meaning for every task.
func (s *posed) variations() []setting {
	const few = 100
	d := s.task.Describe()
	all := variations(d, s.o.Settings)
	for _, o := range d.Options {
		usual := slices.Contains(append(slices.Clone(seedOptions), core.StepsOption, core.LagOption), o.Name)
		if o.Max-o.Min > few && !usual {
			continue
		}
		most := setting{name: o.Name}
		switch o.Default.(type) {
		case int:
			most.value = wholeEnd(o.Max)
		case float64:
			most.value = o.Max
		default:
			continue
		}
		if most.value != s.current(o) && !slices.Contains(all, most) {
			all = append(all, most)
		}
	}
	return all
}

func (s *posed) checkOptions(ctx context.Context, n *notes) error {
	for _, o := range s.variations() {
		which := fmt.Sprintf("with %s=%v", o.name, o.value)
		p, err := s.open(ctx, o)
		ended := errors.Is(err, core.ErrPanic) || errors.Is(err, core.ErrCrashed)
		var found *problem
		switch {
		case err == nil:
			if err := p.Validate(); err != nil {
				return wrong(badOptions, "%s: %v", which, err)
			}
		case errors.Is(err, core.ErrContract):
			return wrong(badOptions, "%s: Open: %v", which, err)
		case ctx.Err() != nil || errors.As(err, &found):
			return inCase(which, failed("Open", err))
		case typed(err), o.name == core.DataOption && !ended: // the system may say that there is no such file
			n.addf("%s=%v is refused: %v", o.name, o.value, err)
		case ended:
			return inCase(which, failed("Open", err))
		default:
			return wrong("wrap the error of package core that says why the input cannot be used, by %w",
				"%s Open returned the error: %v", which, err)
		}
	}
	return nil
}

func (s *posed) checkValues(ctx context.Context, n *notes) error {
	p, err := s.opened(ctx)
	if err != nil {
		return err
	}
	d := s.task.Describe()
	if !slices.ContainsFunc(d.Options, func(o core.Option) bool {
		return slices.Contains([]string{core.LagOption, core.StepsOption, core.SplitOption}, o.Name)
	}) {
		return &skip{"the task declares none of the options lag, steps and split"}
	}
	if err := s.hasValues(p, n); err != nil {
		return err
	}
	for _, other := range s.alternatives() {
		if slices.Contains(seedOptions, other.name) {
			continue
		}
		p, err := s.open(ctx, other)
		if typed(err) {
			continue // there are too few data, for instance
		}
		if err != nil {
			return inCase(fmt.Sprintf("with %s=%v", other.name, other.value), failed("Open", err))
		}
		if err := s.hasValues(p, n, other); err != nil {
			return err
		}
	}
	return nil
}

// hasValues checks that a problem is what some options say.
func (s *posed) hasValues(p *core.Problem, n *notes, changes ...setting) error {
	options, err := s.resolve(changes...)
	if err != nil {
		return err
	}
	values := options.Map()
	for _, c := range []struct {
		name, has string
		got       int
	}{{core.LagOption, "a lag of %d", p.Lag}, {core.StepsOption, "%d steps", p.Steps}} {
		if want, declared := values[c.name].(int); declared && c.got != want {
			return wrong("take it from the option", "with %s=%d, the problem has "+c.has, c.name, want, c.got)
		}
	}
	text, declared := values[core.SplitOption].(string)
	if !declared {
		return nil
	}
	got := []int{p.Train.Len(), p.Validation.Len(), p.Test.Len()}
	if want := wholeNumbers(text); len(want) != len(got) && changes == nil {
		n.addf("the split of %q was not compared, since it is not three whole numbers", text)
	} else if len(want) == len(got) && !slices.Equal(got, want) {
		return wrong("take it from the option", "with split=%s, the problem has %d, %d and %d snapshots to train, validate "+
			"and test on", text, got[0], got[1], got[2])
	}
	return nil
}

// wholeNumbers reads whole numbers separated by commas, nil if there is something else.
func wholeNumbers(text string) []int {
	var numbers []int
	for part := range strings.SplitSeq(text, ",") {
		v, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return nil
		}
		numbers = append(numbers, v)
	}
	return numbers
}

func (s *posed) checkSeeds(ctx context.Context, _ *notes) error {
	d, tried := s.task.Describe(), false
	for _, name := range seedOptions {
		o, declared := d.Option(name)
		if _, whole := o.Default.(int); !declared || !whole {
			continue
		}
		data := map[string]int{} // the seed of data, by their digest
		for _, seed64 := range []int64{1, 2, 1 + 1<<32, -1} {
			seed := int(seed64)
			if int64(seed) != seed64 || o.Check(seed) != nil {
				continue
			}
			p, err := s.open(ctx, setting{name, seed})
			if err != nil {
				return inCase(fmt.Sprintf("with %s=%d", name, seed), failed("Open", err))
			}
			digests := digestsOf(p)
			key := digests["train"] + digests["validation"] + digests["test"]
			if other, twice := data[key]; twice {
				return wrong("seed what is drawn from that option, with all of its bits", "%s=%d and %s=%d give the same snapshots",
					name, other, name, seed)
			}
			data[key], tried = seed, true
		}
	}
	if !tried {
		return &skip{"the task declares neither of the options data_seed and seed as a whole number"}
	}
	return nil
}

func (s *posed) checkConcurrentOpens(ctx context.Context, _ *notes) error {
	p, err := s.opened(ctx)
	if err != nil {
		return err
	}
	problems, changes := []*core.Problem{p, p}, [][]setting{nil, nil}
	for _, other := range s.alternatives() {
		if q, err := s.open(ctx, other); err == nil {
			problems, changes = append(problems, q), append(changes, []setting{other})
			break
		}
	}
	got := make([]*core.Problem, len(problems))
	var calls []func() error
	for i := range problems {
		calls = append(calls, func() (err error) {
			got[i], err = s.open(ctx, changes[i]...)
			return err
		})
	}
	if err := together(calls...); err != nil {
		return failed("one of several calls of Open at the same time", err)
	}
	for i := range got {
		if d := differs(problems[i], got[i]); d != "" {
			return wrong("share nothing between calls that any of them changes, or guard it by a mutex",
				"Open alone and beside others: %s", d)
		}
	}
	return nil
}

func (s *posed) checkCancelled(ctx context.Context, _ *notes) error {
	for _, after := range []time.Duration{0, time.Millisecond} {
		i := interruption{name: "Open", grace: s.o.Grace, after: after, strict: after == 0,
			call: func(ctx context.Context, _ func()) error {
				_, err := s.open(ctx)
				return err
			}}
		if err := i.check(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *posed) checkExpected(ctx context.Context, n *notes) error {
	p, err := s.opened(ctx)
	if err != nil {
		return err
	}
	if p.States == nil {
		return &skip{"the problem has no states"}
	}
	compared := 0
	for k, expected := range p.States.Expected {
		for i, at := range futureOf(p, k+1) {
			if at < 0 {
				continue
			}
			compared++
			if want := p.States.Test[at]; expected[i] != want {
				return wrong("count steps from 1, each of one lag, within the trajectory of the start",
					"at step %d after start %d, which is the test snapshot %d, the state %d is expected; the snapshot then, "+
						"%d, has the state %d", k+1, i, startsOf(p)[i], expected[i], at, want)
			}
		}
	}
	if compared == 0 {
		return &skip{"no test trajectory goes on for a step after a start"}
	}
	n.addf("%d states were compared", compared)
	return nil
}

func (s *posed) checkTruth(ctx context.Context, n *notes) error {
	p, err := s.opened(ctx)
	if err != nil {
		return err
	}
	if len(eigenvaluesOf(p)) == 0 {
		return &skip{"nothing is known of the true evolution operator"}
	}
	const rounding = 1e-9
	last := math.Inf(1)
	for i, v := range p.Truth.Eigenvalues {
		modulus := cmplx.Abs(v)
		switch {
		case modulus > last*(1+rounding):
			return wrong("sort by modulus, the largest first", "true eigenvalue %d, of modulus %v, comes after one of "+
				"modulus %v", i, modulus, last)
		case modulus > 1+rounding && p.States != nil:
			return wrong("give the eigenvalues of the operator at the lag of the problem, exp(λτ) if λ are those of a "+
				"generator", "true eigenvalue %d has the modulus %v; expectations of what is bounded stay within its bounds, "+
				"so that no function of finitely many states grows", i, modulus)
		case modulus > 1+rounding:
			n.addf("true eigenvalue %d has the modulus %v: its eigenfunction has no bound, and its mean square under an "+
				"invariant law, if there is one, is infinite", i, modulus)
		}
		last = modulus
	}
	for j, f := range p.Truth.Eigenfunctions {
		if err := checkTrueFunction(p, j, f, n); err != nil {
			return err
		}
	}
	return nil
}

// checkTrueFunction checks that the values of an eigenfunction a lag later go with its eigenvalue: λ is the
// coefficient of their regression on those before, except for the noise of a sample.
func checkTrueFunction(p *core.Problem, j int, f []complex128, n *notes) error {
	pairs := p.Test.PairStarts(p.Lag)
	var both, square complex128
	for k := range pairs.Len() {
		at := pairs.At(k)
		both += cmplx.Conj(f[at]) * f[at+p.Lag]
		square += cmplx.Conj(f[at]) * f[at]
	}
	if pairs.Len() == 0 {
		return nil
	}
	if square == 0 {
		return wrong("give values of an eigenfunction, which is not zero", "true eigenfunction %d is 0 at the test snapshots",
			j)
	}
	want, got := p.Truth.Eigenvalues[j], both/square
	if most := 0.1 + 4/math.Sqrt(float64(pairs.Len())); cmplx.Abs(got-want) > most {
		return wrong("give eigenfunctions in the order of the eigenvalues, those of E[f(x_lag) | x_0] = λ f(x_0)",
			"true eigenfunction %d has the eigenvalue %.3g, and its values at test snapshots, a lag apart, say %.3g; of "+
				"%d pairs it is %.2g away at most", j, want, got, pairs.Len(), most)
	}
	n.addf("true eigenfunction %d has the eigenvalue %.3g, and test snapshots say %.3g", j, want, got)
	return nil
}

// part is what a problem has of a kind of data.
type part struct {
	name string
	x    core.Trajectories
}

// partsOf are the data of a problem: to train, to validate and to test on.
func partsOf(p *core.Problem) []part {
	return []part{{"training", p.Train}, {"validation", p.Validation}, {"test", p.Test}}
}

// arraysOf are the arrays of a problem by name.
func arraysOf(p *core.Problem) map[string]table {
	arrays := map[string]table{"lag-steps-rank": labelTable([]int{p.Lag, p.Steps, p.Rank})}
	for i, name := range []string{"train", "validation", "test"} {
		x := partsOf(p)[i].x
		all, lengths := table{}, []int{}
		for j := range x.Count() {
			t := snapshotTable(x.At(j))
			lengths = append(lengths, t.rows)
			all = table{all.rows + t.rows, t.columns, append(all.values, t.values...)}
		}
		arrays[name], arrays[name+"-lengths"] = all, labelTable(lengths)
	}
	if p.Starts != nil {
		arrays["starts"] = labelTable(p.Starts)
	}
	if p.States != nil {
		arrays["train-states"], arrays["validation-states"] = labelTable(p.States.Train), labelTable(p.States.Validation)
		arrays["test-states"] = labelTable(p.States.Test)
		arrays["expected-states"] = labelTable(slices.Concat(p.States.Expected...))
	}
	if p.Truth != nil {
		arrays["true-eigenvalues"] = valuesTable(p.Truth.Eigenvalues...)
		if f := p.Truth.Eigenfunctions; len(f) > 0 {
			arrays["true-eigenfunctions"] = valuesTable(slices.Concat(f...)...)
		}
		if density := p.Truth.Density; density != nil {
			arrays["true-density"] = table{len(density), 1, density}
		}
	}
	return arrays
}

// digestsOf are the digests of the arrays of a problem.
func digestsOf(p *core.Problem) digests {
	d := digests{}
	for name, t := range arraysOf(p) {
		d.add(name, t)
	}
	return d
}

// differs says in what two problems differ, "" if they are equal to the bit.
func differs(p, q *core.Problem) string {
	text := func(p *core.Problem) string {
		word := ""
		if p.States != nil {
			word = p.States.Word
		}
		leading := 0
		if p.Truth != nil {
			leading = p.Truth.Leading
		}
		return fmt.Sprintf(
			"source %q, picture %q, word for a state %q, measure %+v, clock %+v, %d leading eigenvalues, valid up "+
				"to %v", p.Source, p.Picture, word, p.Measure(), p.Clock, leading, p.ValidUpTo)
	}
	if a, b := text(p), text(q); a != b {
		return fmt.Sprintf("one has %s, and the other %s", a, b)
	}
	want, got := arraysOf(p), arraysOf(q)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		other, there := got[name]
		if !there {
			return name + " are in one problem only"
		}
		if d := want[name].difference(other); d != "" {
			return name + ": " + d
		}
	}
	if len(got) > len(want) {
		return "one has more arrays"
	}
	return ""
}

// ofTask adds the arrays of the problem, and scores of what persists.
func (d digests) ofTask(ctx context.Context, s *posed) error {
	p, err := s.opened(ctx)
	if err != nil {
		return err
	}
	maps.Copy(d, digestsOf(p))
	if p.Score == nil {
		return nil
	}
	scorer, err := s.fit(ctx, p)
	if err != nil {
		return err
	}
	for _, step := range stepsOf(p) {
		scores, err := scores(ctx, scorer, p, step, persistence(p))
		if err != nil {
			return err
		}
		d.add(fmt.Sprintf("scores-at-step-%d", step), scores)
	}
	return nil
}
