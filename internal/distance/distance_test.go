package distance_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/internal/distance"
)

// TestSquares: distances are right to their digits, also of points that are close to one another and far from 0.
func TestSquares(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, spread := range []float64{1, 1e-3, 1e-9} {
		x, z := mat.NewDense(7, 100, nil), mat.NewDense(9, 100, nil)
		for _, m := range []*mat.Dense{x, z} {
			m.Apply(func(_, j int, _ float64) float64 { return float64(j) + spread*random.NormFloat64() }, m)
		}
		z.SetRow(3, x.RawRowView(2))
		squares := distance.Squares(x, z)
		for i := range 7 {
			for j := range 9 {
				want := 0.0
				for k := range 100 {
					want += math.Pow(x.At(i, k)-z.At(j, k), 2)
				}
				assert.InDelta(t, want, squares.At(i, j), 1e-8*want)
			}
		}
		assert.Zero(t, squares.At(2, 3))
	}
}
