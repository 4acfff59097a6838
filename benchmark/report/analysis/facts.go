package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

func facts(r *results.Results, all []Summary, known Evidence) [][2]string {
	var facts [][2]string
	m := known.measure
	add := func(name, format string, args ...any) {
		facts = append(facts, [2]string{name, fmt.Sprintf(format, args...)})
	}
	seen := map[core.Exposure]bool{}
	single, several, ranked, tried, mixed := false, false, false, false, false
	for _, s := range all {
		seen[s.Exposed] = true
		ranked = ranked || s.Places.Ranked()
		tried = tried || s.Tried() > 1
		mixed = mixed || s.Trained() > 0 && s.Trained() < s.Tried()
		if s.Total != nil {
			single, several = single || s.Total.Seeds == 1, several || s.Total.Seeds > 1
		}
	}
	if seen[core.OracleExposed] {
		add("†", "uses the encoder of the oracle that judges it, so it is not ranked")
	}
	if seen[core.LabelExposed] {
		add("‡", "sees the labels of the training data, so it is not ranked")
	}
	if slices.ContainsFunc(all, Summary.aboveCeiling) {
		add(AboveMark, "%s, by more than chance explains; see the warnings", Meaning(AboveMark, r.Task))
	}
	lower := ""
	if m.LowerIsBetter {
		lower = ", the lowest first"
	}
	over := "over all steps"
	if m.RootMeanSquare {
		over = "over all steps (root mean square)"
	}
	add("mean", "%s %s; rows are sorted by it%s", m.Label(), over, lower)
	if !m.Tested() {
		add("interval", withoutIntervals)
	}
	parts := "test snapshots"
	if !m.Share() {
		parts = "blocks of consecutive test snapshots"
	}
	if several {
		add("interval", "95%%, for the expected %s over seeds and %s", m.Name, parts)
		if single {
			add("", "with one seed: over %s only", parts)
		}
		add("sd", "standard deviation of the mean: between seeds, and below it between %s", parts)
	} else if single {
		add("interval", "95%%, over %s only", parts)
	}
	if ranked {
		add("rank", "possible places by paired tests at common seeds (5%% level, Holm's correction over all pairs)")
	} else if single || several {
		add("rank", "a ranking needs at least %d seeds; give more, like --seeds 0..9", stats.LeastSeeds)
	}
	if tried {
		add("trained", "runs that learned, out of those tried, and the 95%% interval of that share")
		if mixed {
			add("", "if some runs do not learn, intervals from few seeds are too narrow")
		}
	}
	if !slices.ContainsFunc(r.Baselines, func(b results.Baseline) bool { return b.Name == PersistenceName }) {
		add("baseline", "persistence is unknown, because the results do not have its scores")
	}
	if text := OracleText(r); text != "" {
		add("oracle", "%s", text)
	}
	add("protocol", "%s", ProtocolText(r.Protocol, r.Task))
	if other := OtherProtocol(r); other != "" {
		add(other, "mean over all steps by this protocol, which does not rank")
		add("", "%s", protocolWords(other, r.Task))
		if slices.ContainsFunc(all, func(s Summary) bool { return s.Other.Ended() == string(results.StatusSkipped) }) {
			add("", "%s: the model predicts one step at a time", results.StatusSkipped)
		}
	}
	add("seeds", "%s", seedsText(all))
	return append(facts, costFacts(all)...)
}

// OracleText says who judges, and how well; "" where no oracle does.
func OracleText(r *results.Results) string {
	if !r.Task.Judged() {
		return ""
	}
	o := r.Oracle
	return fmt.Sprintf("%s, seed %d: accuracy %.3f on validation, %.3f on test snapshots%s", OrUnnamed(o.Name), o.Seed,
		o.ValidationAccuracy, o.TestAccuracy, Weak(r))
}

// Weak is ": a weak judge" of an oracle that is one, "" otherwise.
func Weak(r *results.Results) string {
	if r.Task.Judged() && r.Oracle.TestAccuracy < results.WeakJudge {
		return ": a weak judge"
	}
	return ""
}

// costFacts says what the costs are, as far as it is not the same for all runs.
func costFacts(all []Summary) [][2]string {
	facts := [][2]string{{"costs", "means over the runs that are ok; memory is the peak of the largest process of a run"}}
	shared, untold := false, false
	for _, s := range all {
		for _, run := range s.OK {
			shared = shared || run.PeakRSSBytes > 0 && !run.Isolated
			untold = untold || run.CPUSeconds == nil && run.Jobs > 1
		}
	}
	if shared {
		facts = append(facts, [2]string{"",
			"without --isolate, runs share a process, and memory is the peak of all runs in it so far"})
	}
	if untold {
		facts = append(facts, [2]string{"",
			"processor time is unknown for runs that share a process at the same time; use --isolate"})
	}
	return facts
}

// ProtocolText is the name of a protocol and what it is.
func ProtocolText(protocol string, t results.TaskInfo) string {
	if words := protocolWords(protocol, t); words != "" {
		return protocol + ": " + words
	}
	return OrUnnamed(protocol)
}

// protocolWords says what a protocol is, "" for one that is not known.
func protocolWords(protocol string, t results.TaskInfo) string {
	switch protocol {
	case results.ProtocolReencode:
		return "each predicted " + SnapshotWord(t) + " is the input of the next step"
	case results.ProtocolPowers:
		return "every step is predicted from the test " + SnapshotWord(t) +
			" itself, by powers of the operator; do not compare with " + results.ProtocolReencode
	}
	return ""
}

// seedsText lists the seeds of all runs, and the methods that ran at other seeds than these.
func seedsText(all []Summary) string {
	var runs []*results.Run
	for _, s := range all {
		runs = append(runs, s.Runs...)
	}
	text := SeedText(SeedsOf(runs))
	var others []string
	for _, s := range all {
		if own := SeedText(SeedsOf(s.Runs)); own != text {
			others = append(others, fmt.Sprintf("%s %s", s.Label, own))
		}
	}
	if len(others) > 0 {
		text += " (only: " + strings.Join(others, "; ") + ")"
	}
	return text
}
