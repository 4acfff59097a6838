package check

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// training is what the score of a problem sees when it is fitted.
func (s *posed) training(p *core.Problem) *core.Training {
	t := &core.Training{
		Train: p.Train, Validation: p.Validation, Lag: p.Lag, States: p.Rank, Seed: 42,
		Name: s.task.Describe().Name, Progress: core.NoProgress,
	}
	if p.States != nil {
		t.States, t.TrainLabels, t.ValidationLabels = p.States.Count, p.States.Train, p.States.Validation
	}
	return t
}

// gathered copies snapshots, numbered through.
func gathered(t core.Trajectories, times []int) (core.Snapshots, error) {
	values := make([]float32, len(times)*t.At(0).Size())
	t.Gather(values, times)
	return core.NewSnapshots(values, t.Shape()...)
}

// fit fits the score of a problem.
func (s *posed) fit(ctx context.Context, p *core.Problem) (core.Scorer, error) {
	t := s.training(p)
	var scorer core.Scorer
	err := safely(func() (err error) {
		scorer, err = p.Score.Fit(ctx, t)
		return err
	})
	if err != nil {
		return nil, failed("Fit of the score", err)
	}
	if core.IsNil(scorer) {
		return nil, wrong("return one of the two", "Fit of the score returned neither a scorer nor an error")
	}
	return scorer, nil
}

