package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/koopbench/koopbench/cli"
)

// TestOwnMethod lists and describes the method beside the built-in ones.
func TestOwnMethod(t *testing.T) {
	config := cli.Config{Name: "custombench", Registry: withNearest}
	var stdout, stderr bytes.Buffer
	assert.Zero(t, cli.Main(t.Context(), []string{"list"}, nil, &stdout, &stderr, config))
	assert.Contains(t, stdout.String(), "\n  nearest ")
	assert.Contains(t, stdout.String(), "\n  vamp ")
	assert.Empty(t, stderr.String())
}

// TestRun runs it through the whole protocol.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains the oracle, which takes some seconds; -short is set")
	}
	var stdout, stderr bytes.Buffer
	args := []string{"run", "--methods", "nearest", "--epochs", "1", "--split", "64,12,10", "--steps", "2", "--out",
		filepath.Join(t.TempDir(), "out")}
	status := cli.Main(t.Context(), args, nil, &stdout, &stderr, cli.Config{Name: "custombench", Registry: withNearest})
	assert.Zero(t, status, stderr.String())
	assert.Regexp(t, `(?m)^\S+ +nearest +1/1 `, stdout.String())
}
