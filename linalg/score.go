package linalg

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Risk returns the mean squared error of the one-step prediction over the lagged pairs of an N×d
// trajectory of features, for instance one of validation: the mean of ‖φ(y) − φ(x) G‖₂². It equals
//
//	tr C_Y' − 2 tr(C_XYᵀ U Uᵀ C_XY') + tr(C_XYᵀ U Uᵀ C_X' U Uᵀ C_XY)
//
// with the covariances C' of that trajectory (the risk of Kostic et al. 2022). They are uncentred,
// or about the training means in a centred model. The error is [core.ErrTooShort], [core.ErrShape],
// [core.ErrNonFinite] for values that are not finite and if the risk overflows, and
// [core.ErrUnavailable] if it underflows.
func (m *Model) Risk(features mat.Matrix) (_ float64, err error) {
	defer core.Recover(&err)
	x, err := checkedWidth("features", features, m.dim)
	if err != nil {
		return 0, err
	}
	n, _ := x.Dims()
	if _, err := core.NewPairStarts(n, m.lag, nil); err != nil {
		return 0, err
	}
	prediction, err := m.Predict(rows(x, 0, n-m.lag), 1)
	if err != nil {
		return 0, err
	}
	prediction.Sub(rows(x, m.lag, n), prediction)
	exponent := unitExponent(largestEntry(prediction))
	var sum float64
	for i := range n - m.lag {
		for _, v := range timesPowerOfTwo(rows(prediction, i, i+1), -exponent).RawRowView(0) {
			sum += v * v
		}
	}
	risk := math.Ldexp(sum/float64(n-m.lag), 2*exponent)
	switch {
	case math.IsInf(risk, 0) || math.IsNaN(risk):
		return 0, fmt.Errorf("%w: the risk exceeds the largest float64; scale the features to the order of 1",
			core.ErrNonFinite)
	case sum > 0 && risk < 0x1p-1022:
		return 0, fmt.Errorf("%w: the risk is not zero, but below the least float64; "+
			"scale the features to the order of 1", core.ErrUnavailable)
	}
	return risk, nil
}

// ScoreOptions are the options of [Model.Score].
type ScoreOptions struct {
	// Steps is the number of steps that the prediction spans; 0 for 1.
	Steps int
	// Observable is the N×p trajectory of the observable at the times of the features, to score its
	// prediction; nil to score the prediction of the features.
	Observable mat.Matrix
	// KooplearnPairing compares the prediction from row i with row i + lag + steps − 1, as kooplearn
	// 2.0.3 does, instead of row i + steps·lag. The two differ unless lag or steps is 1. Only the
	// default compares with the predicted time.
	KooplearnPairing bool
}

// Score returns the coefficient of determination R² = 1 − SS_res/SS_tot of the prediction on an N×d
// trajectory of features: the unweighted mean over columns. It is at most 1, and 0 for a prediction
// as good as the trajectory's own mean. It does not depend on the scale of a column. A column that
// is constant to rounding has no R² and is left out of the mean. scikit-learn counts such a column
// as 1 if it is predicted to the last bit, and as 0 otherwise. nil options are the defaults.
//
// The error is [core.ErrTooShort] if there are fewer than two pairs, [core.ErrShape], and
// [core.ErrOption] for negative steps. It is [core.ErrNonFinite] for values that are not finite,
// and if R² is below the least float64. It is [core.ErrUnavailable] for an observable if the fit
// had none, and if all columns are constant.
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
		return 0, fmt.Errorf("%w: %d rows have fewer than two pairs %d steps apart at a lag of %d; give at least %d",
			core.ErrTooShort, n, steps, m.lag, shift+2)
	}
	prediction, err := predict(rows(x, 0, n-shift), steps)
	if err != nil {
		return 0, err
	}
	return determination(rows(target, shift, n), prediction)
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
		return nil, fmt.Errorf("%w: %d rows of the observable for %d rows of features; give one for each", core.ErrShape, r,
			n)
	}
	return f, nil
}

// determination returns the mean of R² over the columns that are not constant.
func determination(target, prediction *mat.Dense) (float64, error) {
	_, p := target.Dims()
	var sum, count float64
	for j := range p {
		column := columns(target, j, j+1)
		if isConstant(column) {
			continue
		}
		sum += determinationOf(column, columns(prediction, j, j+1))
		count++
	}
	switch {
	case count == 0:
		return 0, fmt.Errorf("%w: all columns to compare with are constant, so R² is undefined; "+
			"give rows between which they change", core.ErrUnavailable)
	case math.IsInf(sum, 0) || math.IsNaN(sum):
		return 0, fmt.Errorf("%w: the prediction is so far off that R² is below the least float64", core.ErrNonFinite)
	}
	return sum / count, nil
}

// isConstant reports whether the numbers of a column differ by their rounding at most.
func isConstant(column *mat.Dense) bool {
	return mat.Max(column)-mat.Min(column) <= 4*epsilon*largestEntry(column)
}

// determinationOf returns R² of a column that is not constant.
func determinationOf(target, prediction *mat.Dense) float64 {
	exponent := unitExponent(largestEntry(target))
	target, prediction = timesPowerOfTwo(target, -exponent), timesPowerOfTwo(prediction, -exponent)
	n, _ := target.Dims()
	mean := means(target)[0]
	var residual, total float64
	for i := range n {
		v := target.At(i, 0)
		residual += (v - prediction.At(i, 0)) * (v - prediction.At(i, 0))
		total += (v - mean) * (v - mean)
	}
	return 1 - residual/total
}
