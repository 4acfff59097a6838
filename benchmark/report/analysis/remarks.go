package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// BandsNote explains the lines and bands of scores; "" if there is no band. With a single seed,
// they cover less.
func BandsNote(shown []Exhibit) string {
	single, several := false, false
	for _, e := range shown {
		if e.Total != nil {
			single, several = single || e.Total.Seeds == 1, several || e.Total.Seeds > 1
		}
	}
	switch {
	case single && several:
		return "Lines: means over the seeds. Bands: 95% intervals over seeds and test snapshots; " +
			"with one seed, over test snapshots only."
	case single:
		return "Bands: 95% intervals over test snapshots only, because there is one seed."
	case several:
		return "Lines: means over the seeds. Bands: 95% intervals over seeds and test snapshots."
	}
	return ""
}

// Caveat says why scores are not those of a whole run on test data; "" if they are.
func Caveat(r *results.Results) string {
	var all []string
	if r.Task.Part == results.ValidationPart {
		all = append(all, "This is a search for options: scores are on the validation data, not the test data.")
	}
	if r.MaxEpochs > 0 {
		all = append(all, fmt.Sprintf("Training was cut short: at most %s of training (--epochs %d).",
			Counted(r.MaxEpochs, "epoch"), r.MaxEpochs))
	}
	return strings.Join(all, " ")
}

// Conditions are the conditions of the scores: the protocol, and how long training was.
func Conditions(r *results.Results) string {
	return strings.TrimSpace("Protocol " + ProtocolText(r.Protocol, r.Task) + ". " + Caveat(r))
}

// AboveMark is the mark of a method whose accuracy is above that of the oracle on true snapshots.
const AboveMark = "!"

// Marks are the marks after the name of a method.
func (s Summary) Marks() []string {
	var marks []string
	if mark := exposureMarks[s.Exposed]; mark != "" {
		marks = append(marks, mark)
	}
	if s.aboveCeiling() {
		marks = append(marks, AboveMark)
	}
	return marks
}

// marked is the label with its marks.
func (s Summary) marked() string { return strings.Join(append([]string{s.Label}, s.Marks()...), " ") }

var exposureMarks = map[core.Exposure]string{core.OracleExposed: "†", core.LabelExposed: "‡"}

// Meaning explains a mark.
func Meaning(mark string, t results.TaskInfo) string {
	if mark == AboveMark {
		return "above the oracle on true " + SnapshotWord(t) + "s"
	}
	for exposure, sign := range exposureMarks {
		if sign == mark {
			return exposureWords[exposure]
		}
	}
	return ""
}

// aboveText is the warning about a method whose accuracy is above that of the oracle on true
// snapshots.
func (s Summary) aboveText(t results.TaskInfo) string {
	c := s.Ceiling
	p := strings.Replace("p = "+probability(&c.Adjusted), "= <", "< ", 1)
	return fmt.Sprintf("its %s of %.3f is %.3f above that of the oracle on true %ss, "+
		"by more than chance explains (%s to %s, %s). Either its predictions are clearer than true %[4]ss, "+
		"or it uses information that a method must not have. Look at its predictions",
		s.measure.Name, s.Overall(), c.Difference, SnapshotWord(t), signed(&c.Interval.Low), signed(&c.Interval.High), p)
}

// ChecksText gives the outcome of a plugin's conformance checks; "" without a plugin.
func ChecksText(p *results.PluginInfo) string {
	switch {
	case p == nil:
		return ""
	case p.Checks == nil:
		return "plugin, checks not run"
	case len(p.Checks.Failed) > 0:
		return "plugin, failed: " + strings.Join(p.Checks.Failed, ", ")
	}
	return fmt.Sprintf("plugin, %s passed", Counted(p.Checks.Passed, "check"))
}

// Checked returns the outcome of the checks of the runs' plugin: "" without a plugin, "failed" if a
// check failed for any run, otherwise "not run" if the checks were not run for any of them,
// otherwise "passed". passed is the number of checks that passed, and failed the names of those
// that failed.
func Checked(runs []*results.Run) (outcome string, passed int, failed []string) {
	for _, run := range runs {
		p := run.Plugin
		switch {
		case p == nil:
		case p.Checks == nil:
			if outcome != "failed" {
				outcome = "not run"
			}
		case len(p.Checks.Failed) > 0:
			outcome = "failed"
			for _, name := range p.Checks.Failed {
				if !slices.Contains(failed, name) {
					failed = append(failed, name)
				}
			}
		case outcome == "":
			outcome = "passed"
		}
		if p != nil && p.Checks != nil {
			passed = max(passed, p.Checks.Passed)
		}
	}
	return outcome, passed, failed
}
