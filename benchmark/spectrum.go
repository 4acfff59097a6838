package benchmark

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/benchmark/diagnostics"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// spectrum keeps eigenvalues, left eigenfunctions at test snapshots, and what right ones say, where the model has them.
func (h *harness) spectrum(
	ctx context.Context, model core.Model, rows rows, result *results.Run, arrays *results.RunArrays,
) (err error) {
	defer core.Recover(&err)
	s, ok := core.As[core.Spectral](model)
	if !ok {
		return nil
	}
	values := s.Eigenvalues()
	if len(values) == 0 {
		return nil
	}
	arrays.LeftEigenfunctions, err = h.eigenfunctions(ctx, values, rows, s.LeftEigenfunctions)
	if err != nil {
		return err
	}
	var right *mat.CDense
	if r, ok := core.As[core.RightSpectral](model); ok {
		if right, err = h.eigenfunctions(ctx, values, rows, r.RightEigenfunctions); err != nil {
			return err
		}
	}
	for _, v := range values {
		result.Eigenvalues = append(result.Eigenvalues, results.Complex(v))
	}
	if right != nil && h.Task.Info.OnLine() {
		n, r := right.Dims()
		arrays.RightEigenfunctions = mat.NewCDense(n, min(r, linePictures), nil)
		arrays.RightEigenfunctions.Copy(right)
	}
	result.Diagnostics = h.diagnose(values, right)
	return nil
}

// linePictures is the most right eigenfunctions that are kept to be drawn.
const linePictures = 6

// eigenfunctions are values of the leading ones at the first test snapshots, which the model is
// given in an order of its own.
func (h *harness) eigenfunctions(
	ctx context.Context, values []complex128, rows rows, of func(context.Context, core.Snapshots) (*mat.CDense, error),
) (*mat.CDense, error) {
	order := rows.order(0, results.EigenfunctionSnapshots(h.Task.Info))
	kept := mat.NewCDense(len(order), min(len(values), results.MaxEigenfunctions), nil)
	_, columns := kept.Dims()
	for block := range slices.Chunk(order, max(1, min(blockSnapshots, blockValues/max(h.Task.Test.Size(), len(values))))) {
		given, err := gather(h.Task.Test, block)
		if err != nil {
			return nil, err
		}
		m, err := of(ctx, given)
		if err != nil {
			return nil, fmt.Errorf("eigenfunctions: %w", err)
		}
		if err := checkSpectrum(values, m, len(block)); err != nil {
			return nil, fmt.Errorf("eigenfunctions: %w: %w", core.ErrContract, err)
		}
		for place, i := range block {
			for j := range columns {
				kept.Set(i, j, m.At(place, j))
			}
		}
	}
	return kept, nil
}

// The most snapshots, and values or eigenfunctions of them, that a model is given at a time.
const (
	blockSnapshots = 1 << 12
	blockValues    = 1 << 22
)

// diagnose holds eigenvalues, and right eigenfunctions at the first test snapshots, nil for none, against what is true.
func (h *harness) diagnose(values []complex128, right *mat.CDense) *results.Diagnostics {
	d := &results.Diagnostics{}
	truth, t := h.Task.Truth, h.Task.Info
	constant := constantColumns(right)
	if truth != nil && len(truth.Eigenvalues) > 0 {
		k := cmp.Or(truth.Leading, len(truth.Eigenvalues))
		e := diagnostics.NewSpectralError(values, truth.Eigenvalues, k, right != nil && len(constant) == 0)
		d.SpectralError, d.SpectralErrorDirected = results.Finite(e.Hausdorff), results.Finite(e.Directed)
	}
	if right == nil {
		return d
	}
	d.Constant = constant
	n, columns := right.Dims()
	if truth != nil && len(truth.Eigenfunctions) > 0 {
		var functions [][]complex128
		for _, f := range truth.Eigenfunctions {
			functions = append(functions, f[:n])
		}
		for _, e := range diagnostics.EigenfunctionErrors(values[:columns], right, truth.Eigenvalues, functions) {
			d.EigenfunctionErrors = append(d.EigenfunctionErrors, results.Finite(e))
		}
	}
	lengths := firstLengths(h.Task.Test.Lengths(), n)
	if pairs, err := core.NewPairStarts(n, t.Lag, lengths); err == nil { // without a pair there is nothing to say
		d.VAMP2 = results.Finite(diagnostics.VAMP2(right, t.Rank, pairs, t.Lag))
		for _, e := range diagnostics.ChapmanKolmogorov(values, right, t.Rank, t.Steps, t.Lag, lengths) {
			if results.Finite(e) == nil {
				break
			}
			d.ChapmanKolmogorov = append(d.ChapmanKolmogorov, e)
		}
	}
	return d
}

// constantColumns are the places of constant functions, none of nil.
func constantColumns(m *mat.CDense) (places []int) {
	if m == nil {
		return nil
	}
	_, r := m.Dims()
	for j := range r {
		if diagnostics.Constant(diagnostics.Column(m, j)) {
			places = append(places, j)
		}
	}
	return places
}

// firstLengths are those of trajectories of which only the first n snapshots count.
func firstLengths(lengths []int, n int) []int {
	var first []int
	for _, length := range lengths {
		first = append(first, min(length, n))
		n -= first[len(first)-1]
	}
	return first
}

func checkSpectrum(values []complex128, functions *mat.CDense, n int) error {
	if functions == nil {
		return errors.New("it returned neither values of eigenfunctions nor an error")
	}
	if rows, columns := functions.Dims(); rows != n || columns != len(values) {
		return fmt.Errorf("%w: %d×%d values of eigenfunctions for %d snapshots and %d eigenvalues", core.ErrShape, rows,
			columns, n, len(values))
	}
	for i, v := range values {
		if cmplx.IsNaN(v) || cmplx.IsInf(v) {
			return fmt.Errorf("%w: eigenvalue %d is %v", core.ErrNonFinite, i, v)
		}
	}
	if !slices.IsSortedFunc(values, func(a, b complex128) int { return cmp.Compare(cmplx.Abs(b), cmplx.Abs(a)) }) {
		return fmt.Errorf("eigenvalues %.5g are not in descending order of modulus", values)
	}
	for i := range n {
		for j := range values {
			if v := functions.At(i, j); cmplx.IsNaN(v) || cmplx.IsInf(v) {
				return fmt.Errorf("%w: eigenfunction %d at snapshot %d is %v", core.ErrNonFinite, j, i, v)
			}
		}
	}
	return nil
}
