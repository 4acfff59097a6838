package analysis

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

// noteGroup is a heading with sentences under it.
type noteGroup struct {
	Heading string
	Notes   []string
}

func notes(r *results.Results, all []Summary) []noteGroup {
	m, other := MeasureOf(r.Task), OtherProtocol(r)
	failed, untrained := noteGroup{Heading: "not ok"}, noteGroup{Heading: "untrained"}
	elsewhere := noteGroup{Heading: "not ok by " + other}
	untold, unplaced := noteGroup{Heading: "without interval"}, noteGroup{Heading: "without rank"}
	warnings, plugins := noteGroup{Heading: "warnings"}, noteGroup{Heading: "plugins"}
	ranked := slices.ContainsFunc(all, func(s Summary) bool { return s.Places.Ranked() })
	for _, w := range r.Oracle.Warnings {
		warnings.Notes = append(warnings.Notes, "oracle: "+OneLine(w))
	}
	if text := ChecksText(r.Oracle.Plugin); text != "" {
		plugins.Notes = append(plugins.Notes, "oracle: "+OneLine(text))
	}
	if text := ChecksText(r.Task.Plugin); text != "" {
		plugins.Notes = append(plugins.Notes, "task: "+OneLine(text))
	}
	for _, s := range all {
		var ends, others, reasons, said, checks sayings
		for _, run := range s.Runs {
			switch {
			case run.Status != results.StatusOK:
				ends.add(string(run.Status)+": "+orUnsaid(run.Reason), run)
			case len(run.Ranked.Score) == 0:
				ends.add("ok, but has no "+m.Name, run)
			case !run.Trained:
				reasons.add(orUnsaid(run.Reason), run)
			}
			if e := run.Evaluation(other); e != nil && e.Status != results.StatusOK && e.Status != results.StatusSkipped {
				others.add(string(e.Status)+": "+orUnsaid(e.Reason), run)
			}
			for _, w := range run.Warnings {
				said.add(w, run)
			}
			if text := ChecksText(run.Plugin); text != "" {
				checks.add(text, run)
			}
		}
		if s.aboveCeiling() {
			warnings.Notes = append(warnings.Notes, s.Label+": "+s.aboveText(r.Task))
		}
		switch {
		case len(s.OK) == 0 || !m.Tested():
		case s.Total == nil:
			untold.Notes = append(untold.Notes, s.Label+": the results do not have the scores behind the "+m.Name)
		case ranked && s.Exposed == core.Unexposed && !s.Places.Ranked():
			unplaced.Notes = append(unplaced.Notes, fmt.Sprintf("%s: it has fewer than %d seeds in common with every other "+
				"method",
				s.Label, stats.LeastSeeds))
		}
		failed.Notes = append(failed.Notes, ends.lines(s.Label)...)
		elsewhere.Notes = append(elsewhere.Notes, others.lines(s.Label)...)
		untrained.Notes = append(untrained.Notes, reasons.lines(s.Label)...)
		warnings.Notes = append(warnings.Notes, said.lines(s.Label)...)
		plugins.Notes = append(plugins.Notes, checks.lines(s.Label)...)
	}
	groups := []noteGroup{failed, elsewhere, untrained, untold, unplaced, warnings, plugins}
	return slices.DeleteFunc(groups, func(g noteGroup) bool { return len(g.Notes) == 0 })
}

// sayings gathers the runs of a method that say the same.
type sayings struct {
	texts []string
	runs  map[string][]*results.Run
}

func (s *sayings) add(text string, run *results.Run) {
	text = OneLine(text)
	if s.runs == nil {
		s.runs = map[string][]*results.Run{}
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
		lines = append(lines, fmt.Sprintf("%s, %s: %s", label, SeedWords(SeedsOf(s.runs[text])), text))
	}
	return lines
}

func orUnsaid(text string) string { return cmp.Or(OneLine(text), "no reason given") }
