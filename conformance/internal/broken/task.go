package broken

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/koopbench/koopbench/core"
)

// posing is what the Open of a task does.
type posing func(ctx context.Context, o core.Options) (*core.Problem, error)

// task is a task by its posing.
type task struct {
	description func() core.Description
	pose        posing
}

var _ core.Task = (*task)(nil)

func (t *task) Describe() core.Description { return t.description() }

func (t *task) Open(ctx context.Context, o core.Options) (*core.Problem, error) {
	return t.pose(ctx, o)
}

func newTask(describeAs func(core.Description, int) core.Description, change func(posing) posing) *task {
	var calls atomic.Int64
	t := &task{pose: rotation, description: func() core.Description {
		d := core.Description{
			Name: "reference-task", Summary: "a damped rotation in the plane, driven by noise",
			Doc: "x' = A x + noise, where A turns by a twelfth of a circle and shrinks by a twentieth.",
			Options: []core.Option{
				core.TextOption(core.SplitOption, "30,12,24", 40, "snapshots to train, validate and test on"),
				core.IntOption(core.StepsOption, 3, 1, 5, "steps of a roll-out"),
				core.IntOption(core.LagOption, 1, 1, 3, "snapshots from one step to the next"),
				core.IntOption("data_seed", 42, math.MinInt, math.MaxInt, "seed of the noise"),
				core.ChoiceOption("law", "law of the noise", "gaussian", "uniform"),
				core.TextOption(core.DataOption, "", core.MaxText, "a folder, which has nothing to say"),
			},
		}
		if describeAs != nil {
			d = describeAs(d, int(calls.Add(1)))
		}
		return d
	}}
	if change != nil {
		t.pose = change(rotation)
	}
	return t
}

// JudgedTask is the correct task without a score, so that an oracle judges its predictions.
func JudgedTask() core.Task {
	return newTask(nil, posed(func(_ core.Options, p *core.Problem) { p.Score, p.Truth = nil, nil }))
}

// ScoredTask is the correct task without states.
func ScoredTask() core.Task {
	return newTask(nil, posed(func(_ core.Options, p *core.Problem) { p.States = nil }))
}

// rotation is the correct posing. The state of a snapshot is the sign of its first coordinate, and
// roll-outs begin where their future is known.
func rotation(ctx context.Context, o core.Options) (*core.Problem, error) {
	if folder := o.String(core.DataOption); folder != "" {
		return nil, fmt.Errorf("no folder %q", folder)
	}
	steps, lag := o.Int(core.StepsOption), o.Int(core.LagOption)
	var split [3]int
	parts := strings.Split(o.String(core.SplitOption), ",")
	for i := range split {
		if len(parts) == len(split) {
			split[i], _ = strconv.Atoi(parts[i])
		}
		if split[i] < 2*(lag+1) || split[i] > 1000 {
			return nil, fmt.Errorf("%w: a split of %q", core.ErrOption, o.String(core.SplitOption))
		}
	}
	random := core.NewStream(int64(o.Int("data_seed")), "reference-task", "noise")
	noise := func() float64 { return 0.1 * draw(random, o.String("law")) }
	turn, at := cmplx.Rect(0.95, math.Pi/6), complex(1, 0)
	simulate := func(n int) (core.Snapshots, error) {
		values := make([]float32, 0, 2*n)
		for range n {
			if err := ctx.Err(); err != nil {
				return core.Snapshots{}, err
			}
			values = append(values, float32(real(at)), float32(imag(at)))
			at = at*turn + complex(noise(), noise())
		}
		return core.NewSnapshots(values, 2)
	}
	p := &core.Problem{Lag: lag, Steps: steps, Rank: 2, Source: "simulated", Picture: core.CurvePicture,
		Truth: &core.Truth{Eigenvalues: []complex128{1, cmplx.Pow(turn, complex(float64(lag), 0)),
			cmplx.Pow(cmplx.Conj(turn), complex(float64(lag), 0))}},
		States: &core.States{Count: 2, Word: "side"}}
	for i, x := range []*core.Trajectories{&p.Train, &p.Validation, &p.Test} {
		lengths := []int{split[i]}
		if i == 2 {
			lengths = []int{split[i] / 2, split[i] - split[i]/2}
		}
		var trajectories []core.Snapshots
		for _, n := range lengths {
			s, err := simulate(n)
			if err != nil {
				return nil, err
			}
			trajectories = append(trajectories, s)
		}
		var err error
		if *x, err = core.NewTrajectories(trajectories...); err != nil {
			return nil, err
		}
	}
	return p, mark(p)
}

