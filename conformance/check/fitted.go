package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/koopbench/koopbench/core"
)

// trainee is what methods, embedders and oracles have in common: they are fitted to a sequence, and
// what is fitted computes something from snapshots, row by row.
type trainee struct {
	o    Options
	kind Kind
	use  string // the name of what a fitted thing does: "Predict", "Embed" or "Classify"
	// labelled says that every fit sees labels.
	labelled bool
	// strictUse says that use must return the error of a context that has ended.
	strictUse bool

	thing described
	fit   func(ctx context.Context, t *core.Training) (any, error)
	apply func(ctx context.Context, fitted any, x core.Snapshots) (table, error)
	// detail is what fits are compared by, where that is more than apply gives; nil where it is not.
	detail func(ctx context.Context, fitted any, x core.Snapshots) (table, error)

	mu   sync.Mutex
	long *longFit
}

// longFit is the fit that must learn.
type longFit struct {
	fitted   any
	data     *sequence
	training *core.Training
	watched  *watch
	took     time.Duration
}

// sequences of the checks: one to learn, a short one, and a short one of the same length that runs backwards.
func (s *trainee) learnable() (*sequence, error) {
	return newSequence(s.o.Shape, s.o.States, s.o.Snapshots, false, "learnable")
}

func (s *trainee) short() (*sequence, error) {
	return newSequence(s.o.Shape, s.o.States, s.shortLength(), false, "short")
}

func (s *trainee) other() (*sequence, error) {
	return newSequence(s.o.Shape, s.o.States, s.shortLength(), true, "other")
}

func (s *trainee) shortLength() int { return max(8*s.o.States, min(s.o.Snapshots, 64)) }

// training returns what a fit on the data sees.
func (s *trainee) training(data *sequence, brief bool) (*core.Training, error) {
	d := s.thing.Describe()
	t, err := data.training(d, s.o.values(d, brief))
	if err == nil && s.labelled {
		data.label(t)
	}
	return t, err
}

// fitTo fits, and fails if nothing comes back.
func (s *trainee) fitTo(ctx context.Context, t *core.Training) (any, error) {
	fitted, err := s.fit(ctx, t)
	if err != nil {
		return nil, failed("Fit", err)
	}
	if core.IsNil(fitted) {
		return nil, wrong("return one of the two", "Fit returned neither a fitted thing nor an error")
	}
	return fitted, nil
}

// fitLong returns the fit that must learn, which is made once.
func (s *trainee) fitLong(ctx context.Context) (*longFit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.long != nil {
		return s.long, nil
	}
	data, err := s.learnable()
	if err != nil {
		return nil, err
	}
	l := &longFit{data: data, watched: &watch{}}
	if l.training, err = s.training(data, false); err != nil {
		return nil, err
	}
	t := *l.training
	t.Progress = l.watched
	start := time.Now()
	if l.fitted, err = s.fitTo(ctx, &t); err != nil {
		return nil, err
	}
	l.took = time.Since(start)
	l.watched.end()
	s.long = l
	return l, nil
}

// validation returns the validation snapshots of the long fit and what the fitted thing computes from them.
func (s *trainee) validation(ctx context.Context) (*longFit, table, error) {
	l, err := s.fitLong(ctx)
	if err != nil {
		return nil, table{}, err
	}
	out, err := s.apply(ctx, l.fitted, l.training.Validation.At(0))
	return l, out, failed(s.use, err)
}

// brief fits to the data for few epochs, in another way if change is not nil, and returns the
// fitted thing, and what it computes from probes right after the fit.
func (s *trainee) brief(ctx context.Context, data *sequence, change func(*core.Training)) (any, table, error) {
	t, err := s.training(data, true)
	if err != nil {
		return nil, table{}, err
	}
	if change != nil {
		change(t)
	}
	fitted, err := s.fitTo(ctx, t)
	if err != nil {
		return nil, table{}, err
	}
	out, err := s.probe(ctx, fitted)
	return fitted, out, err
}

