package check

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

func (s *operating) checkObservable(ctx context.Context, _ *notes) error {
	fitted, err := s.fitAnew(ctx, s.system, func(t *core.OperatorTraining) { t.Observable = nil })
	if err != nil {
		return inCase("without an observable", err)
	}
	z := s.system.probes(3)
	if _, err := fitted.Predict(ctx, z, 1); err != nil {
		return inCase("without an observable", failed("Predict", err))
	}
	return refusal{"PredictObservable after a fit without an observable", core.ErrUnavailable, func() error {
		_, err := fitted.PredictObservable(ctx, z, 1)
		return err
	}, ""}.check()
}

func (s *operating) checkSteady(ctx context.Context, _ *notes) error {
	fitted, err := s.fit(ctx)
	if err != nil {
		return err
	}
	first, err := s.probe(ctx, fitted)
	if err != nil {
		return err
	}
	again, err := s.probe(ctx, fitted)
	if err != nil {
		return err
	}
	if diff := first.difference(again); diff != "" {
		return wrong(steadyRemedy, "a second call of Predict with the same features gave something else: %s", diff)
	}
	return nil
}

func (s *operating) checkRows(ctx context.Context, _ *notes) error {
	fitted, err := s.fit(ctx)
	if err != nil {
		return err
	}
	return matrixRowsIndependent(s.system.probes(60), "Predict", func(z *mat.Dense) (table, error) {
		out, err := forecast(ctx, fitted, z, 2)
		return out, failed("Predict", err)
	})
}

// matrixRowsIndependent checks that what compute gives for a row depends on that row alone, up to [core.RowTolerance].
func matrixRowsIndependent(z *mat.Dense, call string, compute func(z *mat.Dense) (table, error)) error {
	n, d := z.Dims()
	whole, err := compute(mat.DenseCopyOf(z))
	if err != nil {
		return err
	}
	reversed := interval(0, n)
	slices.Reverse(reversed)
	for _, indices := range [][]int{{0}, {n - 1}, interval(1, 4), interval(3, n), reversed} {
		some := matrixTable(z).pick(indices)
		got, err := compute(mat.NewDense(len(indices), d, some.values))
		if err != nil {
			return err
		}
		if diff := whole.pick(indices).apart(got); diff != "" {
			return wrong(
				"compute every row by itself: no statistics over the rows of a call, nothing kept between calls, no chance",
				"%s of %d rows, alone or in another order, and among %d: %s", call, len(indices), n, diff)
		}
	}
	return nil
}

func (s *operating) checkAnyMatrix(ctx context.Context, _ *notes) error {
	fitted, want, err := s.fitAndProbe(ctx, s.system, nil)
	if err != nil {
		return err
	}
	const remedy = "read a mat.Matrix by Dims and At, or copy it by mat.DenseCopyOf"
	z := s.system.probes(6)
	dense, err := forecast(ctx, fitted, z, 2)
	if err != nil {
		return failed("Predict", err)
	}
	other, err := forecast(ctx, fitted, plain{z}, 2)
	if err != nil {
		return inCase("for a matrix that is no *mat.Dense", failed("Predict", err))
	}
	if d := dense.distance(other, double); d != "" {
		return wrong(remedy, "Predict for a *mat.Dense and for another matrix: %s", d)
	}
	_, got, err := s.fitAndProbe(ctx, s.system, func(t *core.OperatorTraining) {
		t.Features, t.Observable = plain{t.Features}, plain{t.Observable}
	})
	if err != nil {
		return inCase("for matrices that are no *mat.Dense", err)
	}
	if d := want.distance(got, double); d != "" {
		return wrong(remedy, "Predict after fits to *mat.Dense and to other matrices: %s", d)
	}
	return nil
}

func (s *operating) checkNewResults(ctx context.Context, _ *notes) error {
	fitted, err := s.fit(ctx)
	if err != nil {
		return err
	}
	want, err := s.probe(ctx, fitted)
	if err != nil {
		return err
	}
	for _, predict := range []func(context.Context, mat.Matrix, int) (*mat.Dense, error){fitted.Predict,
		fitted.PredictObservable} {
		out, err := predict(ctx, s.system.probes(6), 1)
		if err != nil {
			return failed("Predict", err)
		}
		mutated(out)
	}
	got, err := s.probe(ctx, fitted)
	if err != nil {
		return err
	}
	if d := want.difference(got); d != "" {
		return wrong("return memory that nothing else refers to",
			"after the caller wrote to a prediction, the next one differs: %s", d)
	}
	return nil
}

