package tasks_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/cmplx"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/internal/golden"
	"github.com/koopbench/koopbench/tasks/duffing"
	"github.com/koopbench/koopbench/tasks/logisticmap"
	"github.com/koopbench/koopbench/tasks/lorenz63"
	"github.com/koopbench/koopbench/tasks/prinz"
	"github.com/koopbench/koopbench/tasks/process"
)

// goldenProcess is a case of processes.json.
type goldenProcess struct {
	Process string
	Params  struct {
		M          int
		Sigma, Mu  float64
		Lambda     float64
		LagSeconds float64 `json:"lag_seconds"`
	}
	Eigenvalues    golden.Array
	Generator      *golden.Array `json:"generator_eigenvalues"`
	Points         golden.Array
	Density        golden.Array  `json:"invariant_density"`
	Eigenfunctions golden.Array  `json:"abs_right_eigenfunctions"` // [point, eigenvalue]
	Mean1          *golden.Array `json:"conditional_mean_1"`
	Mean2          *golden.Array `json:"conditional_mean_2"`
	Mean5          *golden.Array `json:"conditional_mean_5"`
	X0, Times      []float64
	States         golden.Array // [time, coordinate]
}

func TestGoldenProcesses(t *testing.T) {
	var file struct{ Cases []json.RawMessage }
	golden.Load(t, "processes.json", &file)
	for i, raw := range file.Cases {
		var c goldenProcess
		require.NoError(t, json.Unmarshal(raw, &c))
		t.Run(fmt.Sprintf("%d-%s", i, c.Process), func(t *testing.T) {
			switch c.Process {
			case "logistic-map":
				c.checkLogisticMap(t)
			case "prinz-potential":
				c.checkPrinz(t)
			case "lorenz63":
				c.checkFlow(t, lorenz63.Flow)
			case "duffing":
				c.checkFlow(t, duffing.Flow)
			case "slow-manifold":
				c.checkFlow(t, func(v, x []float64) {
					v[0], v[1] = c.Params.Mu*x[0], c.Params.Lambda*(x[1]-x[0]*x[0])
				})
			default:
				t.Fatalf("no check for the process %q", c.Process)
			}
		})
	}
}

func (c goldenProcess) checkLogisticMap(t *testing.T) {
	const tolerance = 1e-8
	truth, err := logisticmap.NewTruth(c.Params.M)
	require.NoError(t, err)
	got := truth.Eigenvalues()
	for k, want := range c.Eigenvalues.Complex() {
		value := complex128(0)
		if k < len(got) {
			value = got[k]
		}
		// Which of a pair comes first is no matter.
		assert.InDelta(t, real(want), real(value), tolerance, k)
		assert.InDelta(t, math.Abs(imag(want)), math.Abs(imag(value)), tolerance, k)
	}
	functions := truth.Eigenfunctions(c.Points.Data)
	density, modulus := mat.NewDense(len(c.Points.Data), 1, nil), mat.NewDense(len(c.Points.Data), 4, nil)
	means := mat.NewDense(len(c.Points.Data), 3, nil)
	for i, x := range c.Points.Data {
		density.Set(i, 0, truth.Density(x))
		for k := range 4 {
			modulus.Set(i, k, cmplx.Abs(functions[k][i]))
		}
		for k, steps := range []int{1, 2, 5} {
			means.Set(i, k, truth.Mean(x, steps))
		}
	}
	c.Density.RequireNear(t, density, tolerance, "density")
	c.Eigenfunctions.RequireNear(t, modulus, tolerance, "eigenfunctions")
	for k, want := range []*golden.Array{c.Mean1, c.Mean2, c.Mean5} {
		want.RequireNear(t, means.ColView(k), tolerance, "mean")
	}
}

func (c goldenProcess) checkPrinz(t *testing.T) {
	const tolerance = 1e-3
	truth, err := prinz.NewTruth(c.Params.Sigma)
	require.NoError(t, err)
	rates := truth.Rates(4)
	c.Generator.RequireNear(t, mat.NewVecDense(4, rates), tolerance*1e-2, "generator")
	for k, want := range c.Eigenvalues.Complex() {
		assert.InEpsilon(t, real(want), math.Exp(rates[k]*c.Params.LagSeconds), tolerance, k)
		assert.InDelta(t, 0, imag(want), tolerance, k)
	}
	for i, x := range c.Points.Data {
		assert.InEpsilon(t, c.Density.Data[i], truth.Density(x), tolerance, "density at %v", x)
		for k, v := range truth.Eigenfunctions(4, x) {
			assert.InEpsilon(t, c.Eigenfunctions.Data[4*i+k], math.Abs(v), tolerance, "eigenfunction %d at %v", k, x)
		}
	}
}

func (c goldenProcess) checkFlow(t *testing.T, flow func(v, x []float64)) {
	const dt = .01 // of which all times are multiples
	for i, time := range c.Times {
		rows, err := process.Follow(t.Context(), flow, c.X0, 2, int(math.Round(time/dt)), dt)
		require.NoError(t, err)
		for j, got := range rows.Row(1) {
			want, tolerance := c.States.Data[i*len(c.X0)+j], 1e-7
			if c.Process == "lorenz63" && time == 5 { // errors have grown
				tolerance = 1e-3 * math.Abs(want)
			}
			assert.InDelta(t, want, got, tolerance, "coordinate %d at %v", j, time)
		}
	}
}
