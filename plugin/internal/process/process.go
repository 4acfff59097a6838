package process

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Handshake is what host and plugin know each other by.
var Handshake = goplugin.HandshakeConfig{MagicCookieKey: "KOOPBENCH_PLUGIN", MagicCookieValue: "evolution-operators"}

// Protocol is the version of package wire, and Service the name of its plugin in a go-plugin set.
const (
	Protocol = 1
	Service  = "koopbench"
)

// OwnGroup is the environment variable that tells a plugin that its process group is its own to kill.
const OwnGroup = "KOOPBENCH_PLUGIN_GROUP"

// largestFrame is the most bytes of a message that a plugin may send. Chunks are smaller by far;
// descriptions and reports are not in chunks. The largest report that [core.Report.Validate] allows
// has room.
const largestFrame = 40 << 20

// window is how many bytes a call, and a connection, may have in progress, and buffer how many are
// read or written at a time.
const (
	window = 8 << 20
	buffer = 256 << 10
)

// Config says what to start and how.
type Config struct {
	Path string
	Args []string
	// Env is the plugin's environment, beside what go-plugin adds.
	Env []string
	// StartTimeout is how long the plugin may take to answer.
	StartTimeout time.Duration
	// Grace is how long the plugin may take to end when it is asked to.
	Grace time.Duration
	// Log gets what the plugin writes, up to [mostLogged] bytes.
	Log hclog.Logger
	// LogFile names the file that Log writes to, for messages; "" or nil for none.
	LogFile func() string
	// Inspect says that what the plugin leaves behind is to be looked at, before it is killed.
	Inspect bool
	// Name is the plugin's name in messages; "" for that of its file.
	Name string
}

// Process is a running plugin. It may be used by several goroutines at a time.
type Process struct {
	Client    wire.PluginClient
	Described *wire.DescribeReply // what it serves
	// Encrypted says whether the connection is, by AutoMTLS. It is a private socket either way.
	Encrypted bool

	config  Config
	client  *goplugin.Client
	runner  *groupRunner
	traffic traffic
	stopped chan struct{} // closed when Stop is done
	once    atomic.Bool
}

// Start starts a plugin and connects to it. It ends with ctx, leaving nothing. The error says what
// is wrong in words for the user.
func Start(ctx context.Context, c Config) (_ *Process, err error) {
	folder, err := newFolder()
	if err != nil {
		return nil, err
	}
	p := &Process{config: c, stopped: make(chan struct{})}
	p.runner = newGroupRunner(&p.config, folder)
	config := &goplugin.ClientConfig{
		HandshakeConfig:  Handshake,
		VersionedPlugins: map[int]goplugin.PluginSet{Protocol: {Service: connector{}}},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			return p.runner, p.runner.prepare(cmd)
		},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		StartTimeout:     c.StartTimeout,
		AutoMTLS:         true,
		SkipHostEnv:      true,
		Logger:           hclog.NewNullLogger(),
		SyncStdout:       p.runner.lines(hclog.Info),
		SyncStderr:       p.runner.lines(hclog.Info),
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: folder.path},
		GRPCDialOptions:  append(DialOptions(), grpc.WithStatsHandler(&p.traffic)),
	}
	p.client = goplugin.NewClient(config)
	defer func() {
		if err != nil {
			_ = p.Stop()
		}
	}()
	if err := p.start(ctx, config); err != nil {
		return nil, err
	}
	return p, nil
}

// DialOptions are those of a connection to a plugin.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largestFrame)),
		grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window), grpc.WithReadBufferSize(buffer),
		grpc.WithWriteBufferSize(buffer),
	}
}

// ServerOptions are those of the plugin's end.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.MaxRecvMsgSize(largestFrame), grpc.InitialWindowSize(window),
		grpc.InitialConnWindowSize(window), grpc.ReadBufferSize(buffer), grpc.WriteBufferSize(buffer)}
}

