package benchmark_test

import (
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/methods/edmd"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/tasks/linearsystem"
	"github.com/koopbench/koopbench/tasks/prinz"
)

// processPlan is a plan of one method for a task.
func processPlan(
	t *testing.T, task core.Task, options map[string]any, written string, m core.Method, set map[string]any,
) benchmark.Plan {
	o, err := task.Describe().Resolve(options)
	require.NoError(t, err)
	p, err := task.Open(t.Context(), o)
	require.NoError(t, err)
	opened, err := benchmark.NewTask(t.Context(), task.Describe(), o, p)
	require.NoError(t, err)
	plan := plan(t, t.TempDir(), &oracle{}, standing())
	plan.Task, plan.Oracle, plan.Seeds = opened, benchmark.OraclePlan{}, []int64{0}
	values, err := m.Describe().Resolve(set)
	require.NoError(t, err)
	plan.Entries = append(plan.Entries, benchmark.Entry{Written: written, Method: m, Options: values})
	return plan
}

// TestDiagnostics: of a linear system nearly everything is known, and least squares find it.
func TestDiagnostics(t *testing.T) {
	p := processPlan(t, linearsystem.New(), map[string]any{"split": "3000,100,1000", "steps": 3}, "linear",
		linear.New(), nil)
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, got.Runs, 2)
	still, run := got.Runs[0], got.Runs[1]
	require.NotNil(t, still.Diagnostics)
	assert.Nil(t, still.Diagnostics.VAMP2, "it has no right eigenfunctions")
	require.Equal(t, results.StatusOK, run.Status, run.Reason)
	d := run.Diagnostics
	require.NotNil(t, d)
	assert.Empty(t, d.Constant, "linear functions are centred")
	require.NotNil(t, d.SpectralError)
	assert.Less(t, *d.SpectralError, .03, "the trivial eigenvalue is added")
	require.Len(t, d.EigenfunctionErrors, len(p.Task.Truth.Eigenfunctions))
	assert.Nil(t, d.EigenfunctionErrors[0], "the constant one")
	for _, e := range d.EigenfunctionErrors[1:] {
		assert.Less(t, *e, .02)
	}
	want := 1.0
	for _, v := range run.Eigenvalues {
		want += cmplx.Abs(complex128(v)) * cmplx.Abs(complex128(v))
	}
	assert.InDelta(t, want, *d.VAMP2, .3, "the correlations of a linear system a step apart, nearly its eigenvalues")
	assert.Len(t, d.ChapmanKolmogorov, 3)
	for _, e := range d.ChapmanKolmogorov {
		assert.Less(t, e, .2)
	}

	read, err := results.OpenStore(p.Out).Results()
	require.NoError(t, err)
	assert.Equal(t, d, read.Runs[1].Diagnostics)
	found, _ := verifyFolder(t, p.Out, p)
	assert.Empty(t, found)
	forge(func(r *results.Results) { *r.Runs[1].Diagnostics.SpectralError /= 2 })(t, p.Out)
	found, _ = verifyFolder(t, p.Out, p)
	assert.Equal(t, []string{"linear, seed 0: the recorded diagnostics of its operator differ from those here"}, found)
}

// TestFunctionsOnALine: what is drawn of snapshots of one number is kept, the truth too.
func TestFunctionsOnALine(t *testing.T) {
	p := processPlan(t, prinz.New(), map[string]any{"split": "4000,100,500", "steps": 2}, "edmd", edmd.New(),
		map[string]any{"functions": 20})
	got, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	run := got.Runs[1]
	require.Equal(t, results.StatusOK, run.Status, run.Reason)
	assert.Equal(t, []int{0}, run.Diagnostics.Constant)
	store := results.OpenStore(p.Out)
	known, err := store.TaskArraysOf(got.Task)
	require.NoError(t, err)
	assert.Equal(t, 500, known.Test.Len())
	assert.Len(t, known.TrueDensity, 500)
	assert.Len(t, known.Futures, 2)
	n, k := known.TrueEigenfunctions.Dims()
	assert.Equal(t, []int{500, len(p.Task.Truth.Eigenfunctions)}, []int{n, k})
	arrays, err := store.RunArraysOf(got.Task, &run)
	require.NoError(t, err)
	n, k = arrays.RightEigenfunctions.Dims()
	assert.Equal(t, []int{500, 6}, []int{n, k})
}