// judged returns the problem and its scorer, which is fitted once.
func (s *posed) judged(ctx context.Context) (*core.Problem, core.Scorer, error) {
	p, err := s.opened(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scorer == nil {
		if s.scorer, err = s.fit(ctx, p); err != nil {
			return nil, nil, err
		}
	}
	return p, s.scorer, nil
}

const badScores = "return a finite number within the bounds of the measure for each start, in their order"

// scores returns a number for each start in a column.
func scores(
	ctx context.Context, scorer core.Scorer, p *core.Problem, step int, predicted core.Snapshots,
) (table, error) {
	values, err := scorer.Score(ctx, step, predicted)
	if errors.Is(err, core.ErrContract) { // the other side of a connection has checked them
		return table{}, wrong(badScores, "Score at step %d: %v", step, err)
	}
	if err != nil {
		return table{}, inCase(fmt.Sprintf("at step %d", step), failed("Score", err))
	}
	if len(values) != p.StartCount() {
		return table{}, wrong(badScores, "Score at step %d returned %d numbers for "+
			"%d starts", step, len(values), p.StartCount())
	}
	return table{len(values), 1, slices.Clone(values)}, nil
}

// startsOf are the test snapshots from which roll-outs begin.
func startsOf(p *core.Problem) []int {
	if p.Starts == nil {
		return interval(0, p.Test.Len())
	}
	return p.Starts
}

// stepsOf are the first and the last step of a roll-out.
func stepsOf(p *core.Problem) []int { return slices.Compact([]int{1, p.Steps}) }

// futureOf returns, for each start, the index of the test snapshot so many steps later, -1 if its
// trajectory ends before.
func futureOf(p *core.Problem, step int) []int {
	ends := make([]int, p.Test.Len()) // of the trajectory of each snapshot
	for i, from := 0, 0; i < p.Test.Count(); i++ {
		end := from + p.Test.At(i).Len()
		for ; from < end; from++ {
			ends[from] = end
		}
	}
	future := slices.Clone(startsOf(p))
	for i, at := range future {
		if future[i] = at + step*p.Lag; future[i] >= ends[at] {
			future[i] = -1
		}
	}
	return future
}

// persistence predicts that each start stays as it is.
func persistence(p *core.Problem) core.Snapshots {
	x, _ := gathered(p.Test, startsOf(p)) // of the shape that they have
	return x
}

// meanOf predicts the mean of the training snapshots for each start.
func meanOf(p *core.Problem) core.Snapshots {
	size, n := p.Train.At(0).Size(), float64(p.Train.Len())
	mean, row := make([]float64, size), make([]float32, size)
	for i := range p.Train.Count() {
		for j := range p.Train.At(i).Len() {
			p.Train.At(i).Read(row, j)
			for k, v := range row {
				mean[k] += float64(v) / n
			}
		}
	}
	values := make([]float32, 0, p.StartCount()*size)
	for range p.StartCount() {
		for _, v := range mean {
			values = append(values, float32(v))
		}
	}
	x, _ := core.NewSnapshots(values, p.Train.Shape()...) // of the shape that they have
	return x
}

// mixed has the rows of x where chosen says so, and of y elsewhere.
func mixed(x, y core.Snapshots, chosen func(i int) bool) core.Snapshots {
	size := x.Size()
	values := make([]float32, x.Len()*size)
	for i := range x.Len() {
		from := y
		if chosen(i) {
			from = x
		}
		from.Read(values[i*size:(i+1)*size], i)
	}
	m, _ := core.NewSnapshots(values, x.Shape()...) // of the shape that they have
	return m
}

func (s *posed) checkScoreFit(ctx context.Context, _ *notes) error {
	p, err := s.opened(ctx)
	if err != nil {
		return err
	}
	if p.Score == nil {
		return &skip{"the problem has states and no score: an oracle judges its predictions"}
	}
	_, _, err = s.judged(ctx)
	return err
}

func (s *posed) checkScoreLength(ctx context.Context, _ *notes) error {
	p, scorer, err := s.judged(ctx)
	if err != nil {
		return err
	}
	m := p.Score.Measure()
	for _, step := range stepsOf(p) {
		for name, predicted := range map[string]core.Snapshots{
			"the starts themselves": persistence(p), "the mean of the training snapshots": meanOf(p),
		} {
			got, err := scores(ctx, scorer, p, step, predicted)
			if err != nil {
				return err
			}
			for i, v := range got.values {
				if err := m.Check(v); err != nil {
					return wrong(badScores, "at step %d, for %s as predictions, the score "+
						"of start %d: %v", step, name, i, err)
				}
			}
		}
	}
	return nil
}

func (s *posed) checkScoreRows(ctx context.Context, _ *notes) error {
	p, scorer, err := s.judged(ctx)
	if err != nil {
		return err
	}
	stay, mean := persistence(p), meanOf(p)
	last := p.StartCount() - 1
	for _, step := range stepsOf(p) {
		ofStay, err := scores(ctx, scorer, p, step, stay)
		if err != nil {
			return err
		}
		ofMean, err := scores(ctx, scorer, p, step, mean)
		if err != nil {
			return err
		}
		for _, chosen := range []func(i int) bool{
			func(i int) bool { return i%2 == 0 },
			func(i int) bool { return i == 0 },
			func(i int) bool { return i != 0 },
			func(i int) bool { return i == last },
			func(i int) bool { return i > last/2 },
		} {
			got, err := scores(ctx, scorer, p, step, mixed(stay, mean, chosen))
			if err != nil {
				return err
			}
			want := table{got.rows, 1, slices.Clone(ofMean.values)}
			for i := range want.values {
				if chosen(i) {
					want.values[i] = ofStay.values[i]
				}
			}
			if d := want.apart(got); d != "" {
				return wrong("score every start by itself: no statistics over the predictions of a call, and nothing kept "+
					"between calls", "scores at step %d, when other predictions change: %s", step, d)
			}
		}
	}
	return nil
}

func (s *posed) checkScoreRepeatable(ctx context.Context, _ *notes) error {
	p, scorer, err := s.judged(ctx)
	if err != nil {
		return err
	}
	const remedy = "draw nothing at random, keep nothing between calls, and sum in a fixed order"
	predicted, steps := persistence(p), stepsOf(p)
	want := map[int]table{}
	for _, step := range steps {
		if want[step], err = scores(ctx, scorer, p, step, predicted); err != nil {
			return err
		}
	}
	same := func(scorer core.Scorer) (string, error) {
		for _, step := range steps {
			got, err := scores(ctx, scorer, p, step, predicted)
			if err != nil {
				return "", err
			}
			if d := want[step].difference(got); d != "" {
				return fmt.Sprintf("at step %d, %s", step, d), nil
			}
		}
		return "", nil
	}
	if d, err := same(scorer); err != nil {
		return err
	} else if d != "" {
		return wrong(remedy, "two calls with the same predictions: %s", d)
	}
	if err := concurrently("Score", func() (string, error) { return same(scorer) }); err != nil {
		return err
	}
	again, err := s.fit(ctx, p)
	if err != nil {
		return err
	}
	if d, err := same(again); err != nil {
		return err
	} else if d != "" {
		return wrong(remedy, "scores after two fits of the score to the same data: %s", d)
	}
	return nil
}

func (s *posed) checkScoreDirection(ctx context.Context, n *notes) error {
	p, scorer, err := s.judged(ctx)
	if err != nil {
		return err
	}
	future := futureOf(p, 1)
	known := func(i int) bool { return future[i] >= 0 }
	times := slices.Clone(startsOf(p))
	count := 0
	for i := range times {
		if known(i) {
			times[i] = future[i]
			count++
		}
	}
	if count == 0 {
		return &skip{"the true future is not known, since no test trajectory goes on for a step after a start"}
	}
	truth, err := gathered(p.Test, times)
	if err != nil {
		return err
	}
	average := func(predicted core.Snapshots) (float64, error) {
		got, err := scores(ctx, scorer, p, 1, predicted)
		sum := 0.0
		for i, v := range got.values {
			if known(i) {
				sum += v / float64(count)
			}
		}
		return sum, err
	}
	ofTruth, err := average(truth)
	if err != nil {
		return err
	}
	ofMean, err := average(meanOf(p))
	if err != nil {
		return err
	}
	m, worse, direction := p.Score.Measure(), ofMean-ofTruth, "higher"
	if m.LowerIsBetter {
		worse, direction = -worse, "lower"
	}
	if worse > core.RowTolerance*math.Max(math.Abs(ofTruth), math.Abs(ofMean)) {
		return wrong("say in the measure whether lower is better, and compare predictions with what comes one lag after "+
			"the start", "the true future scores %.4g, and the mean of the training snapshots %.4g; of the measure %q, %s is "+
			"better", ofTruth, ofMean, m.Name, direction)
	}
	n.addf("the true future of %d starts scores %.4g, and the mean of the training snapshots %.4g", count, ofTruth, ofMean)
	return nil
}
