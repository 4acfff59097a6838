package npz_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/internal/npz"
)

// npy is a .npy file of a version with that header as it is.
func npy(version byte, header string, values []byte) []byte {
	b := []byte{0x93, 'N', 'U', 'M', 'P', 'Y', version, 0}
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(header)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(header)))
	}
	return append(append(b, header...), values...)
}

func unhex(t testing.TB, text string) []byte {
	data, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return data
}

// TestHeaders: headers as NumPy reads them, of the values 1 and 2 as float32.
func TestHeaders(t *testing.T) {
	values := unhex(t, "0000803f 00000040")
	for name, file := range map[string][]byte{
		"as numpy writes": npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }          \n", values),
		"version 2":       npy(2, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", values),
		"version 3":       npy(3, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", values),
		"no spaces":       npy(1, "{'descr':'<f4','fortran_order':False,'shape':(2,)}", values),
		"many spaces":     npy(1, " {  'descr' :\t'<f4' , 'fortran_order' : False ,\n 'shape' : ( 2 , ) , }  \n", values),
		"other order":     npy(1, "{'shape': (2,), 'descr': '<f4', 'fortran_order': False}\n", values),
		"double quotes":   npy(1, `{"descr": "<f4", "fortran_order": False, "shape": (2,)}`+"\n", values),
		"python 2":        npy(1, "{u'descr': u'<f4', 'fortran_order': False, 'shape': (2L,), }\n", values),
		"native order":    npy(1, "{'descr': 'f4', 'fortran_order': False, 'shape': (2,), }\n", values),
		"equal sign":      npy(1, "{'descr': '=f4', 'fortran_order': False, 'shape': (2,), }\n", values),
		"fortran, 1 axis": npy(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }\n", values),
		"big-endian": npy(1, "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }\n",
			unhex(t, "3f800000 40000000")),
	} {
		t.Run(name, func(t *testing.T) {
			a, err := npz.ReadArray(bytes.NewReader(file))
			require.NoError(t, err)
			assert.Equal(t, npz.Array{Shape: []int{2}, Values: []float32{1, 2}}, a)
		})
	}
}

func TestHeadersRefused(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"version 4":     {npy(4, "{}", nil), "of version 4"},
		"no dictionary": {npy(1, "[]", nil), "unreadable header"},
		"torn":          {npy(1, "{'descr': '<f4'", nil), "unreadable header"},
		"twice": {npy(1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", nil),
			"unreadable"},
		"another key":    {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}", nil), "unreadable"},
		"a key too few":  {npy(1, "{'descr': '<f4', 'shape': ()}", nil), "unreadable"},
		"shape a number": {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", nil), "unreadable"},
		"negative":       {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", nil), "unreadable"},
		"no comma":       {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", nil), "unreadable"},
		"text behind":    {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x", nil), "unreadable"},
		"records":        {npy(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", nil), "records"},
		"objects":        {npy(1, "{'descr': '|O', 'fortran_order': False, 'shape': ()}", nil), `type "|O" are not read`},
		"text":           {npy(1, "{'descr': '<U5', 'fortran_order': False, 'shape': ()}", nil), `type "<U5" are not read`},
		"long header":    {npy(2, strings.Repeat(" ", 1<<17), nil), "131072 bytes, and the most is 65536"},
		"too few values": {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", make([]byte, 7)), "do not fill"},
		"too many":       {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", make([]byte, 9)), "do not fill"},
		"2^64 values": {npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 2147483647, 4)}", nil),
			"is too large"},
		"uint64": {npy(1, "{'descr': '<u8', 'fortran_order': False, 'shape': ()}", bytes.Repeat([]byte{255}, 8)),
			"value 18446744073709551615"},
		"nothing": {nil, "does not begin"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := npz.ReadArray(bytes.NewReader(c.file))
			require.ErrorIs(t, err, npz.ErrArray)
			assert.ErrorContains(t, err, c.says)
		})
	}
}

// TestTypes: the bytes are those of numpy.array(…, dtype).tobytes().
func TestTypes(t *testing.T) {
	for descr, c := range map[string]struct {
		bytes string
		want  any
	}{
		"<f2": {"0000 0080 003c 00c0 ff7b 0100 007c 00fc", []float32{0, float32(math.Copysign(0, -1)), 1, -2, 65504,
			5.9604644775390625e-08, float32(math.Inf(1)), float32(math.Inf(-1))}},
		">f2":  {"3c00 3555", []float32{1, 0.333251953125}},
		">f4":  {"3fc00000", []float32{1.5}},
		"<f8":  {"000000000000f8bf", []float64{-1.5}},
		">f8":  {"bff8000000000000", []float64{-1.5}},
		"|i1":  {"ff 7f 80", []int64{-1, 127, -128}},
		"<i2":  {"feff", []int64{-2}},
		">i2":  {"fffe", []int64{-2}},
		"<i4":  {"fdffffff", []int64{-3}},
		">i4":  {"fffffffd", []int64{-3}},
		"<i8":  {"fcffffffffffffff", []int64{-4}},
		">i8":  {"fffffffffffffffc", []int64{-4}},
		"|u1":  {"ff00", []uint8{255, 0}},
		"<u2":  {"feff", []int64{65534}},
		">u2":  {"fffe", []int64{65534}},
		"<u4":  {"ffffffff", []int64{4294967295}},
		">u4":  {"fffffffe", []int64{4294967294}},
		"<u8":  {"ffffffffffffff7f", []int64{math.MaxInt64}},
		">u8":  {"0000000000000102", []int64{258}},
		"|b1":  {"00 01", []bool{false, true}},
		"?":    {"01", []bool{true}},
		"<c8":  {"0000803f 000000c0", []complex128{complex(1, -2)}},
		">c16": {"3ff0000000000000 c000000000000000", []complex128{complex(1, -2)}},
	} {
		t.Run(descr, func(t *testing.T) {
			values := unhex(t, c.bytes)
			var n int
			switch want := c.want.(type) {
			case []float32:
				n = len(want)
			case []int64:
				n = len(want)
			case []uint8:
				n = len(want)
			case []bool:
				n = len(want)
			default:
				n = 1
			}
			file := npy(1, fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d,), }\n", descr, n), values)
			a, err := npz.ReadArray(bytes.NewReader(file))
			require.NoError(t, err)
			assert.Equal(t, c.want, a.Values)
		})
	}
	nan, err := npz.ReadArray(bytes.NewReader(npy(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (), }",
		[]byte{1, 0x7e})))
	require.NoError(t, err)
	assert.True(t, math.IsNaN(float64(nan.Values.([]float32)[0])))
}

// TestFortranOrder: numpy.asfortranarray([[[0,1],[2,3],[4,5]],[[6,7],[8,9],[10,11]]]) lies as 0 6 2
// 8 4 10 1 7 3 9 5 11.
func TestFortranOrder(t *testing.T) {
	file := npy(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }\n", []byte{0, 6, 2, 8, 4, 10, 1,
		7, 3, 9, 5, 11})
	a, err := npz.ReadArray(bytes.NewReader(file))
	require.NoError(t, err)
	assert.Equal(t, npz.Array{Shape: []int{2, 3, 2}, Values: []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}, a)
}

// archiveOf is a zip file of members as they are.
func archiveOf(t testing.TB, method uint16, members ...[]byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, content := range members {
		m, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("a%d.npy", i), Method: method})
		require.NoError(t, err)
		_, err = m.Write(content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// TestHostileArchives: what would take far more memory than the file has bytes is refused by its header.
func TestHostileArchives(t *testing.T) {
	zeros := func(n int) []byte {
		return append(npy(1, fmt.Sprintf("{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }\n", n), nil),
			make([]byte, n)...)
	}
	many := make([][]byte, 20000)
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"2^31 arrays without values": {archiveOf(t, zip.Deflate, npy(1,
			"{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 0), }\n", nil)),
			"takes 8192.0 MiB, and the most is 128.0 MiB"},
		"2^31 values": {archiveOf(t, zip.Deflate, npy(1,
			"{'descr': '<f8', 'fortran_order': False, 'shape': (2147483647,), }\n", nil)),
			"takes 16384.0 MiB, and the most is 128.0 MiB"},
		"a bomb": {archiveOf(t, zip.Deflate, zeros(129<<20)), "takes 129.0 MiB, and the most is 128.0 MiB"},
		"bombs":  {archiveOf(t, zip.Deflate, zeros(65<<20), zeros(65<<20)), "takes 65.0 MiB, and the most is 63.0 MiB"},
		"turned": {archiveOf(t, zip.Deflate, npy(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (65, 1048576), }\n",
			nil)),
			"takes 130.0 MiB"},
		"a list of members": {archiveOf(t, zip.Store, many...), "its list of members has more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := npz.Read(bytes.NewReader(c.file), int64(len(c.file)))
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, npz.ErrFormat)
			require.ErrorContains(t, err, c.says)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(200<<20), "bytes allocated, those freed again too")
		})
	}
}

