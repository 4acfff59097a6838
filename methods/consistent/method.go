// Package consistent is the consistent Koopman autoencoder. An encoder, a decoder and two linear
// maps between latents, forwards and backwards in time, are trained together.
package consistent

import (
	"context"
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/nn"
)

// Options are further options of the method.
type Options struct {
	// Network is the encoder and the decoder; nil for [nn.Reference].
	Network nn.Autoencoder
}

// New returns the method "consistent". Its operator is K, the trained map forwards in time. Nil options
// are the defaults.
func New(runtime *nn.Runtime, o *Options) core.Method {
	m := &method{nn.AutoencoderEmbedder{
		Runtime:     runtime,
		Network:     nn.Reference{},
		Description: description,
		Schedule:    nn.Schedule{Epochs: 50, BatchSize: 64, LearningRate: 1e-3, Optimiser: nn.Adam},
		Examples:    nn.Triples,
		Loss:        loss,
	}}
	if o != nil && o.Network != nil {
		m.autoencoder.Network = o.Network
	}
	return core.GuardMethod(m)
}

var description = core.Description{
	Name:    "consistent",
	Summary: "consistent autoencoder: encoder, decoder and linear maps of the latents both ways in time, trained together",
	Doc: "An encoder, a decoder and two matrices, K forwards in time and B backwards, are trained on three snapshots " +
		"in a row. Four mean squared errors are added: of the middle snapshot, decoded from its latents; of the " +
		"next one, decoded from K applied to these latents; of the one before, decoded from B applied to them; " +
		"and of the latents of the next one, predicted by K. A fifth term is the consistency of K and B, (1/2d) Σ_k " +
		"(‖K_{:k,:} B_{:,:k} − I‖² + ‖B_{:k,:} K_{:,:k} − I‖²). It is 0 if one is the inverse of the other (Azencot, " +
		"Erichson, Lin and Mahoney, Forecasting sequential data using consistent Koopman autoencoders, ICML 2020, in the " +
		"form of the comparison by Kostic, Novelli, Grazzi, Lounici and Pontil, Learning invariant representations of " +
		"time-homogeneous stochastic dynamical systems, ICLR 2024). K itself predicts; no operator is fitted to the latents.",
	Options: []core.Option{
		core.FloatOption("reconstruction", 1, 0, 1e6, "weight of the error of reconstructing the snapshot"),
		core.FloatOption("prediction", 1, 0, 1e6, "weight of the error of predicting the next snapshot"),
		core.FloatOption("backward", 1, 0, 1e6, "weight of the error of predicting the snapshot before"),
		core.FloatOption("linearity", 1, 0, 1e6, "weight of the error of the latents that K predicts"),
		core.FloatOption("consistency", 1, 0, 1e6, "weight of the consistency of K and B"),
	},
}

// forward is the path of K. A row z of latents becomes z·K.
const forward = "forward/weights"

// loss builds the loss of triples: snapshots before, now and after, [n, shape…] each.
func loss(c *nn.Coder, triple []*graph.Node, o core.Options) (loss, x, reconstruction *graph.Node) {
	before, x, after := triple[0], triple[1], triple[2]
	latents := c.Encode(x, after)
	d := latents[0].Shape().Dim(1)
	weights := func(scope *model.Scope) *graph.Node {
		return nn.Uniform(scope, "weights", 1/math.Sqrt(float64(d)), d, d).NodeValue(x.Graph())
	}
	k, b := weights(c.Scope.At("forward")), weights(c.Scope.At("backward"))
	evolved := graph.Dot(latents[0], k).Product()
	decoded := c.Decode(latents[0], evolved, graph.Dot(latents[0], b).Product())
	loss = nn.AutoencoderGraph(nn.AutoencoderBatch[*graph.Node]{
		X: x, Y: after, Reconstruction: decoded[0], Encoded: latents[1], Evolved: evolved, Prediction: decoded[1],
	}, &nn.AutoencoderWeights{
		Reconstruction: o.Float("reconstruction"),
		Linearity:      o.Float("linearity"),
		Prediction:     o.Float("prediction"),
	})
	add := func(option string, term *graph.Node) {
		loss = graph.Add(loss, graph.MulScalar(term, o.Float(option)))
	}
	add("backward", nn.MeanSquaredError(before, decoded[2]))
	add("consistency", nn.ConsistencyGraph(k, b))
	return loss, x, decoded[0]
}

