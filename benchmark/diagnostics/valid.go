package diagnostics

// ValidSteps returns, for each start, how many steps a prediction is valid: those before the first one whose score is
// beyond a limit, lower scores being better. scores are [step][start]. A roll-out that is valid to its end has all
// steps, though it might have more.
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
