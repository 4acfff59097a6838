package dataset

import (
	stdzip "archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
)

// arrayFile is a .npy file with a header of a version.
func arrayFile(version byte, descr string, fortran bool, shape []int, values []byte) []byte {
	axes := strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]")
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (%s,), }\n", descr,
		map[bool]string{false: "False", true: "True"}[fortran], axes)
	b := []byte{0x93, 'N', 'U', 'M', 'P', 'Y', version, 0}
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(header)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(header)))
	}
	return append(append(b, header...), values...)
}

// floats is a .npy file of float32.
func floats(shape []int, values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return arrayFile(1, "<f4", false, shape, b)
}

func archiveOf(t *testing.T, members map[string][]byte) []byte {
	var b bytes.Buffer
	w := stdzip.NewWriter(&b)
	for name, content := range members {
		m, err := w.Create(name)
		require.NoError(t, err)
		_, err = m.Write(content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func written(t testing.TB, name string, content []byte) string {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

var all = Selection{Time: AutoTime}

func recordings1(t *testing.T, name, content string, s Selection) (Recording, error) {
	t.Helper()
	got, err := Recordings(t.Context(), written(t, name, []byte(content)), s)
	if err != nil {
		return Recording{}, err
	}
	require.Len(t, got, 1)
	return got[0], nil
}

// TestTables: what a table is taken for, and its numbers.
func TestTables(t *testing.T) {
	plain := []float32{1, 2.5, -3, 4}
	for name, c := range map[string]struct {
		text, form, columns, time string
		names                     []string
		values                    []float32
	}{
		"header":      {text: "x,y\n1,2.5\n-3,4\n", form: "header, comma-separated", names: []string{"x", "y"}},
		"no header":   {text: "1,2.5\n-3,4\n", form: "no header, comma-separated"},
		"no last end": {text: "1,2.5\n-3,4", form: "no header, comma-separated"},
		"Windows": {text: "\xef\xbb\xbfx,y\r\n1,2.5\r\n-3,4\r\n", form: "header, comma-separated",
			names: []string{"x", "y"}},
		"semicolons": {text: "x;y\n1;2.5\n-3;4\n", form: "header, semicolon-separated", names: []string{"x", "y"}},
		"decimal commas": {text: "x;y\n1,0;2,5\n-3;4\n", form: "header, semicolon-separated, decimal commas",
			names: []string{"x", "y"}},
		"tabs": {text: "1\t2,5\n-3\t4\n\n\n", form: "no header, tab-separated, decimal commas"},
		"spaces": {text: "# x  y\n 1.0e+00 2.5e+00\n-3.0   4 \n", form: "header, space-separated",
			names: []string{"x", "y"}},
		"quotes": {text: "\"x, of \"\"a\"\"\",\"y\"\n\"1\", \"2.5\"\n-3,4\n", form: "header, comma-separated",
			names: []string{`x, of "a`, "y"}},
		"time": {text: "t,x,y\n0,1,2.5\n.1,-3,4\n", form: "header, comma-separated", names: []string{"x", "y"},
			time: "column t"},
		"index": {text: ",x,y\n0,1,2.5\n1,-3,4\n", form: "header, comma-separated", names: []string{"x", "y"},
			time: "column 1"},
		"a temperature": {text: "x,T\n1,2.5\n-3,2\n", form: "header, comma-separated", names: []string{"x", "T"},
			values: []float32{1, 2.5, -3, 2}},
		"columns": {text: "a,x,b,y\nword,1,,2.5\n,-3,nan,4\n", form: "header, comma-separated", columns: "x,4",
			names: []string{"x", "y"}},
		"a range": {text: "1,2.5,9\n-3,4,9\n", form: "no header, comma-separated", columns: " 1..2 "},
		"turned": {text: "x,y\n1,2\n3,4\n", form: "header, comma-separated", columns: "y,x", names: []string{"y", "x"},
			values: []float32{2, 1, 4, 3}},
		"one column": {text: "x\n1\n2\n", form: "header", names: []string{"x"}, values: []float32{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			s := all
			s.Columns = c.columns
			r, err := recordings1(t, "a.csv", c.text, s)
			require.NoError(t, err)
			if c.values == nil {
				c.values = plain
			}
			assert.Equal(t, c.values, r.Rows.Floats())
			assert.Equal(t, c.form, r.Form)
			assert.Equal(t, c.names, r.Names)
			assert.Equal(t, c.time, r.Time)
			assert.Equal(t, "a.csv", r.File)
			require.NoError(t, r.CheckFinite())
		})
	}
	r, err := recordings1(t, "a.tsv", "step\tx\n10\t1\n10.5\t2\n", Selection{Time: "step"})
	require.NoError(t, err)
	assert.InDelta(t, 0.5, r.Interval, 1e-12)
	assert.Equal(t, []any{1, "step", .5, 10.5}, []any{r.Times.Column, r.Times.Name, r.Times.Step, r.Times.At(1)})
	assert.Equal(t, []float32{1, 2}, r.Rows.Floats())
	r, err = recordings1(t, "a.csv", "t,x\n0,1\n1,2\n", Selection{Time: NoTime})
	require.NoError(t, err)
	assert.Equal(t, []string{"t", "x"}, r.Names)
}

// timesText is lines of even times with a missing one.
func timesText(n, missing int) string {
	var b strings.Builder
	for i := range n {
		if i != missing {
			fmt.Fprintf(&b, "\n%.2f,1", 0.05*float64(i))
		}
	}
	return b.String()
}

// TestHeader: pandas names columns 0, 1, … if they have no names.
func TestHeader(t *testing.T) {
	r, err := recordings1(t, "a.csv", ",0,1\n0,1.5,2\n1,3,4\n", all)
	require.NoError(t, err)
	assert.Equal(t, []string{"0", "1"}, r.Names)
	assert.Equal(t, "column 1", r.Time)
	_, err = recordings1(t, "a.csv", "x,y\n1.5,2\n", Selection{Header: "false", Time: AutoTime})
	require.ErrorIs(t, err, core.ErrOption)
	for header, rows := range map[string]int{"true": 1, "false": 2} {
		r, err = recordings1(t, "a.csv", "0,1\n1.5,2\n", Selection{Time: AutoTime, Header: header})
		require.NoError(t, err)
		assert.Equal(t, rows, r.Rows.Len())
	}
}

// TestAutoTime: what is taken for the time where nothing else is said.
func TestAutoTime(t *testing.T) {
	for name, c := range map[string]struct {
		text, columns, time string
		interval            float64
		names               []string
	}{
		"t is not asked for": {"t,x,y\n0,1,2\n.5,1,2\n", "x,y", "column t", .5, []string{"x", "y"}},
		"t is asked for":     {"t,x\n0,1\n.5,1\n", "t,x", "", 0, []string{"t", "x"}},
		"a chosen time":      {",t,x\n0,0,1\n1,.5,1\n", "x", "column t", .5, []string{"x"}},
		"an index is chosen": {",x\n0,1\n0,1\n", "1..2", "", 0, []string{"", "x"}},
		"30 a second":        {"t,x\n0,1\n.03,1\n.07,1\n.1,1\n", "", "column t", .1 / 3, []string{"x"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := recordings1(t, "a.csv", c.text, Selection{Columns: c.columns, Time: AutoTime})
			require.NoError(t, err)
			assert.Equal(t, c.time, r.Time)
			assert.InDelta(t, c.interval, r.Interval, 1e-12)
			assert.Equal(t, c.names, r.Names)
		})
	}
}

// TestTablesRefused: what cannot be read gets a sentence that names file, line and column.
func TestTablesRefused(t *testing.T) {
	for name, c := range map[string]struct {
		text, says    string
		is            error
		columns, time string
	}{
		"text": {text: "x,y\n1,2\n3,four\n", is: ErrFormat,
			says: `a.csv: unreadable data file: line 3, column 2 (y): "four" is not a number; ` +
				`leave out the column with columns=`},
		"ragged": {text: "x,y\n1,2\n3\n", is: ErrFormat, says: "a.csv: unreadable data file: line 3 has 1 field, " +
			"but the first line has 2"},
		"decimal comma": {text: "x,y\n1,5,2,5\n", is: ErrFormat, says: "if the comma is the decimal mark, separate the " +
			"columns by semicolons or tabs"},
		"two marks": {text: "1.5;2\n1,5;2\n", is: ErrFormat,
			says: `line 2, column 1: "1,5" has a different decimal mark from the numbers before it`},
		"thousands": {text: "x;y\n1.234,5;2\n", is: ErrFormat, says: `line 2, column 1 (x): "1.234,5" is not a number`},
		"one field": {text: "x,y\n1,2\n3\n", is: ErrFormat, says: "line 3 has 1 field, but the first line has 2"},
		"names of rows": {text: "x y\n1 2 3\n", is: ErrFormat, says: "if the first column has the names of rows, as R " +
			"writes them"},
		"a comment": {text: "# made today\n1 2 3\n", is: ErrFormat, says: "leave the first line out if it does not " +
			"name the columns"},
		"for Excel":   {text: "sep=;\n1;2\n", is: ErrFormat, says: `its first line, "sep=;", is for Excel only`},
		"old Mac":     {text: "x,y\r1,2\r", is: ErrFormat, says: "its lines end with only a carriage return"},
		"only a mark": {text: "\xef\xbb\xbf", is: ErrFormat, says: "its first line is empty"},
		"JSON":        {text: "[[1,2],[3,4]]", is: ErrFormat, says: "it is a text in JSON"},
		"Parquet":     {text: "PAR1\x15\x04\x15", is: ErrFormat, says: "it is a Parquet file"},
		"a pickle":    {text: "\x80\x04\x95\x00", is: ErrFormat, says: "it is a pickle of Python"},
		"Excel":       {text: "PK\x03\x04\x14\x00[Content_Types].xml", is: ErrFormat, says: "it is a document of Office"},
		"binary":      {text: "\x01\x00\x02", is: ErrFormat, says: "it is something that starts with the bytes 01 00 02"},
		"only NumPy":  {text: "\x93NUMPY", is: ErrFormat, says: "it ends within its header"},
		"numbers": {text: "0,1\n1.5,2.5\n", is: core.ErrOption,
			says: `the first line, "0,1", may be numbers or the header`},
		"gap":        {text: "x,y\n1,\n", is: ErrFormat, says: "line 2, column 2 (y): the number is missing; fill the gap"},
		"empty line": {text: "1,2\n\n3,4\n", is: ErrFormat, says: "line 2 is empty, but line 3 is not"},
		"NaN":        {text: "x,y\n1,nan\n", is: core.ErrNonFinite, says: `line 2, column 2 (y): "nan" is not finite`},
		"Inf":        {text: "1,2\n-Inf,2\n", is: core.ErrNonFinite, says: `line 2, column 1: "-Inf" is not finite`},
		"too large": {text: "1,1e39\n", is: core.ErrNonFinite,
			says: `line 1, column 2: "1e39" is beyond the range of numbers of 32 bits`},
		"far too large": {text: "1,1e999\n", is: core.ErrNonFinite,
			says: `line 1, column 2: "1e999" is beyond the range of numbers`},
		"hexadecimal": {text: "1,2\n0x1p3,2\n", is: ErrFormat, says: `"0x1p3" is not a number`},
		"underscore":  {text: "1,2\n1_000,2\n", is: ErrFormat, says: `"1_000" is not a number`},
		"open quote": {text: "x,y\n1,\"2\n", is: ErrFormat, says: "line 2, column 2 (y): a quote that does not end in " +
			"its line"},
		"after a quote": {text: "x,y\n\"1\"2,3\n", is: ErrFormat,
			says: "line 2, column 1 (x): there is a text after a quote"},
		"UTF-16":        {text: "\xff\xfex\x00\n\x00", is: ErrFormat, says: "it is a text in UTF-16; save it in UTF-8"},
		"only a header": {text: "x,y\n", is: ErrFormat, says: "it has a header but no numbers"},
		"blank":         {text: "\n \n", is: ErrFormat, says: "it has no line that is not empty"},
		"empty":         {text: "", is: ErrFormat, says: "a.csv: unreadable data file: it is empty"},
		"uneven time": {text: "t,x\n0,1\n1,2\n3,3\n4,3\n", is: ErrFormat,
			says: "the time is not even: it rises by 2 after line 3, and by 1 after most"},
		"a gap in time": {text: "t,x" + timesText(100, 50), is: ErrFormat, says: "it rises by 0.1 after line 51, and by " +
			"0.05 after most"},
		"two runs": {text: "t,x\n0,1\n1,2\n0,3\n1,3\n", is: ErrFormat, says: "does not rise from line 3 (1) to the " +
			"next row (0); give each trajectory a file of its own, or time=none"},
		"a stamp twice": {text: "Time,x\n0,1\n1,2\n1,3\n", is: ErrFormat, says: "does not rise from line 3 (1)"},
		"index twice":   {text: "index,x\n0,1\n1,2\n0,3\n", is: ErrFormat, says: "does not rise from line 3 (1)"},
		"two times": {text: "index,t,x\n0,1,2\n1,2,2\n", is: core.ErrOption, says: "column 1 (index) and column 2 (t) " +
			"may both be the time; choose one with time="},
		"dates": {text: "x,time\n1,12:30\n", is: ErrFormat,
			says: `"12:30" is not a number; leave out the column with columns= and time=none`},
		"misspelt": {text: "speed,y\n1,2\n", columns: "sped", is: core.ErrOption, says: `did you mean "speed"?`},
		"time falls": {text: "s,x\n1,1\n1,2\n2,3\n", time: "s", is: ErrFormat, says: "the time does not rise from line " +
			"2 (1) to the next row (1)"},
		"only time": {text: "t\n0\n1\n2\n", is: core.ErrOption, says: "its only column is the time"},
		"no such column": {text: "x,y\n1,2\n", columns: "x,z", is: core.ErrOption,
			says: `there is no column "z"; it has the columns 1..2, x, y`},
		"no column 3": {text: "1,2\n", columns: "1..3", is: core.ErrOption, says: `there is no column "3"`},
		"backwards":   {text: "1,2\n", columns: "2..1", is: core.ErrOption, says: "goes backwards"},
		"twice":       {text: "1,2\n", columns: "2,1..2", is: core.ErrOption, says: "column 2 is chosen twice"},
		"two of a name": {text: "x,x\n1,2\n", columns: "x", is: core.ErrOption,
			says: `two columns are called "x"; name them by numbers`},
		"no such time": {text: "x,y\n1,2\n", time: "u", is: core.ErrOption, says: `there is no column "u"`},
		"nothing left": {text: "x,y\n1,2\n2,2\n", columns: "x", time: "x", is: core.ErrOption, says: "no column is left"},
		"a picture": {text: "\x89PNG\r\n\x1a\n\x00", is: ErrFormat, says: "it is a PNG picture; .npy, .npz, .csv and " +
			".tsv files are read"},
		"compressed": {text: "\x1f\x8b\x08\x00", is: ErrFormat, says: "it is compressed by gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Selection{Columns: c.columns, Time: AutoTime}
			if c.time != "" {
				s.Time = c.time
			}
			_, err := recordings1(t, "a.csv", c.text, s)
			require.ErrorIs(t, err, c.is)
			assert.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, "a.csv: ")
		})
	}
	long := strings.Repeat("1,", maxTextLine) + "1\n"
	_, err := recordings1(t, "a.csv", long, all)
	require.ErrorContains(t, err, "line 1 has more than 16777216 bytes")
}

// TestArrays: arrays of every order and size of row.
func TestArrays(t *testing.T) {
	r, err := recordings1(t, "a.npy", string(floats([]int{2, 3}, 1, 2, 3, 4, 5, 6)), all)
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 2, 3, 4, 5, 6}, r.Rows.Floats())
	assert.Equal(t, []int{1, 2, 3}, r.Columns)
	assert.Equal(t, "float32", r.Form)
	r, err = recordings1(t, "a.npy", string(floats([]int{3}, 1, 2, 3)), all)
	require.NoError(t, err)
	assert.Equal(t, []int{1}, r.Rows.Shape())
	chosen, err := recordings1(t, "a.npy", string(floats([]int{2, 3}, 1, 2, 3, 4, 5, 6)),
		Selection{Columns: "3,1", Time: "2"})
	require.NoError(t, err)
	assert.Equal(t, []float32{3, 1, 6, 4}, chosen.Rows.Floats())
	assert.InDelta(t, 4, chosen.Rows.View().At(1, 1), 0)
	assert.InDelta(t, 3, chosen.Interval, 0)
	assert.Equal(t, "column 2", chosen.Time)
	times := chosen.Times
	assert.Equal(t, []any{2, "", 3., 5.}, []any{times.Column, times.Name, times.Step, times.At(1)})
	r, err = recordings1(t, "a.npy", string(arrayFile(2, ">i2", true, []int{2, 2}, []byte{0, 1, 0, 2, 0, 3, 0, 4})), all)
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 3, 2, 4}, r.Rows.Floats())

	pixels, err := recordings1(t, "a.npy", string(arrayFile(3, "|u1", false, []int{2, 1, 2}, []byte{0, 51, 102, 255})),
		all)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2}, pixels.Rows.Shape())
	want, err := core.NewPixelSnapshots([]uint8{0, 51, 102, 255}, 1, 2)
	require.NoError(t, err)
	assert.Equal(t, want.Floats(), pixels.Rows.Floats())
	assert.Equal(t, "8-bit pixels, divided by 255", pixels.Form)
	colours, err := recordings1(t, "a.npy", string(floats([]int{1, 3, 1, 2}, 1, 2, 3, 4, 5, 6)), all)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3}, colours.Rows.Shape())
	assert.Equal(t, []float32{1, 3, 5, 2, 4, 6}, colours.Rows.Floats(), "channels come last")
	assert.InDelta(t, 3, colours.Rows.View().At(0, 1), 0)
	colours, err = recordings1(t, "a.npy", string(floats([]int{1, 5, 1, 1}, 1, 2, 3, 4, 5)), all)
	require.NoError(t, err)
	assert.Equal(t, []int{5, 1, 1}, colours.Rows.Shape(), "an image of one channel, five high")
}

