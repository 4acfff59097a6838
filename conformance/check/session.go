package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/koopbench/koopbench/core"
)

// check is a rule for things that are checked by way of an S.
type check[S any] struct {
	name    string
	rule    string                                         // a sentence, without a full stop
	ability string                                         // the ability that it is about, "" for none
	needs   []string                                       // checks that must have passed, beside setup
	run     func(s S, ctx context.Context, n *notes) error // a method of S
}

// The first checks of every kind. All others need the setup.
const (
	setupCheck       = "setup"
	descriptionCheck = "description"
)

// notes are remarks of a check in progress.
type notes struct{ texts []string }

func (n *notes) addf(format string, args ...any) {
	n.texts = append(n.texts, fmt.Sprintf(format, args...))
}

// Session checks one thing, check by check. It keeps the results, and what the checks share, such
// as a fitted model. Only one goroutine at a time may use it.
type Session struct {
	name    func() string // of the thing, by itself
	options Options
	report  Report // without results
	entries []entry
	results map[string]Result
}

// entry is a check bound to a thing.
type entry struct {
	Entry
	needs []string
	bind  func() runFunc // to what checks share now
	renew func()         // makes what checks share again, since an abandoned call may still use it
}

type runFunc func(ctx context.Context, n *notes) error

// newSession returns the session of a thing. fresh returns what its checks share.
func newSession[S any](kind Kind, thing described, o *Options, checks []check[S], fresh func(Options) S) *Session {
	s := bareSession(kind, thing, o, func() string { return thing.Describe().Name }, func(o Options) error {
		if _, err := thing.Describe().Resolve(o.Settings); err != nil {
			return wrong("change Options.Settings, or the option's default", "%v", err)
		}
		return nil
	})
	describe := func(context.Context, *notes) error { return checkDescription(thing) }
	s.entries = append(s.entries, entry{Entry: Entry{kind, descriptionCheck, descriptionRule, ""},
		needs: []string{setupCheck},
		bind:  func() runFunc { return describe }, renew: func() {}})
	addChecks(s, checks, fresh)
	return s
}

// bareSession returns a session with the check of the setup only: that there is a thing, that the
// options can be used, and what usable says beyond that.
func bareSession(kind Kind, thing any, o *Options, name func() string, usable func(Options) error) *Session {
	s := &Session{name: name, options: o.resolved(), report: Report{Schema: Schema, Kind: kind},
		results: map[string]Result{}}
	setup := func(context.Context, *notes) error {
		if core.IsNil(thing) {
			return wrong("hand in a value", "the %s is nil", kind)
		}
		if err := s.options.validate(s.Checks()); err != nil {
			return err
		}
		return usable(s.options)
	}
	s.entries = []entry{{Entry: Entry{kind, setupCheck,
		"There is something to check that describes itself, and the options of the checks can be used", ""},
		bind: func() runFunc { return setup }, renew: func() {}}}
	return s
}

// addChecks adds checks that share what fresh returns.
func addChecks[S any](s *Session, checks []check[S], fresh func(Options) S) {
	var shared S
	shares := false
	renew := func() { shared, shares = fresh(s.options), true }
	for _, c := range checks {
		s.entries = append(s.entries, entry{
			Entry: Entry{s.report.Kind, c.name, c.rule, c.ability},
			needs: append([]string{setupCheck}, c.needs...),
			bind: func() runFunc {
				if !shares {
					renew()
				}
				bound := shared
				return func(ctx context.Context, n *notes) error { return c.run(bound, ctx, n) }
			},
			renew: renew,
		})
	}
}

// Checks returns the names of the checks in their order.
func (s *Session) Checks() []string {
	names := make([]string, len(s.entries))
	for i, e := range s.entries {
		names[i] = e.Check
	}
	return names
}

// Run runs a check, and before it the checks that it needs, each once: further calls return the
// same result. A check whose name does not exist fails.
func (s *Session) Run(ctx context.Context, name string) Result {
	if result, there := s.results[name]; there {
		return result
	}
	i := slices.IndexFunc(s.entries, func(e entry) bool { return e.Check == name })
	if i < 0 {
		return Result{Check: name, Status: Fail, Found: core.Unknown("check", name, s.Checks()), Remedy: "name an existing " +
			"check"}
	}
	result := s.run(ctx, s.entries[i])
	s.results[name] = result
	if s.options.Observe != nil {
		s.options.Observe(result)
	}
	return result
}

