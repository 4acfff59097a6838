package check

import "github.com/koopbench/koopbench/core"

// Entry describes a check.
type Entry struct {
	Kind    Kind   `json:"kind"`
	Check   string `json:"check"`             // its name, unique within the kind
	Rule    string `json:"rule"`              // what it holds, a sentence without a full stop
	Ability string `json:"ability,omitempty"` // the ability of package core without which it is skipped
}

// Catalogue returns all checks, by kind and in the order in which they run.
func Catalogue() []Entry {
	var all []Entry
	add := func(s *Session) {
		for _, e := range s.entries {
			all = append(all, e.Entry)
		}
	}
	for _, kind := range core.Kinds() {
		add(suiteOf(kind).open(nil, nil))
	}
	add(NewProgram(nil, nil))
	return all
}