// mark adds starts, states and a score.
func mark(p *core.Problem) error {
	sides := func(x core.Trajectories) []int {
		all := make([]int, x.Len())
		for i := range all {
			row := make([]float32, 2)
			if x.Gather(row, []int{i}); row[0] > 0 {
				all[i] = 1
			}
		}
		return all
	}
	p.Truth.Eigenfunctions = make([][]complex128, 3) // 1, z and its conjugate
	for i := range p.Test.Len() {
		row := make([]float32, 2)
		p.Test.Gather(row, []int{i})
		for j, v := range []complex128{1, complex(float64(row[0]), float64(row[1])),
			complex(float64(row[0]), -float64(row[1]))} {
			p.Truth.Eigenfunctions[j] = append(p.Truth.Eigenfunctions[j], v)
		}
	}
	p.States.Train, p.States.Validation, p.States.Test = sides(p.Train), sides(p.Validation), sides(p.Test)
	p.Starts = []int{}
	for i, from := 0, 0; i < p.Test.Count(); i++ {
		for at := range p.Test.At(i).Len() - p.Steps*p.Lag {
			p.Starts = append(p.Starts, from+at)
		}
		from += p.Test.At(i).Len()
	}
	if len(p.Starts) == 0 {
		return fmt.Errorf("%w: no start has a future", core.ErrTooShort)
	}
	s := distances{future: make([][]float32, p.Steps), fit: func(core.Snapshots) {}}
	p.States.Expected = make([][]int, p.Steps)
	for k := range p.Steps {
		s.future[k] = make([]float32, 2*len(p.Starts))
		times := make([]int, len(p.Starts))
		for i, at := range p.Starts {
			times[i] = at + (k+1)*p.Lag
			p.States.Expected[k] = append(p.States.Expected[k], p.States.Test[times[i]])
		}
		p.Test.Gather(s.future[k], times)
	}
	p.Score = s
	return nil
}

// distances is the correct score: the squared distance from the true future.
type distances struct {
	future [][]float32 // of a step, the snapshots after the starts
	fit    func(train core.Snapshots)
}

var (
	_ core.Score  = distances{}
	_ core.Scorer = distances{}
)

func (distances) Measure() core.Measure {
	return core.Measure{
		Name: "squared-error", Summary: "squared distance from the true future", LowerIsBetter: true, Most: math.Inf(1),
		Chance: math.NaN(),
	}
}

func (s distances) Fit(_ context.Context, t *core.Training) (core.Scorer, error) {
	s.fit(t.Train.Snapshots())
	return s, nil
}

func (s distances) Score(_ context.Context, step int, predicted core.Snapshots) ([]float64, error) {
	scores, row := make([]float64, predicted.Len()), make([]float32, 2)
	for i := range scores {
		predicted.Read(row, i)
		for j, v := range row {
			d := float64(v) - float64(s.future[step-1][2*i+j])
			scores[i] += d * d
		}
	}
	return scores, nil
}

// judging is a score by its functions; those of the correct one are used for nil.
type judging struct {
	core.Score
	measure func(core.Measure) core.Measure
	fit     func() (core.Scorer, error)
	score   func(scores []float64, predicted core.Snapshots) []float64 // changes the right scores
}

func (j judging) Measure() core.Measure {
	if j.measure == nil {
		return j.Score.Measure()
	}
	return j.measure(j.Score.Measure())
}

func (j judging) Fit(ctx context.Context, t *core.Training) (core.Scorer, error) {
	if j.fit != nil {
		return j.fit()
	}
	scorer, err := j.Score.Fit(ctx, t)
	return judgement{scorer, j.score}, err
}

type judgement struct {
	core.Scorer
	score func(scores []float64, predicted core.Snapshots) []float64
}

