// Package regimeswitching is the task of a linear system with hidden switches between two laws.
package regimeswitching

import (
	"context"
	"errors"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/tasks/process"
)

// New returns the task "regime-switching". [Eigenvalues] describes its true operator.
func New() core.Task {
	return &process.Process{
		Name: "regime-switching", Summary: "damped rotations whose frequencies depend on a hidden state",
		Doc: "In each step of .01 s, a hidden state stays with probability .99 or .995. x has four values: two damped " +
			"rotations of modulus .995 per step, of 10 and 13 Hz in the first state and of 2 and 3 Hz in the second; " +
			"normal noise of .001 is added. The state before the switch moves x (Markov jump linear " +
			"systems: Costa, Fragoso and Marques, Discrete-Time Markov Jump Linear Systems, Springer 2005). Only x is " +
			"seen, so a snapshot holds the latest eight of them. The eigenvalues are those of the true operator on 1 " +
			"and on observables that are linear in x in each state.",
		Width: width, Clock: core.Clock{Interval: interval, Unit: "s"}, Picture: core.SeriesPicture,
		Defaults: process.Defaults{
			Split: process.Split{Train: 10_000, Validation: 2000, Test: 2000}, Steps: 20, Rank: 16, Delay: 8, Standardise: true,
		},
		Simulate: simulate,
		Truth:    truth,
	}
}

const (
	width    = 4
	modulus  = .995
	interval = .01 // seconds
	noise    = .001
	spinUp   = 1000 // snapshots that are left out
	leading  = 4    // eigenvalues that estimates are compared with
)

var (
	stays = [2]float64{.99, .995}
	hertz = [2][2]float64{{10, 13}, {2, 3}}
)

// law is the matrix that moves x in a state.
func law(state int) *mat.Dense {
	m := mat.NewDense(width, width, nil)
	for k, f := range hertz[state] {
		z := cmplx.Rect(modulus, 2*math.Pi*f*interval)
		i := 2 * k
		m.Set(i, i, real(z))
		m.Set(i, i+1, -imag(z))
		m.Set(i+1, i, imag(z))
		m.Set(i+1, i+1, real(z))
	}
	return m
}

func simulate(ctx context.Context, _ core.Options, random *rand.Rand, n process.Split) (process.Parts, error) {
	laws := [2]*mat.Dense{law(0), law(1)}
	rows, state := process.NewRows(n.Sum(), width), 0
	x, next := mat.NewVecDense(width, nil), mat.NewVecDense(width, nil)
	for t := range spinUp + rows.Len() {
		if err := ctx.Err(); err != nil {
			return process.Parts{}, err
		}
		if t >= spinUp {
			copy(rows.Row(t-spinUp), x.RawVector().Data)
		}
		next.MulVec(laws[state], x)
		for i := range width {
			next.SetVec(i, next.AtVec(i)+noise*random.NormFloat64())
		}
		x, next = next, x
		if random.Float64() >= stays[state] {
			state = 1 - state
		}
	}
	return rows.Cut(n), nil
}

func truth(context.Context, core.Options, process.Rows) (*core.Truth, error) {
	values, err := Eigenvalues()
	return &core.Truth{Eigenvalues: values, Leading: process.Whole(values, leading)}, err
}

// Eigenvalues are those of the operator on 1 and on x·1{s}, for which E[x' 1{s' = j}] = Σ p(i, j) Φ(i)
// E[x 1{s = i}], where Φ(i) is the matrix of the state i: the largest first.
func Eigenvalues() ([]complex128, error) {
	m := mat.NewDense(2*width, 2*width, nil)
	for from := range 2 {
		for to := range 2 {
			p := stays[from]
			if to != from {
				p = 1 - p
			}
			m.Slice(to*width, (to+1)*width, from*width, (from+1)*width).(*mat.Dense).Scale(p, law(from))
		}
	}
	var e mat.Eigen
	if !e.Factorize(m, mat.EigenNone) {
		return nil, errors.New("the eigenvalues of the operator do not converge")
	}
	values := append(e.Values(nil), 1)
	slices.SortStableFunc(values, process.Descending)
	return values, nil
}
