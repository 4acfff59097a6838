package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/methods"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/plugin"
	"github.com/koopbench/koopbench/registry"
)

// catalogue is everything that can be run: what is built in, what plugins add, and the methods made of parts of both.
type catalogue struct {
	*registry.Registry
	plugins []*foundPlugin
	methods map[string]*foundPlugin // where the methods of plugins, and those made of their parts, come from
	oracles map[string]*foundPlugin
	tasks   map[string]*foundPlugin
	whole   map[string]bool  // methods that a plugin serves whole, so that it does all of their work
	workers []*plugin.Plugin // this program, as what makes isolated runs

	runtime   *nn.Runtime
	reference core.Embedder // on whose features evolution operators are compared
}

// catalogue opens the plugins and puts everything together. The caller must close it.
func (a *app) catalogue(ctx context.Context, rt *nn.Runtime, f *pluginFlags, logs *pluginLogs) (*catalogue, error) {
	r, err := a.registryOf(rt)
	if err != nil {
		return nil, err
	}
	c := &catalogue{
		Registry: r, methods: map[string]*foundPlugin{}, oracles: map[string]*foundPlugin{}, tasks: map[string]*foundPlugin{}, whole: map[string]bool{},
		runtime: rt, reference: compose.Share(methods.Reference(rt)),
	}
	if err := c.composeBuiltin(); err != nil {
		return nil, err
	}
	if c.plugins, err = openPlugins(ctx, f, logs, a.warn); err != nil {
		return nil, err
	}
	for _, p := range c.plugins {
		if p.opened == nil {
			continue
		}
		err := c.addPlugin(p)
		if err != nil && p.named {
			c.close()
			return nil, fmt.Errorf("--plugin: plugin %s: %w", p.path, err)
		}
		p.broken = err
	}
	return c, nil
}

func (a *app) warn(format string, values ...any) {
	say(a.stderr, a.Name+": warning: "+format, values...)
}

func (c *catalogue) close() {
	closePlugins(c.plugins)
	for _, w := range c.workers {
		_ = w.Close()
	}
}

// composeBuiltin adds the methods made of built-in parts, on request.
func (c *catalogue) composeBuiltin() error {
	for _, kind := range core.Kinds() {
		set := c.Of(kind)
		for _, name := range set.Names() {
			part, err := set.GetThing(name)
			if err != nil {
				return err
			}
			method := c.composed(part)
			if method == nil || kind == core.KindMethod {
				continue
			}
			if err := c.Methods.AddOnRequest(method); err != nil {
				return err
			}
		}
	}
	return nil
}

// composed returns the method that is made of a thing: a method itself, and nil for a thing of which no method is made.
func (c *catalogue) composed(thing any) core.Method {
	switch thing := thing.(type) {
	case core.Method:
		return thing
	case core.Embedder:
		return compose.EmbedderMethod(thing, linalg.Ridge{})
	case core.EvolutionOperator:
		return compose.OperatorMethod(thing, c.reference)
	case core.Loss:
		return compose.LossMethod(c.runtime, thing, linalg.Ridge{}, nil)
	}
	return nil
}

// addPlugin adds what a plugin serves, and the methods made of its parts: all of it, or nothing where a name is taken.
func (c *catalogue) addPlugin(p *foundPlugin) error {
	for _, thing := range p.opened.Things {
		if err := c.checkFree(thing); err != nil {
			return err
		}
	}
	for _, thing := range p.opened.Things {
		if err := c.add(p, thing); err != nil {
			return err
		}
	}
	return nil
}

// checkFree returns an error that names both sides if a name is taken.
func (c *catalogue) checkFree(thing any) error {
	kind, name := core.KindOf(thing), describedName(thing)
	if !slices.Contains(c.Of(kind).Names(), name) {
		return nil
	}
	origin := "which is built in"
	if from := c.origin(kind, name); from != nil {
		origin = "which the plugin " + from.path + " serves too"
	}
	return fmt.Errorf("%w: it serves the %s %q, %s; rename one, or use one of them only", core.ErrDuplicate, kind.Title(), name, origin)
}

// origin returns the plugin that a thing comes from, nil for this program.
func (c *catalogue) origin(kind core.Kind, name string) *foundPlugin {
	switch kind {
	case core.KindOracle:
		return c.oracles[name]
	case core.KindTask:
		return c.tasks[name]
	}
	return c.methods[checkedName(kind, name)]
}

func (c *catalogue) add(p *foundPlugin, thing any) error {
	kind, name := core.KindOf(thing), describedName(thing)
	if err := c.Of(kind).AddThing(thing); err != nil {
		return err
	}
	switch kind {
	case core.KindMethod:
		c.whole[name] = true
		c.methods[name] = p
		return nil
	case core.KindOracle:
		c.oracles[name] = p
		return nil
	case core.KindTask:
		c.tasks[name] = p
		return nil
	}
	method := c.composed(thing)
	c.methods[method.Describe().Name] = p
	return c.Methods.Add(method)
}

// methodPlugin, oraclePlugin and taskPlugin say where one comes from, nil for this program.
func (c *catalogue) methodPlugin(name string) *results.PluginInfo { return infoOf(c.methods[name]) }
func (c *catalogue) oraclePlugin(name string) *results.PluginInfo { return infoOf(c.oracles[name]) }

func (c *catalogue) taskPlugin(name string) *results.PluginInfo { return infoOf(c.tasks[name]) }

func infoOf(p *foundPlugin) *results.PluginInfo {
	if p == nil {
		return nil
	}
	return p.info()
}

// broken lists the plugins that cannot be used.
func (c *catalogue) broken() []*foundPlugin {
	var broken []*foundPlugin
	for _, p := range c.plugins {
		if p.broken != nil {
			broken = append(broken, p)
		}
	}
	return broken
}

// logName is the name of a plugin's log.
func logName(path string) string { return filepath.Base(path) + ".log" }
