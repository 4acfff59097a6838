//go:build unix

package plugin_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// The tests of this file repeat what the others do once, or move much. KOOPBENCH_SOAK=1 makes them
// whole, and other numbers longer or shorter; without it they are a tenth, so that all tests
// together stay quick.

func soak(t *testing.T, times int) int {
	t.Helper()
	if testing.Short() {
		t.Skip("-short skips what takes long")
	}
	factor, err := strconv.ParseFloat(os.Getenv("KOOPBENCH_SOAK"), 64)
	if err != nil {
		factor = 0.1
	}
	return max(int(factor*float64(times)), 1)
}

// TestStartsAndStops: a thousand processes, two at a time, leave nothing.
func TestStartsAndStops(t *testing.T) {
	n := soak(t, 1000)
	leavesNothing(t)
	t.Setenv(actVariable, "none")
	p := openPlugin(t, testPlugin(t))
	next := make(chan int)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for range next {
				ctx, scope := core.WithScope(t.Context())
				assert.NoError(t, useLoss(ctx, t, p.Things))
				assert.NoError(t, scope.Close())
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
	t.Logf("%d starts and stops", n)
}

// TestKills: however a process is killed, its run ends at once, as a crash if it has not succeeded,
// and nothing is left.
func TestKills(t *testing.T) {
	n := soak(t, 200)
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("processes are found by /proc, which is not there")
	}
	base := leavesNothing(t)
	t.Setenv(actVariable, "none")
	p, err := plugin.Open(t.Context(), testPlugin(t), &plugin.Options{Grace: grace})
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	x, err := core.NewSnapshots(make([]float32, 1<<20), 2, 2)
	require.NoError(t, err)
	crashes := 0
	for i := range n {
		ctx, cancel := context.WithTimeout(t.Context(), hangs)
		ctx, scope := core.WithScope(ctx)
		delay := time.Duration(random.Int64N(int64(80 * time.Millisecond)))
		stop := make(chan struct{})
		var killer sync.WaitGroup
		killer.Go(func() {
			time.Sleep(delay)
			for {
				for _, pid := range processesIn(base) {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
		err := func() error {
			model, err := fitMethod(ctx, t, p.Things)
			for k := 0; err == nil && k < 10; k++ {
				_, err = model.Predict(ctx, x)
			}
			return err
		}()
		close(stop)
		killer.Wait()
		if err != nil {
			crashes++
			require.ErrorIs(t, err, core.ErrCrashed, "run %d, killed after %v", i, delay)
		}
		require.NoError(t, scope.Close())
		cancel()
	}
	t.Logf("%d kills, %d runs that crashed for it, %d that had ended", n, crashes, n-crashes)
	assert.Greater(t, crashes, n/2, "most were killed in time")
	assert.NoError(t, p.Close())
}

// TestLargeArrays: arrays of any size up to the limit pass both ways, and larger ones are refused before they are sent.
func TestLargeArrays(t *testing.T) {
	leavesNothing(t)
	t.Setenv(actVariable, "none")
	p := openPlugin(t, testPlugin(t))
	ctx, scope := core.WithScope(t.Context())
	m := p.Things[0].(core.Method)
	data, err := core.NewSnapshots(make([]float32, 4*64*64), 64, 64)
	require.NoError(t, err)
	large := training(t, m.Describe())
	large.Train, large.Validation = core.OneTrajectory(data), core.OneTrajectory(data)
	large.TrainLabels, large.ValidationLabels = nil, nil
	model, err := m.Fit(ctx, large)
	require.NoError(t, err)

	for _, size := range []int{1 << 20, 64 << 20} {
		values := make([]float32, size/4)
		for i := range values {
			values[i] = float32(i % 1021)
		}
		x, err := core.NewSnapshots(values, 64, 64)
		require.NoError(t, err)
		y, err := model.Predict(ctx, x)
		require.NoError(t, err)
		require.True(t, slices.Equal(values, y.Floats()))
	}
	switch {
	case testing.Short():
		t.Log("-short leaves out 1 GiB")
	case raceDetector:
		t.Log("1 GiB is left out: the race detector makes it take minutes")
	case freeMemory() < 5<<30:
		t.Log("1 GiB is left out: it takes 5 GiB of free memory")
	default:
		values := make([]uint8, 1<<30)
		for i := 0; i < len(values); i += 1021 {
			values[i] = uint8(i)
		}
		x, err := core.NewPixelSnapshots(values, 64, 64)
		require.NoError(t, err)
		y, err := model.Predict(ctx, x)
		require.NoError(t, err)
		got, _ := y.Pixels()
		require.True(t, bytes.Equal(values, got))
	}

	pixels, err := core.NewPixelSnapshots(make([]uint8, 1<<30+1<<12), 64, 64)
	require.NoError(t, err)
	_, err = model.Predict(ctx, pixels)
	require.ErrorIs(t, err, core.ErrShape)
	assert.NotErrorIs(t, err, core.ErrContract, "that is not the plugin's fault")
	assert.ErrorContains(t, err, "use fewer snapshots, or built-in methods without --isolate")
	assert.NoError(t, scope.Close())
}

// freeMemory is the memory that can be had, all of it where the system does not tell.
func freeMemory() uint64 {
	text, err := os.ReadFile(filepath.Join("/proc", "meminfo"))
	if err != nil {
		return 1 << 62
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "MemAvailable:" {
			kib, err := strconv.ParseUint(fields[1], 10, 54)
			if err == nil {
				return kib << 10
			}
		}
	}
	return 1 << 62
}
