package core_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/koopbench/koopbench/core"
)

func TestLeftovers(t *testing.T) {
	var none core.Leftovers
	assert.Empty(t, none.Names())
	assert.Nil(t, none.Load("training"))
	assert.False(t, none.Loaded(), "there was nothing")

	var left core.Leftovers
	first, second := &core.State{}, &core.State{Facts: []byte("1")}
	left.Leave("training", first)
	left.Leave("training", second)
	left.Leave("rest", first)
	assert.ElementsMatch(t, []string{"training", "rest"}, left.Names())
	assert.Same(t, second, left.Load("training"))
	assert.True(t, left.Loaded())
	assert.Nil(t, left.Load("training"), "each is handed out once")
	assert.Equal(t, []string{"rest"}, left.Names())
}

func TestCheckCheckpointName(t *testing.T) {
	for _, name := range []string{"training", "part-2", strings.Repeat("a", 40)} {
		assert.NoError(t, core.CheckCheckpointName(name))
	}
	for _, name := range []string{"", "My state", "Training", "../key", strings.Repeat("a", 41)} {
		assert.ErrorIs(t, core.CheckCheckpointName(name), core.ErrDescription)
	}
}

func TestFactsAreJSON(t *testing.T) {
	assert.NoError(t, (&core.State{Facts: []byte(` {"a": [1]} `)}).Validate())
	for _, facts := range []string{"", "yes", `{"a": NaN}`} {
		err := (&core.State{Facts: []byte(facts)}).Validate()
		assert.ErrorIs(t, err, core.ErrDescription)
		assert.ErrorContains(t, err, "which is not JSON")
	}
}
