package broken

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/koopbench/koopbench/core"
)

// Case is a thing that breaks the rule of one check.
type Case struct {
	Kind, Check string
	How         string // what is wrong with it
	// Thing is a core.Method, core.Embedder, core.EvolutionOperator, core.Loss, core.Oracle, core.Task
	// or check.Program, as Kind says; nil for none at all.
	Thing any
	// Reference is the other implementation that it is compared with, nil for none.
	Reference any
}

// Late is how long a thing goes on that takes no notice of its context; run its checks with a shorter Options.Grace.
const Late = 10 * time.Minute

// Correct returns a thing of every kind that keeps all rules, by kind.
func Correct() map[string]any {
	return map[string]any{
		"method":   kinds()[0].make(nil, nil),
		"embedder": kinds()[1].make(nil, nil),
		"oracle":   kinds()[2].make(nil, nil),
		"operator": newOperator(nil, nil),
		"loss":     newLoss(nil, nil),
		"task":     newTask(nil, nil),
	}
}

// Cases returns the broken things, new ones at every call.
func Cases() []Case {
	var all []Case
	for _, k := range kinds() {
		all = append(all, k.cases()...)
	}
	return slices.Concat(all, operatorCases(), lossCases(), taskCases(), programCases())
}

// descriptions are the ways to break a description.
func descriptions() map[string]func(d core.Description, call int) core.Description {
	return map[string]func(d core.Description, call int) core.Description{
		"a summary with a full stop": func(d core.Description, _ int) core.Description { d.Summary += "."; return d },
		"a name with a capital":      func(d core.Description, _ int) core.Description { d.Name = "Mine"; return d },
		"no doc":                     func(d core.Description, _ int) core.Description { d.Doc = ""; return d },
		"a description that changes": func(d core.Description, call int) core.Description {
			if call%2 == 0 {
				d.Doc += " "
			}
			return d
		},
		"an option with an infinite bound": func(d core.Description, _ int) core.Description {
			d.Options = append([]core.Option{core.FloatOption("rate", 1, 0, math.Inf(1), "a rate")}, d.Options...)
			return d
		},
		"a summary that is too long": func(d core.Description, _ int) core.Description {
			d.Summary = strings.Repeat("a", 1025)
			return d
		},
		"a doc that is no UTF-8": func(d core.Description, _ int) core.Description { d.Doc = "\xff"; return d },
		"a doc of an option of two lines": func(d core.Description, _ int) core.Description {
			d.Options = append([]core.Option{core.BoolOption("wordy", false, "this\nand that")}, d.Options...)
			return d
		},
	}
}

// reporting is a report that is spoilt.
func reporting(spoil func(*core.Report), report func() core.Report) func() core.Report {
	return func() core.Report {
		r := report()
		r.History, r.Warnings = slices.Clone(r.History), slices.Clone(r.Warnings)
		spoil(&r)
		return r
	}
}

// reports break a rule of reports each.
func reports() map[string]func(*core.Report) {
	long, many := strings.Repeat("a", core.MaxSentence+1), strings.Split(strings.Repeat("a,", core.MaxWarnings), ",")
	return map[string]func(*core.Report){
		"a negative rank":                    func(r *core.Report) { r.Rank = -1 },
		"a negative number of parameters":    func(r *core.Report) { r.Parameters = -1 },
		"compile seconds that are no number": func(r *core.Report) { r.CompileSeconds = math.NaN() },
		"infinite compile seconds":           func(r *core.Report) { r.CompileSeconds = math.Inf(1) },
		"more compile seconds than the fit":  func(r *core.Report) { r.CompileSeconds = 1e6 },
		"negative compile seconds":           func(r *core.Report) { r.CompileSeconds = -1 },
		"a warning that is too long":         func(r *core.Report) { r.Warnings = append(r.Warnings, long) },
		"too many warnings":                  func(r *core.Report) { r.Warnings = many },
		"an empty warning":                   func(r *core.Report) { r.Warnings = append(r.Warnings, "") },
		"too long a reason to be untrained":  func(r *core.Report) { r.Untrained = long },
		"epochs that are counted from 0":     func(r *core.Report) { renumber(r, 0, 1) },
		"an epoch twice":                     func(r *core.Report) { renumber(r, 1, 0) },
		"every other epoch":                  func(r *core.Report) { renumber(r, 1, 2) },
	}
}

// renumber numbers the epochs of a report, of which there are two at least.
func renumber(r *core.Report, first, step int) {
	for len(r.History) < 2 {
		r.History = append(r.History, core.Epoch{})
	}
	for i := range r.History {
		r.History[i].Number = first + step*i
	}
}
