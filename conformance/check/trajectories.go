package check

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// trajectoriesCheck holds what several trajectories are to a fit.
const trajectoriesCheck = "trajectories"

// pairsRemedy is what to do where pairs cross the end of a trajectory.
const pairsRemedy = "take pairs from Training.Train.PairStarts only"

// span is the snapshots from … end-1 of a sequence.
type span struct{ from, end int }

// pieces are three trajectories, the first without a pair. The others begin at the second of the
// states, so that labels counted from the beginning of each are wrong in all.
func pieces(n, states int) []span {
	cut := 1 + states*(n/(2*states))
	return []span{{0, 1}, {1, cut}, {cut, n}}
}

// couples are trajectories of two snapshots, except for the last, which has three if their number is
// odd.
func couples(n int) (all []span) {
	for i := 0; i+2 <= n; i += 2 {
		all = append(all, span{i, i + 2})
	}
	all[len(all)-1].end = n
	return all
}

// windowsLag is the lag at which windows of windowsLag+1 snapshots, each begun one after the other,
// have one pair each. Of the pairs that cross their ends, windowsLag for each, all say that nothing
// changes: whoever counts them learns that.
const windowsLag = 2

func windows(n int) (all []span) {
	for i := range n - windowsLag {
		all = append(all, span{i, i + windowsLag + 1})
	}
	return all
}

// cut makes trajectories of the spans of the training and of the validation snapshots, which may
// overlap, and cuts labels like them. Where apart is true each trajectory has memory of its own.
func cut(t *core.Training, spans func(n int) []span, apart bool) error {
	for _, part := range []struct {
		x      *core.Trajectories
		labels *[]int
	}{{&t.Train, &t.TrainLabels}, {&t.Validation, &t.ValidationLabels}} {
		whole := part.x.At(0)
		var parts []core.Snapshots
		var labels []int
		for _, s := range spans(whole.Len()) {
			x := whole.Slice(s.from, s.end)
			if pixels, ok := x.Pixels(); ok && apart {
				var err error
				if x, err = core.NewPixelSnapshots(slices.Clone(pixels), x.Shape()...); err != nil {
					return err
				}
			}
			parts = append(parts, x)
			if *part.labels != nil {
				labels = append(labels, (*part.labels)[s.from:s.end]...)
			}
		}
		var err error
		if *part.x, err = core.NewTrajectories(parts...); err != nil {
			return err
		}
		*part.labels = labels
	}
	return nil
}

// refusesTrajectories is the skip of a check for a fit that refuses several trajectories, or ones
// that are too short for it.
func refusesTrajectories(err error) error {
	if errors.Is(err, core.ErrUnavailable) || errors.Is(err, core.ErrTooShort) {
		return &skip{"it refuses these trajectories: " + err.Error()}
	}
	return failed("Fit", err)
}

// fitCut fits to trajectories cut from a sequence.
func (s *trainee) fitCut(
	ctx context.Context, data *sequence, brief bool, lag int, spans func(n int) []span, apart bool,
) (any, error) {
	t, err := s.training(data, brief)
	if err != nil {
		return nil, err
	}
	t.Lag = lag
	if err := cut(t, spans, apart); err != nil {
		return nil, err
	}
	fitted, err := s.fit(ctx, t)
	if err == nil && core.IsNil(fitted) {
		return nil, wrong("return one of the two", "Fit returned neither a fitted thing nor an error")
	}
	return fitted, err
}

// probeCut fits briefly to trajectories cut from the short sequence, and returns what is computed
// from probes.
func (s *trainee) probeCut(ctx context.Context, spans func(n int) []span, apart bool) (table, error) {
	data, err := s.short()
	if err != nil {
		return table{}, err
	}
	fitted, err := s.fitCut(ctx, data, true, 1, spans, apart)
	if err != nil {
		return table{}, refusesTrajectories(err)
	}
	return s.probe(ctx, fitted)
}

// checkLayout checks that fits do not depend on where in memory trajectories are.
func (s *trainee) checkLayout(ctx context.Context) error {
	spans := func(n int) []span { return pieces(n, s.o.States) }
	side, err := s.probeCut(ctx, spans, false)
	if err != nil {
		return err
	}
	apart, err := s.probeCut(ctx, spans, true)
	if err != nil {
		return err
	}
	if d := side.difference(apart); d != "" {
		return wrong("read trajectories by Read, Gather, At, Snapshots or Matrix, "+
			"and never look for their place in memory",
			"%s after fits to three trajectories side by side in memory, and to the same apart: %s", s.use, d)
	}
	if where := side.nonFinite(); where != "" {
		return wrong("count pairs, not snapshots, where a trajectory may be too short for one",
			"%s after a fit to three trajectories: %s", s.use, where)
	}
	return nil
}

// checkMethodTrajectories fits to trajectories whose ends, if pairs crossed them, would teach that
// nothing changes.
func (s *trainee) checkMethodTrajectories(ctx context.Context, n *notes) error {
	if err := s.checkLayout(ctx); err != nil {
		return err
	}
	data, err := s.learnable()
	if err != nil {
		return err
	}
	fitted, err := s.fitCut(ctx, data, false, windowsLag, windows, false)
	if err != nil {
		return refusesTrajectories(err)
	}
	whole, err := s.training(data, false)
	if err != nil {
		return err
	}
	out, err := s.apply(ctx, fitted, whole.Validation.At(0))
	if err != nil {
		return failed(s.use, err)
	}
	err = s.checkForecast(fitted, data, out, windowsLag, n)
	var p *problem
	if errors.As(err, &p) {
		p.remedy = pairsRemedy
	}
	return inCaseOf("after a fit to trajectories of three snapshots at a lag of 2, one pair each", err)
}