// RunAll runs all checks, or those of Options.Only with the checks that they need. If none of these
// is of this kind, it runs none.
func (s *Session) RunAll(ctx context.Context) Report {
	r := s.report
	for _, name := range s.Checks() {
		if s.options.Only == nil || slices.Contains(s.options.Only, name) {
			s.Run(ctx, name)
		}
	}
	for _, name := range s.Checks() {
		if result, there := s.results[name]; there {
			r.Results = append(r.Results, result)
		}
	}
	if s.results[setupCheck].Status == Pass {
		_ = safely(func() error { r.Name = s.name(); return nil })
	}
	return r
}

func (s *Session) run(ctx context.Context, e entry) Result {
	result := Result{Check: e.Check, Status: Pass, Checked: e.Rule}
	for _, need := range e.needs {
		switch needed := s.Run(ctx, need); needed.Status {
		case Pass:
		case Skip: // about the same ability
			result.Status, result.Reason = Skip, needed.Reason
			return result
		default:
			result.Status, result.BlockedBy = Blocked, orElse(needed.BlockedBy, need)
			result.Reason = fmt.Sprintf("not checked, since it needs the check %q, which did not pass", result.BlockedBy)
			return result
		}
	}
	start := time.Now()
	n, err := s.guarded(ctx, e)
	result.Seconds, result.Notes = time.Since(start).Seconds(), n
	var skipped *skip
	var p *problem
	switch {
	case errors.As(err, &skipped):
		result.Status, result.Reason = Skip, skipped.reason
	case errors.As(err, &p):
		result.Status, result.Found, result.Remedy = Fail, p.found, p.remedy
	case err != nil:
		result.Status, result.Found, result.Remedy = Fail, err.Error(), "this call must succeed"
	}
	if reason, expected := s.options.Expect[e.Check]; expected && e.Check != setupCheck {
		switch result.Status {
		case Fail:
			result.Status, result.Reason = ExpectedFail, reason
		case Pass:
			result.Status, result.Reason = Fail, reason
			result.Found, result.Remedy = "it was expected to fail, and it passes", "take it out of Options.Expect"
		}
	}
	return result
}

// guarded runs a check within its time limit. Of a check that does not end then, even though its
// context has ended, the calls are left to themselves.
func (s *Session) guarded(ctx context.Context, e entry) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, wrong("let the checks run to their end", "not checked: %v", err)
	}
	limited, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	var n notes
	run, done := e.bind(), make(chan error, 1)
	go func() { done <- safely(func() error { return run(limited, &n) }) }()
	late := func() error {
		if err := ctx.Err(); err != nil {
			return wrong("let the checks run to their end", "it was interrupted: %v", err)
		}
		return wrong("look for what waits for ever, make it faster, or give a longer Options.Timeout",
			"it did not end within its time limit of %v", s.options.Timeout)
	}
	finish := func(err error) ([]string, error) {
		var p *problem
		if errors.As(err, &p) && p.abandoned {
			e.renew()
		}
		if err != nil && limited.Err() != nil && !errors.As(err, &p) {
			err = late()
		}
		return n.texts, err
	}
	select {
	case err := <-done:
		return finish(err)
	case <-limited.Done():
	}
	select {
	case err := <-done:
		return finish(err)
	case <-time.After(s.options.Grace):
		e.renew()
		return nil, late()
	}
}

// safely turns a panic, and an end of the goroutine, into an error.
func safely(call func() error) error { return core.Contain(call) }

// skip is the error of a check that has nothing to judge.
type skip struct{ reason string }

func (s *skip) Error() string { return s.reason }

// undeclared is the error of a check about an ability that the thing does not declare.
func undeclared(what string, ability string) error {
	return &skip{fmt.Sprintf("the %s does not declare the ability %s", what, ability)}
}

// problem is the error of a check that found a rule broken.
type problem struct {
	found, remedy string
	abandoned     bool // a call is still in progress
}

func (p *problem) Error() string { return p.found + "; " + p.remedy }

// wrong is the error of a rule that is broken: what was found, and how to mend it.
func wrong(remedy, format string, args ...any) error {
	return &problem{found: fmt.Sprintf(format, args...), remedy: remedy}
}

// failed is the error of a call that should have succeeded.
func failed(call string, err error) error {
	var p *problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p):
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", call, err) // the engine says why
	case errors.Is(err, core.ErrPanic):
		return wrong("no panic may leave it; return an error of package core where the input cannot be used",
			"%s panicked: %v", call, err)
	}
	return wrong("it must succeed on this input", "%s failed: %v", call, err)
}