func TestArraysRefused(t *testing.T) {
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		content       []byte
		says          string
		is            error
		columns, time string
	}{
		"objects": {content: arrayFile(1, "|O", false, []int{2}, nil), is: ErrFormat,
			says: `values of type "|O" are not read`},
		"far too many": {content: arrayFile(1, "<f4", false, []int{2000000000000, 2}, nil), is: ErrFormat, says: "the " +
			"shape [2000000000000 2] takes 16000000000000 bytes of values, and the file has 0"},
		"long floats": {content: arrayFile(1, "<f16", false, []int{1}, make([]byte, 16)), is: ErrFormat, says: "floats " +
			"and whole numbers of at most 64 bits, and booleans, are"},
		"complex": {content: arrayFile(1, "<c8", false, []int{1}, make([]byte, 8)), is: ErrFormat, says: "its values " +
			"are complex numbers"},
		"five axes": {content: arrayFile(1, "|u1", false, []int{1, 1, 1, 1, 1}, []byte{0}), is: ErrFormat, says: "an " +
			"array of shape [1 1 1 1 1]; [rows], [rows, columns]"},
		"no row": {content: arrayFile(1, "|u1", false, []int{0, 3}, nil), is: ErrFormat, says: "shape [0 3] has no " +
			"values"},
		"no column": {content: arrayFile(1, "|u1", false, []int{3, 0}, nil), is: ErrFormat, says: "shape [3 0] has no " +
			"values"},
		"cut": {content: floats([]int{2, 3}, 1, 2, 3), is: ErrFormat, says: "the shape [2 3] takes 24 bytes of " +
			"values, and the file has 12"},
		"version 9": {content: arrayFile(9, "<f4", false, []int{1}, make([]byte, 4)), is: ErrFormat, says: "its header " +
			"is of version 9"},
		"a long row": {content: arrayFile(1, "|u1", false, []int{1, maxRow + 1}, make([]byte, maxRow+1)), is: ErrFormat,
			says: "a snapshot has at most 4194304 values"},
		"image columns": {content: floats([]int{1, 1, 1}, 1), columns: "1", is: core.ErrOption, says: "these are images"},
		"no such name": {content: floats([]int{1, 1}, 1), columns: "x", is: core.ErrOption,
			says: `there is no column "x"; it has the columns 1..1`},
		"uneven time": {content: floats([]int{4, 2}, 0, 1, 1, 1, 5, 1, 6, 1), time: "1", is: ErrFormat, says: "the time " +
			"is not even: it rises by 4 after row 2, and by 1 after most"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Selection{Columns: c.columns, Time: AutoTime}
			if c.time != "" {
				s.Time = c.time
			}
			_, err := recordings1(t, "a.npy", string(c.content), s)
			require.ErrorIs(t, err, c.is)
			assert.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, "a.npy: ")
		})
	}
	r, err := recordings1(t, "a.npy", string(floats([]int{2, 2}, 1, 2, 3, nan)), all)
	require.NoError(t, err)
	require.ErrorIs(t, r.CheckFinite(), core.ErrNonFinite)
	require.ErrorContains(t, r.CheckFinite(), "a.npy, row 2, column 2: it is NaN")
	double := arrayFile(1, "<f8", false, []int{1, 1, 1}, binary.LittleEndian.AppendUint64(nil, math.Float64bits(1e300)))
	r, err = recordings1(t, "a.npy", string(double), all)
	require.NoError(t, err)
	require.ErrorContains(t, r.CheckFinite(), "a.npy, snapshot 1, value 1: it is +Inf as a number of 32 bits")
}

