package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
)

// benchTime is how long each benchmark runs, a round.
const benchTime = "1s"

// benchmarks runs the Go benchmarks that a pattern names in a compiled test program of a package,
// on the given threads, each for a time as -test.benchtime takes it.
func (b *bench) benchmarks(ctx context.Context, program, pkg, pattern string, threads int, time string,
	env ...string) (benchResults, error) {
	var out bytes.Buffer
	env = append(env, fmt.Sprintf("GOMAXPROCS=%d", threads))
	cmd := b.command(ctx, env, program, "-test.run=^$", "-test.bench="+pattern, "-test.benchtime="+time)
	cmd.Dir, cmd.Stdout = filepath.Join(b.root, pkg), &out
	if err := cmd.Run(); err != nil {
		return nil, errors.Join(ctx.Err(), fmt.Errorf("the benchmarks of %s failed: %w\n%s", pkg, err,
			bytes.TrimSpace(out.Bytes())))
	}
	return parseBenchmarks(out.Bytes(), threads)
}

// benchResults has the metrics of each benchmark by unit: "ns/op", "GFLOP/s".
type benchResults map[string]map[string]float64

// parseBenchmarks reads what a test program prints of its benchmarks, as
// https://go.dev/design/14313-benchmark-format has it:
//
//	BenchmarkStep/vamp-2    280    3912345 ns/op    512 B/op
//
// Names lose "Benchmark" and the number of threads, which Go adds where it is not 1. Other lines are skipped.
func parseBenchmarks(text []byte, threads int) (benchResults, error) {
	found := benchResults{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || len(fields)%2 != 0 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if threads > 1 {
			name = strings.TrimSuffix(name, fmt.Sprintf("-%d", threads))
		}
		if _, err := strconv.Atoi(fields[1]); err != nil {
			continue
		}
		metrics := map[string]float64{}
		for i := 2; i < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
				return nil, fmt.Errorf("benchmark %s: %q is not a number, in the line %q", name, fields[i], strings.TrimSpace(line))
			}
			metrics[fields[i+1]] = value
		}
		found[name] = metrics
	}
	if len(found) == 0 {
		return nil, errors.New("the test program printed no benchmark")
	}
	return found, nil
}
