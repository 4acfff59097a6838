package plugin_test

import (
	"context"
	"fmt"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/plugin"
)

// The main function of a plugin.
func ExampleServe() {
	main := func() { plugin.Serve(linear.New()) }
	_ = main
}

// What is served comes back as things of the same kinds, whose calls go through the wire format: in
// tests without a process.
func ExampleLoopback() {
	loop, err := plugin.Loopback(linear.New())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = loop.Close() }()
	method := loop.Things[0].(core.Method)
	options, err := method.Describe().Resolve(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	clock, err := core.NewSnapshots([]float32{1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1}, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	model, err := method.Fit(context.Background(), &core.Training{
		Train: core.OneTrajectory(clock), Validation: core.OneTrajectory(clock),
		Lag: 1, States: 2, Options: options, Name: "linear", Progress: core.NoProgress,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	next, err := model.Predict(context.Background(), clock.Slice(0, 2))
	fmt.Printf("%.3f %v\n", next.Floats(), err)
	// Output: [0.000 1.000 1.000 0.000] <nil>
}

// A program that uses plugins opens them, and closes them when it is done.
func ExampleOpen() {
	p, err := plugin.Open(context.Background(), "./no-such-plugin", nil)
	if err != nil {
		fmt.Println("it cannot be used")
		return
	}
	defer func() { _ = p.Close() }()
	for _, thing := range p.Things {
		if method, ok := thing.(core.Method); ok {
			fmt.Println(method.Describe().Name)
		}
	}
	// Output: it cannot be used
}
