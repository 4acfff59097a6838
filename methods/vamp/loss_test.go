package vamp_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/vamp"
)

// variant is a choice of options.
type variant struct {
	schatten int
	centre   bool
	ridge    float64
}

func (v variant) String() string {
	return fmt.Sprintf("schatten=%d,centre=%t,ridge=%v", v.schatten, v.centre, v.ridge)
}

func (v variant) options(t testing.TB) core.Options {
	t.Helper()
	options, err := vamp.Loss{}.Describe().Resolve(
		map[string]any{"schatten": v.schatten, "centre": v.centre, "ridge": v.ridge})
	require.NoError(t, err)
	return options
}

var variants = []variant{
	{1, false, 0}, {1, true, 0}, {2, false, 0}, {2, true, 0},
	{1, false, 1e-3}, {1, true, 1e-3}, {2, false, 1e-3}, {2, true, 1e-3},
}

func evaluate(t testing.TB, x, y mat.Matrix, v variant) core.LossValue {
	t.Helper()
	loss, err := vamp.Loss{}.Evaluate(context.Background(), x, y, v.options(t))
	require.NoError(t, err)
	return loss
}

func gaussian(r *rand.Rand, rows, columns int) *mat.Dense {
	m := mat.NewDense(rows, columns, nil)
	for i := range m.RawMatrix().Data {
		m.RawMatrix().Data[i] = r.NormFloat64()
	}
	return m
}

// views returns two dependent views, the entries float32 numbers.
func views(r *rand.Rand, n, d int) (x, y *mat.Dense) {
	x, y = gaussian(r, n, d), gaussian(r, n, d)
	y.Apply(func(i, j int, v float64) float64 { return v + 0.7*x.At(i, j) + 0.3 }, y)
	return rounded(x), rounded(y)
}

func rounded(m *mat.Dense) *mat.Dense {
	m.Apply(func(_, _ int, v float64) float64 { return float64(float32(v)) }, m)
	return m
}

// distance is ‖a − b‖ / ‖b‖.
func distance(a, b mat.Matrix) float64 {
	var difference mat.Dense
	difference.Sub(a, b)
	return mat.Norm(&difference, 2) / mat.Norm(b, 2)
}

// definition computes the loss as the papers write it.
func definition(x, y *mat.Dense, v variant) float64 {
	loss := 0.0
	for _, s := range correlations(x, y, v) {
		loss -= math.Pow(s, float64(v.schatten))
	}
	return loss
}

// correlations returns the canonical correlations in descending order, from eigendecompositions of the covariances.
func correlations(x, y *mat.Dense, v variant) []float64 {
	n, _ := x.Dims()
	covariance := func(a, b *mat.Dense) *mat.Dense {
		var c mat.Dense
		c.Mul(centred(a, v.centre).T(), centred(b, v.centre))
		c.Scale(1/float64(n), &c)
		return &c
	}
	inverseRoot := func(a *mat.Dense) *mat.Dense {
		c := covariance(a, a)
		d, _ := c.Dims()
		symmetric := mat.NewSymDense(d, nil)
		for i := range d {
			for j := i; j < d; j++ {
				symmetric.SetSym(i, j, c.At(i, j))
			}
			symmetric.SetSym(i, i, c.At(i, i)+v.ridge)
		}
		var eigen mat.EigenSym
		eigen.Factorize(symmetric, true)
		values := eigen.Values(nil)
		var vectors mat.Dense
		eigen.VectorsTo(&vectors)
		root := mat.NewDense(d, d, nil)
		for i, value := range values {
			if value > 1e-10*values[d-1] {
				root.RankOne(root, 1/math.Sqrt(value), vectors.ColView(i), vectors.ColView(i))
			}
		}
		return root
	}
	var k mat.Dense
	k.Product(inverseRoot(x), covariance(x, y), inverseRoot(y))
	var svd mat.SVD
	svd.Factorize(&k, mat.SVDNone)
	return svd.Values(nil)
}

func centred(m *mat.Dense, centre bool) *mat.Dense {
	c := mat.DenseCopyOf(m)
	n, d := c.Dims()
	for j := range d {
		mean := mat.Sum(c.ColView(j)) / float64(n)
		for i := range n {
			if centre {
				c.Set(i, j, c.At(i, j)-mean)
			}
		}
	}
	return c
}

func TestDescription(t *testing.T) {
	require.NoError(t, vamp.Loss{}.Describe().Validate())
	for _, bad := range []map[string]any{{"schatten": 0}, {"schatten": 3}, {"ridge": -1e-9}, {"ridge": math.NaN()},
		{"center": true}} {
		_, err := vamp.Loss{}.Describe().Resolve(bad)
		assert.ErrorIs(t, err, core.ErrOption, "%v", bad)
	}
}

func TestValueIsTheDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, v := range variants {
		for _, d := range []int{1, 2, 5, 10} {
			x, y := views(r, 64, d)
			got := evaluate(t, x, y, v)
			assert.InDelta(t, definition(x, y, v), got.Value, 1e-10, "%v d=%d", v, d)
			assert.Empty(t, got.Warnings)
		}
	}
}

func TestValueIsTheDefinitionOfDeficientRank(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, v := range variants {
		x, y := views(r, 64, 5)
		for i := range 64 {
			x.Set(i, 1, 2*x.At(i, 0))
			y.Set(i, 4, y.At(i, 0)-3*y.At(i, 2))
			x.Set(i, 3, 0)
		}
		got := evaluate(t, x, y, v)
		assert.InDelta(t, definition(x, y, v), got.Value, 1e-9, "%v", v)
	}
}

func TestGradientIsTheSlopeOfTheValue(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, v := range variants {
		for _, d := range []int{1, 2, 5} {
			x, y := views(r, 12, d)
			got := evaluate(t, x, y, v)
			for _, view := range []struct{ entries, gradient *mat.Dense }{{x, got.GradX}, {y, got.GradY}} {
				for i := range view.entries.RawMatrix().Data {
					const step = 1e-5
					entry := &view.entries.RawMatrix().Data[i]
					was := *entry
					*entry = was + step
					above := evaluate(t, x, y, v).Value
					*entry = was - step
					below := evaluate(t, x, y, v).Value
					*entry = was
					assert.InDelta(t, (above-below)/(2*step), view.gradient.RawMatrix().Data[i], 1e-7, "%v d=%d", v, d)
				}
			}
		}
	}
}

func TestScoreIsInvariantUnderLinearMaps(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, v := range variants[:4] {
		x, y := views(r, 64, 5)
		a, b := gaussian(r, 5, 5), gaussian(r, 5, 5)
		b.Apply(func(_, j int, v float64) float64 { return v * math.Pow(10, float64(5*j)) }, b) // scales differ by 10²⁰
		var xa, yb mat.Dense
		xa.Mul(x, a)
		yb.Mul(y, b)
		want, got := evaluate(t, x, y, v), evaluate(t, &xa, &yb, v)
		assert.InDelta(t, want.Value, got.Value, 1e-8, "%v", v)
		assert.Empty(t, got.Warnings)
		// By the chain rule the gradient by x is that by xa times aᵀ.
		var back mat.Dense
		back.Mul(got.GradX, a.T())
		assert.Less(t, distance(&back, want.GradX), 1e-8, "%v", v)
	}
}

func TestScoreIsSymmetricAndAtMostTheNumberOfFeatures(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, v := range variants {
		for _, n := range []int{6, 7, 12, 64} {
			x, y := views(r, n, 5)
			forth, back := evaluate(t, x, y, v), evaluate(t, y, x, v)
			assert.InDelta(t, forth.Value, back.Value, 1e-12)
			assert.True(t, mat.EqualApprox(forth.GradX, back.GradY, 1e-10))
			assert.Negative(t, forth.Value)
			assert.GreaterOrEqual(t, forth.Value, -5-1e-12)

			same := evaluate(t, x, x, v)
			if v.ridge == 0 {
				assert.InDelta(t, -5, same.Value, 1e-12, "identical views score d")
				assert.Less(t, mat.Norm(same.GradX, 2), 1e-10, "which is the most there is")
			} else {
				assert.Greater(t, same.Value, -5.0, "a ridge lowers the score")
			}
		}
	}
}

func TestRidgeIsContinuousAtZeroAndTamesTheGradient(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for _, v := range variants[:4] {
		x, y := views(r, 64, 5)
		small := v
		small.ridge = 1e-9
		want, got := evaluate(t, x, y, v), evaluate(t, x, y, small)
		assert.InDelta(t, want.Value, got.Value, 1e-7)
		assert.Less(t, distance(got.GradX, want.GradX), 1e-7)

		for i := range 64 { // almost collinear
			x.Set(i, 4, x.At(i, 0)+1e-4*x.At(i, 4))
		}
		small.ridge = 1e-4
		assert.Less(t, mat.Norm(evaluate(t, x, y, small).GradX, 2), 0.1*mat.Norm(evaluate(t, x, y, v).GradX, 2))
	}
}

// insert returns m with one more feature, made of the others of its row, at place at.
func insert(m *mat.Dense, at int, feature func(i int, row []float64) float64) *mat.Dense {
	n, d := m.Dims()
	wide := mat.NewDense(n, d+1, nil)
	for i := range n {
		row := m.RawRowView(i)
		copy(wide.RawRowView(i), row[:at])
		wide.Set(i, at, feature(i, row))
		copy(wide.RawRowView(i)[at+1:], row[at:])
	}
	return wide
}

