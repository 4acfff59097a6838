//go:build unix

package plugin_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// BenchmarkStart is the start and stop of a process, without the SHA-256 of a large file.
func BenchmarkStart(b *testing.B) {
	b.Setenv(actVariable, "none")
	path := testPlugin(b)
	for b.Loop() {
		p, err := plugin.Open(b.Context(), path, nil)
		require.NoError(b, err)
		require.NoError(b, p.Close())
	}
}

// ways are the ways to a thing of this program's.
func ways(b *testing.B, run func(b *testing.B, things []any)) {
	b.Run("loopback", func(b *testing.B) {
		l, err := plugin.Loopback(things()...)
		require.NoError(b, err)
		run(b, l.Things)
		require.NoError(b, l.Close())
	})
	for name, act := range map[string]string{"process": "none", "process in the clear": "clear="} {
		b.Run(name, func(b *testing.B) {
			b.Setenv(actVariable, act)
			run(b, openPlugin(b, testPlugin(b)).Things)
		})
	}
}

// BenchmarkPredict tells how fast 28×28 snapshots go through a plugin that returns what it gets: bytes both ways.
func BenchmarkPredict(b *testing.B) {
	for _, n := range []int{1000, 50000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x, err := core.NewSnapshots(make([]float32, n*28*28), 28, 28)
			require.NoError(b, err)
			ways(b, func(b *testing.B, things []any) {
				model, err := fitMethod(b.Context(), b, things)
				require.NoError(b, err)
				b.SetBytes(int64(2 * 4 * n * 28 * 28))
				for b.Loop() {
					_, err := model.Predict(b.Context(), x)
					require.NoError(b, err)
				}
			})
		})
	}
}

// BenchmarkLoss is a loss of a training batch.
func BenchmarkLoss(b *testing.B) {
	x := mat.NewDense(64, 5, nil)
	ways(b, func(b *testing.B, things []any) {
		loss := things[3].(core.Loss)
		for b.Loop() {
			_, err := loss.Evaluate(b.Context(), x, x, core.Options{})
			require.NoError(b, err)
		}
	})
}
