package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestFresh fails if a generated file in package kernel is not what this program writes.
func TestFresh(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	written, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(written) != len(families)+3 { // declarations, and both files for arm64
		t.Fatalf("%d files written, error %v", len(written), err)
	}
	for _, path := range written {
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", filepath.Base(path)))
		if err != nil || !bytes.Equal(want, got) {
			t.Errorf("%s is stale (%v): run go -C backend/cpu generate ./internal/kernel", filepath.Base(path), err)
		}
	}
}
