package main

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkBoundary compares whole commands with a built-in thing in this program and in another
// process, in turn: `linear`, and a training under the loss `vamp` for five epochs. It reports the
// least of each: the seconds of the command and of the fit in it.
func BenchmarkBoundary(b *testing.B) {
	bench := build(b)
	remote := filepath.Join(b.TempDir(), "remote")
	require.NoError(b, os.WriteFile(remote, []byte("#!/bin/sh\nexec '"+bench+
		"' plugin serve linear vamp --prefix remote-\n"), 0o755))
	for _, c := range []struct{ name, here, there string }{
		{"linear", "linear", "remote-linear"},
		{"loss", "loss:vamp?epochs=5", "loss:remote-vamp?epochs=5"},
	} {
		b.Run(c.name, func(b *testing.B) {
			run := func(args ...string) (whole, fit float64) {
				out := filepath.Join(b.TempDir(), "results")
				start := time.Now()
				text, err := exec.CommandContext(b.Context(), bench, append([]string{"run", "-q", "--epochs", "5", "--out", out},
					args...)...).CombinedOutput()
				require.NoError(b, err, "%s", text)
				return time.Since(start).Seconds(), readResults(b, out).Runs[0].FitSeconds
			}
			least := [4]float64{math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1)}
			for b.Loop() {
				var now [4]float64
				now[0], now[1] = run("--methods", c.here)
				now[2], now[3] = run("--methods", c.there, "--plugin", remote)
				for i := range least {
					least[i] = min(least[i], now[i])
				}
			}
			for i, unit := range []string{"here-s", "fit-here-s", "there-s", "fit-there-s"} {
				b.ReportMetric(least[i], unit)
			}
			b.ReportMetric(0, "ns/op") // of both together
		})
	}
}
