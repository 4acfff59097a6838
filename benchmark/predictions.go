package benchmark

import (
	"fmt"
	"io"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/npz"
)

// predictions is a file of all that a run predicts, which is written step by step; nil where they are not kept. It appears when
// it is whole.
type predictions struct {
	file   *atomicfile.File
	arrays *npz.Writer
	images io.Writer
	shape  []int // [steps, test]
	labels []int64
}

func (s *Store) predictionsPath(key string) string { return s.path(predictionsFile(key)) }

func predictionsFile(key string) string { return "runs/" + key + ".predictions.npz" }

// eachPrediction reads the file of a run's predictions, which must have the shapes that the task says, and hands on what there is
// of each step: images as []float32 and labels as []int64. use may be nil. The error is [ErrResults], or that of use.
func (s *Store) eachPrediction(key string, t TaskInfo, use func(name string, step int, values any) error) error {
	want := map[string][]int{
		"labels": {t.Steps, t.Test}, "images": append([]int{t.Steps, t.Test}, t.Shape...),
	}
	err := s.open(predictionsFile(key), func(f io.ReaderAt, size int64) error {
		return npz.Rows(f, size, want, use)
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrResults, err)
	}
	return nil
}

// keepPredictions begins the file of a run's predictions, if the plan wants them.
func (h *harness) keepPredictions(key string) (*predictions, error) {
	if !h.SavePredictions {
		return nil, nil
	}
	file, err := atomicfile.Create(h.store.predictionsPath(key))
	if err != nil {
		return nil, err
	}
	p := &predictions{file: file, arrays: npz.NewWriter(file), shape: []int{h.Task.Info.Steps, h.Task.Test.Len()}}
	p.images, err = p.arrays.Float32("images", append(p.shape[:2:2], h.Task.Test.Shape()...)...)
	if err != nil {
		file.Discard()
		return nil, err
	}
	return p, nil
}

// add writes the predictions of the next step, and what the oracle sees in them.
func (p *predictions) add(x core.Snapshots, labels []int) error {
	if p == nil {
		return nil
	}
	for _, l := range labels {
		p.labels = append(p.labels, int64(l))
	}
	_, err := x.WriteTo(p.images)
	return err
}

// commit gives the file its name, after the last step.
func (p *predictions) commit() error {
	if p == nil {
		return nil
	}
	if err := p.arrays.Add("labels", npz.Array{Shape: p.shape, Values: p.labels}); err != nil {
		return err
	}
	if err := p.arrays.Close(); err != nil {
		return err
	}
	return p.file.Commit()
}

// discard leaves nothing of a file that is not committed.
func (p *predictions) discard() {
	if p != nil {
		p.file.Discard()
	}
}
