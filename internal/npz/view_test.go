package npz_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/internal/npz"
)

func viewOf(t *testing.T, file []byte) npz.View {
	t.Helper()
	v, err := npz.NewView(file)
	require.NoError(t, err)
	return v
}

func allOf(v npz.View, rows, size int) []float32 {
	values := make([]float32, rows*size)
	v.Read(values, 0)
	return values
}

// TestViewOfEveryType: 1 and 2 in every type and order of bytes.
func TestViewOfEveryType(t *testing.T) {
	for descr, values := range map[string]string{
		"<f2": "003c 0040", ">f2": "3c00 4000", "<f4": "0000803f 00000040", ">f4": "3f800000 40000000",
		"<f8": "000000000000f03f 0000000000000040", ">f8": "3ff0000000000000 4000000000000000",
		"|i1": "01 02", "<i2": "0100 0200", ">i2": "0001 0002", "<i4": "01000000 02000000", ">i4": "00000001 00000002",
		"<i8": "0100000000000000 0200000000000000", ">i8": "0000000000000001 0000000000000002",
		"|u1": "01 02", "<u2": "0100 0200", ">u2": "0001 0002", "<u4": "01000000 02000000", ">u4": "00000001 00000002",
		"<u8": "0100000000000000 0200000000000000", ">u8": "0000000000000001 0000000000000002",
	} {
		for version := byte(1); version <= 3; version++ {
			header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (2,), }\n", descr)
			v := viewOf(t, npy(version, header, unhex(t, values)))
			assert.Equal(t, []float32{1, 2}, allOf(v, 2, 1), descr)
			assert.InDelta(t, 2, v.At(1, 0), 0, descr)
			assert.Equal(t, descr[1:], v.Type())
		}
	}
	bools := viewOf(t, npy(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }\n", []byte{0, 1, 1}))
	assert.Equal(t, []float32{0, 1, 1}, allOf(bools, 3, 1))
	large := viewOf(t, npy(1, "{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }\n",
		binary.LittleEndian.AppendUint64(nil, math.MaxUint64)))
	assert.InDelta(t, float64(math.MaxUint64), large.At(0, 0), 0)
}

// TestViewOfColumnMajor: the same values as row-major, of arrays of up to four axes.
func TestViewOfColumnMajor(t *testing.T) {
	for _, shape := range [][]int{{5}, {3, 4}, {4, 2, 3}, {2, 3, 2, 2}} {
		size := 1
		for _, n := range shape {
			size *= n
		}
		want, file := make([]float32, size), make([]byte, size)
		for i := range want { // i is the place, row-major
			at, stride, rest := 0, size, i
			for axis := len(shape) - 1; axis >= 0; axis-- {
				stride /= shape[axis]
				at += rest % shape[axis] * stride
				rest /= shape[axis]
			}
			want[i], file[at] = float32(i), byte(i)
		}
		text := ""
		for _, n := range shape {
			text += fmt.Sprint(n) + ", "
		}
		v := viewOf(t, npy(1, "{'descr': '|u1', 'fortran_order': True, 'shape': ("+text+"), }\n", file))
		row := size / shape[0]
		assert.Equal(t, want, allOf(v, shape[0], row), shape)
		last := make([]float32, row)
		v.Read(last, shape[0]-1)
		assert.Equal(t, want[size-row:], last)
	}
}

func TestViewRefuses(t *testing.T) {
	for file, says := range map[string]string{
		"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n": "values of type \"|O\" " +
			"are not read",
		"{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }\n": "its values are complex " +
			"numbers (c8)",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n": "it is a single number",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n": "the shape [3] takes 12 " +
			"bytes of values, and the file has 8",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n": "the shape [1] takes 4 " +
			"bytes of values, and the file has 8",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999999)}":               "takes",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647,)*3}":                    "unreadable header",
		"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n":                  "records of several fields",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647,2147483647,2147483647)}": "is too large",
	} {
		_, err := npz.NewView(npy(1, file, make([]byte, 8)))
		require.ErrorIs(t, err, npz.ErrArray, file)
		require.ErrorContains(t, err, says)
	}
	_, err := npz.NewView(nil)
	require.ErrorIs(t, err, npz.ErrArray)
}

