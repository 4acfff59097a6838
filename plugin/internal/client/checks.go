package client

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/wire"
)

// This file checks what a plugin returns, so that no other part of the program has to trust it.
// Errors are [core.ErrContract].

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

// The functions below check announcements, so that nothing is received that does not belong:
// shapes, before there are values. Types are checked when the array is read.

func expectSnapshots(h *wire.Array, n int, shape []int) error {
	if isShape(h, append([]int{n}, shape...)) {
		return nil
	}
	came, of := uint64(0), []uint64(nil)
	if s := h.GetShape(); len(s) > 0 {
		came, of = s[0], s[1:]
	}
	return fmt.Errorf("%w: %w: it returned %d snapshots of shape %v; there must be %d of shape %v",
		core.ErrContract, core.ErrShape, came, of, n, shape)
}

// expectShape checks the shape of snapshots whose number is free; nil stands for any shape.
func expectShape(h *wire.Array, shape []int) error {
	if s := h.GetShape(); shape != nil && (len(s) == 0 || !isShape(&wire.Array{Shape: s[1:]}, shape)) {
		return fmt.Errorf("%w: %w: it asked for the features of an array of shape %v; snapshots have the shape %v, "+
			"after their number",
			core.ErrContract, core.ErrShape, h.GetShape(), shape)
	}
	return nil
}

// expectMatrix is for n×d matrices. Every shape without entries stands for any other.
func expectMatrix(h *wire.Array, what string, n, d int) error {
	s := h.GetShape()
	switch {
	case isShape(h, []int{n, d}), n*d == 0 && slices.Contains(s, 0):
		return nil
	case len(s) == 2:
		return fmt.Errorf("%w: %w: the %s are %d×%d; they must be %d×%d", core.ErrContract, core.ErrShape, what, s[0], s[1],
			n, d)
	}
	return fmt.Errorf("%w: %w: the %s have the shape %v; they must be %d×%d", core.ErrContract, core.ErrShape, what, s,
		n, d)
}

func expectLabels(h *wire.Array, n int) error {
	switch s := h.GetShape(); {
	case isShape(h, []int{n}):
		return nil
	case len(s) == 1:
		return fmt.Errorf("%w: %w: it returned %d labels for %d snapshots", core.ErrContract, core.ErrShape, s[0], n)
	default:
		return fmt.Errorf("%w: %w: it returned labels of shape %v for %d snapshots", core.ErrContract, core.ErrShape, s, n)
	}
}

func expectScores(h *wire.Array, n int) error {
	switch s := h.GetShape(); {
	case isShape(h, []int{n}):
		return nil
	case len(s) == 1:
		return fmt.Errorf("%w: %w: it returned %d scores for %d starts", core.ErrContract, core.ErrShape, s[0], n)
	default:
		return fmt.Errorf("%w: %w: it returned scores of shape %v for %d starts", core.ErrContract, core.ErrShape, s, n)
	}
}

func expectExactly(h *wire.Array, shape ...uint64) error {
	if s := h.GetShape(); !slices.Equal(s, shape) {
		return fmt.Errorf("%w: %w: the array %q has the shape %v; it must have %v", core.ErrContract, core.ErrShape,
			h.GetName(), s, shape)
	}
	return nil
}

func expectFew(h *wire.Array, atMost int) error {
	switch s := h.GetShape(); {
	case len(s) != 1:
		return fmt.Errorf("%w: %w: it told eigenvalues of shape %v; it must have one axis", core.ErrContract, core.ErrShape,
			s)
	case s[0] > uint64(atMost):
		return fmt.Errorf("%w: %w: it told %d eigenvalues; there can be at most %d", core.ErrContract, core.ErrShape, s[0],
			atMost)
	}
	return nil
}

// maxEigenfunctions is the most true eigenfunctions that a task may tell.
const maxEigenfunctions = 1000

func expectFunctions(h *wire.Array, snapshots uint64) error {
	if s := h.GetShape(); len(s) != 2 || s[0] < 1 || s[0] > maxEigenfunctions || s[1] != snapshots {
		return fmt.Errorf("%w: %w: it told true eigenfunctions of shape %v; it must be [1 … %d, %d], test snapshots along "+
			"the second axis", core.ErrContract, core.ErrShape, s, maxEigenfunctions, snapshots)
	}
	return nil
}

func isShape(h *wire.Array, shape []int) bool {
	return slices.EqualFunc(h.GetShape(), shape, func(a uint64, b int) bool { return a == uint64(b) })
}

// checkMatrix checks that all entries of a matrix are finite.
func checkMatrix(what string, m *mat.Dense) error {
	_, d := m.Dims()
	for i, v := range m.RawMatrix().Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%w: %w: row %d, column %d of the %s is %v", core.ErrContract, core.ErrNonFinite, i/d, i%d, what,
				v)
		}
	}
	return nil
}

func checkComplexes(what string, values []complex128) error {
	for i, v := range values {
		if cmplx.IsNaN(v) || cmplx.IsInf(v) {
			return fmt.Errorf("%w: %w: number %d of the %s is %v", core.ErrContract, core.ErrNonFinite, i, what, v)
		}
	}
	return nil
}
