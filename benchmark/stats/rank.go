package stats

import (
	"fmt"

	"github.com/koopbench/koopbench/core"
)

// Places is the range of ranks that a method may have, from Best to Worst; 1 is the best score.
// Both are 0 if it cannot be ranked, because it shares fewer than [LeastSeeds] seeds with every
// other method.
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

// Ranking is what is known about the order of several methods.
type Ranking struct {
	Places      []Places     // method by method, as given
	Comparisons []Comparison // of all pairs, A < B
}

// Rank compares all pairs of methods at their common seeds, and gives each method the ranks that
// the tests leave open: after every better method, and before every worse one. A difference counts
// if its adjusted probability is below [Alpha]. So the probability of a difference between any two
// methods of equal expected score is at most Alpha. All ranges together contain the true ranks with
// a confidence of 95% (Mogstad, Romano, Shaikh and Wilhelm 2024, Review of Economic Studies 91,
// 476–518). Methods whose ranges overlap are not all tied: see the pairs in Comparisons.
//
// The errors are [core.ErrShape] for scores of different lengths, [core.ErrNonFinite], and
// [core.ErrOption] for a difference of shares outside [-1,1], an error outside the measure's
// bounds, or a measure that is not covered (see [Covers]).
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
