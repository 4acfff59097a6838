package linear

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Pixels returns the embedder "pixels", whose features are the values of the snapshot, each less its mean over the training
// snapshots and divided by its population standard deviation over them; a constant value is not divided. The embedding is a
// [core.Decoder].
func Pixels() core.Embedder { return core.GuardEmbedder(pixels{}) }

type pixels struct{}

var (
	_ core.Embedder        = pixels{}
	_ core.EmbeddingLoader = pixels{}
)

func (pixels) Describe() core.Description {
	return core.Description{
		Name:    "pixels",
		Summary: "the values of the snapshot, standardised",
		Doc: "Each value of the flattened snapshot, less its mean over the training snapshots and divided by its population standard " +
			"deviation over them. Values that are constant over the training snapshots are not divided.",
	}
}

func (pixels) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	s, err := standardise(ctx, t.Train)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Load implements [core.EmbeddingLoader].
func (pixels) Load(_ context.Context, s *core.Saved) (core.Embedding, error) {
	var facts pixelFacts
	if err := json.Unmarshal(s.Facts, &facts); err != nil {
		return nil, fmt.Errorf("%w: the facts of pixels: %w", core.ErrShape, err)
	}
	mean, width, err := core.StateValues[float64](&s.State, "mean", 1)
	if err != nil {
		return nil, err
	}
	scale, _, err := core.StateValues[float64](&s.State, "scale", 1)
	if err != nil {
		return nil, err
	}
	one, err := core.NewSnapshots(make([]float32, width[0]), facts.Shape...)
	if err != nil || one.Len() != 1 || len(scale) != len(mean) {
		return nil, fmt.Errorf("%w: means of %d values and deviations of %d for snapshots of shape %v", core.ErrShape, len(mean), len(scale), facts.Shape)
	}
	return &standardised{facts.Shape, mean, scale}, nil
}

// pixelFacts are the facts of a state, whose arrays are "mean" and "scale", float64, one number a value of the snapshot.
type pixelFacts struct {
	Shape []int `json:"shape"`
}

// Save implements [core.Saver].
func (s *standardised) Save(context.Context) (*core.State, error) {
	facts, err := json.Marshal(pixelFacts{s.shape})
	return &core.State{Facts: facts, Arrays: map[string]core.Array{
		"mean":  {Shape: []int{len(s.mean)}, Values: s.mean},
		"scale": {Shape: []int{len(s.scale)}, Values: s.scale},
	}}, err
}

// standardised is the embedding: feature j is (value j − mean[j]) / scale[j].
type standardised struct {
	shape       []int
	mean, scale []float64
}

var (
	_ core.Embedding = (*standardised)(nil)
	_ core.Decoder   = (*standardised)(nil)
	_ core.Viewer    = (*standardised)(nil)
	_ core.Saver     = (*standardised)(nil)
)

func standardise(ctx context.Context, x core.Trajectories) (*standardised, error) {
	n, d := float64(x.Len()), x.Size()
	s := &standardised{x.Shape(), make([]float64, d), make([]float64, d)}
	first, varies, row := make([]float32, d), make([]bool, d), make([]float32, d)
	x.Read(first, 0)
	for i := range x.Len() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x.Read(row, i)
		for j, v := range row {
			s.mean[j] += float64(v) / n
			varies[j] = varies[j] || v != first[j]
		}
	}
	for i := range x.Len() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x.Read(row, i)
		for j, v := range row {
			s.scale[j] += (float64(v) - s.mean[j]) * (float64(v) - s.mean[j]) / n
		}
	}
	for j, variance := range s.scale {
		s.scale[j] = math.Sqrt(variance)
		if !varies[j] {
			s.mean[j], s.scale[j] = float64(first[j]), 1
		}
	}
	return s, nil
}

func (s *standardised) Dim() int { return len(s.mean) }

func (s *standardised) Embed(_ context.Context, x core.Snapshots) (*mat.Dense, error) {
	if _, err := s.View(x); err != nil || x.Len() == 0 {
		return &mat.Dense{}, err
	}
	z, values := mat.NewDense(x.Len(), s.Dim(), nil), make([]float32, s.Dim())
	for i := range x.Len() {
		x.Read(values, i)
		row := z.RawRowView(i)
		for j, v := range values {
			row[j] = (float64(v) - s.mean[j]) / s.scale[j]
		}
	}
	return z, nil
}

func (s *standardised) View(x core.Snapshots) (mat.Matrix, error) {
	if x.Len() > 0 && !slices.Equal(x.Shape(), s.shape) {
		return nil, fmt.Errorf("%w: snapshots of shape %v; the training snapshots had shape %v", core.ErrShape, x.Shape(), s.shape)
	}
	return features{x.View(), s}, nil
}

// features are the features of snapshots, computed as they are read.
type features struct {
	values mat.Matrix
	*standardised
}

var _ mat.Matrix = features{}

func (f features) Dims() (rows, columns int) { return f.values.Dims() }
func (f features) At(i, j int) float64       { return (f.values.At(i, j) - f.mean[j]) / f.scale[j] }
func (f features) T() mat.Matrix             { return mat.Transpose{Matrix: f} }

func (s *standardised) Decode(_ context.Context, z mat.Matrix) (core.Snapshots, error) {
	n, d := z.Dims()
	if d != s.Dim() {
		return core.Snapshots{}, fmt.Errorf("%w: %d features; there are %d values in a snapshot", core.ErrShape, d, s.Dim())
	}
	values := make([]float32, 0, n*d)
	for i := range n {
		for j := range d {
			values = append(values, float32(z.At(i, j)*s.scale[j]+s.mean[j]))
		}
	}
	return core.NewSnapshots(values, s.shape...)
}
