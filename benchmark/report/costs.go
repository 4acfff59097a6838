package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/koopbench/koopbench/benchmark"
)

// cost is a column of the table of costs. It is shown where some run took more than nothing.
type cost struct {
	name string
	more string                             // what it is, where the name does not say
	of   func(*benchmark.RunResult) float64 // not a number where the run does not tell
	text func(values []float64) string
}

// values are those of the runs that tell.
func (c cost) values(runs []*benchmark.RunResult) []float64 {
	var values []float64
	for _, run := range runs {
		if v := c.of(run); drawable(v) {
			values = append(values, v)
		}
	}
	return values
}

// cell has what runs cost together.
func (c cost) cell(runs []*benchmark.RunResult) cell {
	if !c.known(runs) {
		return cell{value: none}
	}
	values := c.values(runs)
	return cell{value: c.text(values), order: fmt.Sprint(average(values))}
}

// known says that some run took more than nothing.
func (c cost) known(runs []*benchmark.RunResult) bool {
	return slices.ContainsFunc(c.values(runs), func(v float64) bool { return v > 0 })
}

var (
	fitCost     = cost{"fit s", "without compilation", func(r *benchmark.RunResult) float64 { return r.FitSeconds }, meanTime}
	predictCost = cost{"predict s", "all steps", func(r *benchmark.RunResult) float64 { return r.PredictSeconds }, meanTime}
)

// costs are the columns in their order.
func costs() []cost {
	return []cost{
		{"parameters", "", func(r *benchmark.RunResult) float64 { return float64(r.Parameters) }, wholes},
		{"operator rank", "", func(r *benchmark.RunResult) float64 { return float64(r.Rank) }, wholes},
		fitCost,
		{"compile s", "", func(r *benchmark.RunResult) float64 { return r.CompileSeconds }, meanTime},
		predictCost,
		{"cpu s", "all processes", cpuSeconds, meanTime},
		{"peak MiB", "of a process", func(r *benchmark.RunResult) float64 { return float64(r.PeakRSSBytes) / (1 << 20) }, meanWhole},
		{"rpc s", "calls, without work", rpcSeconds, meanTime},
		{"rpc MiB", "both ways", func(r *benchmark.RunResult) float64 { return rpcBytes(r) / (1 << 20) }, meanTime},
	}
}

// shownCosts are those of which some run tells.
func shownCosts(all []summary) []cost {
	return slices.DeleteFunc(costs(), func(c cost) bool {
		return !slices.ContainsFunc(all, func(s summary) bool { return c.known(s.ok) })
	})
}

// cpuSeconds is not a number where they are not known.
func cpuSeconds(r *benchmark.RunResult) float64 { return orUnknown(r.CPUSeconds) }

// rpcSeconds is not a number where there is no other process, or it does not tell.
func rpcSeconds(r *benchmark.RunResult) float64 {
	if r.RPC == nil {
		return math.NaN()
	}
	return orUnknown(r.RPC.Seconds)
}

// rpcBytes are those sent and received; not a number where there is no other process.
func rpcBytes(r *benchmark.RunResult) float64 {
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

func meanTime(values []float64) string { return secondsText(average(values)) }

// meanWhole writes the mean as a whole number, or to a digit where it is small.
func meanWhole(values []float64) string {
	if v := average(values); v >= 10 {
		return thousands(v)
	}
	return strconv.FormatFloat(average(values), 'g', 2, 64)
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
