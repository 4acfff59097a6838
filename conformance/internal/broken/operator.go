package broken

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// operator is ridge regression with parts exchanged.
type operator struct {
	description func() core.Description
	fit         operatorFit
	shelf       shelf[fittedOperator]
}

type operatorFit func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error)

var (
	_ core.EvolutionOperator = (*operator)(nil)
	_ core.OperatorLoader    = (*operator)(nil)
)

func (o *operator) Describe() core.Description { return o.description() }

func (o *operator) Fit(ctx context.Context, t *core.OperatorTraining) (core.Operator, error) {
	f, err := o.fit(ctx, t)
	if f == nil || err != nil {
		return nil, err
	}
	f.shelf = &o.shelf
	return f, nil
}

func (o *operator) Load(_ context.Context, s *core.Saved) (core.Operator, error) {
	f, err := o.shelf.take(s)
	if err != nil {
		return nil, err
	}
	if f.loaded != nil {
		f.loaded(&f)
	}
	return &f, nil
}

func newOperator(describeAs func(core.Description, int) core.Description,
	breakFit func(operatorFit) operatorFit) *operator {
	var calls atomic.Int64
	o := &operator{fit: fitRidge, description: func() core.Description {
		d := linalg.Ridge{}.Describe()
		if describeAs != nil {
			d = describeAs(d, int(calls.Add(1)))
		}
		return d
	}}
	if breakFit != nil {
		o.fit = breakFit(fitRidge)
	}
	return o
}

// forecast is a prediction of features or of the observable.
type forecast func(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error)

type eigenfunction func(ctx context.Context, z mat.Matrix) (*mat.CDense, error)

// fittedOperator is a fitted operator with its parts.
type fittedOperator struct {
	predict, observable forecast
	rank                func() int
	report              func() core.Report
	values              func() []complex128
	left, right         eigenfunction
	loaded              func(*fittedOperator) // the last word after it was saved
	shelf               *shelf[fittedOperator]
}

func (f *fittedOperator) Save(context.Context) (*core.State, error) { return f.shelf.put(f), nil }

var (
	_ core.Operator         = (*fittedOperator)(nil)
	_ core.SpectralOperator = (*fittedOperator)(nil)
	_ core.Reporter         = (*fittedOperator)(nil)
)

func (f *fittedOperator) Predict(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
	return f.predict(ctx, z, steps)
}

func (f *fittedOperator) PredictObservable(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
	return f.observable(ctx, z, steps)
}

func (f *fittedOperator) Rank() int                 { return f.rank() }
func (f *fittedOperator) Report() core.Report       { return f.report() }
func (f *fittedOperator) Eigenvalues() []complex128 { return f.values() }

func (f *fittedOperator) LeftEigenfunctions(ctx context.Context, z mat.Matrix) (*mat.CDense, error) {
	return f.left(ctx, z)
}

func (f *fittedOperator) RightEigenfunctions(ctx context.Context, z mat.Matrix) (*mat.CDense, error) {
	return f.right(ctx, z)
}

func fitRidge(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
	o, err := linalg.Ridge{}.Fit(ctx, t)
	if err != nil {
		return nil, err
	}
	s, _ := core.As[core.SpectralOperator](o)
	return &fittedOperator{
		predict: o.Predict, observable: o.PredictObservable, rank: o.Rank,
		report: func() core.Report { return core.ReportOf(o) },
		values: s.Eigenvalues, left: s.LeftEigenfunctions, right: s.RightEigenfunctions,
	}, nil
}

// afterFit breaks what a correct fit gives.
func afterFit(change func(t *core.OperatorTraining, f *fittedOperator)) func(operatorFit) operatorFit {
	return func(correct operatorFit) operatorFit {
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			f, err := correct(ctx, t)
			if err == nil {
				change(t, f)
			}
			return f, err
		}
	}
}

// observed breaks the prediction of the observable, on which nothing but its value depends.
func observed(f *fittedOperator, change func(z mat.Matrix, out *mat.Dense)) {
	observable := f.observable
	f.observable = func(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
		out, err := observable(ctx, z, steps)
		if err == nil {
			change(z, out)
		}
		return out, err
	}
}

func operatorCases() []Case {
	const kind = "operator"
	all := []Case{
		{kind, "setup", "nothing at all", nil, nil},
		{kind, "same-outputs", "another implementation that rounds", newOperator(nil, nil),
			newOperator(nil, afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
				observed(f, func(_ mat.Matrix, out *mat.Dense) { shift(out, small) })
			}))},
	}
	for _, how := range sortedKeys(descriptions()) {
		all = append(all, Case{kind, "description", how, newOperator(descriptions()[how], nil), nil})
	}
	add := func(check, how string, breakFit func(operatorFit) operatorFit) {
		all = append(all, Case{kind, check, how, newOperator(nil, breakFit), nil})
	}
	operatorFits(add)
	operatorPredictions(add)
	operatorIndependence(add)
	operatorSpectra(add)
	return all
}

type operatorAdder func(check, how string, breakFit func(operatorFit) operatorFit)

