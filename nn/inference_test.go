package nn_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/synthetic"
	"github.com/koopbench/koopbench/nn"
)

func encoder(t testing.TB, network nn.CNN, size int) *nn.Inference {
	f, err := nn.NewInference(
		testBackend(t),
		nn.NewStore(1, "inference"),
		[]int{size, size},
		func(scope *model.Scope, x *graph.Node) *graph.Node {
			return network.Encode(scope.At("encoder"), x, 5)
		},
	)
	require.NoError(t, err)
	return f
}

// TestRowsAreIndependent compares the bits of a snapshot's features alone, among others and at other places.
func TestRowsAreIndependent(t *testing.T) {
	for _, c := range []struct {
		network nn.CNN
		size, n int
	}{{small, 8, 150}, {nn.ReferenceCNN(), 28, 70}} {
		f := encoder(t, c.network, c.size)
		x, _ := synthetic.Images(c.n, c.size, 5, 1)
		all, err := f.Features(t.Context(), x)
		require.NoError(t, err)
		assert.Positive(t, f.CompileSeconds)
		assert.Equal(t, []int{5}, f.Out())

		reversed := make([]float32, 0, x.Len()*x.Size())
		row := make([]float32, x.Size())
		for i := x.Len() - 1; i >= 0; i-- {
			x.Read(row, i)
			reversed = append(reversed, row...)
		}
		y, err := core.NewSnapshots(reversed, c.size, c.size)
		require.NoError(t, err)
		backwards, err := f.Features(t.Context(), y)
		require.NoError(t, err)
		for i := range c.n {
			assert.Equal(t, all.RawRowView(i), backwards.RawRowView(c.n-1-i), "row %d, backwards", i)
		}
		for _, i := range []int{0, 1, 47, 48, c.n - 1} {
			alone, err := f.Features(t.Context(), x.Slice(i, i+1))
			require.NoError(t, err)
			assert.Equal(t, all.RawRowView(i), alone.RawRowView(0), "row %d, alone", i)
		}
	}
}

func TestFeaturesErrors(t *testing.T) {
	f := encoder(t, small, 8)
	x, _ := synthetic.Images(3, 12, 3, 1)
	_, err := f.Features(t.Context(), x)
	require.ErrorIs(t, err, core.ErrShape)
	assert.ErrorContains(t, err, "[12 12]")
	_, err = f.Snapshots(t.Context(), mat.NewDense(2, 3, nil))
	require.ErrorIs(t, err, core.ErrShape)
	empty, err := f.Features(t.Context(), core.Snapshots{})
	require.NoError(t, err)
	assert.True(t, empty.IsEmpty())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	x, _ = synthetic.Images(3, 8, 3, 1)
	_, err = f.Features(ctx, x)
	require.ErrorIs(t, err, context.Canceled)

	_, err = nn.NewInference(
		testBackend(t),
		nn.NewStore(1, "a"),
		[]int{3},
		func(_ *model.Scope, x *graph.Node) *graph.Node {
			return graph.ReduceAllSum(x)
		},
	)
	require.ErrorIs(t, err, core.ErrShape, "not a result a row")
}

func TestInferenceStopsBetweenBatches(t *testing.T) {
	f := encoder(t, small, 8)
	ctx, cancel := context.WithCancel(t.Context())
	batches := 0
	err := f.Run(ctx, 1000, func([]float32, int) {}, func([]float32, int) {
		if batches++; batches == 2 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 2, batches)
}

func TestInferenceIsConcurrent(t *testing.T) {
	f := encoder(t, small, 8)
	x, _ := synthetic.Images(100, 8, 5, 1)
	want, err := f.Features(t.Context(), x)
	require.NoError(t, err)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			got, err := f.Features(t.Context(), x)
			assert.NoError(t, err)
			assert.True(t, mat.Equal(want, got))
		})
	}
	wait.Wait()
}

// TestSnapshotsFromFeatures decodes to images with channels.
func TestSnapshotsFromFeatures(t *testing.T) {
	f, err := nn.NewInference(
		testBackend(t),
		nn.NewStore(1, "decoder"),
		[]int{2},
		func(scope *model.Scope, z *graph.Node) *graph.Node {
			return small.Decode(scope.At("decoder"), z, 3, 4, 8)
		},
	)
	require.NoError(t, err)
	z := mat.NewDense(70, 2, nil)
	for i := range 70 {
		z.SetRow(i, []float64{float64(i % 7), 1})
	}
	x, err := f.Snapshots(t.Context(), z)
	require.NoError(t, err)
	assert.Equal(t, []int{3, 4, 8}, x.Shape())
	require.Equal(t, 70, x.Len())
	assert.Equal(t, x.Slice(0, 7).Floats(), x.Slice(63, 70).Floats(), "equal features, equal snapshots")
	assert.NotEqual(t, x.Slice(0, 1).Floats(), x.Slice(1, 2).Floats())
}

func BenchmarkInference(b *testing.B) {
	for _, n := range []int{64, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			if n > 64 && testing.Short() {
				b.Skip("3 s an iteration on the Go backend")
			}
			f := encoder(b, nn.ReferenceCNN(), 28)
			x, _ := synthetic.Images(n, 28, 5, 1)
			for b.Loop() {
				if _, err := f.Features(b.Context(), x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
