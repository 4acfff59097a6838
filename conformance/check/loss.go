package check

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Loss runs all checks of a loss. Nil options are the defaults.
func Loss(ctx context.Context, l core.Loss, o *Options) Report { return NewLoss(l, o).RunAll(ctx) }

// NewLoss returns a session that runs the checks of a loss one by one. Nil options are the
// defaults.
func NewLoss(l core.Loss, o *Options) *Session {
	return newSession(core.KindLoss, l, o, lossChecks(), func(o Options) *scoring { return newScoring(l, o) })
}

// scoring is a loss and the views it is evaluated on.
type scoring struct {
	o    Options
	loss core.Loss
}

func newScoring(l core.Loss, o Options) *scoring { return &scoring{o, l} }

// size is that of a view, n×d.
type size struct{ n, d int }

// sizes are from small batches to those with more rows than any usual block.
func (s *scoring) sizes() []size { return []size{{2, 1}, {3, 4}, {8, 4}, {33, 4}, {64, 6}} }

// usual is a batch in which nothing is degenerate.
var usual = size{33, 4}

// pair is the two views of a batch.
type pair struct{ x, y *mat.Dense }

func (p pair) clone() pair { return pair{mat.DenseCopyOf(p.x), mat.DenseCopyOf(p.y)} }

// views returns views whose entries are of the order of one, the second being related to the first,
// as features of successors are.
func (s *scoring) views(z size, name string) pair {
	random := core.NewStream(0, "conformance", name)
	x, noise := gaussian(random.NormFloat64, z.n, z.d), gaussian(random.NormFloat64, z.n, z.d)
	var y mat.Dense
	y.Mul(x, gaussian(random.NormFloat64, z.d, z.d))
	y.Scale(1/math.Sqrt(float64(z.d)), &y)
	noise.Scale(0.3, noise)
	y.Add(&y, noise)
	x.Scale(0.5, x)
	y.Scale(0.5, &y)
	return pair{x, &y}
}

func (s *scoring) evaluate(ctx context.Context, v pair) (core.LossValue, error) {
	options, err := s.loss.Describe().Resolve(s.o.Settings)
	if err != nil {
		return core.LossValue{}, err
	}
	return s.loss.Evaluate(ctx, v.x, v.y, options)
}

// lossTable is a value and both gradients in one row.
func lossTable(v core.LossValue) table {
	t := table{1, 0, []float64{v.Value}}
	for _, g := range []*mat.Dense{v.GradX, v.GradY} {
		if g != nil && !g.IsEmpty() {
			t.values = append(t.values, matrixTable(g).values...)
		}
	}
	t.columns = len(t.values)
	return t
}

// sound checks that value and gradients of a batch are there and finite.
func sound(v core.LossValue, z size) error {
	if v.Value-v.Value != 0 {
		return wrong("return an error that wraps core.ErrNonFinite, or treat the case as degenerate",
			"the value is %v for views of %d×%d", v.Value, z.n, z.d)
	}
	for i, g := range []*mat.Dense{v.GradX, v.GradY} {
		name := []string{"GradX", "GradY"}[i]
		if g == nil {
			return wrong("return the derivatives by both views", "%s is nil", name)
		}
		if rows, columns := g.Dims(); rows != z.n || columns != z.d {
			return wrong("return a derivative for each entry of the view", "%s is %d×%d for views of %d×%d", name, rows,
				columns, z.n, z.d)
		}
		if where := matrixTable(g).nonFinite(); where != "" {
			return wrong("return an error that wraps core.ErrNonFinite, or treat the case as degenerate",
				"%s of views of %d×%d: %s", name, z.n, z.d, where)
		}
	}
	return nil
}

const evaluates = "evaluate"

