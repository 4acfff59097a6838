package linearsystem

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

func open(t *testing.T, options map[string]any) (*core.Problem, error) {
	o, err := New().Describe().Resolve(options)
	require.NoError(t, err)
	return New().Open(t.Context(), o)
}

func TestTruth(t *testing.T) {
	p, err := open(t, map[string]any{"split": "20,20,50"})
	require.NoError(t, err)
	z := cmplx.Rect(.95, math.Pi/8)
	want := []complex128{
		1, z, cmplx.Conj(z), .95 * .95, z * z, cmplx.Conj(z * z), .95 * .95 * z, .95 * .95 * cmplx.Conj(z),
	}
	for i, v := range want {
		assert.InDelta(t, 0, cmplx.Abs(v-p.Truth.Eigenvalues[i]), 1e-14, i)
	}
	// Those of four factors are five, and .8 is smaller. Of the next none comes without its equals.
	require.Len(t, p.Truth.Eigenvalues, 16)
	assert.InDelta(t, math.Pow(.95, 4), cmplx.Abs(p.Truth.Eigenvalues[14]), 1e-14)
	assert.InDelta(t, .8, real(p.Truth.Eigenvalues[15]), 1e-14)
	assert.Equal(t, 3, p.Truth.Leading, "the next three are equally large")
}

func TestTruthOfOtherEigenvalues(t *testing.T) {
	for text, c := range map[string]struct {
		first     []complex128
		functions int
	}{
		"0.9,0.8,0.5":     {[]complex128{1, .9, .9 * .9, .8}, 2}, // the third is a product
		"-0.9,0.8":        {[]complex128{1, -.9, .9 * .9, .8}, 2},
		"0.9,0.5":         {[]complex128{1, .9, .9 * .9, .9 * .9 * .9}, 2},
		"0.9,0.81":        {[]complex128{1, .9, .9 * .9, .9 * .9}, 2},
		"0.9,0.9,0.9":     {[]complex128{1, .9, .9, .9}, 1},
		"0.9,0.9,0.9,0.9": {[]complex128{1}, 1}, // then four are equally large
		"0":               {[]complex128{1}, 1},
		"0.5@90":          {[]complex128{1, .5i, -.5i}, 3},
		"0.9@1,0.9@179":   {[]complex128{1}, 1},
	} {
		p, err := open(t, map[string]any{"split": "20,20,50", "eigenvalues": text})
		require.NoError(t, err, text)
		require.NoError(t, p.Validate(), text)
		require.Equal(t, len(c.first), p.Truth.Leading, text)
		for i, v := range c.first {
			assert.InDelta(t, 0, cmplx.Abs(v-p.Truth.Eigenvalues[i]), 1e-14, "%s %d", text, i)
		}
		assert.Len(t, p.Truth.Eigenfunctions, c.functions, text)
	}
}

// TestLaw: the process keeps its law: the covariance of snapshots is that of z, and that at a lag falls with
// the powers of A.
func TestLaw(t *testing.T) {
	p, err := open(t, map[string]any{"split": "200000,20,20"})
	require.NoError(t, err)
	x := p.Train.Matrix()
	n, _ := x.Dims()
	at := func(lag int) (sum float64) { // trace of E[x' xᵀ]
		for i := range n - lag {
			for j := range outside {
				sum += x.At(i+lag, j) * x.At(i, j) / float64(n-lag)
			}
		}
		return sum
	}
	a, err := parse("0.95@22.5,0.8,0.5")
	require.NoError(t, err)
	for lag := range 6 {
		want := 0.0
		for _, v := range a.values {
			want += real(cmplx.Pow(v, complex(float64(lag), 0))) / (1 - cmplx.Abs(v)*cmplx.Abs(v))
		}
		assert.InDelta(t, want, at(lag), .4, lag)
	}
}

// TestBegins: the first snapshot already has the law of the others, in whatever directions they are seen.
func TestBegins(t *testing.T) {
	sum := 0.0
	for seed := range 400 {
		p, err := open(t, map[string]any{"split": "20,20,20", "data_seed": seed, "eigenvalues": "0.99"})
		require.NoError(t, err)
		first := make([]float32, outside)
		p.Train.Read(first, 0)
		for _, v := range first {
			sum += float64(v) * float64(v) / 400
		}
	}
	assert.InEpsilon(t, 1/(1-.99*.99), sum, .25)
}

func TestEigenvaluesThatCannotBe(t *testing.T) {
	for text, says := range map[string]string{
		"":                                       `"" in eigenvalues=`,
		"1":                                      `"1" in eigenvalues=1; give numbers`,
		"0.5,NaN":                                `"NaN"`,
		"0.5_0":                                  `"0.5_0"`,
		"0x1p-1":                                 `"0x1p-1"`,
		"Inf":                                    `"Inf"`,
		"0.5@0":                                  "degrees between 0 and 180",
		"0.5@180":                                "degrees between 0 and 180",
		"-0.5@20":                                "a modulus above 0",
		"0.5@x":                                  `"0.5@x"`,
		"0.5@NaN":                                "degrees between",
		"0.5@20@30":                              `"0.5@20@30"`,
		"x":                                      `"x"`,
		"0.5@20,0.4@20,0.3@20,0.2@20,0.1@20,0.5": "11 eigenvalues",
	} {
		_, err := open(t, map[string]any{"eigenvalues": text})
		assert.ErrorIs(t, err, core.ErrOption, text)
		assert.ErrorContains(t, err, says, text)
	}
}
