package core

import (
	"fmt"
	"math"
)

// Report says how a fit went.
type Report struct {
	// Untrained says in a sentence why the fit counts as not having learned anything; "" if it
	// learned.
	Untrained string
	// Warnings are sentences for the user.
	Warnings []string
	// History has an entry for each epoch.
	History []Epoch
	// Rank is the rank of the evolution operator; 0 if there is none.
	Rank int
	// Parameters is the number of trained parameters.
	Parameters int
	// CompileSeconds is the part of the fit's time that compiling graphs took.
	CompileSeconds float64
}

// The limits of a [Report].
const (
	MaxWarnings = 1000
	MaxSentence = 8 << 10   // bytes of a warning, or of the reason why a fit is untrained
	MaxHistory  = 1_000_000 // epochs
	maxSeconds  = 1e9       // 30 years
)

// MaxCount is the largest count that a result holds: 2⁵³ if int has room for it. Readers of JSON
// represent every whole number up to 2⁵³ exactly.
const MaxCount = min(1<<53, math.MaxInt)

// Validate returns [ErrContract] with the first rule that r breaks. Texts and history must be
// within the limits above. Epochs must have ascending numbers from 1 on. Rank and Parameters must
// be at least 0, no count may be above [MaxCount], and CompileSeconds must be a number of at least
// 0. Losses may be any numbers, including infinite ones and NaN.
func (r Report) Validate() error {
	if n := len(r.Untrained); n > MaxSentence {
		return badReport("why the fit is untrained has %d bytes; the most is %d", n, MaxSentence)
	}
	if err := CheckWarnings(r.Warnings); err != nil {
		return err
	}
	if n := len(r.History); n > MaxHistory {
		return badReport("the history has %d epochs; the most is %d", n, MaxHistory)
	}
	last := 0
	for i, e := range r.History {
		if e.Number <= last {
			const rule = "epochs are counted from 1 and ascend"
			return badReport("entry %d of the history is epoch %d, after epoch %d; "+rule, i+1, e.Number, last)
		}
		if e.Number > MaxCount {
			return badReport("entry %d of the history is epoch %d; the most is %d", i+1, e.Number, MaxCount)
		}
		last = e.Number
	}
	switch {
	case r.Rank < 0 || r.Rank > MaxCount:
		return badReport("the rank is %d; it must be in 0 … %d", r.Rank, MaxCount)
	case r.Parameters < 0 || r.Parameters > MaxCount:
		return badReport("the number of parameters is %d; it must be in 0 … %d", r.Parameters, MaxCount)
	case !(r.CompileSeconds >= 0 && r.CompileSeconds <= maxSeconds):
		return badReport("compile_seconds is %v; it must be a number in 0 … %.0f", r.CompileSeconds, maxSeconds)
	}
	return nil
}

func badReport(format string, values ...any) error {
	return fmt.Errorf("%w: the report: "+format, append([]any{ErrContract}, values...)...)
}

// CheckWarnings returns [ErrContract] if there are more than [MaxWarnings] warnings, or one has
// more than [MaxSentence] bytes.
func CheckWarnings(warnings []string) error {
	if n := len(warnings); n > MaxWarnings {
		return fmt.Errorf("%w: there are %d warnings; the most is %d", ErrContract, n, MaxWarnings)
	}
	for i, w := range warnings {
		if len(w) > MaxSentence {
			return fmt.Errorf("%w: warning %d has %d bytes; the most is %d", ErrContract, i+1, len(w), MaxSentence)
		}
	}
	return nil
}

// ReportOf returns the report of a fitted thing, or an empty one if the thing gives none. The
// report is not checked; see [Report.Validate].
func ReportOf(thing any) Report {
	if r, ok := As[Reporter](thing); ok {
		return r.Report()
	}
	return Report{}
}
