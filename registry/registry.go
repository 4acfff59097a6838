package registry

import (
	"fmt"
	"maps"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// Registry holds a set of each kind.
type Registry struct {
	Methods   Set[core.Method]
	Embedders Set[core.Embedder]
	Operators Set[core.EvolutionOperator]
	Losses    Set[core.Loss]
	Oracles   Set[core.Oracle]
	Tasks     Set[core.Task]

	groups map[string][]string // names of methods, by that of the group
}

// New returns an empty registry.
func New() *Registry {
	return &Registry{
		Methods:   newSet[core.Method](core.KindMethod),
		Embedders: newSet[core.Embedder](core.KindEmbedder),
		Operators: newSet[core.EvolutionOperator](core.KindOperator),
		Losses:    newSet[core.Loss](core.KindLoss),
		Oracles:   newSet[core.Oracle](core.KindOracle),
		Tasks:     newSet[core.Task](core.KindTask),
		groups:    map[string][]string{},
	}
}

// Group gives several methods one name, with which [Registry.Select] chooses all of them. The error
// is [core.ErrUnknown] for a method that does not exist, and [core.ErrDuplicate] for a name that is
// taken. If a method with the same name is added later, the name means the method.
func (r *Registry) Group(name string, methods ...string) error {
	for _, m := range methods {
		if _, err := r.Methods.Get(m); err != nil {
			return err
		}
	}
	_, isMethod := r.Methods.things[name]
	if _, isGroup := r.groups[name]; isMethod || isGroup || name == everything {
		return fmt.Errorf("%w: there is already a method or group %q", core.ErrDuplicate, name)
	}
	r.groups[name] = slices.Sorted(slices.Values(methods))
	return nil
}

// Groups returns the names of the groups in alphabetical order.
func (r *Registry) Groups() []string { return slices.Sorted(maps.Keys(r.groups)) }

// Things has the methods that sets of all kinds share.
type Things interface {
	Names() []string
	Descriptions() []core.Description
	OnRequest(name string) bool
	// AddThing and GetThing are Add and Get without a type. The error is [core.ErrDescription] for a
	// thing of another kind.
	AddThing(thing any) error
	GetThing(name string) (any, error)
}

var _ Things = Set[core.Method]{}

// Of returns the set of a kind, or nil for a value that is not a kind.
func (r *Registry) Of(kind core.Kind) Things {
	return map[core.Kind]Things{
		core.KindMethod: r.Methods, core.KindEmbedder: r.Embedders, core.KindOperator: r.Operators,
		core.KindLoss: r.Losses, core.KindOracle: r.Oracles, core.KindTask: r.Tasks,
	}[kind]
}
