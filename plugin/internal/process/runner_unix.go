//go:build unix

package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/koopbench/koopbench/internal/usage"
)

// groupRunner runs a plugin in a process group of its own. go-plugin gets the first line that the
// plugin writes, the handshake; all else goes to the log.
type groupRunner struct {
	config *Config
	folder *folder
	cmd    *exec.Cmd
	last   tail
	log    boundedLog

	mu       sync.Mutex
	began    bool
	killed   bool
	failed   error // why it did not start
	first    string
	complete bool
	alive    *os.File      // the other end of the plugin's standard input
	done     chan struct{} // closed when the process has ended
	waitErr  error
	// peak memory of this program when it had started the process; 0 where the process does not
	// inherit it
	hostPeak int64
	peak     int64    // of the process, once it is noted
	left     []string // in its group, after its end

	stdout, stderr io.ReadCloser
}

var (
	_ runner.Runner = (*groupRunner)(nil)

	// errKilled: the plugin was to end before it had begun.
	errKilled = errors.New("killed before it was started")
)

func newGroupRunner(c *Config, f *folder) *groupRunner {
	return &groupRunner{config: c, folder: f, last: tail{file: c.Path}, done: make(chan struct{})}
}

// prepare completes the command that go-plugin has given its variables.
func (r *groupRunner) prepare(cmd *exec.Cmd) error {
	cmd.Path, cmd.Args = r.config.Path, append([]string{r.config.Path}, r.config.Args...)
	cmd.Err = nil
	cmd.Env = append(append([]string{}, r.config.Env...), append(cmd.Env, "TMPDIR="+r.folder.path, OwnGroup+"=1")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.cmd = cmd
	return nil
}

// Start implements [runner.Runner].
func (r *groupRunner) Start(context.Context) error {
	stdin, alive, err := os.Pipe()
	if err != nil {
		return err
	}
	defer stdin.Close()
	out, outEnd, err := os.Pipe()
	if err != nil {
		alive.Close()
		return err
	}
	defer outEnd.Close()
	log, logEnd, err := os.Pipe()
	if err != nil {
		alive.Close()
		out.Close()
		return err
	}
	defer logEnd.Close()
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = stdin, outEnd, logEnd

	r.mu.Lock()
	defer r.mu.Unlock()
	err = errKilled
	if !r.killed {
		err = r.cmd.Start()
	}
	if err != nil {
		alive.Close()
		out.Close()
		log.Close()
		close(r.done)
		r.failed = cannotStart(r.config.Path, err)
		return err
	}
	r.began, r.alive = true, alive
	if runtime.GOOS == "linux" {
		r.hostPeak = usage.PeakRSS()
	}
	handshake, handshakeEnd := io.Pipe()
	r.stdout, r.stderr = handshake, io.NopCloser(strings.NewReader(""))

	var reading sync.WaitGroup
	reading.Go(func() { r.readOutput(out, handshakeEnd) })
	reading.Go(func() { eachLine(log, r.line(hclog.Info)) })
	guard := newGuard(r.cmd.Process.Pid, r.folder.path)
	go func() {
		err := r.cmd.Wait()
		var left []string
		if r.config.Inspect {
			left = leftAfterwards(r.cmd.Process.Pid, r.folder.path)
		}
		r.killGroup() // what it started
		killProcessesIn(r.folder.path)
		guard.stop()
		// A process that left the group may hold the pipes open: read what is there, and no more.
		_, _ = out.SetReadDeadline(soon()), log.SetReadDeadline(soon())
		reading.Wait()
		out.Close()
		log.Close()
		alive.Close()
		r.mu.Lock()
		r.waitErr, r.left = err, left
		r.mu.Unlock()
		close(r.done)
	}()
	return nil
}

// readOutput hands the first line on to go-plugin, and logs the others.
func (r *groupRunner) readOutput(out io.Reader, handshake *io.PipeWriter) {
	buffered := bufio.NewReaderSize(out, longestLine)
	line, err := buffered.ReadSlice('\n')
	r.mu.Lock()
	r.first, r.complete = strings.TrimSpace(string(line)), err == nil || len(line) > 0
	r.mu.Unlock()
	const most = 32 << 10 // go-plugin stops reading at longer lines
	text := slices.Concat(line[:min(len(line), most)], []byte{'\n'})
	go func() {
		if err != nil { // a process that ends closes its output first, and go-plugin would kill it in between
			r.awaitEnd(time.Second)
		}
		_, _ = handshake.Write(text)
		_ = handshake.Close()
	}()
	eachLine(buffered, r.line(hclog.Info))
}

// line returns what logs a line and keeps it among the last.
func (r *groupRunner) line(level hclog.Level) func(string) {
	return func(line string) {
		e := readEntry(level, line)
		r.last.add(e.message)
		r.log.write(r.config.Log, e, len(line))
	}
}

func (r *groupRunner) lines(level hclog.Level) io.Writer { return &lineWriter{do: r.line(level)} }

func (r *groupRunner) startError() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// handshake returns the first line of the plugin, and whether there was one.
func (r *groupRunner) handshake() (line string, complete bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first, r.complete
}

// wasKilled reports whether this program has killed the plugin.
func (r *groupRunner) wasKilled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.killed
}

