// Package trajectory is the task for the user's own data: trajectories in files.
package trajectory

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
	"github.com/koopbench/koopbench/tasks/process"
)

// Name is the declared name of the task.
const Name = "trajectory"

// Options that say what of a file is read, as [dataset.Selection] has them.
const (
	ColumnsOption = "columns"
	TimeOption    = "time"
	ArraysOption  = "arrays"
	HeaderOption  = "header"
)

const (
	maxLag    = 1_000_000
	maxDelay  = 1000
	maxStarts = 1_000_000
	maxRank   = 4096
	timeUnit  = "time units"

	defaultSplit = ".6,.2,.2"
)

// Task is the user's own data. Files stay on disk as far as [dataset.Recordings] can leave them there, and what is
// standardised or delayed is computed as it is read.
type Task struct{}

var _ core.Task = Task{}

// Describe implements [core.Task].
func (Task) Describe() core.Description {
	return core.Description{
		Name:    Name,
		Summary: "your own data: trajectories in .npy, .npz, .csv and .tsv files",
		Doc: "Each file, or array of an .npz file, is a trajectory: rows or images in order of time. Snapshots are " +
			"split into parts to train, validate and test on. Pairs never cross the end of a file or a part. Predictions " +
			"are scored by their distance from the true future, in standard deviations of the test snapshots. " +
			"See docs/own-data.md.",
		Options: []core.Option{
			core.TextOption(core.DataOption, "", core.MaxText, "files and folders of files, separated by commas"),
			core.TextOption(ColumnsOption, "", core.MaxText, "columns to read, separated by commas: names, numbers "+
				"from 1, or ranges A..B of either (default all)"),
			core.TextOption(ArraysOption, "", core.MaxText,
				"arrays of .npz files to read, separated by commas (default all)"),
			core.ChoiceOption(HeaderOption,
				"whether the first line of a table has column names; auto: yes if it has a text that is not a "+
					"number", dataset.AutoHeader, "true", "false"),
			core.TextOption(TimeOption, dataset.AutoTime, 256, "column of the time, which is checked and not used as data: "+
				"a name or a number; auto for one named t, time or index; none if there is no such column"),
			core.TextOption(core.SplitOption, defaultSplit, 60, "parts to train, validate and test on: three numbers of "+
				"snapshots, or three shares; shares split each trajectory in time, but "+
				"with ten or more trajectories they split whole trajectories"),
			core.IntOption(core.StepsOption, 15, 1, core.MaxSteps, "number of steps of a roll-out"),
			core.IntOption(core.LagOption, 1, 1, maxLag, "snapshots per step"),
			core.IntOption(process.StartsOption, 1000, 1, maxStarts,
				"largest number of roll-outs; they start at evenly spaced test snapshots"),
			core.ChoiceOption(process.StandardiseOption, "subtract from each value its mean over the training part, and "+
				"divide by its standard deviation; auto does so for vectors but not for images", "auto", "true", "false"),
			core.IntOption(process.DelayOption, 1, 1, maxDelay, "number of rows in a snapshot, the newest last"),
			core.IntOption("stride", 1, 1, maxLag, "rows from one row of a snapshot to the next"),
			core.TextOption("eigenvalues", "", core.MaxText, "true eigenvalues of the evolution operator for one row, "+
				"separated by commas, like .95+.1i,.95-.1i; 1 is added"),
			core.IntOption("rank", 0, 0, maxRank,
				"usual rank of an operator, or number of features; 0 for the number of values of "+
					"a snapshot, at most 16"),
		},
	}
}

// setting is what the options say.
type setting struct {
	steps, lag, starts, delay, stride, rank int
	split                                   split
	standardise                             string
	eigenvalues                             []complex128
}

func newSetting(o core.Options) (s setting, err error) {
	s = setting{
		steps: o.Int(core.StepsOption), lag: o.Int(core.LagOption), starts: o.Int(process.StartsOption),
		delay: o.Int(process.DelayOption), stride: o.Int("stride"), rank: o.Int("rank"),
		standardise: o.String(process.StandardiseOption),
	}
	if s.split, err = parseSplit(o.String(core.SplitOption)); err != nil {
		return s, err
	}
	s.eigenvalues, err = parseEigenvalues(o.String("eigenvalues"), s.lag)
	return s, err
}

// past is how many rows before its own a snapshot takes.
func (s setting) past() int { return (s.delay - 1) * s.stride }

// Open implements [core.Task].
func (Task) Open(ctx context.Context, o core.Options) (*core.Problem, error) {
	s, err := newSetting(o)
	if err != nil {
		return nil, err
	}
	data := o.String(core.DataOption)
	if data == "" {
		return nil, fmt.Errorf("%w: there are no data; give data=FILE, a folder, or several separated by commas",
			core.ErrOption)
	}
	all, err := dataset.Recordings(ctx, data, dataset.Selection{
		Columns: o.String(ColumnsOption), Time: o.String(TimeOption), Arrays: o.String(ArraysOption),
		Header: o.String(HeaderOption),
	})
	if err != nil {
		return nil, err
	}
	if err := agree(all); err != nil {
		return nil, err
	}
	if err := within(ctx, func() error { return precise(all) }); err != nil {
		return nil, err
	}
	return s.problem(ctx, all)
}

