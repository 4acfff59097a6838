package blas

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// foreign is a BLAS of someone else.
type foreign struct{ gonum.Implementation }

func TestUse(t *testing.T) {
	defer blas64.Use(gonum.Implementation{})
	assert.Equal(t, Gonum, InUse())
	for _, set := range kernel.Sets() {
		require.NoError(t, Use(set.String()))
		want := set.String()
		if set == kernel.Generic {
			want = Gonum
		}
		assert.Equal(t, want, InUse())
	}
	require.ErrorContains(t, Use("sse2"), `"sse2"`)
	require.NoError(t, Use(Gonum))
	assert.Equal(t, Gonum, InUse())
	require.NoError(t, Use(""))
	if best := kernel.Best(); best != kernel.Generic {
		assert.Equal(t, best.String(), InUse())
	}
	blas64.Use(foreign{})
	assert.Empty(t, InUse())
}
