// Package npz reads and writes NumPy's .npz archives: named arrays of any shape, which numpy.load opens.
//
// The format is NumPy's: a zip file of .npy members, version 1.0 headers (numpy.lib.format). Arrays are little-endian and
// row-major. Any package may import it; it imports the standard library only.
package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrFormat says that a file is not an archive of arrays that this package reads.
var ErrFormat = errors.New("not a readable .npz file")

// ErrArray says that a file is not an array that this package reads.
var ErrArray = errors.New("not a readable .npy file")

// Array is an array of any shape with its values in row-major order. Values is a []float32, []float64, []int64, []uint8 or
// []complex128, or a [Text], which has no shape.
type Array struct {
	Shape  []int
	Values any
}

// Archive is a set of named arrays.
type Archive map[string]Array

// Text as the values of an array makes it a member of that name as it is, with no header: "header.json" for instance. numpy.load
// gives its bytes.
type Text []byte

var types = map[string]func(n int) any{
	"<f4":  func(n int) any { return make([]float32, n) },
	"<f8":  func(n int) any { return make([]float64, n) },
	"<i8":  func(n int) any { return make([]int64, n) },
	"|u1":  func(n int) any { return make([]uint8, n) },
	"<c16": func(n int) any { return make([]complex128, n) },
}

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
		if err := writeArray(member, a[strings.TrimSuffix(name, ".npy")]); err != nil {
			return fmt.Errorf("array %q: %w", name, err)
		}
	}
	return z.Close()
}

const magic = "\x93NUMPY\x01\x00"

func writeArray(w io.Writer, a Array) error {
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

// Read reads an archive. The error is [ErrFormat] for what is not one; arrays of other types or in Fortran order are not
// read either. Memory is taken only as values arrive.
func Read(r io.ReaderAt, size int64) (Archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	archive := Archive{}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok && path.Ext(f.Name) == ".json" {
			text, err := readText(f)
			if err != nil {
				return nil, fmt.Errorf("%w: %q: %w", ErrFormat, f.Name, err)
			}
			archive[f.Name] = Array{Values: text}
			continue
		}
		if !ok {
			return nil, fmt.Errorf("%w: the member %q is not a .npy file", ErrFormat, f.Name)
		}
		if archive[name], err = readMember(f); err != nil {
			return nil, fmt.Errorf("%w: array %q: %w", ErrFormat, name, err)
		}
	}
	return archive, nil
}

// maxText is the most bytes that a text has.
const maxText = 16 << 20

func readText(f *zip.File) (Text, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if len(text) > maxText {
		err = fmt.Errorf("a text of more than %d bytes", maxText)
	}
	return text, err
}

func readMember(f *zip.File) (Array, error) {
	r, err := f.Open()
	if err != nil {
		return Array{}, err
	}
	defer r.Close()
	return readArray(r)
}

// ReadArray reads a .npy file, under the same conditions as [Read].
func ReadArray(r io.Reader) (Array, error) {
	a, err := readArray(r)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrArray, err)
	}
	return a, err
}

var headerPattern = regexp.MustCompile(`^\{'descr': '([^']*)', 'fortran_order': (True|False), 'shape': \(([0-9, ]*)\), \} *\n$`)

func readArray(r io.Reader) (Array, error) {
	h, err := readHeader(r)
	if err != nil {
		return Array{}, err
	}
	// Reading before allocating the values keeps a lying header from costing memory.
	var data bytes.Buffer
	if err := h.copyValues(&data, r); err != nil {
		return Array{}, err
	}
	values := h.make(h.size)
	if _, err := binary.Decode(data.Bytes(), binary.LittleEndian, values); err != nil {
		return Array{}, err
	}
	return Array{h.shape, values}, nil
}

// header is that of a .npy file.
type header struct {
	make  func(n int) any // of the type of its values
	shape []int
	size  int // number of values
}

func readHeader(r io.Reader) (header, error) {
	var lead [len(magic) + 2]byte
	if _, err := io.ReadFull(r, lead[:]); err != nil {
		return header{}, err
	}
	if string(lead[:len(magic)]) != magic {
		return header{}, errors.New("no NumPy header of version 1.0")
	}
	text := make([]byte, binary.LittleEndian.Uint16(lead[len(magic):]))
	if _, err := io.ReadFull(r, text); err != nil {
		return header{}, err
	}
	match := headerPattern.FindSubmatch(text)
	if match == nil {
		return header{}, fmt.Errorf("unreadable header %.80q", text)
	}
	makeValues, ok := types[string(match[1])]
	if !ok {
		return header{}, fmt.Errorf("values of type %q are not read", match[1])
	}
	if string(match[2]) == "True" {
		return header{}, errors.New("arrays in Fortran order are not read")
	}
	shape, size, err := parseShape(string(match[3]))
	return header{makeValues, shape, size}, err
}

// copyValues copies the bytes of the values, and fails unless there are as many as the shape has.
func (h header) copyValues(w io.Writer, r io.Reader) error {
	want := int64(h.size) * int64(binary.Size(h.make(1)))
	n, err := io.Copy(w, io.LimitReader(r, want+1))
	if err == nil && n != want {
		err = fmt.Errorf("the values do not fill the shape %v exactly", h.shape)
	}
	return err
}

// Shapes reads an archive as [Read] does and returns the shapes of its arrays. Values are read, so that a torn or changed one is an
// error, but not kept.
func Shapes(r io.ReaderAt, size int64) (map[string][]int, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	shapes := map[string][]int{}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			continue
		}
		if shapes[name], err = memberShape(f); err != nil {
			return nil, fmt.Errorf("%w: array %q: %w", ErrFormat, name, err)
		}
	}
	return shapes, nil
}

func memberShape(f *zip.File) ([]int, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	return h.shape, h.copyValues(io.Discard, r)
}

func parseShape(text string) (shape []int, size int, err error) {
	size = 1
	for field := range strings.SplitSeq(text, ",") {
		field = strings.TrimSpace(field)
		if field == "" {
			continue
		}
		d, err := strconv.Atoi(field)
		if err != nil || d < 0 || (d > 0 && size > math.MaxInt32/d) {
			return nil, 0, fmt.Errorf("unreadable or too large shape (%s)", text)
		}
		shape = append(shape, d)
		size *= d
	}
	return shape, size, nil
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
