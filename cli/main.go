package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

// Config is what a command line is made of.
type Config struct {
	// Registry returns everything that can be run and listed. The runtime is where neural methods compute; its backend is
	// made when it is first used, so that listing costs nothing.
	Registry func(rt *nn.Runtime) (*registry.Registry, error)
	// Name is what the command calls itself in help and messages; "" stands for "bench".
	Name string
	// Version is written to results; "" stands for the version of the main module, as the build knows it.
	Version string

	draw func(dir string) error // report.Write, but in tests that are not about figures
}

// Exit statuses.
const (
	exitFailure     = 1   // a run, the data or the disk failed
	exitUsage       = 2   // the command line is wrong; nothing was begun
	exitInterrupted = 130 // stopped by SIGINT or SIGTERM, as shells report it
)

// Main runs the command line args, without the program's name, and returns the exit status: 0; 1 where a run, the data or
// the disk failed; 2 where the command line is wrong; 130 where SIGINT, SIGTERM or the end of ctx stopped it. The error is
// one sentence on stderr. Main is for one call at a time.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, config Config) int {
	stderr = inTurn(stderr)
	a := &app{Config: config, args: args, stdin: stdin, stdout: stdout, stderr: stderr}
	if a.Name == "" {
		a.Name = "bench"
	}
	if a.Version == "" {
		a.Version = builtVersion()
	}
	if a.draw == nil {
		a.draw = report.Write
	}
	err := a.run(ctx)
	if err != nil {
		say(stderr, "%s: %s\n", a.Name, a.errorText(err))
	}
	return exitStatus(err)
}

// turns lets one goroutine write at a time.
type turns struct {
	mu sync.Mutex
	w  io.Writer
}

// inTurn makes w one that progress and the logs of plugins can share; a file is one already, and stays what a terminal is told by.
func inTurn(w io.Writer) io.Writer {
	if _, file := w.(*os.File); file {
		return w
	}
	return &turns{w: w}
}

func (t *turns) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.w.Write(text)
}

// say writes what is for the user alone: that it cannot be written is no reason to fail.
func say(w io.Writer, format string, values ...any) { _, _ = fmt.Fprintf(w, format, values...) }

// app is one command line being run.
type app struct {
	Config
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	verbose        bool // set by the flag -v
	libraries      bool // by -vv: show what libraries log
}

func (a *app) run(ctx context.Context) (err error) {
	defer core.Recover(&err)
	divertLogs(io.Discard)
	root := a.rootCommand()
	root.SetArgs(append([]string{}, a.args...))
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	return root.ExecuteContext(ctx)
}

// registry returns what can be listed, without a backend.
func (a *app) registry() (*registry.Registry, error) {
	return a.Registry(nn.NewRuntime(defaultBackend))
}

// errorText is the error's first line, or all of it, stacks too, with -v.
func (a *app) errorText(err error) string {
	if a.verbose {
		return err.Error()
	}
	return firstLine(err.Error())
}

// firstLine is the first line of a text. One that ends in a colon, as in front of the last lines of
// a log, says nothing without what follows: it goes on with the very last line.
func firstLine(text string) string {
	line, more, _ := strings.Cut(text, "\n")
	if more = strings.TrimRight(more, "\n"); strings.HasSuffix(line, ":") && more != "" {
		line += " " + strings.TrimSpace(more[strings.LastIndex(more, "\n")+1:])
	}
	return line
}

// usageError is a mistake on the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, values ...any) error {
	return usageError{fmt.Errorf(format, values...)}
}

// interruption says that the user stopped a command, and what is kept.
type interruption string

func (i interruption) Error() string { return string(i) }

func exitStatus(err error) int {
	var usage usageError
	var stopped interruption
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &stopped):
		return exitInterrupted
	}
	return exitFailure
}
