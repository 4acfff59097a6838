package broken

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// kind is one of the kinds that are fitted to snapshots.
type kind struct {
	name, use string
	correct   fitFunc
	wrap      func(*thing) any
}

func kinds() []kind {
	return []kind{
		{"method", "Predict", fitMethod, func(t *thing) any { return method{t} }},
		{"embedder", "Embed", fitEmbedder, func(t *thing) any { return embedder{t} }},
		{"oracle", "Classify", fitOracle, func(t *thing) any { return oracle{t} }},
	}
}

// make returns the correct thing with another description or fit, where they are not nil.
func (k kind) make(describeAs func(core.Description, int) core.Description, breakFit func(fitFunc) fitFunc) any {
	var calls atomic.Int64
	t := &thing{fit: k.correct, description: func() core.Description {
		d := describe("reference-"+k.name, "a small and correct "+k.name)
		if k.name == "oracle" {
			d.Options = d.Options[2:]
		}
		if describeAs != nil {
			d = describeAs(d, int(calls.Add(1)))
		}
		return d
	}}
	if breakFit != nil {
		t.fit = breakFit(k.correct)
	}
	return k.wrap(t)
}

// after breaks what a correct fit gives.
func after(change func(t *core.Training, f *fitted)) func(fitFunc) fitFunc {
	return func(correct fitFunc) fitFunc {
		return func(ctx context.Context, t *core.Training) (*fitted, error) {
			f, err := correct(ctx, t)
			if err == nil {
				change(t, f)
			}
			return f, err
		}
	}
}

// before breaks what a correct fit sees.
func before(change func(t *core.Training)) func(fitFunc) fitFunc {
	return func(correct fitFunc) fitFunc {
		return func(ctx context.Context, t *core.Training) (*fitted, error) {
			seen := *t
			change(&seen)
			return correct(ctx, &seen)
		}
	}
}

// computed breaks what is computed from snapshots.
func computed(change func(x core.Snapshots, rows *mat.Dense)) func(fitFunc) fitFunc {
	return after(func(_ *core.Training, f *fitted) { f.change(change) })
}

func (f *fitted) change(change func(x core.Snapshots, rows *mat.Dense)) {
	compute := f.compute
	f.compute = func(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
		rows, err := compute(ctx, x)
		if err == nil && x.Len() > 0 {
			change(x, rows)
		}
		return rows, err
	}
	if f.view != nil { // whose values are the same
		compute := f.compute
		f.view = func(x core.Snapshots) (mat.Matrix, error) { return compute(context.Background(), x) }
	}
}

// shift adds a number to the first column.
func shift(rows *mat.Dense, by float64) {
	n, _ := rows.Dims()
	for i := range n {
		rows.Set(i, 0, rows.At(i, 0)+by)
	}
}

const (
	small = 1e-3 // changes numbers
	large = 100  // changes labels
)

// first is the first value of a sequence.
func first(x core.Snapshots) float64 {
	row := make([]float32, x.Size())
	x.Read(row, 0)
	return float64(row[0])
}

// cases are those of a kind that is fitted to snapshots.
func (k kind) cases() []Case {
	all := []Case{
		{k.name, "setup", "nothing at all", nil, nil},
		{k.name, "same-outputs", "another implementation that rounds", k.make(nil, nil),
			k.make(nil, computed(func(_ core.Snapshots, rows *mat.Dense) {
				rows.Apply(func(_, _ int, v float64) float64 { return -v }, rows)
			}))},
	}
	for _, how := range sortedKeys(descriptions()) {
		all = append(all, Case{k.name, "description", how, k.make(descriptions()[how], nil), nil})
	}
	add := func(check, how string, breakFit func(fitFunc) fitFunc) {
		all = append(all, Case{k.name, check, how, k.make(nil, breakFit), nil})
	}
	k.fits(add)
	k.uses(add)
	k.independence(add)
	k.endings(add)
	k.trajectoryCases(add)
	switch k.name {
	case "method":
		k.methodCases(add)
	case "embedder":
		k.embedderCases(add)
	case "oracle":
		k.oracleCases(add)
	}
	if k.name != "oracle" {
		add("exposure", "uses labels that it does not declare", after(func(t *core.Training, f *fitted) {
			if t.TrainLabels != nil {
				f.change(func(_ core.Snapshots, rows *mat.Dense) { shift(rows, small) })
			}
		}))
		add("exposure", "uses an oracle that it does not declare", after(func(t *core.Training, f *fitted) {
			if t.OracleEmbedding != nil {
				f.change(func(_ core.Snapshots, rows *mat.Dense) { shift(rows, small) })
			}
		}))
		all = append(all, Case{k.name, "exposure", "declares labels and does without them",
			k.make(func(d core.Description, _ int) core.Description {
				d.Exposure = core.LabelExposed
				return d
			}, nil), nil})
	}
	return all
}

