package stats

import (
	"fmt"
	"math"

	"github.com/koopbench/koopbench/core"
)

// check says what keeps scores from being a table [seed, snapshot] of values in [least,most].
func check(scores [][]float64, least, most float64) error {
	if len(scores) == 0 || len(scores[0]) == 0 {
		return fmt.Errorf("%w: a table of scores without seeds or without snapshots; give at least one of each",
			core.ErrShape)
	}
	for s, row := range scores {
		if len(row) != len(scores[0]) {
			return fmt.Errorf(
				"%w: row %d has scores of %d snapshots and row 0 of %d; all seeds are scored on the same snapshots", core.ErrShape,
				s, len(row), len(scores[0]))
		}
		for i, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%w: the score of row %d, snapshot %d is %v", core.ErrNonFinite, s, i, v)
			}
			if v < least || v > most {
				return fmt.Errorf("%w: the score of row %d, snapshot %d is %v; scores lie in [%v,%v]", core.ErrOption, s, i, v,
					least, most)
			}
		}
	}
	return nil
}
