package plugin

import (
	"context"
	"errors"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/koopbench/koopbench/plugin/internal/server"
	"github.com/koopbench/koopbench/plugin/wire"
)

// service puts the server on go-plugin's connection.
type service struct {
	goplugin.NetRPCUnsupportedPlugin
	server *server.Server
}

var _ goplugin.GRPCPlugin = service{}

func (s service) GRPCServer(_ *goplugin.GRPCBroker, on *grpc.Server) error {
	wire.RegisterPluginServer(on, s.server)
	return nil
}

func (service) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a plugin is no client")
}