type adder func(check, how string, breakFit func(fitFunc) fitFunc)

// fits are broken fits.
func (k kind) fits(add adder) {
	add("fit", "fails", func(fitFunc) fitFunc {
		return func(context.Context, *core.Training) (*fitted, error) {
			return nil, fmt.Errorf("%w: not today", core.ErrUnavailable)
		}
	})
	add("fit", "panics", func(fitFunc) fitFunc {
		return func(context.Context, *core.Training) (*fitted, error) { panic("not today") }
	})
	add("fit", "gives nothing", func(fitFunc) fitFunc {
		return func(context.Context, *core.Training) (*fitted, error) { return nil, nil }
	})
	add("saved", "loses what it computes with", after(func(_ *core.Training, f *fitted) {
		f.loaded = func(_ core.Snapshots, rows *mat.Dense) {
			rows.Apply(func(_, _ int, v float64) float64 { return -v }, rows)
		}
	}))
	same := func(name string) string { return name }
	add("continued", "keeps its state in single precision", tampering(same, rounded))
	add("continued", "loads none of what it stores", tampering(same, nil))
	if k.name != "oracle" { // which has no history
		add("continued", "forgets the epochs before", forgetful)
	}
	add("continued", "another name than files may have",
		tampering(func(string) string { return "My state" }, func(s *core.State) *core.State { return s }))
	add("fit", "ends its goroutine", func(fitFunc) fitFunc {
		return func(context.Context, *core.Training) (*fitted, error) { runtime.Goexit(); return nil, nil }
	})
	add("inputs-unchanged", "Fit writes to the training snapshots", after(func(t *core.Training, _ *fitted) {
		t.Train.At(0).Floats()[0] = -3
	}))
	add("inputs-unchanged", k.use+" writes to its snapshots", computed(func(x core.Snapshots, _ *mat.Dense) {
		x.Floats()[0] = -3
	}))
	add("keeps-nothing", "looks into the training snapshots later", after(func(t *core.Training, f *fitted) {
		f.change(func(_ core.Snapshots, rows *mat.Dense) { shift(rows, small*first(t.Train.At(0))) })
	}))
	add("keeps-nothing", "looks up the name later", after(func(t *core.Training, f *fitted) {
		f.change(func(_ core.Snapshots, rows *mat.Dense) { shift(rows, small*float64(len(t.Name))) })
	}))
	add("keeps-nothing", "asks the training for the shape later", after(func(t *core.Training, f *fitted) {
		compute := f.compute
		f.compute = func(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
			if x.Len() > 0 && !x.SameShape(t.Train.At(0)) {
				return nil, fmt.Errorf("%w: snapshots of shape %v", core.ErrShape, x.Shape())
			}
			return compute(ctx, x)
		}
	}))
	add("storage", "treats pixels in another way", after(func(t *core.Training, f *fitted) {
		x := t.Train.At(0)
		if values := x.Floats(); &values[0] == &x.Floats()[0] { // its own memory, so they are stored as float32
			f.change(func(_ core.Snapshots, rows *mat.Dense) { shift(rows, small) })
		}
	}))
	for _, how := range sortedKeys(reports()) {
		add("report", how, after(func(_ *core.Training, f *fitted) { f.report = reporting(reports()[how], f.report) }))
	}
	add("report", "a loss that is not a number", after(func(_ *core.Training, f *fitted) {
		report := f.report
		f.report = func() core.Report {
			r := report()
			for i := range max(1, len(r.History)) {
				e := core.Epoch{Number: i + 1, Train: math.NaN()}
				r.History = append(r.History[:i], append([]core.Epoch{e}, r.History[min(i+1, len(r.History)):]...)...)
			}
			return r
		}
	}))
	add("progress", "more units than there are", after(func(t *core.Training, _ *fitted) {
		t.Progress.Phase("late", 1)
		t.Progress.Advance(2)
	}))
	add("progress", "two goroutines report", after(func(t *core.Training, _ *fitted) {
		t.Progress.Phase("both", 1)
		overlap(func() { t.Progress.Advance(1) })
	}))
	if k.name != "oracle" {
		add("options", "panics for a choice", func(correct fitFunc) fitFunc {
			return func(ctx context.Context, t *core.Training) (*fitted, error) {
				if t.Options.String("start") == "uniform" {
					panic("never tried")
				}
				return correct(ctx, t)
			}
		})
	} else {
		add("options", "an untyped error for a choice", func(correct fitFunc) fitFunc {
			return func(ctx context.Context, t *core.Training) (*fitted, error) {
				if t.Options.String("start") == "uniform" {
					return nil, errors.New("never tried")
				}
				return correct(ctx, t)
			}
		})
	}
	add("unsuitable-data", "an untyped error for constant snapshots", func(correct fitFunc) fitFunc {
		return func(ctx context.Context, t *core.Training) (*fitted, error) {
			if slices.Max(t.Train.Snapshots().Floats()) == 0 {
				return nil, errors.New("nothing to see")
			}
			return correct(ctx, t)
		}
	})
	add("errors", "untyped errors for invalid data", func(correct fitFunc) fitFunc {
		return func(ctx context.Context, t *core.Training) (*fitted, error) {
			if err := t.Validate(); err != nil {
				return nil, errors.New(err.Error())
			}
			return correct(ctx, t)
		}
	})
}

