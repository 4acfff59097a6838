package nn

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
)

// CNN is a convolutional encoder and the decoder that mirrors it.
type CNN struct {
	// Channels holds the number of filters of each convolution of the encoder. Each is followed by a
	// ReLU and a max-pool that halves height and width.
	Channels []int
	// Kernel is the height and width of the filters, odd.
	Kernel int
	// Orthogonal says that the last layer of the encoder starts with orthogonal weights ([Orthogonal]) and biases of 0.
	Orthogonal bool `json:",omitempty"`
}

// maxConvolutions is more than halve any image to a pixel.
const maxConvolutions = 24

// CheckShape returns [core.ErrShape] unless snapshots of that shape are images that the network
// takes: [height, width] or [height, width, channels]. Height and width must be at least 2 for one
// convolution, 4 for two, and 8 for three. The error is [core.ErrOption] if there is no convolution
// or more than 24, if one has no filters, or if the kernel is even.
func (c CNN) CheckShape(shape []int) error {
	n := len(c.Channels)
	if n < 1 || n > maxConvolutions || slices.Min(c.Channels) < 1 || c.Kernel < 1 || c.Kernel%2 == 0 {
		return fmt.Errorf("%w: a convolutional network with filters %v of size %d; give 1 to %d convolutions of at "+
			"least 1 filter each, and an odd size", core.ErrOption, c.Channels, c.Kernel, maxConvolutions)
	}
	if len(shape) != 2 && len(shape) != 3 || slices.Min(shape) < 1 {
		return fmt.Errorf("%w: the convolutional network takes images, [height, width] or [height, width, channels]; "+
			"these snapshots have shape %v", core.ErrShape, shape)
	}
	if height, width, _ := imageAxes(shape); min(height, width) < c.shrink() {
		return fmt.Errorf("%w: images of %d×%d pixels; the network halves height and width %d times, so both must be at "+
			"least %d", core.ErrShape, height, width, n, c.shrink())
	}
	return nil
}

// imageAxes are the height, the width and the channels of an image.
func imageAxes(shape []int) (height, width, channels int) {
	if len(shape) == 2 {
		return shape[0], shape[1], 1
	}
	return shape[0], shape[1], shape[2]
}

func (c CNN) shrink() int { return 1 << len(c.Channels) }

// padded are the height and width that halve without a rest, at least those of the image.
func (c CNN) padded(height, width int) (int, int) {
	return roundUp(height, c.shrink()), roundUp(width, c.shrink())
}

func roundUp(n, m int) int { return (n + m - 1) / m * m }

// Encode maps a batch of snapshots x, [n, height, width] or [n, height, width, channels], to [n,
// features]. If height or width cannot be halved as often as needed, images are padded with zeros
// at the bottom or on the right.
func (c CNN) Encode(scope *model.Scope, x *graph.Node, features int) *graph.Node {
	n := x.Shape().Dim(0)
	if x.Rank() == 3 {
		x = graph.InsertAxes(x, -1)
	}
	height, width := x.Shape().Dim(1), x.Shape().Dim(2)
	if h, w := c.padded(height, width); h > height || w > width {
		zero := graph.ScalarZero(x.Graph(), x.DType())
		x = graph.Pad(x, zero, compute.PadAxis{}, compute.PadAxis{End: h - height}, compute.PadAxis{End: w - width},
			compute.PadAxis{})
	}
	for i, channels := range c.Channels {
		x = ReLU(Convolution(scope.At("convolution%d", i+1), x, channels, c.Kernel))
		x = graph.MaxPool(x).Window(2).Done()
	}
	return lastLinear(scope.At("linear"), graph.Reshape(x, n, -1), features, 1, c.Orthogonal)
}

// Decode maps features z, [n, d], to a batch of snapshots of the given shape. A linear layer makes
// the smallest images. Then each convolution of the encoder, last first, has a ReLU,
// nearest-neighbour upsampling by 2 and a transposed convolution. What exceeds the height or the
// width is cut off.
func (c CNN) Decode(scope *model.Scope, z *graph.Node, shape ...int) *graph.Node {
	n := z.Shape().Dim(0)
	height, width, channels := imageAxes(shape)
	h, w := c.padded(height, width)
	last := c.Channels[len(c.Channels)-1]
	x := Linear(scope.At("linear"), z, h/c.shrink()*(w/c.shrink())*last)
	x = graph.Reshape(x, n, h/c.shrink(), w/c.shrink(), last)
	for i := len(c.Channels) - 1; i >= 0; i-- {
		out := channels
		if i > 0 {
			out = c.Channels[i-1]
		}
		x = TransposedConvolution(scope.At("convolution%d", i+1), Upsample(ReLU(x)), out, c.Kernel)
	}
	if h > height || w > width {
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, height), graph.AxisRange(0, width))
	}
	return graph.Reshape(x, append([]int{n}, shape...)...)
}
