package npz_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/npz"
)

func archive() npz.Archive {
	return npz.Archive{
		"f4":     {Shape: []int{2, 1, 2}, Values: []float32{1, 2, 3, 4.5}},
		"f8":     {Shape: []int{3}, Values: []float64{1, 2, 3}},
		"i8":     {Shape: []int{1, 2}, Values: []int64{-1, 1 << 40}},
		"u1":     {Shape: []int{4}, Values: []uint8{0, 1, 2, 255}},
		"c16":    {Shape: []int{1, 1}, Values: []complex128{complex(1, -2)}},
		"none":   {Shape: []int{0, 3}, Values: []float32{}},
		"point":  {Values: []float64{7}},
		"a.json": {Values: npz.Text(`{"a": 1}`)},
	}
}

func encode(t testing.TB, a npz.Archive) []byte {
	var b bytes.Buffer
	require.NoError(t, npz.Write(&b, a))
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	data := encode(t, archive())
	assert.Equal(t, data, encode(t, archive()), "equal archives give equal bytes")
	got, err := npz.Read(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	assert.Equal(t, archive(), got)

	var plain bytes.Buffer
	require.NoError(t, npz.WritePlain(&plain, archive(), "the end"))
	assert.True(t, bytes.HasSuffix(plain.Bytes(), []byte("the end")))
	got, err = npz.Read(bytes.NewReader(plain.Bytes()), int64(plain.Len()))
	require.NoError(t, err)
	assert.Equal(t, archive(), got)

	values, shape, err := npz.Values[float32](got, "f4", 3)
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 2, 3, 4.5}, values)
	assert.Equal(t, []int{2, 1, 2}, shape)
	for _, bad := range []string{"missing", "f8"} {
		_, _, err = npz.Values[float32](got, bad, -1)
		assert.ErrorIs(t, err, npz.ErrFormat)
	}
}

func TestWriteRefuses(t *testing.T) {
	assert.ErrorContains(t, npz.Write(&bytes.Buffer{}, npz.Archive{"x": {Shape: []int{2}, Values: []float32{1}}}),
		"1 values do not fill the shape [2]")
	assert.ErrorContains(t, npz.Write(&bytes.Buffer{}, npz.Archive{"x": {Shape: []int{1}, Values: []string{""}}}),
		"[]string")
}

func FuzzRead(f *testing.F) {
	data := encode(f, archive())
	f.Add(data)
	f.Add(data[:len(data)-7])
	f.Add([]byte("PK"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := npz.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			require.ErrorIs(t, err, npz.ErrFormat)
			return
		}
		again := encode(t, got)
		reread, err := npz.Read(bytes.NewReader(again), int64(len(again)))
		require.NoError(t, err)
		require.Len(t, reread, len(got))
	})
}