// uses are broken uses of what was fitted.
func (k kind) uses(add adder) {
	add("errors", "an untyped error for another shape", after(func(_ *core.Training, f *fitted) {
		compute := f.compute
		f.compute = func(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
			rows, err := compute(ctx, x)
			if errors.Is(err, core.ErrShape) {
				err = errors.New(err.Error())
			}
			return rows, err
		}
	}))
	add("same-again", "adds something else at every call", after(func(_ *core.Training, f *fitted) {
		var calls atomic.Int64
		f.change(func(_ core.Snapshots, rows *mat.Dense) { shift(rows, small*float64(calls.Add(1))) })
	}))
	add(core.RowIndependence, "takes single snapshots in another way", computed(func(x core.Snapshots, rows *mat.Dense) {
		if x.Len() == 1 {
			shift(rows, large)
		}
	}))
	add(core.RowIndependence, "takes the first snapshot in another way", computed(func(_ core.Snapshots, rows *mat.Dense) {
		rows.Set(0, 0, rows.At(0, 0)+large)
	}))
	const many = 40 // rows, more than other checks compute at once
	add(core.RowIndependence, "adds the mean of many rows", computed(func(_ core.Snapshots, rows *mat.Dense) {
		if n, _ := rows.Dims(); n > many {
			shift(rows, large*(1+math.Abs(floats.Sum(mat.Col(nil, 0, rows)))/float64(n)))
		}
	}))
	add(core.RowIndependence, "goes by the place among many rows", computed(func(_ core.Snapshots, rows *mat.Dense) {
		n, _ := rows.Dims()
		for i := many; i < n; i++ {
			rows.Set(i, 0, rows.At(i, 0)+large)
		}
	}))
	add(core.RowIndependence, "counts its calls for many rows", after(func(_ *core.Training, f *fitted) {
		var calls atomic.Int64
		f.change(func(x core.Snapshots, rows *mat.Dense) {
			if x.Len() > many {
				shift(rows, float64(large*calls.Add(1)))
			}
		})
	}))
	add("empty", "fails for no snapshots", after(func(_ *core.Training, f *fitted) {
		compute := f.compute
		f.compute = func(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
			if x.Len() == 0 {
				return nil, fmt.Errorf("%w: no snapshots", core.ErrTooShort)
			}
			return compute(ctx, x)
		}
	}))
}