// TestSharedBytes: members that lie on one another have more bytes together than the file.
func TestSharedBytes(t *testing.T) {
	member := append(npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (100000,), }\n", nil),
		make([]byte, 100000)...)
	data := archiveOf(t, zip.Store, member, nil, nil)
	// The list of members says of all that they are as long as the first, and where it is.
	first := bytes.Index(data, []byte("PK\x01\x02"))
	for at := first; at >= 0; {
		copy(data[at+16:at+28], data[first+16:first+28]) // checksum and sizes
		binary.LittleEndian.PutUint32(data[at+42:], 0)
		next := bytes.Index(data[at+1:], []byte("PK\x01\x02"))
		if next < 0 {
			break
		}
		at += 1 + next
	}
	_, err := npz.Read(bytes.NewReader(data), int64(len(data)))
	require.ErrorIs(t, err, npz.ErrFormat)
	assert.ErrorContains(t, err, "more bytes together than the file")
}

func TestTwins(t *testing.T) {
	data := archiveOf(t, zip.Store, []byte("x"), []byte("y"))
	data = bytes.ReplaceAll(data, []byte("a1.npy"), []byte("a0.npy"))
	_, err := npz.Read(bytes.NewReader(data), int64(len(data)))
	require.ErrorContains(t, err, `it has two members "a0.npy"`)
}

