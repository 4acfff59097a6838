package analysis

import (
	"math"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
)

// Evidence is what intervals, ranks and baselines need in addition to the runs.
type Evidence struct {
	results *results.Results
	measure Measure
	// seen is 1 for each start in which the oracle sees the true state, 0 for others; nil if the
	// results do not tell.
	seen []float64
}

// EvidenceOf returns the evidence in results.
func EvidenceOf(r *results.Results) Evidence {
	e := Evidence{results: r, measure: MeasureOf(r.Task)}
	if seen := r.OracleScores(); len(seen) > 0 && math.Abs(Average(seen)-r.Oracle.TestAccuracy) <= 1e-9 {
		e.seen = seen
	}
	return e
}

// scores are those of a run, [step][start]; nil if the results do not tell them, they do not give its
// means, or there are no intervals of them.
func (e Evidence) scores(run *results.Run) [][]float64 {
	if !e.measure.Tested() {
		return nil
	}
	return e.measure.consistent(e.results.ScoresOf(run.Ranked), run.Ranked.Score)
}

// consistent returns scores if, taken together, they are those of the steps, nil otherwise.
func (m Measure) consistent(scores [][]float64, means []float64) [][]float64 {
	if len(scores) != len(means) {
		return nil
	}
	for i, of := range scores {
		if len(of) == 0 || math.Abs(m.Measure().Together(of)-means[i]) > 1e-9*max(1, math.Abs(means[i])) {
			return nil
		}
	}
	return scores
}

// baseline is one of the results. ok is false if they do not tell its scores.
func (e Evidence) baseline(of results.Baseline, steps int) (b Baseline, ok bool) {
	if len(of.Scores) < steps || e.measure.consistent(of.Scores, of.Score) == nil {
		return b, false
	}
	b = Baseline{Name: of.Name, At: of.Score[:steps], Mean: e.measure.together(of.Score[:steps]),
		Steps: make([]*stats.Estimate, steps)}
	if !e.measure.Tested() {
		return b, true
	}
	for i, scores := range of.Scores[:steps] {
		b.Steps[i] = e.measure.estimate([][]float64{scores})
	}
	b.Total = e.measure.estimate([][]float64{e.measure.overSteps(of.Scores[:steps])})
	return b, b.Total != nil
}

// proportion estimates from one judge alone.
func proportion(share float64, n int) *stats.Estimate {
	return &stats.Estimate{Seeds: 1, Snapshots: n, Mean: share, SD: math.NaN(),
		Interval: stats.Proportion(int(math.Round(share*float64(n))), n)}
}

// estimate is nil if the scores allow none. Models are those of the rows; without them each row has its own.
func (m Measure) estimate(scores [][]float64, models ...string) *stats.Estimate {
	if len(models) == 0 {
		models = make([]string, len(scores))
	}
	e, err := stats.NewEstimateOfModels(m.Measure(), scores, models)
	if err != nil {
		return nil
	}
	return &e
}

// modelOf names the model of a run by its predictions: runs that predict the same bits at all steps
// have one model. It is empty if the results do not tell.
func modelOf(run *results.Run) string {
	if len(run.PredictionSHA256) != len(run.Ranked.Score) || slices.Contains(run.PredictionSHA256, "") {
		return ""
	}
	return strings.Join(run.PredictionSHA256, " ")
}

// overSteps takes the scores of the steps together, snapshot by snapshot.
func (m Measure) overSteps(scores [][]float64) []float64 {
	of, total, steps := m.Measure(), make([]float64, len(scores[0])), make([]float64, len(scores))
	for i := range total {
		for step, row := range scores {
			steps[step] = row[i]
		}
		total[i] = of.Together(steps)
	}
	return total
}
