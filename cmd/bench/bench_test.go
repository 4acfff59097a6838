package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkBoundary compares whole commands with a built-in thing in this program and in another process: `linear`, from the start of the
// command to its end, and a training under the loss `vamp` for five epochs, of which fit-s is the training alone.
func BenchmarkBoundary(b *testing.B) {
	bench := build(b)
	remote := filepath.Join(b.TempDir(), "remote")
	require.NoError(b, os.WriteFile(remote, []byte("#!/bin/sh\nexec '"+bench+"' plugin serve linear vamp --prefix remote-\n"), 0o755))
	for _, c := range []struct {
		name, method string
		more         []string
	}{
		{"linear/in process", "linear", nil},
		{"linear/separate process", "remote-linear", []string{"--plugin", remote}},
		{"loss/in process", "loss:vamp?epochs=5", nil},
		{"loss/separate process", "loss:remote-vamp?epochs=5", []string{"--plugin", remote}},
	} {
		b.Run(c.name, func(b *testing.B) {
			fit := 0.0
			for b.Loop() {
				out := filepath.Join(b.TempDir(), "results")
				args := append([]string{"run", "-q", "--methods", c.method, "--out", out}, c.more...)
				text, err := exec.CommandContext(b.Context(), bench, args...).CombinedOutput()
				require.NoError(b, err, "%s", text)
				fit += readResults(b, out).Runs[0].FitSeconds
			}
			b.ReportMetric(fit/float64(b.N), "fit-s/op")
		})
	}
}
