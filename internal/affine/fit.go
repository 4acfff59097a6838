package affine

import (
	"context"
	"math"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// Centre returns the embedding that subtracts from each value its mean over the snapshots. The error is
// that of ctx.
func Centre(ctx context.Context, x core.Trajectories) (*Embedding, error) {
	n, e := float64(x.Len()), Divide(x.Shape(), 1)
	return e, each(ctx, x, func(row []float32) {
		for j, v := range row {
			e.mean[j] += float64(v) / n
		}
	})
}

// Standardise returns the embedding that subtracts from each value its mean over the snapshots, and
// divides by its population standard deviation. Constant values are not divided. The error is that
// of ctx.
func Standardise(ctx context.Context, x core.Trajectories) (*Embedding, error) {
	e, err := Centre(ctx, x)
	if err != nil {
		return nil, err
	}
	n, d := float64(x.Len()), x.Size()
	first, varies, variances := make([]float32, d), make([]bool, d), make([]float64, d)
	x.Read(first, 0)
	err = each(ctx, x, func(row []float32) {
		for j, v := range row {
			variances[j] += (float64(v) - e.mean[j]) * (float64(v) - e.mean[j]) / n
			varies[j] = varies[j] || v != first[j]
		}
	})
	for j, variance := range variances {
		if varies[j] {
			e.scale[j] = math.Sqrt(variance)
		} else {
			e.mean[j] = float64(first[j])
		}
	}
	return e, err
}

// Scale returns the embedding that divides all values by one number: the root of their mean square,
// or 1 if all are 0. The error is that of ctx.
func Scale(ctx context.Context, x core.Trajectories) (*Embedding, error) {
	square, values := 0.0, float64(x.Len())*float64(x.Size())
	err := each(ctx, x, func(row []float32) {
		for _, v := range row {
			square += float64(v) * float64(v) / values
		}
	})
	if square == 0 {
		square = 1
	}
	return Divide(x.Shape(), math.Sqrt(square)), err
}

// Divide returns the embedding that divides all values of snapshots of that shape by scale.
func Divide(shape []int, scale float64) *Embedding {
	d := 1
	for _, n := range shape {
		d *= n
	}
	return &Embedding{shape, make([]float64, d), slices.Repeat([]float64{scale}, d)}
}

// each calls do with each snapshot. do must not keep it.
func each(ctx context.Context, x core.Trajectories, do func(row []float32)) error {
	row := make([]float32, x.Size())
	for i := range x.Len() {
		if err := ctx.Err(); err != nil {
			return err
		}
		x.Read(row, i)
		do(row)
	}
	return nil
}
