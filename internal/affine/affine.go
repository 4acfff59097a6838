// Package affine contains embeddings whose features are the values of a snapshot, each shifted and
// scaled by constants of the training data.
package affine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Embedding has the features (value j − mean[j]) / scale[j], one for each of the d values of a
// snapshot. It is immutable and may be used concurrently.
type Embedding struct {
	shape       []int
	mean, scale []float64
}

var (
	_ core.Embedding = (*Embedding)(nil)
	_ core.Decoder   = (*Embedding)(nil)
	_ core.Viewer    = (*Embedding)(nil)
	_ core.Saver     = (*Embedding)(nil)
)

// Dim implements [core.Embedding].
func (e *Embedding) Dim() int { return len(e.mean) }

// Embed implements [core.Embedding]. The error is [core.ErrShape] for snapshots of another shape.
func (e *Embedding) Embed(_ context.Context, x core.Snapshots) (*mat.Dense, error) {
	if err := e.check(x); err != nil || x.Len() == 0 {
		return &mat.Dense{}, err
	}
	z := mat.NewDense(x.Len(), e.Dim(), nil)
	e.read(z, x, 0)
	return z, nil
}

// View implements [core.Viewer], with the errors of Embed. The matrix is a [core.RowReader].
func (e *Embedding) View(x core.Snapshots) (mat.Matrix, error) {
	return features{x, e}, e.check(x)
}

func (e *Embedding) check(x core.Snapshots) error {
	if x.Len() > 0 && !slices.Equal(x.Shape(), e.shape) {
		return fmt.Errorf("%w: snapshots of shape %v; the training snapshots had shape %v",
			core.ErrShape, x.Shape(), e.shape)
	}
	return nil
}

// read fills z with the features of the snapshots from, from+1, ….
func (e *Embedding) read(z *mat.Dense, x core.Snapshots, from int) {
	n, d := z.Dims()
	values := make([]float32, d)
	for i := range n {
		x.Read(values, from+i)
		row := z.RawRowView(i)
		for j, v := range values {
			row[j] = (float64(v) - e.mean[j]) / e.scale[j]
		}
	}
}

// features are the features of snapshots, computed as they are read.
type features struct {
	x core.Snapshots
	*Embedding
}

var _ core.RowReader = features{}

func (f features) Dims() (rows, columns int)         { return f.x.View().Dims() }
func (f features) At(i, j int) float64               { return (f.x.View().At(i, j) - f.mean[j]) / f.scale[j] }
func (f features) T() mat.Matrix                     { return mat.Transpose{Matrix: f} }
func (f features) ReadRows(dst *mat.Dense, from int) { f.read(dst, f.x, from) }

// Decode implements [core.Decoder]. The error is [core.ErrShape] for another number of features.
func (e *Embedding) Decode(_ context.Context, z mat.Matrix) (core.Snapshots, error) {
	n, d := z.Dims()
	if d != e.Dim() {
		return core.Snapshots{}, fmt.Errorf("%w: %d features; there are %d values in a snapshot",
			core.ErrShape, d, e.Dim())
	}
	values := make([]float32, 0, n*d)
	for i := range n {
		for j := range d {
			values = append(values, float32(z.At(i, j)*e.scale[j]+e.mean[j]))
		}
	}
	return core.NewSnapshots(values, e.shape...)
}

// facts are the facts of a state, whose arrays are "mean" and "scale", float64, one number a value
// of the snapshot.
type facts struct {
	Shape []int `json:"shape"`
}

// Save implements [core.Saver].
func (e *Embedding) Save(context.Context) (*core.State, error) {
	text, err := json.Marshal(facts{e.shape})
	return &core.State{Facts: text, Arrays: map[string]core.Array{
		"mean":  {Shape: []int{len(e.mean)}, Values: e.mean},
		"scale": {Shape: []int{len(e.scale)}, Values: e.scale},
	}}, err
}

// Load returns the embedding that was saved as s. The error is [core.ErrShape].
func Load(s *core.State) (*Embedding, error) {
	var saved facts
	if err := json.Unmarshal(s.Facts, &saved); err != nil {
		return nil, fmt.Errorf("%w: the facts of shifted and scaled values: %w", core.ErrShape, err)
	}
	mean, width, err := core.StateValues[float64](s, "mean", 1)
	if err != nil {
		return nil, err
	}
	scale, _, err := core.StateValues[float64](s, "scale", 1)
	if err != nil {
		return nil, err
	}
	one, err := core.NewSnapshots(make([]float32, width[0]), saved.Shape...)
	if err != nil || one.Len() != 1 || len(scale) != len(mean) {
		return nil, fmt.Errorf("%w: means of %d values and scales of %d for snapshots of shape %v",
			core.ErrShape, len(mean), len(scale), saved.Shape)
	}
	return &Embedding{saved.Shape, mean, scale}, nil
}
