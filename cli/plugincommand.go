package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

func (a *app) pluginCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "List, pin, check and serve plugins",
		Long: `List, pin, check and serve plugins. A plugin is a program, in any language, that adds methods, losses,
evolution operators, embedders, oracles or tasks.`,
		Example: "  " + a.Name + " plugin check ./my-plugin\n  " + a.Name + " run --plugin ./my-plugin --methods all",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return nil
	}
	cmd.AddCommand(a.pluginCheckCommand(), a.pluginFitCommand(), a.pluginListCommand(), a.pluginLockCommand(),
		a.pluginServeCommand())
	for _, c := range cmd.Commands() {
		c.DisableFlagsInUseLine = true
		c.Flags().SortFlags = false
	}
	return cmd
}

func (a *app) pluginListCommand() *cobra.Command {
	f := newPluginFlags()
	cmd := &cobra.Command{
		Use:     "list [FLAGS]",
		Short:   "List the plugins, what they serve, and why a plugin cannot be used",
		Example: "  " + a.Name + " plugin list --plugin-dir ./plugins",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s := a.begin()
			defer s.close()
			if err := s.open(cmd.Context(), f); err != nil {
				return err
			}
			if len(s.plugins) == 0 {
				say(a.stderr, "there are no plugins in %s; name one with --plugin FILE, or a folder with --plugin-dir "+
					"DIR\n", strings.Join(plugin.Folders(f.folders...), ", "))
			}
			for _, p := range s.plugins {
				if _, err := fmt.Fprintf(a.stdout, "%s: %s\n", p.path, pluginWords(p)); err != nil {
					return err
				}
				if p.broken != nil {
					continue
				}
				for _, thing := range p.opened.Things {
					title := core.KindOf(thing).Title()
					if _, err := fmt.Fprintf(a.stdout, "  %s %s\n", title, describedName(thing)); err != nil {
						return err
					}
				}
			}
			return nil
		},
	}
	f.add(cmd)
	return cmd
}

func (a *app) pluginLockCommand() *cobra.Command {
	f := newPluginFlags()
	cmd := &cobra.Command{
		Use:   "lock [FLAGS]",
		Short: "Pin the plugins by their SHA-256, as they are now",
		Long: `Pin the plugins by their SHA-256, as they are now. If a pinned plugin changes later, it is refused. A
plugin without a pin still runs, but the results mark it as unpinned. Commit the lock file so that
others run the same plugins.`,
		Example: "  " + a.Name + " plugin lock --plugin ./my-plugin",
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return a.lockPlugins(f) },
	}
	f.add(cmd)
	return cmd
}

// lockPlugins pins every plugin that is named or found, beside those that are pinned already.
func (a *app) lockPlugins(f *pluginFlags) error {
	plugins, err := findPlugins(f)
	if err != nil {
		return err
	}
	if len(plugins) == 0 {
		return usagef("there is no plugin to pin; name one with --plugin FILE, or a folder with --plugin-dir DIR")
	}
	lock, err := plugin.ReadLock(f.lock)
	if err != nil {
		return err
	}
	for _, p := range plugins {
		if err := lock.Pin(p.path); err != nil {
			return fmt.Errorf("plugin %s: %w", p.path, err)
		}
	}
	if err := lock.Write(f.lock); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s pins %s\n", f.lock, report.Counted(len(lock.Plugins), "plugin"))
	return err
}

func (a *app) pluginServeCommand() *cobra.Command {
	var prefix string
	var compute computeFlags
	cmd := &cobra.Command{
		Use:   "serve NAME... [FLAGS]",
		Short: "Act as a plugin that serves built-in methods and parts",
		Long: `Act as a plugin that serves built-in methods and parts. Use it in a script that is a plugin, like:

  #!/bin/sh
  exec ` + a.Name + ` plugin serve vamp --prefix remote-`,
		Example: "  " + a.Name + " plugin serve vamp --prefix remote-",
		Args: func(cmd *cobra.Command, names []string) error {
			if len(names) == 0 {
				return usagef("serve needs the names of the methods or parts to serve; see %s --help", cmd.CommandPath())
			}
			return nil
		},
		ValidArgsFunction: a.completeName,
		RunE:              func(_ *cobra.Command, names []string) error { return a.servePlugin(names, prefix, compute) },
	}
	flags := cmd.Flags()
	flags.Var(word{&prefix, "TEXT"}, "prefix", "text to put before each name, so that it differs from the built-in one")
	compute.add(flags, "compute backend for neural networks, as in run")
	return cmd
}