// checkEmbedderTrajectories looks for an embedder that goes by pairs and takes no notice of ends:
// its features depend on the lag, and are the same to the bit where half of the pairs are gone.
func (s *trainee) checkEmbedderTrajectories(ctx context.Context, n *notes) error {
	if err := s.checkLayout(ctx); err != nil {
		return err
	}
	data, err := s.short()
	if err != nil {
		return err
	}
	_, whole, err := s.brief(ctx, data, nil)
	if err != nil {
		return err
	}
	_, later, err := s.brief(ctx, data, func(t *core.Training) { t.Lag = 2 })
	if err != nil {
		return inCase("at a lag of 2", err)
	}
	if whole.difference(later) == "" {
		n.addf("the features do not depend on the lag, so it takes no pairs that could cross an end")
		return nil
	}
	halved, err := s.probeCut(ctx, couples, false)
	if err != nil {
		return err
	}
	if whole.difference(halved) == "" {
		return wrong(pairsRemedy, "the features depend on the lag, and yet are the same for one trajectory "+
			"and for the same cut into trajectories of two snapshots, which have half of the pairs")
	}
	return nil
}

func (s *trainee) checkOracleTrajectories(ctx context.Context, n *notes) error {
	if err := s.checkLayout(ctx); err != nil {
		return err
	}
	data, err := s.learnable()
	if err != nil {
		return err
	}
	fitted, err := s.fitCut(ctx, data, false, 1, func(n int) []span { return pieces(n, s.o.States) }, false)
	if err != nil {
		return refusesTrajectories(err)
	}
	return inCaseOf("after a fit to three trajectories, whose labels are numbered through",
		s.checkVerdicts(ctx, fitted, n))
}

// checkTrajectories is the check of an evolution operator, on the windows of the system.
func (s *operating) checkTrajectories(ctx context.Context, n *notes) error {
	t, err := s.training(s.system)
	if err != nil {
		return err
	}
	var features, observable []float64
	for _, w := range windows(systemLength) {
		for i := w.from; i < w.end; i++ {
			features = append(features, s.system.features.RawRowView(i)...)
			observable = append(observable, s.system.observable.RawRowView(i)...)
		}
		t.Lengths = append(t.Lengths, w.end-w.from)
	}
	t.Lag = windowsLag
	t.Features = mat.NewDense(len(features)/systemDim, systemDim, features)
	t.Observable = mat.NewDense(len(observable)/systemObservable, systemObservable, observable)
	lengths := slices.Clone(t.Lengths)
	fitted, err := s.operator.Fit(ctx, t)
	switch {
	case err != nil:
		return refusesTrajectories(err)
	case core.IsNil(fitted):
		return wrong("return one of the two", "Fit returned neither an operator nor an error")
	case !slices.Equal(lengths, t.Lengths):
		return wrong("work on a copy", "Fit changed the lengths that it was given")
	}
	err = s.checkForecast(ctx, fitted, 1, windowsLag, n)
	var p *problem
	if errors.As(err, &p) {
		p.remedy = "take pairs from OperatorTraining.PairStarts only"
	}
	return inCaseOf("after a fit to trajectories of three rows, one pair each", err)
}

func (s *trainee) checkEmbedderLag(ctx context.Context, _ *notes) error {
	l, want, err := s.validation(ctx)
	if err != nil {
		return err
	}
	return s.checkLags(ctx, func(fitted any) error {
		out, err := s.apply(ctx, fitted, l.training.Validation.At(0))
		if err != nil {
			return failed(s.use, err)
		}
		if out.rows != want.rows || out.columns != want.columns {
			return wrong("let the number of features follow from the options and the states",
				"Embed returned a %d×%d matrix, and a %d×%d one at a lag of 1",
				out.rows, out.columns, want.rows, want.columns)
		}
		if where := out.nonFinite(); where != "" {
			return wrong("return an error that wraps core.ErrNonFinite where a fit diverges",
				"in the features of the validation snapshots %s", where)
		}
		return nil
	})
}

func (s *trainee) checkOracleLag(ctx context.Context, n *notes) error {
	return s.checkLags(ctx, func(fitted any) error { return s.checkVerdicts(ctx, fitted, n) })
}

// checkLags fits at lags above 1, and judges what each fit gives.
func (s *trainee) checkLags(ctx context.Context, judge func(fitted any) error) error {
	data, err := s.learnable()
	if err != nil {
		return err
	}
	for _, lag := range []int{2, 3} {
		t, err := s.training(data, false)
		if err != nil {
			return err
		}
		t.Lag = lag
		fitted, err := s.fitTo(ctx, t)
		if err == nil {
			err = judge(fitted)
		}
		if err != nil {
			return inCase(fmt.Sprintf("at a lag of %d", lag), err)
		}
	}
	return nil
}
