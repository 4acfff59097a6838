package plugin

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/koopbench/koopbench/backend/cpu/blas"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/process"
	"github.com/koopbench/koopbench/plugin/internal/server"
)

// BLASVariable is the environment variable that tells a plugin how the host computes gonum's
// float64 algebra: avx2, avx512, or gonum for gonum's own.
const BLASVariable = "KOOPBENCH_BLAS"

// ThreadsVariable is the environment variable that tells a plugin how many processor threads to compute on.
const ThreadsVariable = "KOOPBENCH_THREADS"

// Serve makes the program a plugin that serves the given things, each of one of the kinds of
// package core ([core.Kind]). It is the only call of main, and never returns: the program ends with
// the run that it was started for, or at once if the program that started it ends.
//
// What the plugin writes to standard error, for instance with package log, is its log. A panic in a
// thing is an error of that call. The program computes on as many processor threads as
// [ThreadsVariable] says, by GOMAXPROCS. The rules of package core hold for calls to one fitted
// thing; the things themselves may be fitted concurrently. gonum's float64 algebra, such as
// mat.Dense.Mul, is that of the host, equally fast and with the same bits, unless the program has
// chosen another with blas64.Use before.
//
// If a person starts the program by hand, it explains what it is and exits with status 1. It does
// the same for an author who serves nothing, things of no kind, or things with an invalid
// description.
//
// Each thing has a guard around it ([core.Guard]).
func Serve(things ...any) {
	useHostBLAS(os.Getenv(BLASVariable), os.Stderr)
	ServeThen(func() {}, things...)
}

// useHostBLAS makes gonum compute with what the host has, or the fastest there is if the host does
// not say, or has what is not here; the last is told to log.
func useHostBLAS(host string, log io.Writer) {
	if blas.InUse() != blas.Gonum {
		return // the program's own choice
	}
	if err := blas.Use(host); err != nil {
		fmt.Fprintf(log, "numbers may differ from the host's in their last bits: %v\n", err)
		_ = blas.Use("") // which is always there
	}
}

// ServeThen is [Serve] for a program that chooses gonum's algebra itself, and that may have to
// clean up before it ends. last is called then, unless the process is killed first.
func ServeThen(last func(), things ...any) { serve(last, guarded(things)) }

// guarded puts the guard around things.
func guarded(things []any) []any {
	all := make([]any, len(things))
	for i, thing := range things {
		all[i] = core.Guard(thing)
	}
	return all
}

func serve(last func(), things []any) {
	s, err := server.New(buildVersion(), sdk(), things...)
	if err != nil {
		fmt.Fprintf(os.Stderr, "plugin.Serve: %v\n", err)
		os.Exit(1)
	}
	if os.Getenv(process.Handshake.MagicCookieKey) != process.Handshake.MagicCookieValue {
		fmt.Fprint(os.Stderr, introduction(filepath.Base(os.Args[0]), s))
		os.Exit(1)
	}
	if n := Threads(); n > 0 {
		runtime.GOMAXPROCS(n)
	}
	go endWithHost(os.Stdin)
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  process.Handshake,
		VersionedPlugins: map[int]goplugin.PluginSet{process.Protocol: {process.Service: service{server: s}}},
		GRPCServer:       newServer,
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr, JSONFormat: true}),
	})
	last()
	os.Exit(0)
}

// Threads is the value of [ThreadsVariable], or 0 if it is not set.
func Threads() int {
	n, err := strconv.Atoi(os.Getenv(ThreadsVariable))
	if err != nil || n < 1 || n > math.MaxInt16 {
		return 0
	}
	return n
}

// newServer returns go-plugin's server. go-plugin sends what is written to os.Stdout and os.Stderr
// through the connection, where the last words of a process get lost; the first call puts the files
// back, which the host reads too.
func newServer(o []grpc.ServerOption) *grpc.Server {
	stdout, stderr := os.Stdout, os.Stderr
	var once sync.Once
	restore := func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		once.Do(func() { os.Stdout, os.Stderr = stdout, stderr })
		return handle(ctx, request)
	}
	return grpc.NewServer(append(append(o, grpc.ChainUnaryInterceptor(restore)), process.ServerOptions()...)...)
}

// introduction says what a plugin is that was started by hand.
func introduction(program string, s *server.Server) string {
	return fmt.Sprintf("%s is a plugin of koopbench. It serves %s.\nRun it with: bench run --plugin %s --methods all\n",
		program, strings.Join(s.Serves(), ", "), program)
}

// endWithHost waits until standard input ends, which the host keeps open for as long as it lives,
// and ends this process and those that it has started.
func endWithHost(stdin io.Reader) {
	_, _ = io.Copy(io.Discard, stdin)
	killOwnGroup()
	os.Exit(1)
}

func sdk() string { return "koopbench (Go " + runtime.Version() + ")" }

// buildVersion is the version of the program's main module.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return ""
}