// independence is what one fit owes to others.
func (k kind) independence(add adder) {
	var fits atomic.Int64
	add("repeatable", "counts its fits", after(func(_ *core.Training, f *fitted) {
		by := small * float64(fits.Add(1))
		f.change(func(_ core.Snapshots, rows *mat.Dense) { shift(rows, by) })
	}))
	add("seeds", "keeps 32 bits of the seed", func(correct fitFunc) fitFunc {
		return func(ctx context.Context, t *core.Training) (*fitted, error) {
			seen := *t
			seen.Seed = int64(int32(t.Seed))
			f, err := correct(ctx, &seen)
			if err == nil {
				f.change(func(_ core.Snapshots, rows *mat.Dense) { shift(rows, 1e-12*float64(seen.Seed)) })
			}
			return f, err
		}
	})
	var shared atomic.Uint64 // bits of a number
	add("refit", "all that it fitted share a number", after(func(t *core.Training, f *fitted) {
		shared.Store(math.Float64bits(small * first(t.Train.At(0))))
		f.change(func(_ core.Snapshots, rows *mat.Dense) { shift(rows, math.Float64frombits(shared.Load())) })
	}))
	var inside atomic.Int64
	add("concurrent-fits", "cannot fit two at a time", func(correct fitFunc) fitFunc {
		return func(ctx context.Context, t *core.Training) (*fitted, error) {
			alone := inside.Add(1) == 1
			defer inside.Add(-1)
			time.Sleep(5 * time.Millisecond)
			alone = alone && inside.Load() == 1
			f, err := correct(ctx, t)
			if err == nil && !alone {
				f.change(func(_ core.Snapshots, rows *mat.Dense) { shift(rows, small) })
			}
			return f, err
		}
	})
}

// endings are ways to take no notice of a context.
func (k kind) endings(add adder) {
	add("cancelled-fit", "begins although it is over", func(correct fitFunc) fitFunc {
		return func(ctx context.Context, t *core.Training) (*fitted, error) {
			return correct(context.WithoutCancel(ctx), t)
		}
	})
	if k.name != "oracle" {
		add("cancelled-fit", "does not look while it fits", func(correct fitFunc) fitFunc {
			return func(ctx context.Context, t *core.Training) (*fitted, error) {
				if t.Options.Int("epochs") == maxEpochs && ctx.Err() == nil {
					time.Sleep(Late)
				}
				return correct(ctx, t)
			}
		})
	}
	add("cancelled-use", "goes on when it is over", after(func(_ *core.Training, f *fitted) {
		compute := f.compute
		f.compute = func(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
			if ctx.Err() != nil {
				time.Sleep(Late)
			}
			return compute(ctx, x)
		}
	}))
}

// joined are the snapshots of all trajectories as if they were one.
func joined(x core.Trajectories) core.Trajectories { return core.OneTrajectory(x.Snapshots()) }

// sideBySide reports whether a trajectory begins in memory where the one before it ends.
func sideBySide(x core.Trajectories) bool {
	for k := 1; k < x.Count(); k++ {
		before, _ := x.At(k - 1).Pixels()
		here, _ := x.At(k).Pixels()
		if reflect.ValueOf(before).Pointer()+uintptr(len(before)) == reflect.ValueOf(here).Pointer() {
			return true
		}
	}
	return false
}

func (k kind) trajectoryCases(add adder) {
	add("trajectories", "goes by the place in memory", after(func(t *core.Training, f *fitted) {
		if sideBySide(t.Train) {
			f.change(func(_ core.Snapshots, rows *mat.Dense) { shift(rows, small) })
		}
	}))
	add("trajectories", "an untyped error for several", func(correct fitFunc) fitFunc {
		return func(ctx context.Context, t *core.Training) (*fitted, error) {
			if t.Train.Count() > 1 {
				return nil, errors.New("one after the other, please")
			}
			return correct(ctx, t)
		}
	})
}

