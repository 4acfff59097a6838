package check

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/koopbench/koopbench/core"
)

func (s *trainee) checkRepeatable(ctx context.Context, _ *notes) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	_, first, err := s.brief(ctx, data, nil)
	if err != nil {
		return err
	}
	_, second, err := s.brief(ctx, data, nil)
	if err != nil {
		return err
	}
	if d := first.difference(second); d != "" {
		return wrong(
			"draw from Training.Stream only, and sum in an order that depends on shapes alone, not on goroutines or maps",
			"%s after two fits with equal data, options and seed: %s", s.use, d)
	}
	return nil
}

func (s *trainee) checkSeeds(ctx context.Context, _ *notes) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	seeds := []int64{1, 2, 1 + 1<<32, -1}
	outs := make([]table, len(seeds))
	for i, seed := range seeds {
		if _, outs[i], err = s.brief(ctx, data, func(t *core.Training) { t.Seed = seed }); err != nil {
			return err
		}
	}
	var equal [][2]int64
	differ := false
	for i := range seeds {
		for j := range i {
			if outs[i].difference(outs[j]) == "" {
				equal = append(equal, [2]int64{seeds[j], seeds[i]})
			} else {
				differ = true
			}
		}
	}
	switch {
	case !differ:
		return &skip{fmt.Sprintf("the %s draws nothing at random: the seeds %v give fits that are equal to the bit",
			s.kind, seeds)}
	case len(equal) > 0:
		return wrong("draw from Training.Stream only, which takes all bits of the seed",
			"the seeds %d and %d give the same fit, and others do not",
			equal[0][0], equal[0][1])
	}
	return nil
}

func (s *trainee) checkRefit(ctx context.Context, _ *notes) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	other, err := s.other()
	if err != nil {
		return err
	}
	first, before, err := s.brief(ctx, data, nil)
	if err != nil {
		return err
	}
	_, between, err := s.brief(ctx, other, nil)
	if err != nil {
		return err
	}
	after, err := s.probe(ctx, first)
	if err != nil {
		return err
	}
	_, again, err := s.brief(ctx, data, nil)
	if err != nil {
		return err
	}
	const remedy = "keep everything that a fit makes in what it returns, and nothing in the value that is fitted"
	if d := before.difference(after); d != "" {
		return wrong(remedy, "%s of what was fitted first, before and after another fit: %s", s.use, d)
	}
	if d := before.difference(again); d != "" {
		return wrong(remedy, "%s after a fit, and after a fit to the same data with a fit to other data between them: %s",
			s.use, d)
	}
	if s.distinct() && before.difference(between) == "" {
		return wrong("make every fit anew, or let the key of a cache hold everything that determines a fit",
			"fits to a sequence and to one of the same length that runs backwards give equal results of %s", s.use)
	}
	return nil
}

// distinct reports whether fits to different data must differ: labels may well be the same.
func (s *trainee) distinct() bool { return s.kind == core.KindMethod }

func (s *trainee) checkConcurrentFits(ctx context.Context, _ *notes) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	other, err := s.other()
	if err != nil {
		return err
	}
	sequences := []*sequence{data, other, data}
	want, got := make([]table, len(sequences)), make([]table, len(sequences))
	for i, data := range sequences[:2] {
		if _, want[i], err = s.brief(ctx, data, nil); err != nil {
			return err
		}
	}
	want[2] = want[0]
	var calls []func() error
	for i, data := range sequences {
		calls = append(calls, func() (err error) {
			_, got[i], err = s.brief(ctx, data, nil)
			return err
		})
	}
	if err := together(calls...); err != nil {
		return failed("one of three fits at the same time", err)
	}
	for i := range got {
		if d := want[i].difference(got[i]); d != "" {
			return wrong("share nothing between fits that any of them changes",
				"%s after a fit alone and after the same beside others: %s", s.use, d)
		}
	}
	return nil
}

func (s *trainee) checkReport(ctx context.Context, n *notes) error {
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	reporter, ok := core.As[core.Reporter](l.fitted)
	if !ok {
		return undeclared("fitted "+string(s.kind), "Reporter")
	}
	return checkReport(reporter, l.took, n)
}

// checkReport checks the report of a fit that took that long, by [core.Report.Validate] and by
// rules that are stricter.
func checkReport(reporter core.Reporter, took time.Duration, n *notes) error {
	const remedy = "change what Report returns"
	r := reporter.Report()
	if err := r.Validate(); err != nil {
		return wrong(remedy, "%v", err)
	}
	for i, e := range r.History {
		switch {
		case e.Number != i+1:
			return wrong(remedy, "epoch %d of the history has the number %d; epochs are counted from 1", i+1, e.Number)
		case e.Train-e.Train != 0:
			return wrong(remedy, "the training loss of epoch %d is %v; it must be finite", e.Number, e.Train)
		case math.IsInf(e.Validation, 0):
			return wrong(remedy, "the validation loss of epoch %d is %v; it must be finite, or NaN where there is none",
				e.Number, e.Validation)
		}
	}
	for _, warning := range r.Warnings {
		if warning == "" {
			return wrong(remedy, "a warning is empty; it must be a sentence")
		}
		n.addf("the fit warns: %s", warning)
	}
	if r.CompileSeconds > took.Seconds()+0.1 {
		return wrong(remedy, "compiling took %v s of a fit of %.3f s; it must be a part of the fit",
			r.CompileSeconds, took.Seconds())
	}
	if again := reporter.Report(); !sameReport(r, again) {
		return wrong(remedy, "Report returned %+v, and then %+v", r, again)
	}
	return nil
}