// agree checks that recordings are of one process.
func agree(all []dataset.Recording) error {
	first := &all[0]
	for i := range all[1:] {
		r := &all[i+1]
		const within = 0.05
		switch {
		case !r.Rows.SameShape(first.Rows):
			return fmt.Errorf("%w: snapshots have the shape %v in %s but %v in %s; give files or arrays of the same shape",
				core.ErrShape,
				first.Rows.Shape(), first.Title(), r.Rows.Shape(), r.Title())
		case first.Names != nil && r.Names != nil && !slices.Equal(first.Names, r.Names):
			return fmt.Errorf("%w: the columns are %s in %s but %s in %s; give files with the same columns", core.ErrShape,
				dataset.Few(first.Names), first.Title(), dataset.Few(r.Names), r.Title())
		case (r.Interval > 0) != (first.Interval > 0):
			timed, other := first, r
			if r.Interval > 0 {
				timed, other = r, first
			}
			return fmt.Errorf("%w: %s has a time but %s does not; give files that all have a time, or "+
				"none", core.ErrShape, timed.Title(),
				other.Title())
		case math.Abs(r.Interval-first.Interval) > within*first.Interval:
			return fmt.Errorf("%w: the interval between rows is %.6g in %s but %.6g in %s; give files with the same interval",
				core.ErrShape, first.Interval, first.Title(), r.Interval, r.Title())
		}
	}
	return nil
}

// precise checks that 32 bits tell the numbers of each column apart, over all recordings.
func precise(all []dataset.Recording) error {
	var spans []dataset.Span
	for i := range all {
		some, err := all[i].Spans()
		if err != nil {
			return err
		}
		if spans == nil {
			spans = some
			continue
		}
		for j, s := range some {
			spans[j].Widen(s)
		}
	}
	for j, s := range spans {
		if s.Lost() {
			return fmt.Errorf(
				"%w: %s: %s lies between %.10g and %.10g, where 32-bit numbers are exact only to %.2g; take a constant off "+
					"it, such as its mean, or leave it out by columns=", dataset.ErrFormat, all[0].Title(), all[0].Column(j), s.Low,
				s.High, s.Error)
		}
	}
	return nil
}

// problem makes a problem of the recordings.
func (s setting) problem(ctx context.Context, all []dataset.Recording) (*core.Problem, error) {
	parts, rule, err := s.cut(all)
	if err != nil {
		return nil, err
	}
	first := &all[0]
	p := &core.Problem{Lag: s.lag, Steps: s.steps, Picture: core.SeriesPicture, Rank: s.rank}
	if first.Columns == nil {
		p.Picture = core.ImagePicture
	}
	if first.Interval > 0 {
		p.Clock = core.Clock{Interval: first.Interval, Unit: timeUnit}
	}
	p.Frame = &core.Frame{Rows: s.delay, Stride: s.stride, Names: first.Names}
	var scale *standard
	if s.standardise == "true" || s.standardise == "auto" && first.Columns != nil {
		if scale, err = standardOf(ctx, parts[0]); err != nil {
			return nil, err
		}
		p.Frame.Shift, p.Frame.Scale = scale.mean, scale.deviation
	}
	for i, x := range []*core.Trajectories{&p.Train, &p.Validation, &p.Test} {
		if *x, err = snapshots(ctx, parts[i], p.Frame); err != nil {
			return nil, located(err, all)
		}
	}
	if p.Rank == 0 {
		p.Rank = min(p.Train.Size(), 16)
	}
	if s.eigenvalues != nil {
		p.Truth = &core.Truth{Eigenvalues: s.eigenvalues}
	}
	p.Source = source(all, rule, scale)
	return p, within(ctx, func() error { // it reads all test snapshots
		return process.Judge(p, s.starts, first.Rows.Size())
	})
}

// snapshots are the pieces of a part in their frame, all values of which are finite.
func snapshots(ctx context.Context, part []piece, frame *core.Frame) (core.Trajectories, error) {
	var all []core.Snapshots
	for _, one := range part {
		x, err := frame.Snapshots(one.rows)
		if err == nil {
			err = within(ctx, x.CheckFinite)
		}
		if err != nil {
			return core.Trajectories{}, err
		}
		all = append(all, x)
	}
	return core.NewTrajectories(all...)
}

// within makes a call that may take long, and does not wait for it once ctx ends.
func within(ctx context.Context, call func() error) error {
	done := make(chan error, 1)
	go func() { done <- core.Contain(call) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// located is the error with the place in a file of the first value that is not finite.
func located(err error, all []dataset.Recording) error {
	if !errors.Is(err, core.ErrNonFinite) {
		return err
	}
	for i := range all {
		if found := core.Contain(all[i].CheckFinite); found != nil {
			return found
		}
	}
	return fmt.Errorf("%w; a value is far outside the training part: give standardise=false, or look at the data",
		err)
}
