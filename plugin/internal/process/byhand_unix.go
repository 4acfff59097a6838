//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// ByHand runs a plugin as a person would, without what it is started with by this package, until it
// ends or ctx does. It returns the beginning of what it wrote to standard error, and its status, -1
// for one that a signal has ended.
func ByHand(ctx context.Context, path string, args []string) (said string, status int, err error) {
	c := exec.CommandContext(ctx, path, args...)
	c.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return name == Handshake.MagicCookieKey || name == OwnGroup || strings.HasPrefix(name, "PLUGIN_")
	})
	var log bounded
	c.Stderr = &log
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = 200 * time.Millisecond
	if err := c.Start(); err != nil {
		return "", 0, cannotStart(path, err)
	}
	err = c.Wait()
	_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // what it started
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return log.String(), 0, ctx.Err()
	case errors.As(err, &exit), errors.Is(err, exec.ErrWaitDelay): // a child holds its output
	case err != nil:
		return log.String(), 0, err
	}
	return log.String(), c.ProcessState.ExitCode(), nil
}

// bounded keeps the beginning of what is written to it.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(text []byte) (int, error) {
	const most = 64 << 10
	b.Buffer.Write(text[:min(len(text), max(most-b.Len(), 0))])
	return len(text), nil
}