func lossChecks() []check[*scoring] {
	needed := []string{evaluates}
	return []check[*scoring]{
		{evaluates, "Evaluate gives a finite value and finite n×d gradients", "", nil, (*scoring).checkEvaluate},
		{"gradients", "Gradients are the derivatives of the value, by central differences, for batches from 2 to 64 rows " +
			"and for every switch and choice of the options",
			"", needed, (*scoring).checkGradients},
		{"row-order", "The value does not depend on the order of the pairs in a batch, and gradients are reordered " +
			"with them, but for the rounding of float64, or of float32 in a loss that computes in it",
			"", needed, (*scoring).checkOrder},
		{"repeatable", "Evaluating twice gives the same bits", "", needed, (*scoring).checkRepeatable},
		{"new-results", "Gradients are new matrices, which the caller may write to", "", []string{evaluates, "repeatable",
			"inputs-unchanged"}, (*scoring).checkNewResults},
		{"inputs-unchanged", "Evaluate does not change the views", "", needed, (*scoring).checkInputs},
		{"any-matrix", "Views that are no *mat.Dense give the same results, but for rounding", "",
			[]string{evaluates, "repeatable"}, (*scoring).checkAnyMatrix},
		{"concurrent-use", "Evaluate gives the same bits when several goroutines call it", "",
			[]string{evaluates, "repeatable", "inputs-unchanged"}, (*scoring).checkConcurrentUse},
		{"degenerate", "Views that are constant, zero, equal, of deficient rank or of one row give a finite value and " +
			"finite gradients, or ErrShape for one row",
			"", needed, (*scoring).checkDegenerate},
		{"options", "Evaluate takes every value of the declared options that is tried (switches, choices, texts, " +
			"least numbers), or returns an error of package core",
			"", needed, (*scoring).checkOptions},
		{"errors",
			"Evaluate returns ErrShape for views of different shapes or without rows, and ErrNonFinite for such values", "",
			needed, (*scoring).checkErrors},
		{"cancelled", "Evaluate returns the context's error soon after the context ends", "", needed,
			(*scoring).checkCancelled},
		sameOutputs(func(s *scoring) (any, Options) { return s.loss, s.o }, evaluates),
	}
}

func (s *scoring) checkEvaluate(ctx context.Context, n *notes) error {
	for _, z := range s.sizes() {
		v, err := s.evaluate(ctx, s.views(z, evaluates))
		if err != nil {
			return inCase(fmt.Sprintf("for views of %d×%d", z.n, z.d), failed("Evaluate", err))
		}
		if err := sound(v, z); err != nil {
			return err
		}
		for _, warning := range v.Warnings {
			n.addf("views of %d×%d: it warns: %s", z.n, z.d, warning)
		}
	}
	return nil
}

func (s *scoring) checkOrder(ctx context.Context, n *notes) error {
	v := s.views(usual, "order")
	order := interval(0, usual.n)
	core.NewStream(0, "conformance", "permutation").Shuffle(usual.n, func(i, j int) {
		order[i], order[j] = order[j], order[i]
	})
	want, err := s.evaluate(ctx, v.clone())
	if err != nil {
		return failed("Evaluate", err)
	}
	value, gradX, gradY := want.Value, mat.DenseCopyOf(want.GradX), mat.DenseCopyOf(want.GradY)
	permuted := func(m *mat.Dense) *mat.Dense {
		return mat.NewDense(usual.n, usual.d, matrixTable(m).pick(order).values)
	}
	got, err := s.evaluate(ctx, pair{permuted(v.x), permuted(v.y)})
	if err != nil {
		return failed("Evaluate", err)
	}
	disorder := func(p precision) error {
		const remedy = "treat a batch as a set of pairs: epochs shuffle them"
		if !p.alike(math.Abs(got.Value-value), math.Abs(value)) {
			return wrong(remedy, "the value of a batch is %v, and with its pairs in another order %v", value, got.Value)
		}
		for _, g := range []struct {
			name      string
			got, want *mat.Dense
		}{{"GradX", got.GradX, permuted(gradX)}, {"GradY", got.GradY, permuted(gradY)}} {
			if e := largestDifference(g.got, g.want); !p.alike(e, matrixTable(g.want).largest()) {
				return wrong(remedy, "with the pairs in another order %s differs by up to %.3g from the reordered one",
					g.name, e)
			}
		}
		return nil
	}
	p, err := s.withinPrecision(ctx, v, disorder)
	if err != nil {
		return err
	}
	if p == single {
		n.addf("the order changes value and gradients by no more than the rounding of float32")
	}
	return s.noteSymmetries(ctx, v, value, p, n)
}

// noteSymmetries tells what else the value does not depend on.
func (s *scoring) noteSymmetries(ctx context.Context, v pair, want float64, p precision, n *notes) error {
	var qr mat.QR
	qr.Factorize(gaussian(core.NewStream(0, "conformance", "rotation").NormFloat64, usual.d, usual.d))
	var turn mat.Dense
	qr.QTo(&turn)
	times := func(f func(m *mat.Dense) *mat.Dense) pair { return pair{f(v.x), f(v.y)} }
	for _, c := range []struct {
		name  string
		views pair
	}{
		{"swapping the views", pair{v.y, v.x}},
		{"doubling both views", times(func(m *mat.Dense) *mat.Dense { var r mat.Dense; r.Scale(2, m); return &r })},
		{"rotating both views alike", times(func(m *mat.Dense) *mat.Dense { var r mat.Dense; r.Mul(m, &turn); return &r })},
		{"shifting both views by one", times(func(m *mat.Dense) *mat.Dense {
			var r mat.Dense
			r.Apply(func(_, _ int, v float64) float64 { return v + 1 }, m)
			return &r
		})},
	} {
		got, err := s.evaluate(ctx, c.views.clone())
		if err != nil {
			return inCase(c.name, failed("Evaluate", err))
		}
		verb := "leaves the value as it is"
		if !p.alike(math.Abs(got.Value-want), math.Abs(want)) {
			verb = fmt.Sprintf("changes the value from %.6g to %.6g", want, got.Value)
		}
		n.addf("%s %s", c.name, verb)
	}
	return nil
}

