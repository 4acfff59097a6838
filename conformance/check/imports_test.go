package check_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheEngineIsFreeOfTesting: a command that checks plugins carries nothing of testing, and no method.
func TestTheEngineIsFreeOfTesting(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	paths := strings.Fields(string(out))
	require.Contains(t, paths, "github.com/koopbench/koopbench/core")
	for _, path := range paths {
		assert.False(t, path == "testing" || strings.Contains(path, "testify") || strings.Contains(path, "gomlx"), path)
		if ours, ok := strings.CutPrefix(path, "github.com/koopbench/koopbench/"); ok {
			assert.Contains(t, []string{"core", "conformance/check"}, ours)
		}
	}
}