func (s *operating) checkInputs(ctx context.Context, _ *notes) error {
	t, err := s.training(s.system)
	if err != nil {
		return err
	}
	given := *t
	fitted, err := s.fitTo(ctx, &given)
	if err != nil {
		return err
	}
	const remedy = "work on a copy: matrices belong to the caller"
	for _, m := range []struct {
		name      string
		got, want mat.Matrix
	}{{"features", t.Features, s.system.features}, {"observable", t.Observable, s.system.observable}} {
		if d := matrixTable(m.want).difference(matrixTable(m.got)); d != "" {
			return wrong(remedy, "Fit changed the %s that it was given: %s", m.name, d)
		}
	}
	z := s.system.probes(5)
	if _, err := fitted.Predict(ctx, z, 2); err != nil {
		return failed("Predict", err)
	}
	if _, err := fitted.PredictObservable(ctx, z, 2); err != nil {
		return failed("PredictObservable", err)
	}
	if d := matrixTable(s.system.probes(5)).difference(matrixTable(z)); d != "" {
		return wrong(remedy, "Predict changed the matrix that it was given: %s", d)
	}
	return nil
}

func (s *operating) checkKeeps(ctx context.Context, _ *notes) error {
	var memory []*mat.Dense
	fitted, before, err := s.fitAndProbe(ctx, s.system, func(t *core.OperatorTraining) {
		memory = []*mat.Dense{t.Features.(*mat.Dense), t.Observable.(*mat.Dense)}
	})
	if err != nil {
		return err
	}
	for _, m := range memory {
		mutated(m)
	}
	after, err := s.probe(ctx, fitted)
	if err != nil {
		return err
	}
	if d := before.difference(after); d != "" {
		return wrong("copy what is needed beyond the fit", "Predict before and after the training data were overwritten: %s",
			d)
	}
	return nil
}

func (s *operating) checkRepeatable(ctx context.Context, _ *notes) error {
	_, first, err := s.fitAndProbe(ctx, s.system, nil)
	if err != nil {
		return err
	}
	_, second, err := s.fitAndProbe(ctx, s.system, nil)
	if err != nil {
		return err
	}
	if d := first.difference(second); d != "" {
		return wrong("draw nothing at random, and sum in an order that depends on shapes alone, not on goroutines or maps",
			"Predict after two equal fits: %s", d)
	}
	return nil
}

func (s *operating) checkRefit(ctx context.Context, _ *notes) error {
	first, before, err := s.fitAndProbe(ctx, s.system, nil)
	if err != nil {
		return err
	}
	_, between, err := s.fitAndProbe(ctx, s.other, nil)
	if err != nil {
		return err
	}
	after, err := s.probe(ctx, first)
	if err != nil {
		return err
	}
	_, again, err := s.fitAndProbe(ctx, s.system, nil)
	if err != nil {
		return err
	}
	const remedy = "keep everything that a fit makes in what it returns, and nothing in the value that is fitted"
	if d := before.difference(after); d != "" {
		return wrong(remedy, "predictions of what was fitted first, before and after another fit: %s", d)
	}
	if d := before.difference(again); d != "" {
		return wrong(remedy,
			"predictions after a fit, and after a fit to the same data with a fit to other data between them: %s", d)
	}
	if before.difference(between) == "" {
		return wrong("make every fit anew, or let the key of a cache hold everything that determines a fit",
			"fits to two systems give equal predictions")
	}
	return nil
}

func (s *operating) checkConcurrentFits(ctx context.Context, _ *notes) error {
	systems := []*system{s.system, s.other, s.system}
	var calls []func() error
	want, got := make([]table, len(systems)), make([]table, len(systems))
	var err error
	for i, data := range systems {
		if _, want[i], err = s.fitAndProbe(ctx, data, nil); err != nil {
			return err
		}
		calls = append(calls, func() (err error) {
			_, got[i], err = s.fitAndProbe(ctx, data, nil)
			return err
		})
	}
	if err := together(calls...); err != nil {
		return failed("one of three fits at the same time", err)
	}
	for i := range got {
		if d := want[i].difference(got[i]); d != "" {
			return wrong("share nothing between fits that any of them changes",
				"Predict after a fit alone and after the same beside others: %s", d)
		}
	}
	return nil
}

func (s *operating) checkConcurrentUse(ctx context.Context, _ *notes) error {
	fitted, err := s.fit(ctx)
	if err != nil {
		return err
	}
	want, err := s.probe(ctx, fitted)
	if err != nil {
		return err
	}
	return concurrently("Predict", func() (string, error) {
		got, err := s.probe(ctx, fitted)
		return want.difference(got), err
	})
}

func (s *operating) checkReport(ctx context.Context, n *notes) error {
	fitted, err := s.fit(ctx)
	if err != nil {
		return err
	}
	reporter, ok := core.As[core.Reporter](fitted)
	if !ok {
		return undeclared("fitted operator", "Reporter")
	}
	return checkReport(reporter, s.took, n)
}

func (s *operating) checkOptions(ctx context.Context, n *notes) error {
	d := s.operator.Describe()
	for _, v := range variations(d, s.o.Settings) {
		values := s.o.values(d, true)
		values[v.name] = v.value
		options, err := d.Resolve(values)
		if err != nil {
			return wrong("declare a range whose ends are valid", "%v", err)
		}
		if err := s.try(ctx, fmt.Sprintf("%s=%v", v.name, v.value), s.system.training(options), n); err != nil {
			return err
		}
	}
	return nil
}

