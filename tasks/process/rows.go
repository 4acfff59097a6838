package process

import (
	"math"

	"github.com/koopbench/koopbench/core"
)

// Rows are values in time, one trajectory with Width numbers per row.
type Rows struct {
	Width  int
	Values []float64
}

// NewRows returns n rows of zeros.
func NewRows(n, width int) Rows { return Rows{width, make([]float64, n*width)} }

// Len is the number of rows.
func (r Rows) Len() int { return len(r.Values) / r.Width }

// Row is row i, sharing memory.
func (r Rows) Row(i int) []float64 { return r.Values[i*r.Width : (i+1)*r.Width] }

func (r Rows) slice(from, to int) Rows { return Rows{r.Width, r.Values[from*r.Width : to*r.Width]} }

// Cut cuts one trajectory into three parts in the order of time.
func (r Rows) Cut(s Split) Parts {
	a, b := s.Train, s.Train+s.Validation
	return Parts{[]Rows{r.slice(0, a)}, []Rows{r.slice(a, b)}, []Rows{r.slice(b, r.Len())}}
}

// Parts are the trajectories to train, validate and test on, all with the same width.
type Parts struct{ Train, Validation, Test []Rows }

// problem makes a problem of the parts: its data, starts and score.
func (s setting) problem(p Parts) (*core.Problem, error) {
	width := p.Train[0].Width
	scale := identity(width)
	if s.standardise {
		scale = standard(p.Train)
	}
	problem := &core.Problem{
		Lag: s.lag, Steps: s.steps, Frame: &core.Frame{Shift: scale.shift, Scale: scale.by, Rows: s.delay, Stride: 1},
	}
	for _, part := range []struct {
		rows []Rows
		x    *core.Trajectories
	}{{p.Train, &problem.Train}, {p.Validation, &problem.Validation}, {p.Test, &problem.Test}} {
		var all []core.Snapshots
		for _, r := range part.rows {
			x, err := snapshots(r, s.delay, scale)
			if err != nil {
				return nil, err
			}
			all = append(all, x)
		}
		x, err := core.NewTrajectories(all...)
		if err != nil {
			return nil, err
		}
		*part.x = x
	}
	if err := Judge(problem, s.starts, width); err != nil {
		return nil, err
	}
	return problem, nil
}

// snapshots are the rows as snapshots: vectors of the latest rows, the newest last.
func snapshots(r Rows, delay int, scale affine) (core.Snapshots, error) {
	n := r.Len() - delay + 1
	values := make([]float32, 0, n*delay*r.Width)
	for i := range n {
		for k := range delay {
			for j, v := range r.Row(i + k) {
				values = append(values, float32((v-scale.shift[j])/scale.by[j]))
			}
		}
	}
	return core.NewSnapshots(values, delay*r.Width)
}

// starts are the test snapshots whose whole future is known; if they are more than most, as many of them
// evenly apart.
func starts(test core.Trajectories, ahead, most int) []int {
	known := test.PairStarts(ahead)
	chosen := make([]int, min(known.Len(), most))
	for k := range chosen {
		chosen[k] = known.At(k * known.Len() / len(chosen))
	}
	return chosen
}

// affine maps a value v to (v − shift) / by, each coordinate for itself.
type affine struct{ shift, by []float64 }

func identity(width int) affine {
	a := affine{make([]float64, width), make([]float64, width)}
	for j := range a.by {
		a.by[j] = 1
	}
	return a
}

// standard has the means and population standard deviations of rows; a constant is not divided.
func standard(all []Rows) affine {
	a := affine{make([]float64, all[0].Width), make([]float64, all[0].Width)}
	n := 0
	for _, r := range all {
		n += r.Len()
	}
	each := func(do func(j int, v float64)) {
		for _, r := range all {
			for i, v := range r.Values {
				do(i%r.Width, v)
			}
		}
	}
	each(func(j int, v float64) { a.shift[j] += v / float64(n) })
	each(func(j int, v float64) { a.by[j] += (v - a.shift[j]) * (v - a.shift[j]) / float64(n) })
	for j, variance := range a.by {
		if a.by[j] = math.Sqrt(variance); a.by[j] == 0 {
			a.by[j] = 1
		}
	}
	return a
}
