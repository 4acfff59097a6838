// Package nn contains what neural methods share, including those of third parties: the reference
// networks, the training loop, the batches that run a trained network, and losses as graphs. All of
// it uses GoMLX.
//
// Parameters are in a [model.Store]. Networks are functions that build graphs, like GoMLX's own
// layers, and both may be mixed. Arrays are channels-last: a batch of images is [batch, height,
// width, channels]. A [Runtime] is a value that the caller chooses; it says where computations run.
//
// Initial values are drawn in Go from named random streams. So they depend only on the seed and on
// the path of the parameter. They do not depend on the backend or on other parameters.
//
// An [Encoder] is a network that replaces the reference one. docs/nn.md is the guide, with an
// encoder, a loss and a training.
//
// nn imports core and GoMLX, and no compute backend.
//
// [model.Store]: https://pkg.go.dev/github.com/gomlx/gomlx/ml/model#Store
package nn
