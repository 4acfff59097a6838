package nn

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
)

// MLP is an encoder of fully connected layers, two of them hidden, and the decoder that mirrors it.
// Its hidden units are tanh. It does not scale snapshots, so their values should be of the order of
// 1.
type MLP struct {
	// Width is the number of units of each hidden layer, 1 to [MaxWidth].
	Width int
	// Orthogonal says that the last layer of the encoder starts with orthogonal weights ([Orthogonal]) and biases of 0.
	Orthogonal bool `json:",omitempty"`
}

// MaxWidth is the largest width of an [MLP].
const MaxWidth = 1 << 14

// CheckShape returns [core.ErrShape] unless it is the shape of a snapshot, and [core.ErrOption] for
// a width that is out of range.
func (m MLP) CheckShape(shape []int) error {
	if m.Width < 1 || m.Width > MaxWidth {
		return fmt.Errorf("%w: hidden layers of %d units; give 1 to %d", core.ErrOption, m.Width, MaxWidth)
	}
	_, err := core.NewSnapshots(nil, shape...)
	return err
}

// Encode maps a batch of snapshots x, [n, shape…], to [n, features].
func (m MLP) Encode(scope *model.Scope, x *graph.Node, features int) *graph.Node {
	return m.layers(scope, graph.Reshape(x, x.Shape().Dim(0), -1), features, m.Orthogonal)
}

// Decode maps features z, [n, d], to a batch of snapshots of the given shape.
func (m MLP) Decode(scope *model.Scope, z *graph.Node, shape ...int) *graph.Node {
	x := m.layers(scope, z, product(shape), false)
	return graph.Reshape(x, append([]int{z.Shape().Dim(0)}, shape...)...)
}

func (m MLP) layers(scope *model.Scope, x *graph.Node, out int, orthogonal bool) *graph.Node {
	for i := range 2 {
		x = graph.Tanh(linear(scope.At("hidden%d", i+1), x, m.Width, unitGain))
	}
	return lastLinear(scope.At("linear"), x, out, unitGain, orthogonal)
}

// unitGain makes initial weights so large that a layer keeps the variance of its inputs (LeCun, Bottou, Orr and Müller,
// Efficient backprop, 1998). With PyTorch's, a third as much variance, the biases outweigh what the inputs say.
const unitGain = 1.7320508075688772 // √3
