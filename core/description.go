package core

import (
	"errors"
	"fmt"
	"regexp"
)

// Description describes a registered thing, for the user and for the harness.
type Description struct {
	// Name is the name on the command line: lower-case letters, digits and hyphens, a letter first, at
	// most 40 characters. A method made of a part is named after it: "loss:NAME", "embedder:NAME" or
	// "operator:NAME".
	Name string
	// Summary is one line without a full stop.
	Summary string
	// Doc is a paragraph or more: what the thing does and where it comes from (paper, equation).
	Doc string
	// Options are its options, with unique names. The bounds of a number are finite, and its default
	// is within them.
	Options []Option
	// Exposure says what the thing sees in addition to the unlabelled training and validation
	// sequences. Results of exposed methods are shown separately and never ranked with the others.
	Exposure Exposure
}

// Exposure is what a method gets in addition to unlabelled snapshots.
type Exposure string

const (
	// Unexposed methods see only unlabelled training and validation snapshots.
	Unexposed Exposure = ""
	// LabelExposed methods also see the labels of these snapshots.
	LabelExposed Exposure = "labels"
	// OracleExposed methods get the encoder of the oracle that judges them.
	OracleExposed Exposure = "oracle"
)

var namePattern = regexp.MustCompile(`^((loss|embedder|operator):)?[a-z][a-z0-9-]{0,39}$`)

// Validate returns [ErrDescription] with the first rule that d breaks.
func (d Description) Validate() error {
	if !namePattern.MatchString(d.Name) {
		return fmt.Errorf("%w: the name %.80q must be 1 to 40 lower-case letters, digits and hyphens, a letter first",
			ErrDescription, d.Name)
	}
	if d.Summary == "" {
		return fmt.Errorf("%w: %q has no summary", ErrDescription, d.Name)
	}
	err := errors.Join(checkText("its summary", d.Summary, maxLine), checkText("its doc", d.Doc, maxDoc))
	if err != nil {
		return fmt.Errorf("%w: %q: %w", ErrDescription, d.Name, err)
	}
	if n := len(d.Options); n > maxOptions {
		return fmt.Errorf("%w: %q has %d options; the most is %d", ErrDescription, d.Name, n, maxOptions)
	}
	switch d.Exposure {
	case Unexposed, LabelExposed, OracleExposed:
	default:
		return fmt.Errorf("%w: %q declares the exposure %q; choose from %q and %q", ErrDescription, d.Name, d.Exposure,
			LabelExposed, OracleExposed)
	}
	seen := map[string]bool{}
	for _, o := range d.Options {
		if err := o.validate(); err != nil {
			return fmt.Errorf("%w: %q: %w", ErrDescription, d.Name, err)
		}
		if seen[o.Name] {
			return fmt.Errorf("%w: %q declares the option %q twice", ErrDescription, d.Name, o.Name)
		}
		seen[o.Name] = true
	}
	return nil
}

// Option returns the declared option of that name.
func (d Description) Option(name string) (Option, bool) {
	for _, o := range d.Options {
		if o.Name == name {
			return o, true
		}
	}
	return Option{}, false
}