func operatorFits(add operatorAdder) {
	add("fit", "panics", func(operatorFit) operatorFit {
		return func(context.Context, *core.OperatorTraining) (*fittedOperator, error) { panic("not today") }
	})
	add("fit", "gives nothing", func(operatorFit) operatorFit {
		return func(context.Context, *core.OperatorTraining) (*fittedOperator, error) { return nil, nil }
	})
	add("fit", "takes features in float64 only", func(correct operatorFit) operatorFit {
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			if t.Precision != 0 {
				return nil, fmt.Errorf("%w: a precision of %v", core.ErrOption, t.Precision)
			}
			return correct(ctx, t)
		}
	})
	add("learns", "runs backwards", func(correct operatorFit) operatorFit {
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			seen := *t
			seen.Features = backwards(t.Features)
			if t.Observable != nil {
				seen.Observable = backwards(t.Observable)
			}
			return correct(ctx, &seen)
		}
	})
	asOne := func(correct operatorFit) operatorFit {
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			one := *t
			one.Lengths = nil
			return correct(ctx, &one)
		}
	}
	add("trajectories", "pairs across the ends", func(correct operatorFit) operatorFit {
		joined := asOne(correct)
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			if _, err := t.PairStarts(); err != nil {
				return nil, err
			}
			return joined(ctx, t)
		}
	})
	add("trajectories", "writes to the lengths", afterFit(func(t *core.OperatorTraining, _ *fittedOperator) {
		clear(t.Lengths)
	}))
	add("errors", "takes lengths that do not add up", func(correct operatorFit) operatorFit {
		joined := asOne(correct)
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			if _, err := t.PairStarts(); errors.Is(err, core.ErrShape) {
				return joined(ctx, t)
			}
			return correct(ctx, t)
		}
	})
	add("lag", "takes no notice of the lag", func(correct operatorFit) operatorFit {
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			seen := *t
			if n, _ := t.Features.Dims(); n > t.Lag {
				seen.Lag = 1
			}
			return correct(ctx, &seen)
		}
	})
	add("any-matrix", "takes *mat.Dense only", func(correct operatorFit) operatorFit {
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			_ = t.Features.(*mat.Dense)
			return correct(ctx, t)
		}
	})
	add("inputs-unchanged", "Fit writes to the features", afterFit(func(t *core.OperatorTraining, _ *fittedOperator) {
		if m, ok := t.Features.(*mat.Dense); ok {
			m.Set(0, 0, -3)
		}
	}))
	add("inputs-unchanged", "PredictObservable writes to the features",
		afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
			observed(f, func(z mat.Matrix, _ *mat.Dense) {
				if m, ok := z.(*mat.Dense); ok {
					m.Set(0, 0, -3)
				}
			})
		}))
	add("keeps-nothing", "looks into the features later", afterFit(func(t *core.OperatorTraining, f *fittedOperator) {
		observed(f, func(_ mat.Matrix, out *mat.Dense) { shift(out, small*t.Features.At(0, 0)) })
	}))
	add("options", "panics for a choice", func(correct operatorFit) operatorFit {
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			if t.Options.String("variant") == string(linalg.Full) {
				panic("never tried")
			}
			return correct(ctx, t)
		}
	})
	add("unsuitable-data", "an untyped error for zeros", func(correct operatorFit) operatorFit {
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			if n, _ := t.Features.Dims(); n > 2 && mat.Norm(t.Features, 1) == 0 {
				return nil, errors.New("nothing to see")
			}
			return correct(ctx, t)
		}
	})
	add("errors", "untyped errors", func(correct operatorFit) operatorFit {
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			f, err := correct(ctx, t)
			if errors.Is(err, core.ErrTooShort) {
				err = errors.New(err.Error())
			}
			return f, err
		}
	})
	add("cancelled-fit", "goes on when it is over", func(correct operatorFit) operatorFit {
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			if ctx.Err() != nil {
				time.Sleep(Late)
			}
			return correct(ctx, t)
		}
	})
}

func backwards(m mat.Matrix) *mat.Dense {
	n, d := m.Dims()
	r := mat.NewDense(n, d, nil)
	r.Apply(func(i, j int, _ float64) float64 { return m.At(n-1-i, j) }, r)
	return r
}

