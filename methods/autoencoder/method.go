// Package autoencoder is the dynamical autoencoder: encoder, decoder and a linear map between
// latents, trained together.
package autoencoder

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/nn"
)

// Options say more about the method.
type Options struct {
	// Network is the encoder and the decoder; nil for [nn.Reference].
	Network nn.Autoencoder
}

// New returns the method "autoencoder": the operator is fitted anew to the latents, and the linear
// map that was trained along is discarded. Nil options are the defaults.
func New(runtime *nn.Runtime, o *Options) core.Method {
	e := &embedder{runtime, nn.Reference{}}
	if o != nil && o.Network != nil {
		e.network = o.Network
	}
	return compose.New(e, linalg.Ridge{}, nil)
}

type embedder struct {
	runtime *nn.Runtime
	network nn.Autoencoder
}

var (
	_ core.Embedder        = (*embedder)(nil)
	_ core.EmbeddingLoader = (*embedder)(nil)
)

func (e *embedder) Describe() core.Description {
	return core.Description{
		Name:    "autoencoder",
		Summary: "dynamical autoencoder: encoder, decoder and linear dynamics of the latents trained together",
		Doc: "An encoder, a decoder and a matrix K are trained so that the decoder reconstructs the snapshot, K maps its " +
			"latents to " +
			"those of its successor, and the decoder makes the successor of them: the sum of three mean squared errors " +
			"(Lusch, Kutz " +
			"and Brunton, Deep learning for universal linear embeddings of nonlinear dynamics, Nature Communications 9, 2018; " +
			"with a " +
			"second map backwards in time, Azencot, Erichson, Lin and Mahoney, Forecasting sequential data using consistent " +
			"Koopman " +
			"autoencoders, ICML 2020). Then an evolution operator is fitted to the latents in the place of K.",
		Options: slices.Concat(nn.ScheduleOptions(schedule), []core.Option{
			core.FloatOption("reconstruction", 1, 0, 1e6, "weight of the error of reconstructing the snapshot"),
			core.FloatOption("linearity", 1, 0, 1e6, "weight of the error of the evolved latents"),
			core.FloatOption("prediction", 1, 0, 1e6, "weight of the error of predicting the next snapshot"),
		}, nn.EncoderOptions(e.network)),
	}
}

// schedule is the default one.
var schedule = nn.Schedule{Epochs: 50, BatchSize: 64, LearningRate: 2e-3, WeightDecay: 0.01}

// reconstruction is the metric that is the mean squared error of reconstructing a snapshot.
const reconstruction = "reconstruction"

func (e *embedder) Fit(ctx context.Context, t *core.Training) (_ core.Embedding, err error) {
	defer core.Recover(&err)
	shape := t.Train.Shape()
	network, err := nn.Choose(e.network, shape, t.Options)
	if err != nil {
		return nil, err
	}
	backend, err := e.runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	store := nn.NewStore(t.Seed, t.Name)
	encode, decode := encodeBy(network, t.States), decodeBy(network, shape)
	weights := nn.AutoencoderWeights{
		Reconstruction: t.Options.Float("reconstruction"),
		Linearity:      t.Options.Float("linearity"),
		Prediction:     t.Options.Float("prediction"),
	}
	history, err := (&nn.Trainer{
		Backend:  backend,
		Store:    store,
		Schedule: nn.ReadSchedule(t.Options),
		Loss: func(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
			b := autoencode(scope, batch[0], batch[1], encode, decode)
			return nn.AutoencoderGraph(b, &weights),
				[]*graph.Node{graph.ReduceAllMean(graph.Square(graph.Sub(b.X, b.Reconstruction)))}
		},
		Metrics:     []string{reconstruction},
		Train:       nn.Pairs(t.Train, t.Lag),
		Validation:  nn.Pairs(t.Validation, t.Lag),
		Shuffle:     t.Stream("shuffle"),
		Progress:    t.Progress,
		Checkpoints: t.Checkpoints,
	}).Run(ctx)
	if err != nil {
		return nil, err
	}
	epochs := history.Metrics[reconstruction]
	return embeddingOf(backend, network, &nn.Network{Store: store, Shape: shape, Features: t.States}, core.Report{
		History:        history.Epochs,
		Warnings:       history.Warnings,
		CompileSeconds: history.CompileSeconds,
		Untrained:      untrained(epochs[len(epochs)-1].Validation, meanError(t.Train, t.Validation)),
	})
}

