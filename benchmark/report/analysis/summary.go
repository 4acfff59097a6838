package analysis

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

// Histories are the histories of the runs that have one.
func (s Summary) Histories() (all [][]results.Epoch) {
	for _, run := range s.Runs {
		if len(run.History) > 0 {
			all = append(all, run.History)
		}
	}
	return all
}

// Intervals are the ends of the 95% intervals at each step; NaN if there is none.
func (s Summary) Intervals() (low, high []float64) {
	for _, e := range s.Steps {
		if e == nil {
			low, high = append(low, math.NaN()), append(high, math.NaN())
			continue
		}
		low, high = append(low, e.Interval.Low), append(high, e.Interval.High)
	}
	return low, high
}

// Summary is the combined results of the runs of one method, over its seeds.
type Summary struct {
	Label   string // fit to be shown
	Exposed core.Exposure
	ID      int            // place among all labels in alphabetical order
	Runs    []*results.Run // by seed
	OK      []*results.Run // those of them that were evaluated
	Mean    []float64      // score at each step, step 1 first, over the runs that are ok; empty where none is
	// What is known of the expected score: at each step, and of its mean over all steps. nil where the results do not
	// have the scores that it takes, or there are no intervals of them.
	Steps  []*stats.Estimate
	Total  *stats.Estimate
	sample stats.Sample // seed by seed the scores over all steps
	Places stats.Places // among the methods that saw nothing but snapshots
	// ceiling compares it with the oracle on the true test snapshots; without seeds if the
	// labels do not allow it.
	Ceiling stats.Comparison
	// Other is the same by the protocol that does not rank, without values of single steps; nil if the
	// results have none.
	Other   *Summary
	measure Measure
}

// Summarize groups runs by their method's label and ranks the methods. Methods that saw only
// snapshots come first, then those of each exposure. Within a group the order is by the mean score
// over all steps, then by the score of the last step, then by label. Methods that were never
// evaluated come last. The error is [core.ErrUnavailable] if there is no run.
func Summarize(r *results.Results) ([]Summary, error) {
	if r == nil || len(r.Runs) == 0 {
		return nil, fmt.Errorf("%w: the results have no finished run; make one with: bench run", core.ErrUnavailable)
	}
	all := gather(r, EvidenceOf(r), true)
	if other := OtherProtocol(r); other != "" {
		by := rankedBy(r, other)
		of := gather(by, EvidenceOf(by), false)
		for i := range all {
			all[i].Other = &of[i]
		}
	}
	m := MeasureOf(r.Task)
	slices.SortStableFunc(all, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Exposed, b.Exposed), m.Compare(a.Overall(), b.Overall()), m.Compare(a.At(0), b.At(0)))
	})
	testCeilings(all)
	return all, place(m, all)
}

// rankedBy is a copy of results that a protocol ranks.
func rankedBy(r *results.Results, protocol string) *results.Results {
	by := *r
	by.Runs = slices.Clone(r.Runs)
	by.RankBy(protocol)
	return &by
}

// OtherProtocol is the protocol that does not rank; "" if no run was evaluated by it.
func OtherProtocol(r *results.Results) string {
	for _, protocol := range results.Protocols() {
		if protocol != r.Protocol && slices.ContainsFunc(r.Runs, func(run results.Run) bool {
			return run.Evaluation(protocol) != nil
		}) {
			return protocol
		}
	}
	return ""
}