func largestDifference(a, b mat.Matrix) float64 {
	var d mat.Dense
	d.Sub(a, b)
	return matrixTable(&d).largest()
}

func (s *scoring) checkRepeatable(ctx context.Context, _ *notes) error {
	v := s.views(usual, "repeat")
	first, err := s.evaluate(ctx, v.clone())
	if err != nil {
		return failed("Evaluate", err)
	}
	want := lossTable(first)
	second, err := s.evaluate(ctx, v.clone())
	if err != nil {
		return failed("Evaluate", err)
	}
	if d := want.difference(lossTable(second)); d != "" {
		return wrong("draw nothing at random, keep nothing between calls, and sum in a fixed order",
			"of value and gradients of two calls with the same views, %s", d)
	}
	return nil
}

func (s *scoring) checkNewResults(ctx context.Context, _ *notes) error {
	v := s.views(usual, "repeat")
	first, err := s.evaluate(ctx, v.clone())
	if err != nil {
		return failed("Evaluate", err)
	}
	want := lossTable(first)
	given := v.clone()
	second, err := s.evaluate(ctx, given)
	if err != nil {
		return failed("Evaluate", err)
	}
	const remedy = "return memory that nothing else refers to"
	if d := want.difference(lossTable(first)); d != "" {
		return wrong(remedy, "another call changed the gradients of the first: %s", d)
	}
	mutated(second.GradX)
	if d := matrixTable(first.GradY).difference(matrixTable(second.GradY)); d != "" {
		return wrong(remedy, "after the caller wrote to GradX, GradY differs: %s", d)
	}
	mutated(second.GradY)
	if d := matrixTable(v.x).difference(matrixTable(given.x)) +
		matrixTable(v.y).difference(matrixTable(given.y)); d != "" {
		return wrong(remedy, "after the caller wrote to a gradient, a view differs: %s", d)
	}
	third, err := s.evaluate(ctx, v.clone())
	if err != nil {
		return failed("Evaluate", err)
	}
	if d := want.difference(lossTable(third)); d != "" {
		return wrong(remedy, "after the caller wrote to the gradients, those of the next call differ: %s", d)
	}
	return nil
}

func (s *scoring) checkInputs(ctx context.Context, _ *notes) error {
	v := s.views(usual, "inputs")
	given := v.clone()
	if _, err := s.evaluate(ctx, given); err != nil {
		return failed("Evaluate", err)
	}
	for _, m := range []struct {
		name      string
		got, want *mat.Dense
	}{{"view", given.x, v.x}, {"lagged view", given.y, v.y}} {
		if d := matrixTable(m.want).difference(matrixTable(m.got)); d != "" {
			return wrong("work on a copy: the views belong to the caller", "Evaluate changed the %s: %s", m.name, d)
		}
	}
	return nil
}

func (s *scoring) checkAnyMatrix(ctx context.Context, _ *notes) error {
	options, err := s.loss.Describe().Resolve(s.o.Settings)
	if err != nil {
		return err
	}
	v := s.views(usual, "any")
	dense, err := s.evaluate(ctx, v.clone())
	if err != nil {
		return failed("Evaluate", err)
	}
	want := lossTable(dense)
	got, err := s.loss.Evaluate(ctx, plain{v.x}, plain{v.y}, options)
	if err != nil {
		return inCase("for views that are no *mat.Dense", failed("Evaluate", err))
	}
	_, err = s.withinPrecision(ctx, v, func(p precision) error {
		if d := want.distance(lossTable(got), p); d != "" {
			return wrong("read a mat.Matrix by Dims and At, or copy it by mat.DenseCopyOf",
				"of value and gradients for *mat.Dense and for other matrices, %s", d)
		}
		return nil
	})
	return err
}

func (s *scoring) checkConcurrentUse(ctx context.Context, _ *notes) error {
	v := s.views(usual, "concurrent")
	first, err := s.evaluate(ctx, v)
	if err != nil {
		return failed("Evaluate", err)
	}
	want := lossTable(first)
	return concurrently("Evaluate", func() (string, error) {
		got, err := s.evaluate(ctx, v)
		return want.difference(lossTable(got)), err
	})
}

