// Package npz reads and writes NumPy's .npz archives: named arrays of any shape, which numpy.load
// opens.
//
// The format is NumPy's (numpy.lib.format): a zip file of .npy members. Files are written with
// headers of version 1.0, little-endian and row-major. Any array of numbers that numpy.save writes
// can be read, in either byte order and memory order.
//
// Any package may import it. It imports only package foreign, which limits how much is read.
package npz

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// ErrFormat says that a file is not an archive of arrays that this package reads.
var ErrFormat = errors.New("not a readable .npz file")

// ErrArray says that a file is not an array that this package reads.
var ErrArray = errors.New("not a readable .npy file")

// Array is an array of any shape with its values in row-major order. Values is a []float32,
// []float64, []int64, []uint8, []complex128 or []bool, or a [Text], which has no shape. Values of
// other types are read as the least of these that holds them: float16 as float32, int8 as int64.
type Array struct {
	Shape  []int
	Values any
}

// Archive is a set of named arrays.
type Archive map[string]Array

// Text as the values of an array makes it a member of that name as it is, with no header:
// "header.json" for instance. numpy.load gives its bytes.
type Text []byte

func typeOf(values any) (descr string, n int, err error) {
	switch v := values.(type) {
	case []float32:
		return "<f4", len(v), nil
	case []float64:
		return "<f8", len(v), nil
	case []int64:
		return "<i8", len(v), nil
	case []uint8:
		return "|u1", len(v), nil
	case []complex128:
		return "<c16", len(v), nil
	case []bool:
		return "|b1", len(v), nil
	}
	return "", 0, fmt.Errorf("values of type %T cannot be written to an .npz file", values)
}

// Write writes the arrays, compressed, in the order of their names: equal archives give equal bytes.
func Write(w io.Writer, a Archive) error { return write(w, a, zip.Deflate, "") }

// WritePlain is [Write] without compression, with a comment at the very end.
func WritePlain(w io.Writer, a Archive, comment string) error { return write(w, a, zip.Store, comment) }

func write(w io.Writer, a Archive, method uint16, comment string) error {
	z := zip.NewWriter(w)
	if err := z.SetComment(comment); err != nil {
		return err
	}
	names := make([]string, 0, len(a))
	for name := range a {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		text, isText := a[name].Values.(Text)
		if !isText {
			name += ".npy"
		}
		member, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			return err
		}
		if isText {
			if _, err := member.Write(text); err != nil {
				return err
			}
			continue
		}
		if err := WriteArray(member, a[strings.TrimSuffix(name, ".npy")]); err != nil {
			return fmt.Errorf("array %q: %w", name, err)
		}
	}
	return z.Close()
}

const magic = "\x93NUMPY\x01\x00"

// WriteArray writes the .npy file of an array.
func WriteArray(w io.Writer, a Array) error {
	descr, n, err := typeOf(a.Values)
	if err != nil {
		return err
	}
	if product(a.Shape) != n {
		return fmt.Errorf("%d values do not fill the shape %v", n, a.Shape)
	}
	if err := writeHeader(w, descr, a.Shape); err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, a.Values)
}

func product(shape []int) int {
	size := 1
	for _, d := range shape {
		size *= d
	}
	return size
}

func writeHeader(w io.Writer, descr string, lengths []int) error {
	dims := make([]string, len(lengths))
	for i, d := range lengths {
		dims[i] = strconv.Itoa(d)
	}
	shape := strings.Join(dims, ", ")
	if len(dims) == 1 {
		shape += ","
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	// The values begin at a multiple of 64 bytes; the header ends with a newline.
	total := (len(magic) + 2 + len(header) + 1 + 63) / 64 * 64
	header += strings.Repeat(" ", total-len(magic)-2-len(header)-1) + "\n"
	if _, err := io.WriteString(w, magic); err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint16(len(header))); err != nil {
		return err
	}
	_, err := io.WriteString(w, header)
	return err
}

// Values returns the values of the named array if it is there with that type and number of axes; -1 axes means any.
func Values[T float32 | float64 | int64 | uint8 | complex128](a Archive, name string, axes int) ([]T, []int, error) {
	array, ok := a[name]
	if !ok {
		return nil, nil, fmt.Errorf("%w: there is no array %q", ErrFormat, name)
	}
	values, ok := array.Values.([]T)
	if !ok || (axes >= 0 && len(array.Shape) != axes) {
		return nil, nil, fmt.Errorf("%w: array %q is a %T of %d axes", ErrFormat, name, array.Values, len(array.Shape))
	}
	return values, array.Shape, nil
}