// Refusing returns things, by kind, that are correct and refuse several trajectories.
func Refusing() map[string]any {
	refusal := fmt.Errorf("%w: one trajectory only", core.ErrUnavailable)
	things := map[string]any{"operator": newOperator(nil, func(correct operatorFit) operatorFit {
		return func(ctx context.Context, t *core.OperatorTraining) (*fittedOperator, error) {
			if _, err := t.PairStarts(); err == nil && len(t.Lengths) > 1 {
				return nil, refusal
			}
			return correct(ctx, t)
		}
	})}
	for _, k := range kinds() {
		things[k.name] = k.make(nil, func(correct fitFunc) fitFunc {
			return func(ctx context.Context, t *core.Training) (*fitted, error) {
				if t.Train.Count() > 1 {
					return nil, refusal
				}
				return correct(ctx, t)
			}
		})
	}
	return things
}

func (k kind) methodCases(add adder) {
	add("trajectories", "pairs across the ends", before(func(t *core.Training) { t.Train = joined(t.Train) }))
	add("cancelled-use", "succeeds although it is over", after(func(_ *core.Training, f *fitted) {
		compute := f.compute
		f.compute = func(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
			return compute(context.WithoutCancel(ctx), x)
		}
	}))
	add("prediction-shape", "a snapshot less", after(func(_ *core.Training, f *fitted) {
		f.finished = func(x core.Snapshots) core.Snapshots { return x.Slice(0, x.Len()-1) }
	}))
	add("prediction-shape", "flat snapshots", after(func(_ *core.Training, f *fitted) {
		f.finished = func(x core.Snapshots) core.Snapshots {
			flat, _ := core.NewSnapshots(x.Floats(), x.Size()) // any number of values is a shape
			return flat
		}
	}))
	add("prediction-finite", "not a number",
		computed(func(_ core.Snapshots, rows *mat.Dense) { rows.Set(0, 0, math.NaN()) }))
	add("learns", "predicts that nothing changes", computed(func(x core.Snapshots, rows *mat.Dense) {
		rows.Scale(small, rows)
		rows.Add(rows, x.Matrix())
	}))
	add("lag", "takes no notice of the lag", before(func(t *core.Training) { t.Lag = min(t.Lag, 1) }))
	add("refit", "a cache whose key lacks the data", stale)
	forecasts := func(change func(right model, ctx context.Context, x core.Snapshots, steps int) (core.Snapshots,
		error)) func(fitFunc) fitFunc {
		return after(func(_ *core.Training, f *fitted) {
			right := *f
			f.ahead = func(ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
				return change(model{f: &right}, ctx, x, steps)
			}
		})
	}
	add("forecast", "a step too far",
		forecasts(func(right model, ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
			if steps < 1 {
				return right.Forecast(ctx, x, steps)
			}
			return right.Forecast(ctx, x, steps+1)
		}))
	add("forecast", "goes on from the call before", func(correct fitFunc) fitFunc {
		return func(ctx context.Context, t *core.Training) (*fitted, error) {
			f, err := correct(ctx, t)
			if err != nil {
				return nil, err
			}
			right, calls := *f, 0
			f.ahead = func(ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
				if steps < 2 {
					return model{f: &right}.Forecast(ctx, x, steps)
				}
				calls++
				return model{f: &right}.Forecast(ctx, x, steps+calls)
			}
			return f, nil
		}
	})
	add("forecast", "writes to its snapshots",
		forecasts(func(right model, ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
			next, err := right.Forecast(ctx, x, steps)
			if x.Len() > 0 {
				x.Floats()[0] = -3
			}
			return next, err
		}))
	add("forecast", "takes any number of steps",
		forecasts(func(right model, ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
			return right.Forecast(ctx, x, max(steps, 1))
		}))
	add("forecast", "takes no notice of its context",
		forecasts(func(right model, ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
			return right.Forecast(context.WithoutCancel(ctx), x, steps)
		}))
	add("forecast-steps", "one step ahead for any number",
		forecasts(func(right model, ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
			return right.Forecast(ctx, x, min(steps, 1))
		}))
	add("eigenvalues", "in ascending order", after(func(_ *core.Training, f *fitted) {
		values := f.values
		f.values = func() []complex128 {
			v := slices.Clone(values())
			slices.Reverse(v)
			return v
		}
	}))
	add("eigenfunctions", "a column less", after(func(_ *core.Training, f *fitted) {
		f.left = narrowed(f.left)
	}))
	add("eigenfunctions", "a column less on the right", after(func(_ *core.Training, f *fitted) {
		f.right = narrowed(f.right)
	}))
	add("eigenfunctions", "that depend on the number of snapshots", after(func(_ *core.Training, f *fitted) {
		left := f.left
		f.left = func(ctx context.Context, x core.Snapshots) (*mat.CDense, error) {
			values, err := left(ctx, x)
			if err == nil {
				values.Set(0, 0, values.At(0, 0)+complex(small/float64(x.Len()), 0))
			}
			return values, err
		}
	}))
}