func operatorPredictions(add operatorAdder) {
	add("prediction", "a column less", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		observable := f.observable
		f.observable = func(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
			out, err := observable(ctx, z, steps)
			if err != nil {
				return nil, err
			}
			n, p := out.Dims()
			return out.Slice(0, n, 0, p-1).(*mat.Dense), nil
		}
	}))
	add("prediction", "not a number", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		observed(f, func(_ mat.Matrix, out *mat.Dense) { out.Set(0, 0, math.NaN()) })
	}))
	add("rank", "a rank beyond the features", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		f.rank = func() int { return 5 }
	}))
	add("observable", "an untyped error where there is none", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		observable := f.observable
		f.observable = func(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
			out, err := observable(ctx, z, steps)
			if errors.Is(err, core.ErrUnavailable) {
				err = errors.New(err.Error())
			}
			return out, err
		}
	}))
	add("same-again", "adds something else at every call", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		var calls atomic.Int64
		observed(f, func(_ mat.Matrix, out *mat.Dense) { shift(out, small*float64(calls.Add(1))) })
	}))
	add(core.RowIndependence, "takes single rows in another way",
		afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
			observed(f, func(z mat.Matrix, out *mat.Dense) {
				if n, _ := z.Dims(); n == 1 {
					shift(out, small)
				}
			})
		}))
	add("new-results", "hands out its own memory", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		var kept memory[*mat.Dense]
		observable := f.observable
		f.observable = func(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			return kept.get(append(keyOf(z), byte(steps)), func() (*mat.Dense, error) { return observable(ctx, z, steps) })
		}
	}))
	for _, how := range sortedKeys(reports()) {
		add("report", how, afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
			f.report = reporting(reports()[how], f.report)
		}))
	}
	add("errors", "takes 0 steps for 1", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		predict := f.predict
		f.predict = func(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
			return predict(ctx, z, max(1, steps))
		}
	}))
	add("saved", "forgets what it predicts of the observable", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		f.loaded = func(f *fittedOperator) { f.observable = f.predict }
	}))
	add("cancelled-use", "succeeds although it is over", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		observable := f.observable
		f.observable = func(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
			return observable(context.WithoutCancel(ctx), z, steps)
		}
	}))
}

func operatorIndependence(add operatorAdder) {
	var fits atomic.Int64
	add("repeatable", "counts its fits", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		by := 1e-9 * float64(fits.Add(1))
		observed(f, func(_ mat.Matrix, out *mat.Dense) { shift(out, by) })
	}))
	var shared atomic.Uint64 // bits of a number
	add("refit", "all that it fitted share a number", afterFit(func(t *core.OperatorTraining, f *fittedOperator) {
		n, _ := t.Features.Dims()
		shared.Store(math.Float64bits(small * t.Features.At(min(5, n-1), 0)))
		observed(f, func(_ mat.Matrix, out *mat.Dense) { shift(out, math.Float64frombits(shared.Load())) })
	}))
	var inside atomic.Int64
	add("concurrent-fits", "cannot fit two at a time", func(correct operatorFit) operatorFit {
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			alone := inside.Add(1) == 1
			defer inside.Add(-1)
			time.Sleep(5 * time.Millisecond)
			alone = alone && inside.Load() == 1
			f, err := correct(ctx, t)
			if err == nil && !alone {
				observed(f, func(_ mat.Matrix, out *mat.Dense) { shift(out, small) })
			}
			return f, err
		}
	})
	add("concurrent-use", "cannot predict twice at a time", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		var inside atomic.Int64
		observed(f, func(_ mat.Matrix, out *mat.Dense) {
			alone := inside.Add(1) == 1
			defer inside.Add(-1)
			time.Sleep(time.Millisecond)
			if !alone || inside.Load() > 1 {
				shift(out, small)
			}
		})
	}))
}

func operatorSpectra(add operatorAdder) {
	add("eigenvalues", "the other one of a pair first", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		values := f.values
		f.values = func() []complex128 {
			v := slices.Clone(values())
			for i := 0; i+1 < len(v); i += 2 {
				v[i], v[i+1] = v[i+1], v[i]
			}
			return v
		}
	}))
	add("known-eigenvalues", "all too small", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		values := f.values
		f.values = func() []complex128 {
			v := slices.Clone(values())
			for i := range v {
				v[i] *= 0.9
			}
			return v
		}
	}))
	add("eigenfunctions", "a column less", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		f.left = narrowed(f.left)
	}))
	add("linear", "not quite linear", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		observed(f, func(z mat.Matrix, out *mat.Dense) {
			n, _ := out.Dims()
			for i := range n {
				out.Set(i, 0, out.At(i, 0)+small*math.Sin(z.At(i, 0)))
			}
		})
	}))
	add("steps", "more in two steps than in one and one", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		observable := f.observable
		f.observable = func(ctx context.Context, z mat.Matrix, steps int) (*mat.Dense, error) {
			out, err := observable(ctx, z, steps)
			if err == nil && steps > 1 {
				out.Scale(1+small, out)
			}
			return out, err
		}
	}))
	add("eigenvectors", "left vectors of another length", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		f.left = times(2, f.left)
	}))
	add("eigenvectors", "right vectors of another length", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		f.right = times(2, f.right)
	}))
	add("eigenvectors", "the left ones are the right ones", afterFit(func(_ *core.OperatorTraining, f *fittedOperator) {
		f.left = f.right
	}))
}

// times multiplies eigenfunctions.
func times(factor complex128, f eigenfunction) eigenfunction {
	return func(ctx context.Context, z mat.Matrix) (*mat.CDense, error) {
		values, err := f(ctx, z)
		if err != nil {
			return nil, err
		}
		n, r := values.Dims()
		for i := range n {
			for j := range r {
				values.Set(i, j, factor*values.At(i, j))
			}
		}
		return values, nil
	}
}
