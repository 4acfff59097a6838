package results

import "fmt"

// WeakJudge is the test accuracy below which there is a warning about an oracle's verdicts.
const WeakJudge = 0.95

// Weak returns a warning if the oracle judges badly, and "" otherwise.
func (o OracleInfo) Weak() string {
	if o.TestAccuracy >= WeakJudge {
		return ""
	}
	return fmt.Sprintf("a weak judge: it labels %.1f%% of the test snapshots correctly, but at least %.0f%% is needed "+
		"for "+
		"its verdicts to count; give it more epochs", 100*o.TestAccuracy, 100*WeakJudge)
}
