package stats

import (
	"fmt"

	"github.com/koopbench/koopbench/core"
)

// Places is the ranks that a method may have, best and worst, 1 for the best score. Both are 0 where it cannot be
// ranked: it shares fewer than [LeastSeeds] seeds with every other method.
type Places struct{ Best, Worst int }

// Ranked reports whether the method could be ranked.
func (p Places) Ranked() bool { return p.Best > 0 }

// String is "2", "1–3" or "–".
func (p Places) String() string {
	switch {
	case !p.Ranked():
		return "–"
	case p.Best == p.Worst:
		return fmt.Sprint(p.Best)
	}
	return fmt.Sprintf("%d–%d", p.Best, p.Worst)
}

// Ranking is what can be said of the order of several methods.
type Ranking struct {
	Places      []Places     // method by method, as given
	Comparisons []Comparison // of all pairs, A < B
}

// Rank compares all pairs of methods at their common seeds and gives each the ranks that the tests leave it: one behind
// every method that is better, one before every method that is worse, where the difference counts if its adjusted
// probability is below [Alpha]. The probability that any two methods of equal expected score are told apart is then
// at most Alpha, and all ranges hold the true ranks together with a confidence of 95% (Mogstad, Romano, Shaikh and
// Wilhelm 2024, Review of Economic Studies 91, 476–518). Methods whose ranges overlap are not all tied:
// Comparisons has the pairs.
//
// The errors are [core.ErrShape] for scores of different lengths, [core.ErrNonFinite], and [core.ErrOption] for a
// difference of shares outside [-1,1], an error out of the measure's bounds, or a measure that is not covered (see
// [Covers]).
func Rank(m core.Measure, methods []Sample) (Ranking, error) {
	if err := checkScale(m); err != nil {
		return Ranking{}, err
	}
	r := Ranking{Places: make([]Places, len(methods))}
	for a := range methods {
		for b := a + 1; b < len(methods); b++ {
			c, err := compare(m, methods[a], methods[b])
			if err != nil {
				return Ranking{}, fmt.Errorf("methods %d and %d: %w", a, b, err)
			}
			c.A, c.B = a, b
			r.Comparisons = append(r.Comparisons, c)
		}
	}
	holm(r.Comparisons, LeastSeeds)
	n := 0
	for _, c := range r.Comparisons {
		if c.Seeds < LeastSeeds {
			continue
		}
		for _, k := range []int{c.A, c.B} {
			if !r.Places[k].Ranked() {
				r.Places[k].Best = 1
				n++
			}
		}
	}
	for k := range r.Places {
		if r.Places[k].Ranked() {
			r.Places[k].Worst = n
		}
	}
	for _, c := range r.Comparisons {
		if c.Adjusted >= Alpha {
			continue
		}
		better, worse := c.A, c.B
		if (c.Difference < 0) != m.LowerIsBetter {
			better, worse = c.B, c.A
		}
		r.Places[better].Worst--
		r.Places[worse].Best++
	}
	return r, nil
}
