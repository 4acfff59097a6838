package nn

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"

	"github.com/koopbench/koopbench/core"
)

// Runtime is where graphs are compiled and run: a compute backend of GoMLX, started when it is first needed. A Runtime may
// be used by several goroutines at a time.
type Runtime struct {
	config string
	start  func() (compute.Backend, error)
}

// NewRuntime returns the runtime of a backend's configuration: its name, then a colon and what the backend itself makes of
// the rest: "cpu", "go", "xla:/path/to/plugin.so". The backend must be registered with GoMLX, which importing its package does.
//
// The configuration "go" stands for "go:ops_sequential": GoMLX's Go backend running one operation at a time, each on all
// its workers. Several at once can wait for one another for ever in compute v0.1.6.
func NewRuntime(config string) *Runtime {
	return &Runtime{config, sync.OnceValues(func() (compute.Backend, error) { return startBackend(config) })}
}

// Config is the configuration as it was given.
func (r *Runtime) Config() string { return r.config }

// Backend returns the backend, the same at every call. The error is [core.ErrUnknown] for a name that is not registered, and
// [core.ErrUnavailable] if the backend does not start.
func (r *Runtime) Backend() (compute.Backend, error) { return r.start() }

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
