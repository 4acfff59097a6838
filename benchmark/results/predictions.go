package results

import (
	"fmt"
	"io"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/npz"
)

// Predictions is a file with all predictions of a run, which is written step by step; nil if they
// are not kept. The file appears when it is complete. If it cannot be written, this is not a
// failure of the method, and the error is kept until the end of the run.
type Predictions struct {
	file    *atomicfile.File
	arrays  *npz.Writer
	values  io.Writer
	shape   []int // [steps, starts]
	labels  []int64
	failure error // the first one; nothing is written after it
}

// Names of the arrays of a file of predictions.
const (
	PredictionsArray = "predictions"
	LabelsArray      = "labels"
)

// EachPrediction reads the file of a run's predictions, which must have the shapes that the task
// gives. It calls use with each step: predictions as []float32 and labels as []int64. use may be
// nil. The error is [ErrResults], or that of use.
func (s *Store) EachPrediction(
	key, protocol string, t TaskInfo, use func(name string, step int, values any) error,
) error {
	want := map[string][]int{PredictionsArray: append([]int{t.Steps, t.Starts}, t.Shape...)}
	if t.Judged() {
		want[LabelsArray] = []int{t.Steps, t.Starts}
	}
	err := s.Open(PredictionsFile(key, protocol), func(f io.ReaderAt, size int64) error {
		return npz.Rows(f, size, want, use)
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrResults, err)
	}
	return nil
}

// CreatePredictions begins the file of the predictions of a run of the task by a protocol.
func (s *Store) CreatePredictions(key, protocol string, t TaskInfo) *Predictions {
	p := &Predictions{shape: []int{t.Steps, t.Starts}}
	p.do(func() (err error) {
		if p.file, err = atomicfile.Create(s.Path(PredictionsFile(key, protocol))); err != nil {
			return err
		}
		p.arrays = npz.NewWriter(p.file)
		p.values, err = p.arrays.Float32(PredictionsArray, append(p.shape[:2:2], t.Shape...)...)
		return err
	})
	return p
}

// do does a part of the writing, unless one before it has failed. If it fails, nothing is left of
// the file.
func (p *Predictions) do(write func() error) {
	if p == nil || p.failure != nil {
		return
	}
	if p.failure = write(); p.failure != nil {
		p.Discard()
	}
}

// Add writes the predictions of the next step, and the labels that the oracle gives them.
func (p *Predictions) Add(x core.Snapshots, labels []int) {
	p.do(func() error {
		for _, l := range labels {
			p.labels = append(p.labels, int64(l))
		}
		_, err := x.WriteTo(p.values)
		return err
	})
}

// Commit gives the file its name, after the last step. It returns the error if the predictions
// could not be written.
func (p *Predictions) Commit() error {
	p.do(func() error {
		if len(p.labels) > 0 {
			if err := p.arrays.Add(LabelsArray, npz.Array{Shape: p.shape, Values: p.labels}); err != nil {
				return err
			}
		}
		if err := p.arrays.Close(); err != nil {
			return err
		}
		return p.file.Commit()
	})
	if p == nil {
		return nil
	}
	return p.failure
}

// Discard removes a file that is not committed.
func (p *Predictions) Discard() {
	if p != nil && p.file != nil {
		p.file.Discard()
	}
}