// sameReport compares reports, NaN being equal to NaN.
func sameReport(a, b core.Report) bool {
	same := slices.EqualFunc(a.History, b.History, func(a, b core.Epoch) bool {
		return a.Number == b.Number && math.Float64bits(a.Train) == math.Float64bits(b.Train) &&
			math.Float64bits(a.Validation) == math.Float64bits(b.Validation)
	})
	a.History, b.History = nil, nil
	return same && reflect.DeepEqual(a, b)
}

func (s *trainee) checkProgress(ctx context.Context, _ *notes) error {
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	found, epochs := l.watched.end()
	if found != "" {
		return wrong("report from the goroutine that runs the fit, by Phase and then Advance", "%s", found)
	}
	if history := core.ReportOf(l.fitted).History; epochs != 0 && len(history) != epochs {
		return wrong("report each epoch once, as it ends",
			"progress was told of %d epochs, and the history of the report has %d", epochs, len(history))
	}
	return nil
}

func (s *trainee) checkOptions(ctx context.Context, n *notes) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	d := s.thing.Describe()
	for _, v := range variations(d, s.o.values(d, true)) {
		values := s.o.values(d, true)
		values[v.name] = v.value
		options, err := d.Resolve(values)
		if err != nil {
			return wrong("declare a range whose ends are valid", "%v", err)
		}
		t, err := s.training(data, true)
		if err != nil {
			return err
		}
		t.Options = options
		refused, err := s.tryFit(ctx, t)
		if err != nil {
			return inCase(fmt.Sprintf("with %s=%v", v.name, v.value), err)
		}
		if refused != nil {
			n.addf("%s=%v is refused: %v", v.name, v.value, refused)
		}
	}
	return nil
}

// tryFit fits, and computes from the validation snapshots. It returns the typed error with which
// that was refused, and fails if the error is of no good type or the results are not finite.
func (s *trainee) tryFit(ctx context.Context, t *core.Training) (refused, err error) {
	call := "Fit"
	err = safely(func() error {
		fitted, err := s.fit(ctx, t)
		if err != nil {
			return err
		}
		if core.IsNil(fitted) {
			return wrong("return one of the two", "Fit returned neither a fitted thing nor an error")
		}
		call = s.use
		out, err := s.apply(ctx, fitted, t.Validation.Snapshots())
		if where := out.nonFinite(); err == nil && where != "" {
			return wrong("return an error that wraps core.ErrNonFinite instead", "%s: %s", s.use, where)
		}
		return err
	})
	var p *problem
	switch {
	case err == nil:
		return nil, nil
	case errors.As(err, &p):
		return nil, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case typed(err):
		return err, nil
	case errors.Is(err, core.ErrPanic):
		return nil, failed(call, err)
	}
	return nil, wrong("wrap the error of package core that says why the input cannot be used, by %w",
		"%s returned the error: %v", call, err)
}

// inCase says in which case something was found.
func inCase(which string, err error) error {
	var p *problem
	if errors.As(err, &p) {
		return &problem{which + ": " + p.found, p.remedy, p.abandoned}
	}
	return fmt.Errorf("%s: %w", which, err)
}

func (s *trainee) checkUnsuitable(ctx context.Context, n *notes) error {
	larger := slices.Clone(s.o.Shape)
	for i := range larger {
		larger[i]++
	}
	flat := 1
	for _, axis := range s.o.Shape {
		flat *= axis
	}
	for _, c := range []struct {
		name   string
		shape  []int
		change func(t *core.Training)
	}{
		{"two training and two validation snapshots", s.o.Shape, func(t *core.Training) {
			cutTraining(t, 2)
		}},
		{"constant snapshots", s.o.Shape, func(t *core.Training) {
			t.Train, t.Validation = constantLike(t.Train), constantLike(t.Validation)
		}},
		{"one state", s.o.Shape, func(t *core.Training) {
			t.States = 1
			clear(t.TrainLabels)
			clear(t.ValidationLabels)
		}},
		{fmt.Sprintf("snapshots of shape %v", larger), larger, func(*core.Training) {}},
		{fmt.Sprintf("snapshots of shape [%d]", flat), []int{flat}, func(*core.Training) {}},
	} {
		data, err := newSequence(c.shape, s.o.States, s.shortLength(), false, "unsuitable")
		if err != nil {
			return err
		}
		t, err := s.training(data, true)
		if err != nil {
			return err
		}
		c.change(t)
		refused, err := s.tryFit(ctx, t)
		if err != nil {
			return inCase(c.name, err)
		}
		if refused != nil {
			n.addf("%s are refused: %v", c.name, refused)
		}
	}
	return nil
}

