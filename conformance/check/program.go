package check

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Program is the executable of a plugin. Several goroutines may use it at the same time.
type Program interface {
	// Name is its name in reports.
	Name() string
	// File returns an error that explains what is wrong with the file, or nil.
	File() error
	// Start starts a process of the plugin. When Start returns, the process has said what it serves.
	// The error explains what is wrong.
	Start(ctx context.Context) (Process, error)
	// Free returns an error that names the things that it serves under names that are taken, or nil.
	Free(things []any) error
	// ByHand runs the program as a person would, without anything that a benchmark gives it. It runs
	// until it ends, until ctx ends, or until the time limit of a start is over, which is
	// [context.DeadlineExceeded]. ByHand returns the text on standard error, and the exit status.
	ByHand(ctx context.Context) (said string, status int, err error)
}

// Process is a process of a [Program]. Several goroutines may use it at the same time.
type Process interface {
	// Describe asks the process what it serves, and returns the answer as lines of text. Equal answers
	// give equal lines.
	Describe(ctx context.Context) (string, error)
	// Things are stand-ins for the things that it serves. Their calls go to this process. The error
	// explains what is wrong with its descriptions.
	Things() ([]any, error)
	// End ends the process in the given way, and waits until the process or ctx has ended. It names
	// the processes that remain.
	End(ctx context.Context, how Ending) (left []string, err error)
	// Close kills the process, if it has not ended, with everything that it has started. It may be
	// called again.
	Close() error
}

// Ending is a way in which a process of a plugin ends.
type Ending int

const (
	// Asked means that it is asked by the call Shutdown of go-plugin's service.
	Asked Ending = iota
	// Abandoned means that its standard input ends, as it does if the benchmark is killed.
	Abandoned
)

// Plugin runs all checks of a plugin's program, before those of what it serves. Nil options are the defaults.
func Plugin(ctx context.Context, p Program, o *Options) Report { return NewProgram(p, o).RunAll(ctx) }

// NewProgram returns a session that runs the checks of a plugin's program one by one. Nil options
// are the defaults.
func NewProgram(p Program, o *Options) *Session {
	s := bareSession(KindPlugin, p, o, func() string { return p.Name() }, func(Options) error { return nil })
	addChecks(s, programChecks(), func(o Options) *running { return &running{o: o, program: p} })
	return s
}

// running is a program that is started for every check.
type running struct {
	o       Options
	program Program

	mu   sync.Mutex
	left []string // by the process that was abandoned
}

const (
	fileCheck      = "file"
	startsCheck    = "start"
	describesCheck = "descriptions"
	abandonedCheck = "ends-with-host"
)

func programChecks() []check[*running] {
	described := []string{startsCheck, describesCheck}
	return []check[*running]{
		{fileCheck, "The file can run, only its owner can write to it, and it matches its pin in the lock file", "",
			nil,
			func(s *running, _ context.Context, _ *notes) error {
				if err := s.program.File(); err != nil {
					return wrong("name a program file that only you can change, or allow it by a flag", "%v", err)
				}
				return nil
			}},
		{startsCheck, "Its process writes the handshake as the first line of standard output, and then says what " +
			"it serves, within the time limit of a start",
			"", []string{fileCheck}, (*running).checkStart},
		{describesCheck, "It serves at least one thing, its descriptions follow the rules of core.Description, and " +
			"no two things of a kind have the same name",
			"", []string{startsCheck}, (*running).checkDescriptions},
		{"free-names", "No thing that it serves has the name of a built-in one, because those cannot be replaced",
			"", described, (*running).checkFree},
		{"same-descriptions",
			"It describes what it serves in the same way at every call and in every process, even if two start at the same time",
			"", described, (*running).checkSameDescriptions},
		{"large-arrays", "Arrays of more than 4 MiB can be sent to what it serves and back, in chunks", "", described,
			(*running).checkLargeArrays},
		{"ends-when-asked", "It ends within Options.Grace of the call Shutdown of plugin.GRPCController", "", described,
			(*running).checkAsked},
		{abandonedCheck, "It ends within Options.Grace of the end of its standard input, even while it works", "", described,
			(*running).checkAbandoned},
		{"leaves-nothing", "When it ends with its standard input, no process that it started is left, in its " +
			"process group or (on Linux) outside it",
			"", []string{abandonedCheck}, (*running).checkLeavesNothing},
		{"by-hand", "If a person starts it, it says on standard error what it is, and ends with a status other than 0", "",
			described, (*running).checkByHand},
	}
}

// with starts a process for the time that use takes.
func (s *running) with(ctx context.Context, use func(Process) error) (err error) {
	p, err := s.program.Start(ctx)
	if err != nil {
		return failed("another start", err)
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return use(p)
}

func (s *running) checkStart(ctx context.Context, n *notes) error {
	start := time.Now()
	p, err := s.program.Start(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return err // the engine says why
		}
		return wrong("mend what ended it, if the message names that; then call Serve first of all in main, or without an "+
			"SDK write the handshake that plugin.proto describes", "%v",
			err)
	}
	const slow = time.Second
	if took := time.Since(start); took > slow {
		n.addf("a start took %.1f s, and every run starts a process: import large libraries, and read files, in the fit",
			took.Seconds())
	}
	return p.Close()
}

