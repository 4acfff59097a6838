package benchmark_test

import (
	"context"
	"fmt"
	"os"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/tasks/linearsystem"
)

// openTask opens a task with values of its options.
func openTask(ctx context.Context, t core.Task, values map[string]any) (*benchmark.Task, error) {
	options, err := t.Describe().Resolve(values)
	if err != nil {
		return nil, err
	}
	problem, err := t.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	return benchmark.NewTask(ctx, t.Describe(), options, problem)
}

// A plan takes methods through a task. Its results are returned, and kept in a folder.
func ExampleRun() {
	ctx := context.Background()
	task, err := openTask(ctx, linearsystem.New(), map[string]any{"steps": 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := os.MkdirTemp("", "results")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(out) }()
	method := linear.New()
	options, err := method.Describe().Resolve(map[string]any{"variant": "full"})
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := benchmark.Run(ctx, benchmark.Plan{
		Task: task, Out: out, Seeds: []int64{42},
		Entries: []benchmark.Entry{{Written: "linear?variant=full", Method: method, Options: options}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, run := range got.Runs {
		fmt.Printf("%s: %s, %s after each step %.2f\n", run.Method, run.Status, got.Task.Measure.Name, run.Ranked.Score)
	}
	// Output: linear?variant=full: ok, nrmse after each step [0.39 0.50 0.58]
}