// cutTraining leaves n snapshots in each part.
func cutTraining(t *core.Training, n int) {
	t.Train = core.OneTrajectory(t.Train.At(0).Slice(0, n))
	t.Validation = core.OneTrajectory(t.Validation.At(0).Slice(0, n))
	if t.TrainLabels != nil {
		t.TrainLabels, t.ValidationLabels = t.TrainLabels[:n], t.ValidationLabels[:n]
	}
}

// constantLike returns as many snapshots of zeros.
func constantLike(x core.Trajectories) core.Trajectories {
	same, err := core.NewPixelSnapshots(make([]uint8, x.Len()*x.Size()), x.Shape()...)
	if err != nil {
		return x
	}
	return core.OneTrajectory(same)
}

func (s *trainee) checkErrors(ctx context.Context, _ *notes) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	larger := slices.Clone(s.o.Shape)
	larger[0]++
	strange, err := newSequence(larger, s.o.States, s.shortLength(), false, "strange")
	if err != nil {
		return err
	}
	var refusals []refusal
	for _, c := range []struct {
		data   string
		kind   error
		change func(t *core.Training) error
	}{
		{"training data without a lagged pair", core.ErrTooShort, func(t *core.Training) error {
			cutTraining(t, 1)
			return nil
		}},
		{"validation snapshots of another shape", core.ErrShape, func(t *core.Training) error {
			t.Validation = core.OneTrajectory(strange.x.Slice(0, t.Validation.Len()))
			return nil
		}},
		{"a training snapshot with a value that is not a number", core.ErrNonFinite, func(t *core.Training) error {
			x, values, err := inFloats(t.Train)
			values[0], t.Train = float32(math.NaN()), x
			return err
		}},
	} {
		t, err := s.training(data, true)
		if err != nil {
			return err
		}
		if err := c.change(t); err != nil {
			return err
		}
		refusals = append(refusals, refusal{"Fit to " + c.data, c.kind, func() error {
			_, err := s.fit(ctx, t)
			return err
		}, "; begin Fit with: if err := t.Validate(); err != nil { return nil, err }"})
	}
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	refusals = append(refusals, refusal{
		fmt.Sprintf("%s of snapshots of shape %v after a fit to shape %v", s.use, larger, s.o.Shape), core.ErrShape,
		func() error {
			_, err := s.apply(ctx, l.fitted, strange.x.Slice(0, 3))
			return err
		}, ""})
	return checkRefusals(refusals)
}

func (s *trainee) checkCancelledFit(ctx context.Context, _ *notes) error {
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	fit := func(ctx context.Context, t core.Training) error {
		_, err := s.fit(ctx, &t)
		return err
	}
	before := interruption{name: "Fit", grace: s.o.Grace, strict: true, call: func(ctx context.Context, _ func()) error {
		return fit(ctx, *l.training)
	}}
	if err := before.check(ctx); err != nil {
		return err
	}
	t, after := *l.training, max(l.took/2, time.Millisecond)
	d := s.thing.Describe()
	if option, ok := d.Option(epochsOption); ok {
		if _, whole := option.Default.(int); whole {
			values := s.o.values(d, false)
			values[epochsOption] = wholeEnd(option.Max)
			if t.Options, err = d.Resolve(values); err != nil {
				return err
			}
			after = max(l.took, 100*time.Millisecond) // if progress does not tell that it is on its way
		}
	}
	during := interruption{name: "Fit", grace: s.o.Grace, after: after, call: func(ctx context.Context, end func()) error {
		t.Progress = &watch{onStep: func(name string) {
			if name != "Phase" {
				end()
			}
		}}
		return fit(ctx, t)
	}}
	return during.check(ctx)
}

func (s *trainee) checkCancelledUse(ctx context.Context, _ *notes) error {
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	const many = 512
	times := make([]int, many)
	for i := range times {
		times[i] = i % l.data.x.Len()
	}
	values := make([]float32, many*l.data.x.Size())
	l.data.x.Gather(values, times)
	x, err := core.NewSnapshots(values, s.o.Shape...)
	if err != nil {
		return err
	}
	use := func(ctx context.Context, _ func()) error {
		_, err := s.apply(ctx, l.fitted, x)
		return err
	}
	for _, i := range []interruption{
		{name: s.use, grace: s.o.Grace, strict: s.strictUse, call: use},
		{name: s.use, grace: s.o.Grace, after: 2 * time.Millisecond, call: use},
	} {
		if err := i.check(ctx); err != nil {
			return err
		}
	}
	return nil
}
