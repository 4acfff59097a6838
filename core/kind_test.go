package core_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/koopbench/koopbench/core"
)

func TestKinds(t *testing.T) {
	assert.Equal(t, []core.Kind{"method", "loss", "operator", "embedder", "oracle", "task"}, core.Kinds())
	for _, k := range core.Kinds() {
		assert.NotEmpty(t, k.Title())
		assert.NotEmpty(t, k.Plural())
		assert.NotEmpty(t, k.Summary())
	}
	assert.Equal(t, "evolution operator", core.KindOperator.Title())
	assert.Equal(t, "method, loss, evolution operator, embedder, oracle or task", core.AnyKind())
	other := core.Kind("plugin")
	assert.Equal(t, []string{"plugin", "", ""}, []string{other.Title(), other.Plural(), other.Summary()})
}

func TestKindOf(t *testing.T) {
	for kind, thing := range map[core.Kind]any{
		core.KindMethod:   struct{ core.Method }{},
		core.KindLoss:     struct{ core.Loss }{},
		core.KindOperator: struct{ core.EvolutionOperator }{},
		core.KindEmbedder: struct{ core.Embedder }{},
		core.KindOracle:   struct{ core.Oracle }{},
		core.KindTask:     struct{ core.Task }{},
	} {
		assert.Equal(t, kind, core.KindOf(thing))
	}
	for _, thing := range []any{nil, 7, struct{ core.Model }{}} {
		assert.Empty(t, core.KindOf(thing))
	}
}
