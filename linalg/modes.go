package linalg

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Modes is the prediction for a set of states, split by eigenvalues. Mode i of a simple eigenvalue
// λ contributes
//
//	λⁿ⁻¹ ψ(x) cᵀ,  ψ(x) = φ(x)·w,  c = (Uᵀ Φ_Xᵀ F_Y/N)ᵀ p,
//
// to the prediction of F for n steps after the state x, where w = Uq is the right eigenvector and p
// the dual of q. This is the eigenvalue times the projection of F on the left eigenfunction times
// the value of the right one (Kostic et al. 2022). For the features themselves c = λl. A conjugate
// pair is one mode, whose contribution is twice the real part.
//
// Some eigenvalues share eigenvectors, or so nearly do that their contributions would be more than
// about a thousand times their sum. Together these are one mode. It contributes φ(x) U V Bⁿ⁻¹ Wᵀ Uᵀ
// Φ_Xᵀ F_Y/N, where V and W are bases of their right and left invariant subspaces with WᵀV = I, and
// B = WᵀMV (Bavely and Stewart, An algorithm for computing reducing subspaces by block
// diagonalization, SIAM J. Numer. Anal. 16, 1979).
//
// The sum of the contributions of all modes, and of [Modes.Constant] in a centred model, is the
// prediction. This holds to rounding for defective operators too, because no mode is much larger
// than the sum.
type Modes struct {
	// Eigenvalues has the eigenvalue of each mode in the order of [Model.Eigenvalues]; for a conjugate
	// pair, the one with positive imaginary part. A mode of several eigenvalues has their mean.
	// Rounding hardly changes the mean, even if it scatters the eigenvalues themselves. If none of
	// them is real, the mean is that of those with positive imaginary part.
	Eigenvalues []complex128
	// Members has the eigenvalues of each mode in their order, without those with negative imaginary
	// part: one, or several that cannot be distinguished.
	Members [][]complex128

	clusters     []cluster
	states       *mat.Dense // n×r values φ(x) U V
	coefficients *mat.Dense // r×p values Wᵀ Uᵀ Φ_Xᵀ F_Y/N
	rows, width  int        // n and p
	constant     func(steps int) *mat.Dense
}

// Modes splits the predictions of the features for the states of the n×d matrix z into modes. The
// error is that of [Model.RightEigenfunctions].
func (m *Model) Modes(z mat.Matrix) (_ *Modes, err error) {
	defer core.Recover(&err)
	return m.modes(z, m.features, m.dim)
}

// ObservableModes is [Model.Modes] for the observable. The error is also [core.ErrUnavailable] if
// the fit had none.
func (m *Model) ObservableModes(z mat.Matrix) (_ *Modes, err error) {
	defer core.Recover(&err)
	if err := m.checkObservable(); err != nil {
		return nil, err
	}
	return m.modes(z, m.observable, m.observables)
}

func (m *Model) modes(z mat.Matrix, image *mat.Dense, width int) (*Modes, error) {
	x, err := checkedWidth("features", z, m.dim)
	if err != nil {
		return nil, err
	}
	modes := &Modes{width: width}
	modes.rows, _ = x.Dims()
	modes.constant = func(steps int) *mat.Dense { return m.constant(image, width, steps) }
	if m.rank == 0 {
		return modes, nil
	}
	d, err := m.decoupling()
	if err != nil {
		return nil, err
	}
	modes.clusters = d.clusters
	modes.states = product(product(m.centred(x), m.basis), d.right)
	modes.coefficients = new(mat.Dense)
	modes.coefficients.Mul(d.left.T(), rows(image, 0, m.rank))
	for _, c := range d.clusters {
		modes.Eigenvalues = append(modes.Eigenvalues, meanEigenvalue(c.values))
		modes.Members = append(modes.Members, slices.Clone(c.values))
	}
	return modes, nil
}

// decouple makes M block diagonal.
func (m *Model) decouple() (_ *decoupling, err error) {
	defer core.Recover(&err)
	d, ok := decouple(mat.DenseCopyOf(m.step.Slice(0, m.rank, 0, m.rank)))
	if !ok {
		return nil, m.errUnconverged()
	}
	return d, nil
}

// meanEigenvalue returns the mean of the eigenvalues, and of their conjugates too if one of them is
// real.
func meanEigenvalue(values []complex128) complex128 {
	isReal := func(v complex128) bool { return imag(v) == 0 }
	together := slices.ContainsFunc(values, isReal)
	var sum, count complex128
	for _, v := range values {
		sum, count = sum+v, count+1
		if together && !isReal(v) {
			sum, count = sum+cmplx.Conj(v), count+1
		}
	}
	return sum / count
}

// constant returns the 1×p part of a prediction that does not depend on the state.
func (m *Model) constant(image *mat.Dense, width, steps int) *mat.Dense {
	if m.mean == nil {
		return mat.NewDense(1, width, nil)
	}
	k := m.rank + 1
	return mat.DenseCopyOf(rows(advanced(m.step, image, steps-1), k-1, k))
}

// Len is the number of modes.
func (m *Modes) Len() int { return len(m.Eigenvalues) }

// Contribution returns the n×p contribution of mode i to the prediction for that number of steps.
// The error is [core.ErrOption] for a mode that does not exist and for steps below 1, and
// [core.ErrNonFinite] if it overflows.
func (m *Modes) Contribution(i, steps int) (_ *mat.Dense, err error) {
	defer core.Recover(&err)
	if i < 0 || i >= m.Len() {
		return nil, fmt.Errorf("%w: mode %d of %d; they are counted from 0", core.ErrOption, i, m.Len())
	}
	if err := checkSteps(steps); err != nil {
		return nil, err
	}
	c := m.clusters[i]
	later := advanced(c.block, rows(m.coefficients, c.from, c.from+c.size), steps-1)
	contribution := product(columns(m.states, c.from, c.from+c.size), later)
	if _, _, found := indexOfNonFinite(contribution); found {
		return nil, fmt.Errorf("%w: mode %d, of eigenvalue %.6g, overflows in %d steps; ask for fewer", core.ErrNonFinite, i,
			m.Eigenvalues[i], steps)
	}
	return contribution, nil
}

// Constant returns the p values that the prediction for that number of steps adds to the
// contributions of all modes. They are zero unless the model is centred. The error is that of
// [Modes.Contribution].
func (m *Modes) Constant(steps int) (_ []float64, err error) {
	defer core.Recover(&err)
	if err := checkSteps(steps); err != nil {
		return nil, err
	}
	constant := m.constant(steps)
	if _, _, found := indexOfNonFinite(constant); found {
		return nil, fmt.Errorf("%w: the constant part of the prediction overflows in %d steps; ask for fewer",
			core.ErrNonFinite, steps)
	}
	return slices.Clone(constant.RawRowView(0)), nil
}

// Frequency returns the number of turns per lag of a mode of that eigenvalue, in [0, ½]: |arg
// λ|/2π.
func Frequency(eigenvalue complex128) float64 {
	return math.Abs(cmplx.Phase(eigenvalue)) / (2 * math.Pi)
}

// DecayTime returns the number of lags after which a mode of that eigenvalue has fallen to 1/e:
// −1/ln|λ|. It is infinite for |λ| ≥ 1 and 0 for λ = 0.
func DecayTime(eigenvalue complex128) float64 {
	modulus := cmplx.Abs(eigenvalue)
	if modulus >= 1 {
		return math.Inf(1)
	}
	return -1 / math.Log(modulus)
}
