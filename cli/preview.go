package cli

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/tasklist"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/registry"
)

// forced returns which methods, as they are written, the value of --force names; nil if it is empty.
// A name stands for a method with any options. A part of the list that names no method is a usageError.
func forced(list string, entries []benchmark.Entry) (func(method string) bool, error) {
	if list == "" {
		return nil, nil
	}
	chosen := map[string]bool{}
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimSpace(part)
		pattern, found := registry.Pattern(part), false
		for _, e := range entries {
			name, _, _ := strings.Cut(e.Written, "?")
			if part == "all" || pattern.MatchString(name) || pattern.MatchString(e.Written) {
				found, chosen[e.Written] = true, true
			}
		}
		if !found {
			var written []string
			for _, e := range entries {
				written = append(written, e.Written)
			}
			return nil, usagef("--force: %s", core.Unknown("method of these runs", part, written))
		}
	}
	return func(method string) bool { return chosen[method] }, nil
}

// preview shows which runs of a plan are finished, and which would be made.
func (a *app) preview(plan *benchmark.Plan) error {
	runs, err := benchmark.Preview(*plan)
	if err != nil {
		return err
	}
	type row struct {
		finished, due []int64
		reasons       map[string][]int64
	}
	rows, order := map[string]*row{}, []string{}
	finished := 0
	for _, run := range runs {
		r := rows[run.Method]
		if r == nil {
			r = &row{reasons: map[string][]int64{}}
			rows[run.Method] = r
			order = append(order, run.Method)
		}
		if run.Finished {
			finished++
			r.finished = append(r.finished, run.Seed)
			continue
		}
		r.due = append(r.due, run.Seed)
		if run.Reason != "" {
			reason := analysis.OneLine(run.Reason)
			r.reasons[reason] = append(r.reasons[reason], run.Seed)
		}
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	say(w, "METHOD\tFINISHED\tTO DO\n")
	for _, method := range order {
		say(w, "%s\t%s\t%s\n", method, seedsOrNone(rows[method].finished), seedsOrNone(rows[method].due))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, method := range order {
		reasons := rows[method].reasons
		for _, reason := range slices.Sorted(maps.Keys(reasons)) {
			say(a.stdout, "%s, %s, would be made again: %s\n", method, seedsOrNone(reasons[reason]), reason)
		}
	}
	say(a.stdout, "\n%d of %d runs are finished in %s; nothing was run\n", finished, len(runs), plan.Out)
	return nil
}

// seedsOrNone is "seeds 0..4", or a dash.
func seedsOrNone(seeds []int64) string {
	if len(seeds) == 0 {
		return "–"
	}
	slices.Sort(seeds)
	return analysis.SeedWords(seeds)
}

// previewTasks is preview for several tasks.
func (s *session) previewTasks(ctx context.Context, f *runFlags, flags *pflag.FlagSet, tasks []*taskFlags) error {
	for i, t := range tasks {
		say(s.stdout, "task %d of %d: %s\n", i+1, len(tasks), t.task)
		one := *f
		one.task, one.out = t, filepath.Join(f.out, tasklist.FolderOf(t.task))
		if err := s.within(func() error { return s.benchmarkTask(ctx, &one, flags) }); err != nil {
			return fmt.Errorf("%s: %w", t.task, err)
		}
	}
	return nil
}
