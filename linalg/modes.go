package linalg

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Modes is the prediction for a set of states taken apart by eigenvalues. Mode i of eigenvalue λ contributes
//
//	λⁿ⁻¹ ψ(x) cᵀ,  ψ(x) = φ(x)·w,  c = (Uᵀ Φ_Xᵀ F_Y/N)ᵀ p,
//
// to the prediction of F for n steps after the state x, where w = Uq is the right eigenvector and p the dual of q: the
// eigenvalue times the projection of F on the left eigenfunction times the value of the right one (Kostic et al. 2022).
// For the features themselves c = λl. A conjugate pair is one mode, whose contribution is twice the real part. The
// contributions of all modes, and [Modes.Constant] in a centred model, sum to the prediction.
type Modes struct {
	// Eigenvalues has the eigenvalue of each mode in the order of [Model.Eigenvalues], of a conjugate pair the one with
	// positive imaginary part.
	Eigenvalues []complex128

	states       *mat.CDense // n×r values ψ(x)
	coefficients *mat.CDense // r×p rows cᵀ
	columns      []int       // of the modes in these
	rows, width  int         // n and p
	constant     func(steps int) *mat.Dense
}

// Modes takes apart the predictions of the features for the states of the n×d matrix z. The error is that of
// [Model.RightEigenfunctions], and [core.ErrUnavailable] if the operator is defective: it has fewer eigenvectors than rank.
func (m *Model) Modes(z mat.Matrix) (_ *Modes, err error) {
	defer core.Recover(&err)
	return m.modes(z, m.features, m.dim)
}

// ObservableModes is [Model.Modes] for the observable. The error is [core.ErrUnavailable] too if the fit had none.
func (m *Model) ObservableModes(z mat.Matrix) (_ *Modes, err error) {
	defer core.Recover(&err)
	if err := m.checkObservable(); err != nil {
		return nil, err
	}
	return m.modes(z, m.observable, m.observables)
}

func (m *Model) modes(z mat.Matrix, image *mat.Dense, width int) (*Modes, error) {
	s, err := m.spectrum()
	if err != nil {
		return nil, err
	}
	states, err := m.evaluate(z, s.right)
	if err != nil {
		return nil, err
	}
	modes := &Modes{states: states, width: width}
	modes.rows, _ = z.Dims()
	modes.constant = func(steps int) *mat.Dense { return m.constant(image, width, steps) }
	if m.rank == 0 {
		return modes, nil
	}
	modes.coefficients = mat.NewCDense(m.rank, width, nil)
	for j, value := range s.values {
		if s.defective[j] {
			return nil, fmt.Errorf("%w: the operator is defective, it lacks an eigenvector for the eigenvalue %.6g; ask for a lower rank", core.ErrUnavailable, value)
		}
		if imag(value) < 0 {
			continue
		}
		modes.Eigenvalues = append(modes.Eigenvalues, value)
		modes.columns = append(modes.columns, j)
		for k := range width {
			var c complex128
			for i := range m.rank {
				c += s.dual.At(i, j) * complex(image.At(i, k), 0)
			}
			modes.coefficients.Set(j, k, c)
		}
	}
	return modes, nil
}

// constant returns the 1×p part of a prediction that does not depend on the state.
func (m *Model) constant(image *mat.Dense, width, steps int) *mat.Dense {
	if m.mean == nil {
		return mat.NewDense(1, width, nil)
	}
	k := m.rank + 1
	return mat.DenseCopyOf(rows(m.advanced(image, steps-1), k-1, k))
}

// Len is the number of modes.
func (m *Modes) Len() int { return len(m.Eigenvalues) }

// Contribution returns the n×p contribution of mode i to the prediction for that many steps. The error is [core.ErrOption] for
// a mode that does not exist and steps below 1, and [core.ErrNonFinite] if it overflows.
func (m *Modes) Contribution(i, steps int) (_ *mat.Dense, err error) {
	defer core.Recover(&err)
	if i < 0 || i >= m.Len() {
		return nil, fmt.Errorf("%w: mode %d of %d; they are counted from 0", core.ErrOption, i, m.Len())
	}
	if err := checkSteps(steps); err != nil {
		return nil, err
	}
	j := m.columns[i]
	factor := cmplx.Pow(m.Eigenvalues[i], complex(float64(steps-1), 0))
	if imag(m.Eigenvalues[i]) != 0 {
		factor *= 2
	}
	contribution := mat.NewDense(m.rows, m.width, nil)
	for row := range m.rows {
		state := factor * m.states.At(row, j)
		for column := range m.width {
			contribution.Set(row, column, real(state*m.coefficients.At(j, column)))
		}
	}
	if _, _, found := indexOfNonFinite(contribution); found {
		return nil, fmt.Errorf("%w: mode %d, of eigenvalue %.6g, overflows in %d steps; ask for fewer", core.ErrNonFinite, i, m.Eigenvalues[i], steps)
	}
	return contribution, nil
}

// Constant returns the p values that are added to the contributions of all modes in the prediction for that many steps. They
// are zero unless the model is centred. The error is that of [Modes.Contribution].
func (m *Modes) Constant(steps int) (_ []float64, err error) {
	defer core.Recover(&err)
	if err := checkSteps(steps); err != nil {
		return nil, err
	}
	constant := m.constant(steps)
	if _, _, found := indexOfNonFinite(constant); found {
		return nil, fmt.Errorf("%w: the constant part of the prediction overflows in %d steps; ask for fewer", core.ErrNonFinite, steps)
	}
	return slices.Clone(constant.RawRowView(0)), nil
}

// Frequency returns how many turns per lag a mode of that eigenvalue makes, in [0, ½]: |arg λ|/2π.
func Frequency(eigenvalue complex128) float64 {
	return math.Abs(cmplx.Phase(eigenvalue)) / (2 * math.Pi)
}

// DecayTime returns in how many lags a mode of that eigenvalue falls to 1/e: −1/ln|λ|, infinite for |λ| ≥ 1 and 0 for λ = 0.
func DecayTime(eigenvalue complex128) float64 {
	modulus := cmplx.Abs(eigenvalue)
	if modulus >= 1 {
		return math.Inf(1)
	}
	return -1 / math.Log(modulus)
}
