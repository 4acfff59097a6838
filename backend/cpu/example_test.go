package cpu_test

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/koopbench/koopbench/backend/cpu"
)

// A backend runs graphs that GoMLX has built. Its profile tells which kernels ran them.
func ExampleNew() {
	made, err := cpu.New("threads=2,kernels=generic")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer made.Finalize()
	backend := made.(*cpu.Backend)
	exec, err := graph.NewExec(backend, func(x, w *graph.Node) *graph.Node {
		return graph.MaxScalar(graph.Dot(x, w).Product(), 0)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	backend.EnableProfile(true)
	y, err := exec.Call1([][]float32{{1, 2}, {3, -4}}, [][]float32{{1}, {1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(y.Value())
	for _, e := range backend.Profile() {
		fmt.Println(e.Operation, e.Where, e.Calls)
	}
	// Unordered output:
	// [[3] [0]]
	// matmul 1×(2×2 · 2×1) generic 1
	// loop [2 1] Max generic 1
}

// The error names what is wrong with a configuration.
func ExampleNew_mistake() {
	_, err := cpu.New("threads=many")
	fmt.Println(err)
	// Output: cpu backend: threads="many": want a whole number from 1 to 1024
}