// probes is how many snapshots fits are compared by.
const probes = 12

// probe returns what a fitted thing computes from a few snapshots.
func (s *trainee) probe(ctx context.Context, fitted any) (table, error) {
	data, err := s.short()
	if err != nil {
		return table{}, err
	}
	compute := s.apply
	if s.detail != nil {
		compute = s.detail
	}
	out, err := compute(ctx, fitted, data.x.Slice(0, probes))
	return out, failed(s.use, err)
}

// unjudged returns the skip of a check of what was learned, if the fit says of itself that it
// learned nothing, and err otherwise.
func unjudged(fitted any, err error) error {
	if untrained := core.ReportOf(fitted).Untrained; untrained != "" {
		return &skip{fmt.Sprintf("the fit says that it learned nothing (%s): give it more epochs by Options.Epochs or "+
			"Options.Settings", untrained)}
	}
	return err
}

// traineeChecks returns the checks that methods, embedders and oracles share. whole names the check
// that says that what a fitted thing computes is sound.
func traineeChecks(use, whole string) []check[*trainee] {
	sound, steady, repeats := []string{whole}, []string{whole, steadyCheck}, []string{whole, "repeatable"}
	return []check[*trainee]{
		{steadyCheck, use + " gives the same bits when it is called again with the same snapshots", "", sound,
			(*trainee).checkSteady},
		{core.RowIndependence, use + " gives the same for a snapshot whatever other snapshots there are, in whatever order",
			"", steady, (*trainee).checkRows},
		{"empty", use + " gives nothing for no snapshots, and no error", "", sound, (*trainee).checkEmpty},
		{"inputs-unchanged", "Fit and " + use + " do not change the snapshots and labels that they are given", "", steady,
			(*trainee).checkInputs},
		{"keeps-nothing", "What was fitted refers no more to the training or its data: it computes the same after their " +
			"memory is overwritten",
			"", []string{whole, "inputs-unchanged"}, (*trainee).checkKeeps},
		{"storage", "Snapshots of the same values give the same bits, be they stored as 8-bit pixels or as float32",
			"", []string{whole, "inputs-unchanged", "repeatable"}, (*trainee).checkStorage},
		{"repeatable", "Two fits with equal data, options and seed are equal to the bit", "", steady,
			(*trainee).checkRepeatable},
		{"seeds", "If anything is drawn at random, any two seeds give different fits, even if they share their lower or " +
			"upper 32 bits or the modulus",
			"", repeats, (*trainee).checkSeeds},
		{"refit", "Fitting twice is independent: a fit to other data is another one, and leaves earlier and later fits as " +
			"they are",
			"", repeats, (*trainee).checkRefit},
		{"concurrent-fits", "Fits at the same time give the same bits as one after the other", "", append(repeats, "refit"),
			(*trainee).checkConcurrentFits},
		{"report", "A report keeps the rules of core.Report.Validate, has epochs numbered from 1 on without a gap, " +
			"with finite training losses, and is the same at every call",
			"Reporter", []string{"fit"}, (*trainee).checkReport},
		{"progress", "Fit reports from one goroutine at a time, never after it has returned, a phase before its units, and " +
			"no unit twice or beyond the phase's total",
			"", []string{"fit"}, (*trainee).checkProgress},
		{"options", "Fit takes every value of the declared options that is tried (switches, choices, texts, " +
			"least numbers), or returns an error of package core",
			"", sound, (*trainee).checkOptions},
		{"unsuitable-data", "Data that cannot be used (two snapshots, constant ones, one state, another shape) give an " +
			"error of package core or finite results, never a panic",
			"", sound, (*trainee).checkUnsuitable},
		{"errors", "Fit returns what Training.Validate says, and " + use +
			" ErrShape for snapshots of another shape than the training snapshots",
			"", sound, (*trainee).checkErrors},
		{"cancelled-fit", "Fit returns the context's error soon after the context ends, before or during the fit", "",
			[]string{"fit"}, (*trainee).checkCancelledFit},
		{"cancelled-use", use + " returns soon after its context ends", "", sound, (*trainee).checkCancelledUse},
		{"saved", use + " gives the same bits after what was fitted has been saved and loaded", "Saver",
			[]string{whole, core.RowIndependence, "inputs-unchanged"},
			(*trainee).checkSaved},
		{"continued", "A fit that continues from a checkpoint of its own gives the same bits, and the same history, as one " +
			"that was " +
			"never interrupted",
			"", repeats, (*trainee).checkContinued},
	}
}

