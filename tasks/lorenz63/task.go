// Package lorenz63 is the task of the Lorenz system.
package lorenz63

import (
	"context"
	"math/rand/v2"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/tasks/process"
)

// New returns the task "lorenz63": E. N. Lorenz, Deterministic nonperiodic flow, Journal of the
// Atmospheric Sciences 20, 1963.
func New() core.Task {
	return &process.Process{
		Name: "lorenz63", Summary: "the chaotic Lorenz system, three numbers a snapshot",
		Doc: "x' = 10 (y − x), y' = x (28 − z) − y, z' = x y − 8/3 z, with a snapshot every .05 time units (E. N. Lorenz, " +
			"Deterministic nonperiodic flow, Journal of the Atmospheric Sciences 20, 1963). Errors grow by a factor e " +
			"in a Lyapunov time, 1/.9056 time units, which is 22 snapshots. A prediction is valid up to an error of " +
			".4. The first 100 time units are left out.",
		Width: 3, Clock: core.Clock{Interval: interval * exponent, Unit: "Lyapunov times"}, ValidUpTo: .4,
		Picture: core.PlanePicture,
		Defaults: process.Defaults{
			Split: process.Split{Train: 10_000, Validation: 2000, Test: 2000}, Steps: 40, Rank: 16, Standardise: true,
		},
		Simulate: simulate,
	}
}

const (
	exponent = .9056 // the largest one of Lyapunov
	interval = .05   // time units between snapshots
	substeps = 5     // of an interval, over which the error is below 1e-11
	spinUp   = 2000  // snapshots that are left out, until the point is on the attractor
)

func simulate(ctx context.Context, _ core.Options, random *rand.Rand, n process.Split) (process.Parts, error) {
	start := []float64{1 + random.Float64(), 1 + random.Float64(), 20 + random.Float64()}
	first, err := process.Follow(ctx, Flow, start, spinUp+1, substeps, interval/substeps)
	if err != nil {
		return process.Parts{}, err
	}
	rows, err := process.Follow(ctx, Flow, first.Row(spinUp), n.Sum(), substeps, interval/substeps)
	if err != nil {
		return process.Parts{}, err
	}
	return rows.Cut(n), nil
}

// Flow sets v to the velocity at x, both of three numbers.
func Flow(v, x []float64) {
	v[0] = 10 * (x[1] - x[0])
	v[1] = x[0]*(28-x[2]) - x[1]
	v[2] = x[0]*x[1] - 8./3*x[2]
}
