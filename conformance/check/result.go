package check

import (
	"fmt"
	"io"
	"strings"

	"github.com/koopbench/koopbench/core"
)

// Kind is a kind of things that can be checked: a [core.Kind], or [KindPlugin].
type Kind = core.Kind

// KindPlugin is the program that serves things, whatever their kinds.
const KindPlugin Kind = "plugin"

// Status is how a check ended.
type Status string

const (
	// Pass means that the thing keeps the rule.
	Pass Status = "pass"
	// Fail means that it does not; Found and Remedy explain this.
	Fail Status = "fail"
	// Skip means that the check is about an ability that the thing does not declare, or that there is
	// nothing to judge; Reason says which.
	Skip Status = "skip"
	// ExpectedFail means that the thing does not keep the rule, and that the options say so; Reason is
	// theirs.
	ExpectedFail Status = "expected-fail"
	// Blocked means that it could not be checked, because a check that it needs did not pass;
	// BlockedBy names that check.
	Blocked Status = "blocked"
)

// Result is the result of one check. Its JSON form is stable: fields may be added, but none is
// renamed or removed while [Schema] stays the same.
type Result struct {
	// Check is the name of the check, unique within its kind.
	Check  string `json:"check"`
	Status Status `json:"status"`
	// Checked is the rule that was checked, in a sentence.
	Checked string `json:"checked"`
	// Found says what broke the rule, with values and limits, and Remedy what to change. They are empty unless it failed.
	Found  string `json:"found,omitempty"`
	Remedy string `json:"remedy,omitempty"`
	// Reason says why a check was skipped or blocked, or why it was expected to fail.
	Reason string `json:"reason,omitempty"`
	// BlockedBy is the check that did not pass and blocked this one.
	BlockedBy string `json:"blocked_by,omitempty"`
	// Notes are further sentences for the author; they are not failures.
	Notes []string `json:"notes,omitempty"`
	// Seconds is how long the check took.
	Seconds float64 `json:"seconds"`
}

// Explanation is everything that a result says, in one text.
func (r Result) Explanation() string {
	var parts []string
	for _, part := range []struct{ label, text string }{{"rule", r.Checked}, {"found", r.Found}, {"remedy", r.Remedy},
		{"reason", r.Reason}} {
		if part.text != "" {
			parts = append(parts, fmt.Sprintf("%-7s %s", part.label+":", part.text))
		}
	}
	for _, note := range r.Notes {
		parts = append(parts, "note:   "+note)
	}
	return strings.Join(parts, "\n")
}

// Schema is the version of the JSON form of a [Report].
const Schema = 1

// Report has the results of all checks of one thing, in the order of the [Catalogue].
type Report struct {
	Schema  int      `json:"schema"`
	Kind    Kind     `json:"kind"`
	Name    string   `json:"name"` // as the thing describes itself
	Results []Result `json:"results"`
}

// OK reports whether no check failed.
func (r Report) OK() bool { return len(r.With(Fail)) == 0 }

// With returns the results with that status.
func (r Report) With(status Status) []Result {
	var some []Result
	for _, result := range r.Results {
		if result.Status == status {
			some = append(some, result)
		}
	}
	return some
}

// WriteText writes the report for a reader: a line for each check, with its explanation unless it
// passed, and a line with the counts.
func (r Report) WriteText(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s\n", r.Kind, r.Name)
	for _, result := range r.Results {
		fmt.Fprintf(&text, "  %-13s %s\n", result.Status, result.Check)
		switch {
		case result.Status == Fail || result.Status == ExpectedFail:
			indent(&text, result.Explanation())
		case result.Reason != "":
			indent(&text, result.Reason)
			fallthrough
		default:
			for _, note := range result.Notes {
				indent(&text, "note: "+note)
			}
		}
	}
	counts := make([]string, 0, 5)
	for _, status := range []Status{Pass, Fail, ExpectedFail, Skip, Blocked} {
		if n := len(r.With(status)); n > 0 || status == Pass || status == Fail {
			counts = append(counts, fmt.Sprintf("%d %s", n, status))
		}
	}
	fmt.Fprintln(&text, strings.Join(counts, ", "))
	_, err := io.WriteString(w, text.String())
	return err
}

func indent(text *strings.Builder, lines string) {
	for line := range strings.Lines(lines) {
		fmt.Fprintf(text, "                %s\n", strings.TrimRight(line, "\n"))
	}
}
