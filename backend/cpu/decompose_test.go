package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type operation func(f compute.Function, in []compute.Value) (compute.Value, error)

// fusedOperations are those that are decomposed, for x of shape [6, 5, 8] and vectors of 8 and 40.
func fusedOperations() map[string]operation {
	ops := map[string]operation{
		"gelu": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.FusedGelu(in[0], true)
		},
		"gelu tanh": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.FusedGelu(in[0], false)
		},
		"erf": func(f compute.Function, in []compute.Value) (compute.Value, error) { return f.Erf(in[0]) },
		"layer norm": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.FusedLayerNorm(in[0], []int{2}, 1e-5, in[1], in[2])
		},
		"layer norm, scale alone": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.FusedLayerNorm(in[0], []int{-1}, 1e-3, in[1], nil)
		},
		"layer norm, plain": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.FusedLayerNorm(in[0], []int{0, 2}, 1e-3, nil, nil)
		},
	}
	for axis := range 3 {
		ops[fmt.Sprint("softmax ", axis)] = func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.FusedSoftmax(in[0], axis)
		}
	}
	for a := compute.ActivationNone; a <= compute.ActivationTanh; a++ {
		ops["dense "+a.String()] = func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.FusedDense(in[0], in[3], in[1], compute.DenseConfig{Activation: a})
		}
	}
	return ops
}

func fusedInputs() (values [][]float32, dims [][]int) {
	random := rand.New(rand.NewPCG(7, 8))
	dims = [][]int{{6, 5, 8}, {8}, {8}, {8, 8}}
	for _, d := range dims {
		n := 1
		for _, k := range d {
			n *= k
		}
		values = append(values, uniform(random, n, 3))
	}
	return values, dims
}

// TestDecomposed: fused operations give what the Go backend gives, and run here.
func TestDecomposed(t *testing.T) {
	skipGoMatMulUnderRace(t)
	values, dims := fusedInputs()
	reference := goBackend(t)
	for name, op := range fusedOperations() {
		b := newBackend(t, "")
		b.EnableProfile(true)
		got := evaluate(t, b, values, dims, op)
		assert.InDeltaSlice(t, evaluate(t, reference, values, dims, op), got, 2e-5, name)
		for _, e := range b.Profile() {
			assert.NotEqual(t, "go", e.Where, "%s: %s", name, e.Operation)
		}
	}
}

// Values beyond what exp can take, and infinite ones, give what the formulas say.
func TestDecomposedExtremes(t *testing.T) {
	infinity := float32(math.Inf(1))
	run := func(op operation, x ...float32) []float32 {
		return evaluate(t, newBackend(t, ""), [][]float32{x}, [][]int{{len(x)}}, op)
	}
	softmax := func(f compute.Function, in []compute.Value) (compute.Value, error) { return f.FusedSoftmax(in[0], 0) }
	assert.InDeltaSlice(t, []float32{0, 0.5, 0.5}, run(softmax, -1e30, 1e30, 1e30), 0)
	assert.InDeltaSlice(t, []float32{0, 1}, run(softmax, -infinity, 3), 0)
	gelu := func(f compute.Function, in []compute.Value) (compute.Value, error) { return f.FusedGelu(in[0], true) }
	assert.InDeltaSlice(t, []float32{0, 0, 1e30}, run(gelu, -1e30, 0, 1e30), 0)
}

// TestWrongFusedArguments: errors are those of the Go backend.
func TestWrongFusedArguments(t *testing.T) {
	values, dims := fusedInputs()
	for name, op := range map[string]operation{
		"axis": func(f compute.Function, in []compute.Value) (compute.Value, error) { return f.FusedSoftmax(in[0], 3) },
		"axes": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.FusedLayerNorm(in[0], []int{5}, 1, nil, nil)
		},
		"width": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			return f.FusedDense(in[0], in[1], nil, compute.DenseConfig{})
		},
	} {
		f := newBackend(t, "").Builder("wrong").Main()
		var in []compute.Value
		for i := range values {
			v, err := f.Parameter(fmt.Sprint("p", i), shapes.Make(dtypes.Float32, dims[i]...), nil)
			require.NoError(t, err)
			in = append(in, v)
		}
		_, err := op(f, in)
		assert.Error(t, err, name)
	}
}