// fitChecks are the checks of a fit as such.
func fitChecks() []check[*trainee] {
	return []check[*trainee]{{"fit", "Fit succeeds on a small sequence that cycles through distinct patterns", "", nil,
		func(s *trainee, ctx context.Context, _ *notes) error {
			_, err := s.fitLong(ctx)
			return err
		}}}
}

// steadyCheck is the check of a rule that those which compare results rest on.
const (
	steadyCheck  = "same-again"
	steadyRemedy = "draw nothing at random, and keep nothing between calls; switch dropout off (model.eval() in PyTorch)"
)

func (s *trainee) checkSteady(ctx context.Context, _ *notes) error {
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	first, err := s.probe(ctx, l.fitted)
	if err != nil {
		return err
	}
	again, err := s.probe(ctx, l.fitted)
	if err != nil {
		return err
	}
	if diff := first.difference(again); diff != "" {
		return wrong(steadyRemedy, "a second call of %s with the same snapshots gave something else: %s", s.use, diff)
	}
	return nil
}

func (s *trainee) checkRows(ctx context.Context, _ *notes) error {
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	return rowsIndependent(l.data.x, func(x core.Snapshots) (table, error) {
		out, err := s.apply(ctx, l.fitted, x)
		return out, failed(s.use, err)
	}, s.use)
}

// rowsIndependent checks that what compute gives for a snapshot depends on that snapshot alone, up
// to [core.RowTolerance].
func rowsIndependent(x core.Snapshots, compute func(core.Snapshots) (table, error), use string) error {
	const remedy = "compute every row by itself: no statistics over the rows of a call, nothing kept between calls, no " +
		"chance"
	total := min(x.Len(), 100) // more than a few blocks of any usual size
	x = x.Slice(0, total)
	whole, err := compute(x)
	if err != nil {
		return err
	}
	for _, part := range []struct{ from, end int }{{0, 1}, {total - 1, total}, {1, 4}, {3, total}, {0, total / 2}} {
		got, err := compute(x.Slice(part.from, part.end))
		if err != nil {
			return err
		}
		want := whole.pick(interval(part.from, part.end))
		if d := want.apart(got); d != "" {
			return wrong(remedy, "%s of snapshots %d … %d alone and among %d: %s", use, part.from, part.end-1, total, d)
		}
	}
	order := interval(0, total)
	slices.Reverse(order)
	values := make([]float32, total*x.Size())
	x.Gather(values, order)
	reversed, err := core.NewSnapshots(values, x.Shape()...)
	if err != nil {
		return err
	}
	got, err := compute(reversed)
	if err != nil {
		return err
	}
	if d := whole.pick(order).apart(got); d != "" {
		return wrong(remedy, "%s of %d snapshots and of the same in reverse order: %s", use, total, d)
	}
	return nil
}

func interval(from, end int) []int {
	all := make([]int, 0, end-from)
	for i := from; i < end; i++ {
		all = append(all, i)
	}
	return all
}

func (s *trainee) checkEmpty(ctx context.Context, _ *notes) error {
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	out, err := s.apply(ctx, l.fitted, l.data.x.Slice(0, 0))
	if err != nil {
		return wrong("return an empty result for an empty sequence", "%s of no snapshots failed: %v", s.use, err)
	}
	if out.rows != 0 {
		return wrong("return an empty result for an empty sequence", "%s of no snapshots gave %d rows", s.use, out.rows)
	}
	return nil
}

