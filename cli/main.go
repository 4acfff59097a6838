package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

// Config is what a command line is made of.
type Config struct {
	// Registry returns everything that can be run and listed, except the built-in tasks. Neural
	// methods compute on the runtime. Its backend is made when it is first used, so listing costs
	// nothing.
	Registry func(rt *nn.Runtime) (*registry.Registry, error)
	// Name is the name of the command in help and messages; "" stands for "bench".
	Name string
	// Version is written to results; "" stands for the version of the main module, as the build knows it.
	Version string

	draw func(dir string) error // report.Write, but in tests that are not about figures
}

// Exit statuses.
const (
	exitFailure     = 1   // a run, the data or the disk failed
	exitUsage       = 2   // the command line is wrong; nothing was begun
	exitInterrupted = 130 // stopped by SIGINT, SIGTERM or SIGHUP, as shells report the first
)

// Main runs the command line args, without the program's name, and returns the exit status:
//
//   - 0: success;
//   - 1: a run, the data or the disk failed, or stdout could not be written;
//   - 2: the command line is wrong;
//   - 130: SIGINT, SIGTERM, SIGHUP or the end of ctx stopped it.
//
// The error is one sentence on stderr. If stderr cannot be written, this is not an error. Only one
// call of Main may run at a time.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, config Config) int {
	defer outlivePipes()()
	out := &result{w: stdout}
	a := &app{Config: config, args: args, stdin: stdin, columns: columnsOf(stdout)}
	stdout, stderr = &printer{to: out}, &printer{to: inTurn(stderr), most: maxLine}
	a.stdout, a.stderr = stdout, stderr
	if a.Name == "" {
		a.Name = "bench"
	}
	if a.Version == "" {
		a.Version = builtVersion()
	}
	if a.draw == nil {
		a.draw = report.Write
	}
	err := out.conclude(a.run(ctx))
	if err != nil {
		say(stderr, "%s: %s\n", a.Name, a.errorText(err))
	}
	return exitStatus(err)
}

// columnsOf is how wide a terminal is, 0 for anything else.
func columnsOf(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	columns, _ := sizeOf(f)
	return columns
}

// sizeOf is how many columns and lines a terminal has, 0 for anything else.
func sizeOf(f *os.File) (columns, lines int) {
	columns, lines, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return columns, lines
}

// result is stdout, and remembers if it could not be written.
type result struct {
	w   io.Writer
	err error // the first one
}

func (r *result) Write(text []byte) (int, error) {
	n, err := r.w.Write(text)
	if err != nil {
		err = fmt.Errorf("cannot write the result to standard output: %w", err)
		if r.err == nil {
			r.err = err
		}
	}
	return n, err
}

// conclude is err, or says that stdout could not be written if the command did not.
func (r *result) conclude(err error) error {
	switch {
	case r.err == nil || errors.Is(err, r.err):
		return err
	case err == nil:
		return r.err
	}
	return fmt.Errorf("%w; and %w", err, r.err)
}

// turns lets one goroutine write at a time.
type turns struct {
	mu sync.Mutex
	w  io.Writer
}

// inTurn makes w one that progress and the logs of plugins can share; a file is one already, and
// stays what a terminal is told by.
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

func (a *app) warn(format string, values ...any) {
	say(a.stderr, a.Name+": warning: "+format, values...)
}

// unlessQuiet is w, or with --quiet what discards all.
func unlessQuiet(quiet bool, w io.Writer) io.Writer {
	if quiet {
		return io.Discard
	}
	return w
}

// app is one command line being run.
type app struct {
	Config
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	columns        int  // of stdout, 0 if it is not a terminal
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

// commandLine is how this command was called, for results.
func (a *app) commandLine() []string { return append([]string{a.Name}, a.args...) }

// maxVerbose is the most bytes of an error that is written in full.
const maxVerbose = 1 << 18

// errorText is the error's first line, or all of it, stacks too, with -v.
func (a *app) errorText(err error) string {
	if a.verbose {
		return foreign.Shorten(err.Error(), maxVerbose)
	}
	return firstLine(err.Error())
}

// firstLine is the first line of a text, which may be of a file or a plugin and of any length. One
// that ends in a colon, as in front of the last lines of a log, says nothing without what follows:
// it goes on with the very last line.
func firstLine(text string) string {
	line, more, _ := strings.Cut(text, "\n")
	if more = strings.TrimRight(more, "\n"); strings.HasSuffix(line, ":") && more != "" {
		line += " " + strings.TrimSpace(more[strings.LastIndex(more, "\n")+1:])
	}
	return foreign.Shorten(line, maxLine/2)
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
