package golden

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// Array is an array of a golden file, row-major. Data holds real values; Re and Im hold complex ones.
type Array struct {
	Shape  []int     `json:"shape"`
	Data   []float64 `json:"data"`
	Re, Im []float64
}

// UnmarshalJSON reads a and checks that the values fill the shape.
func (a *Array) UnmarshalJSON(content []byte) error {
	type plain Array // without this method
	if err := json.Unmarshal(content, (*plain)(a)); err != nil {
		return err
	}
	size := 1
	for _, n := range a.Shape {
		size *= max(n, 0)
	}
	isReal := len(a.Data) == size && len(a.Re)+len(a.Im) == 0
	isComplex := len(a.Re) == size && len(a.Im) == size && len(a.Data) == 0
	if len(a.Shape) == 0 || size < 1 || !isReal && !isComplex {
		return fmt.Errorf("an array of shape %v with %d real values, %d real and %d imaginary parts", a.Shape, len(a.Data),
			len(a.Re), len(a.Im))
	}
	return nil
}

// Dense returns a new matrix of the values of a real array: the first axis is the rows, all others
// together the columns.
func (a Array) Dense() *mat.Dense {
	rows := a.Shape[0]
	m := mat.NewDense(rows, len(a.Data)/rows, nil)
	copy(m.RawMatrix().Data, a.Data)
	return m
}

// Complex returns the values of a complex array, one after the other.
func (a Array) Complex() []complex128 {
	values := make([]complex128, len(a.Re))
	for i := range values {
		values[i] = complex(a.Re[i], a.Im[i])
	}
	return values
}

// RequireNear fails the test unless got equals the real array a within tolerance times a's largest absolute entry,
// entry by entry, rows and columns as [Array.Dense] has them.
func (a Array) RequireNear(t testing.TB, got mat.Matrix, tolerance float64, name string) {
	t.Helper()
	require.NoError(t, a.near(got, tolerance), name)
}

func (a Array) near(got mat.Matrix, tolerance float64) error {
	expected := a.Dense()
	rows, columns := expected.Dims()
	if r, c := got.Dims(); r != rows || c != columns {
		return fmt.Errorf("%d×%d values where %d×%d are expected", r, c, rows, columns)
	}
	largest := mat.Norm(mat.NewVecDense(len(a.Data), a.Data), math.Inf(1))
	for i := range rows {
		for j := range columns {
			if d := math.Abs(got.At(i, j) - expected.At(i, j)); !(d <= tolerance*largest) {
				return fmt.Errorf("entry (%d, %d) is %v where %v is expected; the tolerance is %v of %v", i, j, got.At(i, j),
					expected.At(i, j), tolerance, largest)
			}
		}
	}
	return nil
}
