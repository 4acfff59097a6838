package broken

import (
	"slices"
	"time"

	"github.com/koopbench/koopbench/core"
)

// Case is a thing that breaks the rule of one check.
type Case struct {
	Kind, Check string
	How         string // what is wrong with it
	// Thing is a core.Method, core.Embedder, core.EvolutionOperator, core.Loss, core.Oracle or check.Program, as Kind says; nil for none
	// at all.
	Thing any
	// Reference is the other implementation that it is compared with, nil for none.
	Reference any
}

// Late is how long a thing goes on that takes no notice of its context; run its checks with a shorter Options.Grace.
const Late = time.Second

// Correct returns a thing of every kind that keeps all rules, by kind.
func Correct() map[string]any {
	return map[string]any{
		"method":   kinds()[0].make(nil, nil),
		"embedder": kinds()[1].make(nil, nil),
		"oracle":   kinds()[2].make(nil, nil),
		"operator": newOperator(nil, nil),
		"loss":     newLoss(nil, nil),
	}
}

// Cases returns the broken things, new ones at every call.
func Cases() []Case {
	var all []Case
	for _, k := range kinds() {
		all = append(all, k.cases()...)
	}
	return slices.Concat(all, operatorCases(), lossCases(), programCases())
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
		"a doc of an option of two lines": func(d core.Description, _ int) core.Description {
			d.Options = append([]core.Option{core.BoolOption("wordy", false, "this\nand that")}, d.Options...)
			return d
		},
	}
}
