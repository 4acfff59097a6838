package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/koopbench/koopbench/benchmark"
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
	for _, name := range c.Losses.Names() {
		part, err := c.Losses.Get(name)
		if err != nil {
			return err
		}
		if err := c.Methods.AddOnRequest(compose.LossMethod(c.runtime, part, linalg.Ridge{}, nil)); err != nil {
			return err
		}
	}
	for _, name := range c.Embedders.Names() {
		part, err := c.Embedders.Get(name)
		if err != nil {
			return err
		}
		if err := c.Methods.AddOnRequest(compose.EmbedderMethod(part, linalg.Ridge{})); err != nil {
			return err
		}
	}
	for _, name := range c.Operators.Names() {
		part, err := c.Operators.Get(name)
		if err != nil {
			return err
		}
		if err := c.Methods.AddOnRequest(compose.OperatorMethod(part, c.reference)); err != nil {
			return err
		}
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
	name := describedName(thing)
	var kind, origin string
	taken := func(k string, err error, from *foundPlugin) {
		if err != nil {
			return
		}
		kind, origin = k, "which is built in"
		if from != nil {
			origin = "which the plugin " + from.path + " serves too"
		}
	}
	switch thing.(type) {
	case core.Method:
		_, err := c.Methods.Get(name)
		taken("method", err, c.methods[name])
	case core.Embedder:
		_, err := c.Embedders.Get(name)
		taken("embedder", err, c.methods["embedder:"+name])
	case core.EvolutionOperator:
		_, err := c.Operators.Get(name)
		taken("evolution operator", err, c.methods["operator:"+name])
	case core.Loss:
		_, err := c.Losses.Get(name)
		taken("loss", err, c.methods["loss:"+name])
	case core.Oracle:
		_, err := c.Oracles.Get(name)
		taken("oracle", err, c.oracles[name])
	case core.Task:
		_, err := c.Tasks.Get(name)
		taken("task", err, c.tasks[name])
	}
	if kind == "" {
		return nil
	}
	return fmt.Errorf("%w: it serves the %s %q, %s; rename one, or use one of them only", core.ErrDuplicate, kind, name, origin)
}

func (c *catalogue) add(p *foundPlugin, thing any) error {
	var composed core.Method
	var err error
	switch thing := thing.(type) {
	case core.Method:
		composed = thing
		c.whole[describedName(thing)] = true
	case core.Embedder:
		composed, err = compose.EmbedderMethod(thing, linalg.Ridge{}), c.Embedders.Add(thing)
	case core.EvolutionOperator:
		composed, err = compose.OperatorMethod(thing, c.reference), c.Operators.Add(thing)
	case core.Loss:
		composed, err = compose.LossMethod(c.runtime, thing, linalg.Ridge{}, nil), c.Losses.Add(thing)
	case core.Oracle:
		c.oracles[describedName(thing)] = p
		return c.Oracles.Add(thing)
	case core.Task:
		c.tasks[describedName(thing)] = p
		return c.Tasks.Add(thing)
	}
	if err != nil {
		return err
	}
	c.methods[composed.Describe().Name] = p
	return c.Methods.Add(composed)
}

// methodPlugin, oraclePlugin and taskPlugin say where one comes from, nil for this program.
func (c *catalogue) methodPlugin(name string) *benchmark.PluginInfo { return infoOf(c.methods[name]) }
func (c *catalogue) oraclePlugin(name string) *benchmark.PluginInfo { return infoOf(c.oracles[name]) }

func (c *catalogue) taskPlugin(name string) *benchmark.PluginInfo { return infoOf(c.tasks[name]) }

func infoOf(p *foundPlugin) *benchmark.PluginInfo {
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
