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
	"github.com/koopbench/koopbench/plugin"
)

// checkPlugins makes the checks of `bench plugin check`, before the runs of a plan, for every
// plugin that a method of it, its oracle or its task comes from, and puts the outcome where results
// have it.
// What the plan does not use is not checked. A check that fails is a warning. How it proceeds is
// written to show.
func (a *app) checkPlugins(
	ctx context.Context, c *catalogue, plan *benchmark.Plan, f *pluginFlags, show io.Writer,
) error {
	pins, err := f.pins(func(string, ...any) {}) // what there is to warn of was said when the plugins were opened
	if err != nil {
		return err
	}
	used := c.used(plan)
	if len(used) == 0 {
		say(show, "--check: no method comes from a plugin, nor do the oracle and the task\n\n")
	}
	for _, p := range c.plugins {
		names := used[p]
		if len(names) == 0 {
			continue
		}
		outcome, err := a.checkUsed(ctx, p, names, pins, show)
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
	for _, e := range plan.Entries {
		name := e.Method.Describe().Name
		if p := c.methods[name]; p != nil {
			used[p] = append(used[p], name)
		}
	}
	if p := c.tasks[plan.Task.Info.Name]; p != nil {
		used[p] = append(used[p], checkedName(core.KindTask, plan.Task.Info.Name))
	}
	if plan.Oracle.Plugin != nil && plan.Task.Info.Judged() {
		name := plan.Oracle.Oracle.Describe().Name
		used[c.oracles[name]] = append(used[c.oracles[name]], checkedName(core.KindOracle, name))
	}
	return used
}

// checkedName is what results call a thing of a plugin that was checked: a part has the name of the
// method that is made of it.
func checkedName(kind check.Kind, name string) string {
	switch kind {
	case core.KindMethod:
		return name
	case check.KindPlugin:
		return string(kind)
	}
	return string(kind) + ":" + name
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
func (a *app) checkUsed(
	ctx context.Context, p *foundPlugin, names []string, pins *pins, show io.Writer,
) (*results.PluginChecks, error) {
	outcome := &results.PluginChecks{Failed: []string{}}
	c, err := a.newPluginChecks(p.path, pins.options(p.path), usualChecks())
	if err != nil {
		return nil, err
	}
	c.wanted = func(thing any) bool {
		return slices.Contains(names, checkedName(core.KindOf(thing), describedName(thing)))
	}
	c.begin = func(kind check.Kind, name string) { say(show, "checking %s %s\n", kind, name) }
	c.add = func(r check.Report) error {
		var failed []string
		for _, result := range r.With(check.Fail) {
			failed = append(failed, result.Check)
			outcome.Failed = append(outcome.Failed, checkedName(r.Kind, r.Name)+": "+result.Check)
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
		return nil, interruption("stopped while plugins were checked; nothing was begun")
	}
	if err != nil {
		return nil, fmt.Errorf("--check: %w", err)
	}
	if was := p.opened.Info().SHA256; now.SHA256 != "" && now.SHA256 != was {
		return nil, fmt.Errorf("%w: the plugin %s has changed since the command began; start the command again",
			plugin.ErrLock, p.path)
	}
	if n := len(outcome.Failed); n > 0 {
		checks := "checks"
		if n == 1 {
			checks = "check"
		}
		a.warn("the plugin %s failed %d %s: %s; see: %s plugin check %s\n",
			p.path, n, checks, some(outcome.Failed, ", "), a.Name, p.path)
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
