package nn_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// logDeterminant is ln det(XᵀX + nρI), and the columns of x from the given one on are not counted.
func logDeterminant(x *mat.Dense, columns int, centre bool, ridge float64) float64 {
	n, _ := x.Dims()
	counted := mat.DenseCopyOf(x.Slice(0, n, 0, columns))
	for j := range columns {
		mean := mat.Sum(counted.ColView(j)) / float64(n)
		for i := range n {
			if centre {
				counted.Set(i, j, counted.At(i, j)-mean)
			}
		}
	}
	var gram mat.Dense
	gram.Mul(counted.T(), counted)
	for j := range columns {
		gram.Set(j, j, gram.At(j, j)+float64(n)*ridge)
	}
	value, _ := mat.LogDet(&gram)
	return value
}

func TestLogDeterminant(t *testing.T) {
	const n, d = 9, 4
	for _, dependent := range []bool{false, true} {
		for _, centre := range []bool{false, true} {
			for _, ridge := range []float64{0, 0.1} {
				t.Run(fmt.Sprintf("dependent=%t,centre=%t,ridge=%v", dependent, centre, ridge), func(t *testing.T) {
					r := rand.New(rand.NewPCG(8, 8))
					x, y, columns := gaussian(r, n, d), gaussian(r, n, d), d
					if dependent {
						for i := range n {
							x.Set(i, d-1, 2*x.At(i, 0))
						}
						if ridge == 0 {
							columns--
						}
					}
					gradX, gradY := mat.NewDense(n, d, nil), mat.NewDense(n, d, nil)
					forX := nn.NewBasis(x, centre, ridge).LogDeterminant(gradX)
					forY := nn.NewBasis(y, centre, ridge).LogDeterminant(gradY)
					assert.InDelta(t, logDeterminant(x, columns, centre, ridge), forX, 1e-10)
					for i := range n {
						for j := range columns {
							const step = 1e-5
							was := x.At(i, j)
							x.Set(i, j, was+step)
							above := logDeterminant(x, columns, centre, ridge)
							x.Set(i, j, was-step)
							below := logDeterminant(x, columns, centre, ridge)
							x.Set(i, j, was)
							assert.InDelta(t, (above-below)/(2*step), gradX.At(i, j), 1e-7)
						}
					}
					assert.Equal(t, columns < d, mat.Norm(gradX.ColView(d-1), 1) == 0)

					outputs, err := graph.CallOnceN(cpu.GetBackend(), func(views *graph.Node) []*graph.Node {
						sum, gradient := nn.NewBases(views, centre, ridge).LogDeterminant()
						return []*graph.Node{sum, gradient}
					}, batch(x, y))
					require.NoError(t, err)
					assert.InDelta(t, forX+forY, tensors.ToScalar[float64](outputs[0]), 1e-10)
					for i, gradient := range unbatch(outputs[1]) {
						want := []*mat.Dense{gradX, gradY}[i]
						assert.True(t, mat.EqualApprox(want.T(), gradient, 1e-9))
					}
				})
			}
		}
	}
}

// TestTooManyFeatures: the graph of a basis would take minutes to build, and its memory grows with the square.
func TestTooManyFeatures(t *testing.T) {
	_, err := graph.CallOnce(cpu.GetBackend(), func(views *graph.Node) *graph.Node {
		return nn.NewBases(views, false, 0).Q
	}, [][][]float32{{make([]float32, 1025)}, {make([]float32, 1025)}})
	require.ErrorIs(t, err, core.ErrOption)
	assert.ErrorContains(t, err, "features=1025; the loss makes features orthonormal one by one, so give at most 1024")
}

func TestEmptyBasis(t *testing.T) {
	b := nn.NewBasis(mat.NewDense(3, 2, nil), false, 0)
	gradient := mat.NewDense(3, 2, nil)
	assert.Zero(t, b.LogDeterminant(gradient))
	assert.Zero(t, mat.Norm(gradient, 1))
	assert.Equal(t, []int{0, 1}, b.Left)
	assert.Contains(t, b.LeftOut("view"), "2 of 2 features of the view (0, 1)")
}
