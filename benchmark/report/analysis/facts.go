package analysis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

func facts(r *benchmark.Results, all []Summary, known Evidence) [][2]string {
	var facts [][2]string
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
		add("†", "is handed the encoder of the oracle that judges it: not ranked")
	}
	if seen[core.LabelExposed] {
		add("‡", "sees the labels of the training data: not ranked")
	}
	if slices.ContainsFunc(all, Summary.aboveCeiling) {
		add(AboveMark, "above the oracle on true images by more than chance explains: see the warnings")
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
		OrUnnamed(r.Oracle.Name), r.Oracle.Seed, r.Oracle.ValidationAccuracy, r.Oracle.TestAccuracy, weak)
	add("protocol", "%s", ProtocolText(r.Protocol))
	add("seeds", "%s", seedsText(all))
	facts = append(facts, costFacts(all)...)
	return facts
}

// costFacts says what the costs are, as far as it is not the same for all runs.
func costFacts(all []Summary) [][2]string {
	facts := [][2]string{{"costs", "means over the runs that are ok; memory is that of the largest process of a run"}}
	shared, untold := false, false
	for _, s := range all {
		for _, run := range s.OK {
			shared = shared || run.PeakRSSBytes > 0 && !run.Isolated
			untold = untold || run.CPUSeconds == nil && run.Jobs > 1
		}
	}
	if shared {
		facts = append(facts, [2]string{"",
			"where a run shares its process with others, as without --isolate, that of all since it began"})
	}
	if untold {
		facts = append(facts, [2]string{"",
			"processor time cannot be told apart where runs share a process at once; use --isolate"})
	}
	return facts
}

// ProtocolText is the name of a protocol and what it is.
func ProtocolText(protocol string) string {
	if words := protocolWords(protocol); words != "" {
		return protocol + ": " + words
	}
	return OrUnnamed(protocol)
}

// protocolWords says what a protocol is, "" for one that is not known.
func protocolWords(protocol string) string {
	switch protocol {
	case benchmark.ProtocolReencode:
		return "each predicted image is the input of the next step"
	case benchmark.ProtocolPowers:
		return "every step is predicted from the test image itself, by powers of the operator; not comparable with " +
			benchmark.ProtocolReencode
	}
	return ""
}

// ByProtocol is what a title says of a protocol that is not the usual one.
func ByProtocol(protocol string) string {
	if protocol == benchmark.ProtocolReencode || protocol == "" {
		return ""
	}
	return ", protocol " + OneLine(protocol)
}

// seedsText lists the seeds of all runs, and the methods that ran at other seeds than these.
func seedsText(all []Summary) string {
	var runs []*benchmark.RunResult
	for _, s := range all {
		runs = append(runs, s.Runs...)
	}
	text := seedText(SeedsOf(runs))
	var others []string
	for _, s := range all {
		if own := seedText(SeedsOf(s.Runs)); own != text {
			others = append(others, fmt.Sprintf("%s %s", s.Label, own))
		}
	}
	if len(others) > 0 {
		text += " (only: " + strings.Join(others, "; ") + ")"
	}
	return text
}
