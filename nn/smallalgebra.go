package nn

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// GoMLX has no factorisation of matrices. What losses need of them, on a few features, is unrolled here into a few
// operations a feature. They are meant for float64 nodes, and not for autodiff to go through (see [Linearise]).

// Orthonormalise makes the rows of each matrix of the batch a, of shape b×d×m, orthonormal by the
// modified Gram–Schmidt process (Golub and Van Loan, Matrix Computations, 4th edition, §5.2.8).
// Inner products use only the first length entries of a row. The entries after them go through the
// same row operations. So an identity matrix there becomes the T with q = T·a. If the distance of a
// row from the span of the rows before it is at most tolerance, it becomes zero, and later rows are
// not made orthogonal to it. Scale the rows of a to unit length if the tolerance is relative to
// their size.
//
// It returns q, b×d×m, and dropped, b×d×1, which is 1 at the rows that became zero and 0 elsewhere.
func Orthonormalise(a *graph.Node, length int, tolerance float64) (q, dropped *graph.Node) {
	g, dtype := a.Graph(), a.DType()
	d, m := a.Shape().Dim(1), a.Shape().Dim(2)
	constant := func(value any) *graph.Node { return graph.ConstAsDType(g, dtype, value) }
	counted := func(rows *graph.Node) *graph.Node {
		if length == m {
			return rows
		}
		return graph.Mul(rows, constant([][][]float64{{indicator(m, 0, length)}}))
	}
	least := constant(tolerance * tolerance)
	zero := constant(0.0)
	for k := range d - 1 {
		row := graph.SliceAxis(a, 1, graph.AxisElem(k))
		products := graph.DotGeneral(a, []int{2}, []int{0}, counted(row), []int{2}, []int{0}) // b×d×1
		square := graph.SliceAxis(products, 1, graph.AxisElem(k))
		inverse := graph.Where(graph.GreaterThan(square, least), graph.Reciprocal(square), zero)
		later := graph.InsertAxes(constant([][]float64{indicator(d, k+1, d)}), -1)
		a = graph.Sub(a, graph.Mul(graph.Mul(products, graph.Mul(inverse, later)), row))
	}
	squares := graph.InsertAxes(graph.ReduceSum(counted(graph.Square(a)), 2), -1)
	kept := graph.GreaterThan(squares, least)
	q = graph.Mul(a, graph.Where(kept, graph.Rsqrt(squares), zero))
	return q, graph.Where(kept, zero, constant(1.0))
}

// indicator returns n numbers that are 1 from position from to position end-1 and 0 elsewhere.
func indicator(n, from, end int) []float64 {
	values := make([]float64, n)
	for i := from; i < end; i++ {
		values[i] = 1
	}
	return values
}

// PolarFactor returns, for each matrix k = U Σ Vᵀ of a batch of shape b×d×d, the factor U f(Σ) Vᵀ
// of the polar decomposition. f is 1, to rounding, on singular values from smallest to 1. It falls
// to 0 below smallest, and is 0 at 0. No singular value may exceed 1 by more than rounding.
//
// The method is the scaled Newton–Schulz iteration of Chen and Chow (A stable scaling of
// Newton–Schulz for improving the sign function computation of a Hermitian matrix, preprint
// ANL/MCS-P5059-0114, 2014), applied to singular values: k becomes ½α(3I − α²kkᵀ)k, with α² =
// 3/(1+s+s²) for singular values in [s, 1], and α at most 1.69770 for stability.
func PolarFactor(k *graph.Node, smallest float64) *graph.Node {
	g, dtype := k.Graph(), k.DType()
	constant := func(value any) *graph.Node { return graph.ConstAsDType(g, dtype, value) }
	d := k.Shape().Dim(-1)
	for _, alpha := range newtonSchulzScales(smallest) {
		gram := graph.DotGeneral(k, []int{2}, []int{0}, k, []int{2}, []int{0}) // kkᵀ
		first := constant([][][]float64{scaledIdentity(d, 1.5*alpha)})
		factor := graph.Sub(first, graph.Mul(gram, constant(alpha*alpha*alpha/2)))
		k = graph.DotGeneral(factor, []int{2}, []int{0}, k, []int{1}, []int{0})
	}
	return k
}

func scaledIdentity(d int, scale float64) [][]float64 {
	rows := make([][]float64, d)
	for i := range rows {
		rows[i] = make([]float64, d)
		rows[i][i] = scale
	}
	return rows
}

// newtonSchulzScales returns the α of each iteration that takes singular values in [s, 1] to 1.
func newtonSchulzScales(s float64) []float64 {
	const (
		stable = 1.69770
		near   = 1e-9 // the last iteration squares the distance from 1
	)
	step := func(alpha, s float64) float64 { return alpha * s * (3 - alpha*alpha*s*s) / 2 }
	var scales []float64
	for {
		alpha := min(math.Sqrt(3/(1+s+s*s)), stable)
		scales = append(scales, alpha)
		if s > 1-near {
			return scales
		}
		s = min(step(alpha, s), step(alpha, 1))
	}
}