// gather makes the summaries of runs by the protocol that ranks them, in alphabetical order, with
// estimates of single steps or without.
func gather(r *results.Results, known Evidence, steps bool) []Summary {
	groups := map[string]*Summary{}
	for i := range r.Runs {
		run := &r.Runs[i]
		s := groups[run.Method]
		if s == nil {
			s = &Summary{Label: OrUnnamed(run.Method), measure: known.measure}
			groups[run.Method] = s
		}
		s.Exposed = max(s.Exposed, core.Exposure(run.Exposed))
		s.Runs = append(s.Runs, run)
	}
	all := make([]Summary, 0, len(groups))
	methods := slices.Sorted(maps.Keys(groups))
	for i, method := range methods {
		s := groups[method]
		s.ID = i
		slices.SortStableFunc(s.Runs, func(a, b *results.Run) int {
			return cmp.Or(cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Key, b.Key))
		})
		for _, run := range s.Runs {
			if run.Status == results.StatusOK && len(run.Ranked.Score) > 0 {
				s.OK = append(s.OK, run)
			}
		}
		s.aggregate()
		s.estimate(known, steps)
		all = append(all, *s)
	}
	return all
}

func (s *Summary) aggregate() {
	steps := 0
	for _, run := range s.OK {
		steps = max(steps, len(run.Ranked.Score))
	}
	for step := range steps {
		var values []float64
		for _, run := range s.OK {
			if step < len(run.Ranked.Score) && !math.IsNaN(run.Ranked.Score[step]) && !math.IsInf(run.Ranked.Score[step], 0) {
				values = append(values, run.Ranked.Score[step])
			}
		}
		mean := math.NaN()
		if len(values) > 0 {
			mean = stat.Mean(values, nil)
		}
		s.Mean = append(s.Mean, mean)
	}
}

// estimate takes from the scores of snapshots what aggregate cannot know: of the mean over all steps,
// and, if asked, of single ones. Every run must tell.
func (s *Summary) estimate(known Evidence, single bool) {
	var runs [][][]float64 // [run][step][snapshot]
	var models []string
	s.sample = stats.Sample{}
	for _, run := range s.OK {
		scores := known.scores(run)
		if scores == nil || len(scores) != len(s.Mean) {
			s.sample = nil
			return
		}
		runs = append(runs, scores)
		models = append(models, modelOf(run))
		if s.sample[run.Seed] == nil {
			s.sample[run.Seed] = s.measure.overSteps(scores)
		}
	}
	table := make([][]float64, len(runs))
	for i := range runs {
		table[i] = s.measure.overSteps(runs[i])
	}
	s.Total = s.measure.estimate(table, models...)
	if !single {
		return
	}
	for step := range s.Mean {
		for i := range runs {
			table[i] = runs[i][step]
		}
		s.Steps = append(s.Steps, s.measure.estimate(table, models...))
	}
	// The error says that what the oracle sees in the starts is not known; the table says so as well.
	if c, err := stats.AboveCeiling(runs, known.seen); err == nil {
		s.Ceiling = c
	}
}

// testCeilings corrects the tests of all methods against the oracle on the true test snapshots.
func testCeilings(all []Summary) {
	var of []*Summary
	var tests []stats.Comparison
	for i := range all {
		if all[i].Ceiling.Seeds > 0 {
			of, tests = append(of, &all[i]), append(tests, all[i].Ceiling)
		}
	}
	stats.AdjustCeilings(tests)
	for i, s := range of {
		s.Ceiling = tests[i]
	}
}

// aboveCeiling reports whether its accuracy is above that of the oracle on the true test snapshots
// by more than chance explains.
func (s Summary) aboveCeiling() bool { return s.Ceiling.Seeds > 0 && s.Ceiling.Above() }

// place ranks the methods that saw nothing but snapshots.
func place(m Measure, all []Summary) error {
	if !m.Tested() {
		return nil
	}
	var samples []stats.Sample
	var of []*Summary
	for i := range all {
		if s := &all[i]; s.Exposed == core.Unexposed && len(s.sample) > 0 {
			samples, of = append(samples, s.sample), append(of, s)
		}
	}
	ranking, err := stats.Rank(m.Measure(), samples)
	if err != nil {
		return err
	}
	for i, s := range of {
		s.Places = ranking.Places[i]
	}
	return nil
}