func (s *scoring) checkDegenerate(ctx context.Context, n *notes) error {
	v := s.views(usual, "degenerate")
	dependent, one := v.clone(), v.clone()
	constant := v.clone()
	for i := range usual.n {
		dependent.x.Set(i, 1, 2*dependent.x.At(i, 0))
		dependent.y.Set(i, 1, -dependent.y.At(i, 0))
		for j := range usual.d {
			constant.x.Set(i, j, 0.5)
			constant.y.Set(i, j, 0.5)
		}
	}
	zeros := pair{mat.NewDense(usual.n, usual.d, nil), mat.NewDense(usual.n, usual.d, nil)}
	first := func(m *mat.Dense) *mat.Dense { return mat.DenseCopyOf(m.Slice(0, 1, 0, usual.d)) }
	for _, c := range []struct {
		name  string
		views pair
		z     size
		rows  bool // may be refused as too few
	}{
		{"constant views", constant, usual, false},
		{"views of zeros", zeros, usual, false},
		{"equal views", pair{v.x, v.x}, usual, false},
		{"views of deficient rank", dependent, usual, false},
		{"views of one row", pair{first(one.x), first(one.y)}, size{1, usual.d}, true},
	} {
		value, err := s.evaluate(ctx, c.views.clone())
		if c.rows && errors.Is(err, core.ErrShape) {
			n.addf("%s are refused: %v", c.name, err)
			continue
		}
		if err != nil {
			return inCase("for "+c.name, failed("Evaluate", err))
		}
		if err := sound(value, c.z); err != nil {
			return inCase("for "+c.name, err)
		}
		if len(value.Warnings) > 0 {
			n.addf("%s: it warns: %s", c.name, value.Warnings[0])
		}
		if slices.Contains(value.Warnings, "") {
			return wrong("write a sentence, or leave it out", "for %s a warning is empty", c.name)
		}
	}
	return nil
}

func (s *scoring) checkOptions(ctx context.Context, n *notes) error {
	v := s.views(usual, "options")
	d := s.loss.Describe()
	for _, o := range variations(d, s.o.Settings) {
		value, err := s.evaluateWith(ctx, v.clone(), o)
		which := fmt.Sprintf("with %s=%v", o.name, o.value)
		switch {
		case err == nil:
			if err := sound(value, usual); err != nil {
				return inCase(which, err)
			}
		case typed(err):
			n.addf("%s=%v is refused: %v", o.name, o.value, err)
		default:
			return inCase(which, failed("Evaluate", err))
		}
	}
	return nil
}

// evaluateWith evaluates with one option set otherwise.
func (s *scoring) evaluateWith(ctx context.Context, v pair, o setting) (core.LossValue, error) {
	d := s.loss.Describe()
	values := s.o.values(d, true)
	values[o.name] = o.value
	options, err := d.Resolve(values)
	if err != nil {
		return core.LossValue{}, wrong("declare a range whose ends are valid", "%v", err)
	}
	var value core.LossValue
	err = safely(func() (err error) {
		value, err = s.loss.Evaluate(ctx, v.x, v.y, options)
		return err
	})
	return value, err
}

func (s *scoring) checkErrors(ctx context.Context, _ *notes) error {
	v := s.views(usual, "errors")
	with := func(m *mat.Dense, value float64) *mat.Dense {
		c := mat.DenseCopyOf(m)
		c.Set(2, 1, value)
		return c
	}
	part := func(rows, columns int) *mat.Dense { return mat.DenseCopyOf(v.y.Slice(0, rows, 0, columns)) }
	var refusals []refusal
	for _, c := range []struct {
		views string
		kind  error
		pair  pair
	}{
		{"views with different numbers of rows", core.ErrShape, pair{v.x, part(usual.n-1, usual.d)}},
		{"views with different numbers of features", core.ErrShape, pair{v.x, part(usual.n, usual.d-1)}},
		{"views without rows", core.ErrShape, pair{&mat.Dense{}, &mat.Dense{}}},
		{"a view with a value that is not a number", core.ErrNonFinite, pair{with(v.x, math.NaN()), v.y}},
		{"a lagged view with an infinite value", core.ErrNonFinite, pair{v.x, with(v.y, math.Inf(1))}},
	} {
		refusals = append(refusals, refusal{"Evaluate of " + c.views, c.kind, func() error {
			_, err := s.evaluate(ctx, c.pair)
			return err
		}, ""})
	}
	return checkRefusals(refusals)
}

func (s *scoring) checkCancelled(ctx context.Context, _ *notes) error {
	v := s.views(size{256, 8}, "cancelled")
	for _, after := range []time.Duration{0, time.Millisecond} {
		i := interruption{name: "Evaluate", grace: s.o.Grace, after: after, strict: after == 0,
			call: func(ctx context.Context, _ func()) error {
				_, err := s.evaluate(ctx, v)
				return err
			}}
		if err := i.check(ctx); err != nil {
			return err
		}
	}
	return nil
}
