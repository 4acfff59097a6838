package edmd_test

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/combin"

	"github.com/koopbench/koopbench/linalg"
)

// density is the transition density of the noisy logistic map x′ = (4x(1−x) + ξ) mod 1, where ξ has the density
// C·cos^2M(πξ) on [−½, ½]: p(y|x) = Σ β_i(4x(1−x))·β_i(y), i = 0 … 2M.
type density struct{ order int }

func (p density) terms(y float64) []float64 {
	m := float64(p.order)
	log := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	c := math.Pi / math.Exp(log(m+0.5)+log(0.5)-log(m+1))
	terms := make([]float64, 2*p.order+1)
	for i := range terms {
		terms[i] = math.Sqrt(c*float64(combin.Binomial(2*p.order, i))) *
			math.Pow(math.Sin(math.Pi*y), float64(2*p.order-i)) * math.Pow(math.Cos(math.Pi*y), float64(i))
	}
	return terms
}

// at returns the 2M+1 terms α of x and β of y, at points that are both.
func (p density) at(points []float64) (alpha, beta *mat.Dense) {
	k := 2*p.order + 1
	alpha, beta = mat.NewDense(len(points), k, nil), mat.NewDense(len(points), k, nil)
	for i, x := range points {
		alpha.SetRow(i, p.terms(4*x*(1-x)))
		beta.SetRow(i, p.terms(x))
	}
	return alpha, beta
}

// TestLogisticMapByQuadrature: with exact covariances, 1, cos 2πkx and sin 2πkx for k ≤ 8 give the second eigenvalue of
// the noisy logistic map.
func TestLogisticMapByQuadrature(t *testing.T) {
	const nodes, second = 400, complex(-0.19333806, 0.190943)
	points, weights := make([]float64, nodes), make([]float64, nodes)
	quad.Legendre{}.FixedLocations(points, weights, 0, 1)
	alpha, beta := density{10}.at(points)
	values := make([]float32, nodes)
	for i, x := range points {
		values[i] = float32(x)
	}
	_, phi := embed(t, values, 1, map[string]any{"dictionary": "fourier"})
	weighted := func(m *mat.Dense, density []float64) *mat.Dense {
		w := mat.DenseCopyOf(m)
		for i := range nodes {
			for j := range w.RawRowView(i) {
				w.RawRowView(i)[j] *= weights[i] * density[i]
			}
		}
		return w
	}
	ones := make([]float64, nodes)
	for i := range ones {
		ones[i] = 1
	}

	var step, expected, image, cx, cxy mat.Dense
	step.Mul(weighted(beta, ones).T(), alpha) // ∫ β_i α_j
	invariant := stationary(t, &step, beta)
	expected.Mul(weighted(beta, ones).T(), phi) // ∫ β_i(y) φ(y) dy
	image.Mul(alpha, &expected)                 // E[φ(y) | x]
	cx.Mul(weighted(phi, invariant).T(), phi)
	cxy.Mul(weighted(phi, invariant).T(), &image)
	_, k := phi.Dims()
	symmetric := mat.NewSymDense(k, nil)
	for i := range k {
		for j := i; j < k; j++ {
			symmetric.SetSym(i, j, cx.At(i, j))
		}
	}
	require.Equal(t, 17, k)
	for _, variant := range []linalg.Variant{linalg.Full, linalg.ReducedRank} {
		m, err := linalg.FitCovariances(t.Context(), symmetric, &cxy,
			&linalg.RidgeOptions{Variant: variant, Alpha: new(0.0)})
		require.NoError(t, err)
		found := m.Eigenvalues()
		assert.InDelta(t, 0, cmplx.Abs(found[0]-1), 1e-6)
		assert.Less(t, cmplx.Abs(found[1]-second), 0.005, "%v", found)
		assert.Less(t, cmplx.Abs(found[2]-cmplx.Conj(second)), 0.005, "%v", found)
		t.Log(variant, found[:6])
	}
}

// stationary returns the invariant density Σ w_i β_i at the points of beta, where Pᵀw = w.
func stationary(t *testing.T, step, beta *mat.Dense) []float64 {
	_, k := beta.Dims()
	w := mat.NewVecDense(k, nil)
	w.SetVec(0, 1)
	for range 200 {
		var next mat.VecDense
		next.MulVec(step.T(), w)
		w.CopyVec(&next)
	}
	var p mat.VecDense
	p.MulVec(beta, w)
	require.Positive(t, mat.Sum(&p))
	return p.RawVector().Data
}
