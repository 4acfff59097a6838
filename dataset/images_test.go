package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

// npy is a file as NumPy writes it.
func npy(descr, shape string, values any) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	b := bytes.NewBufferString("\x93NUMPY\x01\x00")
	_ = binary.Write(b, binary.LittleEndian, uint16(len(header)))
	b.WriteString(header)
	_ = binary.Write(b, binary.LittleEndian, values)
	return b.Bytes()
}

func idxImages() []byte {
	b := bytes.NewBuffer([]byte{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2})
	b.Write([]byte{0, 51, 102, 255})
	return b.Bytes()
}

func zipped(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func pngOf(t testing.TB, picture image.Image) []byte {
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, picture))
	return b.Bytes()
}

func TestReadImages(t *testing.T) {
	colours := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	colours.Set(1, 0, color.White)
	pixels := []float32{0, 0.2, 0.4, 1}
	for name, c := range map[string]struct {
		data  []byte
		count int
		want  []float32
	}{
		"idx":     {idxImages(), 2, pixels},
		"idx.gz":  {zipped(t, idxImages()), 2, pixels},
		"float32": {npy("<f4", "2, 1, 2", []float32{0, -1, 2, 0.5}), 2, []float32{0, -1, 2, 0.5}},
		"float64": {npy("<f8", "2, 1, 2", []float64{0, -1, 2, 0.5}), 2, []float32{0, -1, 2, 0.5}},
		"uint8":   {npy("|u1", "2, 1, 2", []uint8{0, 51, 102, 255}), 2, pixels},
		"one":     {npy("<f4", "1, 2", []float32{3, 4}), 1, []float32{3, 4}},
		"grey":    {pngOf(t, Grey([]float32{-1, 0.2}, 1, 2)), 1, []float32{0, 0.2}},
		"colour":  {pngOf(t, colours), 1, []float32{0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "images")
			require.NoError(t, os.WriteFile(path, c.data, 0o644))
			x, err := ReadImages(path)
			require.NoError(t, err)
			assert.Equal(t, c.count, x.Len())
			assert.Equal(t, []int{1, 2}, x.Shape())
			assert.Equal(t, c.want, x.Floats())
		})
	}
}

func TestReadImagesRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		want error
		says string
	}{
		"empty":      {nil, ErrFormat, "neither an IDX, a .npy nor a PNG file"},
		"text":       {[]byte("hello"), ErrFormat, "neither"},
		"npz":        {[]byte("PK\x03\x04"), ErrFormat, "save the array with the images as an .npy file"},
		"labels":     {[]byte{0, 0, 8, 1, 0, 0, 0, 1, 7}, ErrFormat, "1 axes and should have 3"},
		"torn idx":   {idxImages()[:18], ErrFormat, "after 2 of the 4 values"},
		"torn png":   {pngOf(t, image.NewGray(image.Rect(0, 0, 9, 9)))[:40], ErrFormat, "EOF"},
		"huge png":   {pngOf(t, image.NewGray(image.Rect(0, 0, 9000, 1))), ErrFormat, "1×9000 pixels; the most is 8192×8192"},
		"torn npy":   {npy("<f4", "2, 1, 2", []float32{1, 2}), ErrFormat, "do not fill"},
		"a vector":   {npy("<f4", "2,", []float32{1, 2}), ErrFormat, "[n, height, width]"},
		"whole":      {npy("<i8", "1, 2", []int64{1, 2}), ErrFormat, "[]int64"},
		"not finite": {npy("<f4", "1, 2", []float32{1, float32(math.NaN())}), core.ErrNonFinite, "NaN"},
		"no pixels":  {npy("<f4", "3, 0", []float32{}), core.ErrShape, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "images")
			require.NoError(t, os.WriteFile(path, c.data, 0o644))
			_, err := ReadImages(path)
			require.ErrorIs(t, err, c.want)
			assert.ErrorContains(t, err, path)
			assert.ErrorContains(t, err, c.says)
		})
	}
	_, err := ReadImages(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzReadImages(f *testing.F) {
	f.Add(idxImages())
	f.Add(zipped(f, idxImages()))
	f.Add(npy("<f4", "2, 1, 2", []float32{0, -1, 2, 0.5}))
	f.Add(pngOf(f, Grey([]float32{-1, 0.2}, 1, 2)))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := readImages(bytes.NewReader(data))
		if err == nil {
			require.NoError(t, x.CheckFinite())
			require.Len(t, x.Floats(), x.Len()*x.Size())
		}
	})
}
