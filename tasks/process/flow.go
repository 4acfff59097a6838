package process

import (
	"context"
	"slices"
)

// Follow returns n points of a flow from x on, each so many steps of dt after the one before it, by the
// classical method of Runge and Kutta of the fourth order. flow sets v to the velocity at x. The error is
// the context's.
func Follow(ctx context.Context, flow func(v, x []float64), x []float64, n, steps int, dt float64) (Rows, error) {
	d := len(x)
	rows, x, work := NewRows(n, d), slices.Clone(x), make([]float64, 5*d)
	k := [4][]float64{work[:d], work[d : 2*d], work[2*d : 3*d], work[3*d : 4*d]}
	at := work[4*d:]
	ahead := [3]float64{dt / 2, dt / 2, dt}
	for i := range n {
		if err := ctx.Err(); err != nil {
			return rows, err
		}
		copy(rows.Row(i), x)
		if i == n-1 {
			break
		}
		for range steps {
			flow(k[0], x)
			for stage, by := range ahead {
				for j := range at {
					at[j] = x[j] + by*k[stage][j]
				}
				flow(k[stage+1], at)
			}
			for j := range x {
				x[j] += dt / 6 * (k[0][j] + 2*k[1][j] + 2*k[2][j] + k[3][j])
			}
		}
	}
	return rows, nil
}
