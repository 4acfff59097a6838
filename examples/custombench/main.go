// Command custombench is the benchmark with a method of your own beside the built-in ones.
package main

import (
	"context"
	"os"

	"github.com/koopbench/koopbench/cli"
	"github.com/koopbench/koopbench/examples/method"
	"github.com/koopbench/koopbench/methods"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

func main() {
	config := cli.Config{Name: "custombench", Registry: withNearest}
	os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, config))
}

func withNearest(rt *nn.Runtime) (*registry.Registry, error) {
	r, err := methods.Builtin(rt)
	if err != nil {
		return nil, err
	}
	return r, r.Methods.Add(method.Nearest{})
}
