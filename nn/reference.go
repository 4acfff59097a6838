package nn

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
)

// Reference is the network that all built-in methods use. The shape of a snapshot determines it:
// see [Reference.For].
type Reference struct {
	// Width is the width of the [MLP]; 0 for [DefaultWidth].
	Width int
	// Orthogonal says that the last layer of the encoder starts with orthogonal weights ([Orthogonal]) and biases of 0.
	Orthogonal bool `json:",omitempty"`
}

// DefaultWidth is the width of the [MLP] that a [Reference] chooses.
const DefaultWidth = 128

// Limits of a [Reference]. LeastSide is the smallest height and width for which snapshots count as
// images. MostValues is the largest number of values in a snapshot.
const (
	LeastSide  = 8
	MostValues = 1 << 21
)

var (
	_ Autoencoder  = Reference{}
	_ Chooser      = Reference{}
	_ Configurable = Reference{}
)

// ReferenceCNN returns the network for 28×28 images: 5×5 filters, first 16 and then 32 of them.
// kooplearn's example uses it. It comes from the Ordered MNIST experiment of Kostic, Novelli,
// Grazzi, Lounici and Pontil (Learning invariant representations of time-homogeneous stochastic
// dynamical systems, ICLR 2024).
func ReferenceCNN() CNN { return referenceCNN(28, 28) }

// referenceCNN halves images until a side is below LeastSide, with more filters each time.
func referenceCNN(height, width int) CNN {
	c := CNN{Kernel: 5}
	for side := min(height, width); side >= LeastSide; side /= 2 {
		c.Channels = append(c.Channels, min(16<<len(c.Channels), 64))
	}
	return c
}

// For returns the network for snapshots of that shape. Images are [height, width] or [height,
// width, channels] with sides of at least [LeastSide]. They get a [CNN]: [ReferenceCNN] at 28×28,
// and for larger images one that halves them more often. Other snapshots of up to three axes get an
// [MLP]. The error is [core.ErrShape] for more axes or more than [MostValues] values.
func (r Reference) For(shape []int) (Autoencoder, error) {
	snapshot, err := core.NewSnapshots(nil, shape...)
	if err != nil {
		return nil, err
	}
	if len(shape) > 3 || snapshot.Size() > MostValues {
		return nil, fmt.Errorf("%w: snapshots of shape %v; the network takes 1 to 3 axes, [values], [height, width] or "+
			"[height, width, channels], and at most %d values", core.ErrShape, shape, MostValues)
	}
	if len(shape) > 1 {
		if height, width, _ := imageAxes(shape); min(height, width) >= LeastSide {
			c := referenceCNN(height, width)
			c.Orthogonal = r.Orthogonal
			return c, nil
		}
	}
	m := MLP{r.width(), r.Orthogonal}
	return m, m.CheckShape(shape)
}

func (r Reference) width() int {
	if r.Width == 0 {
		return DefaultWidth
	}
	return r.Width
}

// CheckShape returns the error of [Reference.For].
func (r Reference) CheckShape(shape []int) error {
	_, err := r.For(shape)
	return err
}

// Encode builds the network for the shape of the snapshots x.
func (r Reference) Encode(scope *model.Scope, x *graph.Node, features int) *graph.Node {
	return r.must(x.Shape().Dimensions[1:]).Encode(scope, x, features)
}

// Decode builds the decoder of the network for that shape.
func (r Reference) Decode(scope *model.Scope, z *graph.Node, shape ...int) *graph.Node {
	return r.must(shape).Decode(scope, z, shape...)
}

func (r Reference) must(shape []int) Autoencoder {
	network, err := r.For(shape)
	if err != nil {
		panic(err)
	}
	return network
}

// Options implements [Configurable].
func (r Reference) Options() []core.Option {
	return []core.Option{
		core.IntOption("width", r.width(), 1, MaxWidth,
			"units of each hidden layer; not used by networks for images"),
		core.BoolOption("orthogonal", r.Orthogonal,
			"start the last layer of the encoder with orthogonal weights and biases of 0"),
	}
}

// With implements [Configurable].
func (r Reference) With(o core.Options) Encoder {
	return Reference{o.Int("width"), o.Bool("orthogonal")}
}