// servePlugin serves built-in things. It returns only with an error.
func (a *app) servePlugin(names []string, prefix string, compute computeFlags) error {
	s := a.begin()
	defer s.close()
	if err := s.compute(compute); err != nil {
		return err
	}
	if err := s.builtin(); err != nil {
		return err
	}
	var things []any
	for _, name := range names {
		before := len(things)
		for _, kind := range core.Kinds() {
			if thing, err := s.Of(kind).GetThing(name); err == nil {
				things = append(things, renamedThing(thing, prefix))
			}
		}
		if len(things) == before {
			_, err := info(s.Registry, name)
			return err
		}
	}
	plugin.Serve(things...)
	return nil
}

// renamedThing returns a thing with the prefix before its name.
func renamedThing(thing any, prefix string) any {
	switch thing := thing.(type) {
	case core.Method:
		return renamedMethod{thing, prefix}
	case core.Embedder:
		return renamedEmbedder{thing, prefix}
	case core.EvolutionOperator:
		return renamedOperator{thing, prefix}
	case core.Loss:
		return renamedLoss{thing, prefix}
	case core.Oracle:
		return renamedOracle{thing, prefix}
	case core.Task:
		return renamedTask{thing, prefix}
	}
	return thing
}

// The types below give things other names. Random streams stay keyed by the names that the things
// have themselves, so that numbers stay the same.

type renamedMethod struct {
	core.Method
	prefix string
}

func (m renamedMethod) Describe() core.Description { return renamed(m.Method.Describe(), m.prefix) }

func (m renamedMethod) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	return m.Method.Fit(ctx, named(t, m.Method.Describe().Name))
}

// Has implements [core.Declarer].
func (m renamedMethod) Has(a core.Ability) bool {
	_, loads := core.As[core.ModelLoader](m.Method)
	return a != core.AbilityModelLoader || loads
}

// Load implements [core.ModelLoader].
func (m renamedMethod) Load(ctx context.Context, s *core.Saved) (core.Model, error) {
	loader, ok := core.As[core.ModelLoader](m.Method)
	if !ok {
		return nil, fmt.Errorf("%w: %s cannot load models", core.ErrUnavailable, m.Describe().Name)
	}
	return loader.Load(ctx, s)
}

type renamedEmbedder struct {
	core.Embedder
	prefix string
}

func (e renamedEmbedder) Describe() core.Description { return renamed(e.Embedder.Describe(), e.prefix) }

func (e renamedEmbedder) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	return e.Embedder.Fit(ctx, named(t, e.Embedder.Describe().Name))
}

type renamedTask struct {
	core.Task
	prefix string
}

func (t renamedTask) Describe() core.Description { return renamed(t.Task.Describe(), t.prefix) }

type renamedOracle struct {
	core.Oracle
	prefix string
}

func (o renamedOracle) Describe() core.Description { return renamed(o.Oracle.Describe(), o.prefix) }

func (o renamedOracle) Fit(ctx context.Context, t *core.Training) (core.Judge, error) {
	return o.Oracle.Fit(ctx, named(t, o.Oracle.Describe().Name))
}

type renamedOperator struct {
	core.EvolutionOperator
	prefix string
}

func (o renamedOperator) Describe() core.Description {
	return renamed(o.EvolutionOperator.Describe(), o.prefix)
}

type renamedLoss struct {
	core.Loss
	prefix string
}

func (l renamedLoss) Describe() core.Description { return renamed(l.Loss.Describe(), l.prefix) }

func renamed(d core.Description, prefix string) core.Description {
	d.Name = prefix + d.Name
	return d
}

func named(t *core.Training, name string) *core.Training {
	other := *t
	other.Name = name
	return &other
}
