package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// command is a child process in the module's folder, whose errors and progress go to the log. The
// end of ctx interrupts it and its own children, and kills it if it is still there ten seconds
// later. env adds to, or replaces, variables.
func (b *bench) command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stderr = b.root, append(os.Environ(), env...), b.log
	cmd.WaitDelay = 10 * time.Second
	interruptGroup(cmd)
	return cmd
}

// cost is what a process took.
type cost struct {
	WallSeconds  float64 `json:"wall_seconds"`
	CPUSeconds   float64 `json:"cpu_seconds"`    // user and system, of all threads
	PeakRSSBytes int64   `json:"peak_rss_bytes"` // 0 where the system does not tell
}

func measure(cmd *exec.Cmd) (cost, error) {
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return cost{}, err
	}
	return cost{
		WallSeconds:  time.Since(start).Seconds(),
		CPUSeconds:   (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(),
		PeakRSSBytes: peakRSS(cmd.ProcessState),
	}, nil
}

// build compiles by a go command, "build" or "test -c", into a file of the temporary folder. XLA is
// in it if xla is true.
func (b *bench) build(ctx context.Context, name, pkg string, xla bool, verb ...string) (string, error) {
	path := filepath.Join(b.temp, name+exeSuffix)
	tags, env := []string{}, []string{"CGO_ENABLED=0"}
	if xla {
		tags, env = []string{"-tags", "xla"}, []string{"CGO_ENABLED=1"}
	}
	b.logf("building %s", pkg)
	cmd := b.command(ctx, env, "go", slices.Concat(verb, []string{"-o", path}, tags, []string{pkg})...)
	cmd.Stdout = b.log
	if err := cmd.Run(); err != nil {
		return "", errors.Join(ctx.Err(), fmt.Errorf("go %s %s failed, see above: %w", verb[0], pkg, err))
	}
	return path, nil
}

// threadVariables limit the threads of Go programs.
func (b *bench) threadVariables() []string { return []string{fmt.Sprintf("GOMAXPROCS=%d", b.Threads)} }
