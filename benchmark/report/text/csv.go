package text

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/internal/foreign"
)

// WriteCSV writes the content of [WriteTable] for programs: a row for each method or baseline and
// step, and one for the mean over all steps, whose step is "mean". The column of scores has the
// name of the measure. Columns that begin with other belong to the protocol that does not rank, and
// other_score is its mean over all steps. A value that is not known is empty. Variances are those
// of stats.Components. docs/statistics.md explains the columns. The error is [core.ErrUnavailable]
// if there is no run, or what w returns.
func WriteCSV(w io.Writer, r *results.Results) error {
	all, err := analysis.Summarize(r)
	if err != nil {
		return err
	}
	rows := [][]string{{
		"name", "kind", "exposed", "rank_best", "rank_worst", "step",
		foreign.Cell(analysis.MeasureOf(r.Task).Name), "low", "high", "sd_seeds",
		"variance_seeds", "variance_snapshots", "variance_rest", "seeds", "snapshots",
		"ok", "runs", "trained", "tried", "trained_low", "trained_high", "fit_seconds", "predict_seconds", "protocol",
		"compile_seconds", "cpu_seconds", "peak_rss_bytes", "parameters", "operator_rank", "rpc_seconds", "rpc_bytes",
		"max_epochs", "above_oracle", "above_oracle_p", "plugin_checks", "plugin_checks_passed", "plugin_checks_failed",
		"other_protocol", "other_status", "other_ok", "other_score", "other_low", "other_high", "other_predict_seconds",
	}}
	epochs := ""
	if r.MaxEpochs > 0 {
		epochs = strconv.Itoa(r.MaxEpochs)
	}
	for _, s := range all {
		best, worst, low, high := "", "", "", ""
		if s.Places.Ranked() {
			best, worst = strconv.Itoa(s.Places.Best), strconv.Itoa(s.Places.Worst)
		}
		learned, tried := s.Trained(), s.Tried()
		if tried > 0 {
			rate := stats.Proportion(learned, tried)
			low, high = csvNumber(rate.Low), csvNumber(rate.High)
		}
		lead := []string{foreign.Cell(analysis.Clean(s.Label)), "method", foreign.Cell(analysis.Clean(string(s.Exposed))),
			best, worst}
		tail := []string{
			strconv.Itoa(len(s.OK)), strconv.Itoa(len(s.Runs)), strconv.Itoa(learned), strconv.Itoa(tried), low, high,
			csvNumber(analysis.RunMean(s.OK, analysis.FitCost.Of)), csvNumber(analysis.RunMean(s.OK,
				analysis.PredictCost.Of)), r.Protocol,
		}
		for _, of := range furtherCosts {
			tail = append(tail, csvNumber(analysis.RunMean(s.OK, of)))
		}
		tail = append(tail, epochs)
		tail = append(append(tail, csvCeiling(s.Ceiling)...), csvChecks(s.Runs)...)
		tail = append(tail, csvOther(s)...)
		rows = append(rows, csvRows(lead, s.Mean, s.Steps, s.Overall(), s.Total, tail)...)
	}
	for _, b := range analysis.Baselines(r, analysis.EvidenceOf(r), analysis.StepsOf(r.Task, all)) {
		tail := append(append(make([]string, 8), r.Protocol), make([]string, len(furtherCosts))...)
		tail = append(append(tail, epochs), make([]string, 12)...)
		rows = append(rows, csvRows([]string{b.Name, "baseline", "", "", ""}, b.At, b.Steps, b.Mean, b.Total, tail)...)
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// csvOther are the protocol that does not rank, how it ended, the number of runs that were evaluated by it,
// their mean over all steps with its interval, and the seconds that it took.
func csvOther(s analysis.Summary) []string {
	if s.Other == nil {
		return make([]string, 7)
	}
	o, low, high := s.Other, math.NaN(), math.NaN()
	if o.Total != nil {
		low, high = o.Total.Interval.Low, o.Total.Interval.High
	}
	return []string{foreign.Cell(o.Runs[0].Ranked.Protocol), foreign.Cell(o.Ended()), strconv.Itoa(len(o.OK)),
		csvNumber(o.Overall()), csvNumber(low), csvNumber(high), csvNumber(analysis.RunMean(o.OK, analysis.PredictCost.Of))}
}

// csvCeiling are the difference to the oracle's accuracy on true snapshots and the adjusted
// probability of its test.
func csvCeiling(c stats.Comparison) []string {
	if c.Seeds == 0 {
		return []string{"", ""}
	}
	return []string{csvNumber(c.Difference), csvNumber(c.Adjusted)}
}

// csvChecks are the outcome of the checks of a method's plugin, the number passed, and the names of
// those that failed.
func csvChecks(runs []*results.Run) []string {
	outcome, passed, failed := analysis.Checked(runs)
	count := ""
	if outcome == "passed" || outcome == "failed" {
		count = strconv.Itoa(passed)
	}
	return []string{outcome, count, foreign.Cell(analysis.OneLine(strings.Join(failed, "; ")))}
}

// furtherCosts are those of the last columns, in their order; not numbers where they are not known.
var furtherCosts = []func(*results.Run) float64{
	func(r *results.Run) float64 { return r.CompileSeconds },
	analysis.CPUSeconds,
	func(r *results.Run) float64 {
		if r.PeakRSSBytes == 0 {
			return math.NaN()
		}
		return float64(r.PeakRSSBytes)
	},
	func(r *results.Run) float64 { return float64(r.Parameters) },
	func(r *results.Run) float64 { return float64(r.Rank) },
	analysis.RPCSeconds,
	analysis.RPCBytes,
}

func csvRows(lead []string, at []float64, steps []*stats.Estimate, mean float64, total *stats.Estimate,
	tail []string) [][]string {
	row := func(step string, score float64, e *stats.Estimate) []string {
		cells := append(append([]string{}, lead...), step, csvNumber(score))
		if e == nil {
			cells = append(cells, make([]string, 8)...)
		} else {
			cells = append(cells, csvNumber(e.Interval.Low), csvNumber(e.Interval.High), csvNumber(e.SD),
				csvNumber(e.Components.Seeds), csvNumber(e.Components.Snapshots), csvNumber(e.Components.Rest),
				strconv.Itoa(e.Seeds), strconv.Itoa(e.Snapshots))
		}
		return append(cells, tail...)
	}
	var rows [][]string
	for i, score := range at {
		var e *stats.Estimate
		if i < len(steps) {
			e = steps[i]
		}
		rows = append(rows, row(strconv.Itoa(i+1), score, e))
	}
	return append(rows, row("mean", mean, total))
}

// csvNumber is empty for what is not a finite number.
func csvNumber(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
