package core_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

// counted is a source of one value a snapshot, its number, that counts what is read.
type counted struct{ read *int }

func (c counted) Read(dst []float32, from int) {
	*c.read += len(dst)
	for i := range dst {
		dst[i] = float32(from + i)
	}
}

func (c counted) At(i, _ int) float32 { return float32(i) }

func numbers(t *testing.T, n int) (core.Snapshots, *int) {
	read := new(int)
	x, err := core.NewSourceSnapshots(counted{read}, n, 1)
	require.NoError(t, err)
	return x, read
}

// sameAs checks that all ways to read x give what the sequence of these values in memory gives.
func sameAs(t *testing.T, want []float32, x core.Snapshots) {
	t.Helper()
	y, err := core.NewSnapshots(want, x.Shape()...)
	require.NoError(t, err)
	require.Equal(t, y.Len(), x.Len())
	assert.Equal(t, want, x.Floats())
	assert.Equal(t, y.Matrix(), x.Matrix())
	for i := range y.Len() {
		for j := range y.Size() {
			assert.InDelta(t, y.View().At(i, j), x.View().At(i, j), 0, "%d %d", i, j)
		}
	}
	var a, b bytes.Buffer
	_, err = x.WriteTo(&a)
	require.NoError(t, err)
	_, err = y.WriteTo(&b)
	require.NoError(t, err)
	assert.Equal(t, b.Bytes(), a.Bytes())
	if n := x.Len(); n > 2 {
		assert.Equal(t, y.Slice(1, n-1).Slice(1, n-2).Floats(), x.Slice(1, n-1).Slice(1, n-2).Floats())
		dst, same := make([]float32, 2*x.Size()), make([]float32, 2*x.Size())
		x.Gather(dst, []int{n - 1, 0})
		y.Gather(same, []int{n - 1, 0})
		assert.Equal(t, same, dst)
	}
}

func TestSourceSnapshots(t *testing.T) {
	x, _ := numbers(t, 5)
	sameAs(t, []float32{0, 1, 2, 3, 4}, x)
	_, pixels := x.Pixels()
	assert.False(t, pixels)
	assert.Panics(t, func() { x.Slice(2, 6) })
	assert.Panics(t, func() { x.Slice(1, 3).Read(make([]float32, 2), 1) })
	assert.Panics(t, func() { x.Read(make([]float32, 1), -1) })
	_, err := core.NewSourceSnapshots(counted{}, -1, 1)
	require.ErrorIs(t, err, core.ErrShape)
	_, err = core.NewSourceSnapshots(counted{}, 1)
	require.ErrorIs(t, err, core.ErrShape)
}

// TestScaled: the same bits as a copy that was scaled beforehand, of sequences of every sort.
func TestScaled(t *testing.T) {
	values := []float32{1, 2.5, -3, 1e9, 0.1, 7}
	x, err := core.NewSnapshots(values, 2)
	require.NoError(t, err)
	shift, by := []float64{0.1, -2}, []float64{3, 1e-3}
	scaled, err := x.Scaled(shift, by)
	require.NoError(t, err)
	want := make([]float32, len(values))
	for i, v := range values {
		want[i] = float32((float64(v) - shift[i%2]) / by[i%2])
	}
	sameAs(t, want, scaled)
	pixels, err := core.NewPixelSnapshots([]uint8{0, 51, 255}, 1)
	require.NoError(t, err)
	half, err := pixels.Scaled([]float64{1}, []float64{2})
	require.NoError(t, err)
	sameAs(t, []float32{-0.5, -0.4, 0}, half)
	_, err = x.Scaled(shift[:1], by)
	require.ErrorIs(t, err, core.ErrShape)
}

func TestDelayed(t *testing.T) {
	x, read := numbers(t, 6)
	delayed, err := x.Delayed(3, 2)
	require.NoError(t, err)
	assert.Equal(t, []int{3}, delayed.Shape())
	sameAs(t, []float32{0, 2, 4, 1, 3, 5}, delayed)
	near, err := x.Delayed(3, 1)
	require.NoError(t, err)
	sameAs(t, []float32{0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5}, near)
	again, err := near.Delayed(2, 2)
	require.NoError(t, err)
	sameAs(t, []float32{0, 1, 2, 2, 3, 4, 1, 2, 3, 3, 4, 5}, again)
	*read = 0
	require.NoError(t, near.CheckFinite())
	assert.Equal(t, 6, *read, "each snapshot is looked at once")

	images, err := core.NewSnapshots(make([]float32, 5*2*3), 2, 3)
	require.NoError(t, err)
	films, err := images.Delayed(4, 1)
	require.NoError(t, err)
	assert.Equal(t, []int{8, 3}, films.Shape())
	same, err := x.Delayed(1, 9)
	require.NoError(t, err)
	assert.Equal(t, 6, same.Len())
	_, err = x.Delayed(4, 2)
	require.ErrorIs(t, err, core.ErrTooShort)
	require.ErrorContains(t, err, "takes 7")
	_, err = x.Delayed(0, 1)
	require.ErrorIs(t, err, core.ErrOption)
}

// TestFiniteOnce: what was found to be finite is not read again, and a slice of it neither.
func TestFiniteOnce(t *testing.T) {
	x, read := numbers(t, 200_000)
	require.NoError(t, x.CheckFinite())
	require.NoError(t, x.CheckFinite())
	require.NoError(t, x.Slice(3, 10).CheckFinite())
	assert.Equal(t, 200_000, *read)
	bad, err := x.Scaled([]float64{100_000}, []float64{0})
	require.NoError(t, err)
	require.ErrorIs(t, bad.CheckFinite(), core.ErrNonFinite)
	require.ErrorContains(t, bad.Slice(100_000, 100_002).CheckFinite(), "value 0 of snapshot 0 is NaN")
}

func TestTrajectoriesOfSources(t *testing.T) {
	x, _ := numbers(t, 4)
	y, err := core.NewSnapshots([]float32{7, 8}, 1)
	require.NoError(t, err)
	all, err := core.NewTrajectories(x, y, x.Slice(2, 4))
	require.NoError(t, err)
	sameAs(t, []float32{0, 1, 2, 3, 7, 8, 2, 3}, all.Snapshots())
	require.NoError(t, all.CheckFinite())
}

// gone is a source that cannot be read any more.
type gone struct{ error }

func (g gone) Read([]float32, int)  { panic(core.Unreadable{Err: g}) }
func (g gone) At(int, int) float32  { panic(core.Unreadable{Err: g}) }
func (g gone) Is(target error) bool { return target == errCut }

var errCut = errors.New("the file was cut")

func TestUnreadable(t *testing.T) {
	x, err := core.NewSourceSnapshots(gone{errCut}, 4, 1)
	require.NoError(t, err)
	err = core.Contain(x.CheckFinite)
	require.ErrorIs(t, err, errCut)
	assert.NotErrorIs(t, err, core.ErrPanic)
}
