package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func TestNewest(t *testing.T) {
	version, date, notes, err := newest(
		"# Changelog\n\n## Unreleased\n\n- a\n\n## 0.2.0 (2027-01-02)\n\n- b\n\n## 0.1.0 (2026-12-01)\n\n- c\n")
	require.NoError(t, err)
	assert.Equal(t, "0.2.0", version)
	assert.Equal(t, "2027-01-02", date)
	assert.Equal(t, "- b\n", notes)
	_, _, _, err = newest("# Changelog\n\n## Unreleased\n\n- a\n")
	assert.ErrorContains(t, err, "no section with a date")
}

// TestArchives: both formats hold the entries with content and mode, and the same entries give the same bytes.
func TestArchives(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "program")
	require.NoError(t, os.WriteFile(file, []byte("content"), 0o600))
	entries := []entry{{"bench", file, 0o755}, {"man/man1/bench.1", file, 0o644}}
	made := func(system string) (string, string) {
		name, err := writeArchive(dir, "k_1", entries, noon, system)
		require.NoError(t, err)
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return name, string(content)
	}

	name, content := made("linux")
	assert.Equal(t, "k_1.tar.gz", name)
	compressed, err := gzip.NewReader(strings.NewReader(content))
	require.NoError(t, err)
	archive := tar.NewReader(compressed)
	for _, e := range entries {
		header, err := archive.Next()
		require.NoError(t, err)
		assert.Equal(t, "k_1/"+e.name, header.Name)
		assert.Equal(t, e.mode, header.FileInfo().Mode())
		assert.True(t, noon.Equal(header.ModTime))
		text, err := io.ReadAll(archive)
		require.NoError(t, err)
		assert.Equal(t, "content", string(text))
	}

	zipName, zipped := made("windows")
	assert.Equal(t, "k_1.zip", zipName)
	files, err := zip.NewReader(strings.NewReader(zipped), int64(len(zipped)))
	require.NoError(t, err)
	require.Len(t, files.File, 2)
	assert.Equal(t, "k_1/bench", files.File[0].Name)
	assert.Equal(t, entries[0].mode, files.File[0].Mode())

	_, again := made("linux")
	assert.Equal(t, content, again)
	require.NoError(t, writeSums(dir, "sums", []string{"program"}))
	sums, err := os.ReadFile(filepath.Join(dir, "sums"))
	require.NoError(t, err)
	assert.Equal(t, "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73  program\n", string(sums))
}

func TestParts(t *testing.T) {
	b := parts(&debug.BuildInfo{
		GoVersion: "go1.26.8",
		Main:      debug.Module{Path: "github.com/koopbench/koopbench"},
		Deps: []*debug.Module{
			{Path: "example.org/Upper", Version: "v1.0.0+incompatible", Sum: "h1:x"},
			{Path: "example.org/a", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/b", Version: "v2.0.0"}},
			{Path: "example.org/c", Version: "v3.0.0", Replace: &debug.Module{Path: "./folder"}},
		},
	}, "0.1.0", noon)
	assert.Equal(t, "pkg:golang/github.com/koopbench/koopbench@v0.1.0", b.Metadata.Component.PURL)
	assert.Equal(t, "2026-12-01T12:00:00Z", b.Metadata.Timestamp)
	require.Len(t, b.Components, 4)
	assert.Equal(t, "pkg:golang/std@1.26.8", b.Components[0].PURL)
	assert.Equal(t, "pkg:golang/example.org/upper@v1.0.0%2Bincompatible", b.Components[1].PURL)
	assert.Equal(t, []property{{"go:sum", "h1:x"}}, b.Components[1].Properties)
	assert.Equal(t, "pkg:golang/example.org/b@v2.0.0", b.Components[2].PURL)
	assert.Equal(t, "pkg:golang/example.org/c@v3.0.0", b.Components[3].PURL)
}

// TestWriteParts reads this test's own program.
func TestWriteParts(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "parts.json")
	require.NoError(t, writeParts(path, program, "0.1.0", noon))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var b bill
	require.NoError(t, json.Unmarshal(text, &b))
	assert.Equal(t, "CycloneDX", b.Format)
	assert.NotEmpty(t, b.Components)
	assert.Error(t, writeParts(path, filepath.Join("testdata", "none"), "0.1.0", noon))
}
