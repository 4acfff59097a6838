package kernel

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/internal/distance"
)

// The kernels.
const (
	rbf        = "rbf"
	matern12   = "matern12"
	matern32   = "matern32"
	matern52   = "matern52"
	polynomial = "polynomial"
)

// function is a kernel with its parameters: a function of two points of d coordinates.
type function struct {
	Kernel string  `json:"kernel"`
	Length float64 `json:"length"` // of all but polynomial
	Degree int     `json:"degree"` // of polynomial, as all that follow
	Coef0  float64 `json:"coef0"`
	Scale  float64 `json:"scale"`
}

// leastLength is the least length: no distance in units of it overflows when it is squared.
const leastLength = 1e-100

// valid reports whether it is a kernel that is finite at finite points of usual size.
func (f function) valid() bool {
	if f.Kernel == polynomial {
		return f.Degree >= 1 && f.Coef0 >= 0 && f.Coef0 <= math.MaxFloat64 && f.Scale > 0 && f.Scale <= math.MaxFloat64
	}
	return f.of() != nil && f.Length >= leastLength && f.Length <= math.MaxFloat64
}

// of returns the kernel as a function of the squared distance in units of the length; nil for polynomial.
func (f function) of() func(square float64) float64 {
	switch f.Kernel {
	case rbf:
		return func(square float64) float64 { return math.Exp(-square / 2) }
	case matern12:
		return func(square float64) float64 { return math.Exp(-math.Sqrt(square)) }
	case matern32:
		return func(square float64) float64 { r := math.Sqrt(3 * square); return (1 + r) * math.Exp(-r) }
	case matern52:
		return func(square float64) float64 { r := math.Sqrt(5 * square); return (1 + r + r*r/3) * math.Exp(-r) }
	}
	return nil
}

// values returns the n×m matrix of the kernel between the rows of the n×d matrix x and the m×d matrix z.
// Its rows are independent.
func (f function) values(x, z *mat.Dense) *mat.Dense {
	if of := f.of(); of != nil {
		k := distance.Squares(x, z)
		k.Apply(func(_, _ int, square float64) float64 { return of(square / (f.Length * f.Length)) }, k)
		return k
	}
	k := new(mat.Dense)
	k.Mul(x, z.T())
	k.Apply(func(_, _ int, product float64) float64 {
		return math.Pow(product/f.Scale+f.Coef0, float64(f.Degree))
	}, k)
	return k
}
