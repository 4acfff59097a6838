package nn

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// AutoencoderEmbedder is an embedder that trains an encoder and a decoder together. It makes as many
// features as there are states. Its embeddings are [core.Decoder]s and can be saved. A fit counts as
// trained if it reconstructs validation snapshots with a mean squared error that is at least 10%
// below that of the mean training snapshot. A fit does not change it, so fits may run at the same
// time.
type AutoencoderEmbedder struct {
	Runtime *Runtime
	// Network is the encoder and the decoder.
	Network Autoencoder
	// Description is what Describe returns, but with only the options of the loss.
	Description core.Description
	// Schedule is the default schedule.
	Schedule Schedule
	// Examples returns what the training learns from: [Pairs] or [Triples].
	Examples func(x core.Trajectories, lag int) Data
	// Loss builds the loss of a batch of examples, a float32 scalar. It also returns the snapshots
	// that it reconstructs and their reconstructions, both [n, shape…].
	Loss func(c *Coder, batch []*graph.Node, o core.Options) (loss, x, reconstruction *graph.Node)
}

var (
	_ core.Embedder        = (*AutoencoderEmbedder)(nil)
	_ core.EmbeddingLoader = (*AutoencoderEmbedder)(nil)
	_ core.Checker         = (*AutoencoderEmbedder)(nil)
)

// Describe implements [core.Embedder]. The options are those of the schedule, the loss and the
// network.
func (e *AutoencoderEmbedder) Describe() core.Description {
	d := e.Description
	d.Options = slices.Concat(ScheduleOptions(e.Schedule), d.Options, EncoderOptions(e.Network))
	return d
}

// reconstruction is the metric that is the mean squared error of reconstructing a snapshot.
const reconstruction = "reconstruction"

// Check implements [core.Checker].
func (e *AutoencoderEmbedder) Check(t *core.Training) error {
	_, err := Choose(e.Network, t.Train.Shape(), t.Options)
	return err
}

// Fit implements [core.Embedder].
func (e *AutoencoderEmbedder) Fit(ctx context.Context, t *core.Training) (_ core.Embedding, err error) {
	defer core.Recover(&err)
	shape := t.Train.Shape()
	network, err := Choose(e.Network, shape, t.Options)
	if err != nil {
		return nil, err
	}
	backend, err := e.Runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	store := NewStore(t.Seed, t.Name)
	history, err := (&Trainer{
		Backend:  backend,
		Store:    store,
		Schedule: ReadSchedule(t.Options),
		Loss: func(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
			loss, x, made := e.Loss(&Coder{scope, network, t.States, shape}, batch, t.Options)
			return loss, []*graph.Node{graph.ReduceAllMean(graph.Square(graph.Sub(x, made)))}
		},
		Metrics:     []string{reconstruction},
		Train:       e.Examples(t.Train, t.Lag),
		Validation:  e.Examples(t.Validation, t.Lag),
		Shuffle:     t.Stream("shuffle"),
		Progress:    t.Progress,
		Checkpoints: t.Checkpoints,
	}).Run(ctx)
	if err != nil {
		return nil, err
	}
	epochs := history.Metrics[reconstruction]
	return newDecoding(backend, network, &Network{Store: store, Shape: shape, Features: t.States}, core.Report{
		History:        history.Epochs,
		Warnings:       history.Warnings,
		CompileSeconds: history.CompileSeconds,
		Untrained:      untrained(epochs[history.Kept-1].Validation, meanError(t.Train, t.Validation)),
	})
}

// Load implements [core.EmbeddingLoader].
func (e *AutoencoderEmbedder) Load(ctx context.Context, s *core.Saved) (_ core.Embedding, err error) {
	defer core.Recover(&err)
	n, err := LoadNetwork(&s.State)
	if err != nil {
		return nil, err
	}
	network, err := SavedEncoder(n, e.Network)
	if err != nil {
		return nil, err
	}
	if err := network.CheckShape(n.Shape); err != nil {
		return nil, err
	}
	backend, err := e.Runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	return newDecoding(backend, network, n, core.Report{})
}

// Coder builds the encoder and the decoder into a graph.
type Coder struct {
	Scope    *model.Scope // of parameters that are trained in addition to those of encoder and decoder
	network  Autoencoder
	features int
	shape    []int // of a snapshot
}

// Encode returns the latents of batches of snapshots, each [n, features]. All batches have the same
// size. They pass through the encoder as one batch.
func (c *Coder) Encode(batches ...*graph.Node) []*graph.Node {
	return together(batches, func(x *graph.Node) *graph.Node { return c.encode(c.Scope, x) })
}

// Decode maps batches of latents to batches of snapshots, each [n, shape…]. All batches have the
// same size. They pass through the decoder as one batch.
func (c *Coder) Decode(batches ...*graph.Node) []*graph.Node {
	return together(batches, func(z *graph.Node) *graph.Node { return c.decode(c.Scope, z) })
}

func (c *Coder) encode(scope *model.Scope, x *graph.Node) *graph.Node {
	return c.network.Encode(scope.At("encoder"), x, c.features)
}

func (c *Coder) decode(scope *model.Scope, z *graph.Node) *graph.Node {
	return c.network.Decode(scope.At("decoder"), z, c.shape...)
}

func together(batches []*graph.Node, network func(x *graph.Node) *graph.Node) []*graph.Node {
	n := batches[0].Shape().Dim(0)
	all := network(graph.Concatenate(batches, 0))
	results := make([]*graph.Node, len(batches))
	for i := range results {
		results[i] = graph.Slice(all, graph.AxisRange(i*n, (i+1)*n))
	}
	return results
}

// gain is the least share by which a reconstruction must be better than the mean training snapshot to count as learned.
const gain = 0.1

func untrained(err, ofMean float64) string {
	if err < (1-gain)*ofMean {
		return ""
	}
	return fmt.Sprintf("the autoencoder reconstructs validation snapshots with a mean squared error of %.4g, which is "+
		"not %.0f%% below the %.4g of the mean training snapshot", err, 100*gain, ofMean)
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

// decoding is a trained encoder with its decoder.
type decoding struct {
	*Embedding
	decoder *Inference
}

var (
	_ core.Embedding = (*decoding)(nil)
	_ core.Decoder   = (*decoding)(nil)
	_ core.Reporter  = (*decoding)(nil)
	_ core.Saver     = (*decoding)(nil)
)

// newDecoding returns the trained networks with a report to be completed.
func newDecoding(backend compute.Backend, network Autoencoder, n *Network, report core.Report) (*decoding, error) {
	c := &Coder{nil, network, n.Features, n.Shape}
	encoder, err := NewInference(backend, n.Store, n.Shape, c.encode)
	if err != nil {
		return nil, err
	}
	decoder, err := NewInference(backend, n.Store, []int{n.Features}, c.decode)
	if err != nil {
		return nil, err
	}
	report.Parameters = NumParameters(n.Store)
	report.CompileSeconds += encoder.CompileSeconds + decoder.CompileSeconds
	return &decoding{NewEmbedding(network, encoder, report), decoder}, nil
}

// Decode implements [core.Decoder].
func (e *decoding) Decode(ctx context.Context, z mat.Matrix) (core.Snapshots, error) {
	return e.decoder.Snapshots(ctx, z)
}
