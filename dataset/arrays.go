package dataset

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
)

// typeNames are NumPy's long names of types.
var typeNames = map[string]string{
	"f2": "float16", "f4": "float32", "f8": "float64", "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64",
	"u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64", "b1": "bool", "?": "bool",
}

// readArrays adds the arrays of a .npy or .npz file.
func (r *recordings) readArrays(file *os.File, name string) error {
	m, err := r.content(file)
	if err != nil {
		return err
	}
	names, views := []string{""}, make([]npz.View, 1)
	err = func() (err error) {
		defer core.Recover(&err)
		defer settle(m, debug.SetPanicOnFault(true))
		if !bytes.HasPrefix(m.bytes, []byte("PK")) {
			views[0], err = npz.NewView(m.bytes)
			return err
		}
		var used int64
		names, views, used, err = npz.Views(m.bytes, r.left, r.wants)
		r.left -= used
		return err
	}()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if len(views) == 0 {
		return fmt.Errorf("%w: it is an archive without arrays", ErrFormat)
	}
	order, time, err := r.order(names, views)
	if err != nil {
		return err
	}
	for _, i := range order {
		one := Recording{File: name, Array: shown(names[i])}
		err := one.take(views[i], m, r.Selection)
		if err == nil && time >= 0 {
			err = one.timed(views[time], shown(names[time]), m)
		}
		if err != nil {
			if names[i] != "" {
				err = fmt.Errorf("array %.80q: %w", names[i], err)
			}
			return err
		}
		r.all = append(r.all, one)
	}
	return nil
}

// take makes a recording of an array.
func (r *Recording) take(v npz.View, m *mapping, s Selection) (err error) {
	shape := v.Shape()
	switch {
	case len(shape) > 4:
		return fmt.Errorf(
			"%w: an array of shape %v; [rows], [rows, columns], [rows, height, width], [rows, channels, height, width] "+
				"and, of at most 4 channels, [rows, height, width, channels] are read", ErrFormat, shape)
	case slices.Contains(shape, 0):
		return fmt.Errorf("%w: an array of shape %v has no values", ErrFormat, shape)
	}
	row, size := shape[1:], 1
	for _, n := range row {
		if size *= n; size > maxRow {
			return fmt.Errorf("%w: an array of shape %v; a snapshot has at most %d values", ErrFormat, shape, maxRow)
		}
	}
	source := &rows{view: v, mapping: m}
	r.Form = typeNames[v.Type()]
	if len(row) > 1 {
		if s.Columns != "" || s.Time != AutoTime && s.Time != NoTime {
			return fmt.Errorf("%w: these are images of shape %v, but columns and a time need rows of numbers", core.ErrOption,
				row)
		}
		if channelsFirst(row) {
			row, source.columns = turned(row)
		}
		if r.Rows, err = core.NewSourceSnapshots(source, shape[0], row...); err == nil && v.Type() == "u1" {
			r.Form = "8-bit pixels, divided by 255"
			r.Rows, err = r.Rows.Scaled(make([]float64, size), slices.Repeat([]float64{math.MaxUint8}, size))
		}
		return err
	}
	columns := make([]int, size)
	for i := range columns {
		columns[i] = i
	}
	if s.Columns != "" {
		if columns, err = choose(s.Columns, size, nil); err != nil {
			return err
		}
	}
	if s.Time != AutoTime && s.Time != NoTime {
		t, err := column(s.Time, size, nil)
		if err != nil {
			return err
		}
		at := func(i int) string { return fmt.Sprintf("row %d", i+1) }
		err = func() (err error) {
			defer core.Recover(&err)
			defer settle(m, debug.SetPanicOnFault(true))
			r.Interval, err = even(shape[0], func(i int) float64 { return v.At(i, t) }, at)
			return err
		}()
		if err != nil {
			return err
		}
		r.Times = &Times{Column: t + 1, Step: r.Interval, at: func(i int) float64 {
			defer settle(m, debug.SetPanicOnFault(true))
			return v.At(i, t)
		}}
		r.Time = columnName(t, "")
		columns = slices.DeleteFunc(columns, func(i int) bool { return i == t })
	}
	if len(columns) == 0 {
		return fmt.Errorf("%w: no column is left", core.ErrOption)
	}
	for _, i := range columns {
		r.Columns = append(r.Columns, i+1)
	}
	if len(columns) < size || !slices.IsSorted(columns) {
		source.columns = columns
	}
	if slices.Contains([]string{"f8", "i4", "i8", "u4", "u8"}, v.Type()) {
		r.wide = source
	}
	r.Rows, err = core.NewSourceSnapshots(source, shape[0], len(columns))
	return err
}

// channelsFirst reports whether the first axis of an image is that of channels. It is unless only the last can be.
func channelsFirst(image []int) bool {
	const most = 4
	return len(image) == 3 && (image[0] <= most || image[2] > most)
}

// turned is the shape of an image whose channels come last, as networks and figures have them, and
// which value each is where they come first.
func turned(image []int) (shape, values []int) {
	channels, area := image[0], image[1]*image[2]
	for i := range channels * area {
		values = append(values, i%channels*area+i/channels)
	}
	return []int{image[1], image[2], channels}, values
}

// rows is an array as a [core.Source].
type rows struct {
	view    npz.View
	columns []int // the values of a row that are read, in their order; nil for all
	mapping *mapping
}

// Read implements [core.Source].
func (r *rows) Read(dst []float32, from int) {
	defer settle(r.mapping, debug.SetPanicOnFault(true))
	if r.columns == nil {
		r.view.Read(dst, from)
		return
	}
	for i := range dst {
		dst[i] = float32(r.view.At(from+i/len(r.columns), r.columns[i%len(r.columns)]))
	}
}

// At implements [core.Source].
func (r *rows) At(i, j int) float32 {
	defer settle(r.mapping, debug.SetPanicOnFault(true))
	if r.columns != nil {
		j = r.columns[j]
	}
	return float32(r.view.At(i, j))
}

// known says what a file is that begins so; "" if it may be a text of numbers.
func known(start []byte) string {
	text := what(start)
	lead := bytes.TrimLeft(start, " \r\n\t")
	binary := bytes.IndexByte(start[:min(len(start), 4)], 0) >= 0
	switch {
	case bytes.HasPrefix(lead, []byte("{")), bytes.HasPrefix(lead, []byte("[[")), bytes.HasPrefix(lead, []byte("[{")):
		return "a text in JSON"
	case strings.HasPrefix(text, unknownStart) && (!binary || bytes.HasPrefix(start, []byte("\xff\xfe")) ||
		bytes.HasPrefix(start, []byte("\xfe\xff"))), bytes.IndexFunc(start, func(c rune) bool { return c < '\t' }) < 0:
		return ""
	}
	return text
}

// isOffice reports whether an archive that begins so is a document of Office.
func isOffice(start []byte) bool { return bytes.Contains(start, []byte("[Content_Types].xml")) }
