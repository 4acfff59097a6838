package cpu_test

import (
	"fmt"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu"
)

// dimensionsOf is a shape of a rank whose last axes have the given sizes, and the others 1.
func dimensionsOf(rank int, last ...int) []int {
	dims := make([]int, rank)
	for i := range dims {
		dims[i] = 1
		if k := i - rank + len(last); k >= 0 {
			dims[i] = last[k]
		}
	}
	return dims
}

// TestOddShapes: what the passes rewrite compiles, and equals the Go backend, at every rank and with
// axes of size 0: ReLU and its gradient, products, transposes, pads and reshapes.
func TestOddShapes(t *testing.T) {
	skipGoMatMulUnderRace(t)
	own, err := cpu.New("")
	require.NoError(t, err)
	defer own.Finalize()
	reference, err := gobackend.New("")
	require.NoError(t, err)
	defer reference.Finalize()
	for rank := 1; rank <= 14; rank++ {
		for _, n := range []int{0, 1, 3} {
			t.Run(fmt.Sprintf("rank=%d,size=%d", rank, n), func(t *testing.T) {
				last := []int{2, n}
				if rank == 1 {
					last = []int{n}
				}
				dims := dimensionsOf(rank, last...)
				want := oddGraph(t, reference, dims)
				got := oddGraph(t, own, dims)
				require.Len(t, got, len(want))
				for i := range want {
					assert.InDeltaSlice(t, want[i], got[i], 1e-6, "output %d", i)
				}
			})
		}
	}
}

// oddGraph runs a graph on values of a shape, and returns its outputs.
func oddGraph(t *testing.T, backend compute.Backend, dims []int) (results [][]float32) {
	t.Helper()
	shape := shapes.Make(dtypes.Float32, dims...)
	builder := backend.Builder("odd")
	f := builder.Main()
	value := func(v compute.Value, err error) compute.Value {
		require.NoError(t, err)
		return v
	}
	x := value(f.Parameter("x", shape, nil))
	constant := func(c float32) compute.Value { return value(f.Constant([]float32{c})) }
	whole := func(c float32) compute.Value { return value(f.BroadcastInDim(constant(c), shape, nil)) }
	rank := shape.Rank()
	passes := value(f.Sign(value(f.Add(value(f.Sign(x)), whole(1)))))
	positive := value(f.Sub(whole(1), value(f.Sign(value(f.Add(value(f.Sign(value(f.Sub(whole(0), x)))), whole(1)))))))
	turned := make([]int, rank)
	for i := range turned {
		turned[i] = rank - 1 - i
	}
	back := value(f.Transpose(value(f.Transpose(x, turned...)), turned...))
	pads := make([]compute.PadAxis, rank)
	pads[rank-1] = compute.PadAxis{Start: 1, End: 2}
	flat := value(f.Reshape(value(f.Reshape(x, append([]int{1}, dims...)...)), shape.Size()))
	outputs := []compute.Value{
		value(f.Max(x, whole(0))), passes, positive, value(f.Mul(back, positive)), flat,
	}
	if shape.Size() > 0 { // the Go backend does not do these for size 0
		outputs = append(outputs, value(f.Pad(x, constant(7), pads...)))
	}
	if rank > 1 && shape.Size() > 0 {
		outputs = append(outputs, value(f.DotGeneral(x, []int{rank - 1}, nil, x, []int{rank - 1}, nil,
			compute.DotGeneralConfig{})))
	}
	require.NoError(t, f.Return(outputs, nil))
	exec, err := builder.Compile()
	require.NoError(t, err)
	defer exec.Finalize()
	flatX := make([]float32, shape.Size())
	for i := range flatX {
		flatX[i] = float32(i%5) - 2
	}
	in, err := backend.BufferFromFlatData(0, flatX, shape)
	require.NoError(t, err)
	out, err := exec.Execute([]compute.Buffer{in}, nil, 0)
	require.NoError(t, err)
	for _, o := range out {
		s, err := o.Shape()
		require.NoError(t, err)
		data := make([]float32, s.Size())
		require.NoError(t, o.ToFlatData(data))
		results = append(results, data)
	}
	return results
}
