package broken

import (
	"context"
	"fmt"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// thing is a method, an embedder or an oracle by a fit.
type thing struct {
	description func() core.Description
	fit         fitFunc
	shelf       shelf[fitted]
}

// shelf keeps what is saved: a state is the number of its place.
type shelf[T any] struct {
	mu    sync.Mutex
	saved []*T
}

// put returns the state of something fitted.
func (s *shelf[T]) put(f *T) *core.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved = append(s.saved, f)
	return &core.State{Arrays: map[string]core.Array{"place": {Shape: []int{1}, Values: []int64{int64(len(s.saved) - 1)}}}}
}

// take returns a copy of what was saved.
func (s *shelf[T]) take(saved *core.Saved) (f T, err error) {
	place, _, err := core.StateValues[int64](&saved.State, "place", 1)
	if err != nil {
		return f, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.saved[place[0]], nil
}

// load returns what was saved, changed where that is what is broken.
func (t *thing) load(s *core.Saved) (*fitted, error) {
	f, err := t.shelf.take(s)
	if err == nil && f.loaded != nil {
		f.change(f.loaded)
	}
	return &f, err
}

func (t *thing) Describe() core.Description { return t.description() }

type method struct{ *thing }

var (
	_ core.Method      = method{}
	_ core.ModelLoader = method{}
)

func (m method) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	f, err := m.fit(ctx, t)
	if f == nil || err != nil {
		return nil, err
	}
	return model{f, &m.shelf}, nil
}

func (m method) Load(_ context.Context, s *core.Saved) (core.Model, error) {
	f, err := m.load(s)
	if err != nil {
		return nil, err
	}
	return model{f, &m.shelf}, nil
}

type embedder struct{ *thing }

var (
	_ core.Embedder        = embedder{}
	_ core.EmbeddingLoader = embedder{}
)

func (e embedder) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	f, err := e.fit(ctx, t)
	if f == nil || err != nil {
		return nil, err
	}
	return embedding{f, &e.shelf}, nil
}

func (e embedder) Load(_ context.Context, s *core.Saved) (core.Embedding, error) {
	f, err := e.load(s)
	if err != nil {
		return nil, err
	}
	return embedding{f, &e.shelf}, nil
}

type oracle struct{ *thing }

var (
	_ core.Oracle      = oracle{}
	_ core.JudgeLoader = oracle{}
)

func (o oracle) Fit(ctx context.Context, t *core.Training) (core.Judge, error) {
	f, err := o.fit(ctx, t)
	if f == nil || err != nil {
		return nil, err
	}
	return judge{f, &o.shelf}, nil
}

func (o oracle) Load(_ context.Context, s *core.Saved) (core.Judge, error) {
	f, err := o.load(s)
	if err != nil {
		return nil, err
	}
	return judge{f, &o.shelf}, nil
}

// model is fitted as a model.
type model struct {
	f     *fitted
	shelf *shelf[fitted]
}

func (m model) Save(context.Context) (*core.State, error) { return m.shelf.put(m.f), nil }

var (
	_ core.Model      = model{}
	_ core.Spectral   = model{}
	_ core.Forecaster = model{}
	_ core.Reporter   = model{}
)

func (m model) Predict(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
	rows, err := m.f.compute(ctx, x)
	return m.snapshots(x, rows, err)
}

func (m model) Forecast(ctx context.Context, x core.Snapshots, steps int) (core.Snapshots, error) {
	switch {
	case m.f.ahead != nil:
		return m.f.ahead(ctx, x, steps)
	case steps < 1:
		return core.Snapshots{}, fmt.Errorf("%w: %d steps", core.ErrOption, steps)
	case steps == 1:
		return m.Predict(ctx, x)
	}
	rows, err := m.f.forecast(ctx, x, steps)
	return m.snapshots(x, rows, err)
}

// snapshots makes snapshots like x of rows.
func (m model) snapshots(x core.Snapshots, rows *mat.Dense, err error) (core.Snapshots, error) {
	if err != nil {
		return core.Snapshots{}, err
	}
	if rows.IsEmpty() {
		return x, nil
	}
	next, err := core.SnapshotsFromMatrix(rows, x.Shape()...)
	if err == nil && m.f.finished != nil {
		next = m.f.finished(next)
	}
	return next, err
}

func (m model) Report() core.Report       { return m.f.report() }
func (m model) Eigenvalues() []complex128 { return m.f.values() }
func (m model) LeftEigenfunctions(ctx context.Context, x core.Snapshots) (*mat.CDense, error) {
	return m.f.left(ctx, x)
}

func (m model) RightEigenfunctions(ctx context.Context, x core.Snapshots) (*mat.CDense, error) {
	return m.f.right(ctx, x)
}

// embedding is fitted as an embedding.
type embedding struct {
	f     *fitted
	shelf *shelf[fitted]
}

func (e embedding) Save(context.Context) (*core.State, error) { return e.shelf.put(e.f), nil }

var (
	_ core.Embedding = embedding{}
	_ core.Decoder   = embedding{}
	_ core.Viewer    = embedding{}
	_ core.Reporter  = embedding{}
)

func (e embedding) Dim() int { return e.f.dim }
func (e embedding) Embed(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
	return e.f.compute(ctx, x)
}
func (e embedding) Report() core.Report                       { return e.f.report() }
func (e embedding) View(x core.Snapshots) (mat.Matrix, error) { return e.f.view(x) }
func (e embedding) Decode(_ context.Context, z mat.Matrix) (core.Snapshots, error) {
	return e.f.decode(z)
}

// judge is fitted as a judge.
type judge struct {
	f     *fitted
	shelf *shelf[fitted]
}

func (j judge) Save(context.Context) (*core.State, error) { return j.shelf.put(j.f), nil }

var (
	_ core.Judge    = judge{}
	_ core.Encoder  = judge{}
	_ core.Reporter = judge{}
)

func (j judge) Classify(ctx context.Context, x core.Snapshots) ([]int, error) {
	scores, err := j.f.compute(ctx, x)
	if err != nil {
		return nil, err
	}
	labels := make([]int, x.Len())
	for i := range labels {
		for k, v := range scores.RawRowView(i) {
			if v > scores.At(i, labels[i]) {
				labels[i] = k
			}
		}
	}
	if j.f.labelled != nil {
		labels = j.f.labelled(labels)
	}
	return labels, nil
}

func (j judge) Encoder() core.Embedding { return j.f.encoder() }
func (j judge) Report() core.Report     { return j.f.report() }
