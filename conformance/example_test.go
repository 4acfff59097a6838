package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/koopbench/koopbench/conformance"
	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/linear"
)

// brightest is a method with a mistake: its prediction of a snapshot depends on the others beside it.
type brightest struct{}

func (brightest) Describe() core.Description {
	return core.Description{Name: "brightest", Summary: "divides by the largest value", Doc: "It learns nothing."}
}

func (brightest) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	return core.ModelFunc(func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
		values, largest := x.Floats(), float32(1e-6)
		for _, v := range values {
			largest = max(largest, v)
		}
		for i := range values {
			values[i] /= largest
		}
		return core.NewSnapshots(values, x.Shape()...)
	}), errors.Join(ctx.Err(), t.Validate())
}

// A check says what it found and what to change. This one needs no test.
func Example() {
	session := check.NewMethod(brightest{}, &check.Options{Shape: []int{4, 4}})
	result := session.Run(context.Background(), "row-independence")
	fmt.Println(result.Status)
	fmt.Println(result.Checked)
	fmt.Println(result.Remedy)
	// Output:
	// fail
	// Predict gives the same for a snapshot whatever other snapshots there are, in whatever order
	// compute every row by itself: no statistics over the rows of a call, nothing kept between calls, no chance
}

// The test of a method: each check is a subtest.
func ExampleRunMethodSuite() {
	testConformance := func(t *testing.T) { // TestConformance, in a file of tests
		conformance.RunMethodSuite(t, linear.New, &conformance.Options{Shape: []int{4, 4}})
	}
	_ = testConformance
}
