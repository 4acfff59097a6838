package prinz

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Truth is the generator of the process, L f = −(dV/dx) df/dx + D d²f/dx² with D = σ²/2, whose invariant
// density is proportional to exp(−V/D).
//
// With the root of the density it becomes a symmetric operator, D d²ψ/dx² − U ψ with U = (dV/dx)²/(4D) −
// (d²V/dx²)/2, which is written as a matrix on an even grid by the sinc functions of D. T. Colbert and
// W. H. Miller (A novel discrete variable representation for quantum mechanical reactive scattering, Journal
// of Chemical Physics 96, 1992): errors fall exponentially with the number of points.
type Truth struct {
	x       []float64
	rates   []float64 // descending
	vectors *mat.Dense
}

const (
	points = 241
	edge   = 1.7 // of the grid, where the density is nothing
)

// NewTruth returns the generator for a size of the noise.
func NewTruth(sigma float64) (*Truth, error) {
	d, h := sigma*sigma/2, 2*edge/(points-1)
	t := &Truth{x: make([]float64, points)}
	m := mat.NewSymDense(points, nil)
	for i := range points {
		x := -edge + float64(i)*h
		t.x[i] = x
		m.SetSym(i, i, -d*math.Pi*math.Pi/(3*h*h)-(slope(x)*slope(x)/(4*d)-bend(x)/2))
		for j := range i {
			far := float64(i - j)
			m.SetSym(i, j, -d*2*math.Cos(math.Pi*far)/(h*h*far*far))
		}
	}
	var e mat.EigenSym
	if !e.Factorize(m, true) {
		return nil, errors.New("the eigenvalues of the generator do not converge")
	}
	t.rates = e.Values(nil)
	slices.Reverse(t.rates)
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	t.vectors = mat.NewDense(points, points, nil)
	for j := range points {
		t.vectors.SetCol(j, mat.Col(nil, points-1-j, &vectors))
	}
	return t, nil
}

// Rates are the n largest eigenvalues of the generator, 0 first, one over time units.
func (t *Truth) Rates(n int) []float64 { return slices.Clone(t.rates[:n]) }

// at are ψ of the first n eigenvalues at a point, by the sinc functions, with mean square 1 over the line.
func (t *Truth) at(n int, x float64) []float64 {
	h := t.x[1] - t.x[0]
	values := make([]float64, n)
	for i, node := range t.x {
		weight := 1 / math.Sqrt(h)
		if far := math.Pi * (x - node) / h; far != 0 {
			weight *= math.Sin(far) / far
		}
		for k := range values {
			values[k] += weight * t.vectors.At(i, k)
		}
	}
	return values
}

// Density is the invariant density at a point.
func (t *Truth) Density(x float64) float64 {
	root := t.at(1, x)[0]
	return root * root
}

// Eigenfunctions are those of the first n eigenvalues at a point: each has mean square 1 under the
// invariant density.
func (t *Truth) Eigenfunctions(n int, x float64) []float64 {
	values := t.at(n, x)
	root := values[0]
	for k := range values {
		values[k] /= root
	}
	return values
}
