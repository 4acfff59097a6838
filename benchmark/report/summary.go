package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

// summary is what the runs of one method, over its seeds, say together.
type summary struct {
	label   string // fit to be shown
	exposed core.Exposure
	id      int                    // place among all labels in alphabetical order
	runs    []*benchmark.RunResult // by seed
	ok      []*benchmark.RunResult // those of them that were evaluated
	mean    []float64              // accuracy at each step, step 1 first, over the runs that are ok; empty where none is
	// What is known of the expected accuracy: at each step, and of its mean over all steps. nil where the results do not
	// have the labels that it takes.
	steps  []*stats.Estimate
	total  *stats.Estimate
	sample stats.Sample // seed by seed the mean over all steps
	places stats.Places // among the methods that saw nothing but snapshots
	// ceiling compares it with the oracle on the true test snapshots; without seeds if the
	// labels do not allow it.
	ceiling stats.Comparison
}

// summarize gathers runs by their method's label and ranks: methods that saw nothing but snapshots first, then those of
// each exposure; among them by the mean accuracy over all steps, then by that of the last step, then by label. Methods
// that were never evaluated come last. The error is [core.ErrUnavailable] where there is no run.
func summarize(r *benchmark.Results) ([]summary, error) {
	if r == nil || len(r.Runs) == 0 {
		return nil, fmt.Errorf("%w: the results hold no finished run; make one with: bench run", core.ErrUnavailable)
	}
	known := evidenceOf(r)
	groups := map[string]*summary{}
	for i := range r.Runs {
		run := &r.Runs[i]
		s := groups[run.Method]
		if s == nil {
			s = &summary{label: orUnnamed(run.Method)}
			groups[run.Method] = s
		}
		s.exposed = max(s.exposed, core.Exposure(run.Exposed))
		s.runs = append(s.runs, run)
	}
	all := make([]summary, 0, len(groups))
	methods := slices.Sorted(maps.Keys(groups))
	for i, method := range methods {
		s := groups[method]
		s.id = i
		slices.SortStableFunc(s.runs, func(a, b *benchmark.RunResult) int {
			return cmp.Or(cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Key, b.Key))
		})
		for _, run := range s.runs {
			if run.Status == benchmark.StatusOK && len(run.Accuracy) > 0 {
				s.ok = append(s.ok, run)
			}
		}
		s.aggregate()
		s.estimate(known)
		all = append(all, *s)
	}
	slices.SortStableFunc(all, func(a, b summary) int {
		return cmp.Or(cmp.Compare(a.exposed, b.exposed), cmp.Compare(b.overall(), a.overall()), cmp.Compare(b.at(0), a.at(0)))
	})
	testCeilings(all)
	return all, place(all)
}

func (s *summary) aggregate() {
	steps := 0
	for _, run := range s.ok {
		steps = max(steps, len(run.Accuracy))
	}
	for step := range steps {
		var values []float64
		for _, run := range s.ok {
			if step < len(run.Accuracy) && !math.IsNaN(run.Accuracy[step]) && !math.IsInf(run.Accuracy[step], 0) {
				values = append(values, run.Accuracy[step])
			}
		}
		mean := math.NaN()
		if len(values) > 0 {
			mean = stat.Mean(values, nil)
		}
		s.mean = append(s.mean, mean)
	}
}

// estimate takes from the labels what aggregate cannot know. Every run must tell.
func (s *summary) estimate(known evidence) {
	var runs [][][]float64 // [run][step][snapshot]
	var models []string
	s.sample = stats.Sample{}
	for _, run := range s.ok {
		scores := known.scores(run)
		if scores == nil || len(scores) != len(s.mean) {
			s.sample = nil
			return
		}
		runs = append(runs, scores)
		models = append(models, modelOf(run))
		if s.sample[run.Seed] == nil {
			s.sample[run.Seed] = overSteps(scores)
		}
	}
	table := make([][]float64, len(runs))
	for step := range s.mean {
		for i := range runs {
			table[i] = runs[i][step]
		}
		s.steps = append(s.steps, estimate(table, models...))
	}
	for i := range runs {
		table[i] = overSteps(runs[i])
	}
	s.total = estimate(table, models...)
	labels := make([][][]int, len(s.ok))
	for i, run := range s.ok {
		labels[i] = run.Labels
	}
	// The error says that what the oracle sees in the test snapshots is not known; the table says
	// so as well.
	if c, err := stats.AboveCeiling(labels, known.seen, known.truth, known.task.Lag, known.task.States); err == nil {
		s.ceiling = c
	}
}

// testCeilings corrects the tests of all methods against the oracle on the true test snapshots.
func testCeilings(all []summary) {
	var of []*summary
	var tests []stats.Comparison
	for i := range all {
		if all[i].ceiling.Seeds > 0 {
			of, tests = append(of, &all[i]), append(tests, all[i].ceiling)
		}
	}
	stats.AdjustCeilings(tests)
	for i, s := range of {
		s.ceiling = tests[i]
	}
}

// aboveCeiling reports whether its accuracy is above that of the oracle on the true test snapshots
// by more than chance explains.
func (s summary) aboveCeiling() bool { return s.ceiling.Seeds > 0 && s.ceiling.Above() }

