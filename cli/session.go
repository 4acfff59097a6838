package cli

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/spf13/pflag"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/tasks"
)

// computeFlags say where a command computes.
type computeFlags struct {
	backend string
	threads int
}

// add adds the flags. usage is that of --backend.
func (f *computeFlags) add(flags *pflag.FlagSet, usage string) {
	flags.Var(word{&f.backend, "NAME"}, "backend", usage)
	flags.Var(number{&f.threads, 1, maxThreads}, "threads",
		"processor threads to use (default all); does not change the results")
}

// session is what a command works with. Nothing is there at first: the command asks for what it needs, which close
// ends, the last first. One goroutine uses it.
type session struct {
	*app
	*catalogue

	logs *pluginLogs
	ends []func()
}

// begin returns a session, which the caller must close. Plugins log to the terminal with -v.
func (a *app) begin() *session {
	s := &session{app: a, catalogue: newCatalogue(nn.NewRuntime(defaultBackend)), logs: &pluginLogs{}}
	if a.verbose {
		s.logs.terminal = a.stderr
	}
	return s
}

// close ends what was begun; again it does nothing.
func (s *session) close() {
	for _, end := range slices.Backward(s.ends) {
		end()
	}
	s.ends = nil
}

// within does something, and ends what it has begun.
func (s *session) within(do func() error) error {
	before := s.ends
	s.ends = nil
	defer func() {
		s.close()
		s.ends = before
	}()
	return do()
}

// stoppable returns a context that a signal ends, as stopBySignal has it.
func (s *session) stoppable(ctx context.Context) context.Context {
	ctx, stop := stopBySignal(ctx)
	s.ends = append(s.ends, stop)
	return ctx
}

// compute sets the threads of the process, and starts the backend. A command that does not call it has the default
// backend, which starts when it is first used.
func (s *session) compute(f computeFlags) error {
	if f.threads > 0 {
		before := runtime.GOMAXPROCS(f.threads)
		s.ends = append(s.ends, func() { runtime.GOMAXPROCS(before) })
	}
	rt, err := openRuntime(f.backend, f.threads)
	if err == nil {
		s.runtime = rt
	}
	return err
}

// builtin fills the catalogue with what is built in: that of the program, and the built-in tasks.
func (s *session) builtin() error {
	r, err := s.app.Registry(s.runtime)
	if err != nil {
		return err
	}
	s.Registry = r
	return tasks.AddTo(r)
}

// builtin returns a catalogue of what is built in, without a backend.
func (a *app) builtin() (*catalogue, error) {
	s := a.begin()
	defer s.close()
	return s.catalogue, s.builtin()
}

// open fills the catalogue with everything: what is built in, what plugins add, and the methods made of parts of both.
func (s *session) open(ctx context.Context, f *pluginFlags) error {
	if err := s.builtin(); err != nil {
		return err
	}
	if err := s.composeBuiltin(); err != nil {
		return err
	}
	s.ends = append(s.ends, s.logs.close, func() { closePlugins(s.plugins) })
	if err := s.openPlugins(ctx, f); err != nil {
		return err
	}
	for _, p := range s.plugins {
		if p.opened == nil {
			continue
		}
		if p.broken = s.addPlugin(p); p.broken != nil && p.named {
			return fmt.Errorf("--plugin: plugin %s: %w", p.path, p.broken)
		}
	}
	return nil
}

// environment is what results say of this command and where it computes.
func (s *session) environment() (results.Environment, error) {
	e, err := results.Here(s.Version)
	if err != nil {
		return e, err
	}
	e.Command = s.commandLine()
	e.Backend, err = backendIdentity(s.runtime)
	return e, err
}

// stoppedWhile says what a signal interrupted before any run.
func stoppedWhile(doing string) error {
	return interruption("stopped while " + doing + "; no run was started")
}
