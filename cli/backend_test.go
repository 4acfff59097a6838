package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckBackend(t *testing.T) {
	for _, want := range []string{"cpu", "cpu:threads=1", "go"} {
		config, err := checkBackend(want)
		require.NoError(t, err)
		assert.Equal(t, want, config)
	}

	_, err := checkBackend("xal:/plugin.so")
	assert.Equal(t, exitUsage, exitStatus(err))
	assert.ErrorContains(t, err, `xal:/plugin.so: there is no compute backend "xal"`)
}

// TestCheckXLA: what is wrong with a plugin is found before XLA sees it.
func TestCheckXLA(t *testing.T) {
	if !xlaBuilt {
		_, err := checkBackend("xla:/plugin.so")
		assert.Equal(t, exitUsage, exitStatus(err))
		assert.ErrorContains(t, err,
			"xla:/plugin.so: this program was built without XLA; build it with: go build -tags xla")
		return
	}
	for _, config := range []string{"xla", "xla:", "xla:,tf32=false"} {
		_, err := checkBackend(config)
		assert.Equal(t, exitUsage, exitStatus(err), config)
		assert.ErrorContains(t, err, "XLA needs a PJRT plugin file: xla:/path/to/plugin.so", config)
	}
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none.so")} {
		_, err := checkBackend("xla:" + path)
		assert.Equal(t, exitFailure, exitStatus(err))
		assert.ErrorContains(t, err, "cannot read the PJRT plugin")
	}

	t.Chdir(dir)
	require.NoError(t, os.WriteFile("plugin.so", []byte("not a library"), 0o644))
	config, err := checkBackend("xla:plugin.so,tf32=false")
	require.NoError(t, err)
	assert.Equal(t, "xla:"+filepath.Join(dir, "plugin.so")+",tf32=false", config)
	_, err = openRuntime("xla:plugin.so", 0)
	assert.ErrorContains(t, err, "plugin.so", "a file that is no library is an error, not a crash or a download")
	assert.Equal(t, "1", os.Getenv("GOMLX_NO_AUTO_INSTALL"))
}
