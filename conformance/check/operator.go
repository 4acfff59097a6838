package check

import (
	"context"
	"sync"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Operator runs all checks of an evolution operator. Nil options are the defaults.
func Operator(ctx context.Context, operator core.EvolutionOperator, o *Options) Report {
	return NewOperator(operator, o).RunAll(ctx)
}

// NewOperator returns a session that runs the checks of an evolution operator one by one. Nil
// options are the defaults.
func NewOperator(operator core.EvolutionOperator, o *Options) *Session {
	return newSession(core.KindOperator, operator, o, operatorChecks(), func(o Options) *operating {
		return newOperating(operator, o)
	})
}

// operating is an evolution operator and the systems that it is fitted to.
type operating struct {
	o             Options
	operator      core.EvolutionOperator
	system, other *system

	mu     sync.Mutex
	fitted core.Operator
	took   time.Duration
}

func newOperating(operator core.EvolutionOperator, o Options) *operating {
	return &operating{
		o: o, operator: operator,
		system: newSystem("system", [2]float64{0.5, 1.3}), other: newSystem("other", [2]float64{0.9, 2}),
	}
}

// training returns what a fit sees.
func (s *operating) training(data *system) (*core.OperatorTraining, error) {
	options, err := s.operator.Describe().Resolve(s.o.Settings)
	if err != nil {
		return nil, err
	}
	return data.training(options), nil
}

func (s *operating) fitTo(ctx context.Context, t *core.OperatorTraining) (core.Operator, error) {
	fitted, err := s.operator.Fit(ctx, t)
	if err != nil {
		return nil, failed("Fit", err)
	}
	if core.IsNil(fitted) {
		return nil, wrong("return one of the two", "Fit returned neither an operator nor an error")
	}
	return fitted, nil
}

// fit returns the operator of the system, which is fitted once.
func (s *operating) fit(ctx context.Context) (core.Operator, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fitted != nil {
		return s.fitted, nil
	}
	start := time.Now()
	fitted, err := s.fitAnew(ctx, s.system, nil)
	s.fitted, s.took = fitted, time.Since(start)
	return fitted, err
}

// fitAnew fits to a system, in another way if change is not nil.
func (s *operating) fitAnew(ctx context.Context, data *system, change func(t *core.OperatorTraining)) (core.Operator,
	error) {
	t, err := s.training(data)
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(t)
	}
	return s.fitTo(ctx, t)
}

// forecast returns the features and the observable that are predicted from z, side by side. It hands out copies of z.
func forecast(ctx context.Context, o core.Operator, z mat.Matrix, steps int) (table, error) {
	given := func() mat.Matrix {
		if m, ok := z.(*mat.Dense); ok {
			return mat.DenseCopyOf(m)
		}
		return z
	}
	features, err := o.Predict(ctx, given(), steps)
	if err != nil {
		return table{}, err
	}
	observable, err := o.PredictObservable(ctx, given(), steps)
	if err != nil {
		return table{}, err
	}
	if features == nil || observable == nil {
		return table{}, wrong("return a matrix", "a prediction is nil, without an error")
	}
	n, d := features.Dims()
	rows, p := observable.Dims()
	if rows != n {
		return table{}, wrong("return a row for each row", "there are %d rows of features and %d of the observable", n, rows)
	}
	var both mat.Dense
	both.Augment(features, observable)
	t := matrixTable(&both)
	t.columns = d + p
	return t, nil
}

// probe returns what a fitted operator predicts for a few rows, one and three steps on.
func (s *operating) probe(ctx context.Context, fitted core.Operator) (table, error) {
	var all table
	for _, steps := range []int{1, 3} {
		out, err := forecast(ctx, fitted, s.system.probes(6), steps)
		if err != nil {
			return table{}, failed("Predict", err)
		}
		all = table{all.rows + out.rows, out.columns, append(all.values, out.values...)}
	}
	return all, nil
}

// fitAndProbe fits to a system and returns what is predicted right after.
func (s *operating) fitAndProbe(ctx context.Context, data *system,
	change func(t *core.OperatorTraining)) (core.Operator, table, error) {
	fitted, err := s.fitAnew(ctx, data, change)
	if err != nil {
		return nil, table{}, err
	}
	out, err := s.probe(ctx, fitted)
	return fitted, out, err
}

const (
	predictionSound = "prediction"
	linearAbility   = "SpectralOperator"
)

