package tasks_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/conformance"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/registry"
	"github.com/koopbench/koopbench/tasks"
	"github.com/koopbench/koopbench/tasks/duffing"
	"github.com/koopbench/koopbench/tasks/linearsystem"
	"github.com/koopbench/koopbench/tasks/logisticmap"
	"github.com/koopbench/koopbench/tasks/lorenz63"
	"github.com/koopbench/koopbench/tasks/orderedmnist"
	"github.com/koopbench/koopbench/tasks/prinz"
	"github.com/koopbench/koopbench/tasks/regimeswitching"
	"github.com/koopbench/koopbench/tasks/trajectory"
)

// simulated is a task of a process, and what it must be.
type simulated struct {
	open    func() core.Task
	brief   map[string]any // options for a few snapshots
	usual   [3]int         // snapshots
	shape   int
	starts  int
	leading int
	known   int // eigenfunctions
	valid   float64
	clock   core.Clock
	picture core.Picture
}

var processes = map[string]simulated{
	"linear-system": {
		open: linearsystem.New, brief: map[string]any{"split": "120,40,60", "steps": 3, "lag": 2},
		usual: [3]int{3000, 1000, 1000}, shape: 10, starts: 985, leading: 3, known: 3, picture: core.SeriesPicture,
	},
	"logistic-map": {
		open: logisticmap.New, brief: map[string]any{"split": "120,40,60", "steps": 3, "lag": 2},
		usual: [3]int{10_000, 2000, 2000}, shape: 1, starts: 1000, leading: 3, known: 3, picture: core.LinePicture,
	},
	"prinz-potential": {
		open: prinz.New, brief: map[string]any{"split": "120,40,60", "steps": 3, "lag": 2},
		usual: [3]int{50_000, 10_000, 10_000}, shape: 1, starts: 1000, leading: 4, known: 4,
		clock: core.Clock{Interval: .01, Unit: "time units"}, picture: core.LinePicture,
	},
	"lorenz63": {
		open: lorenz63.New, brief: map[string]any{"split": "120,40,60", "steps": 3, "lag": 2},
		usual: [3]int{10_000, 2000, 2000}, shape: 3, starts: 1000, valid: .4,
		clock: core.Clock{Interval: .05 * .9056, Unit: "Lyapunov times"}, picture: core.PlanePicture,
	},
	"duffing": {
		open: duffing.New, brief: map[string]any{"split": "150,100,100", "steps": 3, "lag": 2},
		usual: [3]int{10_000, 2500, 2500}, shape: 2, starts: 1000, valid: .4,
		clock: core.Clock{Interval: .25, Unit: "s"}, picture: core.PlanePicture,
	},
	"regime-switching": {
		open: regimeswitching.New, brief: map[string]any{"split": "120,40,60", "steps": 3, "lag": 2, "delay": 3},
		usual: [3]int{10_000, 2000, 2000}, shape: 32, starts: 1000, leading: 5,
		clock: core.Clock{Interval: .01, Unit: "s"}, picture: core.SeriesPicture,
	},
}

// TestConformance: the tasks keep the contract.
func TestConformance(t *testing.T) {
	for name, p := range processes {
		t.Run(name, func(t *testing.T) {
			conformance.RunTaskSuite(t, p.open, &conformance.Options{Settings: p.brief})
		})
	}
}

func TestAddTo(t *testing.T) {
	r := registry.New()
	require.NoError(t, tasks.AddTo(r))
	want := []string{orderedmnist.Name, trajectory.Name}
	for name := range processes {
		want = append(want, name)
	}
	assert.ElementsMatch(t, want, r.Tasks.Names())
	assert.ErrorIs(t, tasks.AddTo(r), core.ErrDuplicate)
}

func open(t *testing.T, task core.Task, changes map[string]any) (*core.Problem, error) {
	o, err := task.Describe().Resolve(changes)
	require.NoError(t, err)
	return task.Open(t.Context(), o)
}

func with(options map[string]any, name string, value any) map[string]any {
	options = maps.Clone(options)
	options[name] = value
	return options
}

// TestUsualProblems: with its usual options each task is what its page says, and opens soon.
func TestUsualProblems(t *testing.T) {
	for name, want := range processes {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			p, err := open(t, want.open(), nil)
			require.NoError(t, err)
			t.Logf("opened in %v", time.Since(begun))
			require.NoError(t, p.Validate())
			assert.Equal(t, want.usual, [3]int{p.Train.Len(), p.Validation.Len(), p.Test.Len()})
			assert.Equal(t, []int{want.shape}, p.Train.Shape())
			assert.Equal(t, want.starts, p.StartCount())
			assert.Equal(t, want.clock, p.Clock)
			assert.Equal(t, want.picture, p.Picture)
			assert.Equal(t, want.valid, p.ValidUpTo)
			assert.Equal(t, "nrmse", p.Measure().Name)
			assert.True(t, p.Measure().RootMeanSquare)
			if want.leading == 0 {
				assert.Nil(t, p.Truth)
				return
			}
			assert.Equal(t, want.leading, p.Truth.Leading)
			assert.InDelta(t, 1, real(p.Truth.Eigenvalues[0]), 1e-9, "the trivial one")
			assert.Len(t, p.Truth.Eigenfunctions, want.known)
		})
	}
}

