package diagnostics_test

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/benchmark/diagnostics"
	"github.com/koopbench/koopbench/core"
)

func TestLeading(t *testing.T) {
	pair := []complex128{1, .5 + .5i, .5 - .5i, .1}
	assert.Equal(t, pair[:1], diagnostics.Leading(pair, 1))
	assert.Equal(t, pair[:3], diagnostics.Leading(pair, 2), "a pair at the cut is kept whole")
	assert.Equal(t, pair[:3], diagnostics.Leading(pair, 3), "and is not torn from itself to join the next")
	assert.Equal(t, []complex128{1, .5 + .5i, .5 - .5i, .1, 0, 0}, diagnostics.Leading(pair, 6))
	two := []complex128{.6 + .1i, .6 - .1i, .5 + .1i, .5 - .1i}
	assert.Equal(t, two[:2], diagnostics.Leading(two, 2))
	assert.Equal(t, two, diagnostics.Leading(two, 3))
	assert.Empty(t, diagnostics.Leading(nil, 0))
}

func TestSpectralError(t *testing.T) {
	truth := []complex128{1, -.2 + .2i, -.2 - .2i, .01}
	none := diagnostics.NewSpectralError(truth, truth, 3, false)
	assert.Equal(t, diagnostics.SpectralError{}, none)

	// All estimates are near the true 1: no estimate is far from the truth, but the truth is far from them.
	e := diagnostics.NewSpectralError([]complex128{1, .95, .9}, truth, 3, false)
	assert.InDelta(t, .1, e.Directed, 1e-12)
	assert.InDelta(t, math.Hypot(1.1, .2), e.Hausdorff, 1e-12)

	// Too few estimates are filled up by zeros, which are |−.2+.2i| away.
	e = diagnostics.NewSpectralError([]complex128{1}, truth, 3, false)
	assert.InDelta(t, math.Hypot(.2, .2), e.Directed, 1e-12)

	// A centred model does not say the trivial eigenvalue.
	e = diagnostics.NewSpectralError(truth[1:], truth, 3, true)
	assert.Equal(t, diagnostics.SpectralError{}, e)
	e = diagnostics.NewSpectralError([]complex128{1.5, -.2 + .2i, -.2 - .2i}, truth, 3, true)
	assert.InDelta(t, .5, e.Directed, 1e-12, "1 comes after what is larger")
}

func TestTimescale(t *testing.T) {
	assert.InDelta(t, 2.5, diagnostics.Timescale(complex(math.Exp(-.4), 0), 1), 1e-12)
	assert.InDelta(t, 5, diagnostics.Timescale(cmplx.Rect(math.Exp(-.4), 1), 2), 1e-12, "of the modulus")
	for _, v := range []complex128{0, 1, -1.5, cmplx.NaN()} {
		assert.True(t, math.IsNaN(diagnostics.Timescale(v, 1)), "%v", v)
	}
}

// values has functions as columns.
func values(functions ...[]complex128) *mat.CDense {
	m := mat.NewCDense(len(functions[0]), len(functions), nil)
	for j, f := range functions {
		for i, v := range f {
			m.Set(i, j, v)
		}
	}
	return m
}

func TestConstant(t *testing.T) {
	assert.False(t, diagnostics.Constant(make([]complex128, 9)), "zero has no size")
	assert.False(t, diagnostics.Constant([]complex128{1}), "of one snapshot nothing is known")
	assert.True(t, diagnostics.Constant([]complex128{1, 1, cmplx.NaN(), 1}))
	assert.False(t, diagnostics.Constant([]complex128{1, 2, 1, 2}),
		"the standard deviation is .32 of the root mean square")
	assert.True(t, diagnostics.Constant([]complex128{2i, 3i, 2i, 3i}), "it is .2 of it")
}

