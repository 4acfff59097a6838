package linalg

import (
	"context"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// regression is a ridge regression to solve.
type regression struct {
	alpha     float64
	variant   Variant
	rank      int // 1 … d
	centre    bool
	threshold float64 // at which a direction is dropped
}

// solution is the operator G = U·P of rank r.
type solution struct {
	basis    *mat.Dense // U, d×r; nil for r = 0
	image    *mat.Dense // P = Uᵀ C_XY, r×d; nil for r = 0
	warnings []string
}

// solve solves the regression with covariance cx and cross-covariance cxy. It overwrites both.
func (g regression) solve(ctx context.Context, cx *mat.SymDense, cxy *mat.Dense) (solution, error) {
	d := cx.SymmetricDim()
	for i := range d {
		cx.SetSym(i, i, cx.At(i, i)+g.alpha)
	}
	if g.variant == PrincipalComponents {
		return g.principalComponents(cx, cxy)
	}
	w, err := g.whiten(cx)
	if err != nil {
		return solution{}, err
	}
	s := solution{warnings: w.warnings}
	b := w.project(cxy)
	if b == nil {
		s.warnings = append(s.warnings, g.droppedWarning("σ²", make([]float64, g.rank), nil))
		return s, nil
	}
	k, _ := b.Dims()
	if g.variant == Full {
		s.basis, s.image = w.lift(nil), b
		return s, nil
	}
	// With v = Wᵀ(C_X + αI)u the generalised problem C_XY C_XYᵀ u = σ² (C_X + αI) u is B Bᵀ v = σ² v.
	if err := ctx.Err(); err != nil {
		return solution{}, err
	}
	gram := mat.NewSymDense(k, nil)
	blas64.Syrk(blas.NoTrans, 1, b.RawMatrix(), 0, gram.RawSymmetric())
	values, vectors, err := leadingEigen(gram, min(g.rank, k))
	if err != nil {
		return solution{}, err
	}
	kept := g.kept(values)
	if kept < g.rank {
		asked := make([]float64, g.rank) // beyond k, σ is 0
		copy(asked, values)
		s.warnings = append(s.warnings, g.droppedWarning("σ²", asked[kept:], asked[:kept]))
	}
	if kept == 0 {
		return s, nil
	}
	v := vectors.Slice(0, k, 0, kept).(*mat.Dense)
	s.basis = w.lift(v)
	s.image = new(mat.Dense)
	s.image.Mul(v.T(), b)
	return s, nil
}

// principalComponents solves with U = V_r Λ_r^{-1/2}, where V Λ Vᵀ = C_X + αI is given as c.
func (g regression) principalComponents(c *mat.SymDense, cxy *mat.Dense) (solution, error) {
	values, vectors, err := leadingEigen(c, g.rank)
	if err != nil {
		return solution{}, err
	}
	var s solution
	kept := g.kept(values)
	if kept < g.rank {
		s.warnings = append(s.warnings, g.droppedWarning("the eigenvalue of C_X + αI", values[kept:g.rank], values[:kept]))
	}
	if kept == 0 {
		return s, nil
	}
	s.basis = scaledColumns(vectors, values[:kept])
	s.image = new(mat.Dense)
	s.image.Mul(s.basis.T(), cxy)
	return s, nil
}

// kept is the number of values, descending, that are among the asked ones and above the threshold.
func (g regression) kept(values []float64) int {
	kept := 0
	for kept < min(g.rank, len(values)) && values[kept] > g.threshold {
		kept++
	}
	return kept
}

// scaledColumns returns the leading columns of v, each divided by the root of its value.
func scaledColumns(v *mat.Dense, values []float64) *mat.Dense {
	n, _ := v.Dims()
	u := mat.NewDense(n, len(values), nil)
	for i := range n {
		for j, value := range values {
			u.Set(i, j, v.At(i, j)/math.Sqrt(value))
		}
	}
	return u
}

// whitening is a matrix W with Wᵀ (C_X + αI) W = I and W Wᵀ its inverse, or its pseudo-inverse where it is singular to
// rounding.
type whitening struct {
	cholesky *mat.TriDense // the upper R with Rᵀ R = C_X + αI: W = R⁻¹
	basis    *mat.Dense    // W, d×k, where cholesky is nil; nil for k = 0
	warnings []string
}

// whiten whitens c = C_X + αI.
func (g regression) whiten(c *mat.SymDense) (whitening, error) {
	d := c.SymmetricDim()
	// Without regularisation the threshold applies to C_X; with it, the rounding of C_X alone limits what is resolved.
	floor := func(norm float64) float64 {
		relative := float64(d) * epsilon * norm
		if g.alpha == 0 {
			return math.Max(relative, g.threshold)
		}
		return relative
	}
	var cholesky mat.Cholesky
	if norm := mat.Norm(c, 1); cholesky.Factorize(c) && cholesky.Cond()*floor(norm) < norm {
		var r mat.TriDense
		cholesky.UTo(&r)
		return whitening{cholesky: &r}, nil
	}
	values, vectors, err := leadingEigen(c, d)
	if err != nil {
		return whitening{}, err
	}
	least := floor(values[0])
	kept := 0
	for kept < d && values[kept] > least {
		kept++
	}
	var w whitening
	if kept > 0 {
		w.basis = scaledColumns(vectors, values[:kept])
	}
	if kept < d {
		w.warnings = []string{fmt.Sprintf(
			"%d of the %d eigenvalues of C_X + αI are at most %.2g and count as zero: features are constant, "+
				"linearly dependent or more than the pairs; remove such features or give a larger alpha than %g", d-kept, d,
			least, g.alpha)}
	}
	return w, nil
}

// project returns B = Wᵀ·c, k×d, nil for k = 0. It overwrites c.
func (w whitening) project(c *mat.Dense) *mat.Dense {
	switch {
	case w.cholesky != nil:
		blas64.Trsm(blas.Left, blas.Trans, 1, w.cholesky.RawTriangular(), c.RawMatrix())
		return c
	case w.basis != nil:
		var b mat.Dense
		b.Mul(w.basis.T(), c)
		return &b
	}
	return nil
}

// lift returns W·v, and W itself for nil.
func (w whitening) lift(v *mat.Dense) *mat.Dense {
	if w.cholesky != nil {
		if v == nil {
			r := w.cholesky
			lapack64.Trtri(r.RawTriangular())
			return mat.DenseCopyOf(r)
		}
		u := mat.DenseCopyOf(v)
		blas64.Trsm(blas.Left, blas.NoTrans, 1, w.cholesky.RawTriangular(), u.RawMatrix())
		return u
	}
	if v == nil {
		return w.basis
	}
	var u mat.Dense
	u.Mul(w.basis, v)
	return &u
}

// droppedWarning says which of the directions asked for were dropped.
func (g regression) droppedWarning(quantity string, dropped, kept []float64) string {
	const shown = 4
	var list []string
	for _, v := range dropped[:min(shown, len(dropped))] {
		list = append(list, fmt.Sprintf("%.2g", v))
	}
	if len(dropped) > shown {
		list = append(list, "…")
	}
	outcome, remedy := fmt.Sprintf("the operator has rank %d", len(kept)), fmt.Sprintf("ask for a rank of at most %d, or",
		len(kept))
	if len(kept) == 0 {
		outcome, remedy = "the operator has rank 0 and predicts a constant", "no rank helps:"
		if !g.centre {
			outcome = "the operator has rank 0 and predicts zeros"
		}
	}
	return fmt.Sprintf(
		"%d of the %d directions asked for were dropped: %s is %s, not above the threshold 10·d·ε = %.2g; %s; "+
			"%s give features that are not constant or linearly dependent",
		len(dropped), g.rank, quantity, strings.Join(list, ", "), g.threshold, outcome, remedy)
}
