package cpu_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu"
)

// recordLSTM records an LSTM of 32 units over steps inputs [8, 16], unrolled, that returns the sum of
// all states.
func recordLSTM(t testing.TB, builder compute.Builder, steps int) {
	const batch, width, units = 8, 16, 32
	f := builder.Main()
	value := func(v compute.Value, err error) compute.Value {
		require.NoError(t, err)
		return v
	}
	parameter := func(name string, dimensions ...int) compute.Value {
		return value(f.Parameter(name, shapes.Make(dtypes.Float32, dimensions...), nil))
	}
	product := func(x, w compute.Value) compute.Value {
		return value(f.DotGeneral(x, []int{1}, nil, w, []int{0}, nil, compute.DotGeneralConfig{}))
	}
	x := parameter("x", batch, steps*width)
	wx, wh := parameter("wx", width, 4*units), parameter("wh", units, 4*units)
	bias := value(f.BroadcastInDim(parameter("bias", 4*units), shapes.Make(dtypes.Float32, batch, 4*units), []int{1}))
	h, c := parameter("h", batch, units), parameter("c", batch, units)
	sum := h
	for step := range steps {
		now := value(f.Slice(x, []int{0, step * width}, []int{batch, (step + 1) * width}, nil))
		gates := value(f.Add(value(f.Add(product(now, wx), product(h, wh))), bias))
		gate := func(i int) compute.Value {
			return value(f.Slice(gates, []int{0, i * units}, []int{batch, (i + 1) * units}, nil))
		}
		in, forget, out := value(f.Logistic(gate(0))), value(f.Logistic(gate(1))), value(f.Logistic(gate(2)))
		c = value(f.Add(value(f.Mul(forget, c)), value(f.Mul(in, value(f.Tanh(gate(3)))))))
		h = value(f.Mul(out, value(f.Tanh(c))))
		sum = value(f.Add(sum, h))
	}
	require.NoError(t, f.Return([]compute.Value{sum}, nil))
}

// What Compile allocates, which follows its work, grows with the graph: four times the steps take about
// four times as much.
func TestCompileIsLinear(t *testing.T) {
	backend, err := cpu.New("threads=1")
	require.NoError(t, err)
	defer backend.Finalize()
	allocated := func(steps int) float64 {
		builder := backend.Builder("lstm")
		recordLSTM(t, builder, steps)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		exec, err := builder.Compile()
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		exec.Finalize()
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	assert.Less(t, allocated(400)/allocated(100), 5.0)
}

// The time to compile grows with the graph: twice the steps take about twice as long.
func BenchmarkCompile(b *testing.B) {
	backend, err := cpu.New("")
	require.NoError(b, err)
	defer backend.Finalize()
	for _, steps := range []int{100, 400, 1600} {
		b.Run(fmt.Sprintf("lstm=%d", steps), func(b *testing.B) {
			for b.Loop() {
				builder := backend.Builder("lstm")
				recordLSTM(b, builder, steps)
				exec, err := builder.Compile()
				require.NoError(b, err)
				exec.Finalize()
			}
		})
	}
}
