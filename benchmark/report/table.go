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
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

// table is a page of text before it takes the form of a terminal or of Markdown.
type table struct {
	title    string
	remark   string // under the title, "" for none
	columns  []column
	sections []section
	costs    *table // of the same methods, nil for none
	facts    [][2]string
	notes    []noteGroup
}

// column is the head of a column.
type column struct {
	name   string
	more   string // what it is, where the name does not say
	right  bool   // numbers stand to the right
	excess int    // if the table is too wide, the column with the largest goes first, and one with 0 stays
}

// section is rows under a heading, which the first one lacks.
type section struct {
	heading string
	rows    []row
}

// row is that of a method or of a baseline.
type row struct {
	cells  []cell
	method *summary  // nil for none
	level  *baseline // nil for none
}

// cell is a value and how sure it is. order is what to sort by, "" for the value.
type cell struct{ value, detail, order string }

// share is a cell of k of n.
func share(k, n int) cell {
	if n == 0 {
		return cell{value: none}
	}
	return cell{value: fmt.Sprintf("%d/%d", k, n), order: fmt.Sprint(float64(k) / float64(n))}
}

// noteGroup is a heading with sentences under it.
type noteGroup struct {
	heading string
	notes   []string
}

func newTable(r *benchmark.Results) (*table, error) {
	all, err := summarize(r)
	if err != nil {
		return nil, err
	}
	return layOut(r, all, evidenceOf(r)), nil
}

func layOut(r *benchmark.Results, all []summary, known evidence) *table {
	steps := stepsOf(r.Task, all)
	shown := shownSteps(steps, r.Task)
	t := &table{remark: cutShort(r), title: fmt.Sprintf("%s: %s, accuracy on %d test snapshots t steps ahead%s",
		orUnnamed(r.Task.Name), states(r.Task), r.Task.Test, byProtocol(r.Task.Protocol))}
	t.columns = []column{
		{name: "rank"}, {name: "method"}, {name: "ok", excess: 2}, {name: "trained", excess: 3}, {name: "mean"},
		{name: "sd", right: true, excess: 4},
	}
	for i, step := range shown {
		c := column{name: "t = " + strconv.Itoa(step), excess: 5}
		switch i {
		case len(shown) - 1:
			c.excess = 1
		case 0:
			c.excess = 2
		}
		t.columns = append(t.columns, c)
	}
	t.sections = sectionsOf(all, func(s *summary) []cell { return s.cells(shown) })
	levels := section{heading: "baselines"}
	for _, b := range baselines(r, known, steps) {
		levels.rows = append(levels.rows, row{cells: b.cells(shown, len(t.columns)), level: &b})
	}
	if len(levels.rows) > 0 {
		t.sections = append(t.sections, levels)
	}
	t.costs = costTable(all)
	t.facts = facts(r, all, known)
	t.notes = notes(r, all)
	return t
}

// sectionsOf are the methods that are ranked and those that are not.
func sectionsOf(all []summary, cells func(*summary) []cell) []section {
	sections := []section{{}, {heading: "not ranked"}}
	for i := range all {
		of := &sections[0]
		if all[i].exposed != core.Unexposed {
			of = &sections[1]
		}
		of.rows = append(of.rows, row{cells: cells(&all[i]), method: &all[i]})
	}
	return slices.DeleteFunc(sections, func(s section) bool { return len(s.rows) == 0 })
}

// costTable has what runs cost, in the columns of which some run tells.
func costTable(all []summary) *table {
	t := &table{title: "costs", columns: []column{{name: "method"}}}
	shown := shownCosts(all)
	if len(shown) == 0 {
		return nil
	}
	for _, c := range shown {
		t.columns = append(t.columns, column{name: c.name, more: c.more, right: true, excess: 1})
	}
	t.sections = sectionsOf(all, func(s *summary) []cell {
		cells := []cell{{value: s.marked()}}
		for _, c := range shown {
			cells = append(cells, c.cell(s.ok))
		}
		return cells
	})
	return t
}

// shownSteps are the steps that have a column: 1, 5 and 10 as far as they go, and the last. The
// step before stands in for one after which the states have come round, since predicting the input
// is right there.
func shownSteps(steps int, task benchmark.TaskInfo) []int {
	var shown []int
	for _, step := range []int{1, 5, 10, steps} {
		if c := task.States; step > 1 && c > 0 && (step%c)*(task.Lag%c)%c == 0 {
			step--
		}
		if step <= steps {
			shown = append(shown, step)
		}
	}
	slices.Sort(shown)
	return slices.Compact(shown)
}

