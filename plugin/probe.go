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

// Probe is one process of a plugin whose end its caller controls. It is for checking plugins;
// [Open] is for using them.
//
// Several goroutines may use a Probe at the same time.
type Probe struct {
	plugin  *Plugin
	session *session
}

// NewProbe starts a process of a plugin. The error explains what is wrong with the file or the
// start; [Probe.Things] returns errors of the description. The caller must close it.
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

// Info describes the plugin.
func (p *Probe) Info() Info { return p.plugin.info }

// Describe asks the process what it serves, and returns the answer as lines of text.
func (p *Probe) Describe(ctx context.Context) (string, error) {
	described, err := p.session.Plugin().Describe(ctx, &wire.DescribeRequest{})
	if err != nil {
		return "", p.session.Failed(ctx, err)
	}
	return prototext.MarshalOptions{Multiline: true}.Format(described), nil
}

// Things are stand-ins for the things that it serves, like those of a [Plugin], all in this
// process. The error is [core.ErrDescription].
func (p *Probe) Things() ([]any, error) {
	return stubs(p.plugin.described, func(context.Context) (client.Session, error) {
		if p.session.process.Ended() {
			return nil, fmt.Errorf("%w: the process of %s has ended", core.ErrCrashed, p.session.Name())
		}
		return p.session, nil
	})
}

// End ends the process in one of the two ways that the process must follow by itself, and kills
// nothing. If ask is set, this is the call Shutdown. Otherwise it is the end of its standard
// input, as if this program were killed. End waits until the process or ctx has ended, and returns
// the names of the processes that remain in its group.
func (p *Probe) End(ctx context.Context, ask bool) (left []string, err error) {
	return p.session.process.End(ctx, ask)
}

// Close ends the process, kills it after the grace period, and removes what remains of it. It may
// be called again.
func (p *Probe) Close() error { return p.session.stop() }

// CheckFile returns an error if a plugin's file would not be started: it cannot be run, others can
// write it, or it is not the pinned one.
func CheckFile(path string, o *Options) error {
	p, err := newPlugin(path, o)
	if err == nil {
		_, err = p.trusted()
	}
	return err
}

// ByHand runs a plugin as a person would who does not know what it is, until it ends, ctx ends, or
// [Options.StartTimeout] has passed. It returns the text on standard error, and the exit status.
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
