package linalg_test

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/linalg"
)

// ordered returns an n×d trajectory that moves through five states in turn: a pattern for each, and
// noise. Of every nine features two are zero, as about as many pixels of MNIST are.
func ordered(n, d int) *mat.Dense {
	random := rand.New(rand.NewPCG(1, 2))
	patterns := gaussian(random, 5, d)
	x := mat.NewDense(n, d, nil)
	for i := range n {
		for j := range d {
			if j%9 < 7 {
				x.Set(i, j, 0.5*patterns.At(i%5, j)+random.NormFloat64())
			}
		}
	}
	return x
}

func gaussian(random *rand.Rand, n, d int) *mat.Dense {
	x := mat.NewDense(n, d, nil)
	for i := range n {
		for j := range d {
			x.Set(i, j, random.NormFloat64())
		}
	}
	return x
}

func BenchmarkFit3000x784(b *testing.B) {
	x := ordered(3000, 784)
	for _, variant := range []linalg.Variant{linalg.ReducedRank, linalg.PrincipalComponents} {
		b.Run(string(variant), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				fit(b, x, nil, &linalg.RidgeOptions{Rank: 5, Variant: variant})
			}
		})
	}
}

func BenchmarkFit3000x5With784Observables(b *testing.B) {
	x, f := gaussian(rand.New(rand.NewPCG(1, 2)), 3000, 5), ordered(3000, 784)
	b.ReportAllocs()
	for b.Loop() {
		fit(b, x, f, nil)
	}
}

func BenchmarkPredict1000x784(b *testing.B) {
	x := ordered(1000, 784)
	m := fit(b, x, nil, &linalg.RidgeOptions{Rank: 5})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Predict(x, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func fit(t testing.TB, x, f mat.Matrix, o *linalg.RidgeOptions) *linalg.Model {
	t.Helper()
	m, err := linalg.FitRidge(t.Context(), x, f, 1, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
