package benchmark

import (
	"fmt"
	"io"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/npz"
)

// predictions is a file of all that a run predicts, which is written step by step; nil if they are
// not kept. It appears when it is whole. That it cannot be written is no fault of the method, and
// is kept for the end of the run.
type predictions struct {
	file    *atomicfile.File
	arrays  *npz.Writer
	values  io.Writer
	shape   []int // [steps, starts]
	labels  []int64
	failure error // the first one; nothing is written after it
}

// Names of the arrays of a file of predictions.
const (
	predictionsArray = "predictions"
	labelsArray      = "labels"
)

func predictionsFile(key, protocol string) string {
	return "runs/" + key + predictionsEnding(protocol)
}

func predictionsEnding(protocol string) string { return "." + protocol + ".predictions.npz" }

// eachPrediction reads the file of a run's predictions, which must have the shapes that the task says, and hands on what there is
// of each step: predictions as []float32 and labels as []int64. use may be nil. The error is [ErrResults], or that of use.
func (s *Store) eachPrediction(
	key, protocol string, t TaskInfo, use func(name string, step int, values any) error,
) error {
	want := map[string][]int{predictionsArray: append([]int{t.Steps, t.Starts}, t.Shape...)}
	if t.Judged() {
		want[labelsArray] = []int{t.Steps, t.Starts}
	}
	err := s.open(predictionsFile(key, protocol), func(f io.ReaderAt, size int64) error {
		return npz.Rows(f, size, want, use)
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrResults, err)
	}
	return nil
}

// keepPredictions begins the file of a run's predictions by a protocol, if the plan wants them.
func (h *harness) keepPredictions(key, protocol string) *predictions {
	if !h.SavePredictions {
		return nil
	}
	p := &predictions{shape: []int{h.Task.Steps, h.Task.starts.Len()}}
	p.do(func() (err error) {
		if p.file, err = atomicfile.Create(h.store.path(predictionsFile(key, protocol))); err != nil {
			return err
		}
		p.arrays = npz.NewWriter(p.file)
		p.values, err = p.arrays.Float32(predictionsArray, append(p.shape[:2:2], h.Task.starts.Shape()...)...)
		return err
	})
	return p
}

// do does a part of the writing, unless one before it has failed. If it fails, nothing is left of
// the file.
func (p *predictions) do(write func() error) {
	if p == nil || p.failure != nil {
		return
	}
	if p.failure = write(); p.failure != nil {
		p.discard()
	}
}

// add writes the predictions of the next step, and what the oracle sees in them.
func (p *predictions) add(x core.Snapshots, labels []int) {
	p.do(func() error {
		for _, l := range labels {
			p.labels = append(p.labels, int64(l))
		}
		_, err := x.WriteTo(p.values)
		return err
	})
}

// commit gives the file its name, after the last step. It returns why the predictions could not be
// written.
func (p *predictions) commit() error {
	p.do(func() error {
		if len(p.labels) > 0 {
			if err := p.arrays.Add(labelsArray, npz.Array{Shape: p.shape, Values: p.labels}); err != nil {
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

// discard leaves nothing of a file that is not committed.
func (p *predictions) discard() {
	if p != nil && p.file != nil {
		p.file.Discard()
	}
}
