package check

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
	for _, s := range []*Session{NewMethod(nil, nil), NewEmbedder(nil, nil), NewOperator(nil, nil),
		NewLoss(nil, nil), NewOracle(nil, nil), NewTask(nil, nil), NewProgram(nil, nil)} {
		for _, e := range s.entries {
			all = append(all, e.Entry)
		}
	}
	return all
}
