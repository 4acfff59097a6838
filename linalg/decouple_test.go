package linalg

import (
	"fmt"
	"math"
	"math/big"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// jordan returns an n×n Jordan block.
func jordan(n int, value, coupling float64) *mat.Dense {
	g := mat.NewDense(n, n, nil)
	for i := range n {
		g.Set(i, i, value)
		if i+1 < n {
			g.Set(i, i+1, coupling)
		}
	}
	return g
}

// diagonalBlocks returns the matrix with these blocks along its diagonal.
func diagonalBlocks(blocks ...*mat.Dense) *mat.Dense {
	var n int
	for _, b := range blocks {
		k, _ := b.Dims()
		n += k
	}
	g := mat.NewDense(n, n, nil)
	n = 0
	for _, b := range blocks {
		k, _ := b.Dims()
		g.Slice(n, n+k, n, n+k).(*mat.Dense).Copy(b)
		n += k
	}
	return g
}

// turned returns QᵀgQ for a random orthogonal Q.
func turned(seed uint64, g *mat.Dense) *mat.Dense {
	n, _ := g.Dims()
	var qr mat.QR
	qr.Factorize(random(seed, n, n))
	var q, half, whole mat.Dense
	qr.QTo(&q)
	half.Mul(q.T(), g)
	whole.Mul(&half, &q)
	return &whole
}

// exactPower returns gⁿ, computed with 400 bits.
func exactPower(g *mat.Dense, n int) *mat.Dense {
	d, _ := g.Dims()
	number := func(v float64) *big.Float { return new(big.Float).SetPrec(400).SetFloat64(v) }
	power := make([]*big.Float, d*d)
	for i := range power {
		power[i] = number(identity(d).At(i/d, i%d))
	}
	for range n {
		next := make([]*big.Float, d*d)
		for i := range next {
			next[i] = number(0)
			for k := range d {
				next[i].Add(next[i], new(big.Float).Mul(power[i/d*d+k], number(g.At(k, i%d))))
			}
		}
		power = next
	}
	values := make([]float64, d*d)
	for i, v := range power {
		values[i], _ = v.Float64()
	}
	return mat.NewDense(d, d, values)
}

// sumOfModes returns the sum of the contributions to the predictions of the features.
func sumOfModes(t *testing.T, m *Model, z mat.Matrix, steps int) *mat.Dense {
	t.Helper()
	modes, err := m.Modes(z)
	require.NoError(t, err)
	n, _ := z.Dims()
	total := mat.NewDense(n, m.dim, nil)
	for i := range modes.Len() {
		c, err := modes.Contribution(i, steps)
		require.NoError(t, err)
		total.Add(total, c)
	}
	return total
}

// awkward are operators of at most 12 features that are defective, nearly so, or ordinary.
func awkward() map[string]*mat.Dense {
	turn := func(angle, modulus float64) *mat.Dense {
		a, b := modulus*math.Cos(angle), modulus*math.Sin(angle)
		return mat.NewDense(2, 2, []float64{a, b, -b, a})
	}
	close3 := jordan(3, 0.9, 1)
	close3.Set(1, 1, 0.90001)
	close3.Set(2, 2, 0.90002)
	turns := diagonalBlocks(turn(0.7, 0.95), turn(0.7, 0.95), turn(2, 0.5))
	turns.Set(0, 2, 1)
	turns.Set(1, 3, 1)
	half := turned(4, diagonalBlocks(jordan(3, 0.9, 1), jordan(1, 0.5, 0), turn(1, 0.8), jordan(3, -0.3, 1)))
	operators := map[string]*mat.Dense{
		"three close":             close3,
		"three close, turned":     turned(3, close3),
		"pair of pairs":           turns,
		"pair of pairs, turned":   turned(5, turns),
		"defective in part":       half,
		"identity":                identity(4),
		"zero":                    mat.NewDense(3, 3, nil),
		"weakly coupled":          jordan(4, 0.9, 1e-9),
		"strongly coupled":        jordan(4, 0.9, 1e6),
		"of unlike scales":        mat.NewDense(3, 3, []float64{0.9, 100, 0, 0.01, 0.5, 100, 0, 0.01, 0.7}),
		"a pair close to real":    turned(6, mat.NewDense(2, 2, []float64{0.9, 1, -1e-14, 0.9})),
		"two defective, the same": turned(7, diagonalBlocks(jordan(3, 0.9, 1), jordan(3, 0.9, 1))),
		"two defective, close":    turned(8, diagonalBlocks(jordan(3, 0.9, 1), jordan(3, 0.9001, 1))),
	}
	for _, n := range []int{1, 2, 3, 4, 6, 12} {
		operators[fmt.Sprintf("jordan %d", n)] = jordan(n, 0.9, 1)
		operators[fmt.Sprintf("jordan %d, turned", n)] = turned(uint64(n), jordan(n, 0.9, 1))
		operators[fmt.Sprintf("nilpotent %d, turned", n)] = turned(uint64(n), jordan(n, 0, 1))
		g := random(uint64(n), n, n)
		g.Scale(1/math.Sqrt(float64(n)), g)
		operators[fmt.Sprintf("random %d", n)] = g
		for _, gap := range []float64{1e-2, 1e-4, 1e-6, 1e-9, 1e-12, 1e-15} {
			near := jordan(n, 0.9, 1)
			for i := range n {
				near.Set(i, i, 0.9-gap*float64(i))
			}
			operators[fmt.Sprintf("gaps %d, %g", n, gap)] = near
			operators[fmt.Sprintf("gaps %d, %g, turned", n, gap)] = turned(uint64(n), near)
		}
	}
	return operators
}

// TestModesOfAnyOperatorSumToThePrediction compares with powers in 400 bits.
func TestModesOfAnyOperatorSumToThePrediction(t *testing.T) {
	for name, g := range awkward() {
		m := operator(g)
		for _, steps := range []int{1, 5, 20} {
			want := exactPower(g, steps)
			var difference mat.Dense
			difference.Sub(want, sumOfModes(t, m, identity(m.dim), steps))
			// The powers of a nilpotent operator are rounding alone.
			size := max(largestEntry(want), largestEntry(g))
			require.LessOrEqual(t, largestEntry(&difference), 1e-12*size, "%s, %d steps", name, steps)
		}
	}
}

// TestModesOfJordanBlocks has the sums of the last columns of powers of Jordan blocks: Σ_k C(6,
// k)·0.9⁶⁻ᵏ over k < n.
func TestModesOfJordanBlocks(t *testing.T) {
	for n, want := range map[int]float64{
		2: 0.531441 + 6*0.59049,
		3: 0.531441 + 6*0.59049 + 15*0.6561, // 13.915881
		4: 0.531441 + 6*0.59049 + 15*0.6561 + 20*0.729,
	} {
		m := operator(jordan(n, 0.9, 1))
		ones := mat.NewDense(1, n, nil)
		ones.Apply(func(int, int, float64) float64 { return 1 }, ones)
		modes, err := m.Modes(ones)
		require.NoError(t, err)
		require.Equal(t, 1, modes.Len())
		assert.Len(t, modes.Members[0], n)
		assert.InDelta(t, 0.9, real(modes.Eigenvalues[0]), 1e-13)
		contribution, err := modes.Contribution(0, 6)
		require.NoError(t, err)
		assert.InDelta(t, want, contribution.At(0, n-1), 1e-12, "n = %d", n)
	}
}

// TestModesAreAsManyAsCanBeToldApart checks which eigenvalues come into one mode, and what stands
// for them.
func TestModesAreAsManyAsCanBeToldApart(t *testing.T) {
	operators := awkward()
	pair := cmplx.Rect(0.95, 0.7)
	for name, want := range map[string]map[complex128]int{ // how many eigenvalues, by their mean
		"identity":              {1: 1},
		"zero":                  {0: 1},
		"three close":           {0.90001: 3},
		"three close, turned":   {0.90001: 3},
		"pair of pairs, turned": {pair: 2, cmplx.Rect(0.5, 2): 1},
		"defective in part":     {0.9: 3, 0.5: 1, cmplx.Rect(0.8, 1): 1, -0.3: 3},
		"weakly coupled":        {0.9: 4},
		"jordan 12, turned":     {0.9: 12},
		"gaps 4, 1e-06, turned": {0.9 - 1.5e-6: 4},
		"gaps 2, 0.01, turned":  {0.9: 1, 0.89: 1},
	} {
		m := operator(operators[name])
		modes, err := m.Modes(identity(m.dim))
		require.NoError(t, err)
		var members []complex128
		for i, v := range modes.Eigenvalues {
			found := false
			for mean, count := range want {
				size := 0
				for _, member := range modes.Members[i] {
					size++
					if imag(member) != 0 && imag(mean) == 0 {
						size++ // its conjugate
					}
				}
				found = found || cmplx.Abs(v-mean) < 1e-11 && size == count
			}
			assert.True(t, found, "%s: %v for %v", name, v, modes.Members[i])
			members = append(members, modes.Members[i]...)
		}
		var values []complex128
		for _, v := range m.Eigenvalues() {
			if imag(v) >= 0 {
				values = append(values, v)
			}
		}
		assert.ElementsMatch(t, values, members, "%s: the eigenvalues are those of the model, to the bit", name)
	}
}

// TestDecouplingIsASimilarity checks what decoupling says of its parts, for operators of many
// clusters too.
func TestDecouplingIsASimilarity(t *testing.T) {
	operators := awkward()
	for _, n := range []int{30, 60} {
		g := random(uint64(n), n, n)
		g.Scale(1/math.Sqrt(float64(n)), g)
		operators[fmt.Sprint("random ", n)] = g
		operators[fmt.Sprint("doubled ", n)] = turned(2, diagonalBlocks(g, g, jordan(5, 0.1, 1)))
	}
	for name, g := range operators {
		d, ok := decouple(g)
		require.True(t, ok)
		n, _ := g.Dims()
		blocks := mat.NewDense(n, n, nil)
		rowsSeen := 0
		for _, c := range d.clusters {
			blocks.Slice(c.from, c.from+c.size, c.from, c.from+c.size).(*mat.Dense).Copy(c.block)
			rowsSeen += c.size
		}
		require.Equal(t, n, rowsSeen, name)
		var products, half, whole mat.Dense
		products.Mul(d.left.T(), d.right)
		products.Sub(&products, identity(n))
		require.LessOrEqual(t, largestEntry(&products), 1e-10, "%s: WᵀV = I", name)
		half.Mul(d.right, blocks)
		whole.Mul(&half, d.left.T())
		whole.Sub(&whole, g)
		require.LessOrEqual(t, largestEntry(&whole), 1e-11*largestEntry(g), "%s: V B Wᵀ = M", name)
	}
}
