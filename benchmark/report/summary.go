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
	"github.com/koopbench/koopbench/core"
)

// summary is what the runs of one method, over its seeds, say together.
type summary struct {
	label   string // fit to be shown
	exposed core.Exposure
	hue     int                    // place among all labels in alphabetical order: the key to colour and marker
	runs    []*benchmark.RunResult // by seed
	ok      []*benchmark.RunResult // those of them that were evaluated
	// Accuracy at each step, step 1 first, over the runs that are ok; empty where none is.
	mean, least, most []float64
	sd                []float64 // sample standard deviation, NaN for a single run
}

// summarize gathers runs by their method's label and ranks: methods that saw nothing but snapshots first, then those of
// each exposure; among them by accuracy at the last step, then by its mean over the steps, then by label. Methods that
// were never evaluated come last. The error is [core.ErrUnavailable] where there is no run.
func summarize(r *benchmark.Results) ([]summary, error) {
	if r == nil || len(r.Runs) == 0 {
		return nil, fmt.Errorf("%w: the results hold no finished run; make one with: bench run", core.ErrUnavailable)
	}
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
	for i, method := range slices.Sorted(maps.Keys(groups)) {
		s := groups[method]
		s.hue = i
		slices.SortStableFunc(s.runs, func(a, b *benchmark.RunResult) int {
			return cmp.Or(cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Key, b.Key))
		})
		for _, run := range s.runs {
			if run.Status == benchmark.StatusOK && len(run.Accuracy) > 0 {
				s.ok = append(s.ok, run)
			}
		}
		s.aggregate()
		all = append(all, *s)
	}
	slices.SortStableFunc(all, func(a, b summary) int {
		return cmp.Or(cmp.Compare(a.exposed, b.exposed), cmp.Compare(b.at(0), a.at(0)), cmp.Compare(b.overall(), a.overall()))
	})
	return all, nil
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
		mean, sd, least, most := math.NaN(), math.NaN(), math.NaN(), math.NaN()
		if len(values) > 0 {
			mean, sd = stat.MeanStdDev(values, nil)
			least, most = slices.Min(values), slices.Max(values)
		}
		s.mean, s.sd = append(s.mean, mean), append(s.sd, sd)
		s.least, s.most = append(s.least, least), append(s.most, most)
	}
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

func (s summary) overall() float64 {
	sum := 0.0
	for i := range s.mean {
		sum += s.at(i + 1)
	}
	return math.Round(sum/float64(max(1, len(s.mean)))*1e9) / 1e9
}

func (s summary) trained() int {
	n := 0
	for _, run := range s.runs {
		if run.Trained {
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
