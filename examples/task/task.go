package main

import (
	"context"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// rotation is the task of a point in the plane that turns by an angle, draws nearer to the origin and
// is pushed by noise: z' = λz + ξ, where z is complex and ξ is normal.
type rotation struct{}

var _ core.Task = rotation{}

// Describe implements [core.Task].
func (rotation) Describe() core.Description {
	return core.Description{
		Name:    "rotation",
		Summary: "a point that turns in the plane and is pushed by noise, judged by the angle to the true point",
		Doc: "z' = λz + ξ in the complex plane, where λ has the modulus .98 and the angle of the options, and ξ is " +
			"normal with the standard deviation .1. The true eigenvalues are the products of powers of λ and its " +
			"conjugate, at the lag (Metafune, Pallara and Priola, Spectrum of Ornstein–Uhlenbeck operators, Journal of " +
			"Functional Analysis 196, 2002).",
		Options: []core.Option{
			core.FloatOption("angle", 30, 0, 180, "angle of a turn, in degrees"),
			core.TextOption(core.SplitOption, "3000,500,500", 40, "snapshots to train, validate and test on"),
			core.IntOption(core.StepsOption, 15, 1, core.MaxSteps, "steps of a roll-out"),
			core.IntOption(core.LagOption, 1, 1, 1000, "snapshots from one step to the next"),
			core.IntOption("data_seed", 42, 0, math.MaxInt32, "seed of the start and the noise"),
		},
	}
}

// Open implements [core.Task].
func (rotation) Open(ctx context.Context, o core.Options) (*core.Problem, error) {
	split, err := parseSplit(o.String(core.SplitOption))
	if err != nil {
		return nil, err
	}
	lag, steps := o.Int(core.LagOption), o.Int(core.StepsOption)
	lambda := cmplx.Rect(0.98, o.Float("angle")*math.Pi/180)
	points, err := simulate(ctx, lambda, split[0]+split[1]+split[2], int64(o.Int("data_seed")))
	if err != nil {
		return nil, err
	}
	a, b := split[0], split[0]+split[1]
	train, validation, test := points[:a], points[a:b], points[b:]
	p := &core.Problem{
		Lag: lag, Steps: steps, Rank: 2, Picture: core.CurvePicture, Source: "a simulation",
		Truth: &core.Truth{Eigenvalues: eigenvalues(power(lambda, lag))},
		Score: angle{test, lag},
	}
	for i := range len(test) - steps*lag { // where the whole future is known
		p.Starts = append(p.Starts, i)
	}
	if least := lag + 1; len(train) < least || len(validation) < least || len(p.Starts) == 0 {
		return nil, fmt.Errorf("%w: a split of %s; at a lag of %d and %d steps it takes %d,%d,%d at least", core.ErrTooShort,
			o.String(core.SplitOption), lag, steps, least, least, steps*lag+1)
	}
	for part, points := range map[*core.Trajectories][]complex128{
		&p.Train: train, &p.Validation: validation, &p.Test: test,
	} {
		x, err := snapshots(points)
		if err != nil {
			return nil, err
		}
		*part = core.OneTrajectory(x)
	}
	return p, nil
}

// parseSplit reads three numbers of snapshots.
func parseSplit(text string) (split [3]int, err error) {
	const most = 1_000_000
	_, err = fmt.Sscanf(text, "%d,%d,%d", &split[0], &split[1], &split[2])
	if err != nil || slices.Min(split[:]) < 1 || slices.Max(split[:]) > most {
		err = fmt.Errorf("%w: a split of %q; give three numbers of snapshots from 1 to %d, TRAIN,VAL,TEST", core.ErrOption,
			text, most)
	}
	return split, err
}

// simulate returns points of the process.
func simulate(ctx context.Context, lambda complex128, n int, seed int64) ([]complex128, error) {
	random := core.NewStream(seed, "rotation", "points")
	points, z := make([]complex128, n), complex(1, 0)
	for t := range points {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		points[t] = z
		z = lambda*z + complex(0.1*random.NormFloat64(), 0.1*random.NormFloat64())
	}
	return points, nil
}

// snapshots are points as real and imaginary part.
func snapshots(points []complex128) (core.Snapshots, error) {
	values := make([]float32, 0, 2*len(points))
	for _, z := range points {
		values = append(values, float32(real(z)), float32(imag(z)))
	}
	return core.NewSnapshots(values, 2)
}

// eigenvalues are the products of powers of lambda and its conjugate up to the third degree, the
// largest first.
func eigenvalues(lambda complex128) []complex128 {
	var values []complex128
	for degree := range 4 {
		for k := range degree + 1 {
			values = append(values, power(lambda, degree-k)*power(cmplx.Conj(lambda), k))
		}
	}
	return values
}

func power(z complex128, exponent int) complex128 { return cmplx.Pow(z, complex(float64(exponent), 0)) }

// angle is the score: the angle between a prediction and the true point, seen from the origin.
type angle struct {
	test []complex128 // roll-outs begin at the first of them, one after the other
	lag  int
}

var (
	_ core.Score  = angle{}
	_ core.Scorer = angle{}
)

// Measure implements [core.Score].
func (angle) Measure() core.Measure {
	return core.Measure{
		Name: "angle-error", Summary: "angle between the prediction and the true point", Unit: "°", LowerIsBetter: true,
		Least: 0, Most: 180, Chance: 90,
	}
}

// Fit implements [core.Score]. There is nothing to learn.
func (s angle) Fit(context.Context, *core.Training) (core.Scorer, error) { return s, nil }

// Score implements [core.Scorer].
func (s angle) Score(_ context.Context, step int, predicted core.Snapshots) ([]float64, error) {
	scores, row := make([]float64, predicted.Len()), make([]float32, 2)
	for i := range scores {
		predicted.Read(row, i)
		truth, z := s.test[i+step*s.lag], complex(float64(row[0]), float64(row[1]))
		scores[i] = 90 // the origin has no direction
		if z != 0 && truth != 0 {
			scores[i] = math.Abs(cmplx.Phase(z*cmplx.Conj(truth))) * 180 / math.Pi
		}
	}
	return scores, nil
}
