package plugin

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/client"
	"github.com/koopbench/koopbench/plugin/internal/process"
	"github.com/koopbench/koopbench/plugin/internal/server"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Loop serves things within this program, by the wire format and without a process.
//
// A Loop may be used by several goroutines at a time.
type Loop struct {
	// Things are stand-ins for the served things, in the same order and of the same kinds, like those
	// of a [Plugin].
	Things []any

	server     *grpc.Server
	connection *grpc.ClientConn
	client     wire.PluginClient
}

// Loopback serves things as [Serve] does, in memory, and returns stand-ins for them. With it, tests
// see what a benchmark sees of a thing in a plugin: everything passes through the wire format, and
// only the process is missing. The caller must close it. The errors are those of Serve:
// [core.ErrDescription] and [core.ErrDuplicate].
func Loopback(things ...any) (*Loop, error) {
	s, err := server.New(buildVersion(), sdk(), guarded(things)...)
	if err != nil {
		return nil, err
	}
	l := &Loop{server: grpc.NewServer(process.ServerOptions()...)}
	wire.RegisterPluginServer(l.server, s)
	const buffer = 1 << 20
	listener := bufconn.Listen(buffer)
	go func() { _ = l.server.Serve(listener) }()
	l.connection, err = grpc.NewClient("passthrough:loopback", append(process.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return listener.DialContext(ctx)
		}))...)
	if err != nil {
		l.server.Stop()
		return nil, err
	}
	l.client = wire.NewPluginClient(l.connection)
	if err := l.describe(); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

func (l *Loop) describe() error {
	described, err := l.client.Describe(context.Background(), &wire.DescribeRequest{})
	if err != nil {
		return err
	}
	l.Things, err = stubs(described, func(context.Context) (client.Session, error) { return l.session(), nil })
	return err
}

// Close ends the Loop. Unfinished calls return [core.ErrCrashed].
func (l *Loop) Close() error {
	err := l.connection.Close()
	l.server.Stop()
	return err
}

func (l *Loop) session() client.Session { return loopSession{l.client} }

type loopSession struct{ client wire.PluginClient }

var _ client.Session = loopSession{}

func (loopSession) Name() string { return "in this program" }

func (loopSession) Called(time.Duration, time.Duration) {}

func (s loopSession) Plugin() wire.PluginClient { return s.client }

func (loopSession) Failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: the connection within this program failed: %w", core.ErrCrashed, err)
}