func (j judgement) Score(ctx context.Context, step int, predicted core.Snapshots) ([]float64, error) {
	scores, err := j.Scorer.Score(ctx, step, predicted)
	if err != nil || j.score == nil {
		return scores, err
	}
	return j.score(scores, predicted), nil
}

// posed breaks what a correct posing gives.
func posed(change func(o core.Options, p *core.Problem)) func(posing) posing {
	return func(correct posing) posing {
		return func(ctx context.Context, o core.Options) (*core.Problem, error) {
			p, err := correct(ctx, o)
			if err == nil {
				change(o, p)
			}
			return p, err
		}
	}
}

// scoring breaks what a correct score gives.
func scoring(change func(scores []float64, predicted core.Snapshots) []float64) func(posing) posing {
	return posed(func(_ core.Options, p *core.Problem) { p.Score = judging{Score: p.Score, score: change} })
}

// with opens the correct problem of other options.
func with(ctx context.Context, correct posing, o core.Options, name string, value any) (*core.Problem, error) {
	values := o.Map()
	values[name] = value
	changed, err := newTask(nil, nil).Describe().Resolve(values)
	if err != nil {
		return nil, err
	}
	return correct(ctx, changed)
}

// always takes no notice of an option.
func always(name string, value func(o core.Options) any) func(posing) posing {
	return func(correct posing) posing {
		return func(ctx context.Context, o core.Options) (*core.Problem, error) {
			return with(ctx, correct, o, name, value(o))
		}
	}
}

// written changes the first training snapshot, in the memory that Open gave out.
func written(x core.Snapshots, by float32) { x.Floats()[0] += by }

