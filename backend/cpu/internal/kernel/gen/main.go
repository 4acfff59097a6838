// Command gen writes the assembly of package kernel: one file for each family of kernels, and the
// declarations of all.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// families are the files to write and what writes them.
var families = []struct {
	name  string
	write func(*build.Context)
}{
	{"tile", tiles},
	{"dot", dots},
	{"pool", pools},
	{"elementwise", elementwise},
	{"sparse", sparse},
	{"functions", functions},
	{"taps", taps},
}

func main() {
	dir := flag.String("dir", "..", "folder of package kernel")
	flag.Parse()
	if err := run(*dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir string) error {
	cfg := printer.Config{Name: "go generate", Pkg: "kernel"}
	stubs := ir.NewFile()
	for _, f := range families {
		c := build.NewContext()
		c.ConstraintExpr("amd64")
		f.write(c)
		file, err := c.Result()
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if err := pass.Compile.Execute(file); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		asm, err := printer.NewGoAsm(cfg).Print(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, f.name+"_amd64.s"), asm, 0o644); err != nil {
			return err
		}
		stubs.Constraints = file.Constraints
		for _, fn := range file.Functions() {
			stubs.AddSection(fn)
		}
	}
	text, err := printer.NewStubs(cfg).Print(stubs)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "stub_amd64.go"), text, 0o644); err != nil {
		return err
	}
	return writeNEON(dir)
}
