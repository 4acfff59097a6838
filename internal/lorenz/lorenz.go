// Package lorenz is a task for tests that differs from labelled images as much as possible: a flow
// in three numbers, scored by an error.
package lorenz

import (
	"context"
	"math"

	"github.com/koopbench/koopbench/core"
)

// Task is the Lorenz system with σ = 10, ρ = 28 and β = 8/3, a snapshot every .05 time units: two
// trajectories of 120 snapshots to train on, one of 60 to validate on, and one of 40 to test on.
type Task struct {
	// Change changes what is opened; nil for nothing.
	Change func(*core.Problem)
}

// Describe implements [core.Task].
func (Task) Describe() core.Description {
	return core.Description{
		Name: "lorenz", Summary: "the Lorenz system, judged by the squared distance from its true future",
		Doc: "E. N. Lorenz, Deterministic nonperiodic flow, Journal of the Atmospheric Sciences 20, 1963.",
		Options: []core.Option{
			core.IntOption(core.StepsOption, 5, 1, 20, "steps of a roll-out"),
			core.IntOption("data_seed", 42, 0, math.MaxInt32, "seed of the first point"),
		},
	}
}

// Open implements [core.Task].
func (t Task) Open(ctx context.Context, o core.Options) (*core.Problem, error) {
	steps, random := o.Int(core.StepsOption), core.NewStream(int64(o.Int("data_seed")), "lorenz")
	z := [3]float64{1 + random.Float64(), 1 + random.Float64(), 20 + random.Float64()}
	var values []float32
	for range 340 {
		values = append(values, float32(z[0]), float32(z[1]), float32(z[2]))
		for range 10 {
			z = next(z, .005)
		}
	}
	x, err := core.NewSnapshots(values, 3)
	if err != nil {
		return nil, err
	}
	train, err := core.NewTrajectories(x.Slice(0, 120), x.Slice(120, 240))
	if err != nil {
		return nil, err
	}
	test := x.Slice(300, 340)
	p := &core.Problem{
		Train: train, Validation: core.OneTrajectory(x.Slice(240, 300)), Test: core.OneTrajectory(test), Lag: 1, Steps: steps,
		Rank: 3, Score: distance{test}, Source: "a simulation", Picture: core.CurvePicture,
	}
	for i := range test.Len() - steps {
		p.Starts = append(p.Starts, i)
	}
	if t.Change != nil {
		t.Change(p)
	}
	return p, ctx.Err()
}

// next is a step of the classical method of Runge and Kutta.
func next(z [3]float64, dt float64) [3]float64 {
	flow := func(z [3]float64) [3]float64 {
		return [3]float64{10 * (z[1] - z[0]), z[0]*(28-z[2]) - z[1], z[0]*z[1] - 8./3*z[2]}
	}
	along := func(k [3]float64, by float64) (w [3]float64) {
		for i := range w {
			w[i] = z[i] + by*k[i]
		}
		return w
	}
	a := flow(z)
	b := flow(along(a, dt/2))
	c := flow(along(b, dt/2))
	d := flow(along(c, dt))
	for i := range z {
		z[i] += dt / 6 * (a[i] + 2*b[i] + 2*c[i] + d[i])
	}
	return z
}

// distance is the squared distance of a prediction from the true future, which is among the test snapshots.
type distance struct{ test core.Snapshots }

// Measure implements [core.Score].
func (distance) Measure() core.Measure {
	return core.Measure{
		Name: "squared-distance", Summary: "squared distance of the prediction from the true point", LowerIsBetter: true,
		Least: 0, Most: math.Inf(1), Chance: math.NaN(),
	}
}

// Fit implements [core.Score]. There is nothing to learn.
func (d distance) Fit(context.Context, *core.Training) (core.Scorer, error) { return d, nil }

// Score implements [core.Scorer].
func (d distance) Score(_ context.Context, step int, predicted core.Snapshots) ([]float64, error) {
	scores, x, y := make([]float64, predicted.Len()), make([]float32, 3), make([]float32, 3)
	for i := range scores {
		d.test.Read(x, i+step)
		predicted.Read(y, i)
		for j := range x {
			scores[i] += float64(x[j]-y[j]) * float64(x[j]-y[j])
		}
	}
	return scores, nil
}
