package vamp

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// basis is an orthonormal basis of the columns of a view that were scaled to unit length, then centred if asked for. A ridge ρ
// is √(nρ)I below the view; of the basis of both, q keeps the rows of the view.
type basis struct {
	kept  []int             // the features that do not depend on those before them, in order
	left  []int             // the others
	scale []float64         // what each feature was multiplied with
	q     mat.Matrix        // n×len(kept)
	r     blas64.Triangular // the scaled kept features are q·r
}

// newBasis factorises by Householder reflections, again without it whenever a feature turns out to depend on those before it.
func newBasis(view mat.Matrix, centre bool, ridge float64) *basis {
	n, d := view.Dims()
	b := &basis{scale: make([]float64, d)}
	// Zeros in the place of a ridge make the columns at least d high.
	columns := make([][]float64, d)
	diagonal := math.Sqrt(float64(n) * ridge)
	for j := range columns {
		column := make([]float64, n+d)
		mat.Col(column[:n], j, view)
		column[n+j] = diagonal
		b.scale[j] = normalise(column, n, centre)
		columns[j] = column
		b.kept = append(b.kept, j)
	}
	for len(b.kept) > 0 {
		dependent := b.factorise(columns, n)
		if dependent < 0 {
			break
		}
		b.left = append(b.left, b.kept[dependent])
		b.kept = slices.Delete(b.kept, dependent, dependent+1)
	}
	return b
}

// normalise scales column to unit length and returns the scale, or 0 for a column too small to count. Then it subtracts the
// mean of the first n entries, if asked to.
func normalise(column []float64, n int, centre bool) float64 {
	vector := blas64.Vector{N: len(column), Data: column, Inc: 1}
	if blas64.Nrm2(vector) <= smallest {
		clear(column)
		return 0
	}
	// In two steps, since the length of finite entries can overflow.
	most := math.Abs(column[blas64.Iamax(vector)])
	blas64.Scal(1/most, vector)
	length := blas64.Nrm2(vector)
	blas64.Scal(1/length, vector)
	scale := 1 / length / most
	if centre {
		mean := 0.0
		for _, v := range column[:n] {
			mean += v / float64(n)
		}
		for i := range n {
			column[i] -= mean
		}
	}
	return scale
}

// factorise computes q and r for the kept columns and returns the place in b.kept of the first that depends on those before
// it, or -1.
func (b *basis) factorise(columns [][]float64, n int) int {
	d, rank, height := len(columns), len(b.kept), len(columns[0])
	a := blas64.General{Rows: height, Cols: rank, Stride: rank, Data: make([]float64, height*rank)}
	for j, feature := range b.kept {
		for i, v := range columns[feature] {
			a.Data[i*rank+j] = v
		}
	}
	reflectors := make([]float64, rank)
	work := make([]float64, 64*rank)
	lapack64.Geqrf(a, reflectors, work, len(work))
	b.r = blas64.Triangular{Uplo: blas.Upper, Diag: blas.NonUnit, N: rank, Stride: rank, Data: slices.Clone(a.Data[:rank*rank])}
	for j := range rank {
		if math.Abs(b.r.Data[j*rank+j]) <= tolerance(d) {
			return j
		}
	}
	lapack64.Orgqr(a, reflectors, work, len(work))
	b.q = mat.NewDense(n, rank, a.Data[:n*rank])
	return -1
}

// gradient adds −(other − q k) slopeᵀ r^{−T} to the kept columns of sum.
func (b *basis) gradient(sum *mat.Dense, other mat.Matrix, k, slope mat.Matrix) {
	var residual, g mat.Dense
	residual.Mul(b.q, k)
	residual.Sub(&residual, other)
	g.Mul(&residual, slope.T())
	blas64.Trsm(blas.Right, blas.Trans, 1, b.r, g.RawMatrix())
	n, _ := g.Dims()
	for j, feature := range b.kept {
		for i := range n {
			sum.Set(i, feature, g.At(i, j)*b.scale[feature])
		}
	}
}

// warnings says which features were left out.
func (b *basis) warnings(view string) []string {
	if len(b.left) == 0 {
		return nil
	}
	slices.Sort(b.left)
	names := make([]string, len(b.left))
	for i, feature := range b.left {
		names[i] = fmt.Sprint(feature)
	}
	return []string{fmt.Sprintf("%d of %d features of the %s (%s) are zero or depend linearly on the others: "+
		"they are left out of the score and get no gradient; a ridge avoids this", len(b.left), len(b.scale), view, strings.Join(names, ", "))}
}