// TestTruthAtTheLag: eigenvalues are those at the lag.
func TestTruthAtTheLag(t *testing.T) {
	for name, want := range processes {
		if want.leading == 0 {
			continue
		}
		one, err := open(t, want.open(), with(want.brief, "lag", 1))
		require.NoError(t, err)
		three, err := open(t, want.open(), with(want.brief, "lag", 3))
		require.NoError(t, err)
		for i, v := range one.Truth.Eigenvalues {
			assert.InDelta(t, real(v*v*v), real(three.Truth.Eigenvalues[i]), 1e-12, name)
			assert.InDelta(t, imag(v*v*v), imag(three.Truth.Eigenvalues[i]), 1e-12, name)
		}
		assert.Equal(t, one.Truth.Eigenfunctions, three.Truth.Eigenfunctions, name)
	}
}

// TestEigenfunctions: an expectation that is estimated from many snapshots moves by the eigenvalue.
func TestEigenfunctions(t *testing.T) {
	for name, split := range map[string]string{
		"linear-system": "10,10,20000", "logistic-map": "10,10,20000", "prinz-potential": "10,10,50000",
	} {
		p, err := open(t, processes[name].open(), map[string]any{"split": split, "steps": 1})
		require.NoError(t, err)
		for k, f := range p.Truth.Eigenfunctions {
			// ⟨conj f(x), f(x')⟩ is λ ⟨|f|²⟩.
			var product, square complex128
			for i := range len(f) - 1 {
				c := complex(real(f[i]), -imag(f[i]))
				product, square = product+c*f[i+1], square+c*f[i]
			}
			got, want := product/square, p.Truth.Eigenvalues[k]
			assert.InDelta(t, real(want), real(got), .03, "%s %d", name, k)
			assert.InDelta(t, imag(want), imag(got), .03, "%s %d", name, k)
		}
	}
}

// TestSplitsThatDoNotFit: what cannot be is named in a sentence, before anything is simulated.
func TestSplitsThatDoNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		task    string
		options map[string]any
		is      error
		says    string
	}{
		"two numbers": {
			"lorenz63", map[string]any{"split": "10,10"}, core.ErrOption, `a split of "10,10"; give three numbers`,
		},
		"nothing":   {"lorenz63", map[string]any{"split": "100,0,100"}, core.ErrOption, `"0" in the split "100,0,100"`},
		"no number": {"lorenz63", map[string]any{"split": "100,x,100"}, core.ErrOption, `"x" in the split`},
		"too large": {
			"lorenz63", map[string]any{"split": "100,10,99999999999999999999"}, core.ErrOption, "from 1 to 10000000",
		},
		"too many": {
			"lorenz63", map[string]any{"split": "10000000,10000000,100"}, core.ErrOption,
			"has 60000300 numbers; the most is 50000000",
		},
		"many delayed": {"regime-switching", map[string]any{"delay": 1000}, core.ErrOption, "of 4000 numbers"},
		"long lag": {
			"prinz-potential", map[string]any{"split": "100,90,2000", "lag": 90}, core.ErrTooShort,
			"a lag of 90 and 20 steps need at least 91,91,1801",
		},
		"long roll-out": {
			"logistic-map", map[string]any{"split": "100,90,20", "steps": 20}, core.ErrTooShort, "need at least 2,2,21",
		},
		"broken trajectories": {
			"duffing", map[string]any{"split": "100,50,70"}, core.ErrOption, "give multiples of 50",
		},
		"short trajectories": {
			"duffing", map[string]any{"steps": 25, "lag": 2}, core.ErrTooShort,
			"trajectories have 50 snapshots, but a roll-out of 25 steps at a lag of 2 needs 51",
		},
	} {
		begun := time.Now()
		_, err := open(t, processes[c.task].open(), c.options)
		require.ErrorIs(t, err, c.is, name)
		assert.ErrorContains(t, err, c.says, name)
		assert.Less(t, time.Since(begun), time.Second, name)
	}
}

// TestCancelled: a long simulation ends with its context.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for name, p := range processes {
		task := p.open()
		o, err := task.Describe().Resolve(map[string]any{"split": "1000000,100000,100000"})
		require.NoError(t, err)
		_, err = task.Open(ctx, o)
		assert.ErrorIs(t, err, context.DeadlineExceeded, name)
	}
}

// FuzzSplit: whatever text is given as a split is refused by an error of package core, or taken.
func FuzzSplit(f *testing.F) {
	for _, text := range []string{"30,20,30", "3,2", "2,2,-1", "0x10,2,2", "1,1,1", " 9, 9 ,9"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		task := linearsystem.New()
		o, err := task.Describe().Resolve(map[string]any{"split": text})
		if err != nil || len(text) > 12 { // large ones take long
			return
		}
		p, err := task.Open(t.Context(), o)
		if err != nil {
			require.True(t, errors.Is(err, core.ErrOption) || errors.Is(err, core.ErrTooShort), err)
			return
		}
		require.NoError(t, p.Validate())
	})
}