// Load implements [core.EmbeddingLoader].
func (e *embedder) Load(ctx context.Context, s *core.Saved) (_ core.Embedding, err error) {
	defer core.Recover(&err)
	n, err := nn.LoadNetwork(&s.State)
	if err != nil {
		return nil, err
	}
	network, err := nn.SavedEncoder(n, e.network)
	if err != nil {
		return nil, err
	}
	if err := network.CheckShape(n.Shape); err != nil {
		return nil, err
	}
	backend, err := e.runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	return embeddingOf(backend, network, n, core.Report{})
}

func encodeBy(network nn.Encoder, features int) func(scope *model.Scope, x *graph.Node) *graph.Node {
	return func(scope *model.Scope, x *graph.Node) *graph.Node {
		return network.Encode(scope.At("encoder"), x, features)
	}
}

func decodeBy(network nn.Autoencoder, shape []int) func(scope *model.Scope, z *graph.Node) *graph.Node {
	return func(scope *model.Scope, z *graph.Node) *graph.Node {
		return network.Decode(scope.At("decoder"), z, shape...)
	}
}

// embeddingOf returns the trained networks with a report to be completed.
func embeddingOf(
	backend compute.Backend, network nn.Autoencoder, n *nn.Network, report core.Report,
) (*embedding, error) {
	encoder, err := nn.NewInference(backend, n.Store, n.Shape, encodeBy(network, n.Features))
	if err != nil {
		return nil, err
	}
	decoder, err := nn.NewInference(backend, n.Store, []int{n.Features}, decodeBy(network, n.Shape))
	if err != nil {
		return nil, err
	}
	report.Parameters = nn.NumParameters(n.Store)
	report.CompileSeconds += encoder.CompileSeconds + decoder.CompileSeconds
	return &embedding{nn.NewEmbedding(network, encoder, report), decoder}, nil
}

// autoencode builds all that the loss compares. The snapshots x and their successors y, [n,
// shape…], go through the encoder as one batch, and the latents of x and those evolved from them
// through the decoder.
func autoencode(scope *model.Scope, x, y *graph.Node, encode,
	decode func(*model.Scope, *graph.Node) *graph.Node) nn.AutoencoderBatch[*graph.Node] {
	n := x.Shape().Dim(0)
	halves := func(both *graph.Node) (first, second *graph.Node) {
		return graph.Slice(both, graph.AxisRange(0, n)), graph.Slice(both, graph.AxisRange(n))
	}
	encodedX, encodedY := halves(encode(scope, graph.Concatenate([]*graph.Node{x, y}, 0)))
	evolved := nn.LinearMap(scope.At("evolution"), encodedX, encodedX.Shape().Dim(1))
	reconstructed, predicted := halves(decode(scope, graph.Concatenate([]*graph.Node{encodedX, evolved}, 0)))
	return nn.AutoencoderBatch[*graph.Node]{
		X: x, Y: y, Reconstruction: reconstructed, Encoded: encodedY, Evolved: evolved, Prediction: predicted,
	}
}

// gain is how much better than the mean training snapshot a reconstruction must be, at least, to count as learned.
const gain = 0.1

func untrained(err, ofMean float64) string {
	if err < (1-gain)*ofMean {
		return ""
	}
	return fmt.Sprintf("the autoencoder reconstructs validation snapshots with a mean squared error of %.4g, which is "+
		"not %.0f%% below the %.4g "+
		"of the mean training snapshot", err, 100*gain, ofMean)
}

// meanError is the mean squared error of the mean training snapshot as a reconstruction of the validation snapshots.
func meanError(train, validation core.Trajectories) float64 {
	mean, row := make([]float64, train.Size()), make([]float32, train.Size())
	for i := range train.Len() {
		train.Read(row, i)
		for j, v := range row {
			mean[j] += float64(v) / float64(train.Len())
		}
	}
	sum := 0.0
	for i := range validation.Len() {
		validation.Read(row, i)
		for j, v := range row {
			sum += (float64(v) - mean[j]) * (float64(v) - mean[j])
		}
	}
	return sum / float64(validation.Len()*validation.Size())
}

// embedding is the trained encoder with its decoder.
type embedding struct {
	*nn.Embedding
	decoder *nn.Inference
}

var (
	_ core.Embedding = (*embedding)(nil)
	_ core.Decoder   = (*embedding)(nil)
	_ core.Reporter  = (*embedding)(nil)
	_ core.Saver     = (*embedding)(nil)
)

// Decode implements [core.Decoder].
func (e *embedding) Decode(ctx context.Context, z mat.Matrix) (core.Snapshots, error) {
	return e.decoder.Snapshots(ctx, z)
}
