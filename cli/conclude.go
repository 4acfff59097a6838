package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// conclude shows what a plan has given: the table, then on show where the figures are. It returns
// runErr in the words of the command line, or an error that names the runs that failed.
func (a *app) conclude(p *benchmark.Plan, r *results.Results, runErr error, show io.Writer) error {
	finished := 0
	if r != nil && len(r.Runs) > 0 {
		finished = len(ownRuns(r))
		if err := a.showTable(r); err != nil {
			return errors.Join(runErr, err)
		}
		for _, note := range r.Notes { // with --quiet too: nothing leaves the table without a word
			say(a.stderr, "%s\n", note)
		}
	}
	if runErr != nil {
		return unfinished(p, r, finished, runErr)
	}
	if !p.Shard.Whole() {
		say(show, "shard %v is finished, with %d of %d runs; when all shards are finished, join "+
			"them with: %s merge --out %s %s\n", p.Shard,
			finished, len(p.Entries)*len(p.Seeds), a.Name, p.Out, p.Out)
		return failed(r)
	}
	err := a.draw(p.Out)
	if err == nil {
		sayDrawn(show, p.Out)
	}
	if failures := failed(r); failures != nil && err != nil {
		return fmt.Errorf("%w; and %w", failures, err)
	} else if failures != nil {
		return failures
	}
	return err
}

// unfinished is what ended a plan, in the words of the command line.
func unfinished(p *benchmark.Plan, r *results.Results, finished int, runErr error) error {
	planned := p.Size()
	switch {
	case errors.Is(runErr, context.Canceled), errors.Is(runErr, context.DeadlineExceeded):
		return interruption(fmt.Sprintf("stopped with %d of %d runs finished and kept in %s; the same command continues "+
			"from there", finished, planned, p.Out))
	case errors.Is(runErr, core.ErrDuplicate) && r == nil:
		return usageError{runErr}
	case finished > 0:
		return fmt.Errorf("%d of %d runs are finished and kept in %s, but %w", finished, planned, p.Out, runErr)
	}
	return runErr
}

// sayDrawn says where in a folder of results what is drawn is.
func sayDrawn(w io.Writer, dir string) {
	say(w, "the figures are in %s; the report page is %s\n",
		filepath.Join(dir, report.Folder), filepath.Join(dir, report.Page))
}

// showTable writes the table of results, as wide as stdout is if that is a terminal. That stdout
// cannot be written keeps nothing else from being made: Main tells of it.
func (a *app) showTable(r *results.Results) error {
	var table bytes.Buffer
	write := report.WriteTable
	if a.columns > 0 {
		write = func(w io.Writer, r *results.Results) error { return report.WriteTableWithin(w, r, a.columns) }
	}
	if err := write(&table, r); err != nil {
		return err
	}
	_, _ = a.stdout.Write(table.Bytes())
	return nil
}

// ownRuns are the runs of the command, without those of earlier ones.
func ownRuns(r *results.Results) []results.Run {
	return slices.DeleteFunc(slices.Clone(r.Runs), func(run results.Run) bool { return run.Carried })
}

// failed returns an error that names the runs of the command that are not ok, or nil.
func failed(r *results.Results) error {
	var names []string
	runs := ownRuns(r)
	for _, run := range runs {
		if run.Status != results.StatusOK && run.Status != results.StatusSkipped {
			names = append(names, runName{run.Method, run.Seed}.String())
		}
	}
	n := len(names)
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d runs failed: %s", n, len(runs), some(names, "; "))
}
