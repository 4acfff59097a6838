package broken

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// evaluation is what a loss does.
type evaluation func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error)

// loss is a loss by its evaluation.
type loss struct {
	description func() core.Description
	evaluate    evaluation
}

var _ core.Loss = (*loss)(nil)

func (l *loss) Describe() core.Description { return l.description() }

func (l *loss) Evaluate(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
	return l.evaluate(ctx, x, y, options)
}

func newLoss(describeAs func(core.Description, int) core.Description, change func(evaluation) evaluation) *loss {
	var calls atomic.Int64
	l := &loss{evaluate: distance, description: func() core.Description {
		d := core.Description{
			Name: "reference-loss", Summary: "the distance between the views", Doc: "The mean of ‖x_i − y_i‖ᵖ over the pairs " +
				"of a batch.",
			Options: []core.Option{
				core.BoolOption("halved", false, "divide by two"),
				core.ChoiceOption("power", "the exponent p", "2", "4"),
			},
		}
		if describeAs != nil {
			d = describeAs(d, int(calls.Add(1)))
		}
		return d
	}}
	if change != nil {
		l.evaluate = change(distance)
	}
	return l
}

// distance is the correct evaluation: the mean of ‖x_i − y_i‖ᵖ, p being 2 or 4.
func distance(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
	if err := ctx.Err(); err != nil {
		return core.LossValue{}, err
	}
	n, d := x.Dims()
	if rows, columns := y.Dims(); rows != n || columns != d || n == 0 {
		return core.LossValue{}, fmt.Errorf("%w: views of %d×%d and %d×%d", core.ErrShape, n, d, rows, columns)
	}
	weight := 1 / float64(n)
	if options.Bool("halved") {
		weight /= 2
	}
	v := core.LossValue{GradX: mat.NewDense(n, d, nil), GradY: mat.NewDense(n, d, nil)}
	for i := range n {
		square := 0.0
		for j := range d {
			square += (x.At(i, j) - y.At(i, j)) * (x.At(i, j) - y.At(i, j))
		}
		value, slope := square, 2.0
		if options.String("power") == "4" {
			value, slope = square*square, 4*square
		}
		v.Value += weight * value
		for j := range d {
			g := weight * slope * (x.At(i, j) - y.At(i, j))
			v.GradX.Set(i, j, g)
			v.GradY.Set(i, j, -g)
		}
	}
	if v.Value-v.Value != 0 {
		return core.LossValue{}, fmt.Errorf("%w: the loss is %v", core.ErrNonFinite, v.Value)
	}
	return v, nil
}

// SingleLoss is the correct loss computed in float32, as losses of PyTorch and JAX are.
func SingleLoss() core.Loss {
	return newLoss(nil, func(evaluation) evaluation {
		return func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
			n, _ := x.Dims()
			return singleDistance(ctx, x, y, options, n)
		}
	})
}

// singleDistance is distance in float32 over the first pairs, so many.
func singleDistance(ctx context.Context, x, y mat.Matrix, options core.Options, pairs int) (core.LossValue, error) {
	v, err := distance(ctx, x, y, options)
	if err != nil {
		return v, err
	}
	n, d := x.Dims()
	var sum float32
	v.GradX.Zero()
	v.GradY.Zero()
	for i := range pairs {
		var square float32
		for j := range d {
			difference := float32(x.At(i, j)) - float32(y.At(i, j))
			square += difference * difference
		}
		value, slope := square, float32(2)
		if options.String("power") == "4" {
			value, slope = square*square, 4*square
		}
		if options.Bool("halved") {
			value, slope = value/2, slope/2
		}
		sum += value
		for j := range d {
			g := slope * (float32(x.At(i, j)) - float32(y.At(i, j))) / float32(n)
			v.GradX.Set(i, j, float64(g))
			v.GradY.Set(i, j, -float64(g))
		}
	}
	v.Value = float64(sum / float32(n))
	return v, nil
}

// given breaks what a correct evaluation gives.
func given(change func(x, y mat.Matrix, v *core.LossValue)) func(evaluation) evaluation {
	return func(correct evaluation) evaluation {
		return func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
			v, err := correct(ctx, x, y, options)
			if err == nil {
				change(x, y, &v)
			}
			return v, err
		}
	}
}