// stale keeps what it fitted by everything but the data.
func stale(correct fitFunc) fitFunc {
	type key struct {
		n, lag, states int
		seed           int64
		shape, options string
	}
	var mu sync.Mutex
	cache := map[key]*fitted{}
	return func(ctx context.Context, t *core.Training) (*fitted, error) {
		if err := errors.Join(ctx.Err(), t.Validate()); err != nil {
			return nil, err
		}
		k := key{t.Train.Len(), t.Lag, t.States, t.Seed, fmt.Sprint(t.Train.Shape()), fmt.Sprint(t.Options.Map())}
		mu.Lock()
		defer mu.Unlock()
		if f := cache[k]; f != nil {
			return f, nil
		}
		f, err := correct(ctx, t)
		if err == nil {
			cache[k] = f
		}
		return f, err
	}
}

func (k kind) embedderCases(add adder) {
	add("lag", "fails at another lag", func(correct fitFunc) fitFunc {
		return func(ctx context.Context, t *core.Training) (*fitted, error) {
			if t.Lag > 1 {
				return nil, fmt.Errorf("%w: a lag of %d", core.ErrUnavailable, t.Lag)
			}
			return correct(ctx, t)
		}
	})
	add("trajectories", "pairs across the ends", after(func(t *core.Training, f *fitted) {
		pairs := float64(joined(t.Train).Pairs(t.Lag))
		f.change(func(_ core.Snapshots, rows *mat.Dense) { shift(rows, small*pairs) })
	}))
	add("features-shape", "a Dim of one more", after(func(_ *core.Training, f *fitted) { f.dim++ }))
	add("features-finite", "not a number",
		computed(func(_ core.Snapshots, rows *mat.Dense) { rows.Set(0, 0, math.NaN()) }))
	add("new-features", "hands out its own memory", after(func(_ *core.Training, f *fitted) {
		var kept memory[*mat.Dense]
		compute := f.compute
		f.compute = func(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			var text bytes.Buffer
			fmt.Fprint(&text, x.Shape(), x.Len())
			_, _ = x.WriteTo(&text) // a buffer takes everything
			return kept.get(text.Bytes(), func() (*mat.Dense, error) { return compute(ctx, x) })
		}
	}))
	add("concurrent-use", "cannot embed twice at a time", after(alone))
	add("decoder", "flat snapshots", after(func(_ *core.Training, f *fitted) {
		decode := f.decode
		f.decode = func(z mat.Matrix) (core.Snapshots, error) {
			x, err := decode(z)
			if err != nil {
				return x, err
			}
			return core.NewSnapshots(x.Floats(), x.Size())
		}
	}))
	add("decoder", "takes any number of features", after(func(_ *core.Training, f *fitted) {
		decode := f.decode
		f.decode = func(z mat.Matrix) (core.Snapshots, error) {
			n, columns := z.Dims()
			fit := mat.NewDense(n, f.dim, nil)
			fit.Apply(func(i, j int, _ float64) float64 { return z.At(i, min(j, columns-1)) }, fit)
			return decode(fit)
		}
	}))
	add("viewer", "other values than Embed", after(func(_ *core.Training, f *fitted) {
		view := f.view
		f.view = func(x core.Snapshots) (mat.Matrix, error) {
			m, err := view(x)
			if err != nil {
				return nil, err
			}
			copied := mat.DenseCopyOf(m)
			shift(copied, small)
			return copied, nil
		}
	}))
}

