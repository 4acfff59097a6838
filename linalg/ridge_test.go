package linalg_test

import (
	"context"
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

var variants = []linalg.Variant{linalg.ReducedRank, linalg.PrincipalComponents, linalg.Full}

// noisy returns an n×d trajectory of a stable linear system, 0.8 times an isometry, driven by noise.
func noisy(seed uint64, n, d int) *mat.Dense {
	random := rand.New(rand.NewPCG(seed, 0))
	var qr mat.QR
	qr.Factorize(gaussian(random, d, d))
	var g mat.Dense
	qr.QTo(&g)
	g.Scale(0.8, &g)
	x := mat.NewDense(n, d, nil)
	for i := 1; i < n; i++ {
		x.Slice(i, i+1, 0, d).(*mat.Dense).Mul(x.Slice(i-1, i, 0, d), &g)
		for j := range d {
			x.Set(i, j, x.At(i, j)+random.NormFloat64())
		}
	}
	return x
}

// linear returns the n×d trajectory of x ← x·g from a random start.
func linear(g *mat.Dense, n int) *mat.Dense {
	d, _ := g.Dims()
	x := mat.NewDense(n, d, nil)
	x.SetRow(0, gaussian(rand.New(rand.NewPCG(9, 9)), 1, d).RawRowView(0))
	for i := 1; i < n; i++ {
		x.Slice(i, i+1, 0, d).(*mat.Dense).Mul(x.Slice(i-1, i, 0, d), g)
	}
	return x
}

func requireClose(t *testing.T, want, got mat.Matrix, tolerance float64, message ...any) {
	t.Helper()
	var difference mat.Dense
	difference.Sub(want, got)
	largest := math.Max(mat.Max(want), -mat.Min(want))
	worst := math.Max(mat.Max(&difference), -mat.Min(&difference))
	require.LessOrEqual(t, worst, tolerance*math.Max(largest, math.SmallestNonzeroFloat64), message...)
}

func predict(t *testing.T, m *linalg.Model, z mat.Matrix, steps int) *mat.Dense {
	t.Helper()
	p, err := m.Predict(z, steps)
	require.NoError(t, err)
	return p
}

func TestFullRankVariantsAreRidgeRegression(t *testing.T) {
	x, f := noisy(1, 300, 7), noisy(2, 300, 3)
	n, d := 300-2, 7
	for _, alpha := range []float64{0, 1e-6, 0.3} {
		cx, _, cxy, err := linalg.Covariances(x.Slice(0, n, 0, d), x.Slice(2, 300, 0, d), false)
		require.NoError(t, err)
		_, _, cxf, err := linalg.Covariances(x.Slice(0, n, 0, d), f.Slice(2, 300, 0, 3), false)
		require.NoError(t, err)
		for i := range d {
			cx.SetSym(i, i, cx.At(i, i)+alpha)
		}
		var g, h, want, wantObservable mat.Dense
		require.NoError(t, g.Solve(cx, cxy))
		require.NoError(t, h.Solve(cx, cxf))
		want.Mul(x, &g)
		wantObservable.Mul(x, &h)
		for _, variant := range variants {
			m, err := linalg.FitRidge(t.Context(), x, f, 2, &linalg.RidgeOptions{Alpha: new(alpha), Variant: variant})
			require.NoError(t, err)
			assert.Equal(t, d, m.Rank())
			assert.Empty(t, m.Report().Warnings)
			requireClose(t, &want, predict(t, m, x, 1), 1e-12, "%s alpha=%g", variant, alpha)
			got, err := m.PredictObservable(x, 1)
			require.NoError(t, err)
			requireClose(t, &wantObservable, got, 1e-12, "%s alpha=%g", variant, alpha)
		}
	}
}

func TestReducedRankIsTheBestOfItsRank(t *testing.T) {
	x := noisy(1, 400, 8)
	previous := math.Inf(1)
	for rank := 1; rank <= 8; rank++ {
		risk := func(variant linalg.Variant) float64 {
			m := fit(t, x, nil, &linalg.RidgeOptions{Alpha: new(0.0), Rank: rank, Variant: variant})
			assert.Equal(t, rank, m.Rank())
			r, err := m.Risk(x)
			require.NoError(t, err)
			return r
		}
		reduced := risk(linalg.ReducedRank)
		assert.LessOrEqual(t, reduced, risk(linalg.PrincipalComponents)*(1+1e-12), "rank %d", rank)
		assert.Less(t, reduced, previous, "rank %d", rank)
		previous = reduced
	}
}

func TestLinearSystemsAreRecovered(t *testing.T) {
	rotation := func(angle, modulus float64) (a, b float64) {
		return modulus * math.Cos(angle), modulus * math.Sin(angle)
	}
	a, b := rotation(0.7, 1)
	c, e := rotation(2, 0.999)
	g := mat.NewDense(5, 5, []float64{
		a, b, 0, 0, 0,
		-b, a, 0, 0, 0,
		0, 0, c, e, 0,
		0, 0, -e, c, 0,
		0, 0, 0, 0, 0.995,
	})
	want := []complex128{cmplx.Rect(1, 0.7), cmplx.Rect(1, -0.7), cmplx.Rect(0.999, 2), cmplx.Rect(0.999, -2), 0.995}
	x := linear(g, 200)
	for _, variant := range variants {
		m := fit(t, x, nil, &linalg.RidgeOptions{Alpha: new(0.0), Variant: variant})
		got := m.Eigenvalues()
		require.Len(t, got, 5)
		for i, v := range want {
			assert.InDelta(t, 0, cmplx.Abs(got[i]-v), 1e-10, "%s: eigenvalue %d is %v", variant, i, got[i])
		}
		assert.Equal(t, cmplx.Conj(got[0]), got[1], "conjugate to the bit")
		requireClose(t, x.Slice(50, 200, 0, 5), predict(t, m, x.Slice(0, 150, 0, 5), 50), 1e-9, "%s", variant)
	}
}

func TestStepsCompose(t *testing.T) {
	x := noisy(1, 200, 6)
	for i := range 200 {
		x.Set(i, 2, x.At(i, 2)+0.01*float64(i)) // means of inputs and targets differ
	}
	for _, variant := range variants {
		for _, centre := range []bool{false, true} {
			for rank := range 6 {
				if variant == linalg.Full && rank > 0 {
					continue
				}
				m, err := linalg.FitRidge(t.Context(), x, x, 3, &linalg.RidgeOptions{Rank: rank, Variant: variant, Centre: centre})
				require.NoError(t, err)
				z := mat.DenseCopyOf(x.Slice(0, 20, 0, 6))
				for steps := 1; steps <= 9; steps++ {
					z = predict(t, m, z, 1)
					requireClose(t, z, predict(t, m, x.Slice(0, 20, 0, 6), steps), 1e-12, "%s rank=%d centre=%v steps=%d", variant,
						rank, centre, steps)
					observable, err := m.PredictObservable(x.Slice(0, 20, 0, 6), steps)
					require.NoError(t, err)
					requireClose(t, z, observable, 1e-12, "the features as observable")
				}
			}
		}
	}
}

func TestCenteredModelIsRegressionWithConstant(t *testing.T) {
	x, f := noisy(1, 300, 4), noisy(2, 300, 2)
	for i := range 300 {
		x.Set(i, 1, x.At(i, 1)+1000)
		f.Set(i, 0, f.At(i, 0)-1000)
	}
	m := fit(t, x, f, &linalg.RidgeOptions{Alpha: new(0.0), Centre: true})
	design := mat.NewDense(299, 5, nil)
	for i := range 299 {
		design.Set(i, 0, 1)
		for j := range 4 {
			design.Set(i, j+1, x.At(i, j))
		}
	}
	check := func(target mat.Matrix, got *mat.Dense) {
		var beta, want mat.Dense
		require.NoError(t, beta.Solve(design, target))
		want.Mul(design, &beta)
		requireClose(t, &want, got, 1e-11)
	}
	check(x.Slice(1, 300, 0, 4), predict(t, m, x.Slice(0, 299, 0, 4), 1))
	observable, err := m.PredictObservable(x.Slice(0, 299, 0, 4), 1)
	require.NoError(t, err)
	check(f.Slice(1, 300, 0, 2), observable)

	far, err := m.Predict(x, 5000)
	require.NoError(t, err)
	for j := range 4 {
		assert.InDelta(t, far.At(0, j), far.At(299, j), 1e-9, "all states relax to one mean")
	}
}

func TestPredictionsDoNotDependOnOtherRows(t *testing.T) {
	x := ordered(700, 90)
	for _, o := range []*linalg.RidgeOptions{{Rank: 5}, {Rank: 70, Centre: true}, {Variant: linalg.Full}} {
		m := fit(t, x, x, o)
		for _, call := range []func(mat.Matrix) (mat.Matrix, error){
			func(z mat.Matrix) (mat.Matrix, error) { return m.Predict(z, 1) },
			func(z mat.Matrix) (mat.Matrix, error) { return m.Predict(z, 3) },
			func(z mat.Matrix) (mat.Matrix, error) { return m.PredictObservable(z, 2) },
			func(z mat.Matrix) (mat.Matrix, error) { return realParts(m.LeftEigenfunctions(z)) },
			func(z mat.Matrix) (mat.Matrix, error) { return realParts(m.RightEigenfunctions(z)) },
		} {
			all, err := call(x)
			require.NoError(t, err)
			for _, batch := range []int{1, 2, 63, 64, 65, 200, 257} {
				for from := 0; from+batch <= 700; from += 97 {
					part, err := call(x.Slice(from, from+batch, 0, 90))
					require.NoError(t, err)
					_, columns := all.Dims()
					same := all.(*mat.Dense).Slice(from, from+batch, 0, columns)
					require.True(t, mat.Equal(same, part), "%d rows from %d", batch, from)
				}
			}
		}
	}
}

func realParts(c *mat.CDense, err error) (mat.Matrix, error) {
	if err != nil {
		return nil, err
	}
	n, r := c.Dims()
	parts := mat.NewDense(n, 2*r, nil)
	for i := range n {
		for j := range r {
			parts.Set(i, 2*j, real(c.At(i, j)))
			parts.Set(i, 2*j+1, imag(c.At(i, j)))
		}
	}
	return parts, nil
}

func TestResultsDoNotDependOnGOMAXPROCS(t *testing.T) {
	x, f := ordered(400, 150), noisy(2, 400, 70)
	everything := func(o *linalg.RidgeOptions) []any {
		m := fit(t, x, f, o)
		p, err := m.Predict(x, 3)
		require.NoError(t, err)
		q, err := m.PredictObservable(x, 2)
		require.NoError(t, err)
		left, err := realParts(m.LeftEigenfunctions(x))
		require.NoError(t, err)
		singular, err := m.SingularValues()
		require.NoError(t, err)
		return []any{m.Rank(), p, q, m.Eigenvalues(), left, singular}
	}
	for _, o := range []*linalg.RidgeOptions{{Rank: 5}, {Rank: 5, Variant: linalg.PrincipalComponents},
		{Rank: 100, Centre: true}, {Alpha: new(0.0)}} {
		previous := runtime.GOMAXPROCS(1)
		one := everything(o)
		for _, threads := range []int{2, 7} {
			runtime.GOMAXPROCS(threads)
			assert.Equal(t, one, everything(o), "%+v", o)
		}
		runtime.GOMAXPROCS(previous)
	}
}

func TestFitKeepsAndChangesNothing(t *testing.T) {
	x, f := noisy(1, 100, 5), noisy(2, 100, 2)
	keptX, keptF := mat.DenseCopyOf(x), mat.DenseCopyOf(f)
	for _, centre := range []bool{false, true} {
		o := &linalg.RidgeOptions{Rank: 3, Centre: centre}
		m := fit(t, x, f, o)
		before := predict(t, m, keptX, 2)
		assert.True(t, mat.Equal(keptX, x) && mat.Equal(keptF, f), "fit and predict change nothing")
		x.Zero()
		f.Zero()
		assert.True(t, mat.Equal(before, predict(t, m, keptX, 2)), "the model keeps nothing")
		x.Copy(keptX)
		f.Copy(keptF)
		assert.True(t, mat.Equal(before, predict(t, fit(t, x, f, o), x, 2)), "a second fit is equal to the bit")

		m.Eigenvalues()[0] = 0
		singular, err := m.SingularValues()
		require.NoError(t, err)
		singular[0] = 0
		assert.NotZero(t, m.Eigenvalues()[0], "results are copies")
		singular, err = m.SingularValues()
		require.NoError(t, err)
		assert.NotZero(t, singular[0], "results are copies")
	}
}

func TestAnyMatrixWillDo(t *testing.T) {
	x := noisy(1, 80, 4)
	want := fit(t, x, nil, nil)
	transposed := mat.DenseCopyOf(x.T())
	got := fit(t, transposed.T(), transposed.T(), nil)
	requireClose(t, predict(t, want, x, 2), predict(t, got, transposed.T(), 2), 1e-14)
	wide := mat.NewDense(80, 9, nil)
	wide.Slice(0, 80, 3, 7).(*mat.Dense).Copy(x)
	got = fit(t, wide.Slice(0, 80, 3, 7), nil, nil)
	assert.True(t, mat.Equal(predict(t, want, x, 2), predict(t, got, wide.Slice(0, 80, 3, 7), 2)),
		"a view of a wider matrix")
}

func TestOperatorMatchesFitRidge(t *testing.T) {
	x, f := noisy(1, 100, 5), noisy(2, 100, 2)
	description := linalg.Ridge{}.Describe()
	require.NoError(t, description.Validate())
	assert.Equal(t, "ridge", description.Name)
	given := map[string]any{"alpha": 0.01, "rank": 3, "variant": "principal-components", "centre": true}
	options, err := description.Resolve(given)
	require.NoError(t, err)
	operator, err := linalg.Ridge{}.Fit(t.Context(), &core.OperatorTraining{Features: x, Observable: f, Lag: 2,
		Options: options, Precision: 0x1p-23})
	require.NoError(t, err)
	want, err := linalg.FitRidge(t.Context(), x, f, 2, &linalg.RidgeOptions{
		Alpha: new(0.01), Rank: 3, Variant: linalg.PrincipalComponents, Centre: true, Precision: 0x1p-23,
	})
	require.NoError(t, err)
	got, err := operator.PredictObservable(t.Context(), x, 3)
	require.NoError(t, err)
	expected, err := want.PredictObservable(x, 3)
	require.NoError(t, err)
	assert.True(t, mat.Equal(expected, got))
	_, spectral := core.As[core.SpectralOperator](operator)
	assert.True(t, spectral)
	assert.Equal(t, 3, core.ReportOf(operator).Rank)

	defaults, err := description.Resolve(nil)
	require.NoError(t, err)
	operator, err = linalg.Ridge{}.Fit(t.Context(), &core.OperatorTraining{Features: x, Lag: 1, Options: defaults})
	require.NoError(t, err)
	state, err := operator.Predict(t.Context(), x, 1)
	require.NoError(t, err)
	assert.True(t, mat.Equal(predict(t, fit(t, x, nil, nil), x, 1), state), "the defaults are the same")
	_, err = operator.PredictObservable(t.Context(), x, 1)
	assert.ErrorIs(t, err, core.ErrUnavailable)
}

func TestFitRefusesBadInput(t *testing.T) {
	x := noisy(1, 20, 3)
	with := func(i, j int, v float64) *mat.Dense {
		c := mat.DenseCopyOf(x)
		c.Set(i, j, v)
		return c
	}
	var missing *mat.Dense
	for name, c := range map[string]struct {
		x, f mat.Matrix
		lag  int
		o    linalg.RidgeOptions
		want error
		text string
	}{
		"nil":          {nil, nil, 1, linalg.RidgeOptions{}, core.ErrShape, "features"},
		"a nil matrix": {missing, nil, 1, linalg.RidgeOptions{}, core.ErrPanic, ""},
		"empty":        {&mat.Dense{}, nil, 1, linalg.RidgeOptions{}, core.ErrShape, "0×0"},
		"lag 0":        {x, nil, 0, linalg.RidgeOptions{}, core.ErrOption, "lag of 0"},
		"no pair":      {x, nil, 20, linalg.RidgeOptions{}, core.ErrTooShort, "at least 21"},
		"not a number": {with(4, 2, math.NaN()), nil, 1, linalg.RidgeOptions{}, core.ErrNonFinite,
			"row 4, column 2"},
		"infinite": {with(19, 0, math.Inf(1)), nil, 1, linalg.RidgeOptions{}, core.ErrNonFinite,
			"row 19, column 0"},
		"overflow":             {with(4, 2, 1e200), nil, 1, linalg.RidgeOptions{}, core.ErrNonFinite, "scale the features"},
		"observable too short": {x, mat.NewDense(19, 2, nil), 1, linalg.RidgeOptions{}, core.ErrShape, "19 rows"},
		"observable empty":     {x, &mat.Dense{}, 1, linalg.RidgeOptions{}, core.ErrShape, "observables"},
		"observable infinite":  {x, with(0, 0, math.Inf(-1)), 1, linalg.RidgeOptions{}, core.ErrNonFinite, "observables"},
		"rank above d":         {x, nil, 1, linalg.RidgeOptions{Rank: 4}, core.ErrOption, "3 features"},
		"negative rank":        {x, nil, 1, linalg.RidgeOptions{Rank: -1}, core.ErrOption, "rank=-1"},
		"rank of full": {x, nil, 1, linalg.RidgeOptions{Rank: 2, Variant: linalg.Full}, core.ErrOption,
			"variant=full"},
		"unknown variant":        {x, nil, 1, linalg.RidgeOptions{Variant: "pcr"}, core.ErrOption, "principal-components"},
		"negative alpha":         {x, nil, 1, linalg.RidgeOptions{Alpha: new(-1.0)}, core.ErrOption, "alpha=-1"},
		"alpha not a number":     {x, nil, 1, linalg.RidgeOptions{Alpha: new(math.NaN())}, core.ErrOption, "alpha=NaN"},
		"infinite alpha":         {x, nil, 1, linalg.RidgeOptions{Alpha: new(math.Inf(1))}, core.ErrOption, "alpha=+Inf"},
		"negative precision":     {x, nil, 1, linalg.RidgeOptions{Precision: -1}, core.ErrOption, "precision of -1"},
		"precision of one":       {x, nil, 1, linalg.RidgeOptions{Precision: 1}, core.ErrOption, "precision of 1"},
		"precision not a number": {x, nil, 1, linalg.RidgeOptions{Precision: math.NaN()}, core.ErrOption, "precision of NaN"},
	} {
		m, err := linalg.FitRidge(t.Context(), c.x, c.f, c.lag, &c.o)
		assert.ErrorIs(t, err, c.want, name)
		assert.ErrorContains(t, err, c.text, name)
		assert.Nil(t, m, name)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := linalg.FitRidge(ended, x, nil, 1, nil)
	assert.ErrorIs(t, err, context.Canceled)
}

// expiring is a context that ends at the given call of Err.
type expiring struct {
	context.Context
	calls, end int
}

func (c *expiring) Err() error {
	if c.calls++; c.calls >= c.end {
		return context.DeadlineExceeded
	}
	return nil
}

func TestFitEndsWithItsContext(t *testing.T) {
	x := noisy(1, 50, 3)
	stages := 0
	for end := 1; ; end++ {
		m, err := linalg.FitRidge(&expiring{Context: t.Context(), end: end}, x, nil, 1, nil)
		if err == nil {
			break
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Nil(t, m)
		stages++
	}
	assert.GreaterOrEqual(t, stages, 3, "it looks between its stages")
}

func TestPredictRefusesBadInput(t *testing.T) {
	x := noisy(1, 50, 3)
	m := fit(t, x, x, nil)
	bad := mat.DenseCopyOf(x)
	bad.Set(7, 1, math.NaN())
	calls := map[string]func(mat.Matrix, int) error{
		"Predict":             func(z mat.Matrix, n int) error { _, err := m.Predict(z, n); return err },
		"PredictObservable":   func(z mat.Matrix, n int) error { _, err := m.PredictObservable(z, n); return err },
		"LeftEigenfunctions":  func(z mat.Matrix, _ int) error { _, err := m.LeftEigenfunctions(z); return err },
		"RightEigenfunctions": func(z mat.Matrix, _ int) error { _, err := m.RightEigenfunctions(z); return err },
		"Modes":               func(z mat.Matrix, _ int) error { _, err := m.Modes(z); return err },
		"Risk":                func(z mat.Matrix, _ int) error { _, err := m.Risk(z); return err },
		"Score":               func(z mat.Matrix, _ int) error { _, err := m.Score(z, nil); return err },
	}
	for name, call := range calls {
		require.NoError(t, call(x, 1), name)
		assert.ErrorIs(t, call(nil, 1), core.ErrShape, name)
		assert.ErrorIs(t, call(&mat.Dense{}, 1), core.ErrShape, name)
		assert.ErrorIs(t, call(mat.NewDense(10, 4, nil), 1), core.ErrShape, name)
		assert.ErrorIs(t, call(bad, 1), core.ErrNonFinite, name)
	}
	for _, steps := range []int{0, -1} {
		assert.ErrorIs(t, calls["Predict"](x, steps), core.ErrOption)
		assert.ErrorIs(t, calls["PredictObservable"](x, steps), core.ErrOption)
	}

	growing := fit(t, linear(mat.NewDense(1, 1, []float64{3}), 20), nil, nil)
	_, err := growing.Predict(mat.NewDense(1, 1, []float64{1}), 10_000)
	assert.ErrorIs(t, err, core.ErrNonFinite)
	_, err = m.Predict(x, math.MaxInt)
	assert.NoError(t, err, "a decaying operator predicts any number of steps")
}

func TestScaleOfTheFeatures(t *testing.T) {
	x := noisy(1, 200, 4)
	want := predict(t, fit(t, x, x, &linalg.RidgeOptions{Alpha: new(0.0)}), x, 2)
	for _, scale := range []float64{1e-5, 1e5, 1e60, 1e100} {
		var scaled, back mat.Dense
		scaled.Scale(scale, x)
		for _, variant := range variants {
			m := fit(t, &scaled, x, &linalg.RidgeOptions{Alpha: new(0.0), Variant: variant})
			require.Equal(t, 4, m.Rank(), "%s %g", variant, scale)
			back.Scale(1/scale, predict(t, m, &scaled, 2))
			requireClose(t, want, &back, 1e-10, "%s %g", variant, scale)
			observable, err := m.PredictObservable(&scaled, 2)
			require.NoError(t, err)
			requireClose(t, want, observable, 1e-10, "%s %g", variant, scale)
			_, err = m.SingularValues()
			require.NoError(t, err)
			require.Len(t, m.Eigenvalues(), 4)
		}
	}
}

// FuzzFitRidge fits whatever trajectory the bytes make: nothing may panic, and whatever is fitted
// predicts finite values.
func FuzzFitRidge(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8}, uint8(2), uint8(1), uint8(0), 1e-6, false)
	f.Add([]byte{0, 0, 0, 0, 0, 0}, uint8(1), uint8(2), uint8(1), 0.0, true)
	f.Add([]byte{255, 1, 255, 1, 7, 7, 9, 200, 4, 4, 4, 4}, uint8(4), uint8(1), uint8(2), 0.0, false)
	f.Add([]byte{9, 9, 9, 9, 9, 9, 9, 9}, uint8(2), uint8(1), uint8(6), 1e-30, true)
	f.Fuzz(func(t *testing.T, data []byte, width, lag, kind uint8, alpha float64, centre bool) {
		d := int(width%9) + 1
		n := min(len(data)/d, 40)
		if n == 0 {
			return
		}
		x := mat.NewDense(n, d, nil)
		for i := range n {
			for j := range d {
				b := data[i*d+j]
				x.Set(i, j, float64(int8(b))*math.Pow(10, float64(kind>>2%5)))
			}
		}
		m, err := linalg.FitRidge(t.Context(), x, x, int(lag%5), &linalg.RidgeOptions{
			Alpha: &alpha, Variant: variants[kind%3], Centre: centre,
		})
		if err != nil {
			require.NotErrorIs(t, err, core.ErrPanic)
			return
		}
		p, err := m.Predict(x, 1)
		require.NoError(t, err)
		require.False(t, math.IsNaN(mat.Sum(p)))
		require.LessOrEqual(t, m.Rank(), d)
		_, err = m.SingularValues()
		require.NoError(t, err)
		require.Len(t, m.Eigenvalues(), m.Rank())
		_, err = m.LeftEigenfunctions(x)
		require.NoError(t, err)
		modes, err := m.Modes(x)
		require.NoError(t, err)
		var members int
		for i := range modes.Len() {
			_, err = modes.Contribution(i, 1)
			require.NoError(t, err)
			for _, v := range modes.Members[i] {
				members++
				if imag(v) != 0 {
					members++
				}
			}
		}
		require.Equal(t, m.Rank(), members)
	})
}

func ExampleFitRidge() {
	// A rotation by a twelfth of a turn a step, seen at every time.
	turn := math.Pi / 6
	x := mat.NewDense(100, 2, nil)
	for i := range 100 {
		x.SetRow(i, []float64{math.Cos(turn * float64(i)), math.Sin(turn * float64(i))})
	}
	model, err := linalg.FitRidge(context.Background(), x, nil, 1, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range model.Eigenvalues() {
		fmt.Printf("|λ| = %.4f, %.4f turns a step\n", cmplx.Abs(v), linalg.Frequency(v))
	}
	opposite, err := model.Predict(mat.NewDense(1, 2, []float64{1, 0}), 6)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("half a turn on: %.3f\n", opposite.RawRowView(0))
	// Output:
	// |λ| = 1.0000, 0.0833 turns a step
	// |λ| = 1.0000, 0.0833 turns a step
	// half a turn on: [-1.000 0.000]
}
