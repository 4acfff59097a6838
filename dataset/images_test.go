package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
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

func bigEndian(values ...float64) (data []byte) {
	for _, v := range values {
		data = binary.BigEndian.AppendUint64(data, math.Float64bits(v))
	}
	return data
}

// pngHeader is the beginning of a picture of that size, without its pixels.
func pngHeader(height, width uint32) []byte {
	chunk := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), width), height)
	chunk = append(chunk, 16, 6, 0, 0, 0)
	file := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\r"), chunk...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(chunk))
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
		"idx":        {idxImages(), 2, pixels},
		"idx.gz":     {zipped(t, idxImages()), 2, pixels},
		"float32":    {npy("<f4", "2, 1, 2", []float32{0, -1, 2, 0.5}), 2, []float32{0, -1, 2, 0.5}},
		"float64":    {npy("<f8", "2, 1, 2", []float64{0, -1, 2, 0.5}), 2, []float32{0, -1, 2, 0.5}},
		"uint8":      {npy("|u1", "2, 1, 2", []uint8{0, 51, 102, 255}), 2, pixels},
		"big-endian": {npy(">f8", "2, 1, 2", bigEndian(0, -1, 2, 0.5)), 2, []float32{0, -1, 2, 0.5}},
		"float16":    {npy("<f2", "2, 1, 2", []uint16{0, 0xbc00, 0x4000, 0x3800}), 2, []float32{0, -1, 2, 0.5}},
		"int64":      {npy("<i8", "2, 1, 2", []int64{0, 51, 102, 255}), 2, pixels},
		"uint16":     {npy("<u2", "2, 1, 2", []uint16{0, 51, 102, 255}), 2, pixels},
		"boolean":    {npy("|b1", "2, 1, 2", []bool{false, true, true, false}), 2, []float32{0, 1, 1, 0}},
		"idx of int16": {append([]byte{0, 0, 0x0b, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}, 0, 0, 0, 51, 0, 102, 0, 255), 2,
			pixels},
		"idx of float": {append([]byte{0, 0, 0x0d, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2}, 0x40, 0, 0, 0, 0xbf, 0, 0, 0), 1,
			[]float32{2, -0.5}},
		"one":    {npy("<f4", "1, 2", []float32{3, 4}), 1, []float32{3, 4}},
		"grey":   {pngOf(t, Grey([]float32{-1, 0.2}, 1, 2)), 1, []float32{0, 0.2}},
		"colour": {pngOf(t, colours), 1, []float32{0, 1}},
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
		"empty": {nil, ErrFormat, "it is empty; an IDX, a .npy or a PNG file is expected"},
		"text":  {[]byte("hello"), ErrFormat, "it is something that starts with the bytes 68 65 6c 6c; an IDX"},
		"jpeg": {[]byte("\xff\xd8\xff\xe0\x00\x10JFIF"), ErrFormat,
			"it is a JPEG picture; an IDX, a .npy or a PNG file is expected"},
		"npy.gz": {zipped(t, npy("<f4", "1, 1", []float32{1})), ErrFormat,
			"it is a .npy array; an IDX file is expected, which starts with the bytes 00 00"},
		"idx type":  {[]byte{0, 0, 10, 3, 0, 0, 0, 1}, ErrFormat, "type 0x0a, which the IDX format does not have"},
		"complex":   {npy("<c8", "1, 1", []float32{1, 2}), ErrFormat, "its values are complex"},
		"large png": {pngHeader(8192, 8192), ErrFormat, "8192×8192 pixels; the most is 8192×8192, and 16777216 altogether"},
		"huge idx": {[]byte{0, 0, 8, 3, 127, 255, 255, 255, 0, 0, 0, 1, 0, 0, 0, 1}, ErrFormat,
			"its values take 2048.0 MiB, and the most is 128.0 MiB"},
		"huge npy": {npy("<f4", "2147483647, 1, 1", []float32{}), ErrFormat, "takes 8192.0 MiB, and the most is 128.0 MiB"},
		"npz":      {[]byte("PK\x03\x04"), ErrFormat, "save the array with the images as an .npy file"},
		"labels":   {[]byte{0, 0, 8, 1, 0, 0, 0, 1, 7}, ErrFormat, "1 axes and should have 3"},
		"torn idx": {idxImages()[:18], ErrFormat, "after 2 of the 4 values"},
		"torn png": {pngOf(t, image.NewGray(image.Rect(0, 0, 9, 9)))[:40], ErrFormat, "EOF"},
		"huge png": {pngOf(t, image.NewGray(image.Rect(0, 0, 9000, 1))), ErrFormat, "1×9000 pixels; the most is 8192×8192"},
		"torn npy": {npy("<f4", "2, 1, 2", []float32{1, 2}), ErrFormat, "do not fill"},
		"a vector": {npy("<f4", "2,", []float32{1, 2}), ErrFormat, "[n, height, width]"},
		"whole": {npy("<i8", "1, 2", []int64{1, 256}), ErrFormat,
			"value 1 is 256; whole numbers are pixels from 0 to 255"},
		"negative":   {npy("|i1", "1, 2", []int8{1, -1}), ErrFormat, "value 1 is -1"},
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
