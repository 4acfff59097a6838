package methods_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/internal/golden"
	"github.com/koopbench/koopbench/methods/contrastive"
	"github.com/koopbench/koopbench/methods/dpnets"
	"github.com/koopbench/koopbench/methods/lora"
	"github.com/koopbench/koopbench/methods/vamp"
	"github.com/koopbench/koopbench/nn"
)

// Tolerances, relative to the largest entry of an array.
const (
	double = 1e-8
	single = 1e-5 // the graphs take their inputs rounded to float32, whose relative spacing is 1.2e-7
)

type lossCase struct {
	Loss   string
	Params struct {
		Schatten int  `json:"schatten_norm"`
		Centre   bool `json:"center_covariances"`

		Reconstruction float64 `json:"alpha_rec"`
		Linearity      float64 `json:"alpha_lin"`
		Prediction     float64 `json:"alpha_pred"`

		Relaxed    bool
		Distortion float64 `json:"metric_distortion"`
		Nesting    string
	}
	Inputs []golden.Array
	Value  float64
	Grads  []golden.Array
}

func TestGoldenLosses(t *testing.T) {
	var file struct{ Cases []lossCase }
	golden.Load(t, "losses.json", &file)
	for i, c := range file.Cases {
		t.Run(fmt.Sprintf("%d-%s", i, c.Loss), func(t *testing.T) {
			switch c.Loss {
			case "vamp":
				c.checkLoss(t, vamp.Loss{},
					map[string]any{"schatten": c.Params.Schatten, "centre": c.Params.Centre, "ridge": 0.0})
			case "spectral_contrastive":
				c.checkLoss(t, contrastive.Loss{}, nil)
			case "autoencoder":
				c.checkAutoencoder(t)
			default:
				t.Fatalf("no loss is called %q here", c.Loss)
			}
		})
	}
}

func TestGoldenMoreLosses(t *testing.T) {
	var file struct{ Cases []lossCase }
	golden.Load(t, "losses_more.json", &file)
	for i, c := range file.Cases {
		t.Run(fmt.Sprintf("%d-%s", i, c.Loss), func(t *testing.T) {
			switch c.Loss {
			case "dpnets":
				options := map[string]any{"gamma": c.Params.Distortion, "centre": c.Params.Centre}
				c.checkLoss(t, dpnets.Loss{Relaxed: c.Params.Relaxed}, options)
			case "lora":
				c.checkLoss(t, lora.Loss{}, map[string]any{"nesting": c.Params.Nesting})
			case "consistency":
				c.checkConsistency(t)
			default:
				t.Fatalf("no loss is called %q here", c.Loss)
			}
		})
	}
}

func (c lossCase) checkLoss(t *testing.T, loss nn.GraphLoss, given map[string]any) {
	require.Len(t, c.Inputs, 2)
	require.Len(t, c.Grads, 2)
	options, err := loss.Describe().Resolve(given)
	require.NoError(t, err)
	x, y := c.Inputs[0].Dense(), c.Inputs[1].Dense()

	got, err := loss.Evaluate(context.Background(), x, y, options)
	require.NoError(t, err)
	assert.Empty(t, got.Warnings)
	c.check(t, got.Value, []mat.Matrix{got.GradX, got.GradY}, double, "Evaluate")

	got, degenerate, err := nn.EvaluateGraph(cpu.GetBackend(), loss, x, y, options)
	require.NoError(t, err)
	assert.False(t, degenerate)
	c.check(t, got.Value, []mat.Matrix{got.GradX, got.GradY}, single, "Graph")
}

func (c lossCase) checkAutoencoder(t *testing.T) {
	require.Len(t, c.Inputs, 6)
	require.Len(t, c.Grads, 6)
	weights := &nn.AutoencoderWeights{Reconstruction: c.Params.Reconstruction, Linearity: c.Params.Linearity,
		Prediction: c.Params.Prediction}

	value, g, err := nn.AutoencoderLoss(nn.AutoencoderBatch[mat.Matrix]{
		X: c.Inputs[0].Dense(), Y: c.Inputs[1].Dense(), Reconstruction: c.Inputs[2].Dense(),
		Encoded: c.Inputs[3].Dense(), Evolved: c.Inputs[4].Dense(), Prediction: c.Inputs[5].Dense(),
	}, weights)
	require.NoError(t, err)
	c.check(t, value, []mat.Matrix{g.X, g.Y, g.Reconstruction, g.Encoded, g.Evolved, g.Prediction}, double,
		"AutoencoderLoss")

	value, gradients := c.runGraph(t, func(in []*graph.Node) *graph.Node {
		return nn.AutoencoderGraph(nn.AutoencoderBatch[*graph.Node]{
			X: in[0], Y: in[1], Reconstruction: in[2], Encoded: in[3], Evolved: in[4], Prediction: in[5],
		}, weights)
	})
	c.check(t, value, gradients, single, "AutoencoderGraph")
}

func (c lossCase) checkConsistency(t *testing.T) {
	require.Len(t, c.Inputs, 2)
	require.Len(t, c.Grads, 2)
	value, gradK, gradB, err := nn.Consistency(c.Inputs[0].Dense(), c.Inputs[1].Dense())
	require.NoError(t, err)
	c.check(t, value, []mat.Matrix{gradK, gradB}, double, "Consistency")

	value, gradients := c.runGraph(t, func(in []*graph.Node) *graph.Node { return nn.ConsistencyGraph(in[0], in[1]) })
	c.check(t, value, gradients, single, "ConsistencyGraph")
}

// runGraph returns the value that a graph has at the inputs, rounded to float32, and its gradients by them.
func (c lossCase) runGraph(t *testing.T, build func(in []*graph.Node) *graph.Node) (float64, []mat.Matrix) {
	inputs := make([]any, len(c.Inputs))
	for i, input := range c.Inputs {
		values := make([]float32, len(input.Data))
		for j, v := range input.Data {
			values[j] = float32(v)
		}
		inputs[i] = tensors.FromFlatDataAndDimensions(values, input.Shape...)
	}
	outputs, err := graph.CallOnceN(cpu.GetBackend(), func(in []*graph.Node) []*graph.Node {
		loss := build(in)
		return append([]*graph.Node{loss}, graph.Gradient(loss, in...)...)
	}, inputs...)
	require.NoError(t, err)
	var gradients []mat.Matrix
	for _, output := range outputs[1:] {
		dimensions := output.Shape().Dimensions
		m := mat.NewDense(dimensions[0], dimensions[1], nil)
		for j, v := range tensors.MustCopyFlatData[float32](output) {
			m.RawMatrix().Data[j] = float64(v)
		}
		gradients = append(gradients, m)
	}
	return float64(tensors.ToScalar[float32](outputs[0])), gradients
}

// check compares with the stored value and gradients. A value is compared relative to itself.
func (c lossCase) check(t *testing.T, value float64, gradients []mat.Matrix, tolerance float64, what string) {
	assert.InEpsilon(t, c.Value, value, tolerance, "%s: value", what)
	for i, want := range c.Grads {
		want.RequireNear(t, gradients[i], tolerance, fmt.Sprintf("%s: gradient by input %d", what, i))
	}
}
