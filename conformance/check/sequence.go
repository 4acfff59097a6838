package check

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// sequence is a cycle of patterns with a little noise: at time t it shows pattern t mod K, or, run
// backwards, −t mod K. Pattern k is bright in the kth part of the flattened snapshot and dark
// elsewhere. Pixels lie in [0, 0.2] where it is dark and in [0.7, 0.9] where it is bright, so that
// a snapshot is nearest to its own pattern by far.
type sequence struct {
	pixels []uint8
	x      core.Snapshots // in 8 bits, so that nobody who reads them can write to them
	labels []int
	states int
}

const (
	darkest, dimmest = 0, 178
	noise            = 51
)

func newSequence(shape []int, states, n int, backwards bool, name string) (*sequence, error) {
	size := 1
	for _, axis := range shape {
		size *= axis
	}
	random := core.NewStream(0, "conformance", name)
	s := &sequence{pixels: make([]uint8, n*size), labels: make([]int, n), states: states}
	for t := range n {
		s.labels[t] = t % states
		if backwards {
			s.labels[t] = (states - t%states) % states
		}
		for i := range size {
			level := darkest
			if i*states/size == s.labels[t] {
				level = dimmest
			}
			s.pixels[t*size+i] = uint8(level + random.IntN(noise))
		}
	}
	var err error
	s.x, err = core.NewPixelSnapshots(s.pixels, shape...)
	return s, err
}

// floats returns the snapshots stored as float32, in memory of their own that writes reach.
func floats(x core.Snapshots) (core.Snapshots, []float32, error) {
	values := slices.Clone(x.Floats())
	copied, err := core.NewSnapshots(values, x.Shape()...)
	return copied, values, err
}

// inFloats is floats for the snapshots of one trajectory.
func inFloats(x core.Trajectories) (core.Trajectories, []float32, error) {
	copied, values, err := floats(x.Snapshots())
	return core.OneTrajectory(copied), values, err
}

// training returns what a fit sees of the sequence: three quarters of it to train on, and the rest to validate.
func (s *sequence) training(d core.Description, values map[string]any) (*core.Training, error) {
	options, err := d.Resolve(values)
	if err != nil {
		return nil, err
	}
	n := s.x.Len()
	cut := n - n/4
	t := &core.Training{
		Train: core.OneTrajectory(s.x.Slice(0, cut)), Validation: core.OneTrajectory(s.x.Slice(cut, n)),
		Lag: 1, States: s.states, Options: options, Seed: 42, Name: d.Name, Progress: core.NoProgress,
	}
	if d.Exposure == core.LabelExposed {
		s.label(t)
	}
	if d.Exposure == core.OracleExposed {
		t.OracleEmbedding = projection{s.x.Shape(), s.states}
	}
	return t, nil
}

// label hands out the labels.
func (s *sequence) label(t *core.Training) {
	cut := t.Train.Len()
	t.TrainLabels, t.ValidationLabels = slices.Clone(s.labels[:cut]), slices.Clone(s.labels[cut:])
}

// nearest returns the pattern that is nearest to each row of a table of flattened snapshots.
func (s *sequence) nearest(rows table) []int {
	labels := make([]int, rows.rows)
	for i := range labels {
		row := rows.values[i*rows.columns : (i+1)*rows.columns]
		least := math.Inf(1)
		for k := range s.states {
			sum := 0.0
			for j, v := range row {
				pattern := float64(darkest+noise/2) / 255
				if j*s.states/len(row) == k {
					pattern = float64(dimmest+noise/2) / 255
				}
				sum += (v - pattern) * (v - pattern)
			}
			if sum < least {
				labels[i], least = k, sum
			}
		}
	}
	return labels
}

// share is the share of labels that are equal.
func share(got, want []int) float64 {
	right := 0
	for i, l := range got {
		if l == want[i] {
			right++
		}
	}
	return float64(right) / float64(len(want))
}

// projection stands in for the encoder of an oracle: its features are the mean brightness of each part of a snapshot.
type projection struct {
	shape  []int
	states int
}

var _ core.Embedding = projection{}

func (p projection) Dim() int { return p.states }

func (p projection) Embed(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
	if err := ctx.Err(); err != nil || x.Len() == 0 {
		return &mat.Dense{}, err
	}
	if !slices.Equal(x.Shape(), p.shape) {
		return nil, fmt.Errorf("%w: snapshots of shape %v; the oracle takes %v", core.ErrShape, x.Shape(), p.shape)
	}
	size := x.Size()
	z, row := mat.NewDense(x.Len(), p.states, nil), make([]float32, size)
	for i := range x.Len() {
		x.Read(row, i)
		for j, v := range row {
			k := j * p.states / size
			z.Set(i, k, z.At(i, k)+float64(v)*float64(p.states)/float64(size))
		}
	}
	return z, nil
}
