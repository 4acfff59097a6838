package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	_ "github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/cli"
	"github.com/koopbench/koopbench/conformance"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

var runtime = nn.NewRuntime("cpu")

// quick are options under which a network learns in a second.
func quick() *conformance.Options {
	return &conformance.Options{Shape: []int{6, 7}, Epochs: 20, Settings: map[string]any{"batch_size": 16, "lr": 0.01}}
}

func TestNext(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains for some seconds; -short is set")
	}
	next := func() core.Embedder { return &Next{Runtime: runtime, Network: Dense{Hidden: 16}} }
	conformance.RunEmbedderSuite(t, next, quick())
}

func TestSlow(t *testing.T) {
	conformance.RunLossSuite(t, func() core.Loss { return Slow{} }, nil)
}

// TestSlowGraph: both forms of the loss are one, in value and derivatives.
func TestSlowGraph(t *testing.T) {
	backend, err := runtime.Backend()
	require.NoError(t, err)
	x := mat.NewDense(3, 2, []float64{0.5, -1, 0.25, 0.75, -0.5, 0.125})
	y := mat.NewDense(3, 2, []float64{0.25, -0.5, 0.5, 1, -0.75, 0})
	options, err := Slow{}.Describe().Resolve(map[string]any{"weight": 0.5})
	require.NoError(t, err)
	want, err := Slow{}.Evaluate(t.Context(), x, y, options)
	require.NoError(t, err)
	// The squared differences, and the entries of 2·XᵀX/3 − I, of the numbers above.
	c00, c01, c11 := 2*(0.25+0.0625+0.25)/3-1, 2*(-0.5+0.1875-0.0625)/3, 2*(1+0.5625+0.015625)/3-1
	change := 0.0625 + 0.25 + 0.0625 + 0.0625 + 0.0625 + 0.015625
	assert.InDelta(t, change/3+0.5*(c00*c00+2*c01*c01+c11*c11), want.Value, 1e-12)
	got, degenerate, err := nn.EvaluateGraph(backend, Slow{}, x, y, options)
	require.NoError(t, err)
	assert.False(t, degenerate)
	assert.InDelta(t, want.Value, got.Value, 1e-6)
	assert.True(t, mat.EqualApprox(want.GradX, got.GradX, 1e-6))
	assert.True(t, mat.EqualApprox(want.GradY, got.GradY, 1e-6))
}

// TestRun takes all three through the protocol, with an option of the encoder, and the models are
// saved.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains the oracle, which takes some seconds; -short is set")
	}
	var stdout, stderr bytes.Buffer
	out := filepath.Join(t.TempDir(), "out")
	args := []string{
		"run", "--methods", "vamp-dense?hidden=32,loss:slow,embedder:next", "--epochs", "1",
		"--split", "64,12,10", "--steps", "2", "--save-models", "--out", out, "-q",
	}
	status := cli.Main(t.Context(), args, nil, &stdout, &stderr, cli.Config{Name: "encoder", Registry: withNetworks})
	require.Zero(t, status, stderr.String())
	r, err := results.OpenStore(out).Results()
	require.NoError(t, err)
	require.Len(t, r.Runs, 3)
	parameters := map[string]int{}
	for _, run := range r.Runs {
		parameters[run.Method] = run.Parameters
	}
	assert.Equal(t, 784*32+32+32*5+5+5*5, parameters["vamp-dense?hidden=32"])
	assert.Equal(t, 784*64+64+64*5+5+5*784+784, parameters["embedder:next"])
	models, err := filepath.Glob(filepath.Join(out, "runs", "*.model.npz"))
	require.NoError(t, err)
	assert.Len(t, models, 3)
}
