// Package logisticmap is the task of the noisy logistic map, whose operator is known exactly.
package logisticmap

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/tasks/process"
)

// New returns the task "logistic-map", of Kostic and others (NeurIPS 2022), with the noise of Ostruszka,
// Pakoński, Słomczyński and Życzkowski, Dynamical entropy for systems with stochastic perturbation,
// Physical Review E 62, 2000. [Truth] describes its true operator.
func New() core.Task {
	return &process.Process{
		Name: "logistic-map", Summary: "the logistic map with noise on a circle, whose operator is known exactly",
		Doc: "x' = (4x(1 − x) + ξ) mod 1, where ξ has a density proportional to the power 2M of cos(πξ) on [−½, ½] " +
			"(Ostruszka, Pakoński, Słomczyński and Życzkowski, Dynamical entropy for systems with stochastic " +
			"perturbation, Physical Review E 62, 2000; Kostic, Novelli, Maurer, Ciliberto, Rosasco and Pontil, " +
			"Learning dynamical systems via Koopman operator regression in reproducing kernel Hilbert spaces, NeurIPS " +
			"2022). The transition density is a sum of 2M + 1 products of functions, so the true operator has M + 1 " +
			"eigenvalues other than 0. Estimates are compared with the first three, because estimates of smaller ones are " +
			"far off " +
			"even with a million snapshots.",
		Own: []core.Option{core.IntOption("order", 10, 1, 50, "M: larger values give less noise; papers call 2M the "+
			"order")},
		Width: 1, Picture: core.LinePicture,
		Defaults: process.Defaults{
			Split: process.Split{Train: 10_000, Validation: 2000, Test: 2000}, Steps: 5, Rank: 7,
		},
		Simulate: simulate,
		Truth:    truth,
	}
}

// leading is how many eigenvalues estimates are compared with.
const leading = 3

func truth(_ context.Context, o core.Options, test process.Rows) (*core.Truth, error) {
	t, err := NewTruth(o.Int("order"))
	if err != nil {
		return nil, err
	}
	values := t.Eigenvalues()
	known := &core.Truth{Eigenvalues: values, Leading: process.Whole(values, leading)}
	known.Eigenfunctions = t.Eigenfunctions(test.Values)[:known.Leading]
	for _, x := range test.Values {
		known.Density = append(known.Density, t.Density(x))
	}
	return known, nil
}

const spinUp = 1000 // snapshots that are left out

func simulate(ctx context.Context, o core.Options, random *rand.Rand, n process.Split) (process.Parts, error) {
	rows, x, m := process.NewRows(n.Sum(), 1), random.Float64(), o.Int("order")
	for t := range spinUp + rows.Len() {
		if err := ctx.Err(); err != nil {
			return process.Parts{}, err
		}
		if t >= spinUp {
			rows.Values[t-spinUp] = x
		}
		x = math.Mod(4*x*(1-x)+noise(random, m)+1, 1)
	}
	return rows.Cut(n), nil
}

// noise draws ξ: sin²(πξ) is the share of one squared normal number in the sum of 2M + 2.
func noise(random *rand.Rand, m int) float64 {
	first := random.NormFloat64()
	sum := first * first
	for range 2*m + 1 {
		v := random.NormFloat64()
		sum += v * v
	}
	return math.Asin(first/math.Sqrt(sum)) / math.Pi
}
