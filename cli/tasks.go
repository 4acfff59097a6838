package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/report/tasklist"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/registry"
)

// several are the flags of each of several tasks. What is wrong with one of them is a usageError.
func (f *taskFlags) several(r *registry.Registry, list string) ([]*taskFlags, error) {
	elements, err := r.Tasks.Expand(list)
	if err != nil {
		return nil, usageError{fmt.Errorf("--tasks: %w", err)}
	}
	var all []*taskFlags
	taken, by := map[string]bool{}, map[string]string{} // short forms, and elements by their folder
	for _, element := range elements {
		name, _, _ := strings.Cut(element, "?")
		task, err := r.Tasks.Get(name)
		if err != nil {
			return nil, err
		}
		one := f.of(element, task.Describe(), taken)
		if _, _, err := one.choose(r); err != nil {
			return nil, err
		}
		folder := tasklist.FolderOf(element)
		if other := by[folder]; other != "" {
			return nil, usagef("--tasks: %w: %q and %q are the same task; name it once", core.ErrDuplicate, other, element)
		}
		by[folder] = element
		all = append(all, one)
	}
	for _, s := range shortForms {
		if *f.values[s.flag] != "" && !taken[s.flag] {
			return nil, usagef("--%s: none of the tasks in --tasks has the option %q", s.flag, s.option)
		}
	}
	return all, nil
}

// of are the flags of one of several tasks: of the short forms, those of its options, which are noted as taken.
func (f *taskFlags) of(element string, d core.Description, taken map[string]bool) *taskFlags {
	one := *f
	one.task, one.ofList, one.values = element, true, map[string]*string{}
	for _, s := range shortForms {
		value := new(string)
		if _, ok := d.Option(s.option); ok {
			*value = *f.values[s.flag]
			taken[s.flag] = true
		}
		one.values[s.flag] = value
	}
	return &one
}

// benchmarkTasks is benchmark for several tasks, each with a folder of results of its own. What goes wrong with one is
// said, and the others go on.
func (s *session) benchmarkTasks(ctx context.Context, f *runFlags, flags *pflag.FlagSet) error {
	if _, err := s.Select(f.methods); err != nil {
		return usageError{fmt.Errorf("--methods: %w", err)}
	}
	if _, err := planOracle(s.catalogue, f.oracle, int64(f.oracleSeed)); err != nil {
		return err
	}
	tasks, err := f.task.several(s.Registry, f.tasks)
	if err != nil {
		return err
	}
	written := make([]string, len(tasks))
	for i, t := range tasks {
		written[i] = t.task
	}
	if f.dry {
		return s.previewTasks(ctx, f, flags, tasks)
	}
	list, err := tasklist.Claim(f.out, written)
	if err != nil {
		return err
	}
	var failures []string
	for i, t := range tasks {
		say(unlessQuiet(f.quiet, s.stderr), "task %d of %d: %s\n", i+1, len(tasks), t.task)
		one, folder := *f, tasklist.FolderOf(t.task)
		one.task, one.out = t, list.Path(folder)
		s.logs.moveTo("")
		err := list.CheckInside(folder)
		if err == nil {
			err = s.within(func() error { return s.benchmarkTask(ctx, &one, flags) })
		}
		if ctx.Err() != nil {
			return errors.Join(interruption(fmt.Sprintf("stopped at task %d of %d, %s; finished runs are kept in %s, and "+
				"the same command continues from there", i+1, len(tasks), t.task, f.out)), err, s.conclusion(f))
		}
		if err == nil {
			continue
		}
		text := s.errorText(err)
		say(s.stderr, "%s: %s: %s\n", s.Name, t.task, text)
		failures = append(failures, t.task)
		if err := list.Fail(t.task, firstLine(text)); err != nil {
			return err
		}
	}
	if err := s.conclusion(f); err != nil {
		return err
	}
	if n := len(failures); n > 0 {
		return fmt.Errorf("%d of %s failed: %s", n, report.Counted(len(tasks), "task"), some(failures, "; "))
	}
	return nil
}

// conclusion lays out what several tasks have given, unless other shards are to come.
func (s *session) conclusion(f *runFlags) error {
	show := unlessQuiet(f.quiet, s.stderr)
	if !f.shard.Whole() {
		say(show, "when all shards are finished, join those of each task with %s merge, then give: %s report %s\n", s.Name,
			s.Name, f.out)
		return nil
	}
	return s.layOut(f.out, show)
}

// layOut writes the page of several tasks, and shows their table.
func (a *app) layOut(dir string, show io.Writer) error {
	o, err := report.WriteOverview(dir)
	if err != nil {
		return err
	}
	var table bytes.Buffer
	if err := report.WriteOverviewTable(&table, o, a.columns); err != nil {
		return err
	}
	_, _ = a.stdout.Write(append([]byte("\n"), table.Bytes()...)) // Main tells if it cannot be written
	say(show, "the comparison of all tasks is %s\n", filepath.Join(dir, report.OverviewPage))
	return nil
}
