package process

import (
	"context"
	"slices"
)

// columns is how many results of the midpoint rule are extrapolated: the order is twice that.
const columns = 6

// Follow returns n points of a flow, starting at x, with the given number of steps of dt between
// them. flow sets v to the velocity at x. A step is made by the midpoint rule in 2, 4, 6, … parts
// and extrapolated to infinitely many (E. Hairer, S. P. Nørsett and G. Wanner, Solving Ordinary
// Differential Equations I, Springer 1993, §II.9). Its error decreases with dt¹³. The returned
// error is the context's.
func Follow(ctx context.Context, flow func(v, x []float64), x []float64, n, steps int, dt float64) (Rows, error) {
	rows, x, m := NewRows(n, len(x)), slices.Clone(x), newMidpoint(flow, len(x))
	for i := range n {
		if err := ctx.Err(); err != nil {
			return rows, err
		}
		copy(rows.Row(i), x)
		if i == n-1 {
			break
		}
		for range steps {
			m.step(x, dt)
		}
	}
	return rows, nil
}

// midpoint is the extrapolated midpoint rule, with memory for its steps.
type midpoint struct {
	flow             func(v, x []float64)
	v, before, point []float64
	table            [columns][]float64 // of Aitken and Neville
}

func newMidpoint(flow func(v, x []float64), d int) *midpoint {
	m := &midpoint{flow: flow, v: make([]float64, d), before: make([]float64, d), point: make([]float64, d)}
	for k := range m.table {
		m.table[k] = make([]float64, d)
	}
	return m
}

// step moves x on by dt.
func (m *midpoint) step(x []float64, dt float64) {
	for k := range columns {
		m.whole(x, dt, 2*(k+1))
		copy(m.table[k], m.point)
		for j := k; j > 0; j-- {
			ratio := float64(k+1) / float64(j)
			by := 1 / (ratio*ratio - 1)
			for i := range x {
				m.table[j-1][i] = m.table[j][i] + (m.table[j][i]-m.table[j-1][i])*by
			}
		}
	}
	copy(x, m.table[0])
}

// whole sets point to the one dt after x, by the midpoint rule in so many parts.
func (m *midpoint) whole(x []float64, dt float64, parts int) {
	h := dt / float64(parts)
	m.flow(m.v, x)
	for i := range x {
		m.before[i], m.point[i] = x[i], x[i]+h*m.v[i]
	}
	for range parts - 1 {
		m.flow(m.v, m.point)
		for i := range x {
			m.before[i], m.point[i] = m.point[i], m.before[i]+2*h*m.v[i]
		}
	}
}
