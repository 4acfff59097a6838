package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"golang.org/x/perf/benchfmt"
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

// parseBenchmarks reads what a test program prints of its benchmarks:
//
//	BenchmarkStep/vamp-2    280    3912345 ns/op    512 B/op
//
// Names lose "Benchmark" and the number of threads, which Go adds where it is not 1. Lines without
// results are skipped.
func parseBenchmarks(text []byte, threads int) (benchResults, error) {
	found := benchResults{}
	reader := benchfmt.NewReader(bytes.NewReader(text), "benchmarks")
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			name := string(record.Name)
			if threads > 1 {
				name = strings.TrimSuffix(name, fmt.Sprintf("-%d", threads))
			}
			metrics, err := metricsOf(record)
			if err != nil {
				return nil, fmt.Errorf("benchmark %s: %w", name, err)
			}
			found[name] = metrics
		case *benchfmt.SyntaxError:
			if strings.HasPrefix(record.Msg, "parsing measurement") { // others are of lines that are no results
				return nil, record
			}
		}
	}
	if err := reader.Err(); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errors.New("the test program printed no benchmark")
	}
	return found, nil
}

// metricsOf returns the values of a result in the units that were printed.
func metricsOf(result *benchfmt.Result) (map[string]float64, error) {
	metrics := map[string]float64{}
	for _, v := range result.Values {
		value, unit := v.Value, v.Unit
		if v.OrigUnit != "" { // benchfmt has made seconds of nanoseconds
			value, unit = v.OrigValue, v.OrigUnit
		}
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, fmt.Errorf("%g %s is not a number", value, unit)
		}
		metrics[unit] = value
	}
	return metrics, nil
}
