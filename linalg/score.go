package linalg

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Risk returns the mean squared error of the one-step prediction over the lagged pairs of an N×d trajectory of features, one
// of validation for instance: the mean of ‖φ(y) − φ(x) G‖₂². It equals
//
//	tr C_Y' − 2 tr(C_XYᵀ U Uᵀ C_XY') + tr(C_XYᵀ U Uᵀ C_X' U Uᵀ C_XY)
//
// with the covariances C' of that trajectory (the risk of Kostic et al. 2022), uncentred, or about the training means in a
// centred model. The error is [core.ErrTooShort], [core.ErrShape] and [core.ErrNonFinite].
func (m *Model) Risk(features mat.Matrix) (_ float64, err error) {
	defer core.Recover(&err)
	x, err := checkedWidth("features", features, m.dim)
	if err != nil {
		return 0, err
	}
	n, _ := x.Dims()
	if err := checkLag(m.lag, n); err != nil {
		return 0, err
	}
	prediction, err := m.Predict(rows(x, 0, n-m.lag), 1)
	if err != nil {
		return 0, err
	}
	var sum float64
	for i := range n - m.lag {
		y := x.RawRowView(i + m.lag)
		for j, v := range prediction.RawRowView(i) {
			sum += (y[j] - v) * (y[j] - v)
		}
	}
	return sum / float64(n-m.lag), nil
}

// ScoreOptions are the options of [Model.Score].
type ScoreOptions struct {
	// Steps is how many steps the prediction spans; 0 for 1.
	Steps int
	// Observable is the N×p trajectory of the observable at the times of the features, to score the prediction of the
	// observable; nil to score that of the features.
	Observable mat.Matrix
	// KooplearnPairing compares the prediction from row i with row i + lag + steps − 1, as kooplearn 2.0.3 does, instead of
	// row i + steps·lag. The two differ unless lag or steps is 1; only the default compares with the predicted time.
	KooplearnPairing bool
}

// Score returns the coefficient of determination R² = 1 − SS_res/SS_tot of the prediction on an N×d trajectory of features:
// the unweighted mean over columns, at most 1, and 0 for a prediction as good as the trajectory's own mean. A constant
// column counts 1 if it is predicted exactly and 0 otherwise, as in scikit-learn. nil options are the defaults.
//
// The error is [core.ErrTooShort] if there are fewer than two pairs, [core.ErrShape], [core.ErrNonFinite], [core.ErrOption]
// for negative steps, and [core.ErrUnavailable] for an observable if the fit had none.
func (m *Model) Score(features mat.Matrix, o *ScoreOptions) (_ float64, err error) {
	defer core.Recover(&err)
	if o == nil {
		o = &ScoreOptions{}
	}
	steps := o.Steps
	if steps == 0 {
		steps = 1
	}
	if err := checkSteps(steps); err != nil {
		return 0, err
	}
	x, err := checkedWidth("features", features, m.dim)
	if err != nil {
		return 0, err
	}
	n, _ := x.Dims()
	target, predict := x, m.Predict
	if o.Observable != nil {
		if target, err = m.checkedObservable(o.Observable, n); err != nil {
			return 0, err
		}
		predict = m.PredictObservable
	}
	shift := m.lag + steps - 1
	if !o.KooplearnPairing {
		if steps > n {
			steps = n // too far for a pair, whatever the lag
		}
		shift = m.lag * steps
	}
	if n-shift < 2 {
		return 0, fmt.Errorf("%w: %d rows have fewer than two pairs %d steps apart at a lag of %d; give at least %d", core.ErrTooShort, n, steps, m.lag, shift+2)
	}
	prediction, err := predict(rows(x, 0, n-shift), steps)
	if err != nil {
		return 0, err
	}
	return determination(rows(target, shift, n), prediction), nil
}

func (m *Model) checkedObservable(observable mat.Matrix, n int) (*mat.Dense, error) {
	if err := m.checkObservable(); err != nil {
		return nil, err
	}
	f, err := checkedWidth("observables", observable, m.observables)
	if err != nil {
		return nil, err
	}
	if r, _ := f.Dims(); r != n {
		return nil, fmt.Errorf("%w: %d rows of the observable for %d rows of features; give one for each", core.ErrShape, r, n)
	}
	return f, nil
}

// determination returns the mean over columns of R².
func determination(target, prediction *mat.Dense) float64 {
	n, p := target.Dims()
	mean := means(target)
	residual, total := make([]float64, p), make([]float64, p)
	for i := range n {
		predicted := prediction.RawRowView(i)
		for j, v := range target.RawRowView(i) {
			residual[j] += (v - predicted[j]) * (v - predicted[j])
			total[j] += (v - mean[j]) * (v - mean[j])
		}
	}
	var sum float64
	for j := range p {
		switch {
		case total[j] > 0:
			sum += 1 - residual[j]/total[j]
		case residual[j] == 0:
			sum++
		}
	}
	return sum / float64(p)
}