func lossCases() []Case {
	const kind = "loss"
	all := []Case{
		{kind, "setup", "nothing at all", nil, nil},
		{kind, "same-outputs", "another implementation that rounds", newLoss(nil, nil),
			newLoss(nil, given(func(_, _ mat.Matrix, v *core.LossValue) { v.Value += small }))},
	}
	for _, how := range sortedKeys(descriptions()) {
		all = append(all, Case{kind, "description", how, newLoss(descriptions()[how], nil), nil})
	}
	add := func(check, how string, change func(evaluation) evaluation) {
		all = append(all, Case{kind, check, how, newLoss(nil, change), nil})
	}
	add("evaluate", "not a number", given(func(_, _ mat.Matrix, v *core.LossValue) { v.Value = math.NaN() }))
	add("evaluate", "no gradient", given(func(_, _ mat.Matrix, v *core.LossValue) { v.GradY = nil }))
	add("evaluate", "panics", func(evaluation) evaluation {
		return func(context.Context, mat.Matrix, mat.Matrix, core.Options) (core.LossValue, error) {
			panic("not today")
		}
	})
	add("gradients", "a sign", given(func(_, _ mat.Matrix, v *core.LossValue) { v.GradY.Scale(-1, v.GradY) }))
	add("gradients", "a factor of n/(n+1)", given(func(x, _ mat.Matrix, v *core.LossValue) {
		n, _ := x.Dims()
		v.GradX.Scale(float64(n)/float64(n+1), v.GradX)
	}))
	add("row-order", "leaves the last pair out", func(correct evaluation) evaluation {
		return func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
			v, err := correct(ctx, x, y, options)
			n, d := x.Dims()
			if err != nil || n == 1 {
				return v, err
			}
			last, err := correct(ctx, mat.DenseCopyOf(x).Slice(n-1, n, 0, d), mat.DenseCopyOf(y).Slice(n-1, n, 0, d), options)
			v.Value -= last.Value / float64(n)
			v.GradX.SetRow(n-1, make([]float64, d))
			v.GradY.SetRow(n-1, make([]float64, d))
			return v, err
		}
	})
	add("row-order", "weighs the first pair by a millionth more", given(func(x, _ mat.Matrix, v *core.LossValue) {
		v.Value += 1e-6 * x.At(0, 0)
		v.GradX.Set(0, 0, v.GradX.At(0, 0)+1e-6)
	}))
	add("row-order", "leaves the last pair out, in float32", func(evaluation) evaluation {
		return func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
			n, _ := x.Dims()
			return singleDistance(ctx, x, y, options, max(1, n-1))
		}
	})
	var calls atomic.Int64
	add("repeatable", "counts its calls", given(func(_, _ mat.Matrix, v *core.LossValue) {
		v.Value += 1e-13 * float64(calls.Add(1))
	}))
	add("new-results", "hands out its own memory", func(correct evaluation) evaluation {
		var kept memory[core.LossValue]
		return func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
			if err := ctx.Err(); err != nil {
				return core.LossValue{}, err
			}
			return kept.get(append(keyOf(x, y), fmt.Sprint(options.Map())...), func() (core.LossValue, error) {
				return correct(ctx, x, y, options)
			})
		}
	})
	add("inputs-unchanged", "writes to a view", given(func(_, y mat.Matrix, _ *core.LossValue) {
		if m, ok := y.(*mat.Dense); ok {
			m.Set(0, 0, -3)
		}
	}))
	add("any-matrix", "takes *mat.Dense only", given(func(x, _ mat.Matrix, _ *core.LossValue) { _ = x.(*mat.Dense) }))
	add("concurrent-use", "cannot evaluate twice at a time", func(correct evaluation) evaluation {
		var inside atomic.Int64
		return func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
			alone := inside.Add(1) == 1
			defer inside.Add(-1)
			time.Sleep(100 * time.Microsecond)
			v, err := correct(ctx, x, y, options)
			if !alone || inside.Load() > 1 {
				v.Value++
			}
			return v, err
		}
	})
	add("degenerate", "not a number for constant views", given(func(x, _ mat.Matrix, v *core.LossValue) {
		if mat.Max(x) == mat.Min(x) {
			v.Value = math.NaN()
		}
	}))
	add("options", "panics for a choice", func(correct evaluation) evaluation {
		return func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
			if options.String("power") == "4" {
				panic("never tried")
			}
			return correct(ctx, x, y, options)
		}
	})
	for how, refused := range map[string]func(text string) bool{
		"panics for an empty text":                func(text string) bool { return text == "" },
		"panics for a text of more than ASCII":    func(text string) bool { return len(text) > len([]rune(text)) },
		"panics for a text that goes up a folder": func(text string) bool { return strings.Contains(text, "..") },
	} {
		l := newLoss(func(d core.Description, _ int) core.Description {
			d.Options = append(d.Options, core.TextOption("path", "x", 60, "file of weights"))
			return d
		}, func(correct evaluation) evaluation {
			return func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
				if refused(options.String("path")) {
					panic("never tried")
				}
				return correct(ctx, x, y, options)
			}
		})
		all = append(all, Case{kind, "options", how, l, nil})
	}
	add("errors", "untyped errors", func(correct evaluation) evaluation {
		return func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
			v, err := correct(ctx, x, y, options)
			if errors.Is(err, core.ErrNonFinite) {
				err = errors.New(err.Error())
			}
			return v, err
		}
	})
	add("cancelled", "succeeds although it is over", func(correct evaluation) evaluation {
		return func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
			return correct(context.WithoutCancel(ctx), x, y, options)
		}
	})
	return all
}
