package logisticmap

import (
	"errors"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/tasks/process"
)

// Truth is the evolution operator of the process. The density of x' = y given x is Σ αᵢ(x) βᵢ(y), i = 0 …
// 2M, where βᵢ(y) = √(C·binom(2M, i)) sin^(2M−i)(πy) cos^i(πy), αᵢ(x) = βᵢ(4x(1 − x)), and C is π/B(M + ½,
// ½). Its eigenvalues other than 0 are those of the matrix Pᵢⱼ = ∫ βᵢ αⱼ, its eigenfunctions Σ vᵢ αᵢ with
// P v = λ v, and the invariant density Σ wᵢ βᵢ with Pᵀ w = w.
//
// α is even about ½, so the rows of P of odd i are 0: the eigenvalues are those of the rows and columns of
// even i.
type Truth struct {
	m          int
	roots      []float64 // √(C·binom(2M, i))
	p          *mat.Dense
	values     []complex128
	vectors    *mat.CDense // v, a column for each value
	density    []float64   // w
	x, weights []float64   // of the quadrature over 0 … 1
}

const (
	nodes = 400 // of the quadrature: more change the integrals by less than 1e-13
	least = 1e-9
)

// NewTruth returns the operator of order m.
func NewTruth(m int) (*Truth, error) {
	n := 2*m + 1
	t := &Truth{m: m, p: mat.NewDense(n, n, nil), x: make([]float64, nodes), weights: make([]float64, nodes)}
	quad.Legendre{}.FixedLocations(t.x, t.weights, 0, 1)
	// C and the binomial coefficients follow from their neighbours.
	c, binomial := 1.0, 1.0
	for k := range m {
		c *= float64(2*k+2) / float64(2*k+1)
	}
	for i := range n {
		t.roots = append(t.roots, math.Sqrt(c*binomial))
		binomial *= float64(n-1-i) / float64(i+1)
	}
	for k, x := range t.x {
		beta, alpha := t.beta(x), t.alpha(x)
		for i := 0; i < n; i += 2 {
			for j := range n {
				t.p.Set(i, j, t.p.At(i, j)+t.weights[k]*beta[i]*alpha[j])
			}
		}
	}
	return t, t.solve()
}

// solve finds eigenvalues, eigenfunctions and the invariant density.
func (t *Truth) solve() error {
	n := t.m + 1
	even := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			even.Set(i, j, t.p.At(2*i, 2*j))
		}
	}
	var e mat.Eigen
	if !e.Factorize(even, mat.EigenBoth) {
		return errors.New("the eigenvalues of the logistic map do not converge")
	}
	all := e.Values(nil)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return process.Descending(all[i], all[j]) })
	order = slices.DeleteFunc(order, func(i int) bool { return cmplx.Abs(all[i]) < least })

	var right, left mat.CDense
	e.VectorsTo(&right)
	e.LeftVectorsTo(&left)
	invariant := mat.NewVecDense(2*t.m+1, nil)
	for i := range n {
		invariant.SetVec(2*i, real(left.At(i, order[0])))
	}
	invariant.MulVec(t.p.T(), invariant)
	t.density = invariant.RawVector().Data
	total := 0.0
	for k, x := range t.x {
		total += t.weights[k] * t.Density(x)
	}
	for i := range t.density {
		t.density[i] /= total
	}

	t.vectors = mat.NewCDense(n, len(order), nil)
	for k, column := range order {
		t.values = append(t.values, all[column])
		for i := range n {
			t.vectors.Set(i, k, right.At(i, column))
		}
	}
	for k, f := range t.Eigenfunctions(t.x) {
		square := 0.0
		for i, z := range f {
			square += t.weights[i] * t.Density(t.x[i]) * (real(z)*real(z) + imag(z)*imag(z))
		}
		for i := range n {
			t.vectors.Set(i, k, t.vectors.At(i, k)/complex(math.Sqrt(square), 0))
		}
	}
	return nil
}

func (t *Truth) beta(y float64) []float64 {
	sin, cos := math.Sincos(math.Pi * y)
	values := slices.Clone(t.roots)
	power := 1.0
	for i := range values { // times cos to the power i
		values[i] *= power
		power *= cos
	}
	power = 1
	for i := len(values) - 1; i >= 0; i-- { // times sin to the power 2M − i
		values[i] *= power
		power *= sin
	}
	return values
}

func (t *Truth) alpha(x float64) []float64 { return t.beta(4 * x * (1 - x)) }

// Eigenvalues are those of modulus 1e-9 at least, the largest first. Smaller ones drown in rounding.
func (t *Truth) Eigenvalues() []complex128 { return slices.Clone(t.values) }

// Eigenfunctions are those of the eigenvalues at points, [eigenvalue][point], scaled to a mean square of 1
// under the invariant density.
func (t *Truth) Eigenfunctions(points []float64) [][]complex128 {
	rows, count := t.vectors.Dims()
	values := make([][]complex128, count)
	for k := range values {
		values[k] = make([]complex128, len(points))
	}
	for j, x := range points {
		alpha := t.alpha(x)
		for k := range values {
			for i := range rows {
				values[k][j] += t.vectors.At(i, k) * complex(alpha[2*i], 0)
			}
		}
	}
	return values
}

// Density is the invariant density at a point.
func (t *Truth) Density(x float64) float64 {
	sum := 0.0
	for i, beta := range t.beta(x) {
		sum += t.density[i] * beta
	}
	return sum
}

// Mean is the expected value of the process so many steps, at least one, after a point.
func (t *Truth) Mean(point float64, steps int) float64 {
	// E[x_t | x] = Σ αᵢ(x) cᵢ, where c = Pᵗ⁻¹ b and bᵢ = ∫ y βᵢ(y) dy.
	c := mat.NewVecDense(2*t.m+1, nil)
	for k, y := range t.x {
		for i, beta := range t.beta(y) {
			c.SetVec(i, c.AtVec(i)+t.weights[k]*beta*y)
		}
	}
	for range steps - 1 {
		c.MulVec(t.p, c)
	}
	return mat.Dot(mat.NewVecDense(2*t.m+1, t.alpha(point)), c)
}
