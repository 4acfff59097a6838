package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/protobuf/proto"

	"github.com/koopbench/koopbench/backend/cpu/blas"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/client"
	"github.com/koopbench/koopbench/plugin/internal/process"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Options are further options for opening a plugin.
type Options struct {
	// Args are the arguments to start it with.
	Args []string
	// StartTimeout is the time limit for a process of it to answer; 0 for a minute.
	StartTimeout time.Duration
	// Grace is the time limit for a process to end when it is asked to, before it is killed; 0 for 2
	// seconds.
	Grace time.Duration
	// SHA256 is the SHA-256 that the file must have, as hexadecimal digits, or "" for any. It is
	// checked at every start.
	SHA256 string
	// AllowWritable accepts a file that other users can write, or replace because they can write a
	// folder above it. Then a SHA-256 does not protect against them.
	AllowWritable bool
	// Log receives what its processes write, up to 16 MiB of each, in lines that name the scope; nil
	// for no log.
	Log hclog.Logger
	// LogFile returns the name of the file that Log writes to, for errors; nil, or a result of "", for
	// none. It must not block.
	LogFile func() string
	// Name is the name in errors for a process that is not a plugin to the user, such as this program
	// itself; "" for a plugin, which errors call by its file.
	Name string
}

// Info describes a plugin.
type Info struct {
	Path      string // absolute
	SHA256    string // of the file, hexadecimal
	Protocol  int    // the version of package wire that it speaks
	Version   string // its own, may be ""
	SDK       string // what it is built with, may be ""
	Pinned    bool   // the SHA-256 was given
	Encrypted bool   // the connection is encrypted, not only private
}

// Plugin is a plugin's executable with its description. The things that it serves start a process
// of it for each run: for each [core.Scope] in the contexts of calls. The process ends with the
// scope. Calls outside a scope share one process, until Close.
//
// Several goroutines may use a Plugin at the same time.
type Plugin struct {
	// Things are stand-ins for the things that it serves, each a [core.Method], [core.Embedder],
	// [core.EvolutionOperator], [core.Loss], [core.Oracle] or [core.Task]. An opened task and a fitted
	// score live in the process of the scope in which the task was opened. If this process has ended,
	// they are made again from the same options. Calls fail with [core.ErrCrashed] if the process has
	// ended, and then give the last lines of its log. They fail with [core.ErrContract] for what
	// breaks the protocol, and otherwise with the error of the thing.
	Things []any

	info      Info
	options   Options
	described *wire.DescribeReply
	inspect   bool // look at what processes leave behind

	turn   chan struct{} // held while the fields below are used
	shared *session
	closed bool
}

// Open starts a plugin, asks what it serves, and ends it. The error explains what is wrong with the
// file, the start, or the description.
func Open(ctx context.Context, path string, o *Options) (*Plugin, error) {
	p, err := newPlugin(path, o)
	if err != nil {
		return nil, err
	}
	if err := p.describe(ctx); err != nil {
		if p.options.Name != "" {
			return nil, err
		}
		return nil, fmt.Errorf("plugin %s: %w", path, err)
	}
	return p, nil
}

// newPlugin returns a plugin of which nothing is known yet.
func newPlugin(path string, o *Options) (*Plugin, error) {
	if o == nil {
		o = &Options{}
	}
	p := &Plugin{options: *o, turn: make(chan struct{}, 1)}
	if p.options.StartTimeout == 0 {
		p.options.StartTimeout = time.Minute
	}
	if p.options.Grace == 0 {
		p.options.Grace = 2 * time.Second
	}
	if p.options.Log == nil {
		p.options.Log = hclog.NewNullLogger()
	}
	var err error
	if p.info.Path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	p.info.Protocol, p.info.Pinned = process.Protocol, o.SHA256 != ""
	return p, nil
}

func (p *Plugin) describe(ctx context.Context) (err error) {
	s, err := p.start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	p.know(s)
	p.Things, err = stubs(p.described, p.session)
	return err
}

// know keeps what a process has said of the plugin.
func (p *Plugin) know(s *session) {
	p.described = s.process.Described
	p.info.Version, p.info.SDK, p.info.Encrypted = p.described.GetVersion(), p.described.GetSdk(), s.process.Encrypted
}

// stubs returns stand-ins for what is served. The error is [core.ErrDescription].
func stubs(described *wire.DescribeReply, sessions client.Sessions) ([]any, error) {
	if len(described.GetThings()) == 0 {
		return nil, fmt.Errorf("%w: it does not serve anything", core.ErrDescription)
	}
	const most = 1 << 10 // bytes
	if version, sdk := len(described.GetVersion()), len(described.GetSdk()); version > most || sdk > most {
		return nil, fmt.Errorf("%w: its version has %d bytes and its SDK %d; the most of each is %d",
			core.ErrDescription, version, sdk, most)
	}
	type key struct {
		kind wire.Kind
		name string
	}
	seen := map[key]bool{}
	var things []any
	var all []error // what is wrong with each
	for _, t := range described.GetThings() {
		stub, err := client.Stub(t, described.GetTrajectories(), sessions)
		k := key{t.GetKind(), t.GetName()}
		if err == nil && seen[k] {
			err = fmt.Errorf("%w: it serves two things of the kind %s called %q", core.ErrDescription, k.kind, k.name)
		}
		seen[k] = true
		things, all = append(things, stub), append(all, err)
	}
	if err := errors.Join(all...); err != nil {
		return nil, err
	}
	return things, nil
}

