package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeVariable makes the test program stand in for the programs that are measured; its value says
// which, and how it behaves.
const fakeVariable = "KOOPBENCH_PEER_FAKE"

func TestMain(m *testing.M) {
	if fake := os.Getenv(fakeVariable); fake != "" {
		os.Exit(actAs(fake, os.Args[1:]))
	}
	flag.Parse()
	os.Exit(m.Run())
}

// useFake makes the children of this test fakes, and returns what runs them.
func useFake(t *testing.T, fake string) (*bench, string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(fakeVariable, fake)
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "methods"), 0o755); err != nil {
		t.Fatal(err)
	}
	return &bench{settings: settings{Rounds: 2, Seed: 7, Threads: 2}, root: dir, temp: dir, log: io.Discard,
		python: program}, program
}

func argument(args []string, name string) string {
	if i := slices.Index(args, name); i >= 0 && i+1 < len(args) {
		return args[i+1]
	}
	return ""
}

func actAs(fake string, args []string) int {
	out := argument(args, "--out")
	if slices.Contains(args, "run") { // koopbench, which writes a folder
		out = filepath.Join(out, "results.json")
	}
	switch {
	case fake == "failure":
		return 3
	case fake == "nothing":
		return writeFake(out, map[string]any{}, args)
	case slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "-test.bench=") }):
		if strings.Contains(os.Getenv("GOMLX_BACKEND"), "avx512") {
			fmt.Println("kernel set not available")
			return 1
		}
		fmt.Println("goos: linux")
		for i, step := range steps {
			fmt.Printf("Benchmark%s-2 \t 100\t %d ns/op\n", step.benchmark, (i+1)*1_000_000)
		}
	case slices.Contains(args, "--steps"):
		ms := map[string]float64{}
		for i, step := range steps {
			ms[step.key] = float64(10 * (i + 1))
		}
		return writeFake(out, map[string]any{"milliseconds": ms, "versions": map[string]string{"torch": "2"}}, args)
	case slices.Contains(args, "run"):
		runs := []map[string]any{}
		for _, method := range []string{"linear", "vamp", "contrastive", "autoencoder", "classifier"} {
			runs = append(runs, map[string]any{"method": method, "fit_seconds": 0.001, "compile_seconds": 0.001,
				"predict_seconds": 0.002, "accuracy": []float64{0.9}})
		}
		return writeFake(out, map[string]any{
			"environment": map[string]any{"backend": "cpu"}, "oracle": map[string]any{"fit_seconds": 0.004,
				"test_accuracy": 0.98}, "runs": runs,
		}, args)
	default: // the peer's whole run
		seconds := map[string]float64{}
		for _, part := range parts {
			seconds[part] = 0.02
		}
		return writeFake(out, map[string]any{
			"seconds": seconds, "accuracy": map[string][]float64{"vamp": {0.9}}, "oracle_test_accuracy": 0.97,
			"peak_rss_bytes": 1,
			"versions":       map[string]string{"torch": "2"},
		}, args)
	}
	return 0
}

// writeFake writes a result, unless the seed did not arrive.
func writeFake(path string, value map[string]any, args []string) int {
	if argument(args, "--seed") != "7" && argument(args, "--seeds") != "7" {
		return 4
	}
	text, err := json.Marshal(value)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 5
	}
	return 0
}