func (s *trainee) checkInputs(ctx context.Context, _ *notes) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	t, err := s.training(data, true)
	if err != nil {
		return err
	}
	var train, validation, probe []float32
	if t.Train, train, err = inFloats(t.Train); err != nil {
		return err
	}
	if t.Validation, validation, err = inFloats(t.Validation); err != nil {
		return err
	}
	given := *t
	given.TrainLabels, given.ValidationLabels = slices.Clone(t.TrainLabels), slices.Clone(t.ValidationLabels)
	fitted, err := s.fitTo(ctx, &given)
	if err != nil {
		return err
	}
	const remedy = "work on a copy: snapshots and labels belong to the caller"
	n := len(train)
	want := data.x.Floats()
	switch {
	case !slices.Equal(train, want[:n]), !slices.Equal(validation, want[n:]):
		return wrong(remedy, "Fit changed the snapshots that it was given")
	case !slices.Equal(given.TrainLabels, t.TrainLabels), !slices.Equal(given.ValidationLabels, t.ValidationLabels):
		return wrong(remedy, "Fit changed the labels that it was given")
	}
	x, probe, err := floats(t.Validation.At(0))
	if err != nil {
		return err
	}
	if _, err := s.apply(ctx, fitted, x); err != nil {
		return failed(s.use, err)
	}
	if !slices.Equal(probe, want[n:]) {
		return wrong(remedy, "%s changed the snapshots that it was given", s.use)
	}
	return nil
}

func (s *trainee) checkKeeps(ctx context.Context, _ *notes) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	var memory [][]float32
	var labels [][]int
	var training *core.Training
	fitted, before, err := s.brief(ctx, data, func(t *core.Training) {
		training = t
		for _, x := range []*core.Trajectories{&t.Train, &t.Validation} {
			copied, values, err := inFloats(*x)
			if err == nil {
				*x, memory = copied, append(memory, values)
			}
		}
		labels = [][]int{t.TrainLabels, t.ValidationLabels}
	})
	if err != nil {
		return err
	}
	for _, values := range memory {
		for i := range values {
			values[i] = -1
		}
	}
	for _, l := range labels {
		clear(l)
	}
	*training = core.Training{}
	const remedy = "copy what is needed beyond the fit, the shape of snapshots too"
	after, err := s.probe(ctx, fitted)
	var p *problem
	if errors.As(err, &p) {
		return wrong(remedy, "after the training and its data were overwritten, %s", p.found)
	}
	if err != nil {
		return err
	}
	if d := before.difference(after); d != "" {
		return wrong(remedy, "%s before and after the training and its data were overwritten: %s", s.use, d)
	}
	return nil
}

func (s *trainee) checkStorage(ctx context.Context, _ *notes) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	ofPixels, want, err := s.brief(ctx, data, nil)
	if err != nil {
		return err
	}
	const remedy = "read snapshots by Read, Gather, Floats, Matrix or View, and never ask how they are stored"
	asPixels := data.x.Slice(0, probes)
	asFloats, _, err := floats(asPixels)
	if err != nil {
		return err
	}
	direct, err := s.apply(ctx, ofPixels, asPixels)
	if err != nil {
		return failed(s.use, err)
	}
	got, err := s.apply(ctx, ofPixels, asFloats)
	if err != nil {
		return failed(s.use, err)
	}
	if d := direct.difference(got); d != "" {
		return wrong(remedy, "%s of pixels and of float32: %s", s.use, d)
	}
	var copying error
	_, got, err = s.brief(ctx, data, func(t *core.Training) {
		if t.Train, _, copying = inFloats(t.Train); copying == nil {
			t.Validation, _, copying = inFloats(t.Validation)
		}
	})
	if err != nil || copying != nil {
		return orElse(err, copying)
	}
	if d := want.difference(got); d != "" {
		return wrong(remedy, "%s after fits to pixels and to float32: %s", s.use, d)
	}
	return nil
}
