package core

import (
	"strings"
)

// Kind is one of the kinds of things that can be registered. Its text is the name that programs
// read. The zero value is no kind.
type Kind string

// The kinds.
const (
	KindMethod   Kind = "method"
	KindLoss     Kind = "loss"
	KindOperator Kind = "operator"
	KindEmbedder Kind = "embedder"
	KindOracle   Kind = "oracle"
	KindTask     Kind = "task"
)

// kinds says all that there is to say about each kind, in the order of listings.
var kinds = []kindEntry{
	entryOf(KindMethod, "method", "methods", "learns to turn snapshots into the next snapshots", GuardMethod),
	entryOf(KindLoss, "loss", "losses", "gives two views a value and gradients", GuardLoss),
	entryOf(KindOperator, "evolution operator", "evolution operators",
		"learns to turn features into the features some steps later", GuardOperator),
	entryOf(KindEmbedder, "embedder", "embedders", "learns to turn snapshots into features", GuardEmbedder),
	entryOf(KindOracle, "oracle", "oracles", "learns to turn snapshots into labels", GuardOracle),
	entryOf(KindTask, "task", "tasks", "gives data, and says what counts as a good prediction", GuardTask),
}

type kindEntry struct {
	kind                   Kind
	title, plural, summary string
	holds                  func(thing any) bool // reports whether a thing is of the kind
	guard                  func(thing any) any  // see [Guard]
}

// entryOf returns the entry of the kind whose things are a T.
func entryOf[T any](kind Kind, title, plural, summary string, guard func(T) T) kindEntry {
	return kindEntry{
		kind, title, plural, summary,
		func(thing any) bool { _, ok := thing.(T); return ok },
		func(thing any) any { return guard(thing.(T)) },
	}
}

// Kinds returns all kinds, in the order of listings.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = k.kind
	}
	return all
}

// KindOf returns the kind of a thing, or "" if it has none.
func KindOf(thing any) Kind {
	for _, k := range kinds {
		if k.holds(thing) {
			return k.kind
		}
	}
	return ""
}

// Title returns the kind in words: "evolution operator". It is the text of a kind that is not one
// of [Kinds].
func (k Kind) Title() string {
	if i := k.index(); i >= 0 {
		return kinds[i].title
	}
	return string(k)
}

// Plural returns the plural of the kind in words: "evolution operators". It is "" for a kind that
// is not one of [Kinds].
func (k Kind) Plural() string {
	if i := k.index(); i >= 0 {
		return kinds[i].plural
	}
	return ""
}

// Summary returns what a thing of the kind does: "learns to turn snapshots into labels". It is ""
// for a kind that is not one of [Kinds].
func (k Kind) Summary() string {
	if i := k.index(); i >= 0 {
		return kinds[i].summary
	}
	return ""
}

func (k Kind) index() int {
	for i := range kinds {
		if kinds[i].kind == k {
			return i
		}
	}
	return -1
}

// AnyKind returns the titles of all kinds as a list for a sentence: "method, loss, … or oracle".
func AnyKind() string {
	var titles []string
	for _, k := range kinds {
		titles = append(titles, k.title)
	}
	last := len(titles) - 1
	return strings.Join(titles[:last], ", ") + " or " + titles[last]
}
