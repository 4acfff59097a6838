package nn_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"

	_ "github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// dense is an encoder of one layer.
type dense struct{}

func (dense) CheckShape([]int) error { return nil }

func (dense) Encode(scope *model.Scope, x *graph.Node, features int) *graph.Node {
	return nn.Linear(scope, graph.Reshape(x, x.Shape().Dim(0), -1), features)
}

// An encoder builds a graph whose parameters are in a scope, and is run in batches of one size.
func ExampleEncoder() {
	var encoder nn.Encoder = dense{}
	backend, err := nn.NewRuntime("cpu").Backend()
	if err != nil {
		fmt.Println(err)
		return
	}
	store := nn.NewStore(42, "mine")
	network, err := nn.NewInference(backend, store, []int{4, 4}, func(scope *model.Scope, x *graph.Node) *graph.Node {
		return encoder.Encode(scope.At("encoder"), x, 3)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	images, err := core.NewSnapshots(make([]float32, 5*16), 4, 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	features, err := network.Features(context.Background(), images)
	rows, columns := features.Dims()
	fmt.Println(rows, columns, nn.NumParameters(store), err)
	// Output: 5 3 51 <nil>
}

// A training minimises a loss over batches: here the next of a sequence of numbers is a linear
// function of the last.
func ExampleTrainer() {
	backend, err := nn.NewRuntime("cpu").Backend()
	if err != nil {
		fmt.Println(err)
		return
	}
	values := []float32{1}
	for i := range 63 {
		values = append(values, 1-values[i]/2) // x ↦ 1 − x/2
	}
	sequence, err := core.NewSnapshots(values, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	store := nn.NewStore(42, "mine")
	history, err := (&nn.Trainer{
		Backend: backend, Store: store,
		Schedule: nn.Schedule{Epochs: 30, BatchSize: 8, LearningRate: 0.05},
		Loss: func(scope *model.Scope, batch []*graph.Node) (loss *graph.Node, metrics []*graph.Node) {
			x, y := batch[0], batch[1]
			return graph.ReduceAllMean(graph.Square(graph.Sub(nn.Linear(scope.At("next"), x, 1), y))), nil
		},
		Train:   nn.Pairs(core.OneTrajectory(sequence), 1),
		Shuffle: core.NewStream(42, "mine", "shuffle"),
	}).Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(history.Epochs), history.Epochs[29].Train < history.Epochs[0].Train/100)
	// Output: 30 true
}

// distance is a loss in both forms: ‖x − y‖²/n.
type distance struct{}

func (distance) Describe() core.Description {
	return core.Description{Name: "distance", Summary: "the distance between the views", Doc: "‖x − y‖²/n."}
}

func (distance) Evaluate(ctx context.Context, x, y mat.Matrix, _ core.Options) (core.LossValue, error) {
	if err := nn.CheckViews(x, y); err != nil {
		return core.LossValue{}, err
	}
	n, _ := x.Dims()
	var difference mat.Dense
	difference.Sub(x, y)
	v := core.LossValue{GradX: &mat.Dense{}, GradY: &mat.Dense{}}
	v.Value = mat.Norm(&difference, 2) * mat.Norm(&difference, 2) / float64(n)
	v.GradX.Scale(2/float64(n), &difference)
	v.GradY.Scale(-2/float64(n), &difference)
	return v, ctx.Err()
}

func (distance) Graph(x, y *graph.Node, _ core.Options) (loss, degenerate *graph.Node) {
	squares := graph.ReduceAllSum(graph.Square(graph.Sub(x, y)))
	return graph.DivScalar(squares, float64(x.Shape().Dim(0))), nil
}

// A test holds the two forms of a loss equal: the one by hand, and the graph with autodiff's
// derivatives.
func ExampleEvaluateGraph() {
	backend, err := nn.NewRuntime("cpu").Backend()
	if err != nil {
		fmt.Println(err)
		return
	}
	x, y := mat.NewDense(2, 2, []float64{1, 2, 3, 4}), mat.NewDense(2, 2, []float64{1, 1, 3, 2})
	byHand, err := distance{}.Evaluate(context.Background(), x, y, core.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	byGraph, _, err := nn.EvaluateGraph(backend, distance{}, x, y, core.Options{})
	same := mat.EqualApprox(byHand.GradX, byGraph.GradX, 1e-6)
	fmt.Printf("%.3f %.3f %v %v\n", byHand.Value, byGraph.Value, same, err)
	// Output: 2.500 2.500 true <nil>
}

// What does not fit a network is an error with a remedy.
func ExampleCNN_CheckShape() {
	_, remedy, _ := strings.Cut(nn.ReferenceCNN().CheckShape([]int{28, 3}).Error(), "so ")
	fmt.Println(remedy)
	// Output: both must be at least 4
}
