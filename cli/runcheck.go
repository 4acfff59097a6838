package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
)

// checkPlugins makes the checks of `bench plugin check`, before the runs of a plan, for every plugin that a method of
// it, its oracle or its task comes from, and puts the outcome where results have it. What the plan does not use is not
// checked. A check that fails is a warning. How it proceeds is written to show.
func (s *session) checkPlugins(ctx context.Context, plan *benchmark.Plan, show io.Writer) error {
	used := s.used(plan)
	if len(used) == 0 {
		say(show, "--check: these runs use no plugin\n\n")
	}
	for _, p := range s.plugins {
		names := used[p]
		if len(names) == 0 {
			continue
		}
		outcome, err := s.checkUsed(ctx, p, names, show)
		if err != nil {
			return err
		}
		for _, i := range pluginInfos(plan) {
			if i.Path == p.opened.Info().Path {
				i.Checks = outcome
			}
		}
	}
	return nil
}

// used lists the names by which methods, the oracle or the task of a plan use what plugins serve:
// "vamp", "loss:vamp", "oracle:cnn", "task:rotation".
func (c *catalogue) used(plan *benchmark.Plan) map[*foundPlugin][]string {
	used := map[*foundPlugin][]string{}
	add := func(kind core.Kind, name string) {
		if p := c.origin(kind, name); p != nil {
			used[p] = append(used[p], qualifiedName(kind, name))
		}
	}
	for _, e := range plan.Entries {
		add(core.KindMethod, e.Method.Describe().Name)
	}
	add(core.KindTask, plan.Task.Info.Name)
	if plan.Task.Info.Judged() {
		add(core.KindOracle, plan.Oracle.Oracle.Describe().Name)
	}
	return used
}

// pluginInfos are those of a plan, one for each entry that comes from a plugin, one for the oracle
// and one for the task.
func pluginInfos(plan *benchmark.Plan) []*results.PluginInfo {
	infos := []*results.PluginInfo{plan.Oracle.Plugin, plan.Task.Info.Plugin}
	for _, e := range plan.Entries {
		infos = append(infos, e.Plugin)
	}
	return slices.DeleteFunc(infos, func(i *results.PluginInfo) bool { return i == nil })
}

// checkUsed checks a plugin and the things of those names.
func (s *session) checkUsed(
	ctx context.Context, p *foundPlugin, names []string, show io.Writer,
) (*results.PluginChecks, error) {
	outcome := &results.PluginChecks{Failed: []string{}}
	c, err := s.newPluginChecks(p.path, p.trust, usualChecks())
	if err != nil {
		return nil, err
	}
	c.wanted = func(thing any) bool {
		return slices.Contains(names, qualifiedName(core.KindOf(thing), describedName(thing)))
	}
	c.begin = func(kind check.Kind, name string) { say(show, "checking %s %s\n", kind, name) }
	c.add = func(r check.Report) error {
		name := qualifiedName(r.Kind, r.Name)
		if r.Kind == check.KindPlugin { // its name is that of its file
			name = string(r.Kind)
		}
		var failed []string
		for _, result := range r.With(check.Fail) {
			failed = append(failed, result.Check)
			outcome.Failed = append(outcome.Failed, name+": "+result.Check)
		}
		passed := len(r.With(check.Pass))
		outcome.Passed += passed
		words := ""
		if len(failed) > 0 {
			words = ": " + strings.Join(failed, ", ")
		}
		say(show, "checked  %s %s: %d passed, %d failed%s\n", r.Kind, r.Name, passed, len(failed), words)
		return nil
	}
	now, err := c.run(ctx)
	if ctx.Err() != nil {
		return nil, stoppedWhile("plugins were checked")
	}
	if err != nil {
		return nil, fmt.Errorf("--check: %w", err)
	}
	if now.SHA256 != "" {
		if err := p.checkUnchanged(now.SHA256); err != nil {
			return nil, err
		}
	}
	if n := len(outcome.Failed); n > 0 {
		checks := "checks"
		if n == 1 {
			checks = "check"
		}
		s.warn("the plugin %s failed %d %s: %s; see: %s plugin check %s\n",
			p.path, n, checks, some(outcome.Failed, ", "), s.Name, p.path)
	}
	say(show, "\n")
	return outcome, nil
}

// some joins the first words, and says how many more there are.
func some(words []string, separator string) string {
	const most = 10
	if n := len(words); n > most {
		words = append(words[:most:most], fmt.Sprintf("and %d more", n-most))
	}
	return strings.Join(words, separator)
}