// At is the mean score at a step, counted from 1, or at the last one for 0. It is rounded, so that
// the order of a sum cannot decide a rank. It is NaN if there is none.
func (s Summary) At(step int) float64 {
	if step == 0 {
		step = len(s.Mean)
	}
	if step < 1 || step > len(s.Mean) {
		return math.NaN()
	}
	return s.rounded(s.Mean[step-1])
}

// Overall is the mean over the runs of the score over all steps, combined as the measure says, and
// rounded likewise. It is NaN if there is none.
func (s Summary) Overall() float64 {
	if s.measure.RootMeanSquare {
		return s.rounded(RunMean(s.OK, func(run *results.Run) float64 { return s.measure.together(run.Ranked.Score) }))
	}
	sum := 0.0
	for i := range s.Mean {
		sum += s.At(i + 1)
	}
	return s.rounded(sum / float64(len(s.Mean)))
}

// rounded keeps nine digits: behind the point of a share, of others from the first.
func (s Summary) rounded(v float64) float64 {
	scale := 1e9
	if a := math.Abs(v); !s.measure.Share() && a > 0 && a < Beyond {
		scale = math.Pow10(8 - int(math.Floor(math.Log10(a))))
	}
	if rounded := math.Round(v*scale) / scale; !math.IsNaN(rounded) && !math.IsInf(rounded, 0) {
		return rounded
	}
	return v
}

// Trained is the number of runs that learned.
func (s Summary) Trained() int {
	n := 0
	for _, run := range s.Runs {
		if run.Trained {
			n++
		}
	}
	return n
}

// Tried is the number of runs that were not skipped.
func (s Summary) Tried() int {
	n := 0
	for _, run := range s.Runs {
		if run.Status != results.StatusSkipped {
			n++
		}
	}
	return n
}

// status is "ok" if every run is, "4/6 ok" if some or none of several are, and how the run ended for a single one.
func (s Summary) status() string {
	switch {
	case len(s.OK) == len(s.Runs):
		return string(results.StatusOK)
	case len(s.Runs) == 1 && s.Runs[0].Status != results.StatusOK:
		return OneLine(string(s.Runs[0].Status))
	case len(s.Runs) == 1:
		return string(results.StatusInvalid)
	}
	return fmt.Sprintf("%d/%d ok", len(s.OK), len(s.Runs))
}

// Remarks returns what a reader of a figure must know in addition to the label: "failed", "4/6
// seeds ok", "untrained", "5/6 trained", "sees the oracle".
func (s Summary) Remarks() []string {
	var remarks []string
	switch {
	case len(s.OK) == 0 && len(s.Runs) == 1:
		remarks = append(remarks, s.status())
	case s.Tried() == 0:
		remarks = append(remarks, string(results.StatusSkipped))
	case len(s.OK) == 0:
		remarks = append(remarks, "failed")
	case len(s.OK) < len(s.Runs):
		remarks = append(remarks, fmt.Sprintf("%d/%d seeds ok", len(s.OK), len(s.Runs)))
	}
	learned := 0
	for _, run := range s.OK {
		if run.Trained {
			learned++
		}
	}
	switch {
	case learned == len(s.OK):
	case learned == 0:
		remarks = append(remarks, "untrained")
	default:
		remarks = append(remarks, fmt.Sprintf("%d/%d trained", learned, len(s.Runs)))
	}
	if word := exposureWords[s.Exposed]; word != "" {
		remarks = append(remarks, word)
	}
	return remarks
}

var exposureWords = map[core.Exposure]string{
	core.OracleExposed: "sees the oracle",
	core.LabelExposed:  "sees labels",
}

// StepsOf is the number of steps of the task or, if it is not known, of the runs.
func StepsOf(t results.TaskInfo, all []Summary) int {
	steps := max(t.Steps, 1)
	for _, s := range all {
		steps = max(steps, len(s.Mean))
	}
	return steps
}
