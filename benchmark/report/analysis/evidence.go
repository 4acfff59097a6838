package analysis

import (
	"math"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/stats"
)

// Evidence is what intervals, ranks and baselines come from, besides the runs.
type Evidence struct {
	task  benchmark.TaskInfo
	truth []int // the states of the test snapshots, nil where the results do not tell
	seen  []int // what the oracle sees in the test snapshots themselves, nil where the results do not tell
}

// EvidenceOf takes what results hold.
func EvidenceOf(r *benchmark.Results) Evidence {
	e := Evidence{task: r.Task, truth: orderedStates(r)}
	right, err := stats.Right(r.Oracle.TestLabels, e.truth, 0, r.Task.States)
	if err == nil && len(right) > 0 && math.Abs(Average(right)-r.Oracle.TestAccuracy) <= 1e-9 {
		e.seen = r.Oracle.TestLabels
	}
	return e
}

// orderedStates is the states of the test snapshots of an ordered sequence: those of the places in
// the whole sequence, in turn. It is nil where no label bears the number of test snapshots out.
func orderedStates(r *benchmark.Results) []int {
	t := r.Task
	labelled := len(r.Oracle.TestLabels) == t.Test || slices.ContainsFunc(r.Runs, func(run benchmark.RunResult) bool {
		return len(run.Labels) > 0 && len(run.Labels[0]) == t.Test
	})
	if t.States < 1 || t.Train < 0 || t.Validation < 0 || !labelled {
		return nil
	}
	truth := make([]int, t.Test)
	for i := range truth {
		truth[i] = (t.Train%t.States + t.Validation%t.States + i) % t.States
	}
	return truth
}

// scores are those of a run, [step][test snapshot], or nil where the labels of the run are not there or do not give its
// accuracy.
func (e Evidence) scores(run *benchmark.RunResult) [][]float64 {
	if len(e.truth) == 0 || len(run.Labels) != len(run.Accuracy) {
		return nil
	}
	scores := make([][]float64, len(run.Labels))
	for i, labels := range run.Labels {
		right, err := stats.Right(labels, e.truth, (i+1)*e.task.Lag, e.task.States)
		if err != nil || math.Abs(Average(right)-run.Accuracy[i]) > 1e-9 {
			return nil
		}
		scores[i] = right
	}
	return scores
}

// persistence is the accuracy at each step of a method that predicts its input: the share of test
// snapshots in which the oracle sees the state that comes so many steps later. ok is false where
// the results do not tell.
func (e Evidence) persistence(steps int) (at []*stats.Estimate, total *stats.Estimate, ok bool) {
	if len(e.seen) == 0 || len(e.seen) != len(e.truth) {
		return nil, nil, false
	}
	var scores [][]float64
	for step := 1; step <= steps; step++ {
		right, err := stats.Right(e.seen, e.truth, step*e.task.Lag, e.task.States)
		if err != nil {
			return nil, nil, false
		}
		scores = append(scores, right)
		at = append(at, estimate([][]float64{right}))
	}
	return at, estimate([][]float64{overSteps(scores)}), true
}

// proportion estimates from one judge alone.
func proportion(share float64, n int) *stats.Estimate {
	return &stats.Estimate{Seeds: 1, Snapshots: n, Mean: share, SD: math.NaN(),
		Interval: stats.Proportion(int(math.Round(share*float64(n))), n)}
}

// estimate is nil if the scores allow none. Models are those of the rows; without them each row has its own.
func estimate(scores [][]float64, models ...string) *stats.Estimate {
	if len(models) == 0 {
		models = make([]string, len(scores))
	}
	e, err := stats.NewEstimateOfModels(scores, models)
	if err != nil {
		return nil
	}
	return &e
}

// modelOf names the model of a run by its predictions: runs that predict the same bits at all steps
// have one model. It is empty if the results do not tell.
func modelOf(run *benchmark.RunResult) string {
	if len(run.PredictionSHA256) != len(run.Accuracy) || slices.Contains(run.PredictionSHA256, "") {
		return ""
	}
	return strings.Join(run.PredictionSHA256, " ")
}

// overSteps is the mean over the steps, snapshot by snapshot.
func overSteps(scores [][]float64) []float64 {
	mean := make([]float64, len(scores[0]))
	for _, row := range scores {
		for i, v := range row {
			mean[i] += v
		}
	}
	for i := range mean {
		mean[i] /= float64(len(scores))
	}
	return mean
}
