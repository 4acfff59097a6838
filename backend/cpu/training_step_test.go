package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

func newBackend(tb testing.TB, config string) *cpu.Backend {
	tb.Helper()
	b, err := cpu.New(config)
	require.NoError(tb, err)
	tb.Cleanup(b.Finalize)
	return b.(*cpu.Backend)
}

// trained returns losses and variables after steps of training.
func trained(t *testing.T, b compute.Backend, autoencoder bool, batch, steps int) ([]float32, map[string][]float32) {
	tr := newTrainer(t, b, autoencoder)
	var losses []float32
	for i := range steps {
		losses = append(losses, tr.step(t, images(uint64(2*i), batch), images(uint64(2*i+1), batch)))
	}
	return losses, tr.variables(t)
}

func TestTrainingMatchesGoBackend(t *testing.T) {
	skipGoMatMulUnderRace(t)
	for _, autoencoder := range []bool{false, true} {
		reference, err := gobackend.New("ops_sequential")
		require.NoError(t, err)
		const steps, batch = 4, 3
		losses, variables := trained(t, reference, autoencoder, batch, steps)
		for _, set := range kernel.Sets() {
			t.Run(fmt.Sprintf("autoencoder=%v/%s", autoencoder, set), func(t *testing.T) {
				gotLosses, got := trained(t, newBackend(t, "kernels="+set.String()), autoencoder, batch, steps)
				assert.InDeltaSlice(t, losses, gotLosses, 1e-4)
				require.Len(t, got, len(variables))
				for name, want := range variables {
					assert.InDeltaSlice(t, want, got[name], 1e-4, name)
				}
			})
		}
	}
}

func TestBitsDoNotDependOnThreads(t *testing.T) {
	batch, threads := 5, []int{1, 2, 3, 3}
	if testing.Short() {
		batch, threads = 2, []int{1, 3}
	}
	for _, set := range kernel.Sets() {
		for _, autoencoder := range []bool{false, true} {
			t.Run(fmt.Sprintf("autoencoder=%v/%s", autoencoder, set), func(t *testing.T) {
				var wantLosses []float32
				var want map[string][]float32
				for _, threads := range threads {
					b := newBackend(t, fmt.Sprintf("kernels=%s,threads=%d", set, threads))
					losses, variables := trained(t, b, autoencoder, batch, 2)
					if want == nil {
						wantLosses, want = losses, variables
						continue
					}
					assert.Equal(t, wantLosses, losses, "threads=%d", threads)
					assert.Equal(t, want, variables, "threads=%d", threads)
				}
			})
		}
	}
}

// benchmarkConfigs runs a benchmark for each kernel set, on one thread and on
// all.
func benchmarkConfigs(b *testing.B, run func(b *testing.B, backend *cpu.Backend)) {
	threads := []int{1}
	if n := runtime.GOMAXPROCS(0); n > 1 {
		threads = append(threads, n)
	}
	for _, set := range kernel.Sets() {
		for _, n := range threads {
			b.Run(fmt.Sprintf("%s/threads=%d", set, n), func(b *testing.B) {
				run(b, newBackend(b, fmt.Sprintf("kernels=%s,threads=%d", set, n)))
			})
		}
	}
}

// logProfile shows, with -v, what ran since EnableProfile.
func logProfile(b *testing.B, backend *cpu.Backend) {
	if !testing.Verbose() {
		return
	}
	for _, e := range backend.Profile() {
		b.Logf("%8.3f ms ×%-5d %-8s %7.1f GFLOP/s %s", e.Time.Seconds()*1e3/float64(e.Calls), e.Calls, e.Where,
			float64(e.Flops)*float64(e.Calls)/e.Time.Seconds()/1e9, e.Operation)
	}
}

// BenchmarkTrainingStep runs steps of two views of 64 images, AdamW included.
func BenchmarkTrainingStep(b *testing.B) {
	for _, autoencoder := range []bool{false, true} {
		b.Run(fmt.Sprintf("autoencoder=%v", autoencoder), func(b *testing.B) {
			benchmarkConfigs(b, func(b *testing.B, backend *cpu.Backend) {
				tr := newTrainer(b, backend, autoencoder)
				x, y := images(1, 64), images(2, 64)
				for range 3 {
					tr.step(b, x, y)
				}
				backend.EnableProfile(testing.Verbose())
				b.ReportAllocs()
				for b.Loop() {
					tr.step(b, x, y)
				}
				b.StopTimer()
				logProfile(b, backend)
			})
		})
	}
}

// BenchmarkEmbed1000 runs the encoder forward over 1000 images in batches of
// 48, the last one filled up.
func BenchmarkEmbed1000(b *testing.B) {
	const batch = 48
	benchmarkConfigs(b, func(b *testing.B, backend *cpu.Backend) {
		exec, err := model.NewExec(backend, model.NewStore(), func(s *model.Scope, x *node) *node {
			return network{s.At("net"), rand.New(rand.NewPCG(1, 2))}.encode(x)
		})
		require.NoError(b, err)
		x := images(1, batch)
		run := func() {
			for n := 0; n < 1000; n += batch {
				out, err := exec.Exec(x)
				require.NoError(b, err)
				require.NoError(b, out[0].FinalizeAll())
			}
		}
		run()
		backend.EnableProfile(testing.Verbose())
		b.ReportAllocs()
		for b.Loop() {
			run()
		}
		b.StopTimer()
		logProfile(b, backend)
	})
}
