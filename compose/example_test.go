package compose_test

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/methods/contrastive"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/methods/vamp"
	"github.com/koopbench/koopbench/nn"
)

// squares is an embedder: the values of a snapshot and their squares.
type squares struct{}

func (squares) Describe() core.Description {
	return core.Description{Name: "squares", Summary: "values and their squares", Doc: "It learns nothing."}
}

func (squares) Fit(_ context.Context, t *core.Training) (core.Embedding, error) {
	return squared(t.Train.Size()), t.Validate()
}

// squared is its embedding of snapshots of so many values.
type squared int

func (s squared) Dim() int { return 2 * int(s) }

func (s squared) Embed(_ context.Context, x core.Snapshots) (*mat.Dense, error) {
	if x.Len() == 0 {
		return &mat.Dense{}, nil
	}
	z, values := mat.NewDense(x.Len(), s.Dim(), nil), x.Matrix()
	for i := range x.Len() {
		for j := range int(s) {
			z.Set(i, j, values.At(i, j))
			z.Set(i, int(s)+j, values.At(i, j)*values.At(i, j))
		}
	}
	return z, nil
}

// An embedder and an evolution operator make a method: its options are those of both.
func ExampleNew() {
	method := compose.New(squares{}, linalg.Ridge{}, &compose.Options{Name: "quadratic", Precision: compose.Float64})
	options, err := method.Describe().Resolve(map[string]any{"variant": "full"})
	if err != nil {
		fmt.Println(err)
		return
	}
	values := []float32{0.8}
	for len(values) < 12 { // x ↦ 1 − x²
		x := values[len(values)-1]
		values = append(values, 1-x*x)
	}
	sequence, err := core.NewSnapshots(values, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	model, err := method.Fit(context.Background(), &core.Training{
		Train: core.OneTrajectory(sequence), Validation: core.OneTrajectory(sequence),
		Lag: 1, States: 2, Options: options,
		Name: "quadratic", Progress: core.NoProgress,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(method.Describe().Name, core.ReportOf(model).Rank)
	// Output: quadratic 2
}

// A loss makes a method: the reference encoder, or one of one's own, is trained under it.
func ExampleLossMethod() {
	rt := nn.NewRuntime("cpu") // starts when something is fitted
	method := compose.LossMethod(rt, vamp.Loss{}, linalg.Ridge{}, &compose.LossOptions{
		Name: "vamp-small", Network: nn.CNN{Channels: []int{8}, Kernel: 3},
	})
	d := method.Describe()
	_, hasEpochs := d.Option("epochs")
	_, hasAlpha := d.Option("alpha")
	fmt.Println(d.Name, hasEpochs, hasAlpha)
	// Output: vamp-small true true
}

// Operators are compared on the features of one embedder, which is fitted once.
func ExampleShare() {
	reference := compose.Share(contrastive.Features(nn.NewRuntime("cpu"), nil))
	method := compose.OperatorMethod(linalg.Ridge{}, reference)
	fmt.Println(method.Describe().Name)
	// Output: operator:ridge
}

func ExampleEmbedderMethod() {
	fmt.Println(compose.EmbedderMethod(linear.Pixels(), linalg.Ridge{}).Describe().Name)
	// Output: embedder:pixels
}
