package registry

import "github.com/koopbench/koopbench/core"

// Registry holds a set of each kind.
type Registry struct {
	Methods   Set[core.Method]
	Embedders Set[core.Embedder]
	Operators Set[core.EvolutionOperator]
	Losses    Set[core.Loss]
	Oracles   Set[core.Oracle]
	Tasks     Set[core.Task]
}

// New returns an empty registry.
func New() *Registry {
	return &Registry{
		Methods:   newSet[core.Method]("method"),
		Embedders: newSet[core.Embedder]("embedder"),
		Operators: newSet[core.EvolutionOperator]("evolution operator"),
		Losses:    newSet[core.Loss]("loss"),
		Oracles:   newSet[core.Oracle]("oracle"),
		Tasks:     newSet[core.Task]("task"),
	}
}
