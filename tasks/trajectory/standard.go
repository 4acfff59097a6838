package trajectory

import (
	"context"
	"math"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// standard is the mean and the population standard deviation of each value of a snapshot. The
// deviation of a constant is 1.
type standard struct {
	mean, deviation []float64
	constant        []bool
}

// blockValues is about how many values are read at once.
const blockValues = 1 << 16

// standardOf reads the pieces once. Sums of blocks are joined by the formula of Chan, Golub and LeVeque (1979), so that
// neither a large mean nor many rows cost digits.
func standardOf(ctx context.Context, part []piece) (s *standard, err error) {
	defer core.Recover(&err)
	size := part[0].rows.Size()
	s = &standard{make([]float64, size), make([]float64, size), make([]bool, size)}
	first := make([]float32, size)
	part[0].rows.Read(first, 0)
	block := make([]float32, max(1, blockValues/size)*size)
	mean, squares, varied, n := make([]float64, size), make([]float64, size), make([]bool, size), 0.0
	for _, one := range part {
		for from := 0; from < one.rows.Len(); {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			values := block[:min(len(block), (one.rows.Len()-from)*size)]
			one.rows.Read(values, from)
			rows := len(values) / size
			clear(mean)
			clear(squares)
			for row := range slices.Chunk(values, size) {
				for j, v := range row {
					mean[j] += float64(v)
				}
			}
			for j := range mean {
				mean[j] /= float64(rows)
			}
			for row := range slices.Chunk(values, size) {
				for j, v := range row {
					d := float64(v) - mean[j]
					squares[j] += float64(d * d) // never fused, for the same bits on all machines
					varied[j] = varied[j] || v != first[j]
				}
			}
			m := float64(rows)
			for j := range mean {
				d := mean[j] - s.mean[j]
				s.mean[j] += d * m / (n + m)
				s.deviation[j] += squares[j] + d*d*n*m/(n+m)
			}
			n += m
			from += rows
		}
	}
	for j := range s.deviation {
		s.deviation[j] = math.Sqrt(s.deviation[j] / n)
		if s.constant[j] = !varied[j]; s.constant[j] {
			s.mean[j], s.deviation[j] = float64(first[j]), 1
		}
	}
	return s, nil
}
