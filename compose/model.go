package compose

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// fitted is an embedding and an operator on its features.
type fitted struct {
	embedding core.Embedding
	decoder   core.Decoder // nil where the snapshots are the operator's observable
	operator  core.Operator
	spectrum  core.SpectralOperator // nil where the operator has none
	shape     []int
	report    core.Report
}

var (
	_ core.Model    = (*fitted)(nil)
	_ core.Reporter = (*fitted)(nil)
	_ core.Spectral = (*fitted)(nil)
	_ core.Declarer = (*fitted)(nil)
)

// Has implements [core.Declarer].
func (m *fitted) Has(ability string) bool {
	return ability != "Spectral" || m.spectrum != nil
}

func (m *fitted) Report() core.Report { return m.report }

func (m *fitted) Predict(ctx context.Context, x core.Snapshots) (_ core.Snapshots, err error) {
	defer core.Recover(&err)
	if x.Len() == 0 {
		return x, nil
	}
	if !slices.Equal(x.Shape(), m.shape) {
		return core.Snapshots{}, fmt.Errorf("%w: snapshots of shape %v; the model was fitted to shape %v", core.ErrShape, x.Shape(), m.shape)
	}
	z, err := embed(ctx, m.embedding, x)
	if err != nil {
		return core.Snapshots{}, err
	}
	if m.decoder != nil {
		if z, err = m.operator.Predict(z, 1); err != nil {
			return core.Snapshots{}, err
		}
		return m.decoder.Decode(ctx, z)
	}
	predicted, err := m.operator.PredictObservable(z, 1)
	if err != nil {
		return core.Snapshots{}, err
	}
	return core.SnapshotsFromMatrix(predicted, m.shape...)
}

func (m *fitted) Eigenvalues() []complex128 { return m.spectrum.Eigenvalues() }

func (m *fitted) LeftEigenfunctions(ctx context.Context, x core.Snapshots) (_ *mat.CDense, err error) {
	defer core.Recover(&err)
	z, err := embed(ctx, m.embedding, x)
	if err != nil {
		return nil, err
	}
	return m.spectrum.LeftEigenfunctions(z)
}