func (s *running) checkDescriptions(ctx context.Context, _ *notes) error {
	return s.with(ctx, func(p Process) error {
		things, err := p.Things()
		switch {
		case err != nil:
			return wrong("change the description", "%v", err)
		case len(things) == 0:
			return wrong("give Serve at least one thing", "it does not serve anything")
		}
		return nil
	})
}

func (s *running) checkFree(ctx context.Context, _ *notes) error {
	return s.with(ctx, func(p Process) error {
		things, err := p.Things()
		if err != nil {
			return err
		}
		if err := s.program.Free(things); err != nil {
			return wrong("give it another name in its description", "%v", err)
		}
		return nil
	})
}

func (s *running) checkSameDescriptions(ctx context.Context, _ *notes) error {
	const remedy = "describe by constants, and sort what comes from a hash table or a folder"
	said := make([]string, 3)
	describe := func(i int, p Process) (err error) {
		said[i], err = p.Describe(ctx)
		return failed("Describe", err)
	}
	err := together(func() error {
		return s.with(ctx, func(p Process) error { return errors.Join(describe(0, p), describe(1, p)) })
	}, func() error {
		return s.with(ctx, func(p Process) error { return describe(2, p) })
	})
	if err != nil {
		return inCase("of two processes at once", err)
	}
	if a, b := difference(said[0], said[1]); a != b {
		return wrong(remedy, "a process described %q, but at the next call %q", a, b)
	}
	if a, b := difference(said[0], said[2]); a != b {
		return wrong(remedy, "one process described %q, but another %q", a, b)
	}
	return nil
}

// difference returns the first lines in which texts differ, equal ones where they do not.
func difference(a, b string) (string, string) {
	linesA, linesB := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range max(len(linesA), len(linesB)) {
		var lineA, lineB string
		if i < len(linesA) {
			lineA = linesA[i]
		}
		if i < len(linesB) {
			lineB = linesB[i]
		}
		if lineA != lineB {
			return lineA, lineB
		}
	}
	return "", ""
}

func (s *running) checkAsked(ctx context.Context, _ *notes) error {
	return s.with(ctx, func(p Process) error {
		_, err := s.end(ctx, p, Asked)
		return ended(err, s.o.Grace, "it was asked to",
			"serve plugin.GRPCController and end in Shutdown: every run ends a process, and waits for it")
	})
}

// end ends a process within the grace period.
func (s *running) end(ctx context.Context, p Process, how Ending) ([]string, error) {
	limited, cancel := context.WithTimeout(ctx, s.o.Grace)
	defer cancel()
	left, err := p.End(limited, how)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return left, err
}

// ended says what is wrong with a process that did not end after that.
func ended(err error, grace time.Duration, after, remedy string) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return wrong(remedy, "it was still there %v after %s", grace, after)
	case errors.Is(err, context.Canceled):
		return err
	}
	return failed("its end", err)
}

// checkAbandoned ends the standard input of a process while it is busy with all that it serves.
func (s *running) checkAbandoned(ctx context.Context, _ *notes) error {
	return s.with(ctx, func(p Process) error {
		things, err := p.Things()
		if err != nil {
			return err
		}
		working, stop := context.WithCancel(ctx)
		var work sync.WaitGroup
		defer work.Wait()
		defer func() { _ = p.Close() }() // ends calls that take no notice of their context
		defer stop()
		for _, thing := range things {
			work.Go(func() { _, _ = Outputs(working, thing, &s.o) }) // however it ends
		}
		const busy = 100 * time.Millisecond
		select {
		case <-time.After(busy):
		case <-ctx.Done():
			return ctx.Err()
		}
		left, err := s.end(ctx, p, Abandoned)
		s.mu.Lock()
		s.left = left
		s.mu.Unlock()
		return ended(err, s.o.Grace, "its standard input had ended",
			"read standard input in a separate thread, and exit at once when it ends; there is no other sign that the "+
				"benchmark was killed")
	})
}

func (s *running) checkLeavesNothing(context.Context, *notes) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.left) > 0 {
		return wrong("kill its process group too, which is its own if KOOPBENCH_PLUGIN_GROUP is 1, and do not start "+
			"processes in a session of their own (setsid)", "it left %s", strings.Join(s.left, ", "))
	}
	return nil
}

func (s *running) checkByHand(ctx context.Context, n *notes) error {
	const remedy = "if the variable KOOPBENCH_PLUGIN is not set, write a sentence to standard error and exit with " +
		"status 1"
	begun := time.Now()
	said, status, err := s.program.ByHand(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return wrong(remedy, "it was still there %.1f s after it was started by hand", time.Since(begun).Seconds())
	case err != nil:
		return failed("a start by hand", err)
	case status == 0:
		return wrong(remedy, "it ended with status 0, as if it had succeeded")
	case strings.TrimSpace(said) == "":
		return wrong(remedy, "it ended with status %d but did not write to standard error", status)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	n.addf("it says: %s", first)
	return nil
}

// inBytes is a number of bytes for a reader.
func inBytes(n int) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
