package process

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// Options that processes have in addition to those that package core names.
const (
	StartsOption      = "starts"
	SeedOption        = "data_seed"
	StandardiseOption = "standardise"
	DelayOption       = "delay"
)

const (
	maxLag       = 1000
	maxDelay     = 1000
	maxSnapshots = 10_000_000
	maxNumbers   = 50_000_000 // of all snapshots together
)

// Process is the task of a simulated process. Equal options give equal bits on machines of one
// architecture. On another one, functions such as exp may round differently.
type Process struct {
	Name, Summary, Doc string
	// Own are the options of the process itself.
	Own []core.Option
	// Width is the number of values in a row of the simulation.
	Width int
	// Length is the number of snapshots of each trajectory; 0 for one trajectory to train on, one to
	// validate on and one to test on.
	Length int
	// Clock, Picture and ValidUpTo are those of the problem.
	Clock     core.Clock
	Picture   core.Picture
	ValidUpTo float64
	Defaults  Defaults
	// Simulate returns the given numbers of rows to train, validate and test on. It draws random
	// numbers from the stream, and checks ctx in its loops.
	Simulate func(ctx context.Context, o core.Options, random *rand.Rand, rows Split) (Parts, error)
	// Truth returns what is known about the true evolution operator over one snapshot, with values of
	// its eigenfunctions at the test rows; nil if nothing is known.
	Truth func(ctx context.Context, o core.Options, test Rows) (*core.Truth, error)
}

// Defaults are the defaults of the options that all processes have.
type Defaults struct {
	Split       Split
	Steps, Rank int
	Delay       int  // rows that a snapshot holds; 0 for a process without that option, whose snapshots hold one
	Standardise bool // the process has that option, true
}

var _ core.Task = (*Process)(nil)

// Describe implements [core.Task].
func (p *Process) Describe() core.Description {
	d := p.Defaults
	options := append(slices.Clone(p.Own),
		core.TextOption(core.SplitOption, d.Split.String(), 40, "numbers of snapshots to train, validate and test on"),
		core.IntOption(core.StepsOption, d.Steps, 1, core.MaxSteps, "number of steps of a roll-out"),
		core.IntOption(core.LagOption, 1, 1, maxLag, "snapshots per step"),
		core.IntOption(StartsOption, 1000, 1, maxSnapshots, "largest number of roll-outs; they start at evenly spaced "+
			"test snapshots"),
	)
	if d.Delay > 0 {
		options = append(options, core.IntOption(DelayOption, d.Delay, 1, maxDelay,
			"number of latest observations in a snapshot, the newest last"))
	}
	if d.Standardise {
		options = append(options, core.BoolOption(StandardiseOption, true,
			"subtract from each value its mean over the training snapshots, and divide by its standard deviation"))
	}
	options = append(options, core.IntOption(SeedOption, 42, 0, math.MaxInt32, "seed of the random draws"))
	return core.Description{Name: p.Name, Summary: p.Summary, Doc: p.Doc, Options: options}
}

// Open implements [core.Task].
func (p *Process) Open(ctx context.Context, o core.Options) (*core.Problem, error) {
	s, err := p.setting(o)
	if err != nil {
		return nil, err
	}
	parts, err := p.Simulate(ctx, o, core.NewStream(int64(o.Int(SeedOption)), p.Name), s.rows())
	if err != nil {
		return nil, err
	}
	problem, err := s.problem(parts)
	if err != nil {
		return nil, err
	}
	problem.Rank, problem.Source, problem.Clock = p.Defaults.Rank, "a simulation", p.Clock
	problem.Picture, problem.ValidUpTo = p.Picture, p.ValidUpTo
	if p.Truth == nil {
		return problem, nil
	}
	if problem.Truth, err = p.Truth(ctx, o, parts.Test[0]); err != nil {
		return nil, err
	}
	for i, v := range problem.Truth.Eigenvalues {
		for range s.lag - 1 {
			problem.Truth.Eigenvalues[i] *= v
		}
	}
	return problem, nil
}
