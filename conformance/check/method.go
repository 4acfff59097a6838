package check

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Method runs all checks of a method. Nil options are the defaults.
func Method(ctx context.Context, m core.Method, o *Options) Report {
	return NewMethod(m, o).RunAll(ctx)
}

// NewMethod returns a session that runs the checks of a method one by one. Nil options are the
// defaults.
func NewMethod(m core.Method, o *Options) *Session {
	return newSession(core.KindMethod, m, o, methodChecks(), func(o Options) *trainee { return methodTrainee(m, o) })
}

func methodTrainee(m core.Method, o Options) *trainee {
	return &trainee{
		o: o, kind: core.KindMethod, use: "Predict", strictUse: true, thing: m,
		fit:   func(ctx context.Context, t *core.Training) (any, error) { return m.Fit(ctx, t) },
		apply: predict,
	}
}

func predict(ctx context.Context, fitted any, x core.Snapshots) (table, error) {
	next, err := fitted.(core.Model).Predict(ctx, x)
	if err != nil {
		return table{}, err
	}
	return snapshotTable(next), nil
}

const predictionFinite = "prediction-finite"

func methodChecks() []check[*trainee] {
	return slices.Concat(fitChecks(), []check[*trainee]{
		{"prediction-shape", "Predict gives one snapshot for each that it is given, in the shape of the training snapshots",
			"", []string{"fit"}, (*trainee).checkPredictionShape},
		{predictionFinite, "Predictions are finite", "", []string{"prediction-shape"}, (*trainee).checkPredictionFinite},
		{"learns", "The prediction for a snapshot of the cycle is nearest to the pattern that comes next, in the share of " +
			"cases that Options.Accuracy says",
			"", []string{predictionFinite}, func(s *trainee, ctx context.Context, n *notes) error {
				l, out, err := s.validation(ctx)
				if err != nil {
					return err
				}
				return s.checkForecast(l.fitted, l.data, out, 1, n)
			}},
		{"lag", "A fit at a lag of 2 predicts the pattern two snapshots on", "", []string{"learns"}, (*trainee).checkLag},
		{trajectoriesCheck, "A fit to several trajectories learns from no pair that crosses the end of one, " +
			"and gives the same bits wherever in memory they are; or it returns ErrUnavailable",
			"", []string{"lag", "repeatable"}, (*trainee).checkMethodTrajectories},
	}, traineeChecks("Predict", predictionFinite), []check[*trainee]{
		exposureCheck(predictionFinite),
		{"eigenvalues", "Eigenvalues are finite, in descending order of modulus, at most as many as the rank, and the same " +
			"at every call",
			"Spectral", []string{"fit"}, (*trainee).checkModelEigenvalues},
		{"eigenfunctions", "LeftEigenfunctions gives an n×r matrix of finite values for n snapshots and r eigenvalues, " +
			"each row dependent on its snapshot alone, and changes no snapshot, and so does RightEigenfunctions if it is there",
			"Spectral", []string{"eigenvalues"}, (*trainee).checkModelEigenfunctions},
		{"forecast", "Forecast one step ahead is what Predict gives, to the bit, and any number of steps ahead gives a " +
			"finite snapshot for each, dependent on that " +
			"snapshot and the number of steps alone; it changes no snapshot, gives nothing for none, ErrOption for less than " +
			"one step, and the error of a context that has ended",
			"Forecaster", []string{predictionFinite, core.RowIndependence, "empty", "inputs-unchanged"},
			(*trainee).checkForecaster},
		{"forecast-steps", "A forecast some steps ahead is nearest to the pattern that comes so many snapshots later, in " +
			"the share of cases that Options.Accuracy says",
			"Forecaster", []string{"forecast", "learns"}, (*trainee).checkForecastSteps},
		sameOutputs(func(s *trainee) (any, Options) { return s.thing, s.o }, predictionFinite),
	})
}

func (s *trainee) checkPredictionShape(ctx context.Context, _ *notes) error {
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	x := l.training.Validation.At(0)
	next, err := l.fitted.(core.Model).Predict(ctx, x)
	switch {
	case err != nil:
		return failed("Predict", err)
	case next.Len() != x.Len():
		return wrong("return a snapshot for each, in the same order", "Predict returned %d snapshots for %d", next.Len(),
			x.Len())
	case !next.SameShape(x):
		return wrong("return snapshots of the shape of the given ones", "Predict returned snapshots of shape %v for shape %v",
			next.Shape(), x.Shape())
	}
	return nil
}

func (s *trainee) checkPredictionFinite(ctx context.Context, _ *notes) error {
	_, out, err := s.validation(ctx)
	if err != nil {
		return err
	}
	if where := out.nonFinite(); where != "" {
		return wrong("return an error that wraps core.ErrNonFinite where a fit diverges",
			"in the prediction for the validation snapshots %s", where)
	}
	return nil
}

// checkForecast checks that predictions for the validation snapshots are nearest to the patterns so
// many snapshots later.
func (s *trainee) checkForecast(fitted any, data *sequence, out table, later int, n *notes) error {
	want := make([]int, out.rows)
	cut := data.x.Len() - out.rows
	for i := range want {
		want[i] = (data.labels[cut+i] + later) % data.states
	}
	accuracy := share(data.nearest(out), want)
	n.addf("%.0f%% of %d predictions are nearest to the right pattern", 100*accuracy, out.rows)
	if accuracy >= s.o.Accuracy {
		return nil
	}
	pattern := "the pattern that comes next"
	if later > 1 {
		pattern = fmt.Sprintf("the pattern %d snapshots on", later)
	}
	return unjudged(fitted, wrong("look for a shift by one snapshot; if the rank is too small for the patterns, or "+
		"the fit needs more steps, change that by Options.Epochs or Options.Settings",
		"%.1f%% of %d predictions are nearest to %s, and chance is %.1f%%; it takes %.1f%%",
		100*accuracy, out.rows, pattern, 100/float64(data.states), 100*s.o.Accuracy))
}

