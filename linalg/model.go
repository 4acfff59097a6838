package linalg

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Model is a fitted ridge regression: the operator G = U Uᵀ C_XY of rank r on d features, where U is d×r with
// Uᵀ (C_X + αI) U = I.
//
// The expectation of features or observable F after n steps is φ(x) U Mⁿ⁻¹ Uᵀ Φ_Xᵀ F_Y/N with M =
// Uᵀ C_XY U (Kostic et al. 2022). In a centred model φ(x) and F_Y are deviations from their means
// over the pairs, and deviations of the prediction are carried on from the mean of the inputs, so
// that n steps are always n times one step.
//
// A model is immutable and may be used by several goroutines at a time. A model of rank 0 predicts
// zeros, or the mean if it is centred, and has no eigenvalues.
type Model struct {
	dim, lag int
	rank     int
	mean     []float64 // of the inputs, in a centred model; nil otherwise
	warnings []string

	// Coordinates are a = (φ(x) − mean)·basis, in a centred model followed by a 1. They advance by a·step, and one step on
	// from a the expectations are a·features and a·observable. All are nil where there are no coordinates.
	basis                      *mat.Dense // U, d×r
	step, features, observable *mat.Dense // k×k, k×d and k×p
	observables                int        // p, 0 for none

	spectrum       func() (*spectrum, error)
	decoupling     func() (*decoupling, error)
	singularValues func() ([]float64, error)
}

var _ core.Reporter = (*Model)(nil)

// newModel returns the model of a solution for d features, without mean and observable.
func newModel(s solution, d, lag int) *Model {
	m := &Model{dim: d, lag: lag, warnings: s.warnings, basis: s.basis, features: s.image}
	if s.basis != nil {
		_, m.rank = s.basis.Dims()
		m.step = new(mat.Dense)
		m.step.Mul(s.image, s.basis)
	}
	m.prepare()
	return m
}

// prepare sets what is computed at the first call.
func (m *Model) prepare() {
	m.spectrum = sync.OnceValues(m.decompose)
	m.decoupling = sync.OnceValues(m.decouple)
	m.singularValues = sync.OnceValues(m.computeSingularValues)
}

// fitObservable computes what the observable is in the coordinates, and gives the coordinates of a
// centred model their 1.
func (m *Model) fitObservable(ctx context.Context, p *pairs) error {
	m.mean = p.mean
	if p.observable != nil {
		m.observables = p.observable.width
	}
	if p.observable == nil && m.mean == nil {
		return nil
	}
	drift, level := make([]float64, m.dim), make([]float64, m.observables) // means of the later rows and of the observable
	if m.basis != nil && p.observable != nil {
		m.observable = mat.NewDense(m.rank, m.observables, nil)
	}
	err := p.each(ctx, func(now, next, f *mat.Dense) error {
		if m.observable != nil {
			var coordinates mat.Dense
			coordinates.Mul(now, m.basis)
			addCrossCovariance(m.observable, &coordinates, f, p.n)
		}
		if m.mean != nil {
			addMeans(drift, next, p.n)
			if f != nil {
				addMeans(level, f, p.n)
			}
		}
		return nil
	})
	if err == nil && m.mean != nil {
		m.addConstant(drift, level)
	}
	return err
}

// addConstant gives the coordinates of a centred model their 1. drift is the mean of the lagged
// deviations from m.mean, level the mean of the observable, empty if there is none.
func (m *Model) addConstant(drift, level []float64) {
	step := mat.NewDense(m.rank+1, m.rank+1, nil)
	step.Set(m.rank, m.rank, 1)
	if m.basis != nil {
		step.Slice(0, m.rank, 0, m.rank).(*mat.Dense).Copy(m.step)
		step.Slice(m.rank, m.rank+1, 0, m.rank).(*mat.Dense).Mul(mat.NewDense(1, m.dim, drift), m.basis)
	}
	m.step = step
	mean := slices.Clone(drift)
	for j, v := range m.mean {
		mean[j] += v
	}
	m.features = withRow(m.features, mean)
	if len(level) > 0 {
		m.observable = withRow(m.observable, level)
	}
}

// withRow returns a copy of a, nil standing for no rows, with row added at the end.
func withRow(a *mat.Dense, row []float64) *mat.Dense {
	n := 0
	if a != nil {
		n, _ = a.Dims()
	}
	b := mat.NewDense(n+1, len(row), nil)
	if a != nil {
		b.Copy(a)
	}
	b.SetRow(n, row)
	return b
}

// checkFinite returns [core.ErrNonFinite] if a part of the model overflowed.
func (m *Model) checkFinite() error {
	for _, part := range []*mat.Dense{m.basis, m.step, m.features, m.observable} {
		if part == nil {
			continue
		}
		if _, _, found := indexOfNonFinite(part); found {
			return fmt.Errorf(
				"%w: the operator has values beyond the largest float64; scale features and observable to the order of 1",
				core.ErrNonFinite)
		}
	}
	return nil
}

// Rank is r.
func (m *Model) Rank() int { return m.rank }

