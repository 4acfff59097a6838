package results

import (
	"math"

	"github.com/koopbench/koopbench/core"
)

// MeasureInfo is a [core.Measure] in results.
type MeasureInfo struct {
	Name          string   `json:"name"`
	Summary       string   `json:"summary"`
	Unit          string   `json:"unit,omitempty"`
	LowerIsBetter bool     `json:"lower_is_better,omitempty"`
	Least         *float64 `json:"least,omitempty"`  // of a score; none without a bound
	Most          *float64 `json:"most,omitempty"`   // likewise
	Chance        *float64 `json:"chance,omitempty"` // the score of guessing; none if it is not known
	// RootMeanSquare says that scores are combined by the root of the mean of their squares.
	RootMeanSquare bool `json:"root_mean_square,omitempty"`
}

// NewMeasureInfo is the form of a measure in results.
func NewMeasureInfo(m core.Measure) MeasureInfo {
	return MeasureInfo{
		m.Name, m.Summary, m.Unit, m.LowerIsBetter, Finite(m.Least), Finite(m.Most), Finite(m.Chance), m.RootMeanSquare,
	}
}

// Measure returns the measure that m describes.
func (m MeasureInfo) Measure() core.Measure {
	or := func(v *float64, none float64) float64 {
		if v == nil {
			return none
		}
		return *v
	}
	return core.Measure{
		Name: m.Name, Summary: m.Summary, Unit: m.Unit, LowerIsBetter: m.LowerIsBetter,
		Least: or(m.Least, math.Inf(-1)), Most: or(m.Most, math.Inf(1)), Chance: or(m.Chance, math.NaN()),
		RootMeanSquare: m.RootMeanSquare,
	}
}
