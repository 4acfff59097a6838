package cpu

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
	"github.com/koopbench/koopbench/backend/cpu/internal/workers"
)

// Name is the name of the backend, as in "cpu" or "cpu:threads=2,kernels=avx2" in GOMLX_BACKEND.
const Name = "cpu"

// KernelsEnvVar is the environment variable that names the kernel set if the configuration does
// not.
const KernelsEnvVar = "KOOPBENCH_CPU"

// GoMLX's backends register themselves by import.
func init() { compute.Register(Name, New) } //nolint:gochecknoinits // as said above

var _ compute.Backend = (*Backend)(nil)

// Backend runs GoMLX graphs on the processor. It is safe for concurrent use.
type Backend struct {
	fallback  compute.Backend // GoMLX's Go backend
	pool      *workers.Pool
	kernels   kernel.Set
	mode      mode
	storage   storagePool
	profile   *profile
	parent    *Backend // of which this one has a share; nil if it has none
	finalized atomic.Bool
	close     sync.Once
}

// mode says what the backend does itself.
type mode int

const (
	modeFull     mode = iota // everything it can
	modeFallback             // nothing: every graph runs whole on the Go backend
)

// New returns a backend for a configuration: key=value pairs separated by commas, all optional.
//
//   - threads: the number of goroutines that work on one operation, 1 to 1024; the default is
//     GOMAXPROCS. Results do not depend on it.
//   - kernels: generic, avx2, avx512 or neon. The default is the value of KOOPBENCH_CPU, or without it
//     the best set that this processor supports.
//   - graph: full (the default), or fallback, which runs every graph as a whole on GoMLX's Go
//     backend, for comparison.
//
// The error names the wrong key or value and the valid ones.
func New(config string) (compute.Backend, error) {
	threads, kernels, m := runtime.GOMAXPROCS(0), os.Getenv(KernelsEnvVar), modeFull
	origin := KernelsEnvVar
	for part := range strings.SplitSeq(config, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "threads":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > maxThreads {
				return nil, fmt.Errorf("cpu backend: threads=%q: want a whole number from 1 to %d", value, maxThreads)
			}
			threads = n
		case "kernels":
			kernels, origin = value, "kernels"
		case "graph":
			switch value {
			case "full":
				m = modeFull
			case "fallback":
				m = modeFallback
			default:
				return nil, fmt.Errorf("cpu backend: graph=%q: want full or fallback", value)
			}
		default:
			return nil, fmt.Errorf("cpu backend: unknown key %q in configuration %q: the keys are threads, kernels and graph",
				key, config)
		}
	}
	set, err := selectKernels(kernels)
	if err != nil {
		return nil, fmt.Errorf("cpu backend: %s=%q: %w", origin, kernels, err)
	}
	b, err := withWorkers(&Backend{kernels: set, mode: m, profile: new(profile)}, threads)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// withWorkers gives a backend a number of workers, and a Go backend to fall back on that uses no more.
// The workers end with the backend, even if nobody finalizes it.
func withWorkers(b *Backend, threads int) (*Backend, error) {
	fallback, err := gobackend.New(goBackendConfig)
	if err != nil {
		return nil, fmt.Errorf("cpu backend: the Go backend it falls back on: %w", err)
	}
	limitParallelism(fallback, threads)
	b.fallback, b.pool = fallback, workers.New(threads)
	runtime.AddCleanup(b, (*workers.Pool).Close, b.pool)
	return b, nil
}

// limitParallelism sets how many goroutines the Go backend works with. Its configuration could, but
// prints to standard output then.
func limitParallelism(fallback compute.Backend, threads int) {
	workers := reflect.Indirect(reflect.ValueOf(fallback)).FieldByName("Workers")
	if !workers.IsValid() {
		return
	}
	if limited, ok := workers.Interface().(interface{ SetMaxParallelism(n int) }); ok {
		if threads == 1 {
			threads = 0 // beside the caller
		}
		limited.SetMaxParallelism(threads)
	}
}

// GetBackend returns one backend with the default configuration, the same at every call, like
// GoMLX's Go backend. It panics if this backend cannot be made, for instance because
// [KernelsEnvVar] names kernels that do not exist.
var GetBackend = sync.OnceValue(func() compute.Backend {
	backend, err := New("")
	if err != nil {
		panic(err)
	}
	return backend
})

const maxThreads = 1024

// goBackendConfig makes GoMLX's Go backend run one operation at a time, each on all its workers. Several at once, its
// default, can wait for one another for ever in compute v0.1.6.
const goBackendConfig = "ops_sequential"

// Name returns "cpu".
func (b *Backend) Name() string { return Name }

// String returns "cpu".
func (b *Backend) String() string { return Name }

// Kernels returns the name of the kernel set in use: generic, avx2, avx512 or neon.
func (b *Backend) Kernels() string { return b.kernels.String() }

// Threads returns the number of goroutines that work on one operation.
func (b *Backend) Threads() int { return b.pool.Size() }

// Description describes the kernels and the number of threads.
func (b *Backend) Description() string {
	return fmt.Sprintf("koopbench CPU backend (kernels=%s, threads=%d)", b.Kernels(), b.Threads())
}

// NumDevices returns 1.
func (b *Backend) NumDevices() int { return 1 }

// DeviceDescription describes the only device.
func (b *Backend) DeviceDescription(compute.DeviceNum) string { return b.Description() }

// Capabilities returns what GoMLX's Go backend supports, because everything that is not done here
// runs there.
func (b *Backend) Capabilities() compute.Capabilities { return b.fallback.Capabilities().Clone() }

// Builder returns a new computation under construction.
func (b *Backend) Builder(name string) compute.Builder { return newBuilder(b, name) }

// WithThreads returns a backend with its own workers, n of them or as many as b has if that is
// fewer. It is for graphs that run at the same time as others: those of b and of the returned
// backend do not wait for one another. Results are the same to the bit. The two share the kernels
// and the profile, but not buffers and executables. The returned backend is invalid once b is
// finalized. n is at least 1. It panics if GoMLX's Go backend cannot be made, as b's was.
func (b *Backend) WithThreads(n int) compute.Backend {
	share, err := withWorkers(&Backend{kernels: b.kernels, mode: b.mode, profile: b.profile, parent: b},
		min(max(n, 1), b.Threads()))
	if err != nil {
		panic(err)
	}
	return share
}

// Finalize stops the workers and drops pooled memory. The backend, its
// buffers and executables are invalid afterwards.
func (b *Backend) Finalize() {
	b.close.Do(func() {
		b.finalized.Store(true)
		b.pool.Close()
		b.storage.clear()
		b.fallback.Finalize()
	})
}

// IsFinalized reports whether Finalize was called.
func (b *Backend) IsFinalized() bool {
	return b.finalized.Load() || b.parent != nil && b.parent.IsFinalized()
}

// selectKernels returns the kernel set of a name, the best for "".
func selectKernels(name string) (kernel.Set, error) {
	if name == "" {
		return kernel.Best(), nil
	}
	return kernel.ByName(name)
}
