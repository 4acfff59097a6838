package main

import (
	"context"
	"fmt"
)

// repository is the path of all modules here, before their folders.
const repository = "github.com/koopbench/koopbench/"

// kernelPackage is the folder of the kernels, in a module of its own.
const kernelPackage = "backend/cpu/internal/kernel"

// kernels are benchmarks of that package, %s the kernel set. Epilogue 3 is ReLU and 2×2 max-pooling.
var kernels = []struct{ name, benchmark string }{
	{"conv2", "Conv/14x14x16to32/epilogue=0/%s"},
	{"conv2, ReLU and max-pool", "Conv/14x14x16to32/epilogue=3/%s"},
	{"gradient of conv2's kernel", "ConvGradient/14x14x16to32/kernel/epilogue=0/%s"},
	{"the same through max-pool and ReLU", "ConvGradient/14x14x16to32/kernel/epilogue=3/%s"},
	{"gradient of conv2's input", "ConvGradient/14x14x16to32/input/epilogue=0/%s"},
	{"the same through max-pool and ReLU", "ConvGradient/14x14x16to32/input/epilogue=3/%s"},
	{"product of 784×784 matrices, float32", "Gemm/784x784x784,false,false/%s/float32"},
	{"product of 784×784 matrices, float64", "Gemm/784x784x784,false,false/%s/float64"},
}

const kernelBenchmarks = "^Benchmark(Conv|ConvGradient|Gemm)$/^(14x14x16to32|784x784x784,false,false)$"

var kernelSets = []struct{ name, column string }{{"avx512", "AVX-512"}, {"avx2", "AVX2"}, {"generic", "plain Go"}}

// kernelRates is the measurement of the kernels, each on one thread.
type kernelRates struct {
	Settings settings       `json:"settings"`
	Rounds   []benchResults `json:"rounds"`
}

func (b *bench) measureKernels(ctx context.Context) (measurement, error) {
	program, err := b.build(ctx, "kernel.test", repository+kernelPackage, false, "test", "-c")
	if err != nil {
		return nil, err
	}
	k := &kernelRates{Settings: b.settings}
	for i := range b.Rounds {
		b.logf("round %d", i+1)
		found, err := b.benchmarks(ctx, program, kernelPackage, kernelBenchmarks, 1, benchTime)
		if err != nil {
			return nil, err
		}
		if err := checkKernels(found); err != nil {
			return nil, err
		}
		k.Rounds = append(k.Rounds, found)
	}
	return k, nil
}

// checkKernels fails unless every kernel was measured in plain Go, which every processor runs.
func checkKernels(found benchResults) error {
	for _, kernel := range kernels {
		name := fmt.Sprintf(kernel.benchmark, "generic")
		if _, ok := found[name]["GFLOP/s"]; !ok {
			return fmt.Errorf("%s has no benchmark %s", kernelPackage, name)
		}
	}
	return nil
}

func (k *kernelRates) markdown() string {
	header := []string{"GFLOP/s"}
	for _, set := range kernelSets {
		header = append(header, set.column)
	}
	t := table{header}
	for _, kernel := range kernels {
		row := []string{kernel.name}
		for _, set := range kernelSets {
			row = append(row, format(k.rate(fmt.Sprintf(kernel.benchmark, set.name))))
		}
		t = append(t, row)
	}
	return t.String()
}

// rate is the median over the rounds, NaN for a kernel set that this processor lacks.
func (k *kernelRates) rate(benchmark string) float64 {
	var rates []float64
	for _, round := range k.Rounds {
		if metrics, ok := round[benchmark]; ok {
			rates = append(rates, metrics["GFLOP/s"])
		}
	}
	return median(rates)
}
