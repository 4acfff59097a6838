package cli

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
	"github.com/koopbench/koopbench/tasks/trajectory"
)

// Where forecasts begin: the values of --from.
const (
	fromLast = "last"
	fromAll  = "all"
)

const defaultForecast = "predictions.npy"

// forecast is what follows rows of trajectories, as the rows are recorded.
type forecast struct {
	flags  *predictFlags
	saved  *results.SavedModel
	frame  *core.Frame
	names  []string // of the values of a row; nil if nothing tells them
	from   []dataset.Recording
	starts []start
	x      core.Snapshots   // of the starts
	steps  []core.Snapshots // rows: [step][start]
}

// start is a row that is predicted from, counted from 0.
type start struct{ trajectory, row int }

// readForecast reads the trajectories and checks that the model takes them.
func (a *app) readForecast(ctx context.Context, f *predictFlags, saved *results.SavedModel) (*forecast, error) {
	p := &forecast{flags: f, saved: saved, frame: saved.Frame}
	if p.frame == nil {
		p.frame = &core.Frame{Rows: 1, Stride: 1}
	}
	selection := f.selection(saved)
	for _, place := range f.inputs {
		some, err := dataset.Recordings(ctx, place, selection)
		if err != nil {
			return nil, fmt.Errorf("--input: %w", err)
		}
		p.from = append(p.from, some...)
	}
	p.names = p.frame.Names
	for i := range p.from {
		r := &p.from[i]
		if err := p.check(r); err != nil {
			return nil, fmt.Errorf("--input: %w", err)
		}
		const within = 0.05
		if was := saved.Task.Interval; was > 0 && r.Interval > 0 && math.Abs(r.Interval-was) > within*was {
			a.warn("the rows of %s are %.6g apart, and those of the training data %.6g; steps keep the length that they had "+
				"in training\n",
				r.Title(), r.Interval, was)
		}
	}
	err := core.Contain(p.readStarts)
	if err != nil {
		err = fmt.Errorf("--input: %w", err)
	}
	return p, err
}

// selection is which columns are read: those that the model was trained on, unless flags say otherwise.
func (f *predictFlags) selection(saved *results.SavedModel) dataset.Selection {
	s := dataset.Selection{Columns: f.columns, Time: f.time}
	option := func(name string) string {
		text, _ := saved.Task.Options[name].(string)
		return text
	}
	if saved.Task.Name == trajectory.Name {
		s.Arrays, s.Header = option(trajectory.ArraysOption), option(trajectory.HeaderOption)
	}
	if saved.Task.Name == trajectory.Name && !f.given("columns") {
		s.Columns = option(trajectory.ColumnsOption)
	}
	if saved.Task.Name == trajectory.Name && !f.given("time") {
		s.Time = option(trajectory.TimeOption)
	}
	if s.Time == "" {
		s.Time = dataset.AutoTime
	}
	return s
}

// check makes sure that the model takes a recording, and that it is like the first one.
func (p *forecast) check(r *dataset.Recording) error {
	row := p.frame.Row(p.saved.Task.Shape)
	switch {
	case p.names != nil && r.Names != nil && !slices.Equal(p.names, r.Names):
		return fmt.Errorf("%w: %s has the columns %s, but the model needs %s; choose them with --columns and --time",
			core.ErrShape, r.Title(), dataset.Few(r.Names), dataset.Few(p.names))
	case !slices.Equal(r.Rows.Shape(), row):
		return fmt.Errorf("%w: %s has rows of %s, but the model needs %s; choose columns with --columns and --time",
			core.ErrShape, r.Title(), valuesText(r.Rows.Shape()), valuesText(row))
	case (r.Times == nil) != (p.from[0].Times == nil):
		return fmt.Errorf("%w: only one of %s and %s has a time; give files of one kind, or --time %s", core.ErrOption,
			p.from[0].Title(), r.Title(), dataset.NoTime)
	case r.Times != nil && r.Times.Step == 0 && p.saved.Task.Interval == 0:
		return fmt.Errorf("%w: %s has only one row, so the interval between rows is unknown; leave out the time",
			core.ErrTooShort, r.Title())
	}
	if p.names == nil {
		p.names = r.Names
	}
	return core.Contain(r.CheckFinite)
}

func valuesText(shape []int) string {
	if len(shape) == 1 {
		return report.Counted(shape[0], "value")
	}
	return sizeText(shape) + " values"
}

// readStarts makes the snapshots that are predicted from. They are in memory, whatever sort of file they come from.
func (p *forecast) readStarts() error {
	var values []float32
	for k := range p.from {
		r := &p.from[k]
		x, err := p.frame.Snapshots(r.Rows)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Title(), err)
		}
		first := 0
		if p.flags.from == fromLast {
			first = x.Len() - 1
		}
		x = x.Slice(first, x.Len())
		if err := x.CheckFinite(); err != nil {
			return fmt.Errorf("%s: %w; a value is far outside the range of the training data", r.Title(), err)
		}
		values = append(values, x.Floats()...)
		for i := range x.Len() {
			p.starts = append(p.starts, start{k, first + i + p.frame.Past()})
		}
	}
	var err error
	p.x, err = core.NewSnapshots(values, p.saved.Task.Shape...)
	return err
}

// make predicts.
func (p *forecast) make(ctx context.Context, model core.Model) error {
	return benchmark.RollOut(ctx, model, p.flags.protocol, p.x, p.flags.steps, func(step int, x core.Snapshots) error {
		rows, err := p.frame.Newest(x)
		if err != nil {
			return fmt.Errorf("prediction at step %d: %w", step, err)
		}
		p.steps = append(p.steps, rows)
		return nil
	})
}

// plain reports whether there is one start, and so nothing to tell it by.
func (p *forecast) plain() bool { return p.flags.from == fromLast && len(p.from) == 1 }

// time is that of a step, counted from 1, and how far rows are apart.
func (p *forecast) time(s start, step int) (at, apart float64) {
	times := p.from[s.trajectory].Times
	apart = times.Step
	if apart == 0 {
		apart = p.saved.Task.Interval
	}
	return times.At(s.row) + float64(step*p.saved.Task.Lag)*apart, apart
}

// outOfForecast returns the file to write, or a usageError.
func (f *predictFlags) outOfForecast(saved *results.SavedModel) (string, error) {
	switch {
	case f.out == "":
		return defaultForecast, nil
	case !isForecast(f.out):
		return "", usagef("--out %s: give a file that ends in %s", f.out, strings.Join(forecastEndings, ", "))
	case isTable(f.out) && len(saved.Task.Shape) > 1:
		return "", usagef("--out %s: images do not fit in a table; give a .npy or .npz file", f.out)
	}
	return f.out, nil
}

// prepareForecast reads the trajectories and returns what predicts.
func (a *app) prepareForecast(ctx context.Context, f *predictFlags, saved *results.SavedModel) (predictor, error) {
	if f.given("png") {
		return nil, usagef("--png needs images, but the model predicts rows, which go to a file")
	}
	out, err := f.outOfForecast(saved)
	if err != nil {
		return nil, err
	}
	if err := checkNew(out); err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	p, err := a.readForecast(ctx, f, saved)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, model core.Model, _ core.Judge) error {
		if err := p.make(ctx, model); err != nil {
			return err
		}
		if err := p.write(out); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
		say(a.stderr, "%s holds %s from %s\n", out, report.Counted(f.steps, "step"), report.Counted(len(p.starts), "row"))
		return nil
	}, nil
}