func zipped(t *testing.T, members map[string][]byte, method uint16) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range members {
		m, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		require.NoError(t, err)
		_, err = m.Write(content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// everything wants all arrays.
func everything(string) bool { return true }

func TestViews(t *testing.T) {
	const n = 400_000 // more than a megabyte
	large := npy(1, fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }\n", n), make([]byte, 4*n))
	small := npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n", []byte{1, 2})
	members := map[string][]byte{"large.npy": large, "small.npy": small}
	for method, used := range map[uint16]int{zip.Store: len(small), zip.Deflate: len(small) + len(large)} {
		content := zipped(t, members, method)
		names, views, took, err := npz.Views(content, 1<<30, everything)
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{"large", "small"}, names)
		assert.EqualValues(t, used, took, "what is not compressed stays where it is")
		for i, v := range views {
			assert.Equal(t, map[string]int{"large": n, "small": 2}[names[i]], v.Shape()[0])
		}
		_, _, _, err = npz.Views(content, int64(used-1), everything)
		require.ErrorIs(t, err, foreign.ErrTooLarge)
		for cut := 1; cut < len(content); cut *= 3 {
			_, _, _, err = npz.Views(content[:len(content)-cut], 1<<30, everything)
			require.ErrorIs(t, err, npz.ErrFormat)
		}
	}
	_, _, _, err := npz.Views(zipped(t, map[string][]byte{"readme.txt": nil}, zip.Store), 1, everything)
	require.ErrorContains(t, err, `the member "readme.txt" is not a .npy file`)
	damaged := zipped(t, map[string][]byte{"small.npy": small}, zip.Store)
	damaged[bytes.Index(damaged, []byte{1, 2, 'P'})]++
	_, _, _, err = npz.Views(damaged, 1<<20, everything)
	require.ErrorIs(t, err, npz.ErrFormat, "the checksum of a small member is looked at")
}

// TestViewsOfZip64: an archive as NumPy writes it, with sizes of 64 bits in extra fields.
func TestViewsOfZip64(t *testing.T) {
	small := npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n", []byte{1, 2})
	content := zip64(t, "x.npy", small)
	names, views, _, err := npz.Views(content, 1<<20, everything)
	require.NoError(t, err)
	assert.Equal(t, []string{"x"}, names)
	assert.Equal(t, []float32{1, 2}, allOf(views[0], 2, 1))
}

// FuzzView: whatever is accepted can be read, to its last value.
func FuzzView(f *testing.F) {
	f.Add(npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n", make([]byte, 8)))
	f.Add(npy(2, "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2), }\n", make([]byte, 8)))
	f.Add(npy(3, "{'descr': '|b1', 'fortran_order': True, 'shape': (2, 2, 2), }\n", make([]byte, 8)))
	f.Add(npy(1, "{'descr': '|O', 'fortran_order': False, 'shape': (2, 0), }\n", nil))
	f.Fuzz(func(t *testing.T, file []byte) {
		v, err := npz.NewView(file)
		if err != nil {
			require.ErrorIs(t, err, npz.ErrArray)
			return
		}
		row := 1
		for _, n := range v.Shape()[1:] {
			row *= n
		}
		if rows := v.Shape()[0]; rows*row > 0 {
			values := make([]float32, row)
			v.Read(values, rows-1)
			last := float32(v.At(rows-1, row-1))
			require.True(t, last == values[row-1] || last != last)
		}
	})
}

// zip64 is an archive of one stored member whose sizes are in extra fields of 64 bits, as Python
// writes it when it does not know them before.
func zip64(t *testing.T, name string, content []byte) []byte {
	le := binary.LittleEndian
	size, sum := uint64(len(content)), crc32.ChecksumIEEE(content)
	head := func(b []byte) []byte {
		b = le.AppendUint16(b, 45) // version
		b = append(b, make([]byte, 8)...)
		b = le.AppendUint32(b, sum)
		b = le.AppendUint64(b, math.MaxUint64) // both sizes are elsewhere
		return le.AppendUint16(b, uint16(len(name)))
	}
	extra := le.AppendUint16(le.AppendUint16(nil, 1), 16)
	extra = le.AppendUint64(le.AppendUint64(extra, size), size)

	b := head([]byte("PK\x03\x04"))
	b = le.AppendUint16(b, uint16(len(extra)))
	b = append(append(append(b, name...), extra...), content...)
	directory := len(b)
	b = head(append(b, "PK\x01\x02\x2d\x03"...))
	b = le.AppendUint16(b, uint16(len(extra)))
	b = append(b, make([]byte, 14)...)
	b = append(append(b, name...), extra...)
	length := len(b) - directory
	end := len(b)
	b = le.AppendUint64(append(b, "PK\x06\x06"...), 44)
	b = append(b, 45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, n := range []int{1, 1, length, directory} {
		b = le.AppendUint64(b, uint64(n))
	}
	b = le.AppendUint64(append(b, "PK\x06\x07\x00\x00\x00\x00"...), uint64(end))
	b = le.AppendUint32(b, 1)
	b = append(b, "PK\x05\x06\x00\x00\x00\x00"...)
	b = le.AppendUint32(b, math.MaxUint32) // both counts
	b = le.AppendUint64(b, math.MaxUint64)
	b = append(b, 0, 0)
	require.NotEmpty(t, b)
	return b
}
