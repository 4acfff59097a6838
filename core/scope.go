package core

import (
	"context"
	"errors"
	"sync"
)

// A Scope is the lifetime of one run of the benchmark. A method keeps in it what it starts for a
// run, such as a process. All calls of the run find it there, other runs do not, and it ends with
// the run. Calls outside a scope may keep such things as long as they like.
//
// Several goroutines may use a Scope at the same time.
type Scope struct {
	mu       sync.Mutex
	closed   bool
	kept     map[any]*kept
	releases []func() error

	// Name identifies the run in logs: "vamp, seed 3"; "" for none. It is set before the scope is
	// used.
	Name string
	// Threads is the number of processor threads for the run, so that runs at the same time share the
	// processor; 0 for all threads. It is set before the scope is used.
	Threads int

	spending sync.Mutex // apart from mu: a release may spend while mu is held
	spent    Spent
	outside  bool
}

type kept struct {
	ready chan struct{} // closed once value and err are there
	value any
	err   error
}

// ErrScopeClosed means: the run that a scope belongs to is over.
var ErrScopeClosed = errors.New("the run is over")

type scopeKey struct{}

// WithScope returns a context with a new scope, which the caller must close.
func WithScope(ctx context.Context) (context.Context, *Scope) {
	s := &Scope{kept: map[any]*kept{}}
	return context.WithValue(ctx, scopeKey{}, s), s
}

// ScopeOf returns the scope of a context, or nil.
func ScopeOf(ctx context.Context) *Scope {
	s, _ := ctx.Value(scopeKey{}).(*Scope)
	return s
}

// Keep returns what is kept under a key, which must be comparable and of a type of the caller's
// own. The first call creates the value, and other calls wait for it. If this fails, the next call
// tries again. If release is not nil, it is called when the scope is closed. The error is that of
// create, that of ctx, or [ErrScopeClosed].
func (s *Scope) Keep(ctx context.Context, key any,
	create func() (value any, release func() error, err error)) (any, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrScopeClosed
	}
	if k := s.kept[key]; k != nil {
		s.mu.Unlock()
		select {
		case <-k.ready:
			return k.value, k.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	k := &kept{ready: make(chan struct{})}
	s.kept[key] = k
	s.mu.Unlock()

	var release func() error
	k.err = ErrPanic // where create panics
	func() {
		defer func() { s.settle(key, k, release) }()
		k.value, release, k.err = create()
	}()
	return k.value, k.err
}

// settle keeps what was made, or ends it where the scope was closed meanwhile.
func (s *Scope) settle(key any, k *kept, release func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(k.ready)
	switch {
	case k.err != nil:
		delete(s.kept, key)
	case release != nil && s.closed:
		k.value, k.err = nil, errors.Join(ErrScopeClosed, release())
	case release != nil:
		s.releases = append(s.releases, release)
	}
}

// Drop forgets what is kept under a key, so that the next Keep creates it again. The scope still
// releases it at its end.
func (s *Scope) Drop(key any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, key)
}

// Close releases everything that is kept, the last first, and returns the errors of the releases,
// including panics. Further calls do nothing.
func (s *Scope) Close() error {
	s.mu.Lock()
	releases := s.releases
	s.closed, s.releases = true, nil
	s.mu.Unlock()
	var errs []error
	for i := len(releases) - 1; i >= 0; i-- {
		errs = append(errs, Contain(releases[i]))
	}
	return errors.Join(errs...)
}
