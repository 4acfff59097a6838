package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
)

// table is a page of text before it takes the form of a terminal or of Markdown.
type table struct {
	title   string
	header  []string
	right   []bool     // column by column: numbers stand to the right
	ranked  [][]string // cells, a row a method, the best first
	exposed [][]string // the same for methods that saw more than snapshots
	facts   [][2]string
	notes   []noteGroup
}

// noteGroup is a heading with sentences under it.
type noteGroup struct {
	heading string
	notes   []string
}

var exposureMarks = map[core.Exposure]string{core.OracleExposed: " †", core.LabelExposed: " ‡"}

func newTable(r *benchmark.Results) (*table, error) {
	all, err := summarize(r)
	if err != nil {
		return nil, err
	}
	steps := stepsOf(r.Task, all)
	shown := shownSteps(steps)
	t := &table{title: fmt.Sprintf("%s: %s, accuracy on %d test snapshots t steps ahead", orUnnamed(r.Task.Name), states(r.Task), r.Task.Test)}
	t.column("method", false)
	t.column("status", false)
	t.column("trained", false)
	for _, step := range shown {
		t.column("t = "+strconv.Itoa(step), false)
	}
	for _, name := range []string{"rank", "parameters", "fit s", "predict s"} {
		t.column(name, true)
	}
	for _, s := range all {
		row := s.row(shown)
		if s.exposed == core.Unexposed {
			t.ranked = append(t.ranked, row)
		} else {
			t.exposed = append(t.exposed, row)
		}
	}
	t.facts = facts(r, all)
	t.notes = notes(r, all)
	return t, nil
}

func (t *table) column(name string, right bool) {
	t.header, t.right = append(t.header, name), append(t.right, right)
}

// shownSteps are the steps that have a column: 1, 5 and 10 as far as they go, and the last.
func shownSteps(steps int) []int {
	var shown []int
	for _, step := range []int{1, 5, 10} {
		if step < steps {
			shown = append(shown, step)
		}
	}
	return append(shown, steps)
}

func (s summary) row(shown []int) []string {
	row := []string{s.label + exposureMarks[s.exposed], s.status(), s.trainedText()}
	for _, step := range shown {
		row = append(row, s.accuracyText(step))
	}
	return append(row,
		spread(s.ok, func(r *benchmark.RunResult) int { return r.Rank }, true),
		spread(s.ok, func(r *benchmark.RunResult) int { return r.Parameters }, false),
		meanSeconds(s.ok, func(r *benchmark.RunResult) float64 { return r.FitSeconds }),
		meanSeconds(s.ok, func(r *benchmark.RunResult) float64 { return r.PredictSeconds }))
}

const none = "–"

func (s summary) trainedText() string {
	switch n := s.trained(); n {
	case len(s.runs):
		return "yes"
	case 0:
		return "no"
	default:
		return fmt.Sprintf("%d/%d", n, len(s.runs))
	}
}

func (s summary) accuracyText(step int) string {
	if s.at(step) < 0 {
		return none
	}
	text := fmt.Sprintf("%.3f", s.mean[step-1])
	if sd := s.sd[step-1]; !math.IsNaN(sd) {
		text += fmt.Sprintf(" ± %.3f", sd)
	}
	return text
}

// spread writes a whole number of each run, "4..5" where they differ. zeroIsNone says that 0 stands for nothing there.
func spread(runs []*benchmark.RunResult, of func(*benchmark.RunResult) int, zeroIsNone bool) string {
	if len(runs) == 0 {
		return none
	}
	least, most := of(runs[0]), of(runs[0])
	for _, r := range runs {
		least, most = min(least, of(r)), max(most, of(r))
	}
	switch {
	case most == 0 && zeroIsNone:
		return none
	case least == most:
		return strconv.Itoa(least)
	}
	return fmt.Sprintf("%d..%d", least, most)
}

// meanSeconds writes the mean over runs to three digits.
func meanSeconds(runs []*benchmark.RunResult, of func(*benchmark.RunResult) float64) string {
	if len(runs) == 0 {
		return none
	}
	sum := 0.0
	for _, r := range runs {
		sum += of(r) / float64(len(runs))
	}
	switch {
	case math.IsNaN(sum) || math.IsInf(sum, 0):
		return none
	case sum >= 99.95:
		return fmt.Sprintf("%.0f", sum)
	case sum >= 9.995:
		return fmt.Sprintf("%.1f", sum)
	}
	return fmt.Sprintf("%.2f", sum)
}

