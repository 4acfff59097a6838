package results

import (
	"fmt"

	"github.com/koopbench/koopbench/benchmark/stats"
)

// AboveOracle returns a warning for each method for which the oracle is right about predictions
// more often than about the starts themselves, by more than chance explains ([stats.AboveCeiling],
// corrected for the number of methods).
func (r *Results) AboveOracle() []string {
	ceiling := r.OracleScores()
	if ceiling == nil {
		return nil
	}
	var methods []string
	scores := map[string][][][]float64{}
	for _, run := range r.Runs {
		if run.Status != StatusOK {
			continue
		}
		if scores[run.Method] == nil {
			methods = append(methods, run.Method)
		}
		scores[run.Method] = append(scores[run.Method], r.ScoresOf(run.Ranked))
	}
	tests := make([]stats.Comparison, len(methods))
	for i, method := range methods {
		var err error
		if tests[i], err = stats.AboveCeiling(scores[method], ceiling); err != nil {
			return nil
		}
	}
	stats.AdjustCeilings(tests)
	var warnings []string
	for i, method := range methods {
		if c := tests[i]; c.Above() {
			warnings = append(warnings, fmt.Sprintf("%s: the oracle is right about %.3f of its predictions and about %.3f of "+
				"the true test snapshots, which chance does not explain (p = %.2g): its images are clearer, or it has seen the "+
				"test", method, r.Oracle.TestAccuracy+c.Difference, r.Oracle.TestAccuracy, c.Adjusted))
		}
	}
	return warnings
}
