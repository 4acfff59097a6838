// Package prinz is the task of a particle in four wells, whose generator is known.
package prinz

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/tasks/process"
)

// New returns the task "prinz-potential". [Truth] describes its true operator.
func New() core.Task {
	return &process.Process{
		Name: "prinz-potential", Summary: "a particle that hops between four wells, whose generator is known",
		Doc: "dX = −V'(X) dt + σ dW with V(x) = 4(x⁸ + .8 exp(−80x²) + .2 exp(−80(x − ½)²) + .5 exp(−40(x + ½)²)), by " +
			"the method of Euler and Maruyama with steps of 1e-4, a snapshot every 100 steps (Prinz and others, " +
			"Markov models of molecular kinetics: generation and validation, Journal of Chemical Physics 134, 2011). " +
			"The slowest processes are the hops. Eigenvalues are exp(λτ), where λ are those of the generator and τ is " +
			"the time of a step.",
		Own:   []core.Option{core.FloatOption("sigma", 2, 1, 4, "size of the noise; smaller values make hops rarer")},
		Width: 1, Clock: core.Clock{Interval: substeps * dt, Unit: "time units"}, Picture: core.LinePicture,
		Defaults: process.Defaults{
			Split: process.Split{Train: 50_000, Validation: 10_000, Test: 10_000}, Steps: 20, Rank: 8,
		},
		Simulate: simulate,
		Truth:    truth,
	}
}

const (
	dt       = 1e-4
	substeps = 100 // a snapshot
	spinUp   = 100 // snapshots that are left out
	shown    = 8   // true eigenvalues
	leading  = 4   // of them, which estimates are compared with
)

func truth(ctx context.Context, o core.Options, test process.Rows) (*core.Truth, error) {
	t, err := NewTruth(o.Float("sigma"))
	if err != nil {
		return nil, err
	}
	known := &core.Truth{Leading: leading, Eigenfunctions: make([][]complex128, leading)}
	for _, rate := range t.Rates(shown) {
		known.Eigenvalues = append(known.Eigenvalues, complex(math.Exp(rate*substeps*dt), 0))
	}
	for _, x := range test.Values {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for k, v := range t.Eigenfunctions(leading, x) {
			known.Eigenfunctions[k] = append(known.Eigenfunctions[k], complex(v, 0))
		}
		known.Density = append(known.Density, max(0, t.Density(x)))
	}
	return known, nil
}

func simulate(ctx context.Context, o core.Options, random *rand.Rand, n process.Split) (process.Parts, error) {
	rows, x := process.NewRows(n.Sum(), 1), 0.0
	noise := o.Float("sigma") * math.Sqrt(dt)
	for t := range spinUp + rows.Len() {
		if err := ctx.Err(); err != nil {
			return process.Parts{}, err
		}
		if t >= spinUp {
			rows.Values[t-spinUp] = x
		}
		for range substeps {
			x += -slope(x)*dt + noise*random.NormFloat64()
		}
	}
	return rows.Cut(n), nil
}

// bumps of the potential: height, place and how narrow it is.
var bumps = [3][3]float64{{.8, 0, 80}, {.2, .5, 80}, {.5, -.5, 40}}

// slope is dV/dx.
func slope(x float64) float64 {
	sum := 8 * x * x * x * x * x * x * x
	for _, b := range bumps {
		d := x - b[1]
		sum -= b[0] * 2 * b[2] * d * math.Exp(-b[2]*d*d)
	}
	return 4 * sum
}

// bend is d²V/dx².
func bend(x float64) float64 {
	sum := 56 * x * x * x * x * x * x
	for _, b := range bumps {
		d := x - b[1]
		sum -= b[0] * 2 * b[2] * (1 - 2*b[2]*d*d) * math.Exp(-b[2]*d*d)
	}
	return 4 * sum
}
