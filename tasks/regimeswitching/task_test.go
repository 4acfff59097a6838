package regimeswitching

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// TestEigenvalues: each pair of coordinates is a problem of its own, of two complex rotations z and the
// probabilities p to stay: the roots of λ² − (p z + q w) λ + (p + q − 1) z w.
func TestEigenvalues(t *testing.T) {
	got, err := Eigenvalues()
	require.NoError(t, err)
	require.Len(t, got, 1+2*width)
	assert.Equal(t, complex(1, 0), got[0])
	for k := range 2 {
		z, w := cmplx.Rect(modulus, 2*math.Pi*hertz[0][k]*interval), cmplx.Rect(modulus, 2*math.Pi*hertz[1][k]*interval)
		p, q := complex(stays[0], 0), complex(stays[1], 0)
		half := (p*z + q*w) / 2
		for _, sign := range []complex128{1, -1} {
			root := half + sign*cmplx.Sqrt(half*half-(p+q-1)*z*w)
			for _, want := range []complex128{root, cmplx.Conj(root)} {
				nearest := math.Inf(1)
				for _, v := range got {
					nearest = min(nearest, cmplx.Abs(v-want))
				}
				assert.Less(t, nearest, 1e-12, want)
			}
		}
	}
}

// TestSnapshots: a snapshot holds the latest rows, the newest last, and follows the laws.
func TestSnapshots(t *testing.T) {
	o, err := New().Describe().Resolve(map[string]any{"split": "3000,50,200", "delay": 3, "standardise": false})
	require.NoError(t, err)
	p, err := New().Open(t.Context(), o)
	require.NoError(t, err)
	x := p.Train.Matrix()
	near := [2]int{}
	for i := range p.Train.Len() - 1 {
		assert.Equal(t, x.RawRowView(i)[width:], x.RawRowView(i + 1)[:2*width], i)
		errors := [2]float64{}
		for s := range 2 {
			var next mat.VecDense
			next.MulVec(law(s), mat.NewVecDense(width, x.RawRowView(i)[2*width:]))
			next.SubVec(&next, mat.NewVecDense(width, x.RawRowView(i + 1)[2*width:]))
			errors[s] = mat.Norm(&next, 2)
		}
		require.Less(t, min(errors[0], errors[1]), 6*noise, i)
		if errors[0] < errors[1] {
			near[0]++
		} else {
			near[1]++
		}
	}
	assert.InDelta(t, 1./3, float64(near[0])/float64(near[0]+near[1]), .15, "the share of the first state")
}

// TestOnlyTheNewestIsJudged: what a snapshot repeats earns nothing.
func TestOnlyTheNewestIsJudged(t *testing.T) {
	o, err := New().Describe().Resolve(map[string]any{"split": "300,50,200", "steps": 1})
	require.NoError(t, err)
	p, err := New().Open(t.Context(), o)
	require.NoError(t, err)
	values := make([]float32, p.StartCount()*p.Test.Size())
	for i, start := range p.Starts {
		row := values[i*p.Test.Size() : (i+1)*p.Test.Size()]
		p.Test.Read(row, start+1)
		for j := range row[:len(row)-width] {
			row[j] = 100
		}
	}
	predicted, err := core.NewSnapshots(values, p.Test.Size())
	require.NoError(t, err)
	scorer, err := p.Score.Fit(t.Context(), nil)
	require.NoError(t, err)
	scores, err := scorer.Score(t.Context(), 1, predicted)
	require.NoError(t, err)
	assert.Equal(t, make([]float64, p.StartCount()), scores)
}
