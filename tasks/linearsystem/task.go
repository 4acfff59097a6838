// Package linearsystem is the task of a noisy linear system.
package linearsystem

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/tasks/process"
)

const (
	name        = "linear-system"
	valueOption = "eigenvalues"
	outside     = 10 // numbers of a snapshot
)

// New returns the task "linear-system".
//
// The eigenvalues of its true operator are the products of powers of those of A. Estimates are held
// against the first four, or fewer if the fourth is not larger than the fifth: any of several that are
// equally large may come out first. With the usual options these are 1 and the pair .95 exp(± iπ/8), since
// the next three, products of the pair, have the modulus .9025. All three belong to linear observables, so
// that methods with linear features find them as well as others.
func New() core.Task {
	return &process.Process{
		Name: name, Summary: "a linear system of four numbers with noise, seen in ten dimensions",
		Doc: "z' = A z + ξ. A has the eigenvalues of the options, and ξ is normal with unit variance. z starts in " +
			"its stationary distribution. The observed value is Q z, where Q is a random map to ten dimensions that keeps " +
			"lengths. " +
			"The eigenvalues of the true operator are the products of powers of those of A (Metafune, Pallara and " +
			"Priola, Spectrum of Ornstein–Uhlenbeck operators, Journal of Functional Analysis 196, 2002): those of A " +
			"itself, and 1, belong to linear observables. Estimates are compared with the first four, except those " +
			"that are no larger than the fifth.",
		Own: []core.Option{core.TextOption(valueOption, "0.95@22.5,0.8,0.5", 400,
			"eigenvalues of A: numbers, or modulus@degrees for a pair of conjugates, of modulus at most .9999")},
		Width: outside, Picture: core.SeriesPicture,
		Defaults: process.Defaults{Split: process.Split{Train: 3000, Validation: 1000, Test: 1000}, Steps: 15, Rank: 4},
		Simulate: simulate,
		Truth:    truth,
	}
}

func simulate(ctx context.Context, o core.Options, random *rand.Rand, n process.Split) (process.Parts, error) {
	a, err := parse(o.String(valueOption))
	if err != nil {
		return process.Parts{}, err
	}
	seen := isometry(o, len(a.values))
	rows, z := process.NewRows(n.Sum(), outside), make([]float64, len(a.values))
	for i, v := range a.values {
		z[i] = random.NormFloat64() / math.Sqrt(1-real(v)*real(v)-imag(v)*imag(v))
	}
	for t := range rows.Len() {
		if err := ctx.Err(); err != nil {
			return process.Parts{}, err
		}
		mat.NewVecDense(outside, rows.Row(t)).MulVec(seen, mat.NewVecDense(len(z), z))
		a.move(z)
		for i := range z {
			z[i] += random.NormFloat64()
		}
	}
	return rows.Cut(n), nil
}

// isometry is a random matrix of so many orthonormal columns.
func isometry(o core.Options, columns int) *mat.Dense {
	random := core.NewStream(int64(o.Int(process.SeedOption)), name, "map")
	m := mat.NewDense(outside, columns, nil)
	for i := range m.RawMatrix().Data {
		m.RawMatrix().Data[i] = random.NormFloat64()
	}
	var qr mat.QR
	qr.Factorize(m)
	var q mat.Dense
	qr.QTo(&q)
	return mat.DenseCopyOf(q.Slice(0, outside, 0, columns))
}

const (
	shown   = 16 // true eigenvalues at most
	leading = 4  // of them at most, which estimates are compared with
)

func truth(_ context.Context, o core.Options, test process.Rows) (*core.Truth, error) {
	a, err := parse(o.String(valueOption))
	if err != nil {
		return nil, err
	}
	all := a.products(shown + 1)
	known := &core.Truth{}
	for _, p := range all[:apart(all, shown)] {
		known.Eigenvalues = append(known.Eigenvalues, p.value)
	}
	known.Leading = apart(all[:len(known.Eigenvalues)], leading)

	var z mat.Dense
	z.Mul(mat.NewDense(test.Len(), outside, test.Values), isometry(o, len(a.values)))
	for k, p := range all[:known.Leading] {
		if p.degree > 1 || !simple(all, k) {
			break
		}
		f := make([]complex128, test.Len())
		for i := range f {
			f[i] = 1
			if p.degree == 1 {
				f[i] = a.eigenfunction(p.last, z.RawRowView(i))
			}
		}
		known.Eigenfunctions = append(known.Eigenfunctions, f)
	}
	return known, nil
}