func (r *groupRunner) ended() <-chan struct{} { return r.done }

// remains names what was left of its group after its end.
func (r *groupRunner) remains() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left
}

// outcome says how the process ended.
func (r *groupRunner) outcome() string {
	select {
	case <-r.done:
	default:
		return "it is still running"
	}
	if r.cmd.ProcessState == nil {
		return "it did not start"
	}
	return r.cmd.ProcessState.String()
}

// exitCode is the status of a process that has ended, -1 for one that has not, or that a signal has
// ended.
func (r *groupRunner) exitCode() int {
	select {
	case <-r.done:
		return r.cmd.ProcessState.ExitCode() // -1 for one that did not start
	default:
		return -1
	}
}

// noteMemory notes the peak memory of the process, which on Linux only a process that lives tells;
// see [usage.PeakRSSOf].
func (r *groupRunner) noteMemory() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.done:
	default:
		if r.began {
			r.peak = usage.PeakRSSOf(r.cmd.Process.Pid)
		}
	}
}

// awaitEnd waits until a process that was begun has ended, but no longer than that.
func (r *groupRunner) awaitEnd(most time.Duration) {
	r.mu.Lock()
	began := r.began
	r.mu.Unlock()
	if !began {
		return
	}
	select {
	case <-r.done:
	case <-time.After(most):
	}
}

// usage is the processor time and the peak memory of the process and of those that it has waited
// for, not numbers where they are not known.
func (r *groupRunner) usage() (cpuSeconds, peakRSSBytes float64) {
	select {
	case <-r.done:
	default:
		return math.NaN(), math.NaN()
	}
	state := r.cmd.ProcessState
	if state == nil {
		return 0, 0
	}
	r.mu.Lock()
	peak := r.peak
	r.mu.Unlock()
	// On Linux, what is left of the process counts the memory of this program too: it tells something where it is more.
	const uncertainty = 4 << 20 // of the system's counters
	if left, ok := state.SysUsage().(*syscall.Rusage); ok && usage.MaxRSSBytes(left) > r.hostPeak+uncertainty {
		peak = max(peak, usage.MaxRSSBytes(left))
	}
	cpuSeconds, peakRSSBytes = (state.UserTime() + state.SystemTime()).Seconds(), float64(peak)
	if peak == 0 {
		peakRSSBytes = math.NaN()
	}
	return cpuSeconds, peakRSSBytes
}

// kill kills the process group, and keeps one from being started; Wait tells when it has ended.
func (r *groupRunner) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.done:
	default:
		r.killed = true
		if r.began {
			r.killGroup()
		}
	}
}

// farewell ends the plugin's standard input, by which it is told to end.
func (r *groupRunner) farewell() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.began {
		_ = r.alive.Close()
	}
}

// soon is how long an ended process's pipes are read.
func soon() time.Time { return time.Now().Add(200 * time.Millisecond) }

// killGroup kills the group, which keeps its number as long as a process is in it.
func (r *groupRunner) killGroup() { _ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) }

// Wait implements [runner.AttachedRunner].
func (r *groupRunner) Wait(context.Context) error {
	<-r.done
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waitErr
}

// Kill implements [runner.AttachedRunner].
func (r *groupRunner) Kill(context.Context) error {
	r.kill()
	return nil
}

// The rest of [runner.Runner].

func (r *groupRunner) Stdout() io.ReadCloser { return r.stdout }
func (r *groupRunner) Stderr() io.ReadCloser { return r.stderr }
func (r *groupRunner) Name() string          { return filepath.Base(r.config.Path) }

func (r *groupRunner) Diagnose(context.Context) string { return "" }

func (r *groupRunner) ID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.began {
		return ""
	}
	return fmt.Sprint(r.cmd.Process.Pid)
}

// PluginToHost implements [runner.AttachedRunner]: the socket must be in the private folder.
func (r *groupRunner) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" {
		return "", "", fmt.Errorf("it listens on the network %q; a plugin listens on a Unix socket", network)
	}
	folder, err := filepath.EvalSymlinks(r.folder.path)
	if err != nil {
		return "", "", err
	}
	socket, err := filepath.EvalSymlinks(address)
	if err != nil {
		return "", "", fmt.Errorf("its socket is not there: %w", err)
	}
	if !strings.HasPrefix(socket, folder+string(filepath.Separator)) {
		return "", "", fmt.Errorf("its socket %s is not in the private folder $PLUGIN_UNIX_SOCKET_DIR", address)
	}
	return network, address, nil
}

func (r *groupRunner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