func (s summary) cells(shown []int) []cell {
	trained := share(s.trained(), s.tried())
	if s.tried() > 1 {
		trained.detail = shortInterval(stats.Proportion(s.trained(), s.tried()), 2)
	}
	cells := []cell{
		{value: s.rankText()}, {value: s.marked()}, share(len(s.ok), len(s.runs)), trained, accuracyCell(s.overall(), s.total), s.deviations(),
	}
	for _, step := range shown {
		var e *stats.Estimate
		if step <= len(s.steps) {
			e = s.steps[step-1]
		}
		cells = append(cells, accuracyCell(s.at(step), e))
	}
	return cells
}

// cells are those of a table with so many columns.
func (b baseline) cells(shown []int, columns int) []cell {
	cells := make([]cell, columns)
	cells[1].value = b.label
	cells[4] = accuracyCell(b.mean, b.total)
	for i, step := range shown {
		if step <= len(b.at) {
			cells[6+i] = accuracyCell(b.at[step-1], b.steps[step-1])
		}
	}
	return cells
}

const none = "–"

// rankText is empty for methods that are apart.
func (s summary) rankText() string {
	if s.exposed != core.Unexposed {
		return ""
	}
	return s.places.String()
}

// deviations are those of the mean over all steps, between seeds and between test snapshots.
func (s summary) deviations() cell {
	if s.total == nil {
		return cell{value: none}
	}
	root := func(variance float64) string {
		if math.IsNaN(variance) {
			return none
		}
		return withoutZero(math.Sqrt(variance), 3)
	}
	return cell{value: root(s.total.Components.Seeds), detail: root(s.total.Components.Snapshots)}
}

func accuracyCell(mean float64, e *stats.Estimate) cell {
	if mean < 0 {
		return cell{value: none}
	}
	c := cell{value: fmt.Sprintf("%.3f", mean)}
	if e != nil {
		c.detail = shortInterval(e.Interval, 3)
	}
	return c
}

// shortInterval is ".951–.983".
func shortInterval(i stats.Interval, digits int) string {
	return withoutZero(i.Low, digits) + "–" + withoutZero(i.High, digits)
}

// withoutZero writes a number from 0 to 1 in few characters: ".95", "0", "1".
func withoutZero(v float64, digits int) string {
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if whole, part, _ := strings.Cut(text, "."); strings.Trim(part, "0") == "" {
		return whole
	}
	return strings.TrimPrefix(text, "0")
}

// runMean is the mean over runs, not a number without any.
func runMean(runs []*benchmark.RunResult, of func(*benchmark.RunResult) float64) float64 {
	if len(runs) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, r := range runs {
		sum += of(r) / float64(len(runs))
	}
	return sum
}

func secondsText(mean float64) string {
	switch {
	case math.IsNaN(mean) || math.IsInf(mean, 0):
		return none
	case mean >= 99.95:
		return fmt.Sprintf("%.0f", mean)
	case mean >= 9.995:
		return fmt.Sprintf("%.1f", mean)
	}
	return fmt.Sprintf("%.2f", mean)
}

func facts(r *benchmark.Results, all []summary, known evidence) [][2]string {
	var facts [][2]string
	add := func(name, format string, args ...any) {
		facts = append(facts, [2]string{name, fmt.Sprintf(format, args...)})
	}
	seen := map[core.Exposure]bool{}
	single, several, ranked, tried, mixed := false, false, false, false, false
	for _, s := range all {
		seen[s.exposed] = true
		ranked = ranked || s.places.Ranked()
		tried = tried || s.tried() > 1
		mixed = mixed || s.trained() > 0 && s.trained() < s.tried()
		if s.total != nil {
			single, several = single || s.total.Seeds == 1, several || s.total.Seeds > 1
		}
	}
	if seen[core.OracleExposed] {
		add("†", "is handed the encoder of the oracle that judges it: not ranked")
	}
	if seen[core.LabelExposed] {
		add("‡", "sees the labels of the training data: not ranked")
	}
	if slices.ContainsFunc(all, summary.aboveCeiling) {
		add(aboveMark, "above the oracle on true images by more than chance explains: see the warnings")
	}
	add("mean", "accuracy over all steps; it orders the rows")
	if several {
		add("interval", "95%%, of the expected accuracy over seeds and test snapshots")
		if single {
			add("", "of one seed: over test snapshots alone")
		}
		add("sd", "of the mean between seeds, and under it between test snapshots")
	} else if single {
		add("interval", "95%%, over test snapshots alone")
	}
	if ranked {
		add("rank", "places that paired tests at common seeds leave open; Holm's correction over all pairs, 5%%")
	} else if single || several {
		add("rank", "fewer than %d seeds rank nothing; give more with --seeds 0..9", stats.LeastSeeds)
	}
	if tried {
		add("trained", "runs that learned, of those tried, and the 95%% interval of the rate of success")
		if mixed {
			add("", "where some do not learn, intervals of accuracies from few seeds are too narrow")
		}
	}
	if len(known.seen) == 0 {
		add("baseline", "persistence is not known: the results do not hold what the oracle sees in the test snapshots")
	}
	weak := ""
	if r.Oracle.TestAccuracy < benchmark.WeakJudge {
		weak = ": a weak judge"
	}
	add("oracle", "%s, seed %d: accuracy %.3f on validation, %.3f on test snapshots%s",
		orUnnamed(r.Oracle.Name), r.Oracle.Seed, r.Oracle.ValidationAccuracy, r.Oracle.TestAccuracy, weak)
	add("protocol", "%s", protocolText(r.Task.Protocol))
	add("seeds", "%s", seedsText(all))
	facts = append(facts, costFacts(all)...)
	return facts
}

