package core_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

func ramp(n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i)
	}
	return values
}

func TestSnapshotsOfFloats(t *testing.T) {
	x, err := core.NewSnapshots(ramp(24), 2, 3)
	require.NoError(t, err)
	assert.Equal(t, 4, x.Len())
	assert.Equal(t, 6, x.Size())
	assert.Equal(t, []int{2, 3}, x.Shape())
	x.Shape()[0] = 99
	assert.Equal(t, []int{2, 3}, x.Shape(), "the shape handed out is a copy")

	tail := x.Slice(1, 3)
	assert.Equal(t, 2, tail.Len())
	assert.Equal(t, ramp(24)[6:18], tail.Floats())

	dst := make([]float32, 12)
	x.Read(dst, 2)
	assert.Equal(t, ramp(24)[12:], dst)
	x.Gather(dst, []int{3, 0})
	assert.Equal(t, append(ramp(24)[18:], ramp(6)...), dst)

	m := x.Matrix()
	rows, columns := m.Dims()
	assert.Equal(t, [2]int{4, 6}, [2]int{rows, columns})
	assert.Equal(t, 13.0, m.At(2, 1))
	var text bytes.Buffer
	n, err := x.WriteTo(&text)
	require.NoError(t, err)
	assert.EqualValues(t, 4*24, n)
	assert.Equal(t, []byte{0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}, text.Bytes()[:12])
	back, err := core.SnapshotsFromMatrix(m, 2, 3)
	require.NoError(t, err)
	assert.Equal(t, x.Floats(), back.Floats())
}

func TestSnapshotsOfPixels(t *testing.T) {
	pixels := make([]uint8, 256)
	for i := range pixels {
		pixels[i] = uint8(i)
	}
	x, err := core.NewPixelSnapshots(pixels, 4, 4)
	require.NoError(t, err)
	assert.Equal(t, 16, x.Len())
	for i, v := range x.Floats() {
		assert.Equal(t, float32(float64(i)/255), v)
	}
	assert.Equal(t, x.Floats()[32:48], x.Slice(2, 3).Floats())
	assert.Equal(t, float64(x.Floats()[255]), x.Matrix().At(15, 15))
	assert.NoError(t, x.CheckFinite())
}

func TestSnapshotsRefuseWrongShapes(t *testing.T) {
	for name, make := range map[string]func() error{
		"no axes":          func() error { _, err := core.NewSnapshots(ramp(4)); return err },
		"zero axis":        func() error { _, err := core.NewSnapshots(ramp(4), 2, 0); return err },
		"negative axis":    func() error { _, err := core.NewPixelSnapshots(nil, -1); return err },
		"not whole":        func() error { _, err := core.NewSnapshots(ramp(5), 2); return err },
		"overflowing":      func() error { _, err := core.NewSnapshots(nil, math.MaxInt32, math.MaxInt32); return err },
		"matrix too wide":  func() error { _, err := core.SnapshotsFromMatrix(mat.NewDense(2, 6, nil), 3); return err },
		"matrix too small": func() error { _, err := core.SnapshotsFromMatrix(mat.NewDense(2, 2, nil), 4); return err },
	} {
		t.Run(name, func(t *testing.T) { assert.ErrorIs(t, make(), core.ErrShape) })
	}
}

func TestCheckFiniteNamesTheValue(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		values := ramp(6)
		values[4] = float32(bad)
		x, err := core.NewSnapshots(values, 3)
		require.NoError(t, err)
		err = x.CheckFinite()
		assert.ErrorIs(t, err, core.ErrNonFinite)
		assert.ErrorContains(t, err, "value 1 of snapshot 1")
		assert.NoError(t, x.Slice(0, 1).CheckFinite())
	}
}

func TestEmptySnapshots(t *testing.T) {
	var none core.Snapshots
	assert.Zero(t, none.Len())
	assert.True(t, none.Matrix().IsEmpty())
	empty, err := core.NewSnapshots(nil, 3)
	require.NoError(t, err)
	assert.Zero(t, empty.Len())
	assert.Empty(t, empty.Floats())
}

func TestViewIsTheMatrix(t *testing.T) {
	floats, err := core.NewSnapshots([]float32{1, 2, 3, 4, 5, 6}, 3)
	require.NoError(t, err)
	pixels, err := core.NewPixelSnapshots([]uint8{0, 51, 255, 1, 2, 3}, 1, 3)
	require.NoError(t, err)
	for _, x := range []core.Snapshots{floats, pixels, pixels.Slice(1, 2)} {
		assert.True(t, mat.Equal(x.Matrix(), x.View()))
		assert.True(t, mat.Equal(x.Matrix().T(), x.View().T()))
		assert.Panics(t, func() { x.View().At(0, 3) })
		assert.Panics(t, func() { x.View().At(x.Len(), 0) })
	}
	rows, columns := core.Snapshots{}.View().Dims()
	assert.Zero(t, rows+columns)
}
