// Package duffing is the task of the damped oscillator with two wells.
package duffing

import (
	"context"
	"math/rand/v2"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/tasks/process"
)

// New returns the task "duffing", the unforced Duffing oscillator of M. O. Williams, I. G. Kevrekidis and
// C. W. Rowley, A data-driven approximation of the Koopman operator, Journal of Nonlinear Science 25, 2015,
// §4.2.
func New() core.Task {
	return &process.Process{
		Name: "duffing", Summary: "short trajectories into the two wells of a damped oscillator",
		Doc: "x'' = −.5 x' + x − x³, observed as position and velocity every .25 s. Trajectories have 50 snapshots. They " +
			"start at " +
			"random points of the square [−2, 2]² and end near 1 or −1 (Williams, Kevrekidis and Rowley, " +
			"A data-driven approximation of the Koopman operator, Journal of Nonlinear Science 25, 2015, §4.2). A " +
			"prediction is valid up to an error of .4. The numbers of the split are multiples of 50.",
		Width: 2, Length: length, Clock: core.Clock{Interval: interval, Unit: "s"}, ValidUpTo: .4, Picture: core.PlanePicture,
		Defaults: process.Defaults{
			Split: process.Split{Train: 200 * length, Validation: 50 * length, Test: 50 * length}, Steps: 20, Rank: 16,
		},
		Simulate: simulate,
	}
}

const (
	length   = 50  // snapshots of a trajectory
	interval = .25 // seconds between snapshots
	substeps = 10  // of an interval, over which the error is below 1e-11
)

func simulate(ctx context.Context, _ core.Options, random *rand.Rand, n process.Split) (p process.Parts, err error) {
	for _, part := range []struct {
		rows *[]process.Rows
		n    int
	}{{&p.Train, n.Train}, {&p.Validation, n.Validation}, {&p.Test, n.Test}} {
		for range part.n / length {
			start := []float64{4*random.Float64() - 2, 4*random.Float64() - 2}
			rows, err := process.Follow(ctx, Flow, start, length, substeps, interval/substeps)
			if err != nil {
				return p, err
			}
			*part.rows = append(*part.rows, rows)
		}
	}
	return p, nil
}

// Flow sets v to the velocity at x, both of two numbers: the place and its own velocity.
func Flow(v, x []float64) {
	v[0] = x[1]
	v[1] = -.5*x[1] + x[0] - x[0]*x[0]*x[0]
}
