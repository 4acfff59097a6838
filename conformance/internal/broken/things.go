package broken

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// thing is a method, an embedder or an oracle by a fit.
type thing struct {
	description func() core.Description
	fit         fitFunc
}

func (t *thing) Describe() core.Description { return t.description() }

type method struct{ *thing }

var _ core.Method = method{}

func (m method) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	f, err := m.fit(ctx, t)
	if f == nil || err != nil {
		return nil, err
	}
	return model{f}, nil
}

type embedder struct{ *thing }

var _ core.Embedder = embedder{}

func (e embedder) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	f, err := e.fit(ctx, t)
	if f == nil || err != nil {
		return nil, err
	}
	return embedding{f}, nil
}

type oracle struct{ *thing }

var _ core.Oracle = oracle{}

func (o oracle) Fit(ctx context.Context, t *core.Training) (core.Judge, error) {
	f, err := o.fit(ctx, t)
	if f == nil || err != nil {
		return nil, err
	}
	return judge{f}, nil
}

// model is fitted as a model.
type model struct{ f *fitted }

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

// embedding is fitted as an embedding.
type embedding struct{ f *fitted }

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
type judge struct{ f *fitted }

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
