package nn

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// AutoencoderBatch is what a dynamical autoencoder makes of a batch of n lagged pairs of snapshots,
// with encoder φ, decoder ψ and the linear map K between latents. Snapshots have any shape in a
// graph, and are rows of an n×p matrix elsewhere. Latents are n×d.
type AutoencoderBatch[T any] struct {
	X, Y           T // the snapshots x and their successors y
	Reconstruction T // ψ(φ(x)), in the shape of X
	Encoded        T // φ(y)
	Evolved        T // Kφ(x), in the shape of Encoded
	Prediction     T // ψ(Kφ(x)), in the shape of Y
}

// AutoencoderWeights weighs the three terms of the loss of a dynamical autoencoder.
type AutoencoderWeights struct {
	Reconstruction float64
	Linearity      float64
	Prediction     float64
}

// terms lists the pairs of arrays that each term of the loss compares.
func (b AutoencoderBatch[T]) terms(w *AutoencoderWeights) [3]autoencoderTerm[T] {
	if w == nil {
		w = &AutoencoderWeights{1, 1, 1}
	}
	return [3]autoencoderTerm[T]{
		{"the reconstruction", w.Reconstruction, b.X, b.Reconstruction},
		{"the evolved latents", w.Linearity, b.Encoded, b.Evolved},
		{"the prediction", w.Prediction, b.Y, b.Prediction},
	}
}

type autoencoderTerm[T any] struct {
	name     string
	weight   float64
	is, made T
}

// AutoencoderLoss returns the loss of a dynamical autoencoder and its gradients by all six arrays,
// in float64. It is the weighted sum of three mean squared errors over all elements: of
// Reconstruction for X, of Evolved for Encoded, and of Prediction for Y (Lusch, Kutz and Brunton,
// Deep learning for universal linear embeddings of nonlinear dynamics, Nature Communications 9,
// 4950, 2018, Methods, with a single step). Nil weights are 1. The error is [core.ErrShape] for
// arrays that do not fit or are empty, and [core.ErrNonFinite] for values that are not finite and
// if the loss overflows.
func AutoencoderLoss(b AutoencoderBatch[mat.Matrix],
	w *AutoencoderWeights) (value float64, gradients AutoencoderBatch[*mat.Dense], err error) {
	defer core.Recover(&err)
	var none AutoencoderBatch[*mat.Dense]
	var slopes [3]*mat.Dense
	for i, term := range b.terms(w) {
		if err := CheckViews(term.is, term.made); err != nil {
			return 0, none, fmt.Errorf("autoencoder: %s: %w", term.name, err)
		}
		rows, columns := term.is.Dims()
		size := float64(rows * columns)
		slope := mat.NewDense(rows, columns, nil)
		slope.Sub(term.is, term.made)
		norm := mat.Norm(slope, 2)
		value += term.weight * (norm / size * norm)
		slope.Scale(2*term.weight/size, slope)
		slopes[i] = slope
		if math.IsInf(value, 0) || math.IsNaN(value) {
			return 0, none, fmt.Errorf("autoencoder: %s: %w: the error overflows", term.name, core.ErrNonFinite)
		}
	}
	negative := func(m *mat.Dense) *mat.Dense {
		minus := mat.DenseCopyOf(m)
		minus.Scale(-1, minus)
		return minus
	}
	return value, AutoencoderBatch[*mat.Dense]{
		X: slopes[0], Reconstruction: negative(slopes[0]),
		Encoded: slopes[1], Evolved: negative(slopes[1]),
		Y: slopes[2], Prediction: negative(slopes[2]),
	}, nil
}

// AutoencoderGraph builds [AutoencoderLoss] as a scalar node that autodiff can differentiate.
func AutoencoderGraph(b AutoencoderBatch[*graph.Node], w *AutoencoderWeights) *graph.Node {
	var loss *graph.Node
	for _, term := range b.terms(w) {
		if !term.is.Shape().Equal(term.made.Shape()) {
			panic(
				fmt.Errorf("%w: autoencoder: %s of shape %s should have shape %s", core.ErrShape, term.name, term.made.Shape(),
					term.is.Shape()),
			)
		}
		weighted := graph.MulScalar(MeanSquaredError(term.is, term.made), term.weight)
		if loss == nil {
			loss = weighted
		} else {
			loss = graph.Add(loss, weighted)
		}
	}
	return loss
}

// MeanSquaredError builds the mean of (x − y)² over all elements of two arrays of the same shape
// [n, …], as a scalar. It reduces each row before the batch, because in float32 a single sum over
// all pixels loses a digit or two.
func MeanSquaredError(x, y *graph.Node) *graph.Node {
	squares := graph.Square(graph.Sub(x, y))
	if x.Rank() > 1 {
		inner := make([]int, x.Rank()-1)
		for i := range inner {
			inner[i] = i + 1
		}
		squares = graph.ReduceMean(squares, inner...)
	}
	return graph.ReduceAllMean(squares)
}
