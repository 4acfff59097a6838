// Command bench benchmarks the built-in methods. Package cli describes its commands.
package main

import (
	"context"
	"os"

	"github.com/koopbench/koopbench/cli"
	"github.com/koopbench/koopbench/methods"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr,
		cli.Config{Registry: methods.Builtin}))
}
