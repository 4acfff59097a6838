package core

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// This file holds, in one place, the rules that whoever writes a thing would otherwise check again
// and again. Registries and plugins put a guard around every thing; so do the suites of package
// conformance.

// Guard returns the thing with a guard around it, of the same kind and with the same abilities; it
// returns what is guarded already, or is of no kind, as it is. The guard holds these rules:
//
//   - A call whose context has ended returns the context's error.
//   - Fit gets a [Training] that passes [Training.Validate], or an [OperatorTraining] with a lagged
//     pair, and otherwise returns the error. It returns something fitted, or an error.
//   - Predict, Forecast, Embed and Classify return [ErrShape] for snapshots of another shape than
//     those of the fit, and Decode and the predictions of an operator for another number of
//     features. Shapes are not known of what was loaded.
//   - They return an empty result for no snapshots, or no rows, without a call.
//   - Steps below 1 are [ErrOption], and an observable that the fit of an operator did not have is
//     [ErrUnavailable].
//   - A result that is nil, or of another length or shape than it must be, is [ErrContract]; so are
//     labels out of range, and features, predictions of an operator, losses and gradients that are
//     not finite. Whether predicted snapshots are finite is checked once, by the benchmark that
//     scores them.
//   - The views of a [Loss] have one shape, n×d with n and d at least 1; others are [ErrShape], and
//     [ErrNonFinite] for such values.
func Guard(thing any) any { return KindOf(thing).Guard(thing) }

// Guard is [Guard] for a thing of this kind, which may also be of other kinds. It returns other
// things unchanged.
func (k Kind) Guard(thing any) any {
	if i := k.index(); i >= 0 && kinds[i].holds(thing) && !IsNil(thing) {
		return kinds[i].guard(thing)
	}
	return thing
}

// wrapper is a guard. [As] looks through it.
type wrapper interface{ unwrap() any }

// isGuarded reports whether a thing is a guard.
func isGuarded(thing any) bool {
	_, guarded := thing.(wrapper)
	return guarded
}

// IsNil reports whether a thing is nil, or an interface that holds a nil pointer, map, function,
// slice or channel.
func IsNil(thing any) bool {
	v := reflect.ValueOf(thing)
	switch v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Slice, reflect.Chan:
		return v.IsNil()
	default:
		return false
	}
}

// seen is what a fit to snapshots saw; the zero value is for what was loaded, of which nothing is
// known.
type seen struct {
	shape  []int
	states int
}

// guardedFit fits to snapshots, and puts a guard around what comes of it.
func guardedFit[F any](
	ctx context.Context, t *Training, fit func(context.Context, *Training) (F, error), guard func(F, seen) F,
) (F, error) {
	var none F
	if err := ctx.Err(); err != nil {
		return none, err
	}
	if err := t.Validate(); err != nil {
		return none, err
	}
	fitted, err := fit(ctx, t)
	if err != nil {
		return none, err
	}
	if IsNil(fitted) {
		return none, errNeither("Fit")
	}
	return guard(fitted, seen{t.Train.Shape(), t.States}), nil
}

// guardedLoad puts a guard around what is loaded.
func guardedLoad[F any](guard func(F, seen) F, load func() (F, error)) (F, error) {
	var none F
	loaded, err := load()
	if err != nil {
		return none, err
	}
	if IsNil(loaded) {
		return none, errNeither("Load")
	}
	return guard(loaded, seen{}), nil
}

func errNeither(call string) error {
	return fmt.Errorf("%w: %s returned neither a result nor an error; return one of the two", ErrContract, call)
}

// check says why x cannot be used.
func (s seen) check(ctx context.Context, x Snapshots) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.shape != nil && x.Len() > 0 && !slices.Equal(x.shape, s.shape) {
		return fmt.Errorf("%w: snapshots of shape %v; those of the fit had shape %v", ErrShape, x.shape, s.shape)
	}
	return nil
}

// none is what comes of no snapshots x.
func (s seen) none(x Snapshots) (Snapshots, error) {
	if s.shape == nil {
		return x, nil
	}
	return NewSnapshots(nil, s.shape...)
}

// checkSteps returns [ErrOption] for steps below 1.
func checkSteps(steps int) error {
	if steps < 1 {
		return fmt.Errorf("%w: %d steps; the number of steps must be at least 1", ErrOption, steps)
	}
	return nil
}

// checkSnapshots returns [ErrContract] unless a call returned n snapshots of that shape.
func checkSnapshots(call string, got Snapshots, n int, shape []int) error {
	if got.Len() == n && slices.Equal(got.shape, shape) {
		return nil
	}
	return fmt.Errorf("%w: %w: %s returned %d snapshots of shape %v; there must be %d of shape %v",
		ErrContract, ErrShape, call, got.Len(), got.shape, n, shape)
}

// checkMatrix returns [ErrContract] unless a call returned a finite n×d matrix; d < 0 stands for
// any.
func checkMatrix(call string, m *mat.Dense, n, d int) error {
	if m == nil {
		return errNeither(call)
	}
	if rows, columns := m.Dims(); rows != n || d >= 0 && columns != d {
		if d < 0 {
			d = columns
		}
		return fmt.Errorf("%w: %w: %s returned a matrix of %d×%d; it must be %d×%d",
			ErrContract, ErrShape, call, rows, columns, n, d)
	}
	if i, j, finite := findNonFinite(m); !finite {
		return fmt.Errorf("%w: %w: row %d, column %d of what %s returned is %v",
			ErrContract, ErrNonFinite, i, j, call, m.At(i, j))
	}
	return nil
}

// findNonFinite returns where a matrix has a value that is not finite, if it has one.
func findNonFinite(m mat.Matrix) (row, column int, finite bool) {
	n, d := m.Dims()
	dense, quick := m.(*mat.Dense)
	values := make([]float64, d)
	for i := range n {
		if quick {
			values = dense.RawRowView(i)
		} else {
			mat.Row(values, i, m)
		}
		for j, v := range values {
			if v-v != 0 {
				return i, j, false
			}
		}
	}
	return 0, 0, true
}
