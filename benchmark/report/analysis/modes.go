package analysis

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark/diagnostics"
	"github.com/koopbench/koopbench/benchmark/results"

	"gonum.org/v1/gonum/mat"
)

// Mode is an eigenvalue, its position among all by modulus, from 1, and the real part of its left
// eigenfunction at each test snapshot.
type Mode struct {
	place int
	value complex128
	Real  []float64
}

// name is "λ₂ = 0.309 + 0.951i".
func (m Mode) name() string {
	return fmt.Sprintf("λ%s = %s", subscript(m.place), ComplexText(m.value))
}

// Axis is the label of the mode's axis.
func (m Mode) Axis() string { return fmt.Sprintf("Re ξ%s,  %s", subscript(m.place), m.name()) }

// subscript writes a number below the line.
func subscript(n int) string {
	return strings.Map(func(r rune) rune { return r - '0' + '₀' }, fmt.Sprint(n))
}

// leadingModes are the eigenfunctions of the two largest |λ| that are not constant, one of each
// conjugate pair, or as many as there are; and the constant ones before the last of them, without
// values. values are in descending order of modulus; left is [snapshot, eigenvalue].
func leadingModes(values []results.Complex, left *mat.CDense, labels []int, states int) (modes, constant []Mode) {
	n, k := left.Dims()
	for j := range min(k, len(values)) {
		m := Mode{place: j + 1, value: complex128(values[j])}
		if len(modes) == 1 && conjugate(modes[0].value, m.value) {
			continue
		}
		f := make([]complex128, n)
		for i := range f {
			f[i] = left.At(i, j)
		}
		if diagnostics.Constant(f) {
			constant = append(constant, m)
			continue
		}
		m.Real = realPart(f, m.value, labels, states)
		modes = append(modes, m)
		if len(modes) == 2 {
			break
		}
	}
	return modes, constant
}

// constantText names the eigenvalues of constant eigenfunctions, "" without any.
func constantText(constant []Mode) string {
	if len(constant) == 0 {
		return ""
	}
	names := make([]string, len(constant))
	for i, m := range constant {
		names[i] = m.name()
	}
	return "left out: " + strings.Join(names, ", ")
}

// EigenfunctionNote explains which eigenfunctions are drawn, and how.
func EigenfunctionNote(task results.TaskInfo) string {
	phase := "the largest value is positive"
	if task.States > 0 {
		phase = fmt.Sprintf("the mean over %s 0 is positive; if λ is not real, the mean has the argument "+
			"π/%d", StateWord(task),
			2*task.States)
	}
	return fmt.Sprintf("The figure shows left eigenfunctions ξ at the test snapshots: at most two, those of the "+
		"largest eigenvalues λ by modulus, and one of each conjugate pair. λ₁ is the largest of all. "+
		"It leaves out constant ones: those with a standard deviation below %g of their root mean square. "+
		"Scale: root mean square 1. Phase: %s. "+
		"If there is only one, it is shown against the number of the snapshot.", diagnostics.ConstantSpread, phase)
}

// WithoutEigenfunctions says why a method has no eigenfunction to show; "" if it has one.
func (e Exhibit) WithoutEigenfunctions() string {
	switch {
	case e.Run == nil:
		return "failed"
	case e.Absent:
		return "its arrays were not kept"
	case len(e.Modes) > 0:
		return ""
	case len(e.constant) > 0:
		return "only constant ones"
	}
	return "no spectrum"
}

// ShownEigenvalues is the text below the title of a panel.
func (e Exhibit) ShownEigenvalues() string {
	text := e.ShownRun()
	if constant := constantText(e.constant); constant != "" {
		text += "; " + constant
	}
	return text
}

// conjugate reports whether a and b are a pair of conjugate numbers up to rounding. Two real numbers are no pair.
func conjugate(a, b complex128) bool {
	tolerance := 1e-6 * cmplx.Abs(a)
	return math.Abs(imag(a)) > tolerance && cmplx.Abs(a-cmplx.Conj(b)) <= tolerance
}

// realPart gives an eigenfunction of eigenvalue v, which is determined up to a complex factor
// alone, a scale and a phase, and returns its real part. Its root mean square over the snapshots
// becomes 1. Its phase is such that the mean over the snapshots of state 0 has the argument 0 if v
// is real, so that this mean is positive, and π/(2c) otherwise, c being the number of states: for a
// cycle through c states an eigenfunction takes the c values of a regular polygon, and turned
// by a quarter of the angle between neighbours no two of them have the same real part. A state
// takes the place of state 0 where the means of those before it are under a tenth of the root mean
// square; where all are, the value of largest modulus does. Without states that value is positive.
func realPart(f []complex128, v complex128, labels []int, states int) []float64 {
	largest, finite, square := complex(0, 0), 0, 0.0
	for _, z := range f {
		if a := cmplx.Abs(z); Drawable(a) {
			finite, square = finite+1, square+a*a
			if a > cmplx.Abs(largest) {
				largest = z
			}
		}
	}
	scale := math.Sqrt(square / float64(max(finite, 1)))
	if scale == 0 {
		return make([]float64, len(f))
	}
	anchor := largest
	for state := range min(states, 1+slices.Max(append([]int{-1}, labels...))) {
		if mean := meanOver(f, labels, state); cmplx.Abs(mean) >= 0.1*scale {
			anchor = mean
			break
		}
	}
	angle := -cmplx.Phase(anchor)
	if states > 0 && math.Abs(imag(v)) > 1e-6*cmplx.Abs(v) {
		angle += math.Pi / (2 * float64(states))
	}
	factor := cmplx.Rect(1/scale, angle)
	part := make([]float64, len(f))
	for i, z := range f {
		part[i] = real(factor * z)
	}
	return part
}

// meanOver is the mean over the snapshots of a state, 0 where there are none.
func meanOver(f []complex128, labels []int, state int) complex128 {
	sum, n := complex(0, 0), 0
	for i, label := range labels[:min(len(labels), len(f))] {
		if label == state && Drawable(cmplx.Abs(f[i])) {
			sum, n = sum+f[i], n+1
		}
	}
	return sum / complex(float64(max(n, 1)), 0)
}

// ComplexText writes "0.309 + 0.951i", or "0.998" for a real number.
func ComplexText(v complex128) string {
	re, im := tidy(real(v)), tidy(math.Abs(imag(v)))
	if math.Abs(imag(v)) <= 1e-6*cmplx.Abs(v) {
		return re
	}
	sign := "+"
	if imag(v) < 0 {
		sign = "−"
	}
	return re + " " + sign + " " + im + "i"
}

func tidy(v float64) string {
	s := fmt.Sprintf("%.3f", v)
	if a := math.Abs(v); a != 0 && (a < 1e-3 || a >= 1e4) {
		s = fmt.Sprintf("%.1e", v)
	}
	return strings.ReplaceAll(s, "-", "−")
}
