package nn

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"github.com/koopbench/koopbench/core"
)

// update builds what a step does to the parameters: the gradient, with the decay if it is a part of it, then clipping,
// then Adam.
func (s Schedule) update(scope *model.Scope, loss *graph.Node) {
	adam := optimizer.Adam().LearningRate(s.LearningRate).Epsilon(1e-8)
	if s.Optimiser != Adam {
		adam = adam.WeightDecay(s.WeightDecay)
	}
	gradients := scope.BuildTrainableVariablesGradientsGraph(loss)
	if s.Clip > 0 {
		gradients = clipped(gradients, s.Clip)
	}
	if s.Optimiser == Adam && s.WeightDecay > 0 {
		k := 0
		for v := range scope.IterVariables() {
			if v.Trainable && v.InUseByGraph(loss.Graph()) {
				gradients[k] = graph.Add(gradients[k], graph.MulScalar(v.NodeValue(loss.Graph()), s.WeightDecay))
				k++
			}
		}
	}
	adam.Done().(interface {
		UpdateGraphWithGradients(scope *model.Scope, gradients []*graph.Node, lossType dtypes.DType)
	}).UpdateGraphWithGradients(scope, gradients, loss.DType())
}

// clipped scales the gradients so that their norm, all taken together, is at most the given one.
func clipped(gradients []*graph.Node, most float64) []*graph.Node {
	var square *graph.Node
	for _, g := range gradients {
		sum := graph.ReduceAllSum(graph.Square(g))
		if square == nil {
			square = sum
		} else {
			square = graph.Add(square, sum)
		}
	}
	// What is added is too small to change a norm that matters. It keeps a gradient of zeros at zero.
	norm := graph.Sqrt(graph.AddScalar(square, 1e-30))
	factor := graph.MinScalar(graph.Reciprocal(graph.DivScalar(norm, most)), 1)
	scaled := make([]*graph.Node, len(gradients))
	for i, g := range gradients {
		scaled[i] = graph.Mul(g, factor)
	}
	return scaled
}

// ratePath is where GoMLX's optimisers keep the learning rate.
var ratePath = model.JoinPath("/", optimizer.Scope, optimizer.ParamLearningRate)

// setRate makes a number the learning rate of the steps to come.
func setRate(store *model.Store, rate float64) error {
	v := store.GetVariable(ratePath)
	if v == nil {
		return fmt.Errorf("%w: the optimiser has no learning rate at %s", core.ErrUnavailable, ratePath)
	}
	return v.SetValue(tensors.FromScalar(float32(rate)))
}
