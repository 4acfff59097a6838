package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	s, err := parse([]string{"--rounds", "5", "--backend", "cpu:kernels=avx2", "--threads", "1"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, settings{Rounds: 5, Seed: 42, Threads: 1, Backend: "cpu:kernels=avx2", python: "python3"}, *s)

	for args, want := range map[string]string{
		"more":                        `unexpected argument "more"`,
		"--rounds 0":                  "--rounds 0; give at least 1",
		"--threads 0":                 "--threads 0; give at least 1",
		"--epochs -1":                 "--epochs -1; give at least 1, or 0 for no limit",
		"--steps --kernels":           "give one of them",
		"--xla plugin.so":             "--xla goes with --steps",
		"--steps --xla none.so":       "cannot read the PJRT plugin",
		"--steps --backend cpu":       "--backend goes with the whole run",
		"--seed x":                    "invalid value",
		"--rounds 99999999999999999s": "invalid value",
	} {
		_, err := parse(strings.Fields(args), io.Discard)
		assert.ErrorContains(t, err, want, args)
	}
}

func TestModuleRoot(t *testing.T) {
	root, err := moduleRoot(t.Context())
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(root, "internal", "peer", "requirements.txt"))
	t.Chdir(t.TempDir())
	_, err = moduleRoot(t.Context())
	assert.ErrorContains(t, err, "inside")
}

func TestWhole(t *testing.T) {
	b, program := useFake(t, "well")
	w, err := b.wholeOf(t.Context(), program)
	require.NoError(t, err)
	require.Len(t, w.Rounds, 2)
	assert.Equal(t, map[string]string{"torch": "2"}, w.Versions)
	assert.JSONEq(t, `{"backend": "cpu"}`, string(w.Environment))
	for _, r := range w.Rounds {
		for _, o := range []outcome{r.Koopbench, r.Kooplearn} {
			assert.Positive(t, o.WallSeconds)
			assert.Positive(t, o.CPUSeconds)
			assert.NotEqual(t, int64(1), o.PeakRSSBytes, "measured from outside")
		}
		assert.InDelta(t, 0.002, r.Koopbench.Seconds["vamp"], 1e-12, "with compilation")
		assert.InDelta(t, 5*0.002, r.Koopbench.Seconds["prediction"], 1e-12, "of all methods")
		assert.InDelta(t, r.Koopbench.WallSeconds-0.004-5*0.002-5*0.002, r.Koopbench.rest(), 1e-12)
		assert.Equal(t, []float64{0.9}, r.Kooplearn.Accuracy["vamp"])
		assert.InDelta(t, 0.98, r.Koopbench.OracleTestAccuracy, 0)
	}
	text := w.markdown()
	assert.Contains(t, text, "| vamp, s | 0.002 | 0.020 | 10.0 (10.0–10.0) |")
	assert.Equal(t, 2+4+len(parts), strings.Count(text, "\n"))

	path := filepath.Join(t.TempDir(), "w.json")
	require.NoError(t, writeJSON(path, w))
	var back whole
	require.NoError(t, readJSON(path, &back))
	assert.Equal(t, w.Rounds, back.Rounds, "the file has all that was measured")
}

func TestWholeFails(t *testing.T) {
	b, program := useFake(t, "failure")
	_, err := b.wholeOf(t.Context(), program)
	assert.ErrorContains(t, err, "koopbench's run failed: exit status 3")
	_, _, err = b.kooplearn(t.Context())
	assert.ErrorContains(t, err, "exit status 3")
	b, program = useFake(t, "nothing")
	_, err = b.wholeOf(t.Context(), program)
	assert.ErrorContains(t, err, `the results have no time of the part "oracle"`)
	_, _, err = b.kooplearn(t.Context())
	assert.ErrorContains(t, err, `the results have no time of the part "oracle"`)
}

func TestSteps(t *testing.T) {
	b, program := useFake(t, "well")
	s, err := b.stepsOf(t.Context(), []variant{{"cpu, AVX-512", "cpu:kernels=avx512", program}, {"go", "go", program}})
	require.NoError(t, err)
	assert.Contains(t, s.Missing["cpu, AVX-512"], "kernel set not available")
	assert.Equal(t, []float64{1, 1}, s.Milliseconds["go"]["vamp"])
	assert.Equal(t, []float64{20, 20}, s.Milliseconds[peerColumn]["contrastive"])
	assert.Equal(t, "| ms | cpu, AVX-512 | go | kooplearn + torch |\n|---|---:|---:|---:|\n| training step, vamp | – | "+
		"1.00 | 10.0 |",
		strings.Join(strings.SplitN(s.markdown(), "\n", 4)[:3], "\n"))

	b, _ = useFake(t, "nothing")
	assert.ErrorContains(t, b.peerSteps(t.Context(), s), `no step "vamp"`)
	assert.ErrorContains(t, s.addKoopbench("go", benchResults{}), "no benchmark Step/vamp")
}

