package describe

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/wire"
)

// TestKinds: kinds go there and back, and what is of no kind stays so.
func TestKinds(t *testing.T) {
	for _, k := range core.Kinds() {
		assert.NotEqual(t, wire.Kind_KIND_UNSPECIFIED, WireKind(k), k)
		assert.Equal(t, k, CoreKind(WireKind(k)))
	}
	assert.Equal(t, wire.Kind_KIND_UNSPECIFIED, WireKind("plugin"))
	assert.Equal(t, wire.Kind_KIND_UNSPECIFIED, WireKind(""))
	assert.Empty(t, CoreKind(wire.Kind_KIND_UNSPECIFIED))
	assert.Empty(t, CoreKind(99))
}
