package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFresh: the committed files are what the generator writes.
func TestFresh(t *testing.T) {
	files, err := generate(t.Context(), "..")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 {
		t.Fatalf("%d generated files; there should be 2", len(files))
	}
	for name, content := range files {
		committed, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if string(committed) != content {
			t.Errorf("%s is not what the generator writes: run go run . in plugin/wire/gen", name)
		}
	}
}
