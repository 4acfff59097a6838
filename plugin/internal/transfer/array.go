package transfer

import (
	"encoding/binary"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Limits of the wire format.
const (
	MaxChunk = 1 << 20 // bytes of a chunk
	MaxName  = 256     // bytes of the name of a phase
	MaxArray = 1 << 30 // bytes of an array
	MaxAxes  = 8

	MaxStateArrays = 4096 // and MaxArray bytes of all arrays of a state
)

// widths are the bytes of one number of each type.
var widths = map[wire.Type]int{wire.Type_FLOAT32: 4, wire.Type_FLOAT64: 8, wire.Type_INT64: 8, wire.Type_COMPLEX128: 16,
	wire.Type_PIXEL8: 1, wire.Type_UINT8: 1}

// Array is an array to be sent: its announcement, and what appends the bytes of its numbers from … to-1.
type Array struct {
	header *wire.Array
	append func(dst []byte, from, to int) []byte
}

// Headers are the announcements of arrays.
func Headers(arrays []Array) []*wire.Array {
	headers := make([]*wire.Array, len(arrays))
	for i, a := range arrays {
		headers[i] = a.header
	}
	return headers
}

func header(name string, kind wire.Type, shape ...int) *wire.Array {
	h := &wire.Array{Name: name, Type: kind}
	for _, n := range shape {
		h.Shape = append(h.Shape, uint64(n))
	}
	return h
}

// Snapshots is an array of snapshots, 8 bits wide where they are in memory.
func Snapshots(name string, x core.Snapshots) Array {
	shape := append([]int{x.Len()}, x.Shape()...)
	if pixels, ok := x.Pixels(); ok {
		return Array{header(name, wire.Type_PIXEL8, shape...), func(dst []byte, from, to int) []byte {
			return append(dst, pixels[from:to]...)
		}}
	}
	return Array{header(name, wire.Type_FLOAT32, shape...), func(dst []byte, from, to int) []byte {
		size := x.Size()
		first, end := from/size, (to+size-1)/size
		values := x.Slice(first, end).Floats() // no more than are sent at once: a recording may be larger than memory
		return appendSingles(dst, values[from-first*size:to-first*size])
	}}
}

func singles(name string, values []float32, shape ...int) Array {
	return Array{header(name, wire.Type_FLOAT32, shape...), func(dst []byte, from, to int) []byte {
		return appendSingles(dst, values[from:to])
	}}
}

func appendSingles(dst []byte, values []float32) []byte {
	for _, v := range values {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
	}
	return dst
}

// Matrix is an array of the entries of a matrix.
func Matrix(name string, m mat.Matrix) Array {
	rows, columns := m.Dims()
	return Array{header(name, wire.Type_FLOAT64, rows, columns), func(dst []byte, from, to int) []byte {
		first, end := from/columns, (to+columns-1)/columns
		block := mat.NewDense(end-first, columns, nil)
		core.ReadRows(block, m, first)
		for _, v := range block.RawMatrix().Data[from-first*columns : to-first*columns] {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
		}
		return dst
	}}
}

// Labels is an array of labels.
func Labels(name string, labels []int) Array { return whole(name, labels, len(labels)) }

// Whole is an array of the shape's whole numbers, row-major.
func Whole(name string, values []int, shape ...int) Array { return whole(name, values, shape...) }

func whole[T int | int64](name string, values []T, shape ...int) Array {
	return Array{header(name, wire.Type_INT64, shape...), func(dst []byte, from, to int) []byte {
		for _, v := range values[from:to] {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
		}
		return dst
	}}
}

// Doubles is an array of the shape's numbers, row-major.
func Doubles(name string, values []float64, shape ...int) Array {
	return Array{header(name, wire.Type_FLOAT64, shape...), func(dst []byte, from, to int) []byte {
		for _, v := range values[from:to] {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
		}
		return dst
	}}
}

// Complexes is an array of the shape's complex numbers, row-major.
func Complexes(name string, values []complex128, shape ...int) Array {
	return Array{header(name, wire.Type_COMPLEX128, shape...), func(dst []byte, from, to int) []byte {
		for _, v := range values[from:to] {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(real(v)))
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(imag(v)))
		}
		return dst
	}}
}

// ComplexMatrix is an array of the entries of a matrix.
func ComplexMatrix(name string, m *mat.CDense) Array {
	rows, columns := m.Dims()
	values := make([]complex128, 0, rows*columns)
	for i := range rows {
		for j := range columns {
			values = append(values, m.At(i, j))
		}
	}
	return Complexes(name, values, rows, columns)
}

// count checks an announcement and returns how many numbers it has.
func count(h *wire.Array) (int, error) {
	width, known := widths[h.GetType()]
	if !known {
		return 0, fmt.Errorf("%w: the array %q has the unknown type %d", core.ErrContract, h.GetName(), h.GetType())
	}
	if len(h.GetShape()) > MaxAxes {
		return 0, fmt.Errorf("%w: the array %q has %d axes; the most is %d", core.ErrContract, h.GetName(), len(h.GetShape()),
			MaxAxes)
	}
	n, empty := uint64(1), false
	most := uint64(MaxArray / width)
	for _, axis := range h.GetShape() {
		switch {
		case axis == 0:
			empty = true
		case axis > most || n > most/axis:
			return 0, fmt.Errorf("%w: the array %q of shape %v has more than %d bytes, the most that is sent at once",
				core.ErrContract, h.GetName(), h.GetShape(), MaxArray)
		default:
			n *= axis
		}
	}
	if empty {
		return 0, nil
	}
	return int(n), nil
}
