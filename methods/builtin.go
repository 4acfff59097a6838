package methods

import (
	"errors"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/methods/analogue"
	"github.com/koopbench/koopbench/methods/autoencoder"
	"github.com/koopbench/koopbench/methods/classifier"
	"github.com/koopbench/koopbench/methods/consistent"
	"github.com/koopbench/koopbench/methods/contrastive"
	"github.com/koopbench/koopbench/methods/dmd"
	"github.com/koopbench/koopbench/methods/dpnets"
	"github.com/koopbench/koopbench/methods/edmd"
	"github.com/koopbench/koopbench/methods/kernel"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/methods/lora"
	"github.com/koopbench/koopbench/methods/oracle"
	"github.com/koopbench/koopbench/methods/randomnetwork"
	"github.com/koopbench/koopbench/methods/vamp"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

// Notebook is the group of the five methods of kooplearn's "Ordered MNIST" notebook.
const Notebook = "notebook"

// Builtin returns a registry of what is built in. Neural methods run on the given runtime. It starts when the first of
// them is fitted. Any number of registries may be made.
func Builtin(runtime *nn.Runtime) (*registry.Registry, error) {
	r := registry.New()
	err := errors.Join(
		r.Methods.Add(
			linear.New(), dmd.New(), edmd.New(), kernel.New(), analogue.New(), classifier.New(),
			vamp.New(runtime, nil), contrastive.New(runtime, nil), lora.New(runtime, nil),
			dpnets.New(runtime, nil), dpnets.NewRelaxed(runtime, nil), randomnetwork.New(runtime, nil),
			autoencoder.New(runtime, nil), consistent.New(runtime, nil),
		),
		r.Embedders.Add(linear.Pixels(), edmd.Dictionary(), kernel.Features(), randomnetwork.Features(runtime, nil)),
		r.Operators.Add(linalg.Ridge{}),
		r.Losses.Add(vamp.Loss{}, contrastive.Loss{}, dpnets.Loss{}, dpnets.Loss{Relaxed: true}, lora.Loss{}),
		r.Oracles.Add(oracle.New(runtime, nil)),
	)
	return r, errors.Join(err, r.Group(Notebook, "linear", "classifier", "vamp", "contrastive", "autoencoder"))
}

// Reference returns the embedder of the method "contrastive". Evolution operators are compared on its features. Share
// one among many methods by compose.Share.
func Reference(runtime *nn.Runtime) core.Embedder { return contrastive.Features(runtime, nil) }
