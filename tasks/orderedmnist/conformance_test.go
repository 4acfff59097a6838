package orderedmnist_test

import (
	"testing"

	"github.com/koopbench/koopbench/conformance"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/tasks/orderedmnist"
)

// TestConformance: the task keeps the contract, with few images.
func TestConformance(t *testing.T) {
	for _, test := range []string{"sequence", "mnist-test"} {
		t.Run(test, func(t *testing.T) {
			conformance.RunTaskSuite(t, func() core.Task { return orderedmnist.Task{} }, &conformance.Options{
				Settings: map[string]any{"digits": 3, "split": "60,20,40", "steps": 4, "lag": 2, "test": test},
			})
		})
	}
}