func TestDependentFeaturesAreLeftOut(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	x, y := views(r, 32, 3)
	for name, c := range map[string]struct {
		at       int
		feature  func(i int, row []float64) float64
		centered bool // depends on the others only if the views are centred
	}{
		"zero":        {0, func(int, []float64) float64 { return 0 }, false},
		"tiny":        {1, func(i int, _ []float64) float64 { return 1e-33 * float64(i) }, false},
		"duplicate":   {3, func(_ int, row []float64) float64 { return row[1] }, false},
		"combination": {3, func(_ int, row []float64) float64 { return 5*row[0] - row[1] + row[2]/3 }, false},
		"almost":      {3, func(i int, row []float64) float64 { return row[0] + 1e-8*float64(i%7) }, false},
		"constant":    {2, func(int, []float64) float64 { return 0.1 }, true},
		"shifted":     {3, func(_ int, row []float64) float64 { return 7 - row[2] }, true},
	} {
		for _, v := range variants[:4] {
			t.Run(fmt.Sprint(name, " ", v), func(t *testing.T) {
				got := evaluate(t, insert(x, c.at, c.feature), insert(y, c.at, c.feature), v)
				if c.centered && !v.centre {
					assert.Empty(t, got.Warnings)
					return
				}
				want := evaluate(t, x, y, v)
				assert.InDelta(t, want.Value, got.Value, 1e-7)
				require.Len(t, got.Warnings, 2)
				assert.True(t, strings.HasPrefix(got.Warnings[0], fmt.Sprintf("1 of 4 features of the view (%d)", c.at)),
					got.Warnings[0])
				assert.True(t, strings.HasPrefix(got.Warnings[1], fmt.Sprintf("1 of 4 features of the lagged view (%d)", c.at)),
					got.Warnings[1])
				none := func(int, []float64) float64 { return 0 }
				assert.Less(t, distance(got.GradX, insert(want.GradX, c.at, none)), 1e-6)
				assert.Less(t, distance(got.GradY, insert(want.GradY, c.at, none)), 1e-6)
			})
		}
		t.Run(name+" with a ridge", func(t *testing.T) {
			assert.Empty(t,
				evaluate(t, insert(x, c.at, c.feature), insert(y, c.at, c.feature), variant{2, false, 1e-6}).Warnings)
		})
	}
}

func TestFewRows(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	const d = 4
	for n := 1; n <= d+3; n++ {
		for _, v := range variants {
			x, y := views(r, n, d)
			got := evaluate(t, x, y, v)
			freedom := n
			if v.centre {
				freedom--
			}
			switch {
			case v.ridge > 0:
				if freedom > 0 && (v.schatten == 2 || freedom >= d) {
					assert.Empty(t, got.Warnings, "%v n=%d", v, n)
				}
			case freedom <= d:
				assert.NotEmpty(t, got.Warnings, "%v n=%d", v, n)
				assert.InDelta(t, -min(freedom, d), got.Value, 1e-12, "the most that n rows allow")
				assert.Less(t, mat.Norm(got.GradX, 2)+mat.Norm(got.GradY, 2), 1e-8, "%v n=%d", v, n)
			default:
				assert.Empty(t, got.Warnings, "%v n=%d", v, n)
			}
		}
	}
}

func TestUncorrelatedViews(t *testing.T) {
	x := mat.NewDense(8, 2, []float64{1, 0, -1, 0, 0, 1, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0})
	y := mat.NewDense(8, 2, []float64{1, 0, -1, 0, 0, 0, 0, 0, 0, 1, 0, -1, 0, 0, 0, 0})
	got := evaluate(t, x, y, variant{2, false, 0})
	assert.InDelta(t, -1, got.Value, 1e-15)
	assert.Empty(t, got.Warnings, "VAMP-2 is smooth there")
	got = evaluate(t, x, y, variant{1, false, 0})
	assert.InDelta(t, -1, got.Value, 1e-15)
	require.Len(t, got.Warnings, 1)
	assert.Contains(t, got.Warnings[0], "1 of 2 canonical correlations are zero")

	got = evaluate(t, mat.NewDense(8, 2, nil), y, variant{1, false, 0})
	assert.Equal(t, 0.0, got.Value)
	assert.False(t, math.Signbit(got.Value))
	assert.Len(t, got.Warnings, 1)
}

func TestHugeEntriesAreNoOverflow(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	x, y := views(r, 32, 3)
	for _, v := range variants[:4] {
		want := evaluate(t, x, y, v)
		var huge mat.Dense
		huge.Scale(math.MaxFloat64/8, x)
		got := evaluate(t, &huge, y, v)
		assert.InDelta(t, want.Value, got.Value, 1e-10)
		assert.Less(t, distance(got.GradY, want.GradY), 1e-8)
	}
}