// place ranks the methods that saw nothing but snapshots.
func place(all []summary) error {
	var samples []stats.Sample
	var of []*summary
	for i := range all {
		if s := &all[i]; s.exposed == core.Unexposed && len(s.sample) > 0 {
			samples, of = append(samples, s.sample), append(of, s)
		}
	}
	ranking, err := stats.Rank(samples)
	if err != nil {
		return err
	}
	for i, s := range of {
		s.places = ranking.Places[i]
	}
	return nil
}

// at is the mean accuracy at a step, counted from 1, 0 for the last one, rounded so that the order of a sum decides no
// rank; −1 where there is none.
func (s summary) at(step int) float64 {
	if step == 0 {
		step = len(s.mean)
	}
	if step < 1 || step > len(s.mean) || math.IsNaN(s.mean[step-1]) {
		return -1
	}
	return math.Round(s.mean[step-1]*1e9) / 1e9
}

// overall is the mean accuracy over all steps, rounded likewise; −1 where there is none.
func (s summary) overall() float64 {
	if len(s.mean) == 0 {
		return -1
	}
	sum := 0.0
	for i := range s.mean {
		sum += s.at(i + 1)
	}
	return math.Round(sum/float64(len(s.mean))*1e9) / 1e9
}

// trained is the number of runs that have learned.
func (s summary) trained() int {
	n := 0
	for _, run := range s.runs {
		if run.Trained {
			n++
		}
	}
	return n
}

// tried is the number of runs that took part: a method that is skipped has not been tried.
func (s summary) tried() int {
	n := 0
	for _, run := range s.runs {
		if run.Status != benchmark.StatusSkipped {
			n++
		}
	}
	return n
}

// status is "ok" if every run is, "4/6 ok" if some or none of several are, and how the run ended for a single one.
func (s summary) status() string {
	switch {
	case len(s.ok) == len(s.runs):
		return string(benchmark.StatusOK)
	case len(s.runs) == 1 && s.runs[0].Status != benchmark.StatusOK:
		return oneLine(string(s.runs[0].Status))
	case len(s.runs) == 1:
		return string(benchmark.StatusInvalid)
	}
	return fmt.Sprintf("%d/%d ok", len(s.ok), len(s.runs))
}

// remarks says what a reader of a figure must know besides the label: "failed", "4/6 seeds ok", "untrained",
// "5/6 trained", "sees the oracle".
func (s summary) remarks() []string {
	var remarks []string
	switch {
	case len(s.ok) == 0 && len(s.runs) == 1:
		remarks = append(remarks, s.status())
	case len(s.ok) == 0:
		remarks = append(remarks, "failed")
	case len(s.ok) < len(s.runs):
		remarks = append(remarks, fmt.Sprintf("%d/%d seeds ok", len(s.ok), len(s.runs)))
	}
	learned := 0
	for _, run := range s.ok {
		if run.Trained {
			learned++
		}
	}
	switch {
	case learned == len(s.ok):
	case learned == 0:
		remarks = append(remarks, "untrained")
	default:
		remarks = append(remarks, fmt.Sprintf("%d/%d trained", learned, len(s.runs)))
	}
	if word := exposureWords[s.exposed]; word != "" {
		remarks = append(remarks, word)
	}
	return remarks
}

var exposureWords = map[core.Exposure]string{
	core.OracleExposed: "sees the oracle",
	core.LabelExposed:  "sees labels",
}

// name is the label with its remarks in brackets.
func (s summary) name() string {
	if r := s.remarks(); len(r) > 0 {
		return s.label + " (" + strings.Join(r, ", ") + ")"
	}
	return s.label
}

// seedsOf are the seeds of runs, ascending.
func seedsOf(runs []*benchmark.RunResult) []int64 {
	seeds := make([]int64, len(runs))
	for i, run := range runs {
		seeds[i] = run.Seed
	}
	slices.Sort(seeds)
	return slices.Compact(seeds)
}

// seedText writes ascending seeds as the command line takes them: "0..4,7".
func seedText(seeds []int64) string {
	var parts []string
	for i := 0; i < len(seeds); {
		j := i
		for j+1 < len(seeds) && seeds[j+1] == seeds[j]+1 {
			j++
		}
		first := strconv.FormatInt(seeds[i], 10)
		switch j - i {
		case 0:
			parts = append(parts, first)
		case 1:
			parts = append(parts, first, strconv.FormatInt(seeds[j], 10))
		default:
			parts = append(parts, first+".."+strconv.FormatInt(seeds[j], 10))
		}
		i = j + 1
	}
	return strings.Join(parts, ",")
}

// seedWords is "seed 3" or "seeds 0..4".
func seedWords(seeds []int64) string {
	if len(seeds) == 1 {
		return "seed " + seedText(seeds)
	}
	return "seeds " + seedText(seeds)
}

// states writes how many states a task has: "5 digits".
func states(t benchmark.TaskInfo) string {
	if t.States == 1 {
		return "1 " + stateWord(t)
	}
	return fmt.Sprintf("%d %ss", t.States, stateWord(t))
}

// stateWord is what a task calls its states.
func stateWord(t benchmark.TaskInfo) string {
	if strings.Contains(t.Name, "mnist") {
		return "digit"
	}
	return "state"
}

// stepsOf is the number of steps that the task or, failing that, the runs have.
func stepsOf(t benchmark.TaskInfo, all []summary) int {
	steps := max(t.Steps, 1)
	for _, s := range all {
		steps = max(steps, len(s.mean))
	}
	return steps
}