// try fits and predicts; see trainee.tryFit.
func (s *operating) try(ctx context.Context, which string, t *core.OperatorTraining, n *notes) error {
	shim := trainee{
		use: "Predict",
		fit: func(ctx context.Context, _ *core.Training) (any, error) { return s.operator.Fit(ctx, t) },
		apply: func(ctx context.Context, fitted any, _ core.Snapshots) (table, error) {
			out, err := fitted.(core.Operator).Predict(ctx, mat.DenseCopyOf(t.Features), 1)
			if err != nil {
				return table{}, err
			}
			return matrixTable(out), nil
		},
	}
	refused, err := shim.tryFit(ctx, &core.Training{})
	if refused != nil {
		n.addf("%s is refused: %v", which, refused)
	}
	return inCaseOf(which, err)
}

func (s *operating) checkUnsuitable(ctx context.Context, n *notes) error {
	constant := mat.NewDense(30, systemDim, nil)
	dependent := mat.DenseCopyOf(s.system.features)
	for i := range systemLength {
		dependent.Set(i, 1, 2*dependent.At(i, 0))
	}
	for _, c := range []struct {
		name     string
		features *mat.Dense
	}{
		{"zeros", constant},
		{"dependent features", dependent},
		{"one pair", mat.DenseCopyOf(s.system.features.Slice(0, 2, 0, systemDim))},
	} {
		t, err := s.training(s.system)
		if err != nil {
			return err
		}
		t.Features, t.Observable = c.features, nil
		if err := s.try(ctx, c.name, t, n); err != nil {
			return err
		}
	}
	return nil
}

func (s *operating) checkErrors(ctx context.Context, _ *notes) error {
	fitted, err := s.fit(ctx)
	if err != nil {
		return err
	}
	withNaN := func(m *mat.Dense) *mat.Dense {
		m.Set(1, 1, math.NaN())
		return m
	}
	var refusals []refusal
	for _, c := range []struct {
		data   string
		kind   error
		change func(t *core.OperatorTraining)
	}{
		{"a trajectory without a lagged pair", core.ErrTooShort, func(t *core.OperatorTraining) {
			t.Features, t.Observable = s.system.probes(3), nil
			t.Lag = 3
		}},
		{"an observable of another length", core.ErrShape, func(t *core.OperatorTraining) {
			t.Observable = mat.NewDense(systemLength-1, systemObservable, nil)
		}},
		{"trajectories whose lengths do not add up to the rows", core.ErrShape, func(t *core.OperatorTraining) {
			t.Lengths = []int{systemLength / 2, systemLength/2 - 1}
		}},
		{"features with a value that is not a number", core.ErrNonFinite, func(t *core.OperatorTraining) {
			t.Features = withNaN(mat.DenseCopyOf(t.Features))
		}},
		{"an observable with a value that is not a number", core.ErrNonFinite, func(t *core.OperatorTraining) {
			t.Observable = withNaN(mat.DenseCopyOf(t.Observable))
		}},
	} {
		t, err := s.training(s.system)
		if err != nil {
			return err
		}
		c.change(t)
		refusals = append(refusals, refusal{"Fit to " + c.data, c.kind, func() error {
			_, err := s.operator.Fit(ctx, t)
			return err
		}, ""})
	}
	for _, c := range []struct {
		call  string
		kind  error
		z     mat.Matrix
		steps int
	}{
		{fmt.Sprintf("Predict for %d features after a fit to %d", systemDim+1, systemDim), core.ErrShape,
			mat.NewDense(2, systemDim+1, nil), 1},
		{"Predict for a value that is not a number", core.ErrNonFinite, withNaN(s.system.probes(3)), 1},
		{"Predict for 0 steps", nil, s.system.probes(3), 0},
	} {
		refusals = append(refusals, refusal{c.call, c.kind, func() error {
			_, err := fitted.Predict(ctx, c.z, c.steps)
			return err
		}, ""})
	}
	return checkRefusals(refusals)
}

func (s *operating) checkCancelledFit(ctx context.Context, _ *notes) error {
	fit := func(ctx context.Context, _ func()) error {
		_, err := s.fitAnew(ctx, s.system, nil)
		return err
	}
	for _, after := range []time.Duration{0, time.Millisecond} {
		if err := (interruption{name: "Fit", grace: s.o.Grace, after: after, call: fit}).check(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *operating) checkCancelledUse(ctx context.Context, _ *notes) error {
	fitted, err := s.fit(ctx)
	if err != nil {
		return err
	}
	for _, p := range []struct {
		name    string
		predict func(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error)
	}{{"Predict", fitted.Predict}, {"PredictObservable", fitted.PredictObservable}} {
		for _, after := range []time.Duration{0, time.Millisecond} {
			i := interruption{name: p.name, grace: s.o.Grace, after: after, strict: after == 0,
				call: func(ctx context.Context, _ func()) error {
					_, err := p.predict(ctx, s.system.probes(2000), 3)
					return err
				}}
			if err := i.check(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}
