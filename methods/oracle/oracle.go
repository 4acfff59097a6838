// Package oracle is the built-in judge: the reference encoder, trained as a classifier.
package oracle

import (
	"context"
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// Options are further options of the oracle.
type Options struct {
	// Network is the classifier; nil for [nn.Reference].
	Network nn.Encoder
}

// New returns the oracle "cnn". Nil options are the defaults.
func New(runtime *nn.Runtime, o *Options) core.Oracle {
	c := &cnn{runtime, nn.Reference{}}
	if o != nil && o.Network != nil {
		c.network = o.Network
	}
	return core.GuardOracle(c)
}

type cnn struct {
	runtime *nn.Runtime
	network nn.Encoder
}

var (
	_ core.Oracle      = (*cnn)(nil)
	_ core.JudgeLoader = (*cnn)(nil)
)

func (c *cnn) Describe() core.Description {
	return core.Description{
		Name:    "cnn",
		Summary: "the reference network, trained as a classifier",
		Doc: "Convolutions with ReLU and max-pooling (two for 28×28 images) and a linear layer give one logit for each " +
			"state. For snapshots that are not images, the layers are fully connected. The loss is the cross-entropy of the " +
			"softmax " +
			"of the logits with the labels. The features are the logits.",
		Options: append(nn.ScheduleOptions(nn.Schedule{Epochs: 20, BatchSize: 64, LearningRate: 8e-4, WeightDecay: 0.01}),
			nn.EncoderOptions(c.network)...),
	}
}

func (c *cnn) Fit(ctx context.Context, t *core.Training) (_ core.Judge, err error) {
	defer core.Recover(&err)
	network, err := nn.Choose(c.network, t.Train.Shape(), t.Options)
	if err != nil {
		return nil, err
	}
	if err := core.CheckLabels(t.TrainLabels, t.Train.Len(), t.States); err != nil {
		return nil, fmt.Errorf("training labels: %w", err)
	}
	if err := core.CheckLabels(t.ValidationLabels, t.Validation.Len(), t.States); err != nil {
		return nil, fmt.Errorf("validation labels: %w", err)
	}
	backend, err := c.runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	store := nn.NewStore(t.Seed, t.Name)
	logits := logitsOf(network, t.States)
	history, err := (&nn.Trainer{
		Backend:  backend,
		Store:    store,
		Schedule: nn.ReadSchedule(t.Options),
		Loss: func(scope *model.Scope, batch []*graph.Node) (*graph.Node, []*graph.Node) {
			return crossEntropy(logits(scope, batch[0]), batch[1]), nil
		},
		Train:         nn.Labelled(t.Train, t.TrainLabels),
		Validation:    nn.Labelled(t.Validation, t.ValidationLabels),
		ValidateWhole: true,
		Shuffle:       t.Stream("shuffle"),
		Progress:      t.Progress,
		Checkpoints:   t.Checkpoints,
	}).Run(ctx)
	if err != nil {
		return nil, err
	}
	inference, err := nn.NewInference(backend, store, t.Train.Shape(), logits)
	if err != nil {
		return nil, err
	}
	return &judge{nn.NewEmbedding(network, inference, core.Report{
		History:        history.Epochs,
		Warnings:       history.Warnings,
		Parameters:     nn.NumParameters(store),
		CompileSeconds: history.CompileSeconds + inference.CompileSeconds,
	})}, nil
}

// logitsOf builds the network.
func logitsOf(network nn.Encoder, states int) func(scope *model.Scope, x *graph.Node) *graph.Node {
	return func(scope *model.Scope, x *graph.Node) *graph.Node {
		return network.Encode(scope.At("encoder"), x, states)
	}
}

// Load implements [core.JudgeLoader].
func (c *cnn) Load(ctx context.Context, s *core.Saved) (_ core.Judge, err error) {
	defer core.Recover(&err)
	n, err := nn.LoadNetwork(&s.State)
	if err != nil {
		return nil, err
	}
	network, err := nn.SavedEncoder(n, c.network)
	if err != nil {
		return nil, err
	}
	if err := network.CheckShape(n.Shape); err != nil {
		return nil, err
	}
	backend, err := c.runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	inference, err := nn.NewInference(backend, n.Store, n.Shape, logitsOf(network, n.Features))
	if err != nil {
		return nil, err
	}
	return &judge{nn.NewEmbedding(network, inference, core.Report{
		Parameters: nn.NumParameters(n.Store), CompileSeconds: inference.CompileSeconds,
	})}, nil
}

// crossEntropy is the mean cross-entropy of the softmax of the logits, [n, c], with the labels, [n].
func crossEntropy(logits, labels *graph.Node) *graph.Node {
	n, c := logits.Shape().Dim(0), logits.Shape().Dim(1)
	right := graph.OneHot(labels, c, logits.DType())
	return graph.MulScalar(graph.ReduceAllSum(graph.Mul(right, graph.LogSoftmax(logits))), -1/float64(n))
}

// judge labels a snapshot by its largest logit, the first of equal ones.
type judge struct{ encoder *nn.Embedding }

var (
	_ core.Judge    = (*judge)(nil)
	_ core.Encoder  = (*judge)(nil)
	_ core.Reporter = (*judge)(nil)
	_ core.Saver    = (*judge)(nil)
)

func (j *judge) Encoder() core.Embedding { return j.encoder }

func (j *judge) Report() core.Report { return j.encoder.Report() }

func (j *judge) Save(ctx context.Context) (*core.State, error) { return j.encoder.Save(ctx) }

func (j *judge) Classify(ctx context.Context, x core.Snapshots) ([]int, error) {
	logits, err := j.encoder.Embed(ctx, x)
	if err != nil {
		return nil, err
	}
	labels := make([]int, x.Len())
	for i := range labels {
		row := logits.RawRowView(i)
		for label, v := range row {
			if math.IsNaN(v) {
				return nil, fmt.Errorf("%w: the oracle's output for snapshot %d is not a number", core.ErrNonFinite, i)
			}
			if v > row[labels[i]] {
				labels[i] = label
			}
		}
	}
	return labels, nil
}
