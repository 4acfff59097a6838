package check

import (
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// system is a stable linear system in four dimensions, z_{t+1} = z_t A, whose eigenvalues are two
// conjugate pairs: two damped rotations, mixed by an orthogonal matrix. Its trajectory is free of
// noise, so that A is what any consistent estimator finds.
type system struct {
	evolution   *mat.Dense // A, d×d
	eigenvalues []complex128
	observe     *mat.Dense // d×p
	features    *mat.Dense // N×d
	observable  *mat.Dense // N×p, features·observe
}

const (
	systemDim        = 4
	systemObservable = 2
	systemLength     = 200
)

// newSystem returns the system whose rotations turn by those angles at each step.
func newSystem(name string, angles [2]float64) *system {
	moduli := [2]float64{0.995, 0.98}
	random := core.NewStream(0, "conformance", name)
	blocks := mat.NewDense(systemDim, systemDim, nil)
	s := &system{}
	for k, angle := range angles {
		c, sn := moduli[k]*math.Cos(angle), moduli[k]*math.Sin(angle)
		blocks.Set(2*k, 2*k, c)
		blocks.Set(2*k, 2*k+1, sn)
		blocks.Set(2*k+1, 2*k, -sn)
		blocks.Set(2*k+1, 2*k+1, c)
		s.eigenvalues = append(s.eigenvalues, cmplx.Rect(moduli[k], angle), cmplx.Rect(moduli[k], -angle))
	}
	var qr mat.QR
	qr.Factorize(gaussian(random.NormFloat64, systemDim, systemDim))
	var mix, turned mat.Dense
	qr.QTo(&mix)
	turned.Mul(mix.T(), blocks)
	s.evolution = new(mat.Dense)
	s.evolution.Mul(&turned, &mix)
	s.observe = gaussian(random.NormFloat64, systemDim, systemObservable)
	start := mat.NewDense(1, systemDim, []float64{2, 0, 0, 2})
	var z mat.Dense
	z.Mul(start, &mix)
	s.features = mat.NewDense(systemLength, systemDim, nil)
	for t := range systemLength {
		s.features.SetRow(t, z.RawRowView(0))
		var next mat.Dense
		next.Mul(&z, s.evolution)
		z.CloneFrom(&next)
	}
	s.observable = new(mat.Dense)
	s.observable.Mul(s.features, s.observe)
	return s
}

func gaussian(normal func() float64, rows, columns int) *mat.Dense {
	m := mat.NewDense(rows, columns, nil)
	m.Apply(func(int, int, float64) float64 { return normal() }, m)
	return m
}

// training returns what a fit to the system sees.
func (s *system) training(options core.Options) *core.OperatorTraining {
	return &core.OperatorTraining{
		Features: mat.DenseCopyOf(s.features), Observable: mat.DenseCopyOf(s.observable), Lag: 1, Options: options,
	}
}

// after returns the features so many steps after each row of z.
func (s *system) after(z *mat.Dense, steps int) *mat.Dense {
	var power, next mat.Dense
	power.Pow(s.evolution, steps)
	next.Mul(z, &power)
	return &next
}

// probes returns a few rows that are on no trajectory.
func (s *system) probes(n int) *mat.Dense {
	return gaussian(core.NewStream(1, "conformance", "probes").NormFloat64, n, systemDim)
}

// plain hides that a matrix is a *mat.Dense.
type plain struct{ m mat.Matrix }

var _ mat.Matrix = plain{}

func (p plain) Dims() (rows, columns int) { return p.m.Dims() }
func (p plain) At(i, j int) float64       { return p.m.At(i, j) }
func (p plain) T() mat.Matrix             { return mat.Transpose{Matrix: p} }

// relativeError is the root of the sum of squares of got − want over that of want.
func relativeError(got, want mat.Matrix) float64 {
	var difference mat.Dense
	difference.Sub(got, want)
	return mat.Norm(&difference, 2) / mat.Norm(want, 2)
}
