package benchmark

import (
	"fmt"

	"github.com/koopbench/koopbench/benchmark/stats"
)

// aboveOracle returns a warning for each method about whose predictions the oracle is right more often
// than about the true test snapshots, whose states are truth, by more than chance explains
// ([stats.AboveCeiling], corrected for the number of methods).
func (r *Results) aboveOracle(truth []int) []string {
	var methods []string
	labels := map[string][][][]int{}
	for _, run := range r.Runs {
		if run.Status != StatusOK {
			continue
		}
		if labels[run.Method] == nil {
			methods = append(methods, run.Method)
		}
		labels[run.Method] = append(labels[run.Method], run.Labels)
	}
	tests := make([]stats.Comparison, len(methods))
	for i, method := range methods {
		var err error
		if tests[i], err = stats.AboveCeiling(labels[method], r.Oracle.TestLabels, truth, r.Task.Lag, r.Task.States); err != nil {
			return nil // what the oracle sees in the test snapshots is not known
		}
	}
	stats.AdjustCeilings(tests)
	var warnings []string
	for i, method := range methods {
		if c := tests[i]; c.Above() {
			warnings = append(warnings, fmt.Sprintf("%s: the oracle is right about %.3f of its predictions and about %.3f of the "+
				"true test snapshots, which chance does not explain (p = %.2g): its images are clearer, or it has seen the test",
				method, r.Oracle.TestAccuracy+c.Difference, r.Oracle.TestAccuracy, c.Adjusted))
		}
	}
	return warnings
}
