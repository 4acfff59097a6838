package client

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// This file checks what a plugin returns, so that no other part of the program has to trust it. Errors are [core.ErrContract], but for
// [core.ErrOption] of checkSteps, about what the caller asks for.

// named adds the name of the plugin to errors that are its author's to look into.
func named(plugin string, err *error) {
	if plugin == "" {
		return
	}
	if errors.Is(*err, core.ErrContract) || errors.Is(*err, core.ErrPanic) {
		*err = fmt.Errorf("plugin %s: %w", plugin, *err)
	}
}

// broken makes an error one of the contract.
func broken(err error) error {
	if err != nil {
		err = fmt.Errorf("%w: %w", core.ErrContract, err)
	}
	return err
}

func checkSteps(steps int) error {
	if steps < 1 {
		return fmt.Errorf("%w: %d steps; the number of steps must be at least 1", core.ErrOption, steps)
	}
	return nil
}

func checkSnapshots(x core.Snapshots, n int, shape []int) error {
	if x.Len() != n || !slices.Equal(x.Shape(), shape) {
		return fmt.Errorf("%w: %w: it returned %d snapshots of shape %v; there must be %d of shape %v", core.ErrContract, core.ErrShape, x.Len(), x.Shape(), n, shape)
	}
	return broken(x.CheckFinite())
}

// checkMatrix checks that a matrix is n×d and finite. An empty matrix stands for every one without entries.
func checkMatrix(what string, m *mat.Dense, n, d int) error {
	if m.IsEmpty() {
		if n*d == 0 {
			return nil
		}
		return wrongSize(what, 0, 0, n, d)
	}
	if rows, columns := m.Dims(); rows != n || columns != d {
		return wrongSize(what, rows, columns, n, d)
	}
	for i, v := range m.RawMatrix().Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%w: %w: row %d, column %d of the %s is %v", core.ErrContract, core.ErrNonFinite, i/d, i%d, what, v)
		}
	}
	return nil
}

// checkValues is checkMatrix for complex matrices.
func checkValues(what string, m *mat.CDense, n, d int) error {
	rows, columns := m.Dims()
	if rows*columns == 0 && n*d == 0 {
		return nil
	}
	if rows != n || columns != d {
		return wrongSize(what, rows, columns, n, d)
	}
	return checkComplexes(what, m.RawCMatrix().Data)
}

func checkComplexes(what string, values []complex128) error {
	for i, v := range values {
		if cmplx.IsNaN(v) || cmplx.IsInf(v) {
			return fmt.Errorf("%w: %w: number %d of the %s is %v", core.ErrContract, core.ErrNonFinite, i, what, v)
		}
	}
	return nil
}

func wrongSize(what string, rows, columns, n, d int) error {
	return fmt.Errorf("%w: %w: the %s are %d×%d; they must be %d×%d", core.ErrContract, core.ErrShape, what, rows, columns, n, d)
}
