package plugin

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"

	"github.com/koopbench/koopbench/backend/cpu/blas"
)

// TestUnknownHostBLAS: what a newer host has and this program does not is told, and the fastest
// there is takes its place.
func TestUnknownHostBLAS(t *testing.T) {
	defer blas64.Use(gonum.Implementation{})
	assert.NoError(t, blas.Use(""))
	best := blas.InUse()
	for host, says := range map[string]string{"": "", "avx1024": `last bits: unknown kernel set "avx1024"`} {
		blas64.Use(gonum.Implementation{})
		var log bytes.Buffer
		useHostBLAS(host, &log)
		assert.Equal(t, best, blas.InUse())
		if says == "" {
			assert.Empty(t, log.String())
		}
		assert.Contains(t, log.String(), says)
	}
}
