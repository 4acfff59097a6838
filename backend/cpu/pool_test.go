package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	timage "github.com/gomlx/gomlx/core/tensors/images"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPools compares pools and their gradients with the Go backend: windows
// of any size and stride, padded or not, in both layouts.
func TestPools(t *testing.T) {
	reference, err := gobackend.New("ops_sequential")
	require.NoError(t, err)
	b := newBackend(t, "threads=2")
	kinds := map[string]func(x *graph.Node) *graph.PoolBuilder{"max": graph.MaxPool, "min": graph.MinPool,
		"mean": graph.MeanPool, "sum": graph.SumPool}
	for name, kind := range kinds {
		for _, layout := range []timage.ChannelsAxisConfig{timage.ChannelsLast, timage.ChannelsFirst} {
			for _, size := range []int{1, 2, 3} {
				for stride := 1; stride <= 3; stride++ {
					for _, same := range []bool{false, true} {
						// The Go backend's Pad ends the process in gradients of sums and means:
						// see TestLinearPools.
						gradient := name == "max" || name == "min"
						run := func(backend compute.Backend) ([]*tensors.Tensor, error) {
							r := rand.New(rand.NewPCG(1, 1))
							exec, err := graph.NewExec(backend, func(x *graph.Node) []*graph.Node {
								pool := kind(x).ChannelsAxis(layout).Window(size).Strides(stride)
								if same {
									pool.PadSame()
								}
								y := pool.Done()
								if !gradient {
									return []*graph.Node{y}
								}
								loss := graph.ReduceAllSum(graph.Mul(graph.Mul(y, y), graph.Sin(graph.Iota(x.Graph(), y.Shape(), 1))))
								return append([]*graph.Node{y}, graph.Gradient(loss, x)...)
							})
							if err != nil {
								return nil, err
							}
							return exec.Call(tensors.FromFlatDataAndDimensions(uniform(r, 3*7*6*5, 1), 3, 7, 6, 5))
						}
						c := fmt.Sprintf("%s %v window %d stride %d same %v", name, layout, size, stride, same)
						want, wantErr := run(reference)
						b.EnableProfile(true)
						got, err := run(b)
						require.Equal(t, wantErr == nil, err == nil, "%s: %v, the Go backend: %v", c, err, wantErr)
						for i := range want {
							assert.NoError(t, closeTo(tensors.MustCopyFlatData[float32](want[i]), tensors.MustCopyFlatData[float32](got[i])),
								"%s, output %d", c, i)
						}
						for _, e := range b.Profile() {
							assert.NotEqual(t, "go", e.Where, "%s: %s", c, e.Operation)
						}
					}
				}
			}
		}
	}
}

// TestLinearPools checks the gradients of sums and means of windows: these
// are linear, so for a loss that is too, x · ∂loss/∂x is the loss itself.
func TestLinearPools(t *testing.T) {
	b := newBackend(t, "threads=2")
	for name, kind := range map[string]func(x *graph.Node) *graph.PoolBuilder{"mean": graph.MeanPool,
		"sum": graph.SumPool} {
		for _, size := range []int{1, 2, 3} {
			for stride := 1; stride <= 3; stride++ {
				for _, same := range []bool{false, true} {
					exec, err := graph.NewExec(b, func(x *graph.Node) []*graph.Node {
						pool := kind(x).Window(size).Strides(stride)
						if same {
							pool.PadSame()
						}
						y := pool.Done()
						loss := graph.ReduceAllSum(graph.Mul(y, graph.Sin(graph.Iota(x.Graph(), y.Shape(), 1))))
						return []*graph.Node{loss, graph.ReduceAllSum(graph.Mul(x, graph.Gradient(loss, x)[0]))}
					})
					require.NoError(t, err)
					b.EnableProfile(true)
					out, err := exec.Call(tensors.FromFlatDataAndDimensions(uniform(rand.New(rand.NewPCG(1, 1)), 3*7*6*5, 1), 3, 7, 6,
						5))
					require.NoError(t, err)
					assert.InDelta(t, tensors.ToScalar[float32](out[0]), tensors.ToScalar[float32](out[1]), 1e-3,
						"%s window %d stride %d same %v", name, size, stride, same)
					for _, e := range b.Profile() {
						assert.NotEqual(t, "go", e.Where, e.Operation)
					}
				}
			}
		}
	}
}

// TestPad compares Pad with what its definition says, for paddings that add
// and that remove.
func TestPad(t *testing.T) {
	b := newBackend(t, "threads=2")
	r := rand.New(rand.NewPCG(2, 2))
	for range 200 {
		n := []int{1 + r.IntN(6), 1 + r.IntN(6)}
		axes := make([]compute.PadAxis, 2)
		out := make([]int, 2)
		for k := range axes {
			axes[k].Interior = r.IntN(3)
			spread := (n[k]-1)*(axes[k].Interior+1) + 1
			axes[k].Start = r.IntN(spread+3) - spread + 1
			axes[k].End = r.IntN(spread+3) - spread + 1
			out[k] = spread + axes[k].Start + axes[k].End
		}
		if out[0] < 1 || out[1] < 1 {
			continue
		}
		values := uniform(r, n[0]*n[1], 1)
		want := make([]float32, out[0]*out[1])
		for i := range want {
			want[i] = 9
		}
		kept := 0
		for i := range n[0] {
			for j := range n[1] {
				y, x := i*(axes[0].Interior+1)+axes[0].Start, j*(axes[1].Interior+1)+axes[1].Start
				if y >= 0 && y < out[0] && x >= 0 && x < out[1] {
					want[y*out[1]+x] = values[i*n[1]+j]
					kept++
				}
			}
		}
		if kept == 0 {
			continue
		}
		shape := shapes.Make(dtypes.Float32, n...)
		exec := program(t, b, shape, func(f compute.Function, x compute.Value) []compute.Value {
			return []compute.Value{must(f.Pad(x, must(f.Constant([]float32{9})), axes...))}
		})
		in, err := b.BufferFromFlatData(0, values, shape)
		require.NoError(t, err)
		got, err := exec.Execute([]compute.Buffer{in}, nil, 0)
		require.NoError(t, err)
		flat, err := got[0].Data()
		require.NoError(t, err)
		require.Equal(t, want, flat, "%v padded by %+v", n, axes)
	}
}
