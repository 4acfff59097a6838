package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/plugin"
)

// TestConfigCannotTrust: what is trusted, and which library computes, counts on the command line alone.
func TestConfigCannotTrust(t *testing.T) {
	for text, says := range map[string]string{
		"plugin-allow-writable: true": "line 1: plugin-allow-writable says what to trust, and a configuration must not " +
			"decide that; " +
			"if the configuration is yours, give the flag on the command line, --plugin-allow-writable",
		"plugin-ignore-lock: true": "--plugin-ignore-lock",
		"plugin-lock: other.json":  "--plugin-lock",
		"plugin-dir: .":            "--plugin-dir",
		"plugin-dir: [a, b]":       "--plugin-dir",
		"backend: xla:/tmp/evil.so": `backend "xla:/tmp/evil.so" is a library, which would run; a configuration must ` +
			`not choose it`,
		"backend: xla:evil.so,a=b":    "if you trust it, give it on the command line",
		"{plugin-allow-writable: on}": "on the command line",
	} {
		err := setFlags([]byte(text), "folder/config.yaml", runFlagSet(t))
		require.ErrorContains(t, err, says, text)
		assert.Equal(t, exitUsage, exitStatus(err), text)
	}
	for _, text := range []string{
		"plugin-allow-writable: false\nplugin-ignore-lock: false", "plugin-lock: ../koopbench-plugins.json", "backend: cpu",
		"plugin-start-timeout: 5s",
	} {
		require.NoError(t, setFlags([]byte(text), "folder/config.yaml", runFlagSet(t)), text)
	}
	require.NoError(t, setFlags([]byte("plugin-allow-writable: true\nplugin-dir: x"), "config.yaml",
		runFlagSet(t, "--plugin-allow-writable", "--plugin-dir", "mine")), "the command line goes before")
}

// TestConfiguredPlugins: a plugin that a configuration names runs if it is pinned, but not by a
// lock file that comes with the configuration.
func TestConfiguredPlugins(t *testing.T) {
	dir, own := t.TempDir(), t.TempDir()
	marker := filepath.Join(own, "it-ran")
	path := filepath.Join(dir, "evil")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\ntouch "+marker+"\n"), 0o755))
	config := filepath.Join(dir, "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte("plugin: evil\nmethods: linear\nout: .\n"), 0o644))
	pin := func(file string) {
		lock := &plugin.Lock{Schema: plugin.LockSchema}
		require.NoError(t, lock.Pin(path))
		require.NoError(t, lock.Write(file))
	}
	pin(filepath.Join(dir, lockFile))
	ran := func() bool {
		_, err := os.Stat(marker)
		_ = os.Remove(marker)
		return err == nil
	}
	t.Chdir(dir)
	for _, args := range [][]string{
		{"run", "--config", config}, {"run", "--config", "config.yaml"}, {"run", "--config", config, "--plugin-ignore-lock"},
		{"run", "--config", config, "--plugin-allow-writable"},
	} {
		got := call(t.Context(), newFakes().config(), args...)
		stderr := got.stderr
		assert.Equal(t, exitUsage, got.status)
		assert.Contains(t, stderr,
			`evil", which would run, and your lock file does not pin it; if you trust it, name it on the command line`)
		assert.Equal(t, 1, strings.Count(stderr, "\n"))
		assert.False(t, ran())
	}
	t.Chdir(own)
	pin(filepath.Join(own, lockFile))
	call(t.Context(), newFakes().config(), "run", "--config", config)
	assert.True(t, ran(), "pinned in the lock file where the command runs")
	t.Chdir(dir)
	call(t.Context(), newFakes().config(), "run", "--config", config, "--plugin-lock", filepath.Join(dir, lockFile))
	assert.True(t, ran(), "pinned in the lock file of the command line")
	call(t.Context(), newFakes().config(), "run", "--config", config, "--plugin", path)
	assert.True(t, ran(), "named on the command line")
}

// TestConfigBomb: a text that aliases repeat is not repeated without an end.
func TestConfigBomb(t *testing.T) {
	text := "methods: [&a {vamp: {lr: \"" + strings.Repeat("1", 500000) + "\"}}" + strings.Repeat(", *a", 100000) + "]"
	require.ErrorContains(t, setFlags([]byte(text), "config.yaml", runFlagSet(t)), "methods has more than 1048576 bytes")
}
