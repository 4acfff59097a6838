package analysis

import (
	"fmt"
	"maps"
	"slices"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

// ComparisonSchema names the layout of a [Comparison] in JSON.
const ComparisonSchema = "koopbench.comparison/1"

// Named is results and what to call them.
type Named struct {
	Name    string
	Results *results.Results
}

// Comparison holds results against those of A, method by method.
type Comparison struct {
	Schema   string           `json:"schema"`
	A        string           `json:"a"`
	Task     results.TaskInfo `json:"task"`
	Tests    int              `json:"tests"` // that the correction is for, over all of Sides
	Sides    []Side           `json:"sides"`
	measured []int            // the steps that a table shows
	protocol string           // that ranks
	cut      string           // that training was cut short, "" if it was not
}

// Side is one of the results that are held against A.
type Side struct {
	B      string   `json:"b"`
	Labels []string `json:"labels"` // what else is not alike: code, kernels, machine
	Rows   []Row    `json:"methods"`
	OnlyA  []string `json:"only_a"` // methods
	OnlyB  []string `json:"only_b"`
}

// Row is one method in A and in B. Scores are means over all steps, at the seeds that were evaluated on both sides.
type Row struct {
	Method  string        `json:"method"`
	Exposed core.Exposure `json:"exposed"`
	Verdict Verdict       `json:"verdict"`
	Seeds   int           `json:"seeds"` // in common
	A       *float64      `json:"a"`
	B       *float64      `json:"b"`
	Change  *float64      `json:"difference"` // B − A
	Low     *float64      `json:"low"`        // of its 95% interval, for this row alone
	High    *float64      `json:"high"`
	// Ratio is B / A of scores that are no shares, which are tested by it, with its 95% interval for
	// this row alone, and nil without a test; Low and High are nil then.
	Ratio     *float64   `json:"ratio,omitempty"`
	RatioLow  *float64   `json:"ratio_low,omitempty"`
	RatioHigh *float64   `json:"ratio_high,omitempty"`
	P         *float64   `json:"p"`         // after Holm's correction for all tests, nil without a test
	Steps     []*float64 `json:"steps"`     // [step] B − A at that step
	TrainedA  [2]int     `json:"trained_a"` // of those tried
	TrainedB  [2]int     `json:"trained_b"` //
	FitA      *float64   `json:"fit_seconds_a"`
	FitB      *float64   `json:"fit_seconds_b"`
	Notes     []string   `json:"notes"` // what is not alike about the method
}

// Verdict is what a comparison of a method says.
type Verdict string

// The verdicts, on B.
const (
	VerdictSame   Verdict = "same"       // the same predictions, bit by bit
	VerdictBetter Verdict = "better"     // by a test
	VerdictWorse  Verdict = "worse"      // by a test
	VerdictOpen   Verdict = "undecided"  // the test does not distinguish them
	VerdictNone   Verdict = "not tested" // fewer than [stats.LeastSeeds] seeds in common, or scores are missing
)

// Compare holds results against the first of them. Each method that both have is tested at its
// common seeds, paired by seed and test snapshot, with Holm's correction over all tests. The error
// is [benchmark.ErrNotComparable], with the reasons, where scores do not mean the same on both
// sides: other data, split, steps, protocol or oracle. Other code, kernels and machines are in
// Labels.
func Compare(all []Named) (*Comparison, error) {
	if len(all) < 2 {
		return nil, fmt.Errorf("%w: %d folders of results; give at least two", core.ErrOption, len(all))
	}
	a := all[0]
	left, err := Summarize(a.Results)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.Name, err)
	}
	c := &Comparison{
		Schema: ComparisonSchema, A: Clean(a.Name), Task: a.Results.Task,
		measured: shownSteps(StepsOf(a.Results.Task, left), a.Results), cut: Caveat(a.Results),
		protocol: a.Results.Protocol,
	}
	var pairs [][2]stats.Sample
	var tested []*Row
	for _, b := range all[1:] {
		side := Side{B: Clean(b.Name), Labels: []string{}, Rows: []Row{}, OnlyA: []string{}, OnlyB: []string{}}
		if side.Labels, err = labels(a, b); err != nil {
			return nil, err
		}
		right, err := Summarize(b.Results)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.Name, err)
		}
		for _, l := range left {
			k := slices.IndexFunc(right, func(r Summary) bool { return r.Label == l.Label })
			if k < 0 {
				side.OnlyA = append(side.OnlyA, l.Label)
				continue
			}
			side.Rows = append(side.Rows, newRow(l, right[k]))
			pairs = append(pairs, [2]stats.Sample{right[k].sample, l.sample})
		}
		for _, r := range right {
			if !slices.ContainsFunc(left, func(l Summary) bool { return r.Label == l.Label }) {
				side.OnlyB = append(side.OnlyB, r.Label)
			}
		}
		c.Sides = append(c.Sides, side)
	}
	for s := range c.Sides {
		for r := range c.Sides[s].Rows {
			tested = append(tested, &c.Sides[s].Rows[r])
		}
	}
	m := MeasureOf(a.Results.Task)
	if !m.Tested() {
		return c, nil
	}
	tests, err := stats.ComparePairs(m.Measure(), pairs)
	if err != nil {
		return nil, err
	}
	for i, t := range tests {
		if tested[i].take(m, t) {
			c.Tests++
		}
	}
	return c, nil
}

