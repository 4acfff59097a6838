package linalg

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// pairs are the lagged pairs of one or several trajectories, with an observable at the later times
// if there is one. They are read in blocks, so that a matrix that is not a *mat.Dense is never in
// memory whole.
type pairs struct {
	features   blocks
	observable *blocks // nil if there is none
	starts     core.PairStarts
	lag, n     int       // n pairs
	mean       []float64 // to subtract from the features; nil for none
}

// newPairs checks the matrices. The features must be there, the observable may be nil. lengths are
// those of the trajectories, nil for one.
func newPairs(features, observable mat.Matrix, lag int, lengths []int) (*pairs, error) {
	x, err := newBlocks("features", features)
	if err != nil {
		return nil, err
	}
	n, _ := features.Dims()
	starts, err := core.NewPairStarts(n, lag, lengths)
	if err != nil {
		return nil, err
	}
	p := &pairs{features: *x, starts: starts, lag: lag, n: starts.Len()}
	if observable == nil {
		return p, nil
	}
	if p.observable, err = newBlocks("observables", observable); err != nil {
		return nil, err
	}
	if m, _ := observable.Dims(); m != n {
		return nil, fmt.Errorf("%w: %d rows of the observable for %d rows of features; give one for each", core.ErrShape, m,
			n)
	}
	return p, nil
}

// each calls do with consecutive blocks of the earlier rows, the later rows and the observable at
// the later times, nil if there is none. A block lies in one trajectory. each returns the first
// error, of do or of ctx. Blocks depend on the shapes and the lengths alone, and do must not keep
// them.
func (p *pairs) each(ctx context.Context, do func(now, next, f *mat.Dense) error) error {
	block := p.blockRows()
	for begin, stop := range p.starts.Runs() {
		for from := begin; from < stop; from += block {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := p.read(from, min(from+block, stop), do); err != nil {
				return err
			}
		}
	}
	return nil
}

// read calls do with the block of the pairs that start at the rows from to end-1.
func (p *pairs) read(from, end int, do func(now, next, f *mat.Dense) error) error {
	x, err := p.features.read(from, end+p.lag, p.mean)
	if err != nil {
		return err
	}
	var f *mat.Dense
	if p.observable != nil {
		if f, err = p.observable.read(from+p.lag, end+p.lag, nil); err != nil {
			return err
		}
	}
	return do(rows(x, 0, end-from), rows(x, p.lag, end-from+p.lag), f)
}

// blockValues is how many numbers a block has at the most, where a row and the lag are not longer.
const blockValues = 1 << 20

func (p *pairs) blockRows() int {
	copied, width := p.mean != nil || p.features.dense == nil, p.features.width
	if p.observable != nil && p.observable.dense == nil {
		copied, width = true, max(width, p.observable.width)
	}
	if !copied {
		return p.n
	}
	return max(blockValues/width, p.lag, 1)
}

// covariances returns C_X and C_XY.
func (p *pairs) covariances(ctx context.Context) (cx *mat.SymDense, cxy *mat.Dense, err error) {
	d := p.features.width
	cx, cxy = mat.NewSymDense(d, nil), mat.NewDense(d, d, nil)
	err = p.each(ctx, func(now, next, _ *mat.Dense) error {
		addCovariance(cx, now, p.n)
		addCrossCovariance(cxy, now, next, p.n)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return cx, cxy, checkCovariances(cxy, cx)
}

// checkUnderflow returns ErrUnavailable unless the features are zero. They are those of an operator that underflowed.
func (p *pairs) checkUnderflow(ctx context.Context, alpha float64) error {
	var largest float64
	err := p.each(ctx, func(now, next, _ *mat.Dense) error {
		largest = max(largest, largestEntry(now), largestEntry(next))
		return nil
	})
	if err != nil || largest == 0 {
		return err
	}
	return fmt.Errorf("%w: features of at most %.2g in size and alpha=%g make an operator below the least float64; "+
		"scale the features to the order of 1", core.ErrUnavailable, largest, alpha)
}

// centre makes the pairs deviations from the mean of the earlier rows.
func (p *pairs) centre(ctx context.Context) error {
	mean := make([]float64, p.features.width)
	err := p.each(ctx, func(now, _, _ *mat.Dense) error {
		addMeans(mean, now, p.n)
		return nil
	})
	p.mean = mean
	return err
}

// blocks is a matrix that is read by blocks of rows.
type blocks struct {
	name   string
	width  int
	matrix mat.Matrix
	dense  *mat.Dense // matrix itself if it is one, checked to be finite
	buffer []float64
}

func newBlocks(name string, m mat.Matrix) (*blocks, error) {
	d, isDense := m.(*mat.Dense)
	if isDense || m == nil {
		if _, err := checked(name, m); err != nil {
			return nil, err
		}
	}
	r, c := m.Dims()
	if r == 0 || c == 0 {
		return nil, errEmpty(name, r, c)
	}
	return &blocks{name: name, width: c, matrix: m, dense: d}, nil
}

// read returns rows from to end-1 less shift, if that is not nil. The result is good until the next
// call; the caller must not write to it.
func (t *blocks) read(from, end int, shift []float64) (*mat.Dense, error) {
	if t.dense != nil && shift == nil {
		return rows(t.dense, from, end), nil
	}
	if size := (end - from) * t.width; len(t.buffer) < size {
		t.buffer = make([]float64, size)
	}
	block := mat.NewDense(end-from, t.width, t.buffer[:(end-from)*t.width])
	core.ReadRows(block, t.matrix, from)
	if i, j, found := indexOfNonFinite(block); found {
		return nil, errNonFinite(t.name, from+i, j, block.At(i, j))
	}
	for i := range end - from {
		row := block.RawRowView(i)
		for j := range shift {
			row[j] -= shift[j]
		}
	}
	return block, nil
}
