package check

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// table is what a thing computes from n inputs: a row for each, row-major. Every float32 and every label is a float64.
type table struct {
	rows, columns int
	values        []float64
}

func snapshotTable(x core.Snapshots) table {
	t := table{x.Len(), x.Size(), make([]float64, x.Len()*x.Size())}
	for i, v := range x.Floats() {
		t.values[i] = float64(v)
	}
	return t
}

func matrixTable(m mat.Matrix) table {
	rows, columns := m.Dims()
	t := table{rows, columns, make([]float64, 0, rows*columns)}
	for i := range rows {
		for j := range columns {
			t.values = append(t.values, m.At(i, j))
		}
	}
	return t
}

// complexTable has real and imaginary parts side by side.
func complexTable(m *mat.CDense) table {
	rows, columns := m.Dims()
	t := table{rows, 2 * columns, make([]float64, 0, 2*rows*columns)}
	for i := range rows {
		for j := range columns {
			t.values = append(t.values, real(m.At(i, j)), imag(m.At(i, j)))
		}
	}
	return t
}

func labelTable(labels []int) table {
	t := table{len(labels), 1, make([]float64, len(labels))}
	for i, l := range labels {
		t.values[i] = float64(l)
	}
	return t
}

func valuesTable(values ...complex128) table {
	t := table{len(values), 2, nil}
	for _, v := range values {
		t.values = append(t.values, real(v), imag(v))
	}
	return t
}

// pick returns the rows of those indices.
func (t table) pick(indices []int) table {
	p := table{len(indices), t.columns, make([]float64, 0, len(indices)*t.columns)}
	for _, i := range indices {
		p.values = append(p.values, t.row(i)...)
	}
	return p
}

// difference says where two tables differ in a bit, or "".
func (t table) difference(u table) string {
	if t.rows != u.rows || t.columns != u.columns {
		return fmt.Sprintf("%d×%d values and %d×%d values", t.rows, t.columns, u.rows, u.columns)
	}
	count, first := 0, -1
	for i, v := range t.values {
		if math.Float64bits(v) != math.Float64bits(u.values[i]) {
			if count++; first < 0 {
				first = i
			}
		}
	}
	if count == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d values differ, first value %d of row %d: %v and %v",
		count, len(t.values), first%t.columns, first/t.columns, t.values[first], u.values[first])
}

// apart says which row of two tables differs by more than [core.RowTolerance], or "".
func (t table) apart(u table) string {
	if t.rows != u.rows || t.columns != u.columns {
		return t.difference(u)
	}
	for i := range t.rows {
		a, b := t.row(i), u.row(i)
		if d := core.RowDistance(a, b); !(d <= core.RowTolerance) {
			return fmt.Sprintf("row %d differs by %.2g of its norm, and %g is the limit: %s", i, d, core.RowTolerance,
				t.difference(u))
		}
	}
	return ""
}

func (t table) row(i int) []float64 { return t.values[i*t.columns : (i+1)*t.columns] }

// distance says where two tables differ by more than the rounding of that precision, or "".
func (t table) distance(u table, p precision) string {
	if t.rows != u.rows || t.columns != u.columns {
		return t.difference(u)
	}
	for i, v := range t.values {
		if !p.alike(math.Abs(v-u.values[i]), t.largest()) {
			return t.difference(u)
		}
	}
	return ""
}

// nonFinite says where the first value is that is infinite or not a number, or "".
func (t table) nonFinite() string {
	for i, v := range t.values {
		if v-v != 0 {
			return fmt.Sprintf("value %d of row %d is %v", i%t.columns, i/t.columns, v)
		}
	}
	return ""
}

// largest is the largest modulus of a value.
func (t table) largest() float64 {
	most := 0.0
	for _, v := range t.values {
		most = math.Max(most, math.Abs(v))
	}
	return most
}

// digest is the SHA-256, in hexadecimal, of the numbers of rows and columns as 64-bit and of the values as float64, all
// little-endian.
func (t table) digest() string {
	text := make([]byte, 0, 8*(2+len(t.values)))
	text = binary.LittleEndian.AppendUint64(text, uint64(t.rows))
	text = binary.LittleEndian.AppendUint64(text, uint64(t.columns))
	for _, v := range t.values {
		text = binary.LittleEndian.AppendUint64(text, math.Float64bits(v))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