func (s *trainee) checkLag(ctx context.Context, n *notes) error {
	data, err := s.learnable()
	if err != nil {
		return err
	}
	t, err := s.training(data, false)
	if err != nil {
		return err
	}
	t.Lag = 2
	fitted, err := s.fitTo(ctx, t)
	if err != nil {
		return err
	}
	out, err := s.apply(ctx, fitted, t.Validation.At(0))
	if err != nil {
		return failed("Predict", err)
	}
	return inCaseOf("at a lag of 2", s.checkForecast(fitted, data, out, 2, n))
}

// inCaseOf is inCase for an error that may be nil.
func inCaseOf(which string, err error) error {
	if err == nil {
		return nil
	}
	return inCase(which, err)
}

// exposureCheck is the check of what a fit sees beyond snapshots, for things that need not see labels.
func exposureCheck(whole string) check[*trainee] {
	return check[*trainee]{"exposure",
		"A fit uses labels or the oracle's encoder only if the description declares it, and refuses to do without what it " +
			"declares",
		"", []string{whole, "repeatable"}, (*trainee).checkExposure}
}

func (s *trainee) checkExposure(ctx context.Context, _ *notes) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	const remedy = "declare the exposure, or look at snapshots alone"
	oracle := projection{s.o.Shape, s.o.States}
	d := s.thing.Describe()
	_, want, err := s.brief(ctx, data, nil)
	if err != nil {
		return err
	}
	if d.Exposure != core.LabelExposed {
		_, got, err := s.brief(ctx, data, data.label)
		if err != nil {
			return inCase("with labels, which are not declared", err)
		}
		if diff := want.difference(got); diff != "" {
			return wrong(remedy, "labels are not declared, and change what %s gives: %s", s.use, diff)
		}
	}
	if d.Exposure != core.OracleExposed {
		_, got, err := s.brief(ctx, data, func(t *core.Training) { t.OracleEmbedding = oracle })
		if err != nil {
			return inCase("with the encoder of an oracle, which is not declared", err)
		}
		if diff := want.difference(got); diff != "" {
			return wrong(remedy, "the oracle's encoder is not declared, and changes what %s gives: %s", s.use, diff)
		}
	}
	if d.Exposure == core.Unexposed {
		return nil
	}
	t, err := s.training(data, true)
	if err != nil {
		return err
	}
	t.TrainLabels, t.ValidationLabels, t.OracleEmbedding = nil, nil, nil
	return refusal{call: fmt.Sprintf("Fit without what the exposure %q declares", d.Exposure), do: func() error {
		_, err := s.fit(ctx, t)
		return err
	}}.check()
}

// spectral returns the long fit and its spectrum.
func (s *trainee) spectral(ctx context.Context) (*longFit, core.Spectral, error) {
	l, err := s.fitLong(ctx)
	if err != nil {
		return nil, nil, err
	}
	spectral, ok := core.As[core.Spectral](l.fitted)
	if !ok {
		return nil, nil, undeclared("model", "Spectral")
	}
	return l, spectral, nil
}

func (s *trainee) checkModelEigenvalues(ctx context.Context, _ *notes) error {
	l, spectral, err := s.spectral(ctx)
	if err != nil {
		return err
	}
	rank := core.ReportOf(l.fitted).Rank
	values := spectral.Eigenvalues()
	if rank > 0 && len(values) > rank {
		return wrong("report the rank of the operator whose eigenvalues these are",
			"there are %d eigenvalues of an operator of rank %d", len(values), rank)
	}
	return checkEigenvalues(values, spectral.Eigenvalues)
}

func (s *trainee) checkModelEigenfunctions(ctx context.Context, _ *notes) error {
	l, spectral, err := s.spectral(ctx)
	if err != nil {
		return err
	}
	r := len(spectral.Eigenvalues())
	if err := s.checkFunctions(ctx, l, r, "LeftEigenfunctions", spectral.LeftEigenfunctions); err != nil {
		return err
	}
	if right, ok := core.As[core.RightSpectral](l.fitted); ok {
		return s.checkFunctions(ctx, l, r, "RightEigenfunctions", right.RightEigenfunctions)
	}
	return nil
}

// checkFunctions checks the values of r eigenfunctions that a model gives.
func (s *trainee) checkFunctions(
	ctx context.Context, l *longFit, r int, call string, of func(context.Context, core.Snapshots) (*mat.CDense, error),
) error {
	values := func(x core.Snapshots) (table, error) {
		m, err := of(ctx, x)
		if err != nil {
			return table{}, failed(call, err)
		}
		if m == nil {
			return table{}, wrong("return a matrix", "%s returned nil", call)
		}
		return complexTable(m), nil
	}
	x, memory, err := floats(l.training.Validation.At(0))
	if err != nil {
		return err
	}
	before := slices.Clone(memory)
	out, err := values(x)
	if err != nil {
		return err
	}
	if err := checkEigenfunctions(call, out, x.Len(), r); err != nil {
		return err
	}
	if !slices.Equal(memory, before) {
		return wrong("work on a copy", "%s changed the snapshots that it was given", call)
	}
	return rowsIndependent(l.data.x, values, call)
}

// mutated fills a matrix with a number that nobody computes, to see who else refers to its memory.
func mutated(m *mat.Dense) {
	if m == nil || m.IsEmpty() {
		return
	}
	m.Apply(func(int, int, float64) float64 { return -12345 }, m)
}
