// Package nn holds what neural methods share, also those of third parties: the reference networks,
// the training loop, inference in batches, and losses as graphs. All of it is based on GoMLX.
//
// Parameters are in a [model.Store]. Networks are functions that build graphs, like GoMLX's own
// layers, and both can be mixed. Arrays are channels-last: a batch of images is [batch, height,
// width, channels]. A [Runtime], which the caller chooses, says where computations run.
//
// Initial values are drawn in Go from named random streams. They depend on the seed and on the path
// of the parameter, but not on the backend or on other parameters.
//
// An [Encoder] is a network that takes the place of the reference one. docs/nn.md is the guide,
// with an encoder, a loss and a training.
//
// nn imports core and GoMLX, and no compute backend.
//
// [model.Store]: https://pkg.go.dev/github.com/gomlx/gomlx/ml/model#Store
package nn