func TestArchives(t *testing.T) {
	one, two := floats([]int{1, 2}, 1, 2), floats([]int{1, 2}, 3, 4)
	got, err := Recordings(t.Context(),
		written(t, "a.npz", archiveOf(t, map[string][]byte{"run10.npy": two, "run2.npy": one})), all)
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, []string{"run2", "run10"}, []string{got[0].Array, got[1].Array})
	assert.Equal(t, "a.npz, array run10", got[1].Title())
	assert.Equal(t, []float32{3, 4}, got[1].Rows.Floats())
	for says, members := range map[string]map[string][]byte{
		`array "lag": `:                  {"lag.npy": floats(nil, 1)},
		`member "x.txt" is not`:          {"x.txt": nil},
		`"../../x.npy" lies in a folder`: {"../../x.npy": one},
		"array t is the time of the other arrays and has 3 values, but this array has 1 rows": {"x.npy": one,
			"t.npy": floats([]int{3}, 1, 2, 3)},
		"the time is not even: it rises by 5 after row 3 of array t": {"x.npy": floats([]int{4}, 1, 2, 3, 4),
			"t.npy": floats([]int{4}, 1, 2, 3, 8)},
		`an array of shape [0] has`: {"x.npy": arrayFile(1, "<f4", false, []int{0}, nil)},
	} {
		_, err := Recordings(t.Context(), written(t, "a.npz", archiveOf(t, members)), all)
		require.ErrorIs(t, err, ErrFormat)
		assert.ErrorContains(t, err, says)
	}
}