// labels are the differences that do not keep results from being compared; the others are an error.
func labels(a, b Named) ([]string, error) {
	texts := []string{}
	var fatal string
	for _, d := range results.Differences(b.Results, a.Results) {
		if !d.Fatal() {
			texts = append(texts, Clean(d.Text))
			continue
		}
		if fatal != "" {
			fatal += "; "
		}
		fatal += Clean(d.Text)
	}
	if fatal != "" {
		return nil, fmt.Errorf("%w: %s with %s: %s", results.ErrNotComparable, b.Name, a.Name, fatal)
	}
	if x, y := b.Results.Oracle, a.Results.Oracle; a.Results.Task.Judged() && x.TestAccuracy != y.TestAccuracy {
		texts = append(texts, fmt.Sprintf("the oracles differ: their accuracy on test snapshots is %.4f and %.4f",
			x.TestAccuracy, y.TestAccuracy))
	}
	return texts, nil
}

func newRow(l, r Summary) Row {
	row := Row{
		Method: l.Label, Exposed: max(l.Exposed, r.Exposed), Verdict: VerdictNone, Notes: []string{},
		TrainedA: [2]int{l.Trained(), l.Tried()}, TrainedB: [2]int{r.Trained(), r.Tried()},
		FitA: finite(RunMean(l.OK, FitCost.Of)), FitB: finite(RunMean(r.OK, FitCost.Of)),
	}
	left, right := bySeed(l.OK), bySeed(r.OK)
	var common []int64
	for _, seed := range slices.Sorted(maps.Keys(left)) {
		if right[seed] != nil {
			common = append(common, seed)
		}
	}
	row.Seeds = len(common)
	same := len(common) > 0
	for step := range min(len(l.Mean), len(r.Mean)) {
		var d []float64
		for _, seed := range common {
			a, b := left[seed], right[seed]
			if step < len(a.Ranked.Score) && step < len(b.Ranked.Score) {
				d = append(d, b.Ranked.Score[step]-a.Ranked.Score[step])
			}
		}
		row.Steps = append(row.Steps, finite(mean(d)))
	}
	var a, b []float64
	for _, seed := range common {
		same = same && slices.Equal(left[seed].PredictionSHA256, right[seed].PredictionSHA256) &&
			len(left[seed].PredictionSHA256) > 0
		a, b = append(a, l.measure.together(left[seed].Ranked.Score)), append(b, l.measure.together(right[seed].Ranked.Score))
	}
	row.A, row.B = finite(mean(a)), finite(mean(b))
	if row.A != nil && row.B != nil {
		row.Change = finite(*row.B - *row.A)
	}
	if same {
		row.Verdict = VerdictSame
	}
	if text := results.UnlikeOptions(r.Runs[0].Options, l.Runs[0].Options); text != "" {
		row.Notes = append(row.Notes, "other options: "+Clean(text))
	}
	if x, y := r.Runs[0].Plugin, l.Runs[0].Plugin; x.Origin() != y.Origin() {
		row.Notes = append(row.Notes, fmt.Sprintf("it is from %s, not %s", Clean(x.Origin()), Clean(y.Origin())))
	}
	return row
}

// take adds what the test says, and reports whether there was one.
func (r *Row) take(m Measure, t stats.Comparison) bool {
	if t.Seeds < stats.LeastSeeds {
		return false
	}
	r.P = finite(t.Adjusted)
	if m.Share() {
		r.Low, r.High = finite(t.Interval.Low), finite(t.Interval.High)
	} else {
		r.Ratio, r.RatioLow, r.RatioHigh = finite(t.Ratio), finite(t.Ratios.Low), finite(t.Ratios.High)
	}
	switch {
	case r.Verdict == VerdictSame:
	case t.Adjusted >= stats.Alpha:
		r.Verdict = VerdictOpen
	case (t.Difference > 0) != m.LowerIsBetter:
		r.Verdict = VerdictBetter
	default:
		r.Verdict = VerdictWorse
	}
	return true
}

func bySeed(runs []*results.Run) map[int64]*results.Run {
	m := map[int64]*results.Run{}
	for _, run := range runs {
		if m[run.Seed] == nil {
			m[run.Seed] = run
		}
	}
	return m
}