func TestErrors(t *testing.T) {
	good := mat.NewDense(4, 2, []float64{1, 2, 3, 4, 5, 6, 7, 9})
	options := variant{2, false, 0}.options(t)
	for name, c := range map[string]struct {
		x, y mat.Matrix
		want error
	}{
		"rows":     {good, mat.NewDense(3, 2, nil), core.ErrShape},
		"columns":  {good, mat.NewDense(4, 3, nil), core.ErrShape},
		"empty":    {&mat.Dense{}, &mat.Dense{}, core.ErrShape},
		"nil":      {nil, nil, core.ErrShape},
		"infinite": {good, mat.NewDense(4, 2, []float64{1, 2, 3, 4, 5, 6, 7, math.Inf(1)}), core.ErrNonFinite},
		"NaN":      {mat.NewDense(4, 2, []float64{1, 2, 3, 4, 5, 6, 7, math.NaN()}), good, core.ErrNonFinite},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := vamp.Loss{}.Evaluate(context.Background(), c.x, c.y, options)
			assert.ErrorIs(t, err, c.want)
		})
	}
	_, err := vamp.Loss{}.Evaluate(context.Background(), good, good, core.Options{})
	assert.ErrorIs(t, err, core.ErrPanic, "options without values are a mistake, not a crash")
}

func TestViewsAreNotChanged(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	x, y := views(r, 16, 3)
	xWas, yWas := mat.DenseCopyOf(x), mat.DenseCopyOf(y)
	for _, v := range variants {
		evaluate(t, x, y, v)
	}
	assert.True(t, mat.Equal(xWas, x))
	assert.True(t, mat.Equal(yWas, y))
}

func FuzzEvaluate(f *testing.F) {
	r := rand.New(rand.NewPCG(11, 11))
	bytes := func(x, y *mat.Dense) []byte {
		var b []byte
		for _, v := range append(x.RawMatrix().Data, y.RawMatrix().Data...) {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		return b
	}
	for d := range 5 {
		x, y := views(r, 6, d+1)
		f.Add(uint8(d), uint8(3*d), 0.0, bytes(x, y))
		f.Add(uint8(d), uint8(d), 1e-3, bytes(x, x))
		x.Scale(1e200, x)
		y.Scale(1e-300, y)
		f.Add(uint8(d), uint8(d+1), 0.0, bytes(x, y))
	}
	f.Add(uint8(2), uint8(0), 1e-320, make([]byte, 300))
	f.Fuzz(func(t *testing.T, features, choice uint8, ridge float64, content []byte) {
		d := int(features%6) + 1
		n := min(len(content)/(16*d), 40)
		description := vamp.Loss{}.Describe()
		options, err := description.Resolve(
			map[string]any{"schatten": int(choice&1) + 1, "centre": choice&2 != 0, "ridge": ridge})
		if err != nil || n == 0 {
			t.Skip("not options or no rows")
		}
		read := func(from int) *mat.Dense {
			m := mat.NewDense(n, d, nil)
			for i := range m.RawMatrix().Data {
				m.RawMatrix().Data[i] = math.Float64frombits(binary.LittleEndian.Uint64(content[8*(from+i):]))
			}
			return m
		}
		x, y := read(0), read(n*d)
		got, err := vamp.Loss{}.Evaluate(context.Background(), x, y, options)
		if err != nil {
			require.ErrorIs(t, err, core.ErrNonFinite)
			size := mat.Norm(x, 1) + mat.Norm(y, 1)
			require.True(t, math.IsNaN(size) || math.IsInf(size, 0), "an error without a reason: %v", err)
			return
		}
		require.LessOrEqual(t, got.Value, 0.0)
		require.GreaterOrEqual(t, got.Value, -float64(d)*(1+1e-12))
		for _, gradient := range []*mat.Dense{got.GradX, got.GradY} {
			rows, columns := gradient.Dims()
			require.Equal(t, []int{n, d}, []int{rows, columns})
			for _, v := range gradient.RawMatrix().Data {
				require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "%v", gradient.RawMatrix().Data)
			}
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	r := rand.New(rand.NewPCG(12, 12))
	x, y := views(r, 64, 5)
	for _, v := range []variant{{2, false, 0}, {1, false, 0}} {
		b.Run(v.String(), func(b *testing.B) {
			options := v.options(b)
			for b.Loop() {
				_, err := vamp.Loss{}.Evaluate(context.Background(), x, y, options)
				require.NoError(b, err)
			}
		})
	}
}