// TestArraysOfAnArchive: which are trajectories, and which has the time.
func TestArraysOfAnArchive(t *testing.T) {
	path := written(t, "a.npz", archiveOf(t, map[string][]byte{
		"x.npy": floats([]int{2, 2}, 1, 2, 3, 4), "t.npy": floats([]int{2}, 0, 0.5), "u.npy": floats([]int{2}, 7, 8),
	}))
	got, err := Recordings(t.Context(), path, all)
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, []string{"u", "x"}, []string{got[0].Array, got[1].Array})
	assert.Equal(t, "array t", got[1].Time)
	assert.InDelta(t, 0.5, got[1].Interval, 0)
	got, err = Recordings(t.Context(), path, Selection{Time: AutoTime, Arrays: "x, t"})
	require.NoError(t, err)
	assert.Equal(t, []string{"t", "x"}, []string{got[0].Array, got[1].Array})
	assert.Empty(t, got[1].Time)
	_, err = Recordings(t.Context(), path, Selection{Time: AutoTime, Arrays: "x,y"})
	require.ErrorIs(t, err, core.ErrOption)
	require.ErrorContains(t, err, `there is no array "y" in it`)
	path = written(t, "b.npz", archiveOf(t, map[string][]byte{"x.npy": floats([]int{1}, 1), "dt.npy": floats(nil, 1)}))
	got, err = Recordings(t.Context(), path, Selection{Time: AutoTime, Arrays: "x"})
	require.NoError(t, err)
	require.Len(t, got, 1)
}