// method is an autoencoder with the operator that was trained together with it.
type method struct{ autoencoder nn.AutoencoderEmbedder }

var (
	_ core.Method      = (*method)(nil)
	_ core.ModelLoader = (*method)(nil)
)

// composition is for one fit: its operator is K of its own embedder.
func (m *method) composition() core.Method {
	e := &embedder{AutoencoderEmbedder: m.autoencoder}
	return compose.New(e, &trained{of: e}, nil)
}

func (m *method) Describe() core.Description { return m.composition().Describe() }

func (m *method) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	return m.composition().Fit(ctx, t)
}

// Check implements [core.Checker].
func (m *method) Check(t *core.Training) error {
	checker, _ := core.As[core.Checker](m.composition())
	return checker.Check(t)
}

// Load implements [core.ModelLoader].
func (m *method) Load(ctx context.Context, s *core.Saved) (core.Model, error) {
	loader, _ := core.As[core.ModelLoader](m.composition())
	return loader.Load(ctx, s)
}

// embedder is the autoencoder. It keeps K of its fit.
type embedder struct {
	nn.AutoencoderEmbedder
	k *mat.Dense
}

func (e *embedder) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	if err := e.Check(t); err != nil {
		return nil, err
	}
	embedding, err := e.AutoencoderEmbedder.Fit(ctx, t)
	if err != nil {
		return nil, err
	}
	e.k, err = parameter(ctx, embedding, forward)
	return embedding, err
}

// Check implements [core.Checker].
func (e *embedder) Check(t *core.Training) error {
	if err := checkTriples("training", t.Train, t.Lag); err != nil {
		return err
	}
	if err := checkTriples("validation", t.Validation, t.Lag); err != nil {
		return err
	}
	return e.AutoencoderEmbedder.Check(t)
}

// checkTriples returns [core.ErrTooShort] if no snapshot has one before and one after it.
func checkTriples(what string, x core.Trajectories, lag int) error {
	if nn.Triples(x, lag).Len() > 0 {
		return nil
	}
	return fmt.Errorf("%w: no %s snapshot has a snapshot before and after it at a lag of %d; give a trajectory of at "+
		"least %d snapshots", core.ErrTooShort, what, lag, 2*lag+1)
}

// parameter returns a trained matrix.
func parameter(ctx context.Context, embedding core.Embedding, path string) (*mat.Dense, error) {
	saver, _ := core.As[core.Saver](embedding)
	s, err := saver.Save(ctx)
	if err != nil {
		return nil, err
	}
	values, shape, err := core.StateValues[float32](s, path, 2)
	if err != nil {
		return nil, err
	}
	m := mat.NewDense(shape[0], shape[1], nil)
	for i, v := range values {
		m.RawMatrix().Data[i] = float64(v)
	}
	return m, nil
}

// trained is the operator that an embedder has trained. It is loaded as a ridge regression is.
type trained struct {
	linalg.Ridge
	of *embedder
}

var (
	_ core.EvolutionOperator = (*trained)(nil)
	_ core.OperatorLoader    = (*trained)(nil)
)

func (*trained) Describe() core.Description {
	return core.Description{Name: "trained", Summary: "the map of the latents that was trained together with the encoder"}
}

// Fit returns what a full regression on white latents with the cross-covariance K gives: K, to the bit.
func (o *trained) Fit(ctx context.Context, _ *core.OperatorTraining) (core.Operator, error) {
	d, _ := o.of.k.Dims()
	white := mat.NewDiagDense(d, nil)
	for i := range d {
		white.SetDiag(i, 1)
	}
	exact := &linalg.RidgeOptions{Alpha: new(0.0), Variant: linalg.Full}
	operator, err := linalg.FitCovariances(ctx, white, o.of.k, exact)
	if err != nil {
		return nil, err
	}
	return linalg.Operator{Model: operator}, nil
}