// start waits for the handshake, connects, and asks what the plugin serves.
func (p *Process) start(ctx context.Context, config *goplugin.ClientConfig) error {
	deadline, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	defer context.AfterFunc(deadline, p.runner.kill)()
	err := p.connect(config)
	if err == nil {
		p.Described, err = p.Client.Describe(deadline, &wire.DescribeRequest{})
	}
	if err == nil {
		return nil
	}
	at, _ := deadline.Deadline()
	if status.Code(err) == codes.DeadlineExceeded && time.Until(at) < time.Second {
		<-deadline.Done() // the plugin's clock is a little ahead
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// By the clock: go-plugin's own timer, which began later, may be heard of before the context's.
	return p.explain(err, !time.Now().Before(at))
}

func (p *Process) connect(config *goplugin.ClientConfig) error {
	if _, err := p.client.Start(); err != nil {
		return err
	}
	// AutoMTLS is chosen before the start; a plugin that does not answer it is spoken to in the clear,
	// on its private socket.
	p.Encrypted = config.TLSConfig != nil && config.TLSConfig.RootCAs != nil
	if !p.Encrypted {
		config.TLSConfig = nil
	}
	protocol, err := p.client.Client()
	if err != nil {
		return err
	}
	service, err := protocol.Dispense(Service)
	if err != nil {
		return err
	}
	p.Client = service.(wire.PluginClient)
	return nil
}

// explain says why a plugin did not start, from what it did.
func (p *Process) explain(err error, late bool) error {
	if start := p.runner.startError(); start != nil {
		return start
	}
	refused := p.Client != nil && answered(err)
	if !refused { // the end of its output comes a little before its own
		select {
		case <-p.runner.ended():
		case <-time.After(time.Second):
		}
	}
	line, complete := p.runner.handshake()
	name := p.Name()
	if why := badHandshake(line); complete && why != "" {
		err := fmt.Errorf("%w: %s %s", core.ErrCrashed, name, why)
		if !p.Ended() || p.runner.wasKilled() { // for that line: whatever it has logged meanwhile is not the cause
			return err
		}
		return p.withLog(err, false)
	}
	const silent = "%w: %s did not write its handshake within %v: it hangs, is not a plugin, or needs more time " +
		"(--plugin-start-timeout)"
	const deaf = "%w: %s wrote its handshake, but did not say what it serves within %v: " +
		"it hangs, or needs more time (--plugin-start-timeout)"
	switch {
	case late && !complete:
		return p.withLog(fmt.Errorf(silent, core.ErrCrashed, name, p.config.StartTimeout), false)
	case late:
		return p.withLog(fmt.Errorf(deaf, core.ErrCrashed, name, p.config.StartTimeout), false)
	case !complete:
		return p.withLog(fmt.Errorf("%w: %s ended before its handshake (%s)", core.ErrCrashed, name, p.runner.outcome()),
			true)
	case p.Ended() && !p.runner.wasKilled():
		return p.withLog(fmt.Errorf("%w: %s ended before it said what it serves (%s)", core.ErrCrashed, name,
			p.runner.outcome()), true)
	case refused:
		return p.withLog(fmt.Errorf("%w: %s does not say what it serves, but answers: %w; it must implement the call "+
			"Describe",
			core.ErrContract, name, err), false)
	}
	return p.withLog(fmt.Errorf("%w: %s started, but cannot be reached: %w", core.ErrCrashed, name, err), false)
}

// withLog adds to an error what the log of the plugin says: on the first line of it, which may be
// all that is shown, the cause or the last line, what to do about it if the plugin has ended at its
// start, and where the log is; then the last lines.
func (p *Process) withLog(err error, ended bool) error {
	words := p.runner.last.words()
	text := ""
	switch {
	case words == "":
	case ended:
		text = ": " + words
	default:
		text = "; its log ends with: " + words
	}
	if _, began := p.runner.handshake(); ended && !began {
		text += startHint(p.config.Path, p.runner.exitCode(), words)
	}
	if p.config.LogFile != nil && words != "" {
		if file := p.config.LogFile(); file != "" {
			text += "; its log is " + file
		}
	}
	return fmt.Errorf("%w%s%s", err, text, p.runner.last.more())
}

// badHandshake says what is wrong with a plugin's first line, "" for nothing that the line itself shows.
func badHandshake(line string) string {
	parts := strings.Split(line, "|")
	switch {
	case len(parts) < 4 || parts[0] != "1":
		return fmt.Sprintf("wrote %q instead of its handshake: a plugin must not write to standard output before the "+
			"handshake; "+
			"log to standard error", shorten(line))
	case parts[1] != fmt.Sprint(Protocol):
		return fmt.Sprintf("speaks version %s of the plugin protocol and this program version %d: use a plugin built for "+
			"version %d, or the program that fits the plugin",
			shorten(parts[1]), Protocol, Protocol)
	}
	return ""
}

// answered reports whether an error of a call is the plugin's answer, and no fault of the connection.
func answered(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.Canceled, codes.Aborted, codes.DeadlineExceeded:
		return false
	}
	return true
}