func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"run10.csv", "run2.CSV", "run1.csv", "notes.txt", ".hidden.csv", "a,b.csv"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("1\n2\n"), 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder.csv"), 0o700))
	titles := func(place string) (all []string) {
		got, err := Recordings(t.Context(), place, Selection{Time: AutoTime})
		require.NoError(t, err)
		for i := range got {
			all = append(all, got[i].Title())
		}
		return all
	}
	assert.Equal(t, []string{"a,b.csv", "run1.csv", "run2.CSV", "run10.csv"}, titles(dir))
	one, two := filepath.Join(dir, "run10.csv"), filepath.Join(dir, "run1.csv")
	assert.Equal(t, []string{"run10.csv", "run1.csv"}, titles(one+", "+two))
	assert.Equal(t, []string{"a,b.csv"}, titles(filepath.Join(dir, "a,b.csv")))
	_, err := Recordings(t.Context(), one+",", all)
	require.ErrorContains(t, err, "there is no name before or after a comma")
	for _, person := range []string{"P1", "P2"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, person), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, person, "run.csv"), []byte("1\n2\n"), 0o600))
	}
	assert.Equal(t, []string{"P1/run.csv", "P2/run.csv"}, titles(filepath.Join(dir, "P1")+","+filepath.Join(dir, "P2")))
	empty := t.TempDir()
	_, err = Recordings(t.Context(), empty, all)
	require.ErrorContains(t, err, "has no file that ends in .npy, .npz, .csv, .tsv")
	_, err = Recordings(t.Context(), filepath.Join(dir, "none.csv"), all)
	require.ErrorIs(t, err, os.ErrNotExist)
	for place, is := range map[string]bool{
		dir: true, one: true, one + "," + two: true, empty: false, filepath.Join(dir, "none.csv"): true, filepath.Join(dir,
			"none"): false,
		filepath.Join(dir, "notes.txt"): true, "mnist": false,
		"mnist/train-images-idx3-ubyte.gz": false,
	} {
		assert.Equal(t, is, IsRecordings(place), place)
	}
	require.NoError(t, os.Symlink(one, filepath.Join(empty, "link.csv")))
	_, err = Recordings(t.Context(), empty, all)
	require.ErrorIs(t, err, foreign.ErrOutside)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Recordings(ctx, dir, all)
	require.ErrorIs(t, err, context.Canceled)
}

