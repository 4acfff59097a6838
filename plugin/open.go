package plugin

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/protobuf/proto"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/client"
	"github.com/koopbench/koopbench/plugin/internal/process"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Options say more about how a plugin is opened.
type Options struct {
	// Args are arguments to start it with.
	Args []string
	// StartTimeout is how long a process of it may take to answer; 0 for a minute.
	StartTimeout time.Duration
	// Grace is how long a process may take to end when it is asked to, before it is killed; 0 for 2 seconds.
	Grace time.Duration
	// SHA256 is what the file's must be, in hexadecimal digits, or "" for any. It is checked at every start.
	SHA256 string
	// AllowWritable accepts a file that others can write, or in a folder that others can write.
	AllowWritable bool
	// Log gets what its processes write; nil for no one.
	Log hclog.Logger
}

// Info says what a plugin is.
type Info struct {
	Path      string // absolute
	SHA256    string // of the file, hexadecimal
	Protocol  int    // the version of package wire that it speaks
	Version   string // its own, may be ""
	SDK       string // what it is built with, may be ""
	Pinned    bool   // the SHA-256 was given
	Encrypted bool   // the connection is, beside being private
}

// Plugin is the executable of a plugin, described. What it serves starts a process of it for each run: for each [core.Scope] among
// the contexts of calls, which the process ends with. Calls outside a scope share one process, until Close.
//
// A Plugin may be used by several goroutines at a time.
type Plugin struct {
	// Things are stand-ins for what it serves, each a [core.Method], [core.Embedder], [core.EvolutionOperator], [core.Loss] or
	// [core.Oracle]. Calls fail with [core.ErrCrashed] if the process has ended, and then name the last lines of its log; with
	// [core.ErrContract] for what breaks the protocol; and otherwise with the error of the thing.
	Things []any

	info      Info
	options   Options
	described *wire.DescribeReply

	mu     sync.Mutex
	shared *session
	closed bool
}

// Open starts a plugin, asks what it serves, and ends it. The error says in words what is wrong: with the file, with the start, or with
// the description.
func Open(ctx context.Context, path string, o *Options) (*Plugin, error) {
	if o == nil {
		o = &Options{}
	}
	p := &Plugin{options: *o}
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
	if err := p.describe(ctx); err != nil {
		return nil, fmt.Errorf("plugin %s: %w", path, err)
	}
	return p, nil
}

func (p *Plugin) describe(ctx context.Context) error {
	s, err := p.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	p.described = s.described
	p.info.Version, p.info.SDK, p.info.Encrypted = s.described.GetVersion(), s.described.GetSdk(), s.process.Encrypted
	if len(p.described.GetThings()) == 0 {
		return fmt.Errorf("%w: it serves nothing", core.ErrDescription)
	}
	type key struct {
		kind wire.Kind
		name string
	}
	seen := map[key]bool{}
	for _, t := range p.described.GetThings() {
		stub, err := client.Stub(t, p.session)
		if err != nil {
			return err
		}
		k := key{t.GetKind(), t.GetName()}
		if seen[k] {
			return fmt.Errorf("%w: it serves two things of the kind %s called %q", core.ErrDescription, k.kind, k.name)
		}
		seen[k] = true
		p.Things = append(p.Things, stub)
	}
	return nil
}

// Info says what the plugin is.
func (p *Plugin) Info() Info { return p.info }

// Close ends the process that calls outside a scope share.
func (p *Plugin) Close() error {
	p.mu.Lock()
	s := p.shared
	p.shared, p.closed = nil, true
	p.mu.Unlock()
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
		s, err := p.start(ctx)
		if err != nil {
			return nil, nil, err
		}
		return s, s.stop, nil
	})
	if err != nil {
		return nil, err
	}
	return kept.(*session), nil
}

func (p *Plugin) sharedSession(ctx context.Context) (client.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fmt.Errorf("%w: the plugin %s is closed", core.ErrUnavailable, p.info.Path)
	}
	if p.shared != nil && !p.shared.process.Ended() {
		return p.shared, nil
	}
	if p.shared != nil {
		_ = p.shared.stop()
	}
	s, err := p.start(ctx)
	p.shared = s
	if err != nil {
		p.shared = nil
		return nil, err
	}
	return s, nil
}

// start starts a process, after checking that the file is still what it was, and that what it serves is.
func (p *Plugin) start(ctx context.Context) (*session, error) {
	if err := checkTrust(p.info.Path, p.options.AllowWritable); err != nil {
		return nil, err
	}
	sum, err := fileSHA256(p.info.Path)
	if err != nil {
		return nil, err
	}
	switch {
	case p.options.SHA256 != "" && sum != p.options.SHA256:
		return nil, fmt.Errorf("%w: the SHA-256 of the file is %s and the lock says %s: if you trust the new file, run bench plugin lock again", ErrLock, sum, p.options.SHA256)
	case p.info.SHA256 != "" && sum != p.info.SHA256:
		return nil, fmt.Errorf("%w: the file has changed since it was described; start the command again", ErrLock)
	}
	if p.info.SHA256 == "" { // Open is describing it
		p.info.SHA256 = sum
	}
	started, err := process.Start(ctx, process.Config{
		Path: p.info.Path, Args: p.options.Args, Env: os.Environ(), StartTimeout: p.options.StartTimeout, Grace: p.options.Grace, Log: p.options.Log,
	})
	if err != nil {
		return nil, err
	}
	s := &session{process: started}
	if s.described, err = started.Client.Describe(ctx, &wire.DescribeRequest{}); err != nil {
		err = started.Failed(ctx, err)
	} else if p.described != nil && !proto.Equal(p.described, s.described) {
		err = fmt.Errorf("%w: it describes what it serves differently each time it is started", core.ErrContract)
	}
	if err != nil {
		_ = s.stop()
		return nil, err
	}
	return s, nil
}

// session is a process of a plugin.
type session struct {
	process   *process.Process
	described *wire.DescribeReply
}

var (
	_ client.Session = (*session)(nil)
	_ io.Closer      = (*Plugin)(nil)
)

func (s *session) Plugin() wire.PluginClient { return s.process.Client }

func (s *session) Failed(ctx context.Context, err error) error { return s.process.Failed(ctx, err) }

func (s *session) stop() error { return s.process.Stop() }