func taskCases() []Case {
	const kind = "task"
	all := []Case{
		{kind, "setup", "nothing at all", nil, nil},
		{kind, "same-outputs", "another implementation that rounds", newTask(nil, nil),
			newTask(nil, posed(func(_ core.Options, p *core.Problem) { written(p.Train.At(0), 1e-6) }))},
		{kind, "same-outputs", "another implementation whose score rounds", newTask(nil, nil),
			newTask(nil, scoring(func(scores []float64, _ core.Snapshots) []float64 {
				scores[0] += 1e-9
				return scores
			}))},
	}
	for _, how := range sortedKeys(descriptions()) {
		all = append(all, Case{kind, "description", how, newTask(descriptions()[how], nil), nil})
	}
	declare := func(check, how string, change func(*core.Description)) {
		all = append(all, Case{kind, check, how, newTask(func(d core.Description, _ int) core.Description {
			change(&d)
			return d
		}, nil), nil})
	}
	option := func(how string, o core.Option) {
		t := newTask(func(d core.Description, _ int) core.Description {
			i := slices.IndexFunc(d.Options, func(other core.Option) bool { return other.Name == o.Name })
			d.Options[i] = o
			return d
		}, func(correct posing) posing {
			return func(ctx context.Context, given core.Options) (*core.Problem, error) {
				values := map[string]any{}
				for name, v := range given.Map() {
					if _, whole := v.(int); whole {
						values[name] = v
					}
				}
				o, err := newTask(nil, nil).Describe().Resolve(values)
				if err != nil {
					return nil, err
				}
				return correct(ctx, o)
			}
		})
		all = append(all, Case{kind, "option-types", how, t, nil})
	}
	add := func(check, how string, change func(posing) posing) {
		all = append(all, Case{kind, check, how, newTask(nil, change), nil})
	}
	problem := func(check, how string, change func(p *core.Problem)) {
		add(check, how, posed(func(_ core.Options, p *core.Problem) { change(p) }))
	}
	score := func(check, how string, change func(scores []float64, predicted core.Snapshots) []float64) {
		add(check, how, scoring(change))
	}

	declare("exposure", "labels", func(d *core.Description) { d.Exposure = core.LabelExposed })
	option("a real number of steps", core.FloatOption(core.StepsOption, 3, 1, 5, "steps"))
	option("folders by choice", core.ChoiceOption(core.DataOption, "a folder", "here", "there"))
	option("a split in words", core.ChoiceOption(core.SplitOption, "a split", "usual", "other"))
	option("more steps than a roll-out has", core.IntOption(core.StepsOption, 3, 1, core.MaxSteps+1, "steps"))

	add("open", "fails", func(posing) posing {
		return func(context.Context, core.Options) (*core.Problem, error) { return nil, errors.New("not today") }
	})
	add("open", "gives nothing", func(posing) posing {
		return func(context.Context, core.Options) (*core.Problem, error) { return nil, nil }
	})
	add("open", "panics", func(posing) posing {
		return func(context.Context, core.Options) (*core.Problem, error) { panic("not today") }
	})
	problem("finite", "a test snapshot is not a number", func(p *core.Problem) {
		written(p.Test.At(1), float32(math.NaN()))
	})
	problem("finite", "an eigenvalue is not a number", func(p *core.Problem) { p.Truth.Eigenvalues[2] = cmplx.NaN() })
	for how, change := range invalid() {
		problem("valid", how, change)
	}
	problem("pairs", "a training trajectory of one snapshot", func(p *core.Problem) {
		x := p.Train.At(0)
		p.Train, _ = core.NewTrajectories(x.Slice(0, 1), x.Slice(1, x.Len()))
	})

	var measures atomic.Int64
	problem("measure", "changes its direction", func(p *core.Problem) {
		p.Score = judging{Score: p.Score, measure: func(m core.Measure) core.Measure {
			m.LowerIsBetter = measures.Add(1)%2 == 0
			return m
		}}
	})
	var opens atomic.Int64
	problem("repeatable", "counts its calls", func(p *core.Problem) {
		written(p.Validation.At(0), float32(opens.Add(1))*1e-3)
	})
	add("repeatable", "depends on its process", func(correct posing) posing {
		return func(ctx context.Context, o core.Options) (*core.Problem, error) {
			p, err := correct(ctx, o)
			if err == nil && core.ScopeOf(ctx) != nil {
				written(p.Validation.At(0), 1e-3)
			}
			return p, err
		}
	})
	problem("repeatable", "starts that change", func(p *core.Problem) {
		p.Starts = p.Starts[:len(p.Starts)-int(opens.Add(1)%2)]
		p.States.Expected = slices.Clone(p.States.Expected)
		for k := range p.States.Expected {
			p.States.Expected[k] = p.States.Expected[k][:len(p.Starts)]
		}
		p.Score = judging{Score: p.Score}
	})
	problem("repeatable", "eigenvalues that change", func(p *core.Problem) {
		p.Truth.Eigenvalues[2] *= complex(1-float64(opens.Add(1))*small, 0)
	})
	problem("repeatable", "eigenfunctions that change", func(p *core.Problem) {
		p.Truth.Eigenfunctions[1][0] += complex(float64(opens.Add(1))*small, 0)
	})
	problem("repeatable", "a clock that changes", func(p *core.Problem) { p.Clock.Interval = float64(opens.Add(1)) })
	problem("unchanged", "a score that standardises in place", func(p *core.Problem) {
		s := p.Score.(distances)
		s.fit = func(train core.Snapshots) { written(train, -1) }
		p.Score = s
	})
	score("unchanged", "a score that writes to predictions", func(scores []float64, predicted core.Snapshots) []float64 {
		predicted.Floats()[0] = 7
		return scores
	})
	add("unchanged", "one memory for all problems", shared())
	add("options", "panics for a choice", func(correct posing) posing {
		return func(ctx context.Context, o core.Options) (*core.Problem, error) {
			if o.String("law") == "uniform" {
				panic("never tried")
			}
			return correct(ctx, o)
		}
	})
	add("options", "untyped errors", func(correct posing) posing {
		return func(ctx context.Context, o core.Options) (*core.Problem, error) {
			p, err := correct(ctx, o)
			if errors.Is(err, core.ErrOption) {
				err = errors.New(err.Error())
			}
			return p, err
		}
	})
	add("options", "panics for a folder that is not there", func(correct posing) posing {
		return func(ctx context.Context, o core.Options) (*core.Problem, error) {
			if o.String(core.DataOption) != "" {
				panic("never tried")
			}
			return correct(ctx, o)
		}
	})
	add("options", "no rank at the largest lag", posed(func(o core.Options, p *core.Problem) {
		if o.Int(core.LagOption) == 3 {
			p.Rank = 0
		}
	}))
	add("option-values", "takes no notice of the steps", always(core.StepsOption, func(core.Options) any { return 3 }))
	add("option-values", "takes no notice of the lag", always(core.LagOption, func(core.Options) any { return 1 }))
	add("option-values", "takes another split", always(core.SplitOption, func(o core.Options) any {
		if o.String(core.SplitOption) == "30,12,24" {
			return "30,12,23"
		}
		return o.String(core.SplitOption)
	}))
	add("data-seed", "takes no notice of it", always("data_seed", func(core.Options) any { return 42 }))
	add("data-seed", "takes half of its bits", always("data_seed", func(o core.Options) any {
		return int(int32(o.Int("data_seed"))) //nolint:gosec // that is what is broken
	}))
	add("data-seed", "takes its modulus", always("data_seed", func(o core.Options) any {
		return max(o.Int("data_seed"), -o.Int("data_seed"))
	}))
	var inside atomic.Int64
	add("concurrent-opens", "cannot open twice at a time", func(correct posing) posing {
		return func(ctx context.Context, o core.Options) (*core.Problem, error) {
			alone := inside.Add(1) == 1
			defer inside.Add(-1)
			time.Sleep(100 * time.Microsecond)
			p, err := correct(ctx, o)
			if err == nil && (!alone || inside.Load() > 1) {
				written(p.Train.At(0), 1)
			}
			return p, err
		}
	})
	add("cancelled", "succeeds although it is over", func(correct posing) posing {
		return func(ctx context.Context, o core.Options) (*core.Problem, error) {
			return correct(context.WithoutCancel(ctx), o)
		}
	})
	add("cancelled", "goes on", func(correct posing) posing {
		return func(ctx context.Context, o core.Options) (*core.Problem, error) {
			p, err := correct(ctx, o)
			if ctx.Err() != nil {
				time.Sleep(Late)
			}
			return p, err
		}
	})
	problem("expected-states", "counts steps from 0", func(p *core.Problem) {
		first := make([]int, len(p.Starts))
		for i, at := range p.Starts {
			first[i] = p.States.Test[at]
		}
		p.States.Expected = append([][]int{first}, p.States.Expected[:p.Steps-1]...)
	})
	problem("truth", "in ascending order", func(p *core.Problem) { slices.Reverse(p.Truth.Eigenvalues) })
	problem("truth", "eigenvalues of the generator", func(p *core.Problem) {
		p.Truth.Eigenvalues, p.Truth.Eigenfunctions = []complex128{-4.2, -2.1}, nil
	})
	problem("truth", "eigenfunctions of other eigenvalues", func(p *core.Problem) {
		f := p.Truth.Eigenfunctions
		f[1], f[2] = f[2], f[1]
	})
	problem("truth", "eigenfunctions that are nowhere other than zero", func(p *core.Problem) {
		clear(p.Truth.Eigenfunctions[2])
	})
	return append(all, scoreCases()...)
}