// TestNamesOfFiles: what is printed of a name is one line that steers nothing.
func TestNamesOfFiles(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "a\ndata: b\x1b.csv")
	require.NoError(t, os.WriteFile(at, []byte("1\n2\n"), 0o600))
	for _, place := range []string{at, dir} {
		got, err := Recordings(t.Context(), place, all)
		require.NoError(t, err)
		assert.Equal(t, "a data: b\uFFFD.csv", got[0].Title())
	}
	_, err := Recordings(t.Context(), filepath.Join(dir, "e\n.csv"), all)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "e .csv: no such file")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "f\nf"), 0o700))
	_, err = Recordings(t.Context(), filepath.Join(dir, "f\nf"), all)
	require.ErrorContains(t, err, "f f has no file that ends in .npy, .npz, .csv, .tsv; folders in it are not looked into")
	require.NoError(t, os.Symlink("/dev/null", filepath.Join(dir, "g\ng.csv")))
	_, err = Recordings(t.Context(), filepath.Join(dir, "g\ng.csv"), all)
	require.ErrorIs(t, err, foreign.ErrKind)
	assert.NotContains(t, err.Error(), "\n")
	_, err = Open(filepath.Join(dir, "f\nf"))
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.NotContains(t, err.Error(), "\n")
}

func TestNatural(t *testing.T) {
	for _, pair := range [][2]string{{"run2", "run10"}, {"a", "b"}, {"a1b2", "a1b10"}, {"a", "a1"}, {"09", "10"},
		{"x99", "x100"}} {
		assert.Negative(t, natural(pair[0], pair[1]), pair)
		assert.Positive(t, natural(pair[1], pair[0]), pair)
	}
	assert.Zero(t, natural("a01", "a01"))
}

