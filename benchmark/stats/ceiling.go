package stats

import (
	"fmt"
	"math"

	"github.com/koopbench/koopbench/core"
)

// AboveCeiling compares the accuracy of a method over all steps with that of the oracle on the true
// test snapshots, which is the ceiling. [Comparison.Above] of the result says whether the method is
// above it by more than chance explains.
//
//   - scores[seed][step][row] is 1 if the oracle is right about the prediction from start row, and
//     0 otherwise. Step 1 is first. There is at least one seed, and all have the same number of
//     steps.
//   - ceiling[row] is the same for start row itself.
//
// Scores are paired by the start of the roll-out. d[seed][row] is the share of steps at which the
// prediction from start row is right, minus 1 if the oracle is right about the start itself. Given
// the models and the oracle, d[seed][row] depends on that snapshot alone, so values of different
// rows are independent. Values paired by the target of a prediction are not independent, because
// each roll-out would be part of many of them. The mean of d is the method's accuracy minus the
// oracle's.
//
// The table d is tested as [Rank] tests the difference of two methods, but one seed is enough: then
// the test is about that model, over snapshots alone. P is two-sided. Adjusted is P;
// [AdjustCeilings] corrects for several methods. With one snapshot there is no test, and P is 1.
//
// The error is [core.ErrShape] for lengths that differ or are 0, and [core.ErrOption] for scores
// outside [0,1].
func AboveCeiling(scores [][][]float64, ceiling []float64) (Comparison, error) {
	table := make([][]float64, len(scores))
	for seed, steps := range scores {
		if len(steps) == 0 || len(steps) != len(scores[0]) {
			return untested, fmt.Errorf("%w: scores of %d steps at seed %d and of %d at seed 0; "+
				"give the same number, at least 1", core.ErrShape, len(steps), seed, len(scores[0]))
		}
		table[seed] = make([]float64, len(ceiling))
		for i, of := range steps {
			if len(of) != len(ceiling) {
				return untested, fmt.Errorf("%w: seed %d, step %d: %d scores for %d starts; give one each", core.ErrShape, seed,
					i+1, len(of), len(ceiling))
			}
			for row, score := range of {
				table[seed][row] += score / float64(len(steps))
			}
		}
		for row := range table[seed] {
			table[seed][row] = math.Min(1, table[seed][row]) - ceiling[row]
		}
	}
	c, err := test(table, 1)
	c.Adjusted = c.P
	return c, err
}

// Above reports whether A of the comparison, or the method of [AboveCeiling], is better by more
// than chance explains: the difference is positive, and Adjusted is below [Alpha].
func (c Comparison) Above() bool { return c.Difference > 0 && c.Adjusted < Alpha }

// AdjustCeilings sets Adjusted of the comparisons of several methods with their ceiling. It uses
// Holm's correction for all of them.
func AdjustCeilings(all []Comparison) { holm(all, 0) }
