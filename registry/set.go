package registry

import (
	"fmt"
	"maps"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// Described is implemented by everything that can be registered.
type Described interface{ Describe() core.Description }

// Set is a set of things of one kind under their declared names. Any number of goroutines may read
// a set as long as none changes it.
type Set[T Described] struct {
	kind   core.Kind
	things map[string]entry[T]
}

type entry[T Described] struct {
	thing       T
	description core.Description
	onRequest   bool
}

func newSet[T Described](kind core.Kind) Set[T] {
	return Set[T]{kind: kind, things: map[string]entry[T]{}}
}

// Add adds things under the names that they declare, either all or none. Each gets a guard around
// it ([core.Guard]). The error is [core.ErrDescription] for a nil thing or a description that
// breaks the rules, and [core.ErrDuplicate] for a name that is taken.
func (s Set[T]) Add(things ...T) error { return s.add(false, things) }

// AddOnRequest is Add for things that "all" leaves out. They are chosen by name or pattern.
func (s Set[T]) AddOnRequest(things ...T) error { return s.add(true, things) }

func (s Set[T]) add(onRequest bool, things []T) error {
	added := make(map[string]entry[T], len(things))
	for _, thing := range things {
		if core.IsNil(thing) {
			return fmt.Errorf("%w: a %s is nil", core.ErrDescription, s.kind.Title())
		}
		d := thing.Describe()
		if err := d.Validate(); err != nil {
			return fmt.Errorf("%s: %w", s.kind.Title(), err)
		}
		_, there := s.things[d.Name]
		if _, twice := added[d.Name]; there || twice {
			return fmt.Errorf("%w: there is already a %s %q", core.ErrDuplicate, s.kind.Title(), d.Name)
		}
		added[d.Name] = entry[T]{s.kind.Guard(thing).(T), d, onRequest}
	}
	maps.Copy(s.things, added)
	return nil
}

// Get returns the thing with that name. The error is [core.ErrUnknown], with the nearest name and
// all names that exist.
func (s Set[T]) Get(name string) (T, error) {
	e, ok := s.things[name]
	if !ok {
		return e.thing, fmt.Errorf("%w: %s", core.ErrUnknown, core.Unknown(s.kind.Title(), name, s.Names()))
	}
	return e.thing, nil
}

// AddThing implements [Things].
func (s Set[T]) AddThing(thing any) error {
	typed, ok := thing.(T)
	if !ok {
		return fmt.Errorf("%w: a %T is not of the kind %s", core.ErrDescription, thing, s.kind.Title())
	}
	return s.Add(typed)
}

// GetThing implements [Things].
func (s Set[T]) GetThing(name string) (any, error) { return s.Get(name) }

// Names returns the names in alphabetical order.
func (s Set[T]) Names() []string { return slices.Sorted(maps.Keys(s.things)) }

// OnRequest reports whether "all" leaves out the thing with that name.
func (s Set[T]) OnRequest(name string) bool { return s.things[name].onRequest }

// Descriptions returns the descriptions by name, as they were when the things were added.
func (s Set[T]) Descriptions() []core.Description {
	var all []core.Description
	for _, name := range s.Names() {
		all = append(all, s.things[name].description)
	}
	return all
}