// FuzzTable: any text is a table of finite numbers, or an error of a known sort.
func FuzzTable(f *testing.F) {
	for _, text := range []string{
		"t,x\n0,1\n1,2\n", "\xef\xbb\xbfx;y\r\n1,5;2\r\n", "1\t2\n3\t4\n\n", "\"a\"\"b\",c\n\"1\",2\n", "# a b\n1 2\n",
		"1,\n", "x\nnan\n",
		"\xff\xfe1\x00", ",,\n1,2,3\n", "1,2\n\n3,4", "1.5;1,5\n", "\"",
	} {
		f.Add(text, "", "auto")
	}
	f.Add("x,y\n1,2\n", "y,1", "none")
	f.Add("x,y\n1,2\n2,2\n", "1..2", "x")
	path := filepath.Join(f.TempDir(), "a.csv")
	f.Fuzz(func(t *testing.T, text, columns, time string) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		got, err := Recordings(t.Context(), path, Selection{Columns: columns, Time: time})
		if err != nil {
			for _, kind := range []error{ErrFormat, core.ErrNonFinite, core.ErrOption, foreign.ErrTooLarge} {
				if errors.Is(err, kind) {
					return
				}
			}
			t.Fatalf("%q: %v", text, err)
		}
		for _, r := range got {
			require.Positive(t, r.Rows.Len())
			require.Len(t, r.Columns, r.Rows.Size())
		}
	})
}
