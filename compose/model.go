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
	_ core.Model         = (*fitted)(nil)
	_ core.Reporter      = (*fitted)(nil)
	_ core.Spectral      = (*fitted)(nil)
	_ core.RightSpectral = (*fitted)(nil)
	_ core.Declarer      = (*fitted)(nil)
	_ core.Saver         = (*fitted)(nil)
	_ core.Forecaster    = (*fitted)(nil)
)

// Has implements [core.Declarer].
func (m *fitted) Has(a core.Ability) bool {
	switch a {
	case core.AbilitySpectral, core.AbilityRightSpectral:
		return m.spectrum != nil
	case core.AbilitySaver:
		_, embedding := core.As[core.Saver](m.embedding)
		_, operator := core.As[core.Saver](m.operator)
		return embedding && operator
	}
	return true
}

func (m *fitted) Report() core.Report { return m.report }

func (m *fitted) Predict(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
	return m.Forecast(ctx, x, 1)
}

// Forecast implements [core.Forecaster]. The features are advanced by all steps at once and then
// decoded.
func (m *fitted) Forecast(ctx context.Context, x core.Snapshots, steps int) (_ core.Snapshots, err error) {
	defer core.Recover(&err)
	if !slices.Equal(x.Shape(), m.shape) {
		return core.Snapshots{}, fmt.Errorf("%w: snapshots of shape %v; the model was fitted to shape %v", core.ErrShape,
			x.Shape(), m.shape)
	}
	values := make([]float32, 0, x.Len()*x.Size())
	err = inBlocks(ctx, m.embedding, core.OneTrajectory(x), 0, x.Len(), func(z *mat.Dense, _ int) error {
		next, err := m.advance(ctx, z, steps)
		if err != nil {
			return err
		}
		if n, _ := z.Dims(); next.Len() != n || !slices.Equal(next.Shape(), m.shape) {
			return fmt.Errorf("%w: the features of %d snapshots of shape %v were decoded to %d of shape %v", core.ErrContract,
				n, m.shape, next.Len(), next.Shape())
		}
		values = append(values, next.Floats()...)
		return nil
	})
	if err != nil {
		return core.Snapshots{}, err
	}
	return core.NewSnapshots(values, m.shape...)
}

// advance returns the snapshots steps lags after those of features z.
func (m *fitted) advance(ctx context.Context, z *mat.Dense, steps int) (core.Snapshots, error) {
	predict := m.operator.PredictObservable
	if m.decoder != nil {
		predict = m.operator.Predict
	}
	next, err := predict(ctx, z, steps)
	if err != nil {
		return core.Snapshots{}, err
	}
	if m.decoder != nil {
		return m.decoder.Decode(ctx, next)
	}
	return core.SnapshotsFromMatrix(next, m.shape...)
}

func (m *fitted) Eigenvalues() []complex128 { return m.spectrum.Eigenvalues() }

func (m *fitted) LeftEigenfunctions(ctx context.Context, x core.Snapshots) (*mat.CDense, error) {
	return m.eigenfunctions(ctx, x, m.spectrum.LeftEigenfunctions)
}

// RightEigenfunctions implements [core.RightSpectral].
func (m *fitted) RightEigenfunctions(ctx context.Context, x core.Snapshots) (*mat.CDense, error) {
	return m.eigenfunctions(ctx, x, m.spectrum.RightEigenfunctions)
}

// eigenfunctions are the values that of gives at the features of snapshots.
func (m *fitted) eigenfunctions(
	ctx context.Context, x core.Snapshots, of func(context.Context, mat.Matrix) (*mat.CDense, error),
) (_ *mat.CDense, err error) {
	defer core.Recover(&err)
	if x.Len() == 0 {
		return of(ctx, &mat.Dense{})
	}
	var values []complex128
	width := 0
	err = inBlocks(ctx, m.embedding, core.OneTrajectory(x), 0, x.Len(), func(z *mat.Dense, _ int) error {
		block, err := of(ctx, z)
		if err != nil {
			return err
		}
		var n int
		n, width = block.Dims()
		for i := range n {
			for j := range width {
				values = append(values, block.At(i, j))
			}
		}
		return nil
	})
	if err != nil || width == 0 {
		return &mat.CDense{}, err
	}
	return mat.NewCDense(x.Len(), width, values), nil
}
