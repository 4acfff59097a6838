package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMan: there is a page for each command, with its flags and examples, and no file is written over.
func TestMan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	config := newFakes().config()
	got := call(t.Context(), config, "man", dir)
	require.Zero(t, got.status, got.stderr)
	assert.Empty(t, got.stdout)
	for name, wants := range map[string][]string{
		"bench": {".TH BENCH 1 ", "\n.SH COMMANDS\n", "\\fBbench\\-run\\fR(1)\n"},
		"bench-run": {
			".SH NAME\nbench\\-run \\- ", "\n\\fB\\-q, \\-\\-quiet\\fR\n", "\n\\fB\\-\\-seeds\\fR ",
			"\n.SH EXAMPLES\n.nf\n  bench run",
		},
		"bench-plugin-check": {"\n.SH SEE ALSO\n\\fBbench\\-plugin\\fR(1)\n"},
	} {
		page, err := os.ReadFile(filepath.Join(dir, name+".1"))
		require.NoError(t, err)
		for _, want := range wants {
			assert.Contains(t, string(page), want, name)
		}
	}
	pages, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, pages, 22)

	got = call(t.Context(), config, "man", dir)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "file exists")
}

func TestRoff(t *testing.T) {
	assert.Equal(t, "a\\-b\n\\&.c\n\\&'d \\ee", roff("a-b\n.c\n'd \\e"))
}

func TestLicences(t *testing.T) {
	got := call(t.Context(), newFakes().config(), "licences")
	assert.Zero(t, got.status)
	assert.Contains(t, got.stdout, "github.com/hashicorp/yamux v")
}