// alone computes something else where it is called while it is computing.
func alone(_ *core.Training, f *fitted) {
	var inside atomic.Int64
	compute := f.compute
	f.compute = func(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
		alone := inside.Add(1) == 1
		defer inside.Add(-1)
		time.Sleep(time.Millisecond)
		alone = alone && inside.Load() == 1
		rows, err := compute(ctx, x)
		if err == nil && !alone && x.Len() > 0 {
			shift(rows, large)
		}
		return rows, err
	}
}

func (k kind) oracleCases(add adder) {
	add("lag", "labels of later snapshots", before(func(t *core.Training) {
		late := min(t.Lag-1, len(t.TrainLabels)) // below 0 for a lag that is refused
		if late > 0 {
			t.TrainLabels = append(slices.Clone(t.TrainLabels[late:]), t.TrainLabels[:late]...)
		}
	}))
	add("trajectories", "labels counted from the beginning of each", before(func(t *core.Training) {
		var labels []int
		for _, x := range t.Train.All() {
			labels = append(labels, t.TrainLabels[:min(x.Len(), len(t.TrainLabels))]...)
		}
		if t.TrainLabels != nil {
			t.TrainLabels = labels
		}
	}))
	add("labels", "a label too large", after(func(_ *core.Training, f *fitted) {
		f.labelled = func(labels []int) []int {
			for i := range labels {
				labels[i]++
			}
			return labels
		}
	}))
	add("learns", "counts labels from one, in a circle", after(func(t *core.Training, f *fitted) {
		states := t.States
		f.labelled = func(labels []int) []int {
			for i := range labels {
				labels[i] = (labels[i] + 1) % states
			}
			return labels
		}
	}))
	add("concurrent-use", "cannot classify twice at a time", after(alone))
	add("needs-labels", "does without labels", before(func(t *core.Training) {
		if t.TrainLabels == nil {
			t.TrainLabels, t.ValidationLabels = make([]int, t.Train.Len()), make([]int, t.Validation.Len())
		}
	}))
	add("encoder", "no encoder",
		after(func(_ *core.Training, f *fitted) { f.encoder = func() core.Embedding { return nil } }))
	add("encoder", "features that tell nothing apart", after(func(_ *core.Training, f *fitted) {
		f.encoder = func() core.Embedding {
			blank := *f
			blank.change(func(_ core.Snapshots, rows *mat.Dense) { rows.Zero() })
			return embedding{f: &blank}
		}
	}))
}

// memory hands out one value for one key, again and again.
type memory[T any] struct {
	mu   sync.Mutex
	kept map[[sha256.Size]byte]T
}

func (m *memory[T]) get(key []byte, make func() (T, error)) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := sha256.Sum256(key)
	if value, there := m.kept[sum]; there {
		return value, nil
	}
	value, err := make()
	if err == nil {
		if m.kept == nil {
			m.kept = map[[sha256.Size]byte]T{}
		}
		m.kept[sum] = value
	}
	return value, err
}

// keyOf is the content of matrices.
func keyOf(matrices ...mat.Matrix) []byte {
	var key []byte
	for _, m := range matrices {
		rows, columns := m.Dims()
		key = binary.LittleEndian.AppendUint64(key, uint64(rows)<<32|uint64(columns))
		for i := range rows {
			for j := range columns {
				key = binary.LittleEndian.AppendUint64(key, math.Float64bits(m.At(i, j)))
			}
		}
	}
	return key
}

// sortedKeys makes the order of cases the same at every run.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// overlap calls call on two goroutines until twenty calls of the second have each begun while another call
// of the first was in progress, as far as a caller can tell.
func overlap(call func()) {
	var calls atomic.Int64 // of the first, begun and ended: odd while one is in progress
	var enough atomic.Bool
	var first sync.WaitGroup
	first.Go(func() {
		for !enough.Load() {
			calls.Add(1)
			call()
			runtime.Gosched() // a call that takes no time would never be seen
			calls.Add(1)
		}
	})
	for overlaps, last := 0, int64(0); overlaps < 20; {
		if during := calls.Load(); during%2 == 1 && during != last {
			last = during
			overlaps++
			call()
		} else {
			runtime.Gosched()
		}
	}
	enough.Store(true)
	first.Wait()
}
