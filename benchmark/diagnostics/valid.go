package diagnostics

// ValidSteps returns, for each start, the number of steps for which a prediction is valid: those
// before the first step with a score beyond a limit. Lower scores are better. scores are
// [step][start]. If a roll-out is valid to its end, the number is that of all steps, although it
// might be valid for longer.
func ValidSteps(scores [][]float64, limit float64) []int {
	if len(scores) == 0 {
		return nil
	}
	valid := make([]int, len(scores[0]))
	for i := range valid {
		for valid[i] < len(scores) && scores[valid[i]][i] <= limit {
			valid[i]++
		}
	}
	return valid
}
