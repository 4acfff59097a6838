package method_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/conformance"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/examples/method"
	"github.com/koopbench/koopbench/tasks/orderedmnist"
)

// A clock of three states shows what a fitted method does: it turns each snapshot into the next one.
func Example() {
	clock, _ := core.NewSnapshots([]float32{1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1}, 3)
	training := &core.Training{
		Train: core.OneTrajectory(clock), Validation: core.OneTrajectory(clock),
		Lag: 1, States: 3, Progress: core.NoProgress,
	}

	model, err := method.Nearest{}.Fit(context.Background(), training)
	if err != nil {
		fmt.Println(err)
		return
	}
	now, _ := core.NewSnapshots([]float32{0.1, 0.8, 0, 0, 0, 0.9}, 3)
	next, err := model.Predict(context.Background(), now)
	fmt.Println(next.Floats(), err)
	// Output: [0 0 1 1 0 0] <nil>
}

func TestConformance(t *testing.T) {
	conformance.RunMethodSuite(t, func() core.Method { return method.Nearest{} }, &conformance.Options{Shape: []int{8, 8}})
}

// TestOrderedMNIST predicts one step of the benchmark's own task. A prediction is an image of the
// training sequence, whose label is known: no oracle is needed to judge it.
func TestOrderedMNIST(t *testing.T) {
	ordered := orderedmnist.Task{}
	options, err := ordered.Describe().Resolve(map[string]any{"split": "600,10,100", "steps": 1})
	require.NoError(t, err)
	task, err := ordered.Open(t.Context(), options)
	require.NoError(t, err)
	labels := map[string]int{}
	for i, label := range task.States.Train {
		labels[fmt.Sprint(task.Train.At(0).Slice(i, i+1).Floats())] = label
	}

	model, err := method.Nearest{}.Fit(t.Context(), &core.Training{Train: task.Train, Validation: task.Validation,
		Lag: task.Lag, States: task.Rank})
	require.NoError(t, err)
	next, err := model.Predict(t.Context(), task.Test.At(0))
	require.NoError(t, err)
	right := 0
	for i, due := range task.States.Expected[0] {
		label, known := labels[fmt.Sprint(next.Slice(i, i+1).Floats())]
		require.True(t, known, "the prediction for test snapshot %d is not a training snapshot", i)
		if label == due {
			right++
		}
	}
	assert.GreaterOrEqual(t, right, 90, "of 100")
}

func TestContext(t *testing.T) {
	clock, err := core.NewSnapshots([]float32{1, 0, 0, 1, 1, 0}, 2)
	require.NoError(t, err)
	model, err := method.Nearest{}.Fit(t.Context(), &core.Training{
		Train: core.OneTrajectory(clock), Validation: core.OneTrajectory(clock),
		Lag: 1, States: 2,
	})
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = model.Predict(ended, clock)
	assert.ErrorIs(t, err, context.Canceled)
}
