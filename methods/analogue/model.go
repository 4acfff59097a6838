package analogue

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/affine"
	"github.com/koopbench/koopbench/internal/distance"
)

// model predicts from the training snapshots, which it reads in blocks.
type model struct {
	past            core.Trajectories
	starts          core.PairStarts
	coordinates     *affine.Embedding
	lag, neighbours int
}

var (
	_ core.Model = (*model)(nil)
	_ core.Saver = (*model)(nil)
)

// Limits of a block.
const (
	mostRows   = 1024
	mostValues = 1 << 20
)

// Predict implements [core.Model].
func (m *model) Predict(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
	rows := max(1, min(mostRows, mostValues/max(x.Size(), m.neighbours)))
	next := make([]float32, 0, x.Len()*x.Size())
	for from := 0; from < x.Len(); from += rows {
		now, err := m.coordinates.Embed(ctx, x.Slice(from, min(from+rows, x.Len())))
		if err != nil {
			return core.Snapshots{}, err
		}
		all, err := m.nearest(ctx, now, rows)
		if err != nil {
			return core.Snapshots{}, err
		}
		for _, near := range all {
			next = append(next, m.followed(near)...)
		}
	}
	return core.NewSnapshots(next, x.Shape()...)
}

// nearest returns the starts of the nearest training pairs for each row of coordinates. It reads at most the given
// number of training snapshots at a time.
func (m *model) nearest(ctx context.Context, now *mat.Dense, rows int) ([]nearest, error) {
	n, _ := now.Dims()
	all := make([]nearest, n)
	for i := range all {
		all[i] = make(nearest, 0, m.neighbours)
	}
	for begin, end := range m.starts.Runs() {
		for from := begin; from < end; from += rows {
			past, err := m.coordinates.Embed(ctx, m.past.Slice(from, min(from+rows, end)))
			if err != nil {
				return nil, err
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			squares := distance.Squares(now, past)
			for i := range all {
				for j, square := range squares.RawRowView(i) {
					if all[i].mayTake(square) {
						exact := distance.Square(now.RawRowView(i), past.RawRowView(j))
						all[i].take(neighbour{from + j, exact})
					}
				}
			}
		}
	}
	return all, nil
}

// followed is the mean of the snapshots one lag after the starts.
func (m *model) followed(near nearest) []float32 {
	row, sum := make([]float32, m.past.Size()), make([]float64, m.past.Size())
	for _, n := range near {
		m.past.Read(row, n.start+m.lag)
		for j, v := range row {
			sum[j] += float64(v)
		}
	}
	for j, v := range sum {
		row[j] = float32(v / float64(len(near)))
	}
	return row
}

// neighbour is the start of a pair, and its squared distance.
type neighbour struct {
	start  int
	square float64
}

// nearest are the nearest neighbours so far, at most as many as its capacity. The nearest is the first; of those
// equally near the earliest is.
type nearest []neighbour

// mayTake reports whether a neighbour at this squared distance, which is right to a millionth, may be among them.
func (n nearest) mayTake(square float64) bool {
	return len(n) < cap(n) || square*(1-1e-6) <= n[len(n)-1].square
}

// take adds one that starts later than all others. If there are enough, it replaces the farthest or is dropped.
func (n *nearest) take(next neighbour) {
	at := len(*n)
	switch {
	case at < cap(*n):
		*n = append(*n, next)
	case next.square < (*n)[at-1].square:
		at--
	default:
		return
	}
	for ; at > 0 && next.square < (*n)[at-1].square; at-- {
		(*n)[at] = (*n)[at-1]
	}
	(*n)[at] = next
}
