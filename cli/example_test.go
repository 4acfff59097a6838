package cli_test

import (
	"context"
	"fmt"
	"os"

	"github.com/koopbench/koopbench/cli"
	"github.com/koopbench/koopbench/examples/method"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

// A program of your own has the whole command line, over your own methods. Function methods.Builtin
// returns the built-in ones.
func ExampleMain() {
	config := cli.Config{Name: "mybench", Registry: func(*nn.Runtime) (*registry.Registry, error) {
		r := registry.New()
		return r, r.Methods.Add(method.Nearest{})
	}}
	status := cli.Main(context.Background(), []string{"info", "nearest"}, nil, os.Stdout, os.Stderr, config)
	fmt.Println("status", status)
	// Output:
	// nearest (method): what followed the most similar training snapshot
	//
	// E. N. Lorenz, Atmospheric predictability as revealed by naturally occurring analogues, J. Atmos.
	// Sci. 26, 1969.
	// status 0
}
