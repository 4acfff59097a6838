package check

// NewOf is [New] for a kind, of which thing may be nil.
func NewOf(kind Kind, thing any, o *Options) *Session { return suiteOf(kind).open(thing, o) }
