package tune

import (
	"cmp"
	"fmt"
	"maps"
	"math"

	"github.com/koopbench/koopbench/benchmark/results"
)

// Choose adds to each trial of a search what the results say about it, and sets the chosen one: the
// best of the trials whose runs are all scored. If several are equally good, it is the first of
// them. The trials already have their methods and options.
func Choose(s results.Search, r *results.Results) results.Search {
	trials := s.Trials
	s.Trials, s.Chosen, s.LowerIsBetter = make([]results.Trial, len(trials)), nil, s.Score == results.ScoreNRMSE
	s.OracleExposed = s.Score == results.ScoreAccuracy
	for i, t := range trials {
		s.Trials[i] = scored(s, t, r)
		score := s.Trials[i].Score
		if score == nil {
			continue
		}
		if s.Chosen == nil || s.Better(*score, *s.Trials[*s.Chosen].Score) {
			s.Chosen = &i
		}
	}
	return s
}

// scored is the trial with its scores, or with the reason why it has none.
func scored(s results.Search, t results.Trial, r *results.Results) results.Trial {
	options := map[string]any{} // as the runs had them
	maps.Copy(options, t.Options)
	t = results.Trial{Method: t.Method, Options: options, Scores: []results.Number{}}
	sum := 0.0 // of what is above the first: equal scores have their own mean, to the bit
	for _, seed := range s.Seeds {
		run := r.Run(t.Method, seed)
		for _, o := range s.Options {
			if run != nil && run.Options[o.Name] != nil {
				options[o.Name] = run.Options[o.Name]
			}
		}
		score, why := scoreOf(s.Score, r, run)
		if why != "" {
			t.Reason, t.Scores = fmt.Sprintf("seed %d: %s", seed, why), []results.Number{}
			return t
		}
		t.Scores = append(t.Scores, results.Number(score))
		sum += score - float64(t.Scores[0])
	}
	n := float64(len(t.Scores))
	mean, square := float64(t.Scores[0])+sum/n, 0.0
	for _, v := range t.Scores {
		square += (float64(v) - mean) * (float64(v) - mean)
	}
	if t.Score = results.Finite(mean); t.Score == nil {
		t.Reason = "the scores of its seeds have no finite mean"
	}
	if n > 1 {
		t.StandardError = results.Finite(math.Sqrt(square / (n - 1) / n))
	}
	return t
}

// scoreOf is the score of a run, or why there is none.
func scoreOf(score string, r *results.Results, run *results.Run) (v float64, why string) {
	switch {
	case run == nil:
		return 0, "it has not finished"
	case run.Status != results.StatusOK:
		return 0, fmt.Sprintf("%s: %s", run.Status, cmp.Or(run.Reason, "the reason is unknown"))
	case score != results.ScoreVAMP2:
		return r.Task.Measure.Together(run.Ranked.Score), ""
	case run.Diagnostics == nil || run.Diagnostics.VAMP2 == nil:
		return 0, fmt.Sprintf("its model gives no right eigenfunctions, or more of them than validation pairs, so "+
			"VAMP-2 is unknown; give --score %s, or --score %s, which sees the oracle", results.ScoreNRMSE,
			results.ScoreAccuracy)
	}
	return *run.Diagnostics.VAMP2, ""
}