// costFacts says what the costs are, as far as it is not the same for all runs.
func costFacts(all []summary) [][2]string {
	facts := [][2]string{{"costs", "means over the runs that are ok; memory is that of the largest process of a run"}}
	shared, untold := false, false
	for _, s := range all {
		for _, run := range s.ok {
			shared = shared || run.PeakRSSBytes > 0 && !run.Isolated
			untold = untold || run.CPUSeconds == nil && run.Jobs > 1
		}
	}
	if shared {
		facts = append(facts, [2]string{"", "where a run shares its process with others, as without --isolate, that of all since it began"})
	}
	if untold {
		facts = append(facts, [2]string{"", "processor time cannot be told apart where runs share a process at once; use --isolate"})
	}
	return facts
}

func protocolText(protocol string) string {
	if words := protocolWords(protocol); words != "" {
		return protocol + ": " + words
	}
	return orUnnamed(protocol)
}

// protocolWords says what a protocol is, "" for one that is not known.
func protocolWords(protocol string) string {
	switch protocol {
	case benchmark.ProtocolReencode:
		return "each predicted image is the input of the next step"
	case benchmark.ProtocolPowers:
		return "every step is predicted from the test image itself, by powers of the operator; not comparable with " + benchmark.ProtocolReencode
	}
	return ""
}

// byProtocol is what a title says of a protocol that is not the usual one.
func byProtocol(protocol string) string {
	if protocol == benchmark.ProtocolReencode || protocol == "" {
		return ""
	}
	return ", protocol " + oneLine(protocol)
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
	untold, unplaced := noteGroup{heading: "without interval"}, noteGroup{heading: "without rank"}
	plugins := noteGroup{heading: "plugins"}
	ranked := slices.ContainsFunc(all, func(s summary) bool { return s.places.Ranked() })
	for _, w := range r.Oracle.Warnings {
		warnings.notes = append(warnings.notes, "oracle: "+oneLine(w))
	}
	if text := checksText(r.Oracle.Plugin); text != "" {
		plugins.notes = append(plugins.notes, "oracle: "+oneLine(text))
	}
	for _, s := range all {
		var ends, reasons, said, checks sayings
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
			if text := checksText(run.Plugin); text != "" {
				checks.add(text, run)
			}
		}
		if s.aboveCeiling() {
			warnings.notes = append(warnings.notes, s.label+": "+s.aboveText())
		}
		switch {
		case len(s.ok) == 0:
		case s.total == nil:
			untold.notes = append(untold.notes, s.label+": its results do not hold labels that give the accuracy")
		case ranked && s.exposed == core.Unexposed && !s.places.Ranked():
			unplaced.notes = append(unplaced.notes, fmt.Sprintf("%s: fewer than %d seeds in common with any other method", s.label, stats.LeastSeeds))
		}
		failed.notes = append(failed.notes, ends.lines(s.label)...)
		untrained.notes = append(untrained.notes, reasons.lines(s.label)...)
		warnings.notes = append(warnings.notes, said.lines(s.label)...)
		plugins.notes = append(plugins.notes, checks.lines(s.label)...)
	}
	groups := []noteGroup{failed, untrained, untold, unplaced, warnings, plugins}
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
