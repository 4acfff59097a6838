package edmd

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/affine"
)

// facts are the facts of a state. Its arrays are those of the coordinates, "coordinates/…", and
// "points" [m, d] and "phases" [m], float64, of the dictionaries that have them.
type facts struct {
	Dictionary  string          `json:"dictionary"`
	Degree      int             `json:"degree"`
	Frequencies int             `json:"frequencies"`
	Length      float64         `json:"length"`
	Coordinates json.RawMessage `json:"coordinates,omitempty"`
}

// embedding has the functions of a dictionary as features.
type embedding struct {
	facts
	coordinates *affine.Embedding
	points      *mat.Dense // frequencies or centres, m×d; nil for other dictionaries
	phases      []float64  // m, of random Fourier features
	functions   functions
}

var (
	_ core.Embedding = (*embedding)(nil)
	_ core.Viewer    = (*embedding)(nil)
	_ core.Saver     = (*embedding)(nil)
)

// prepare makes the functions of all the rest, or returns [core.ErrShape].
func (e *embedding) prepare() error {
	switch d := e.coordinates.Dim(); e.Dictionary {
	case polynomials:
		e.functions = newMonomials(d, e.Degree)
	case fourier:
		e.functions = fourierSeries{e.Frequencies, d}
	case radial:
		e.functions = newRadialFunctions(e.points, e.Length)
	case randomFourier:
		e.functions = newRandomFeatures(e.points, e.phases)
	default:
		return fmt.Errorf("%w: there is no dictionary %.80q", core.ErrShape, e.Dictionary)
	}
	return nil
}

// Dim implements [core.Embedding].
func (e *embedding) Dim() int { return e.functions.number() }

// Embed implements [core.Embedding].
func (e *embedding) Embed(_ context.Context, x core.Snapshots) (*mat.Dense, error) {
	z, err := e.View(x)
	if err != nil || x.Len() == 0 {
		return &mat.Dense{}, err
	}
	features := mat.NewDense(x.Len(), e.Dim(), nil)
	core.ReadRows(features, z, 0)
	return features, nil
}

// View implements [core.Viewer].
func (e *embedding) View(x core.Snapshots) (mat.Matrix, error) {
	z, err := e.coordinates.View(x)
	return features{z, e.functions}, err
}

// features are functions of coordinates, computed as they are read.
type features struct {
	coordinates mat.Matrix
	functions
}

var _ core.RowReader = features{}

func (f features) Dims() (rows, columns int) {
	rows, _ = f.coordinates.Dims()
	return rows, f.number()
}

func (f features) At(i, j int) float64 {
	row := mat.NewDense(1, f.number(), nil)
	f.ReadRows(row, i)
	return row.At(0, j)
}

func (f features) T() mat.Matrix { return mat.Transpose{Matrix: f} }

// ReadRows implements [core.RowReader].
func (f features) ReadRows(dst *mat.Dense, from int) {
	n, _ := dst.Dims()
	_, d := f.coordinates.Dims()
	z := mat.NewDense(n, d, nil)
	core.ReadRows(z, f.coordinates, from)
	f.evaluate(dst, z)
}

// Save implements [core.Saver].
func (e *embedding) Save(ctx context.Context) (*core.State, error) {
	coordinates, err := e.coordinates.Save(ctx)
	if err != nil {
		return nil, err
	}
	saved := e.facts
	saved.Coordinates = coordinates.Facts
	s := &core.State{Arrays: map[string]core.Array{}}
	s.Add("coordinates", coordinates)
	if e.points != nil {
		m, d := e.points.Dims()
		s.Arrays["points"] = core.Array{Shape: []int{m, d}, Values: e.points.RawMatrix().Data}
	}
	if e.phases != nil {
		s.Arrays["phases"] = core.Array{Shape: []int{len(e.phases)}, Values: e.phases}
	}
	s.Facts, err = json.Marshal(saved)
	return s, err
}

// Load implements [core.EmbeddingLoader].
func (dictionary) Load(_ context.Context, s *core.Saved) (core.Embedding, error) {
	e := &embedding{}
	if err := json.Unmarshal(s.Facts, &e.facts); err != nil {
		return nil, fmt.Errorf("%w: the facts of a dictionary: %w", core.ErrShape, err)
	}
	var err error
	if e.coordinates, err = affine.Load(s.Part("coordinates", e.Coordinates)); err != nil {
		return nil, err
	}
	e.Coordinates = nil
	if e.Dictionary == randomFourier || e.Dictionary == radial {
		if err := e.loadPoints(&s.State); err != nil {
			return nil, err
		}
	} else if e.Degree < 1 || e.Frequencies < 1 {
		return nil, fmt.Errorf("%w: degree %d and %d frequencies; both must be at least 1", core.ErrShape, e.Degree,
			e.Frequencies)
	}
	if err := e.check(0, e.coordinates.Dim()); err != nil {
		return nil, err
	}
	return e, e.prepare()
}

func (e *embedding) loadPoints(s *core.State) error {
	points, shape, err := core.StateValues[float64](s, "points", 2)
	if err != nil {
		return err
	}
	if d := e.coordinates.Dim(); shape[0] < 1 || shape[1] != d || !(e.Length > 0) || math.IsInf(e.Length, 0) {
		return fmt.Errorf("%w: %v points and a length of %v for snapshots of %d values", core.ErrShape, shape, e.Length, d)
	}
	e.points = mat.NewDense(shape[0], shape[1], points)
	if e.Dictionary == radial {
		return nil
	}
	if e.phases, _, err = core.StateValues[float64](s, "phases", 1); err != nil {
		return err
	}
	if len(e.phases) != shape[0] {
		return fmt.Errorf("%w: %d phases for %d frequencies", core.ErrShape, len(e.phases), shape[0])
	}
	return nil
}
