// Package nn is what neural methods share, those of third parties too: the reference networks, the
// loop that trains, the batches that run a trained network, losses as graphs, all on GoMLX.
//
// Parameters live in a [model.Store], networks are functions that build graphs, in the way of
// GoMLX's own layers, which may be mixed with the ones here. Arrays are channels-last: a batch of
// images is [batch, height, width, channels]. Where computations run is a [Runtime], a value that
// the caller chooses.
//
// Initial values are drawn in Go from named random streams, so that they depend on the seed and on
// the path of the parameter alone: neither on the backend nor on what other parameters there are.
//
// An [Encoder] is a network that takes the place of the reference one. docs/nn.md is the guide,
// with an encoder, a loss and a training.
//
// nn imports core and GoMLX, and no compute backend.
//
// [model.Store]: https://pkg.go.dev/github.com/gomlx/gomlx/ml/model#Store
package nn
