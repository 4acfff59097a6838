// Command encoder is the benchmark with networks of your own: an encoder, a loss, and a training.
// docs/nn.md explains it.
package main

import (
	"context"
	"errors"
	"os"

	"github.com/koopbench/koopbench/cli"
	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/methods"
	"github.com/koopbench/koopbench/methods/vamp"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

func main() {
	config := cli.Config{Name: "encoder", Registry: withNetworks}
	os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, config))
}

func withNetworks(rt *nn.Runtime) (*registry.Registry, error) {
	r, err := methods.Builtin(rt)
	if err != nil {
		return nil, err
	}
	dense := Dense{Hidden: 64}
	return r, errors.Join(
		r.Methods.Add(compose.LossMethod(rt, vamp.Loss{}, linalg.Ridge{}, &compose.LossOptions{
			Name: "vamp-dense", Network: dense,
		})),
		r.Losses.Add(Slow{}), // is the method loss:slow
		r.Embedders.Add(&Next{Runtime: rt, Network: dense}), // is the method embedder:next
	)
}