func operatorChecks() []check[*operating] {
	sound, repeats := []string{predictionSound}, []string{predictionSound, "repeatable"}
	steady := []string{predictionSound, steadyCheck}
	return []check[*operating]{
		{"fit", "Fit succeeds on a trajectory of a stable linear system, whatever the Precision of its features", "", nil,
			(*operating).checkFit},
		{predictionSound, "Predict gives finite n×d features, and PredictObservable a finite n×p observable, for one step " +
			"and for more",
			"", []string{"fit"}, (*operating).checkPrediction},
		{"rank", "Rank is in 0 … d and the same at every call", "", []string{"fit"}, (*operating).checkRank},
		{"learns", "Predictions 1 and 5 steps on for the trajectory of a linear system are right to 5%", "", sound,
			(*operating).checkLearns},
		{"lag", "A fit at a lag of 2 predicts two rows on in a step", "", []string{"learns"}, (*operating).checkLag},
		{trajectoriesCheck, "A fit to several trajectories learns from no pair of rows that crosses the end of one; " +
			"or it returns ErrUnavailable",
			"", []string{"lag"}, (*operating).checkTrajectories},
		{"observable",
			"Without an observable PredictObservable returns ErrUnavailable, and features are predicted all the same",
			"", sound, (*operating).checkObservable},
		{steadyCheck, "Predict gives the same bits when it is called again with the same features", "", sound,
			(*operating).checkSteady},
		{core.RowIndependence, "Predictions for a row are the same whatever other rows there are, in whatever order", "",
			steady, (*operating).checkRows},
		{"any-matrix", "Matrices that are no *mat.Dense give the same results, but for rounding, in fits and in predictions",
			"", repeats, (*operating).checkAnyMatrix},
		{"new-results", "Predict returns a new matrix, which the caller may write to", "", steady,
			(*operating).checkNewResults},
		{"inputs-unchanged", "Fit and Predict do not change the matrices that they are given", "", steady,
			(*operating).checkInputs},
		{"keeps-nothing", "A fitted operator refers no more to the training data: it predicts the same after their memory " +
			"is overwritten",
			"", []string{predictionSound, "inputs-unchanged"}, (*operating).checkKeeps},
		{"repeatable", "Two fits to equal data are equal to the bit", "", steady, (*operating).checkRepeatable},
		{"refit", "Fitting twice is independent: a fit to other data is another one, and leaves earlier and later fits as " +
			"they are", "", repeats, (*operating).checkRefit},
		{"concurrent-fits", "Fits at the same time give the same bits as one after the other", "", append(repeats, "refit"),
			(*operating).checkConcurrentFits},
		{"concurrent-use", "Predict gives the same bits when several goroutines call it", "", []string{core.RowIndependence},
			(*operating).checkConcurrentUse},
		{"report", "A report has a rank, numbers of parameters and seconds of at least 0, epochs numbered from 1 with " +
			"finite training losses, and is the same at every call",
			"Reporter", []string{"fit"}, (*operating).checkReport},
		{"options", "Fit takes every value of the declared options that is tried (switches, choices, texts, " +
			"least numbers), or returns an error of package core",
			"", sound, (*operating).checkOptions},
		{"unsuitable-data", "Features that are constant, dependent or more than the pairs give an error of package core or " +
			"finite predictions, never a panic",
			"", sound, (*operating).checkUnsuitable},
		{"errors", "Fit returns ErrTooShort without a lagged pair, ErrShape for an observable of another length and " +
			"for lengths of trajectories that do not add up, and ErrNonFinite; Predict " +
			"ErrShape for another number of features, ErrNonFinite, and an error for 0 steps",
			"", sound, (*operating).checkErrors},
		{"cancelled-fit", "Fit returns soon after its context ends", "", []string{"fit"}, (*operating).checkCancelledFit},
		{"cancelled-use", "Predict and PredictObservable return the context's error soon after the context ends", "", sound,
			(*operating).checkCancelledUse},
		{"saved", "Predictions are the same bits after the operator has been saved and loaded", "Saver", steady,
			(*operating).checkSaved},
		{"eigenvalues", "Eigenvalues are finite, as many as the rank, in descending order of modulus, conjugate pairs side " +
			"by side, and the same at every call",
			linearAbility, []string{"fit", "rank"}, (*operating).checkEigenvalues},
		{"known-eigenvalues", "The eigenvalues of a known linear system are found to 0.05", linearAbility,
			[]string{"learns", "eigenvalues"}, (*operating).checkKnownEigenvalues},
		{"eigenfunctions", "Eigenfunctions are n×r finite values, each row dependent on its features alone", linearAbility,
			[]string{"eigenvalues"}, (*operating).checkEigenfunctions},
		{"linear", "Predictions are affine in the features, as those of an operator with a spectrum are", linearAbility,
			steady, (*operating).checkLinear},
		{"steps", "A prediction for n steps equals n predictions for one", linearAbility, []string{"linear"},
			(*operating).checkSteps},
		{"eigenvectors", "Right vectors have unit length, left ones are scaled by Σ l_j w_j = 1, and one step multiplies " +
			"both by their eigenvalue",
			linearAbility, []string{"linear", "eigenfunctions", "known-eigenvalues"}, (*operating).checkEigenvectors},
		sameOutputs(func(s *operating) (any, Options) { return s.operator, s.o }, predictionSound),
	}
}

