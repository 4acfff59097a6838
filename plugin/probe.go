package plugin

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/encoding/prototext"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/client"
	"github.com/koopbench/koopbench/plugin/internal/process"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Probe is one process of a plugin whose end is in the hands of its caller. It is for those who
// check plugins; [Open] is for those who use them.
//
// A Probe may be used by several goroutines at a time.
type Probe struct {
	plugin  *Plugin
	session *session
}

// NewProbe starts a process of a plugin. The error says in words what is wrong with the file or the
// start; what is wrong with the description comes from [Probe.Things]. The caller must close it.
func NewProbe(ctx context.Context, path string, o *Options) (*Probe, error) {
	p, err := newPlugin(path, o)
	if err != nil {
		return nil, err
	}
	p.inspect = true
	s, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	p.know(s)
	return &Probe{p, s}, nil
}

// Info says what the plugin is.
func (p *Probe) Info() Info { return p.plugin.info }

// Describe asks the process what it serves, and returns the answer as lines of text.
func (p *Probe) Describe(ctx context.Context) (string, error) {
	described, err := p.session.Plugin().Describe(ctx, &wire.DescribeRequest{})
	if err != nil {
		return "", p.session.Failed(ctx, err)
	}
	return prototext.MarshalOptions{Multiline: true}.Format(described), nil
}

// Things are stand-ins for what it serves, as those of a [Plugin] are, all in this process. The
// error is [core.ErrDescription].
func (p *Probe) Things() ([]any, error) {
	return stubs(p.plugin.described, func(context.Context) (client.Session, error) {
		if p.session.process.Ended() {
			return nil, fmt.Errorf("%w: the process of %s has ended", core.ErrCrashed, p.session.Name())
		}
		return p.session, nil
	})
}

// End ends the process in one of the ways that are its own to follow, and kills nothing: by the
// call Shutdown where it is asked, or else by the end of its standard input, as where this program
// is killed. It waits until the process has ended, or ctx has, and returns the names of the
// processes that are left in its group.
func (p *Probe) End(ctx context.Context, ask bool) (left []string, err error) {
	return p.session.process.End(ctx, ask)
}

// Close ends the process, kills it after the grace period, and removes what is left of it. It may be called again.
func (p *Probe) Close() error { return p.session.stop() }

// CheckFile says in words why a plugin's file would not be started: that it cannot be run, that
// others can write it, or that it is not the pinned one.
func CheckFile(path string, o *Options) error {
	p, err := newPlugin(path, o)
	if err == nil {
		_, err = p.trusted()
	}
	return err
}

// ByHand runs a plugin as a person would, who does not know what it is, until it ends, ctx does, or
// [Options.StartTimeout] is over. It returns what it wrote to standard error, and its status.
func ByHand(ctx context.Context, path string, o *Options) (said string, status int, err error) {
	p, err := newPlugin(path, o)
	if err != nil {
		return "", 0, err
	}
	if _, err := p.trusted(); err != nil {
		return "", 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.options.StartTimeout)
	defer cancel()
	return process.ByHand(ctx, p.info.Path, p.options.Args)
}
