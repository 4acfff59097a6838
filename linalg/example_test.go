package linalg_test

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// decay is a trajectory of two features, which halve and keep nine tenths a step.
func decay(n int) *mat.Dense {
	x := mat.NewDense(n, 2, nil)
	for i := range n {
		x.SetRow(i, []float64{math.Pow(0.5, float64(i)), math.Pow(0.9, float64(i))})
	}
	return x
}

// Ridge regression as the evolution operator of package core, with options as the user sets them.
func ExampleRidge() {
	ridge := linalg.Ridge{}
	options, err := ridge.Describe().Resolve(map[string]any{"variant": "full", "alpha": 1e-12})
	if err != nil {
		fmt.Println(err)
		return
	}
	x := decay(30)
	operator, err := ridge.Fit(context.Background(), &core.OperatorTraining{
		Features: x, Lag: 1, Precision: 0x1p-52, Options: options,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	next, err := operator.Predict(context.Background(), x.Slice(0, 1, 0, 2), 3)
	fmt.Printf("rank %d, after 3 steps %.3f %v\n", operator.Rank(), next.RawRowView(0), err)
	// Output: rank 2, after 3 steps [0.125 0.729] <nil>
}

// Modes take a prediction apart: each decays, or turns, at the rate of its eigenvalue.
func ExampleModel_Modes() {
	x := decay(30)
	alpha := 1e-12
	options := &linalg.RidgeOptions{Alpha: &alpha, Variant: linalg.Full}
	model, err := linalg.FitRidge(context.Background(), x, nil, 1, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	modes, err := model.Modes(x.Slice(0, 1, 0, 2))
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, eigenvalue := range modes.Eigenvalues {
		part, err := modes.Contribution(i, 1)
		if err != nil {
			fmt.Println(err)
			return
		}
		slices.Sort(part.RawRowView(0))
		fmt.Printf("%.2f, falls to 1/e in %.1f steps: contributes %.2f\n",
			real(eigenvalue), linalg.DecayTime(eigenvalue), part.At(0, 1))
	}
	// Output:
	// 0.90, falls to 1/e in 9.5 steps: contributes 0.90
	// 0.50, falls to 1/e in 1.4 steps: contributes 0.50
}

// The score tells how well a model predicts a trajectory, here four steps ahead: 1 is perfect, and
// below 0 is worse than the trajectory's mean. Rank 1 is too low for two rates of decay.
func ExampleModel_Score() {
	x := decay(30)
	alpha := 1e-12
	for rank := 1; rank <= 2; rank++ {
		options := &linalg.RidgeOptions{Alpha: &alpha, Rank: rank}
		model, err := linalg.FitRidge(context.Background(), x, nil, 1, options)
		if err != nil {
			fmt.Println(err)
			return
		}
		score, err := model.Score(x, &linalg.ScoreOptions{Steps: 4})
		fmt.Printf("rank %d: %.2f %v\n", rank, score, err)
	}
	// Output:
	// rank 1: -5.22 <nil>
	// rank 2: 1.00 <nil>
}