func facts(r *benchmark.Results, all []summary) [][2]string {
	var facts [][2]string
	add := func(name, format string, args ...any) {
		facts = append(facts, [2]string{name, fmt.Sprintf(format, args...)})
	}
	seen := map[core.Exposure]bool{}
	several := false
	for _, s := range all {
		seen[s.exposed] = true
		several = several || len(s.ok) > 1
	}
	if seen[core.OracleExposed] {
		add("†", "is handed the encoder of the oracle that judges it: not ranked")
	}
	if seen[core.LabelExposed] {
		add("‡", "sees the labels of the training data: not ranked")
	}
	weak := ""
	if r.Oracle.TestAccuracy < benchmark.WeakJudge {
		weak = ": a weak judge"
	}
	add("oracle", "%s, seed %d: accuracy %.3f on validation, %.3f on test snapshots%s",
		orUnnamed(r.Oracle.Name), r.Oracle.Seed, r.Oracle.ValidationAccuracy, r.Oracle.TestAccuracy, weak)
	if r.Task.States > 0 {
		add("chance", "%.3f (1/%d)", 1/float64(r.Task.States), r.Task.States)
	}
	add("protocol", "%s", protocolText(r.Task.Protocol))
	add("seeds", "%s", seedsText(all))
	if several {
		add("values", "mean ± standard deviation over the seeds that are ok; times are means")
	}
	return facts
}

func protocolText(protocol string) string {
	if protocol == benchmark.ProtocolReencode {
		return protocol + ": each predicted image is the input of the next step"
	}
	return orUnnamed(protocol)
}

// seedsText lists the seeds of all runs, and the methods that ran at other seeds than these.
func seedsText(all []summary) string {
	var runs []*benchmark.RunResult
	for _, s := range all {
		runs = append(runs, s.runs...)
	}
	text := seedText(seedsOf(runs))
	var others []string
	for _, s := range all {
		if own := seedText(seedsOf(s.runs)); own != text {
			others = append(others, fmt.Sprintf("%s %s", s.label, own))
		}
	}
	if len(others) > 0 {
		text += " (only: " + strings.Join(others, "; ") + ")"
	}
	return text
}

func notes(r *benchmark.Results, all []summary) []noteGroup {
	failed, untrained, warnings := noteGroup{heading: "not ok"}, noteGroup{heading: "untrained"}, noteGroup{heading: "warnings"}
	for _, w := range r.Oracle.Warnings {
		warnings.notes = append(warnings.notes, "oracle: "+oneLine(w))
	}
	for _, s := range all {
		var ends, reasons, said sayings
		for _, run := range s.runs {
			switch {
			case run.Status != benchmark.StatusOK:
				ends.add(string(run.Status)+": "+orUnsaid(run.Reason), run)
			case len(run.Accuracy) == 0:
				ends.add("ok, but without any accuracy", run)
			case !run.Trained:
				reasons.add(orUnsaid(run.Reason), run)
			}
			for _, w := range run.Warnings {
				said.add(w, run)
			}
		}
		failed.notes = append(failed.notes, ends.lines(s.label)...)
		untrained.notes = append(untrained.notes, reasons.lines(s.label)...)
		warnings.notes = append(warnings.notes, said.lines(s.label)...)
	}
	groups := []noteGroup{failed, untrained, warnings}
	return slices.DeleteFunc(groups, func(g noteGroup) bool { return len(g.notes) == 0 })
}

// sayings gathers the runs of a method that say the same.
type sayings struct {
	texts []string
	runs  map[string][]*benchmark.RunResult
}

func (s *sayings) add(text string, run *benchmark.RunResult) {
	text = oneLine(text)
	if s.runs == nil {
		s.runs = map[string][]*benchmark.RunResult{}
	}
	if s.runs[text] == nil {
		s.texts = append(s.texts, text)
	}
	s.runs[text] = append(s.runs[text], run)
}

// lines writes "vamp, seeds 0..3: text", in the order of the first seed that says it.
func (s *sayings) lines(label string) []string {
	var lines []string
	for _, text := range s.texts {
		lines = append(lines, fmt.Sprintf("%s, %s: %s", label, seedWords(seedsOf(s.runs[text])), text))
	}
	return lines
}

func orUnsaid(text string) string { return cmp.Or(oneLine(text), "no reason given") }

func orUnnamed(name string) string { return cmp.Or(oneLine(name), "unnamed") }

// maxText is the number of characters after which a text from the results is cut; results.json has all of it.
const maxText = 400

// oneLine makes text from the results fit to be shown: clean, and not endless.
func oneLine(text string) string {
	text = clean(text)
	if utf8.RuneCountInString(text) > maxText {
		text = string([]rune(text)[:maxText-1]) + "…"
	}
	return text
}

// clean is the first line of a text without characters that do not print.
func clean(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD")), "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}, text))
}
