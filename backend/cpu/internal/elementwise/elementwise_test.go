package elementwise_test

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu/internal/elementwise"
)

func pointer[T any](s []T) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s)) }

// TestStrided compares Gather and Scatter with index arithmetic, for random
// views and ranges, within guards.
func TestStrided(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		rank := 1 + r.IntN(5)
		view := elementwise.Strided{Size: 4}
		low, high, size := 0, 0, 1
		distinct := 1
		for range rank {
			d := 1 + r.IntN(5)
			stride := distinct * []int{1, 1, 0, -1}[r.IntN(4)]
			view.Dims, view.Strides = append(view.Dims, d), append(view.Strides, stride)
			if stride > 0 {
				high += (d - 1) * stride
			} else {
				low += (d - 1) * stride
			}
			distinct *= d + r.IntN(2)
			size *= d
		}
		view.Offset = -low
		memory := make([]int32, high-low+1)
		for i := range memory {
			memory[i] = int32(i)
		}
		index := func(i int) int {
			at := view.Offset
			for k := rank - 1; k >= 0; k-- {
				at += i % view.Dims[k] * view.Strides[k]
				i /= view.Dims[k]
			}
			return at
		}
		c := view.Collapse()
		from := r.IntN(size)
		n := 1 + r.IntN(size-from)
		got := make([]int32, n+2)
		got[0], got[n+1] = -7, -7
		c.Gather(pointer(got[1:]), pointer(memory), from, n)
		for i := range n {
			require.EqualValues(t, index(from+i), got[1+i], "%+v", view)
		}
		require.Equal(t, [2]int32{-7, -7}, [2]int32{got[0], got[n+1]})

		want := make([]int32, len(memory))
		target := make([]int32, len(memory))
		for i := range n {
			want[index(from+i)] = int32(100 + i)
			got[1+i] = int32(100 + i)
		}
		c.Scatter(pointer(target), pointer(got[1:]), from, n)
		require.Equal(t, want, target, "%+v", view)
	}
}

func TestSizes(t *testing.T) {
	for _, size := range []int{1, 2, 4, 8, 16} {
		src := make([]byte, 6*size)
		for i := range src {
			src[i] = byte(i)
		}
		v := elementwise.Strided{Dims: []int{3, 2}, Strides: []int{1, 3}, Size: size}
		dst := make([]byte, 6*size)
		v.Gather(pointer(dst), pointer(src), 0, 6)
		for i, from := range []int{0, 3, 1, 4, 2, 5} {
			assert.Equal(t, src[from*size:][:size], dst[i*size:][:size], "size %d", size)
		}
	}
}

func TestConversions(t *testing.T) {
	floats := []float32{-2.7, 0, 3.9}
	ints := make([]int64, 3)
	elementwise.LookupConvert(dtypes.Float32, dtypes.Int64)(pointer(ints), pointer(floats), nil, nil, 3)
	assert.Equal(t, []int64{-2, 0, 3}, ints)
	bools := make([]bool, 3)
	elementwise.LookupConvert(dtypes.Int64, dtypes.Bool)(pointer(bools), pointer(ints), nil, nil, 3)
	assert.Equal(t, []bool{true, false, true}, bools)
	doubles := make([]float64, 3)
	elementwise.LookupConvert(dtypes.Bool, dtypes.Float64)(pointer(doubles), pointer(bools), nil, nil, 3)
	assert.Equal(t, []float64{1, 0, 1}, doubles)
	assert.Nil(t, elementwise.LookupConvert(dtypes.Float32, dtypes.BFloat16))
	assert.Nil(t, elementwise.Lookup(compute.OpTypeDiv, dtypes.Int32), "division by zero is the Go backend's affair")
}

func BenchmarkGatherShortRows(b *testing.B) {
	x, y := make([]float32, 28*28*16), make([]float32, 28*28*16)
	v := elementwise.Strided{Dims: []int{16 * 14, 2, 14, 2}, Strides: []int{56, 2, 4, 1}, Size: 4}.Collapse()
	for b.Loop() {
		v.Gather(pointer(y), pointer(x), 0, len(y))
	}
}