func TestEigenfunctionErrors(t *testing.T) {
	const n = 8
	constant, cosine, wave, other := make([]complex128, n), make([]complex128, n), make([]complex128, n),
		make([]complex128, n)
	for i := range n {
		angle := 2 * math.Pi * float64(i) / n
		constant[i], cosine[i], wave[i] = 3, complex(math.Cos(2*angle), 0), cmplx.Rect(1, angle)
		other[i] = complex(math.Cos(3*angle), 0)
	}
	conjugate := func(f []complex128) []complex128 {
		g := make([]complex128, len(f))
		for i, v := range f {
			g[i] = cmplx.Conj(v)
		}
		return g
	}
	scaled := func(f []complex128, by complex128) []complex128 {
		g := make([]complex128, len(f))
		for i, v := range f {
			g[i] = by * v
		}
		return g
	}
	truth := []complex128{1, .6 + .3i, .6 - .3i, .4}
	functions := [][]complex128{constant, wave, conjugate(wave), cosine}

	same := values(constant, scaled(wave, 2i), scaled(conjugate(wave), -1), scaled(cosine, 1i))
	errors := diagnostics.EigenfunctionErrors(truth, same, truth, functions)
	require.Len(t, errors, 4)
	assert.True(t, math.IsNaN(errors[0]), "the constant one says nothing")
	assert.InDeltaSlice(t, []float64{0, 0, 0}, errors[1:], 1e-12, "factors make no difference")

	// Half of the estimate is another function: cos² of the angle is ½.
	mixed := make([]complex128, n)
	for i := range mixed {
		mixed[i] = cosine[i] + other[i]
	}
	errors = diagnostics.EigenfunctionErrors([]complex128{.9, .41}, values(constant, mixed), truth[3:], functions[3:])
	assert.InDelta(t, .5, errors[0], 1e-12)

	// One real function covers half of a plane.
	half := make([]complex128, n)
	for i := range half {
		half[i] = complex(real(wave[i]), 0)
	}
	errors = diagnostics.EigenfunctionErrors([]complex128{.6}, values(half), truth[1:3], functions[1:3])
	assert.InDeltaSlice(t, []float64{.5, .5}, errors, 1e-12)

	// Without an estimate nothing is told of the function.
	errors = diagnostics.EigenfunctionErrors([]complex128{1}, values(constant), truth[3:], functions[3:])
	assert.Equal(t, []float64{1}, errors)
}

// autoregressive has two independent processes of known correlation, as functions.
func autoregressive(n int, a, b float64) *mat.CDense {
	random := rand.New(rand.NewPCG(1, 2))
	x, y, ones := make([]complex128, n), make([]complex128, n), make([]complex128, n)
	var u, v float64
	for i := range n {
		u, v = a*u+math.Sqrt(1-a*a)*random.NormFloat64(), b*v+math.Sqrt(1-b*b)*random.NormFloat64()
		x[i], y[i], ones[i] = complex(u, 0), complex(1e6*v, 0), 2
	}
	return values(ones, x, y)
}

// TestVAMP2: the canonical correlations of independent processes are their own.
func TestVAMP2(t *testing.T) {
	const n = 100_000
	f := autoregressive(n, .9, .5)
	pairs, err := core.NewPairStarts(n, 1, nil)
	require.NoError(t, err)
	assert.InDelta(t, 1+.81+.25, diagnostics.VAMP2(f, 3, pairs, 1), .01)
	assert.InDelta(t, 1+.81, diagnostics.VAMP2(f, 2, pairs, 1), .01, "of the first functions alone")
	assert.InDelta(t, 1, diagnostics.VAMP2(f, 1, pairs, 1), 0, "the constant one is counted once")
	few, err := core.NewPairStarts(3, 1, nil)
	require.NoError(t, err)
	assert.True(t, math.IsNaN(diagnostics.VAMP2(f, 3, few, 1)))
}

// TestTheEnds: pairs that cross the end of a trajectory would show.
func TestTheEnds(t *testing.T) {
	f := make([]complex128, 400)
	for i := range f { // it turns its sign within a trajectory of two rows, and keeps it across ends
		f[i] = complex(float64(1-2*((i+1)/2%2)), 0)
	}
	lengths := make([]int, 200)
	for k := range lengths {
		lengths[k] = 2
	}
	got := diagnostics.ChapmanKolmogorov([]complex128{-1}, values(f), 1, 5, 1, lengths)
	assert.Len(t, got, 1)
	assert.InDeltaSlice(t, []float64{0}, got, 1e-15, "and no trajectory has a second step")
}

func TestChapmanKolmogorov(t *testing.T) {
	const n = 100_000
	f := autoregressive(n, .9, .5)
	got := diagnostics.ChapmanKolmogorov([]complex128{1, .9, .5}, f, 3, 3, 1, []int{n})
	require.Len(t, got, 3)
	assert.InDeltaSlice(t, []float64{0, 0, 0}, got, .02)
	got = diagnostics.ChapmanKolmogorov([]complex128{1, .7, .5}, f, 2, 3, 1, []int{n})
	assert.InDeltaSlice(t, []float64{.2, .81 - .49, .729 - .343}, got, .02)
}

func TestValidSteps(t *testing.T) {
	scores := [][]float64{{.1, .5, .4}, {.2, .1, .4}, {.5, .1, .4}}
	assert.Equal(t, []int{2, 0, 3}, diagnostics.ValidSteps(scores, .4))
	assert.Nil(t, diagnostics.ValidSteps(nil, .4))
}
