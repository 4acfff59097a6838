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
	results *benchmark.Results
	// seen is 1 for each start in which the oracle sees the true state, 0 for others; nil if the
	// results do not tell.
	seen []float64
}

// EvidenceOf takes what results hold.
func EvidenceOf(r *benchmark.Results) Evidence {
	e := Evidence{results: r}
	if seen := r.OracleScores(); len(seen) > 0 && math.Abs(Average(seen)-r.Oracle.TestAccuracy) <= 1e-9 {
		e.seen = seen
	}
	return e
}

// scores are those of a run, [step][start], or nil if the results do not tell them or they do not give
// its means.
func (e Evidence) scores(run *benchmark.RunResult) [][]float64 {
	return consistent(e.results.ScoresOf(run.Ranked), run.Ranked.Score)
}

// consistent returns scores if their means are those of the steps, nil otherwise.
func consistent(scores [][]float64, means []float64) [][]float64 {
	if len(scores) != len(means) {
		return nil
	}
	for i, of := range scores {
		if len(of) == 0 || math.Abs(Average(of)-means[i]) > 1e-9*max(1, math.Abs(means[i])) {
			return nil
		}
	}
	return scores
}

// persistence is the score at each step of a model that predicts its input. ok is false if the results
// do not tell.
func (e Evidence) persistence(steps int) (at []*stats.Estimate, total *stats.Estimate, ok bool) {
	for _, b := range e.results.Baselines {
		if b.Name != benchmark.Persistence || len(b.Scores) < steps || consistent(b.Scores, b.Score) == nil {
			continue
		}
		for _, of := range b.Scores[:steps] {
			at = append(at, estimate([][]float64{of}))
		}
		total = estimate([][]float64{overSteps(b.Scores[:steps])})
		return at, total, total != nil
	}
	return nil, nil, false
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
	if len(run.PredictionSHA256) != len(run.Ranked.Score) || slices.Contains(run.PredictionSHA256, "") {
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
