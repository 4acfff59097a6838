package nn

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"

	"github.com/koopbench/koopbench/core"
)

// Runtime compiles and runs graphs. It is a compute backend of GoMLX, which is started when it is
// first needed. Several goroutines may use a Runtime at the same time.
type Runtime struct {
	config string
	start  func() (compute.Backend, error)

	mu   sync.Mutex
	left map[int][]compute.Backend // shares that no run has, by threads
}

// NewRuntime returns the runtime for the configuration of a backend. The configuration is the
// backend's name, and optionally a colon and text that the backend interprets: "cpu", "go",
// "xla:/path/to/plugin.so". The backend must be registered with GoMLX, which importing its package
// does.
//
// The configuration "go" stands for "go:ops_sequential": GoMLX's Go backend runs one operation at a
// time, each on all its workers. In compute v0.1.6, several operations at the same time can wait
// for one another for ever.
func NewRuntime(config string) *Runtime {
	return &Runtime{
		config: config,
		start:  sync.OnceValues(func() (compute.Backend, error) { return startBackend(config) }),
		left:   map[int][]compute.Backend{},
	}
}

// Config is the configuration as it was given.
func (r *Runtime) Config() string { return r.config }

// Backend returns the backend, the same one at every call. The error is [core.ErrUnknown] for a
// name that is not registered, and [core.ErrUnavailable] if the backend does not start.
func (r *Runtime) Backend() (compute.Backend, error) { return r.start() }

// sharedOut is the ability of a backend to give graphs that run beside others workers of their own;
// see [cpu.Backend.WithThreads].
type sharedOut interface {
	Threads() int
	WithThreads(n int) compute.Backend
}

// shareKey is what a scope keeps the backend of its run under.
type shareKey struct{ *Runtime }

// BackendFor returns the backend for the run of the context. If the run has only a part of the
// threads ([core.Scope.Threads]), the backend computes on that many threads, gives the same bits,
// and is not used by another run at the same time. Backends that cannot be divided, and calls
// outside a run, get the result of Backend.
func (r *Runtime) BackendFor(ctx context.Context) (compute.Backend, error) {
	whole, err := r.Backend()
	shared, ok := whole.(sharedOut)
	scope := core.ScopeOf(ctx)
	if err != nil || !ok || scope == nil || scope.Threads < 1 || scope.Threads >= shared.Threads() {
		return whole, err
	}
	share, err := scope.Keep(ctx, shareKey{r}, func() (any, func() error, error) {
		share := r.take(shared, scope.Threads)
		return share, func() error { r.leave(share, scope.Threads); return nil }, nil
	})
	if err != nil {
		return nil, err
	}
	return share.(compute.Backend), nil
}

// take returns a share of so many threads that no run has.
func (r *Runtime) take(whole sharedOut, threads int) compute.Backend {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := r.left[threads]
	if len(left) == 0 {
		return whole.WithThreads(threads)
	}
	r.left[threads] = left[:len(left)-1]
	return left[len(left)-1]
}

// leave keeps the share of a run that is over for the next: what the run has fitted may go on computing on it.
func (r *Runtime) leave(share compute.Backend, threads int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left[threads] = append(r.left[threads], share)
}

func startBackend(config string) (backend compute.Backend, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("compute backend %q: %w", config, err)
		}
	}()
	known := slices.Sorted(slices.Values(compute.List()))
	name, _, _ := strings.Cut(config, ":")
	if !slices.Contains(known, name) {
		return nil, fmt.Errorf("%w: %s", core.ErrUnknown, core.Unknown("compute backend", name, known))
	}
	defer core.Recover(&err)
	if config == "go" {
		config = "go:ops_sequential"
	}
	backend, err = compute.NewWithConfig(config)
	if err != nil {
		return nil, fmt.Errorf("%w: it does not start: %w", core.ErrUnavailable, err)
	}
	return backend, nil
}