func shorten(line string) string {
	const most = 80
	if len(line) > most {
		return strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}

// Failed turns an error of a call into what is to be said of it: the context's error;
// [core.ErrScopeClosed] if it was stopped; or [core.ErrCrashed] with the last lines of the plugin's
// log if it has ended, which a failing connection is the first sign of.
func (p *Process) Failed(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case p.once.Load():
		return fmt.Errorf("%w: the process of %s has ended with it, and what was fitted there is gone; fit again",
			core.ErrScopeClosed, p.Name())
	}
	select {
	case <-p.runner.ended():
	case <-time.After(time.Second):
		return fmt.Errorf("%w: the connection to %s failed: %w", core.ErrCrashed, p.Name(), err)
	}
	return p.withLog(fmt.Errorf("%w: %s ended (%s)", core.ErrCrashed, p.Name(), p.runner.outcome()), true)
}

// Name is the plugin's name in messages.
func (p *Process) Name() string {
	if p.config.Name != "" {
		return p.config.Name
	}
	return filepath.Base(p.config.Path)
}

// Ended reports whether the plugin's process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.runner.ended():
		return true
	default:
		return false
	}
}

// Stop asks the plugin to end, by a call and then by the end of its standard input, kills its
// process group after the grace period, and removes its folder. Further calls wait for the first.
func (p *Process) Stop() error {
	if !p.once.CompareAndSwap(false, true) {
		<-p.stopped
		return nil
	}
	defer close(p.stopped)
	defer time.AfterFunc(p.config.Grace/2, p.runner.farewell).Stop()
	defer time.AfterFunc(p.config.Grace, p.runner.kill).Stop()
	p.runner.noteMemory()
	p.client.Kill()
	p.runner.kill()
	p.runner.awaitEnd(p.config.Grace) // what it took is known then
	return p.runner.folder.remove()
}

// End ends the plugin in one of its own ways, and kills nothing: by the call Shutdown where it is
// asked, or else by the end of its standard input, as where this program is killed. It waits until
// the process has ended or ctx has, and names the processes that are left in its group, if the
// configuration says Inspect. Stop must follow.
func (p *Process) End(ctx context.Context, ask bool) (left []string, err error) {
	if ask {
		protocol, err := p.client.Client()
		if err != nil {
			return nil, err
		}
		go func() { _ = protocol.Close() }() // which may not be answered
	} else {
		p.runner.farewell()
	}
	select {
	case <-p.runner.ended():
		return p.runner.remains(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Called counts a call that gave a result: how long it took, and for how much of that the plugin's
// own code ran, negative where it does not tell.
func (p *Process) Called(took, computed time.Duration) {
	p.traffic.calls.Add(1)
	p.traffic.took.Add(int64(took))
	if computed < 0 {
		p.traffic.untold.Store(true)
	}
	p.traffic.between.Add(int64(max(took-computed, 0)))
}

// Spent returns what the plugin took, once it has been stopped.
func (p *Process) Spent() core.Spent {
	t := &p.traffic
	s := core.Spent{
		Calls: t.calls.Load(), CallSeconds: time.Duration(t.took.Load()).Seconds(),
		RPCSeconds: time.Duration(t.between.Load()).Seconds(),
		SentBytes:  t.sent.Load(), ReceivedBytes: t.got.Load(),
	}
	if t.untold.Load() {
		s.RPCSeconds = math.NaN()
	}
	s.CPUSeconds, s.PeakRSSBytes = p.runner.usage()
	return s
}

// traffic counts calls and their bytes.
type traffic struct {
	sent, got     atomic.Int64
	calls         atomic.Int64
	took, between atomic.Int64 // nanoseconds: of calls, and of them those in which the plugin's own code did not run
	untold        atomic.Bool  // a call did not tell how long its own code ran
}

var _ stats.Handler = (*traffic)(nil)

func (t *traffic) HandleRPC(_ context.Context, s stats.RPCStats) {
	switch s := s.(type) {
	case *stats.OutPayload:
		t.sent.Add(int64(s.WireLength))
	case *stats.InPayload:
		t.got.Add(int64(s.WireLength))
	}
}

func (t *traffic) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (t *traffic) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (t *traffic) HandleConn(context.Context, stats.ConnStats)                       {}

// connector makes the client of a connection.
type connector struct {
	goplugin.NetRPCUnsupportedPlugin
}

var _ goplugin.GRPCPlugin = connector{}

func (connector) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("the host serves nothing")
}

func (connector) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return wire.NewPluginClient(conn), nil
}