// invalid are the ways to break a rule of a problem.
func invalid() map[string]func(p *core.Problem) {
	return map[string]func(p *core.Problem){
		"no test data":                     func(p *core.Problem) { p.Test = core.Trajectories{} },
		"no rank":                          func(p *core.Problem) { p.Rank = 0 },
		"a picture unknown":                func(p *core.Problem) { p.Picture = "photograph" },
		"no start":                         func(p *core.Problem) { p.Starts = []int{} },
		"an interval of less than nothing": func(p *core.Problem) { p.Clock.Interval = -1 },
		"a line of two numbers":            func(p *core.Problem) { p.Picture = core.LinePicture },
		"more leading eigenvalues than there are": func(p *core.Problem) { p.Truth.Leading = 4 },
		"eigenfunctions at too few snapshots": func(p *core.Problem) {
			p.Truth.Eigenfunctions[1] = p.Truth.Eigenfunctions[1][1:]
		},
		"predictions valid below a number that is none": func(p *core.Problem) { p.ValidUpTo = math.NaN() },
		"a start too far":  func(p *core.Problem) { p.Starts[0] = p.Test.Len() },
		"nothing to judge": func(p *core.Problem) { p.Score, p.States = nil, nil },
		"a state too many": func(p *core.Problem) { p.States.Test[0] = p.States.Count },
		"steps too few":    func(p *core.Problem) { p.States.Expected = p.States.Expected[1:] },
		"validation data of another shape": func(p *core.Problem) {
			x, _ := core.NewSnapshots(make([]float32, 30), 3)
			p.Validation = core.OneTrajectory(x)
		},
		"bounds that exclude all": func(p *core.Problem) {
			p.Score = judging{Score: p.Score, measure: func(m core.Measure) core.Measure { m.Least = m.Most; return m }}
		},
	}
}