func (s *operating) checkFit(ctx context.Context, _ *notes) error {
	if _, err := s.fit(ctx); err != nil {
		return err
	}
	_, err := s.fitAnew(ctx, s.system, func(t *core.OperatorTraining) { t.Precision = 0x1p-23 })
	return inCaseOf("with a Precision of 2⁻²³", err)
}

func (s *operating) checkPrediction(ctx context.Context, _ *notes) error {
	fitted, err := s.fit(ctx)
	if err != nil {
		return err
	}
	const n = 7
	for _, steps := range []int{1, 5} {
		for _, p := range []struct {
			name    string
			predict func(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error)
			columns int
		}{{"Predict", fitted.Predict, systemDim}, {"PredictObservable", fitted.PredictObservable, systemObservable}} {
			out, err := p.predict(ctx, s.system.probes(n), steps)
			if err != nil {
				return failed(p.name, err)
			}
			if out == nil {
				return wrong("return a matrix", "%s returned neither a matrix nor an error", p.name)
			}
			if rows, columns := out.Dims(); rows != n || columns != p.columns {
				return wrong("return a row for each row, and all columns", "%s of %d steps returned %d×%d values; it must be %d×%d",
					p.name, steps, rows, columns, n, p.columns)
			}
			if where := matrixTable(out).nonFinite(); where != "" {
				return wrong("return an error that wraps core.ErrNonFinite instead", "%s of %d steps: %s", p.name, steps, where)
			}
		}
	}
	return nil
}

func (s *operating) checkRank(ctx context.Context, _ *notes) error {
	fitted, err := s.fit(ctx)
	if err != nil {
		return err
	}
	switch r := fitted.Rank(); {
	case r < 0 || r > systemDim:
		return wrong("return the rank of the operator on the features", "Rank is %d for %d features; it must be in 0 … %d", r,
			systemDim, systemDim)
	case fitted.Rank() != r:
		return wrong("return a constant", "Rank is %d, and then %d", r, fitted.Rank())
	}
	return nil
}

// learned is the largest relative error of predictions that count as right.
const learned = 0.05

func (s *operating) checkLearns(ctx context.Context, n *notes) error {
	fitted, err := s.fit(ctx)
	if err != nil {
		return err
	}
	for _, steps := range []int{1, 5} {
		if err := s.checkForecast(ctx, fitted, steps, 1, n); err != nil {
			return err
		}
	}
	return nil
}

// checkForecast checks predictions of an operator fitted at a lag.
func (s *operating) checkForecast(ctx context.Context, fitted core.Operator, steps, lag int, n *notes) error {
	z := mat.DenseCopyOf(s.system.features.Slice(0, systemLength/2, 0, systemDim))
	want := s.system.after(z, steps*lag)
	var wantObservable mat.Dense
	wantObservable.Mul(want, s.system.observe)
	got, err := fitted.Predict(ctx, z, steps)
	if err != nil {
		return failed("Predict", err)
	}
	gotObservable, err := fitted.PredictObservable(ctx, z, steps)
	if err != nil {
		return failed("PredictObservable", err)
	}
	for _, p := range []struct {
		name      string
		got, want mat.Matrix
	}{{"features", got, want}, {"observable", gotObservable, &wantObservable}} {
		e := relativeError(p.got, p.want)
		n.addf("%d steps at a lag of %d: the relative error of the %s is %.2g", steps, lag, p.name, e)
		if e <= learned {
			continue
		}
		return unjudged(fitted, wrong("look for a shift by one row, or a transposed operator; weaken a strong "+
			"regularisation by Options.Settings",
			"the prediction of the %s %d steps on, at a lag of %d, has a relative error of %.3g; at most %g is right", p.name,
			steps, lag, e, learned))
	}
	return nil
}

func (s *operating) checkLag(ctx context.Context, n *notes) error {
	fitted, err := s.fitAnew(ctx, s.system, func(t *core.OperatorTraining) { t.Lag = 2 })
	if err != nil {
		return err
	}
	return s.checkForecast(ctx, fitted, 1, 2, n)
}