// Report implements [core.Reporter].
func (m *Model) Report() core.Report {
	report := core.Report{Rank: m.rank, Warnings: slices.Clone(m.warnings)}
	if m.rank == 0 {
		report.Untrained = "no direction of the features could be used, so the operator has rank 0 and predicts a constant"
	}
	return report
}

// Predict returns the n×d features expected steps lags after each row of the n×d matrix z. The
// error is [core.ErrShape], [core.ErrNonFinite] for such values in z or a prediction that
// overflows, and [core.ErrOption] for steps below 1.
func (m *Model) Predict(z mat.Matrix, steps int) (_ *mat.Dense, err error) {
	defer core.Recover(&err)
	return m.predict(z, steps, m.features, m.dim)
}

// PredictObservable returns the n×p observable expected steps lags after each row of z, with the errors
// of [Model.Predict] and [core.ErrUnavailable] if the fit had no observable.
func (m *Model) PredictObservable(z mat.Matrix, steps int) (_ *mat.Dense, err error) {
	defer core.Recover(&err)
	if err := m.checkObservable(); err != nil {
		return nil, err
	}
	return m.predict(z, steps, m.observable, m.observables)
}

func (m *Model) checkObservable() error {
	if m.observables == 0 {
		return fmt.Errorf("%w: the operator was fitted without an observable; give one to the fit, or ask for features",
			core.ErrUnavailable)
	}
	return nil
}

// predict returns coordinates(z)·stepˢ⁻¹·image, n×p, for a k×p image.
func (m *Model) predict(z mat.Matrix, steps int, image *mat.Dense, p int) (*mat.Dense, error) {
	x, err := checkedWidth("features", z, m.dim)
	if err != nil {
		return nil, err
	}
	if err := checkSteps(steps); err != nil {
		return nil, err
	}
	if image == nil {
		n, _ := x.Dims()
		return mat.NewDense(n, p, nil), nil
	}
	prediction := product(m.coordinates(x), advanced(m.step, image, steps-1))
	if i, j, found := indexOfNonFinite(prediction); found {
		return nil, fmt.Errorf("%w: the prediction %d steps after row %d is %v in column %d; the operator grows without "+
			"bound, so predict fewer steps",
			core.ErrNonFinite, steps, i, prediction.At(i, j), j)
	}
	return prediction, nil
}

func checkSteps(steps int) error {
	if steps < 1 {
		return fmt.Errorf("%w: %d steps; the number of steps must be at least 1", core.ErrOption, steps)
	}
	return nil
}

// centred returns x less the mean of the inputs in a centred model, and x itself otherwise.
func (m *Model) centred(x *mat.Dense) *mat.Dense {
	if m.mean == nil {
		return x
	}
	return shifted(x, m.mean)
}

// coordinates returns the n×k coordinates of the rows of x; k is not 0.
func (m *Model) coordinates(x *mat.Dense) *mat.Dense {
	n, _ := x.Dims()
	var a *mat.Dense
	if m.basis != nil {
		a = product(m.centred(x), m.basis)
	}
	if m.mean == nil {
		return a
	}
	c := mat.NewDense(n, m.rank+1, nil)
	for i := range n {
		row := c.RawRowView(i)
		if a != nil {
			copy(row, a.RawRowView(i))
		}
		row[m.rank] = 1
	}
	return c
}

// advanced returns stepⁿ·image, by repeated squaring.
func advanced(step, image *mat.Dense, n int) *mat.Dense {
	for power := step; n > 0; n >>= 1 {
		if n&1 == 1 {
			image = product(power, image)
		}
		if n > 1 {
			power = product(power, power)
		}
	}
	return image
}

// image returns P = Uᵀ C_XY, r×d.
func (m *Model) image() *mat.Dense { return rows(m.features, 0, m.rank) }

// SingularValues returns the d singular values of U Uᵀ C_XY in descending order; beyond the rank they are 0. They are
// computed at the first call.
func (m *Model) SingularValues() ([]float64, error) {
	values, err := m.singularValues()
	return slices.Clone(values), err
}

// computeSingularValues takes the r of them from R·P, where U = QR and P = Uᵀ C_XY.
func (m *Model) computeSingularValues() (_ []float64, err error) {
	defer core.Recover(&err)
	values := make([]float64, m.dim)
	if m.rank == 0 {
		return values, nil
	}
	var qr mat.QR
	qr.Factorize(m.basis)
	var r, thin mat.Dense
	qr.RTo(&r)
	thin.Mul(rows(&r, 0, m.rank), m.image())
	if _, _, found := indexOfNonFinite(&thin); found {
		return nil, fmt.Errorf("%w: the singular values exceed the largest float64; "+
			"scale the features to the order of 1", core.ErrNonFinite)
	}
	var svd mat.SVD
	if !svd.Factorize(&thin, mat.SVDNone) {
		return nil, fmt.Errorf("%w: the singular values of the operator did not converge", core.ErrUnavailable)
	}
	copy(values, svd.Values(nil))
	return values, nil
}