// shared hands out one memory for the training snapshots of all problems.
func shared() func(posing) posing {
	return func(correct posing) posing {
		memory := make([]float32, 2000)
		var turn = make(chan struct{}, 1)
		return func(ctx context.Context, o core.Options) (*core.Problem, error) {
			p, err := correct(ctx, o)
			if err != nil {
				return p, err
			}
			turn <- struct{}{}
			defer func() { <-turn }()
			n := copy(memory, p.Train.At(0).Floats())
			x, err := core.NewSnapshots(memory[:n], 2)
			p.Train = core.OneTrajectory(x)
			return p, err
		}
	}
}

// scoreCases are tasks whose scores break a rule.
func scoreCases() []Case {
	var all []Case
	add := func(check, how string, change func(*judging)) {
		all = append(all, Case{"task", check, how, newTask(nil, posed(func(_ core.Options, p *core.Problem) {
			j := judging{Score: p.Score}
			change(&j)
			p.Score = j
		})), nil})
	}
	score := func(check, how string, change func(scores []float64, predicted core.Snapshots) []float64) {
		add(check, how, func(j *judging) { j.score = change })
	}
	add("score-fit", "fails", func(j *judging) {
		j.fit = func() (core.Scorer, error) { return nil, errors.New("not today") }
	})
	add("score-fit", "gives nothing", func(j *judging) { j.fit = func() (core.Scorer, error) { return nil, nil } })
	add("score-fit", "panics", func(j *judging) { j.fit = func() (core.Scorer, error) { panic("not today") } })
	score("score-length", "leaves the last start out", func(scores []float64, _ core.Snapshots) []float64 {
		return scores[1:]
	})
	score("score-length", "not a number", func(scores []float64, _ core.Snapshots) []float64 {
		scores[0] = math.NaN()
		return scores
	})
	score("score-length", "below the bounds", func(scores []float64, _ core.Snapshots) []float64 {
		scores[len(scores)-1] -= 1000
		return scores
	})
	score("score-rows", "relative to the largest of a call", func(scores []float64, _ core.Snapshots) []float64 {
		largest := slices.Max(scores)
		for i := range scores {
			scores[i] /= 1 + largest
		}
		return scores
	})
	score("score-rows", "gives the first start the score of the last", func(scores []float64, _ core.Snapshots) []float64 {
		scores[0] = scores[len(scores)-1]
		return scores
	})
	add("score-repeatable", "counts its calls", func(j *judging) {
		var calls atomic.Int64
		j.score = func(scores []float64, _ core.Snapshots) []float64 {
			scores[0] += 1e-13 * float64(calls.Add(1))
			return scores
		}
	})
	add("score-repeatable", "cannot score twice at a time", func(j *judging) {
		var inside atomic.Int64
		j.score = func(scores []float64, _ core.Snapshots) []float64 {
			alone := inside.Add(1) == 1
			defer inside.Add(-1)
			time.Sleep(100 * time.Microsecond)
			if !alone || inside.Load() > 1 {
				scores[0]++
			}
			return scores
		}
	})
	add("score-repeatable", "another fit is another score", func(j *judging) {
		var fits atomic.Int64
		correct := j.Score
		j.fit = func() (core.Scorer, error) {
			n := float64(fits.Add(1))
			scorer, err := correct.Fit(context.Background(), &core.Training{})
			return judgement{scorer, func(scores []float64, _ core.Snapshots) []float64 {
				scores[0] += small * n
				return scores
			}}, err
		}
	})
	add("score-direction", "says that higher is better", func(j *judging) {
		j.measure = func(m core.Measure) core.Measure { m.LowerIsBetter = false; return m }
	})
	return all
}