// TestBenchmarksExist: the benchmarks that are named are there, each run once.
func TestBenchmarksExist(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles two packages' tests and runs benchmarks, a minute where nothing is compiled yet")
	}
	b := &bench{settings: settings{Threads: runtime.GOMAXPROCS(0)}, temp: t.TempDir(), log: io.Discard}
	var err error
	b.root, err = moduleRoot(t.Context())
	require.NoError(t, err)

	program, err := b.build(t.Context(), "kernel.test", repository+kernelPackage, false, "test", "-c")
	require.NoError(t, err)
	found, err := b.benchmarks(t.Context(), program, kernelPackage, kernelBenchmarks, 1, "1x")
	require.NoError(t, err)
	require.NoError(t, checkKernels(found))
	k := &kernelRates{Rounds: []benchResults{found}}
	assert.NotContains(t, strings.Split(k.markdown(), "\n")[2], "| – |\n")

	program, err = b.build(t.Context(), "methods.test", "./methods", false, "test", "-c")
	require.NoError(t, err)
	found, err = b.benchmarks(t.Context(), program, "methods", stepBenchmarks, b.Threads, "1x", "GOMLX_BACKEND=cpu")
	require.NoError(t, err)
	s := &stepTimes{Milliseconds: map[string]map[string][]float64{}}
	require.NoError(t, s.addKoopbench("cpu", found))
}

func TestVenv(t *testing.T) {
	b := &bench{settings: settings{python: "no-such-python"}, log: io.Discard}
	dir, err := b.venvFolder()
	require.NoError(t, err)
	assert.True(t, filepath.IsAbs(dir))
	dir = filepath.Join(t.TempDir(), "venv")
	_, err = b.openVenv(t.Context(), dir)
	assert.ErrorContains(t, err, "there is no no-such-python on the path; install Python 3.11")

	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o644))
	_, err = b.openVenv(t.Context(), dir)
	assert.ErrorContains(t, err, "holds files and is no virtual environment")

	bin := filepath.Join(dir, filepath.FromSlash(map[bool]string{true: "Scripts/python.exe",
		false: "bin/python"}[runtime.GOOS == "windows"]))
	require.NoError(t, os.MkdirAll(filepath.Dir(bin), 0o755))
	require.NoError(t, os.WriteFile(bin, nil, 0o755))
	interpreter, err := b.openVenv(t.Context(), dir)
	require.NoError(t, err)
	assert.Equal(t, bin, interpreter, "what is there is used again")
}

func TestMeasure(t *testing.T) {
	b, program := useFake(t, "failure")
	_, err := measure(b.command(t.Context(), nil, program))
	assert.ErrorContains(t, err, "exit status 3")
	if runtime.GOOS == "windows" {
		return
	}
	spent, err := measure(b.command(t.Context(), []string{fakeVariable + "="}, program, "-test.list=^$"))
	require.NoError(t, err)
	assert.Greater(t, spent.PeakRSSBytes, int64(1<<20))
	assert.Less(t, spent.PeakRSSBytes, int64(1<<32))
}

// TestInterrupt: the end of the context ends a child and the child's children.
func TestInterrupt(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("there is no POSIX shell to be the child")
	}
	b := &bench{root: t.TempDir(), log: io.Discard}
	ctx, cancel := context.WithCancel(t.Context())
	cmd := b.command(ctx, nil, shell, "-c", "echo started; sleep 600; echo over")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = out.Read(make([]byte, 1)) // it is running
	require.NoError(t, err)
	start := time.Now()
	cancel()
	rest, err := io.ReadAll(out) // ends once nothing holds the other end
	require.NoError(t, err)
	assert.NotContains(t, string(rest), "over")
	assert.Error(t, cmd.Wait())
	assert.Less(t, time.Since(start), 2*time.Minute)
}

// TestScript: the peer's script is Python, and its requirements are pinned.
func TestScript(t *testing.T) {
	text, err := os.ReadFile("requirements.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		assert.Regexp(t, `^[a-z-]+==[0-9.]+\n$`, line)
	}
	script, err := os.ReadFile("kooplearn_ordered_mnist.py")
	require.NoError(t, err)
	for _, name := range append([]string{"oracle"}, parts...) {
		assert.Contains(t, string(script), `"`+name+`"`)
	}
	for _, step := range steps {
		assert.Contains(t, string(script), `"`+step.key+`"`)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 to parse the script")
	}
	out, err := exec.CommandContext(t.Context(), python, "-c",
		"import ast, sys; ast.parse(open(sys.argv[1], encoding='utf-8').read())",
		"kooplearn_ordered_mnist.py").CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestReadJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	require.NoError(t, os.WriteFile(path, []byte("{"), 0o644))
	var v json.RawMessage
	assert.ErrorContains(t, readJSON(path, &v), path)
	assert.ErrorIs(t, readJSON(path+"x", &v), os.ErrNotExist)
	require.NoError(t, writeJSON("", v), "no file is asked for")
}
