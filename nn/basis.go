package nn

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

// smallest is the length over a batch, √Σx², up to which a feature counts as zero.
const smallest = 1e-30

// LeastDistance is the threshold for one of d features to count as dependent on the features before
// it. It is compared with the distance from their span, relative to the length of the feature. It
// is d times the relative spacing of float32 numbers.
func LeastDistance(d int) float64 { return float64(d) * 0x1p-23 }

// Saturated reports whether n rows are so few that any d independent features of two views reach
// the highest canonical correlations.
func Saturated(n, d int, centre bool, ridge float64) bool {
	if centre {
		n--
	}
	return n <= d && ridge == 0
}

// Basis is an orthonormal basis of the columns of an n×d view, which are first scaled to unit
// length, and then centred if this is asked for. With a ridge ρ, the matrix √(nρ)I is placed below
// the view, and Q has only the rows of the view from the basis of both.
//
// With it, losses compute the gradients of scores without forming or inverting a covariance. If
// features are almost collinear, accuracy is lost in proportion to their condition number, where
// covariances would square it. [Bases] does the same in a graph. The methods of a Basis do not
// change it.
type Basis struct {
	Kept  []int             // the features that do not depend on those before them, in order
	Left  []int             // the others, which are left out, in order
	Q     mat.Matrix        // n×len(Kept); nil if no feature is kept
	scale []float64         // what each feature was multiplied with
	r     blas64.Triangular // the scaled kept features are Q·r
}

// NewBasis returns the basis of a view, n×d with n and d at least 1 and finite entries. It
// factorises by Householder reflections. If a feature turns out to depend on the features before
// it, it factorises again without this feature.
func NewBasis(view mat.Matrix, centre bool, ridge float64) *Basis {
	n, d := view.Dims()
	b := &Basis{scale: make([]float64, d)}
	// Zeros in place of a ridge make the columns at least d high.
	columns := make([][]float64, d)
	diagonal := math.Sqrt(float64(n) * ridge)
	for j := range columns {
		column := make([]float64, n+d)
		mat.Col(column[:n], j, view)
		column[n+j] = diagonal
		b.scale[j] = normalise(column, n, centre)
		columns[j] = column
		b.Kept = append(b.Kept, j)
	}
	for len(b.Kept) > 0 {
		dependent := b.factorise(columns, n)
		if dependent < 0 {
			break
		}
		b.Left = append(b.Left, b.Kept[dependent])
		b.Kept = slices.Delete(b.Kept, dependent, dependent+1)
	}
	slices.Sort(b.Left)
	return b
}

// normalise scales column to unit length and returns the scale, or 0 for a column too small to count.
// Then it subtracts the mean of the first n entries, if asked to.
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

// factorise computes Q and r for the kept columns and returns the place in b.Kept of the first that
// depends on those before it, or -1.
func (b *Basis) factorise(columns [][]float64, n int) int {
	d, rank, height := len(columns), len(b.Kept), len(columns[0])
	a := blas64.General{Rows: height, Cols: rank, Stride: rank, Data: make([]float64, height*rank)}
	for j, feature := range b.Kept {
		for i, v := range columns[feature] {
			a.Data[i*rank+j] = v
		}
	}
	reflectors := make([]float64, rank)
	work := make([]float64, 64*rank)
	lapack64.Geqrf(a, reflectors, work, len(work))
	b.r = blas64.Triangular{
		Uplo: blas.Upper, Diag: blas.NonUnit, N: rank, Stride: rank, Data: slices.Clone(a.Data[:rank*rank]),
	}
	for j := range rank {
		if math.Abs(b.r.Data[j*rank+j]) <= LeastDistance(d) {
			return j
		}
	}
	lapack64.Orgqr(a, reflectors, work, len(work))
	b.Q = mat.NewDense(n, rank, a.Data[:n*rank])
	return -1
}

// Gradient sets the kept columns of gradient, n×d, to the derivative by the view of −f(K): −(P − Q
// K) slopeᵀ r^{−T}. K is QᵀP, P is the Q of the other view, and slope is the derivative of f by K.
func (b *Basis) Gradient(gradient *mat.Dense, other, k, slope mat.Matrix) {
	var residual, g mat.Dense
	residual.Mul(b.Q, k)
	residual.Sub(&residual, other)
	g.Mul(&residual, slope.T())
	b.unscale(gradient, &g)
}

// LogDeterminant returns ln det(XᵀX + nρI) of the kept features X, which are centred if the basis
// is. It sets the kept columns of gradient, n×d, to the derivative by the view, 2 Q r^{−T}.
func (b *Basis) LogDeterminant(gradient *mat.Dense) float64 {
	sum := 0.0
	for j, feature := range b.Kept {
		sum += 2 * (math.Log(math.Abs(b.r.Data[j*b.r.Stride+j])) - math.Log(b.scale[feature]))
	}
	if len(b.Kept) > 0 {
		var g mat.Dense
		g.Scale(2, b.Q)
		b.unscale(gradient, &g)
	}
	return sum
}

// unscale sets the kept columns of gradient to g r^{−T}, for features as they were before scaling. It
// overwrites g.
func (b *Basis) unscale(gradient, g *mat.Dense) {
	blas64.Trsm(blas.Right, blas.Trans, 1, b.r, g.RawMatrix())
	n, _ := g.Dims()
	for j, feature := range b.Kept {
		for i := range n {
			gradient.Set(i, feature, g.At(i, j)*b.scale[feature])
		}
	}
}

// LeftOut says which features of a view were left out; "" for none. The text calls the view by the
// given name.
func (b *Basis) LeftOut(view string) string {
	if len(b.Left) == 0 {
		return ""
	}
	names := make([]string, len(b.Left))
	for i, feature := range b.Left {
		names[i] = fmt.Sprint(feature)
	}
	return fmt.Sprintf("%d of %d features of the %s (%s) are zero or depend linearly on the others",
		len(b.Left), len(b.scale), view, strings.Join(names, ", "))
}
