//go:build !unix

package process

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
)

// errSystem: process groups and sockets as plugins need them exist on Unix only.
var errSystem = errors.New("plugins run on Linux, macOS and other Unix systems only")

type folder struct{ path string }

func newFolder() (*folder, error) { return nil, errSystem }
func (*folder) remove() error     { return nil }

// groupRunner does nothing here: without a folder no process is started.
type groupRunner struct {
	config *Config
	folder *folder
	last   tail
}

func newGroupRunner(c *Config, f *folder) *groupRunner { return &groupRunner{config: c, folder: f} }

func (*groupRunner) prepare(*exec.Cmd) error         { return errSystem }
func (*groupRunner) Start(context.Context) error     { return errSystem }
func (*groupRunner) lines(hclog.Level) io.Writer     { return io.Discard }
func (*groupRunner) startError() error               { return errSystem }
func (*groupRunner) handshake() (string, bool)       { return "", false }
func (*groupRunner) ended() <-chan struct{}          { return nil }
func (*groupRunner) outcome() string                 { return "" }
func (*groupRunner) exitCode() int                   { return -1 }
func (*groupRunner) usage() (cpu, memory float64)    { return 0, 0 }
func (*groupRunner) noteMemory()                     {}
func (*groupRunner) awaitEnd(time.Duration)          {}
func (*groupRunner) kill()                           {}
func (*groupRunner) wasKilled() bool                 { return false }
func (*groupRunner) farewell()                       {}
func (*groupRunner) remains() []string               { return nil }
func (*groupRunner) Wait(context.Context) error      { return errSystem }
func (*groupRunner) Kill(context.Context) error      { return nil }
func (*groupRunner) Stdout() io.ReadCloser           { return nil }
func (*groupRunner) Stderr() io.ReadCloser           { return nil }
func (*groupRunner) Name() string                    { return "" }
func (*groupRunner) Diagnose(context.Context) string { return "" }
func (*groupRunner) ID() string                      { return "" }

// ByHand does nothing here.
func ByHand(context.Context, string, []string) (string, int, error) { return "", 0, errSystem }

func (*groupRunner) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

func (*groupRunner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
