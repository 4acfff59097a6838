package main

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// Dense is an encoder of two fully connected layers.
type Dense struct {
	Hidden int // units between the two
}

var _ nn.Configurable = Dense{}

// CheckShape implements [nn.Encoder]: it takes snapshots of any shape.
func (d Dense) CheckShape([]int) error {
	if d.Hidden < 1 {
		return fmt.Errorf("%w: %d hidden units; give at least 1", core.ErrOption, d.Hidden)
	}
	return nil
}

// Encode implements [nn.Encoder].
func (d Dense) Encode(scope *model.Scope, x *graph.Node, features int) *graph.Node {
	x = graph.Reshape(x, x.Shape().Dim(0), -1) // [n, shape…] to [n, values]
	x = nn.ReLU(nn.Linear(scope.At("hidden"), x, d.Hidden))
	return nn.Linear(scope.At("out"), x, features)
}

// Options implements [nn.Configurable].
func (d Dense) Options() []core.Option {
	return []core.Option{core.IntOption("hidden", d.Hidden, 1, 1<<16, "hidden units")}
}

// With implements [nn.Configurable].
func (d Dense) With(options core.Options) nn.Encoder { return Dense{options.Int("hidden")} }
