package nn

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
)

// CNN is a convolutional encoder and the decoder that mirrors it.
type CNN struct {
	// Channels holds the number of filters of each convolution of the encoder. Each is followed by a ReLU and a max-pool that
	// halves height and width.
	Channels []int
	// Kernel is the height and width of the filters, odd.
	Kernel int
}

// ReferenceCNN returns the network that all built-in methods use: 5×5 filters, 16 and then 32 of them. It is the network of
// the Ordered MNIST experiment of Kostic, Novelli, Grazzi, Lounici and Pontil (Learning invariant representations of
// time-homogeneous stochastic dynamical systems, ICLR 2024) as kooplearn's example has it.
func ReferenceCNN() CNN { return CNN{Channels: []int{16, 32}, Kernel: 5} }

// maxConvolutions is more than halve any image to a pixel.
const maxConvolutions = 24

// CheckShape returns [core.ErrShape] unless snapshots of that shape are images that the network
// takes: [height, width] or [height, width, channels], height and width divisible by 2 for each
// convolution. The error is [core.ErrOption] if there is no convolution or more than 24, one
// without filters, or an even kernel.
func (c CNN) CheckShape(shape []int) error {
	n := len(c.Channels)
	if n < 1 || n > maxConvolutions || slices.Min(c.Channels) < 1 || c.Kernel < 1 || c.Kernel%2 == 0 {
		return fmt.Errorf("%w: a convolutional network with filters %v of size %d; give 1 to %d convolutions of at "+
			"least 1 filter each, and an odd size", core.ErrOption, c.Channels, c.Kernel, maxConvolutions)
	}
	if len(shape) != 2 && len(shape) != 3 || slices.Min(shape) < 1 {
		return fmt.Errorf("%w: the convolutional network takes images, [height, width] or [height, width, channels]; these snapshots have shape %v", core.ErrShape, shape)
	}
	if m := c.shrink(); shape[0]%m != 0 || shape[1]%m != 0 {
		return fmt.Errorf("%w: images of %d×%d pixels; the network halves height and width %d times, so both must be divisible by %d: pad or crop the images to %d×%d for instance",
			core.ErrShape, shape[0], shape[1], len(c.Channels), m, roundUp(shape[0], m), roundUp(shape[1], m))
	}
	return nil
}

func (c CNN) shrink() int { return 1 << len(c.Channels) }

func roundUp(n, m int) int { return (n + m - 1) / m * m }

// Encode maps a batch of snapshots x, [n, height, width] or [n, height, width, channels], to [n, features].
func (c CNN) Encode(scope *model.Scope, x *graph.Node, features int) *graph.Node {
	n := x.Shape().Dim(0)
	if x.Rank() == 3 {
		x = graph.InsertAxes(x, -1)
	}
	for i, channels := range c.Channels {
		x = ReLU(Convolution(scope.At("convolution%d", i+1), x, channels, c.Kernel))
		x = graph.MaxPool(x).Window(2).Done()
	}
	return Linear(scope.At("linear"), graph.Reshape(x, n, -1), features)
}

// Decode maps features z, [n, d], to a batch of snapshots of the given shape: a linear layer to the smallest images, then for
// each convolution of the encoder, last first, a ReLU, nearest-neighbour upsampling by 2 and a transposed convolution.
func (c CNN) Decode(scope *model.Scope, z *graph.Node, shape ...int) *graph.Node {
	n, channels := z.Shape().Dim(0), 1
	if len(shape) == 3 {
		channels = shape[2]
	}
	height, width, last := shape[0]/c.shrink(), shape[1]/c.shrink(), c.Channels[len(c.Channels)-1]
	x := Linear(scope.At("linear"), z, height*width*last)
	x = graph.Reshape(x, n, height, width, last)
	for i := len(c.Channels) - 1; i >= 0; i-- {
		out := channels
		if i > 0 {
			out = c.Channels[i-1]
		}
		x = TransposedConvolution(scope.At("convolution%d", i+1), Upsample(ReLU(x)), out, c.Kernel)
	}
	return graph.Reshape(x, append([]int{n}, shape...)...)
}
