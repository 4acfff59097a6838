package analysis

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/koopbench/koopbench/benchmark/results"
)

// run is short for what costs are taken from.
type run = results.Run

// Quantity is a column of numbers of runs: of what they cost, or of their operators. It is shown
// where some run tells more than nothing.
type Quantity struct {
	Name string
	more string             // what it is, where the name does not say
	Of   func(*run) float64 // not a number where the run does not tell
	text func(values []float64) string
}

// Values are those of the runs that tell.
func (c Quantity) Values(runs []*run) []float64 {
	var values []float64
	for _, r := range runs {
		if v := c.Of(r); Drawable(v) {
			values = append(values, v)
		}
	}
	return values
}

// Cell has what runs cost together.
func (c Quantity) Cell(runs []*run) cell {
	if !c.known(runs) {
		return cell{Value: None}
	}
	values := c.Values(runs)
	return cell{Value: c.text(values), Order: fmt.Sprint(Average(values))}
}

// known says that some run took more than nothing.
func (c Quantity) known(runs []*run) bool {
	return slices.ContainsFunc(c.Values(runs), func(v float64) bool { return v > 0 })
}

// The costs of the figures.
var (
	FitCost     = Quantity{"fit s", "without compilation", func(r *run) float64 { return r.FitSeconds }, meanTime}
	PredictCost = Quantity{"predict s", "all steps", func(r *run) float64 { return r.Ranked.PredictSeconds }, meanTime}
)

// PredictSecondsBy are those of the roll-out by a protocol; not a number where there is none.
func PredictSecondsBy(protocol string) func(*run) float64 {
	return func(r *run) float64 {
		if e := r.Evaluation(protocol); e != nil && e.Status == results.StatusOK {
			return e.PredictSeconds
		}
		return math.NaN()
	}
}

// costs are the columns in their order. other is the protocol that does not rank, "" for none.
func costs(other string) []Quantity {
	return []Quantity{
		{"parameters", "", func(r *run) float64 { return float64(r.Parameters) }, wholes},
		{"operator rank", "", func(r *run) float64 { return float64(r.Rank) }, wholes},
		FitCost,
		{"compile s", "", func(r *run) float64 { return r.CompileSeconds }, meanTime},
		PredictCost,
		{other + " s", "all steps, by " + other, PredictSecondsBy(other), meanTime},
		{"cpu s", "all processes", CPUSeconds, meanTime},
		{"peak MiB", "of a process", func(r *run) float64 { return float64(r.PeakRSSBytes) / (1 << 20) }, meanWhole},
		{"rpc s", "overhead of calls", RPCSeconds, meanTime},
		{"rpc MiB", "both ways", func(r *run) float64 { return RPCBytes(r) / (1 << 20) }, meanTime},
	}
}

// ShownCosts are those of which some run tells.
func ShownCosts(r *results.Results, all []Summary) []Quantity {
	return knownOf(costs(OtherProtocol(r)), all)
}

// knownOf are the quantities of which some run tells.
func knownOf(quantities []Quantity, all []Summary) []Quantity {
	return slices.DeleteFunc(quantities, func(c Quantity) bool {
		return !slices.ContainsFunc(all, func(s Summary) bool { return c.known(s.OK) })
	})
}

// CPUSeconds is not a number where they are not known.
func CPUSeconds(r *run) float64 { return orUnknown(r.CPUSeconds) }

// RPCSeconds is not a number where there is no other process, or it does not tell.
func RPCSeconds(r *run) float64 {
	if r.RPC == nil {
		return math.NaN()
	}
	return orUnknown(r.RPC.Seconds)
}

// RPCBytes are those sent and received; not a number where there is no other process.
func RPCBytes(r *run) float64 {
	if r.RPC == nil {
		return math.NaN()
	}
	return float64(r.RPC.SentBytes) + float64(r.RPC.ReceivedBytes)
}

func orUnknown(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// wholes writes whole numbers: "5", "2..4" where they differ, with thousands apart.
func wholes(values []float64) string {
	if low, high := slices.Min(values), slices.Max(values); low != high {
		return thousands(low) + ".." + thousands(high)
	}
	return thousands(values[0])
}

func meanTime(values []float64) string { return secondsText(Average(values)) }

// meanWhole writes the mean as a whole number, or to a digit where it is small.
func meanWhole(values []float64) string {
	if v := Average(values); v >= 10 {
		return thousands(v)
	}
	return strconv.FormatFloat(Average(values), 'g', 2, 64)
}

// thousands writes a whole number with a narrow space between each three digits, from 10 000 on.
func thousands(v float64) string {
	text := strconv.FormatFloat(v, 'f', 0, 64)
	if len(text) < 5 {
		return text
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}
