package cli

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// An isolated run is made by a worker: this program in a process of its own, that serves the run's method as plugins
// do. It computes what this process would have, to the bit: the worker has the same registry, backend and kernels, and
// random streams go by the names of the methods, which stay the same.

// worker is what errors call one.
const worker = "the process of the run"

// isolate gives the entries of a plan methods whose work is done by workers. Methods that plugins serve whole are
// isolated anyway.
func (s *session) isolate(ctx context.Context, plan *benchmark.Plan, f *pluginFlags) error {
	if err := plan.Check(); err != nil { // which a worker cannot
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("--isolate: %w", err)
	}
	entries := map[*foundPlugin][]*benchmark.Entry{} // by the plugin that serves a part of the method, nil for none
	for i := range plan.Entries {
		e := &plan.Entries[i]
		if name := e.Method.Describe().Name; !s.whole[name] {
			part := s.origin(core.KindMethod, name)
			entries[part] = append(entries[part], e)
		}
	}
	for part, group := range entries {
		names := make([]string, 0, len(group))
		served := map[string]int{}
		for _, e := range group {
			name := e.Method.Describe().Name
			if _, twice := served[name]; !twice { // with other options
				served[name] = len(names)
				names = append(names, name)
			}
		}
		w, err := plugin.Open(ctx, self, &plugin.Options{
			Args: s.workerArguments(part, f, names), Name: worker, Log: s.logs.of(self), LogFile: s.logs.file(self),
			StartTimeout: 2 * f.startTimeout, // a plugin in it may take as long
			Grace:        5 * time.Second,    // it ends that plugin
			// It is what runs already, whoever can write it.
			AllowWritable: true,
		})
		switch {
		case ctx.Err() != nil:
			return stoppedWhile("runs were being prepared")
		case err != nil:
			return fmt.Errorf("--isolate: cannot start %s as a worker: %w; its main function must pass its "+
				"arguments to cli.Main", self, err)
		}
		s.ends = append(s.ends, func() { _ = w.Close() })
		if sum := w.Info().SHA256; sum != plan.Environment.ExecutableSHA256 {
			return fmt.Errorf("--isolate: the program file %s has changed since this command started; start the "+
				"command again", self)
		}
		for _, e := range group {
			e.Method, e.Isolated = w.Things[served[e.Method.Describe().Name]].(core.Method), true
		}
	}
	return nil
}

// workerArguments are those of a worker for methods of these names, which have parts of that plugin, or nil.
func (c *catalogue) workerArguments(part *foundPlugin, f *pluginFlags, names []string) []string {
	args := []string{"worker", "--backend", c.runtime.Config()}
	if part != nil {
		args = append(args,
			"--plugin", part.path, "--plugin-sha256", part.opened.Info().SHA256, "--plugin-lock", f.lock,
			fmt.Sprintf("--plugin-ignore-lock=%t", f.ignoreLock), fmt.Sprintf("--plugin-allow-writable=%t", f.allowWritable),
			"--plugin-start-timeout", f.startTimeout.String())
	}
	return append(append(args, "--"), names...)
}

func (a *app) workerCommand() *cobra.Command {
	f := newPluginFlags()
	f.namedOnly = true
	var backend, sum string
	cmd := &cobra.Command{
		Use:    "worker NAME... [FLAGS]",
		Short:  "Serve methods to " + a.Name + " run --isolate",
		Hidden: true,
		Args:   cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.work(cmd.Context(), names, backend, f, sum)
		},
	}
	flags := cmd.Flags()
	flags.Var(word{&backend, "NAME"}, "backend", "where neural networks compute, as in run")
	flags.Var(word{&sum, "HEX"}, "plugin-sha256", "SHA-256 that the plugin must have")
	f.add(cmd)
	return cmd
}

// work serves methods until the host is content. It returns only with an error.
func (a *app) work(ctx context.Context, names []string, backend string, f *pluginFlags, sum string) error {
	s := a.begin()
	defer s.close()
	s.logs.terminal = a.stderr
	if n := plugin.Threads(); n > 0 {
		runtime.GOMAXPROCS(n) // before the backend counts them
	}
	if err := s.compute(computeFlags{backend: backend}); err != nil {
		return err
	}
	if err := s.open(ctx, f); err != nil {
		return err
	}
	for _, p := range s.plugins {
		if err := p.checkUnchanged(sum); err != nil {
			return err
		}
	}
	var things []any
	for _, name := range names {
		m, err := s.Methods.Get(name)
		if err != nil {
			return err
		}
		things = append(things, m)
	}
	plugin.ServeThen(s.close, things...)
	return nil
}
