package trajectory_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/conformance"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/tasks/trajectory"
)

// orbit is a table of a damped rotation, with its time.
func orbit(t *testing.T, rows int) string {
	var text strings.Builder
	text.WriteString("t,x,y\n")
	for i := range rows {
		fmt.Fprintf(&text, "%.2f,%.7g,%.7g\n", 0.05*float64(i), math.Cos(0.3*float64(i)), math.Sin(0.3*float64(i)))
	}
	path := filepath.Join(t.TempDir(), "orbit.csv")
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
	return path
}

// TestConformance: the task keeps the contract, with few rows.
func TestConformance(t *testing.T) {
	conformance.RunTaskSuite(t, func() core.Task { return trajectory.Task{} }, &conformance.Options{
		Settings: map[string]any{
			core.DataOption: orbit(t, 300), core.SplitOption: "100,60,80", core.StepsOption: 4, core.LagOption: 2,
		},
	})
}
