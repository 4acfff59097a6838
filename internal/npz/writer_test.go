package npz_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/npz"
)

func TestWriter(t *testing.T) {
	var b bytes.Buffer
	w := npz.NewWriter(&b)
	values, err := w.Float32("images", 3, 2)
	require.NoError(t, err)
	for _, row := range [][]float32{{1, 2}, {3, 4}, {5, 6.5}} {
		require.NoError(t, binary.Write(values, binary.LittleEndian, row))
	}
	require.NoError(t, w.Add("labels", npz.Array{Shape: []int{2}, Values: []int64{7, 8}}))
	require.NoError(t, w.Close())
	got, err := npz.Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	require.NoError(t, err)
	assert.Equal(t, npz.Archive{
		"images": {Shape: []int{3, 2}, Values: []float32{1, 2, 3, 4, 5, 6.5}},
		"labels": {Shape: []int{2}, Values: []int64{7, 8}},
	}, got)
}

func TestWriterRefuses(t *testing.T) {
	w := npz.NewWriter(&bytes.Buffer{})
	values, err := w.Float32("images", 2)
	require.NoError(t, err)
	assert.ErrorContains(t, binary.Write(values, binary.LittleEndian, []float32{1, 2, 3}),
		"more values than the shape [2] has")
	require.NoError(t, binary.Write(values, binary.LittleEndian, []float32{1}))
	_, err = w.Float32("more", 1)
	require.ErrorContains(t, err, `array "images": 4 bytes of values are missing of the shape [2]`)
	assert.Error(t, w.Close())
	assert.ErrorContains(t, npz.NewWriter(&bytes.Buffer{}).Add("x", npz.Array{Shape: []int{2}, Values: []float32{1}}),
		"do not fill the shape")
}
