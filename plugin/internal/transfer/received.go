package transfer

import (
	"encoding/binary"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Received is an array that has come. One of the slices has its numbers, by its type.
type Received struct {
	Name  string
	Type  wire.Type
	Shape []int
	count int // of numbers, as announced

	pixels  []uint8
	singles []float32
	doubles []float64
	whole   []int
	complex []complex128
}

// add appends a chunk of whole numbers.
func (a *Received) add(chunk []byte) {
	n := len(chunk) / widths[a.Type]
	switch a.Type {
	case wire.Type_PIXEL8, wire.Type_UINT8:
		a.pixels = append(room(a.pixels, n, a.count), chunk...)
	case wire.Type_FLOAT32:
		a.singles = room(a.singles, n, a.count)
		for ; len(chunk) >= 4; chunk = chunk[4:] {
			a.singles = append(a.singles, math.Float32frombits(binary.LittleEndian.Uint32(chunk)))
		}
	case wire.Type_FLOAT64:
		a.doubles = room(a.doubles, n, a.count)
		for ; len(chunk) >= 8; chunk = chunk[8:] {
			a.doubles = append(a.doubles, double(chunk))
		}
	case wire.Type_INT64:
		a.whole = room(a.whole, n, a.count)
		for ; len(chunk) >= 8; chunk = chunk[8:] {
			a.whole = append(a.whole, int(int64(binary.LittleEndian.Uint64(chunk))))
		}
	case wire.Type_COMPLEX128:
		a.complex = room(a.complex, n, a.count)
		for ; len(chunk) >= 16; chunk = chunk[16:] {
			a.complex = append(a.complex, complex(double(chunk), double(chunk[8:])))
		}
	}
}

// room returns a slice with room for n more numbers, of a total that was announced but may never
// come: memory is at most firstRoom numbers, or four times what has come.
func room[T any](s []T, n, total int) []T {
	const firstRoom = 1 << 22
	if cap(s)-len(s) >= n {
		return s
	}
	return append(make([]T, 0, max(len(s)+n, min(total, max(firstRoom, 4*cap(s))))), s...)
}

func double(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }

// expect checks type and number of axes.
func (a *Received) expect(axes int, kind wire.Type) error {
	if a.Type != kind || len(a.Shape) != axes {
		return fmt.Errorf("%w: the array %q is %s of shape %v; it must be %s with %d axes", core.ErrContract, a.Name, a.Type,
			a.Shape, kind, axes)
	}
	return nil
}

// Snapshots returns the array as snapshots.
func (a *Received) Snapshots() (core.Snapshots, error) {
	if len(a.Shape) < 2 || (a.Type != wire.Type_FLOAT32 && a.Type != wire.Type_PIXEL8) {
		return core.Snapshots{}, fmt.Errorf(
			"%w: the array %q is %s of shape %v; snapshots are FLOAT32 or PIXEL8 with at least 2 axes", core.ErrContract, a.Name,
			a.Type, a.Shape)
	}
	var x core.Snapshots
	var err error
	if a.Type == wire.Type_PIXEL8 {
		x, err = core.NewPixelSnapshots(a.pixels, a.Shape[1:]...)
	} else {
		x, err = core.NewSnapshots(a.singles, a.Shape[1:]...)
	}
	if err != nil {
		return x, fmt.Errorf("%w: the array %q: %w", core.ErrContract, a.Name, err)
	}
	return x, nil
}

// Matrix returns the array as a matrix, empty where it has no entry.
func (a *Received) Matrix() (*mat.Dense, error) {
	if err := a.expect(2, wire.Type_FLOAT64); err != nil {
		return nil, err
	}
	if len(a.doubles) == 0 {
		return &mat.Dense{}, nil
	}
	return mat.NewDense(a.Shape[0], a.Shape[1], a.doubles), nil
}

// Labels returns the array as labels.
func (a *Received) Labels() ([]int, error) {
	if err := a.expect(1, wire.Type_INT64); err != nil {
		return nil, err
	}
	if a.whole == nil {
		return []int{}, nil
	}
	return a.whole, nil
}

// Doubles returns the array as numbers.
func (a *Received) Doubles() ([]float64, error) { return a.doubles, a.expect(1, wire.Type_FLOAT64) }

// WholeRows returns the rows of the array, which has two axes, as whole numbers.
func (a *Received) WholeRows() ([][]int, error) {
	if err := a.expect(2, wire.Type_INT64); err != nil {
		return nil, err
	}
	rows, columns := make([][]int, a.Shape[0]), a.Shape[1]
	for i := range rows {
		rows[i] = a.whole[i*columns : (i+1)*columns : (i+1)*columns]
	}
	return rows, nil
}

// Complexes returns the array as complex numbers.
func (a *Received) Complexes() ([]complex128, error) {
	return a.complex, a.expect(1, wire.Type_COMPLEX128)
}

// ComplexMatrix returns the array as a complex matrix, empty where it has no entry.
func (a *Received) ComplexMatrix() (*mat.CDense, error) {
	if err := a.expect(2, wire.Type_COMPLEX128); err != nil {
		return nil, err
	}
	if len(a.complex) == 0 {
		return &mat.CDense{}, nil
	}
	return mat.NewCDense(a.Shape[0], a.Shape[1], a.complex), nil
}
