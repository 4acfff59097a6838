package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/describe"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Server serves things. It may be used by several goroutines at a time.
type Server struct {
	wire.UnimplementedPluginServer
	described *wire.DescribeReply
	things    map[key]any

	mu     sync.Mutex
	last   uint64
	fitted map[uint64]*fitted
}

var _ wire.PluginServer = (*Server)(nil)

type key struct {
	kind wire.Kind
	name string
}

// New returns a server of things, each of one of the kinds of package core, with a guard around
// them that the caller puts there ([core.Guard]). The error is [core.ErrDescription] for one of no
// kind or with a bad description, and [core.ErrDuplicate].
func New(version, sdk string, things ...any) (*Server, error) {
	s := &Server{described: &wire.DescribeReply{Version: version, Sdk: sdk, Trajectories: true},
		things: map[key]any{}, fitted: map[uint64]*fitted{}}
	if len(things) == 0 {
		return nil, fmt.Errorf("%w: there is nothing to serve; give Serve at least one %s", core.ErrDescription,
			core.AnyKind())
	}
	for _, thing := range things {
		kind := describe.WireKind(core.KindOf(thing))
		if kind == wire.Kind_KIND_UNSPECIFIED {
			return nil, fmt.Errorf("%w: a %T is no %s: it lacks a method of those interfaces, or has it on the pointer only",
				core.ErrDescription, thing, core.AnyKind())
		}
		d := thing.(interface{ Describe() core.Description }).Describe()
		if err := d.Validate(); err != nil {
			return nil, err
		}
		k := key{kind, d.Name}
		if s.things[k] != nil {
			return nil, fmt.Errorf("%w: two things of the kind %s are called %q", core.ErrDuplicate, kind, d.Name)
		}
		s.things[k] = thing
		described := describe.Thing(kind, d)
		if kind == wire.Kind_METHOD {
			_, described.Loads = core.As[core.ModelLoader](thing)
		}
		s.described.Things = append(s.described.Things, described)
	}
	return s, nil
}

// Serves lists what is served, for people.
func (s *Server) Serves() []string {
	var list []string
	for _, t := range s.described.GetThings() {
		list = append(list, fmt.Sprintf("the %s %q", describe.CoreKind(t.GetKind()).Title(), t.GetName()))
	}
	return list
}

// Describe implements [wire.PluginServer].
func (s *Server) Describe(context.Context, *wire.DescribeRequest) (*wire.DescribeReply, error) {
	return s.described, nil
}

// Release implements [wire.PluginServer].
func (s *Server) Release(_ context.Context, r *wire.ReleaseRequest) (*wire.ReleaseReply, error) {
	s.forget(r.GetHandle())
	return &wire.ReleaseReply{}, nil
}

func (s *Server) forget(handle uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.fitted, handle)
}

// keep gives something fitted a handle.
func (s *Server) keep(f *fitted) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	s.fitted[s.last] = f
	return s.last
}

func (s *Server) find(handle uint64) (*fitted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.fitted[handle]
	if f == nil {
		return nil, fmt.Errorf("%w: nothing fitted has the handle %d", core.ErrUnknown, handle)
	}
	return f, nil
}

func (s *Server) thing(kind wire.Kind, name string) (any, error) {
	thing := s.things[key{kind, name}]
	if thing == nil {
		return nil, fmt.Errorf("%w: the plugin serves no %s called %q", core.ErrUnknown, kind, name)
	}
	return thing, nil
}

// stream is a call, in which progress may be sent beside everything else.
type stream struct {
	transfer.Stream
	ctx context.Context
	mu  sync.Mutex

	computed time.Duration // that the thing's own code took
	waited   atomic.Int64  // nanoseconds of it in which it waited for the host to answer
}

// compute runs the thing's own code.
func (s *stream) compute(run func() error) error {
	begun := time.Now()
	defer func() { s.computed += time.Since(begun) }()
	return run()
}

// ownSeconds is how long the thing's own code ran.
func (s *stream) ownSeconds() float64 {
	return max(s.computed-time.Duration(s.waited.Load()), 0).Seconds()
}

func (s *stream) Send(f *wire.Frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Stream.Send(f)
}

// sendWhole sends a frame and its arrays, with nothing in between.
func (s *stream) sendWhole(f *wire.Frame, arrays ...transfer.Array) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return transfer.Send(s.Stream, f, arrays...)
}

// answer runs a call and ends its stream: what goes wrong in it is its last frame.
func answer(call interface {
	transfer.Stream
	Context() context.Context
	SetTrailer(trailer metadata.MD)
}, run func(s *stream, first *wire.Frame) error) error {
	s := &stream{Stream: call, ctx: call.Context()}
	first, err := s.Recv()
	if err != nil {
		return err
	}
	err = core.Contain(func() error { return run(s, first) })
	call.SetTrailer(metadata.Pairs(transfer.ComputedTrailer, strconv.FormatFloat(s.ownSeconds(), 'f', 9, 64)))
	var broken brokenStream
	switch {
	case err == nil:
		return nil
	case s.ctx.Err() != nil:
		return status.FromContextError(s.ctx.Err()).Err()
	case errors.As(err, &broken):
		return status.Error(codes.Aborted, err.Error())
	}
	return s.Send(&wire.Frame{Content: &wire.Frame_Failure{Failure: transfer.Failure(err)}})
}

// brokenStream is an error of the connection, on which nothing more can be said.
type brokenStream struct{ error }

func (b brokenStream) Unwrap() error { return b.error }
