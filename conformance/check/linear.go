package check

import (
	"context"
	"fmt"
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// These checks are of operators with a spectrum, which are linear up to a constant.

// rounding is the largest difference, relative to the largest value, of values that differ by the rounding of float64.
const rounding = 1e-8

// spectral returns the fitted operator and its spectrum.
func (s *operating) spectral(ctx context.Context) (core.Operator, core.SpectralOperator, error) {
	fitted, err := s.fit(ctx)
	if err != nil {
		return nil, nil, err
	}
	spectral, ok := core.As[core.SpectralOperator](fitted)
	if !ok {
		return nil, nil, undeclared("fitted operator", linearAbility)
	}
	return fitted, spectral, nil
}

func (s *operating) checkEigenvalues(ctx context.Context, _ *notes) error {
	fitted, spectral, err := s.spectral(ctx)
	if err != nil {
		return err
	}
	values := spectral.Eigenvalues()
	if len(values) != fitted.Rank() {
		return wrong("return one for each dimension of the operator's range",
			"there are %d eigenvalues of an operator of rank %d", len(values), fitted.Rank())
	}
	if err := checkEigenvalues(values, spectral.Eigenvalues); err != nil {
		return err
	}
	return checkPairs(values)
}

func (s *operating) checkKnownEigenvalues(ctx context.Context, _ *notes) error {
	_, spectral, err := s.spectral(ctx)
	if err != nil {
		return err
	}
	const near = 0.05
	found := spectral.Eigenvalues()
	for _, want := range s.system.eigenvalues {
		least := math.Inf(1)
		for _, v := range found {
			least = min(least, cmplx.Abs(v-want))
		}
		if !(least <= near) {
			return wrong(
				"look for an operator of another lag, or too strong a regularisation, which Options.Settings can weaken",
				"no eigenvalue of %.4g is within %g of the system's %.4g", found, near, want)
		}
	}
	return nil
}

func (s *operating) checkEigenfunctions(ctx context.Context, _ *notes) error {
	_, spectral, err := s.spectral(ctx)
	if err != nil {
		return err
	}
	r := len(spectral.Eigenvalues())
	for _, f := range eigenfunctions(spectral) {
		compute := func(z *mat.Dense) (table, error) { return f.at(ctx, z) }
		z := s.system.probes(20)
		out, err := compute(z)
		if err != nil {
			return err
		}
		if err := checkEigenfunctions(f.name, out, 20, r); err != nil {
			return err
		}
		if d := matrixTable(s.system.probes(20)).difference(matrixTable(z)); d != "" {
			return wrong("work on a copy", "%s changed the matrix that it was given: %s", f.name, d)
		}
		if err := matrixRowsIndependent(z, f.name, compute); err != nil {
			return err
		}
	}
	return nil
}

type eigenfunction struct {
	name     string
	evaluate func(ctx context.Context, z mat.Matrix) (*mat.CDense, error)
}

func eigenfunctions(s core.SpectralOperator) []eigenfunction {
	return []eigenfunction{{"LeftEigenfunctions", s.LeftEigenfunctions}, {"RightEigenfunctions", s.RightEigenfunctions}}
}

func (f eigenfunction) at(ctx context.Context, z mat.Matrix) (table, error) {
	values, err := f.evaluate(ctx, z)
	if err != nil {
		return table{}, failed(f.name, err)
	}
	if values == nil {
		return table{}, wrong("return a matrix", "%s returned neither a matrix nor an error", f.name)
	}
	return complexTable(values), nil
}

// vectors returns the coefficient vectors, d×r: what the functions change by along each axis.
func (f eigenfunction) vectors(ctx context.Context) (*mat.CDense, error) {
	axes := mat.NewDense(systemDim+1, systemDim, nil) // the last row is the origin
	for i := range systemDim {
		axes.Set(i, i, 1)
	}
	out, err := f.at(ctx, axes)
	if err != nil {
		return nil, err
	}
	r := out.columns / 2
	vectors := mat.NewCDense(systemDim, max(r, 1), nil)
	value := func(i, j int) complex128 {
		return complex(out.values[i*out.columns+2*j], out.values[i*out.columns+2*j+1])
	}
	for i := range systemDim {
		for j := range r {
			vectors.Set(i, j, value(i, j)-value(systemDim, j))
		}
	}
	return vectors, nil
}

// matrix returns the d×d matrix G of one step, z ↦ z·G + c, from the steps of the origin and the axes.
func (s *operating) matrix(ctx context.Context, fitted core.Operator) (*mat.Dense, error) {
	axes := mat.NewDense(systemDim+1, systemDim, nil)
	for i := range systemDim {
		axes.Set(i, i, 1)
	}
	next, err := fitted.Predict(ctx, axes, 1)
	if err != nil {
		return nil, failed("Predict", err)
	}
	g := mat.NewDense(systemDim, systemDim, nil)
	g.Apply(func(i, j int, _ float64) float64 { return next.At(i, j) - next.At(systemDim, j) }, g)
	return g, nil
}

func (s *operating) checkLinear(ctx context.Context, _ *notes) error {
	fitted, _, err := s.spectral(ctx)
	if err != nil {
		return err
	}
	const n, weight = 8, 0.3
	z := s.system.probes(2 * n)
	mixed := mat.NewDense(n, systemDim, nil)
	mixed.Apply(func(i, j int, _ float64) float64 { return weight*z.At(i, j) + (1-weight)*z.At(n+i, j) }, mixed)
	of, err := forecast(ctx, fitted, z, 2)
	if err != nil {
		return failed("Predict", err)
	}
	got, err := forecast(ctx, fitted, mixed, 2)
	if err != nil {
		return failed("Predict", err)
	}
	for i, v := range got.values {
		want := weight*of.values[i] + (1-weight)*of.values[n*of.columns+i]
		if !(math.Abs(v-want) <= rounding*(1+of.largest())) {
			return wrong("do not declare SpectralOperator for what is not linear, nor clip predictions",
				"the prediction 2 steps after %g·a + %g·b is %v in column %d, and that of the predictions after a and b is %v",
				weight, 1-weight, v, i%got.columns, want)
		}
	}
	return nil
}

func (s *operating) checkSteps(ctx context.Context, _ *notes) error {
	fitted, _, err := s.spectral(ctx)
	if err != nil {
		return err
	}
	const n, most = 10, 6
	var z mat.Matrix = s.system.probes(n)
	for steps := 2; steps <= most; steps++ {
		before, err := fitted.Predict(ctx, z, 1)
		if err != nil {
			return failed("Predict", err)
		}
		z = before
		want, err := forecast(ctx, fitted, z, 1)
		if err != nil {
			return failed("Predict", err)
		}
		got, err := forecast(ctx, fitted, s.system.probes(n), steps)
		if err != nil {
			return failed("Predict", err)
		}
		for i, v := range got.values {
			if !(math.Abs(v-want.values[i]) <= rounding*(1+want.largest())) {
				what := "features"
				if i%got.columns >= systemDim {
					what = "observable"
				}
				return wrong("apply the operator of one step n times",
					"%d steps at once predict %v for a value of the %s, and one by one %v", steps, v, what, want.values[i])
			}
		}
	}
	return nil
}

func (s *operating) checkEigenvectors(ctx context.Context, _ *notes) error {
	fitted, spectral, err := s.spectral(ctx)
	if err != nil {
		return err
	}
	values := spectral.Eigenvalues()
	if len(values) == 0 {
		return nil
	}
	g, err := s.matrix(ctx, fitted)
	if err != nil {
		return err
	}
	var vectors []*mat.CDense
	for _, f := range eigenfunctions(spectral) {
		v, err := f.vectors(ctx)
		if err != nil {
			return err
		}
		vectors = append(vectors, v)
	}
	left, right := vectors[0], vectors[1]
	const near = 1e-6 // the vectors of close eigenvalues are less certain than values
	for j, value := range values {
		norm, product := 0.0, complex128(0)
		l, w := make([]complex128, systemDim), make([]complex128, systemDim)
		for i := range systemDim {
			l[i], w[i] = left.At(i, j), right.At(i, j)
			norm += real(w[i] * cmplx.Conj(w[i]))
			product += l[i] * w[i]
		}
		which := fmt.Sprintf("of eigenvalue %d, %.4g,", j, value)
		if math.Abs(norm-1) > near {
			return wrong("divide right vectors by their Euclidean length", "the right vector %s has the length %v; it must be 1",
				which, math.Sqrt(norm))
		}
		if cmplx.Abs(product-1) > near && !zero(l) { // zero where the eigenvalue lacks an eigenvector
			return wrong("divide left vectors by Σ l_j w_j, without conjugation",
				"of the vectors %s Σ l_j w_j is %v; it must be 1", which, product)
		}
		size := mat.Norm(g, 2)
		for i := range systemDim {
			var gw, lg complex128
			for k := range systemDim {
				gw += complex(g.At(i, k), 0) * w[k]
				lg += l[k] * complex(g.At(k, i), 0)
			}
			if cmplx.Abs(gw-value*w[i]) > near*(1+size) {
				return wrong("right vectors are those of the d×d matrix G of Predict, z ↦ z·G: G·w = λ·w",
					"one step of the right eigenfunction %s multiplies its vector's entry %d, %.4g, to %.4g; it must be %.4g", which,
					i, w[i], gw, value*w[i])
			}
			if cmplx.Abs(lg-value*l[i]) > near*(1+size)*(1+length(l)) {
				return wrong("left vectors are those of the d×d matrix G of Predict, z ↦ z·G: l·G = λ·l",
					"one step multiplies entry %d of the left vector %s %.4g, to %.4g; it must be %.4g", i, which, l[i],
					lg, value*l[i])
			}
		}
	}
	return nil
}

func zero(v []complex128) bool { return length(v) == 0 }

func length(v []complex128) float64 {
	sum := 0.0
	for _, x := range v {
		sum += real(x * cmplx.Conj(x))
	}
	return math.Sqrt(sum)
}
