package benchmark

import (
	"cmp"
	"context"
	"fmt"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// evaluate rolls the model out over the test snapshots. At each step the judge labels what the model predicts, and a label is
// right if it equals the snapshot's state moved on by the number of steps. Step 0 is never scored.
func (h *harness) evaluate(ctx context.Context, model core.Model, result *RunResult, m *meter, progress core.Progress) (*RunArrays, error) {
	steps := h.Task.Info.Steps
	progress.Phase("evaluation", steps)
	arrays := &RunArrays{}
	ahead, err := predictor(h.Task.Info.Protocol, model)
	if err != nil {
		return nil, err
	}
	x, err := copySnapshots(h.Task.Test) // a method that writes to what it is given must not reach the other runs
	if err != nil {
		return nil, err
	}
	kept, err := h.keepPredictions(result.Key)
	if err != nil {
		return nil, err
	}
	defer kept.discard()
	hash := hashSnapshots(x)
	for step := 1; step <= steps; step++ {
		var next core.Snapshots
		m.measure(&result.PredictSeconds, func() {
			next, err = predict(ctx, x, func(ctx context.Context, x core.Snapshots) (core.Snapshots, error) { return ahead(ctx, x, step) })
		})
		if err != nil {
			return nil, fmt.Errorf("prediction at step %d: %w", step, err)
		}
		if hashSnapshots(x) != hash {
			return nil, fmt.Errorf("prediction at step %d: %w: it changed the snapshots that it was given", step, core.ErrContract)
		}
		labels, err := h.classify(ctx, next)
		if err != nil {
			return nil, fmt.Errorf("at step %d: %w", step, err)
		}
		predicted := hashSnapshots(next)
		if h.Task.Info.Protocol != ProtocolPowers {
			x, hash = next, predicted
		}
		result.PredictionSHA256 = append(result.PredictionSHA256, predicted)
		result.Labels = append(result.Labels, labels)
		if err := kept.add(next, labels); err != nil {
			return nil, err
		}
		result.Accuracy = append(result.Accuracy, accuracy(labels, h.Task.TestLabels, step*h.Task.Info.Lag, h.Task.Info.States))
		arrays.Labels = append(arrays.Labels, labels)
		shown, err := copySnapshots(next.Slice(0, min(RolloutSnapshots, next.Len())))
		if err != nil {
			return nil, err
		}
		arrays.Rollout = append(arrays.Rollout, shown)
		progress.Advance(step)
	}
	return arrays, kept.commit()
}

// predictor returns what gives the predictions of a step: from those of the step before, or from the test snapshots themselves,
// as the protocol says.
func predictor(protocol string, model core.Model) (func(ctx context.Context, x core.Snapshots, step int) (core.Snapshots, error), error) {
	if protocol != ProtocolPowers {
		return func(ctx context.Context, x core.Snapshots, _ int) (core.Snapshots, error) {
			return model.Predict(ctx, x)
		}, nil
	}
	forecaster, ok := core.As[core.Forecaster](model)
	if !ok {
		return nil, fmt.Errorf("%w: its model predicts one step at a time, and the protocol %q needs one that looks several steps ahead by itself; "+
			"run it with the protocol %q", errSkipped, ProtocolPowers, ProtocolReencode)
	}
	return forecaster.Forecast, nil
}

// predict calls the model once, by call, and checks what it returns.
func predict(ctx context.Context, x core.Snapshots, call func(context.Context, core.Snapshots) (core.Snapshots, error)) (_ core.Snapshots, err error) {
	defer core.Recover(&err)
	next, err := call(ctx, x)
	switch {
	case err != nil:
		return next, err
	case !next.SameShape(x):
		return next, fmt.Errorf("%w: it returned snapshots of shape %v for snapshots of shape %v", core.ErrContract, next.Shape(), x.Shape())
	case next.Len() != x.Len():
		return next, fmt.Errorf("%w: it returned %d snapshots for %d", core.ErrContract, next.Len(), x.Len())
	}
	if err := next.CheckFinite(); err != nil {
		return next, fmt.Errorf("%w: %w", core.ErrContract, err)
	}
	return next, nil
}

// copySnapshots copies, so that a part does not hold the whole in memory.
func copySnapshots(x core.Snapshots) (core.Snapshots, error) {
	values := make([]float32, x.Len()*x.Size())
	x.Read(values, 0)
	return core.NewSnapshots(values, x.Shape()...)
}

// spectrum keeps eigenvalues and left eigenfunctions on the test snapshots, where the model has them.
func (h *harness) spectrum(ctx context.Context, model core.Model, result *RunResult, arrays *RunArrays) (err error) {
	defer core.Recover(&err)
	s, ok := core.As[core.Spectral](model)
	if !ok {
		return nil
	}
	values := s.Eigenvalues()
	if len(values) == 0 {
		return nil
	}
	left, err := s.LeftEigenfunctions(ctx, h.Task.Test)
	if err != nil {
		return fmt.Errorf("eigenfunctions: %w", err)
	}
	if err := checkSpectrum(values, left, h.Task.Test.Len()); err != nil {
		return fmt.Errorf("eigenfunctions: %w: %w", core.ErrContract, err)
	}
	for _, v := range values {
		result.Eigenvalues = append(result.Eigenvalues, Complex(v))
	}
	arrays.LeftEigenfunctions = left
	return nil
}

func checkSpectrum(values []complex128, left *mat.CDense, n int) error {
	if rows, columns := left.Dims(); rows != n || columns != len(values) {
		return fmt.Errorf("%w: %d×%d values of eigenfunctions for %d snapshots and %d eigenvalues", core.ErrShape, rows, columns, n, len(values))
	}
	if !slices.IsSortedFunc(values, func(a, b complex128) int { return cmp.Compare(cmplx.Abs(b), cmplx.Abs(a)) }) {
		return fmt.Errorf("eigenvalues %v are not in descending order of modulus", values)
	}
	for _, v := range append(slices.Clone(values), left.RawCMatrix().Data...) {
		if cmplx.IsNaN(v) || cmplx.IsInf(v) {
			return core.ErrNonFinite
		}
	}
	return nil
}