func TestRows(t *testing.T) {
	data := encode(t, npz.Archive{
		"x": {Shape: []int{2, 3}, Values: []float32{1, 2, 3, 4, 5, 6}}, "n": {Shape: []int{2}, Values: []int64{7, 8}},
	})
	rows := func(want map[string][]int, data []byte) (got []string, err error) {
		err = npz.Rows(bytes.NewReader(data), int64(len(data)), want, func(name string, row int, values any) error {
			got = append(got, fmt.Sprint(name, " ", row, " ", values))
			return nil
		})
		return got, err
	}
	want := map[string][]int{"x": {2, 3}, "n": {2}}
	got, err := rows(want, data)
	require.NoError(t, err)
	assert.Equal(t, []string{"n 0 [7]", "n 1 [8]", "x 0 [1 2 3]", "x 1 [4 5 6]"}, got)
	for name, c := range map[string]struct {
		want map[string][]int
		data []byte
		says string
	}{
		"another shape": {map[string][]int{"x": {3, 2}, "n": {2}}, data, "its shape is [2 3] and must be [3 2]"},
		"too many":      {map[string][]int{"x": {2, 3}}, data, `it has an array "n", which it must not have`},
		"too few":       {map[string][]int{"x": {2, 3}, "n": {2}, "y": {1}}, data, "2 of the 3 arrays"},
		"torn":          {want, data[:len(data)-30], ""},
		"too large": {map[string][]int{"x": {math.MaxInt32, math.MaxInt32, math.MaxInt32}}, data,
			"cannot have the shape"},
		"column-major": {map[string][]int{"a0": {2, 2}}, archiveOf(t, zip.Store,
			npy(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }", make([]byte, 4))), "column-major"},
		"values missing": {map[string][]int{"a0": {2, 2}}, archiveOf(t, zip.Store,
			npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }", make([]byte, 3))), "do not fill"},
		"values more": {map[string][]int{"a0": {2, 2}}, archiveOf(t, zip.Store,
			npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }", make([]byte, 5))), "do not fill"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rows(c.want, c.data)
			require.ErrorIs(t, err, npz.ErrFormat)
			assert.ErrorContains(t, err, c.says)
		})
	}
	failure := fmt.Errorf("stop")
	err = npz.Rows(bytes.NewReader(data), int64(len(data)), want, func(string, int, any) error { return failure })
	require.Equal(t, failure, err)
	assert.Equal(t, int64(256<<20), foreign.Limit())
}