// Info describes the plugin.
func (p *Plugin) Info() Info { return p.info }

// Close ends the process that calls outside a scope share.
func (p *Plugin) Close() error {
	p.turn <- struct{}{}
	s := p.shared
	p.shared, p.closed = nil, true
	<-p.turn
	if s == nil {
		return nil
	}
	return s.stop()
}

// session returns the process for calls under ctx.
func (p *Plugin) session(ctx context.Context) (client.Session, error) {
	scope := core.ScopeOf(ctx)
	if scope == nil {
		return p.sharedSession(ctx)
	}
	kept, err := scope.Keep(ctx, p, func() (any, func() error, error) {
		begun := time.Now()
		s, err := p.start(ctx)
		scope.Spend(core.Spent{StartSeconds: time.Since(begun).Seconds()})
		if err != nil {
			return nil, nil, err
		}
		return s, func() error {
			err := s.stop()
			scope.Spend(s.process.Spent())
			return err
		}, nil
	})
	if err != nil {
		return nil, err
	}
	return kept.(*session), nil
}

func (p *Plugin) sharedSession(ctx context.Context) (client.Session, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if p.closed {
		return nil, fmt.Errorf("%w: the plugin %s is closed", core.ErrUnavailable, p.info.Path)
	}
	if p.shared != nil && !p.shared.process.Ended() {
		return p.shared, nil
	}
	if p.shared != nil {
		_ = p.shared.stop()
	}
	p.shared = nil
	s, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	p.shared = s
	return s, nil
}

// start starts a process, after checking that the file is still what it was, and that what it serves is.
func (p *Plugin) start(ctx context.Context) (*session, error) {
	sum, err := p.trusted()
	if err != nil {
		return nil, err
	}
	if p.info.SHA256 == "" { // it is not described yet
		p.info.SHA256 = sum
	}
	started, err := process.Start(ctx, process.Config{
		Path: p.info.Path, Args: p.options.Args, Env: environment(ctx),
		StartTimeout: p.options.StartTimeout, Grace: p.options.Grace,
		Log: p.log(ctx), LogFile: p.options.LogFile, Inspect: p.inspect, Name: p.options.Name,
	})
	if err != nil {
		return nil, err
	}
	s := &session{started, p.options.Name == ""}
	if p.described != nil && !proto.Equal(p.described, started.Described) {
		_ = s.stop()
		return nil, fmt.Errorf("%w: the plugin %s describes what it serves differently each time it is started",
			core.ErrContract, started.Name())
	}
	return s, nil
}

// log is that of a process for calls under ctx: its lines name the run.
func (p *Plugin) log(ctx context.Context) hclog.Logger {
	log := p.options.Log
	if scope := core.ScopeOf(ctx); scope != nil && scope.Name != "" {
		log = log.ResetNamed(fmt.Sprintf("%s (%s)", log.Name(), scope.Name))
	}
	return log
}

// environment is that of a process for calls under ctx.
func environment(ctx context.Context) []string {
	env := append(os.Environ(), BLASVariable+"="+blas.InUse())
	if scope := core.ScopeOf(ctx); scope != nil && scope.Threads > 0 {
		env = append(env, ThreadsVariable+"="+strconv.Itoa(scope.Threads))
	}
	return env
}

// CheckFile returns an error if no further process of the plugin would be started: its file has
// changed since it was described, is not the pinned one, or may not be run for another reason.
func (p *Plugin) CheckFile() error {
	_, err := p.trusted()
	return err
}

// trusted returns the SHA-256 of the file, after checking that it may be run.
func (p *Plugin) trusted() (string, error) {
	if err := checkTrust(p.info.Path, p.options.AllowWritable); err != nil {
		return "", err
	}
	sum, err := fileSHA256(p.info.Path)
	if err != nil {
		return "", err
	}
	switch {
	case p.options.SHA256 != "" && !strings.EqualFold(sum, p.options.SHA256):
		return "", fmt.Errorf("%w: the SHA-256 of %s is %s, but the lock says %s; if you trust the new file, run bench "+
			"plugin lock again", ErrLock, p.info.Path, sum, p.options.SHA256)
	case p.info.SHA256 != "" && sum != p.info.SHA256:
		return "", fmt.Errorf("%w: %s has changed since it was described; start the command again", ErrLock, p.info.Path)
	}
	return sum, nil
}

// session is a process of a plugin.
type session struct {
	process *process.Process
	foreign bool // it is a plugin to the user
}

var (
	_ client.Session = (*session)(nil)
	_ io.Closer      = (*Plugin)(nil)
)

func (s *session) Name() string {
	if !s.foreign {
		return ""
	}
	return s.process.Name()
}

func (s *session) Plugin() wire.PluginClient { return s.process.Client }

func (s *session) Called(took, computed time.Duration) { s.process.Called(took, computed) }

func (s *session) Failed(ctx context.Context, err error) error { return s.process.Failed(ctx, err) }

func (s *session) stop() error { return s.process.Stop() }
