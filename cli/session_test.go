package cli

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestSessionEnds: what a session began ends the last first, and once, also where a start fails half way.
func TestSessionEnds(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	s := (&app{}).begin()
	ctx := s.stoppable(t.Context())
	assert.Error(t, s.compute(computeFlags{backend: "cpu:threads=1", threads: before + 1}))
	assert.Equal(t, before+1, runtime.GOMAXPROCS(0))
	ended := 0
	s.ends = append(s.ends, func() {
		ended++
		assert.NoError(t, ctx.Err(), "what needs the context ends before it does")
		assert.Equal(t, before+1, runtime.GOMAXPROCS(0))
	})
	s.close()
	s.close()
	assert.Equal(t, 1, ended)
	assert.Error(t, ctx.Err())
	assert.Equal(t, before, runtime.GOMAXPROCS(0))
}
