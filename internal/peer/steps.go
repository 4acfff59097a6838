package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// steps are what is timed on its own: names of the peer's script and of the benchmarks in methods/steps_test.go.
var steps = []struct{ key, name, benchmark string }{
	{"vamp", "training step, vamp", "Step/vamp"},
	{"contrastive", "training step, contrastive", "Step/contrastive"},
	{"autoencoder", "training step, autoencoder", "Step/autoencoder"},
	{"oracle", "training step, oracle", "Step/oracle"},
	{"embed", "embedding of 1000 images", "Embed"},
	{"ridge", "regression on 3000×784", "Ridge"},
}

const stepBenchmarks = "^Benchmark(Step|Embed|Ridge)$"

// peerColumn is the column of the peer's steps.
const peerColumn = "kooplearn + torch"

// stepTimes is the measurement of single steps.
type stepTimes struct {
	Settings     settings                        `json:"settings"`
	Versions     map[string]string               `json:"versions"` // of the peer's packages
	Columns      []string                        `json:"columns"`
	Missing      map[string]string               `json:"missing"`      // columns that could not be measured, and why
	Milliseconds map[string]map[string][]float64 `json:"milliseconds"` // by column and step, one a round
}

// variant is a compute backend to measure.
type variant struct {
	column, backend string
	program         string // test program of package methods
}

func (b *bench) measureSteps(ctx context.Context) (measurement, error) {
	variants, err := b.variants(ctx)
	if err != nil {
		return nil, err
	}
	return b.stepsOf(ctx, variants)
}

func (b *bench) stepsOf(ctx context.Context, variants []variant) (*stepTimes, error) {
	s := &stepTimes{Settings: b.settings, Missing: map[string]string{}, Milliseconds: map[string]map[string][]float64{}}
	for _, v := range variants {
		s.Columns = append(s.Columns, v.column)
	}
	s.Columns = append(s.Columns, peerColumn)
	for i := range b.Rounds {
		b.logf("round %d", i+1)
		for _, v := range variants {
			if s.Missing[v.column] != "" {
				continue
			}
			times, err := b.benchmarks(ctx, v.program, "methods", stepBenchmarks, b.Threads, benchTime, "GOMLX_BACKEND="+
				v.backend, "GOMLX_NO_AUTO_INSTALL=1")
			if ctx.Err() != nil {
				return nil, err
			}
			if err != nil { // a kernel set that this processor lacks, for instance
				b.logf("%s: %v", v.column, err)
				s.Missing[v.column] = err.Error()
				continue
			}
			if err := s.addKoopbench(v.column, times); err != nil {
				return nil, err
			}
			b.logf("  %s", v.column)
		}
		if err := b.peerSteps(ctx, s); err != nil {
			return nil, errors.Join(ctx.Err(), fmt.Errorf("kooplearn's steps failed: %w", err))
		}
		b.logf("  %s", peerColumn)
	}
	return s, nil
}

func (b *bench) variants(ctx context.Context) ([]variant, error) {
	pure, err := b.build(ctx, "methods.test", "./methods", false, "test", "-c")
	if err != nil {
		return nil, err
	}
	all := []variant{
		{"cpu, AVX-512", "cpu:kernels=avx512", pure},
		{"cpu, AVX2", "cpu:kernels=avx2", pure},
		{"cpu, plain Go", "cpu:kernels=generic", pure},
		{"go", "go", pure},
	}
	if b.XLA != "" {
		xla, err := b.build(ctx, "methods-xla.test", "./methods", true, "test", "-c")
		if err != nil {
			return nil, err
		}
		all = append(all, variant{"xla", "xla:" + b.XLA, xla})
	}
	return all, nil
}

func (b *bench) peerSteps(ctx context.Context, s *stepTimes) error {
	out := filepath.Join(b.temp, "steps.json")
	if err := b.peer(ctx, out, "--steps").Run(); err != nil {
		return err
	}
	var r struct {
		Milliseconds map[string]float64 `json:"milliseconds"`
		Versions     map[string]string  `json:"versions"`
	}
	if err := readJSON(out, &r); err != nil {
		return err
	}
	s.Versions = r.Versions
	for _, step := range steps {
		ms, ok := r.Milliseconds[step.key]
		if !ok {
			return fmt.Errorf("the results have no step %q", step.key)
		}
		s.add(peerColumn, step.key, ms)
	}
	return nil
}

func (s *stepTimes) addKoopbench(column string, times benchResults) error {
	for _, step := range steps {
		ns, ok := times[step.benchmark]["ns/op"]
		if !ok {
			return fmt.Errorf("package methods has no benchmark %s", step.benchmark)
		}
		s.add(column, step.key, ns/1e6)
	}
	return nil
}

func (s *stepTimes) add(column, step string, milliseconds float64) {
	if s.Milliseconds[column] == nil {
		s.Milliseconds[column] = map[string][]float64{}
	}
	s.Milliseconds[column][step] = append(s.Milliseconds[column][step], milliseconds)
}

func (s *stepTimes) markdown() string {
	t := table{append([]string{"ms"}, s.Columns...)}
	for _, step := range steps {
		row := []string{step.name}
		for _, column := range s.Columns {
			row = append(row, format(median(s.Milliseconds[column][step.key])))
		}
		t = append(t, row)
	}
	return t.String()
}
