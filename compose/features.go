package compose

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// mostKept is how many values of features a fit keeps in memory, 128 MiB of them. More are computed
// again at each reading.
const mostKept = 1 << 24

// featuresOf returns the features of x. It is a view if the embedding has one, or if features are so many that they may
// not fit into memory. The result is valid while ctx is.
func featuresOf(ctx context.Context, embedding core.Embedding, x core.Trajectories) (mat.Matrix, error) {
	if viewer, ok := core.As[core.Viewer](embedding); ok {
		views := make([]mat.Matrix, x.Count())
		for k, part := range x.All() {
			var err error
			if views[k], err = viewer.View(part); err != nil {
				return nil, err
			}
		}
		return core.StackRows(views...), nil
	}
	read := func(dst *mat.Dense, from int) error {
		n, d := dst.Dims()
		return inBlocks(ctx, embedding, x, from, from+n, func(z *mat.Dense, at int) error {
			rows, _ := z.Dims()
			dst.Slice(at-from, at-from+rows, 0, d).(*mat.Dense).Copy(z)
			return nil
		})
	}
	if x.Len()*embedding.Dim() > mostKept {
		return embedded{x.Len(), embedding.Dim(), read}, nil
	}
	features := mat.NewDense(x.Len(), embedding.Dim(), nil)
	return features, read(features, 0)
}

// embedded are features that are computed as they are read. An error in this is a panic with [core.Unreadable].
type embedded struct {
	rows, columns int
	read          func(dst *mat.Dense, from int) error
}

var _ core.RowReader = embedded{}

func (e embedded) Dims() (rows, columns int) { return e.rows, e.columns }

func (e embedded) ReadRows(dst *mat.Dense, from int) {
	if err := e.read(dst, from); err != nil {
		panic(core.Unreadable{Err: err})
	}
}

func (e embedded) At(i, j int) float64 {
	row := mat.NewDense(1, e.columns, nil)
	e.ReadRows(row, i)
	return row.At(0, j)
}

func (e embedded) T() mat.Matrix { return mat.Transpose{Matrix: e} }

// blockValues is the largest number of values of a block of snapshots, or of its features.
const blockValues = 1 << 21

// inBlocks cuts the snapshots from … end-1 into blocks, and calls do with the features of each in turn. The first row
// of a block has the number at. So many snapshots take no more memory than a few. This is right because rows are
// independent.
func inBlocks(
	ctx context.Context, e core.Embedding, x core.Trajectories, from, end int, do func(z *mat.Dense, at int) error,
) error {
	rows := max(1, blockValues/max(x.Size(), e.Dim()))
	for ; from < end; from += rows {
		z, err := e.Embed(ctx, x.Slice(from, min(from+rows, end)))
		if err != nil {
			return err
		}
		if err := do(z, from); err != nil {
			return err
		}
	}
	return nil
}
