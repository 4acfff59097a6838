package cli

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestPluginFitRefuses: what cannot be fitted on the terminal is said in a sentence.
// sdk/python/tests/test_bench.py has fits.
func TestPluginFitRefuses(t *testing.T) {
	path := pluginFile(t, "good", "nearest", "ridge")
	for _, c := range []struct{ method, says string }{
		{"nearest", `is built with "koopbench \(Go .*; only the Python SDK can fit in the terminal; for Go, write a test ` +
			`of your own`},
		{"neares", `there is no method "neares"; did you mean "nearest"`},
		{"nearest?colour=red", `colour`},
		{"ridge", `there is no method "ridge"`},
	} {
		got := call(t.Context(), newFakes().config(), "plugin", "fit", path, "--method", c.method)
		assert.NotZero(t, got.status, c.method)
		assert.Regexp(t, c.says, got.stderr, c.method)
	}
}
