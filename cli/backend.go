package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute/gobackend"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/backend/cpu/blas"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

const (
	cpuBackend     = cpu.Name
	goBackend      = gobackend.BackendName
	xlaBackend     = "xla"
	defaultBackend = cpuBackend
	// backendVariable is GoMLX's own name of the choice of a backend, for where --backend is not given.
	backendVariable = "GOMLX_BACKEND"
)

// backends are the names that --backend takes.
func backends() []string {
	if xlaBuilt {
		return []string{cpuBackend, goBackend, xlaBackend}
	}
	return []string{cpuBackend, goBackend}
}

// openRuntime starts the backend that the flag names, or the environment where the flag is empty,
// and gonum's products on its kernels. threads is the value of --threads, 0 where it is left out,
// and already that of the process.
func openRuntime(flag string, threads int) (*nn.Runtime, error) {
	config, from := flag, "--backend"
	if config == "" {
		config, from = os.Getenv(backendVariable), backendVariable
	}
	if config == "" {
		config = defaultBackend
	}
	config, err := checkBackend(config)
	if err != nil {
		return nil, fmt.Errorf("%s %w", from, err)
	}
	if err := checkThreads(threads, config); err != nil {
		return nil, err
	}
	rt := nn.NewRuntime(config)
	return rt, useFastAlgebra(rt)
}

// checkThreads checks that --threads can set the number of threads of a backend; 0 is the flag left out.
func checkThreads(threads int, config string) error {
	name, _, _ := strings.Cut(config, ":")
	switch {
	case threads == 0:
		return nil
	case name == xlaBackend:
		return usagef("--threads %d: XLA chooses its own threads; leave out the flag, or choose another backend", threads)
	case strings.Contains(config, "threads="):
		return usagef("--threads %d and --backend %s both set threads; leave one out", threads, config)
	}
	return nil
}

// useFastAlgebra starts the backend, and if it is the cpu backend makes gonum multiply matrices on
// its kernels, which gives the same bits for any number of threads.
func useFastAlgebra(rt *nn.Runtime) error {
	backend, err := rt.Backend()
	if err != nil {
		return err
	}
	if own, ok := backend.(*cpu.Backend); ok {
		return blas.Use(own.Kernels())
	}
	return nil
}

// backendIdentity is what the numbers of a run depend on: the configuration, or for the cpu backend
// its kernels, since the number of threads changes no bit.
func backendIdentity(rt *nn.Runtime) (string, error) {
	backend, err := rt.Backend()
	if err != nil {
		return "", err
	}
	if own, ok := backend.(*cpu.Backend); ok {
		return cpuBackend + ":kernels=" + own.Kernels(), nil
	}
	return rt.Config(), nil
}

// checkBackend checks a backend's configuration, before anything is loaded, and makes the path of a plugin absolute.
func checkBackend(config string) (string, error) {
	name, rest, _ := strings.Cut(config, ":")
	switch {
	case name == cpuBackend, name == goBackend:
		return config, nil
	case name != xlaBackend:
		return "", usagef("%s: %s", config, core.Unknown("compute backend", name, backends()))
	case !xlaBuilt:
		return "", usagef("%s: this program was built without XLA; build it with: go build -tags xla", config)
	}
	path, options, hasOptions := strings.Cut(rest, ",")
	if path == "" {
		return "", usagef("%s: XLA needs a PJRT plugin file: xla:/path/to/plugin.so", config)
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		return "", fmt.Errorf("%s: cannot read the PJRT plugin: %w", config, err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	if hasOptions {
		path += "," + options
	}
	prepareXLA()
	return xlaBackend + ":" + path, nil
}
