//go:build linux

package cli

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
)

// The tests of this file give every command folders and files that somebody made to do harm.
// Whatever they hold, a command ends with an exit status and a sentence, takes less than
// mostMemory, and writes nothing outside the folder.

const (
	mostMemory = 300_000_000
	mostTime   = 3 * time.Minute // of a child, which would be killed: nothing depends on how long it takes
)

var hostileMain = runHostile

// runHostile runs the command lines that stdin lists, one after the other in this process, and
// writes what came of each. "serve" is answered as a browser's first requests are.
func runHostile() {
	var commands [][]string
	if err := json.NewDecoder(os.Stdin).Decode(&commands); err != nil {
		panic(err)
	}
	config := newFakes().config()
	without := config.draw
	for _, args := range commands {
		var got output
		config.draw = without // drawing takes longest
		if args[0] == "report" || slices.Contains(args, "--draw") {
			config.draw = nil
			args = slices.DeleteFunc(args, func(arg string) bool { return arg == "--draw" })
		}
		if args[0] == "serve" {
			got = served(args[1])
		} else {
			got = call(context.Background(), config, args...)
		}
		text, err := json.Marshal([]any{got.status, got.stdout, got.stderr, peakMemory()})
		if err != nil {
			panic(err)
		}
		fmt.Println(string(text))
		debug.FreeOSMemory()
	}
	os.Exit(0)
}

func served(dir string) output {
	handler := (&pageServer{store: results.OpenStore(dir)}).handler()
	status := 0
	var text string
	for _, path := range []string{"/", "/progress"} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			status, text = 1, "bench: "+foreign.Printable(w.Body.String())
		}
	}
	return output{status: status, stderr: text}
}

var peakLine = regexp.MustCompile(`VmHWM:\s*(\d+) kB`)

// peakMemory is the largest resident memory that this process has had, in bytes.
func peakMemory() int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	kilobytes, err := strconv.Atoi(string(peakLine.FindSubmatch(text)[1]))
	if err != nil {
		panic(err)
	}
	return kilobytes << 10
}

// hostileRun runs command lines in a process of its own.
func hostileRun(t *testing.T, commands ...[]string) (outputs []output, peak int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), mostTime)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0])
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(), hostileChild+"=1", "GOMAXPROCS=2")
	input, err := json.Marshal(commands)
	require.NoError(t, err)
	var stdout, stderr bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(input), &stdout, &stderr
	failure := c.Run()
	decoder := json.NewDecoder(&stdout)
	for decoder.More() {
		var got output
		require.NoError(t, decoder.Decode(&[]any{&got.status, &got.stdout, &got.stderr, &peak}))
		outputs = append(outputs, got)
	}
	require.NoError(t, failure, "%v: %s", commands[min(len(outputs), len(commands)-1)],
		foreign.Shorten(stderr.String(), 3000))
	require.Len(t, outputs, len(commands))
	return outputs, peak
}

// hostileBase is a folder of results with files of every kind, its data, and a folder outside of them.
type hostileBase struct {
	dir, data, image, outside string
	key, oracle               string
}

func newHostileBase(t *testing.T) hostileBase {
	base := t.TempDir()
	b := hostileBase{
		dir: filepath.Join(base, "results"), data: filepath.Join(base, "data"), image: filepath.Join(base, "image.npy"),
		outside: filepath.Join(base, "outside"),
	}
	writeData(t, b.data)
	fakes := newFakes()
	got := call(t.Context(), fakes.config(), b.run(b.dir)...)
	require.Zero(t, got.status, got.stderr)
	r, err := results.OpenStore(b.dir).Results()
	require.NoError(t, err)
	b.key, b.oracle = r.Runs[0].Key, r.Oracle.Key
	state := &core.State{Arrays: map[string]core.Array{"means": {Shape: []int{2}, Values: []float32{1, 2}}}}
	info := results.ModelInfo{Kind: results.ModelOfMethod, Name: "template", Key: b.key, Oracle: b.oracle, Task: r.Task}
	require.NoError(t,
		(&results.SavedModel{ModelInfo: info, State: state}).Write(filepath.Join(b.dir, "runs", b.key+".model.npz")))
	info.Kind, info.Key = results.ModelOfOracle, b.oracle
	require.NoError(t,
		(&results.SavedModel{ModelInfo: info, State: state}).Write(filepath.Join(b.dir, "oracle-"+b.oracle+".npz")))
	require.NoError(t, os.MkdirAll(filepath.Join(b.dir, "checkpoints"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "checkpoints", b.key+"-a.npz"), []byte("x"), 0o644))
	require.NoError(t,
		os.WriteFile(b.image, npyFile("<f4", fmt.Sprintf("(%d, %[1]d)", side), make([]byte, 4*side*side)), 0o644))
	require.NoError(t, os.MkdirAll(b.outside, 0o755))
	for _, name := range []string{"file", "results.json", "accuracy.png", b.key + "-a.npz", b.key + ".json"} {
		require.NoError(t, os.WriteFile(filepath.Join(b.outside, name), []byte("secret"), 0o644))
	}
	return b
}

func (b hostileBase) run(out string) []string {
	return tiny(b.data, out, "--methods", "template", "--seeds", "0,1", "--save-predictions")
}

// commands are all that read folders of results; those that write to it have a folder of their own.
func (b hostileBase) commands(dir func(n int) string) (names []string, commands [][]string) {
	add := func(name string, args ...string) { names, commands = append(names, name), append(commands, args) }
	add("report", "report", dir(0))
	add("serve", "serve", dir(0))
	add("compare", "compare", b.dir, dir(0))
	add("merge", "merge", "--out", dir(0)+"-merged", dir(0), b.dir)
	add("verify", "verify", dir(0), "--data", b.data)
	add("predict", "predict", "--model", filepath.Join(dir(0), "runs", b.key+".model.npz"), "--input", b.image, "--out",
		dir(0)+"-predicted")
	add("merge into", "merge", "--draw", "--out", dir(1), b.dir)
	add("run into", b.run(dir(2))...)
	add("clean", "clean", dir(4))
	add(
		"run --config",
		append(tiny(b.data, dir(3)), "--config", filepath.Join(dir(3), "config.yaml"), "--methods", "template")...)
	return names, commands
}

// copied are copies of the base for all commands, changed alike.
func (b hostileBase) copied(t *testing.T, change func(t *testing.T, dir string)) func(n int) string {
	t.Helper()
	base := t.TempDir()
	for n := range 5 {
		dir := filepath.Join(base, fmt.Sprint(n))
		require.NoError(t, os.CopyFS(dir, os.DirFS(b.dir)))
		change(t, dir)
	}
	return func(n int) string { return filepath.Join(base, fmt.Sprint(n)) }
}

// assertHarmless checks what every command keeps to.
func assertHarmless(t *testing.T, name string, got output) {
	t.Helper()
	assert.Contains(t, []int{0, exitFailure, exitUsage}, got.status, name)
	for _, text := range []string{got.stdout, got.stderr} {
		assert.True(t, utf8.ValidString(text) && !strings.ContainsFunc(text, foreign.Steers), "%s: %.500q", name, text)
		assert.NotContains(t, text, "goroutine ", name)
		assert.Less(t, len(text), 1<<20, name)
	}
	if got.status != 0 {
		line := lastLine(got.stderr)
		assert.True(t, strings.HasPrefix(line, "bench: ") && len(line) > 20 && len(line) <= maxLine+10, "%s: %.500q", name,
			line)
	}
}

func npyFile(descr, shape string, values []byte) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape)
	file := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	return append(append(file, header...), values...)
}

// zipOf is an archive whose members begin so and go on with zeros.
func zipOf(t *testing.T, zeros int64, members map[string][]byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, start := range members {
		m, err := w.Create(name)
		require.NoError(t, err)
		_, err = m.Write(start)
		require.NoError(t, err)
		for left := zeros; left > 0; left -= 1 << 20 {
			_, err = m.Write(make([]byte, 1<<20))
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// files are one of each kind, by name.
func (b hostileBase) files() []string {
	return []string{
		"results.json",
		"results.csv",
		"oracle.json",
		"data.npz",
		"config.yaml",
		"plan.json",
		"oracle-" + b.oracle + ".npz",
		"runs/" + b.key + ".json",
		"runs/" + b.key + ".npz",
		"runs/" + b.key + ".model.npz",
		"runs/" + b.key + ".predictions.npz",
		"checkpoints/" + b.key + "-a.npz",
	}
}

func put(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.RemoveAll(path))
	require.NoError(t, os.WriteFile(path, content, 0o644))
}

// everyFile makes the same of one file of each kind.
func (b hostileBase) everyFile(put func(t *testing.T, path string)) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		for _, name := range b.files() {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, name)))
			put(t, filepath.Join(dir, name))
		}
	}
}

// edited changes results.json and the files of its runs.
func edited(change func(r, run map[string]any)) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		read := func(path string) (v map[string]any) {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(text, &v))
			return v
		}
		write := func(path string, v any) {
			text, err := json.Marshal(v)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, text, 0o644))
		}
		r := read(filepath.Join(dir, "results.json"))
		for _, run := range r["runs"].([]any) {
			path := filepath.Join(dir, "runs", run.(map[string]any)["key"].(string)+".json")
			change(r, run.(map[string]any))
			if _, err := os.Stat(path); err == nil {
				write(path, run)
			}
		}
		write(filepath.Join(dir, "results.json"), r)
	}
}

// hostileCase is a folder and, for some commands, what they say; "" stands for success.
type hostileCase struct {
	change func(t *testing.T, dir string)
	says   map[string]string
}

const steering = "\x1b[2J\x1b]0;owned\a\r\u009b31m\u202e"

func (b hostileBase) cases() map[string]hostileCase {
	arrays := func(content func(t *testing.T) []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			text := content(t)
			for _, name := range b.files() {
				if strings.HasSuffix(name, ".npz") {
					put(t, dir, name, text)
				}
			}
		}
	}
	member := func(name, descr, shape string, zeros int64) func(t *testing.T, dir string) {
		return arrays(func(t *testing.T) []byte {
			return zipOf(t, zeros, map[string][]byte{name + ".npy": npyFile(descr, shape, nil)})
		})
	}
	json := func(text string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			for _, name := range b.files() {
				if strings.HasSuffix(name, ".json") {
					put(t, dir, name, []byte(text))
				}
			}
		}
	}
	linked := func(name, target string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, name)))
			require.NoError(t, os.Symlink(target, filepath.Join(dir, name)))
		}
	}
	accuracy := func(v any) func(t *testing.T, dir string) {
		return edited(func(_, run map[string]any) { evaluation(run)["score"].([]any)[1] = v })
	}
	field := func(name string, v any) func(t *testing.T, dir string) {
		return edited(func(_, run map[string]any) { run[name] = v })
	}
	refused := func(says string) map[string]string {
		all := map[string]string{}
		for _, name := range []string{"report", "serve", "compare", "merge", "verify", "merge into", "run into",
			"run --config"} {
			all[name] = says
		}
		return all
	}
	long := strings.Repeat("long text ", 1_500_000)
	return map[string]hostileCase{
		"as it is": {func(*testing.T, string) {}, map[string]string{
			"report": "", "serve": "", "compare": "", "merge": "", "merge into": "", "run into": "", "run --config": "",
		}},
		"2^31 arrays without values": {
			member("rollout", "<f4", "(2147483647, 0)", 0),
			map[string]string{
				"report": "takes 8192.0 MiB, and the most is 128.0 MiB; if you trust the file, allow more by the environment " +
					"variable KOOPBENCH_READ_MIB",
				"serve": "8192.0 MiB", "verify": "differences", "predict": "which it must not be", "merge": "",
				"run into": ""},
		},
		"2^31 values":         {member("labels", "<i8", "(2147483647,)", 0), map[string]string{"report": "16384.0 MiB"}},
		"arrays that are not": {member("labels", "<i8", "(1073741824, 1)", 0), map[string]string{"report": "8192.0 MiB"}},
		"a bomb": {member("images", "|u1", "(419430400,)", 400<<20), map[string]string{"report": "the most " +
			"is 128.0 MiB"}},
		"a bomb of text": {arrays(func(t *testing.T) []byte {
			return zipOf(t, 400<<20, map[string][]byte{"header.json": []byte(`{"a":"`)})
		}), map[string]string{"report": "a text of more than 16777216 bytes"}},
		"a bomb under a limit": {member("sample", "<f4", "(33554000,)", 128<<20), nil},
		"sparse files": {
			b.everyFile(func(t *testing.T, path string) {
				require.NoError(t, os.WriteFile(path, nil, 0o644))
				require.NoError(t, os.Truncate(path, 8<<30))
			}),
			map[string]string{"report": "it has 8192.0 MiB, and the most is 256.0 MiB",
				"predict":      "the archive has 8192.0 MiB, and the most is 128.0 MiB",
				"run --config": "more than 1048576 bytes"},
		},
		"pipes": {
			b.everyFile(func(t *testing.T, path string) { require.NoError(t, syscall.Mkfifo(path, 0o644)) }),
			map[string]string{"report": "is a pipe, not a regular file", "serve": "is a pipe",
				"compare": "is a pipe", "merge": "is a pipe", "verify": "is a pipe",
				"predict": "is a pipe", "merge into": "is a pipe", "run into": "is a pipe",
				"run --config": "is a pipe"},
		},
		"devices": {
			b.everyFile(func(t *testing.T, path string) { require.NoError(t, os.Symlink("/dev/zero", path)) }),
			map[string]string{"report": "a link out of the folder; put the file or folder itself in its place",
				"predict": "is a device", "run --config": "is a device", "merge": "a link out of the folder",
				"merge into": "a link out of the folder", "run into": "a link out of the folder"},
		},
		"a pipe beside runs": {func(t *testing.T, dir string) { pipe(t, dir, "runs/"+b.key+".npz") },
			map[string]string{"report": "is a pipe", "merge": "", "run into": ""}},
		"a pipe as a lock": {func(t *testing.T, dir string) { pipe(t, dir, ".lock") },
			map[string]string{"merge into": "is a pipe", "run into": "is a pipe"}},
		"a pipe as a plan": {func(t *testing.T, dir string) { pipe(t, dir, "plan.json") },
			map[string]string{"serve": "is a pipe", "merge": "is a pipe"}},
		"links beside runs": {linked("runs/"+b.key+".predictions.npz", filepath.Join(b.outside, "file")),
			map[string]string{"merge": "", "verify": "differences"}},
		"a link as arrays": {linked("runs/"+b.key+".npz", filepath.Join(b.outside, "file")),
			map[string]string{"report": "a link out of the folder", "merge": ""}},
		"a link as a lock": {linked(".lock", filepath.Join(b.outside, "file")),
			map[string]string{"merge into": "is a link, not a regular file", "run into": "is a link"}},
		"a lock that is not": {func(t *testing.T, dir string) { linked(".lock", "results.json")(t, dir) },
			map[string]string{"merge into": "is a link", "run into": "is a link"}},
		"a link as figures": {linked("figures", b.outside),
			map[string]string{"report": "a link out of the folder", "merge into": "a link out of the folder"}},
		"a link as runs": {
			linked("runs", b.outside),
			map[string]string{"report": "a link out of the folder", "merge into": "a link out of the folder",
				"run into": "a link out of the folder"},
		},
		"links as logs":      {linked("logs", b.outside), map[string]string{"run into": ""}},
		"links, checkpoints": {linked("checkpoints", b.outside), map[string]string{"run into": ""}},
		"a link as the page": {linked("report.html", filepath.Join(b.outside, "file")), map[string]string{"report": ""}},
		"a link as results": {linked("results.json", filepath.Join(b.outside, "results.json")),
			map[string]string{"report": "a link out of the folder", "run into": "a link out of the folder"}},
		"a link to itself": {linked("results.json", "results.json"), map[string]string{"report": "results.json"}},
		"accuracy 1e5":     {accuracy(1e5), refusedBy("its accuracy at step 2 is 100000; it must be 0 to 1")},
		"accuracy 1e11":    {accuracy(1e11), refusedBy("its accuracy at step 2 is 1e+11")},
		"accuracy -1e308":  {accuracy(-1e308), refusedBy("its accuracy at step 2 is -1e+308")},
		"losses of 1e308": {
			field(
				"history",
				[]any{map[string]any{"epoch": 1, "train": 1e308, "validation": -1e308},
					map[string]any{"epoch": 9e15, "train": 1e99, "validation": -1e99}},
			),
			map[string]string{"report": ""},
		},
		"losses of 1e5": {
			field(
				"history",
				[]any{map[string]any{"epoch": 1, "train": 1e5, "validation": 0},
					map[string]any{"epoch": 2, "train": 1e11, "validation": 1e-300}},
			),
			map[string]string{"report": ""},
		},
		"seconds of 1e308": {edited(func(_, run map[string]any) {
			run["fit_seconds"], run["predict_seconds"], run["cpu_seconds"] = 1e308, -1e308, 1e12
		}), refused("it must be 0 to 1000000000")},
		"bytes of 2^63": {field("peak_rss_bytes", int64(1<<63-1)), refused("it must be 0 to 9007199254740992")},
		"eigenvalues of 1e99": {field("eigenvalues", []any{[]any{1e99, -1e99}, []any{1e5, 1e11}, []any{1e308, 1e308}}),
			map[string]string{"report": ""}},
		"few hashes": {edited(func(_, run map[string]any) { run["prediction_sha256"] = []any{"a"} }),
			refused("it has 1 hashes of predictions; a run of 3 steps must have as many, or none")},
		"short hashes": {edited(func(_, run map[string]any) {
			run["prediction_sha256"] = []any{"", "a", "b"}
			evaluation(run)["prediction_sha256"] = []any{"", "a", "b"}
		}), map[string]string{"report": "", "compare": ""}},
		"empty labels": {
			edited(func(_, run map[string]any) { evaluation(run)["labels"] = []any{[]any{}, []any{}, []any{}} }),
			refused("the labels at step 1: there are 0, for 20 snapshots")},
		"a key as a path": {edited(func(_, run map[string]any) { run["key"] = "../../outside/x" }),
			refused(`its key "../../outside/x" is not a file name`)},
		"an oracle as a path": {
			edited(func(r, _ map[string]any) { r["oracle"].(map[string]any)["key"] = "x/../../../outside/x" }),
			refused("is not a file name")},
		"many dots as a key": {edited(func(_, run map[string]any) { run["key"] = ".." }),
			refused(`its key ".." is not a file name`)},
		"a shape of 2^62": {
			edited(func(r, _ map[string]any) { r["task"].(map[string]any)["shape"] = []any{1 << 31, 1 << 31} }),
			refused("and the most is 4194304 values")},
		"states of 2^31": {edited(func(r, _ map[string]any) { r["task"].(map[string]any)["states"] = 1<<31 - 1 }),
			refused("its measure has the name accuracy but is a different measure")},
		"test of 2^31": {edited(func(r, _ map[string]any) { r["task"].(map[string]any)["test"] = 1<<31 - 1 }),
			map[string]string{"report": "for 2147483647 snapshots"}},
		"starts of 2^31": {edited(func(r, _ map[string]any) { r["task"].(map[string]any)["starts"] = 1<<31 - 1 }),
			refused("it has 2147483647 roll-outs, but only 20 test snapshots")},
		"expected, deep": {edited(func(r, _ map[string]any) { r["expected"].([]any)[2] = []any{1} }),
			refused("the expected states at step 2: there are 1, for 20 snapshots")},
		"more evaluations": {
			edited(func(_, run map[string]any) { run["evaluations"] = append(run["evaluations"].([]any), evaluation(run)) }),
			refused("there must be one by each protocol")},
		"a baseline of 1e99": {
			edited(func(r, _ map[string]any) { r["baselines"].([]any)[0].(map[string]any)["score"].([]any)[0] = 1e99 }),
			refused("the baseline persistence: step 1: ")},
		"a measure of 1e308": {
			edited(func(r, _ map[string]any) { r["task"].(map[string]any)["measure"].(map[string]any)["most"] = 1e308 }),
			refused("its measure has the name accuracy but is a different measure")},
		"text that steers": {edited(func(r, run map[string]any) {
			run["reason"], run["untrained"], run["trained"] = steering, steering, false
			run["warnings"] = []any{steering, steering + "\n" + steering}
			run["exposed"], run["plugin"] = steering, map[string]any{"path": steering, "sha256": steering,
				"version": steering, "checks": map[string]any{"failed": []any{steering}}}
			for _, part := range []string{"task", "oracle", "environment"} {
				for name, v := range r[part].(map[string]any) {
					if _, isText := v.(string); isText && name != "picture" && name != "key" && name != "backend" &&
						name != "data_sha256" {
						r[part].(map[string]any)[name] = v.(string) + steering
					}
				}
			}
			r["oracle"].(map[string]any)["warnings"] = []any{steering}
		}), map[string]string{"report": "", "compare": "another task"}},
		"a name that steers": {field("method", steering), refused("names must be printable and not empty")},
		"schema that steers": {edited(func(r, _ map[string]any) { r["schema"] = steering + long }),
			map[string]string{"report": "has the schema", "merge": "has the schema"}},
		"long texts": {edited(func(_, run map[string]any) {
			run["reason"], run["warnings"], run["trained"] = long[:2<<20], []any{long[:2<<20]}, false
		}), refused("a reason or a warning has 2097152 bytes, and the most is 1048576")},
		"longer texts": {field("reason", long+long), refused("what it says, and what was read with it, would take")},
		"a failure, long": {edited(func(_, run map[string]any) { failedRun(run); run["reason"] = long[:1<<20] }),
			map[string]string{"report": "", "merge": ""}},
		"a long name": {field("name", long),
			refused("a name has 15000000 bytes, and the most is 4096: \"long text long text")},
		"long options": {edited(func(_, run map[string]any) { run["options"] = map[string]any{"epochs": long} }),
			map[string]string{"report": "", "compare": ""}},
		"many options": {edited(func(_, run map[string]any) { run["options"] = manyOptions(100000) }),
			map[string]string{"report": ""}},
		"a bomb of objects": {json(`{"schema":"koopbench.results/2","runs":[` + strings.Repeat(`{},`, 1<<20) + `{}]}`),
			map[string]string{"report": "what it says, and what was read with it, would take", "merge": "KOOPBENCH_READ_MIB"}},
		"a bomb of lists": {
			json(`{"schema":"koopbench.results/2","oracle":{"options":{"a":[` + strings.Repeat(`[],`, 4<<20) + `0]}}}`),
			map[string]string{"report": "would take"}},
		"deep brackets":        {json(strings.Repeat("[", 1<<20)), map[string]string{"report": "exceeded max depth"}},
		"no JSON":              {json("\x00\x1b[31m"), map[string]string{"report": "invalid character"}},
		"a thousand methods":   {many(1000), map[string]string{"report": ""}},
		"two thousand methods": {many(2000), map[string]string{"report": "more than 1000 methods"}},
		"folders for files": {
			b.everyFile(func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o755)) }),
			map[string]string{"report": "is a folder, not a regular file", "predict": "is a folder",
				"run --config": "is a folder"},
		},
		"empty files": {b.everyFile(func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, nil, 0o644)) }),
			map[string]string{"report": "unexpected end of JSON input"}},
	}
}

// refusedBy is what the commands say that read results.json.
func refusedBy(says string) map[string]string {
	return map[string]string{"report": says, "serve": says, "compare": says, "merge": says,
		"verify": says, "merge into": says, "run into": says, "run --config": says}
}

func pipe(t *testing.T, dir, name string) {
	require.NoError(t, os.RemoveAll(filepath.Join(dir, name)))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, name), 0o644))
}

func failedRun(run map[string]any) {
	run["trained"] = false
	run["status"], run["evaluations"], run["prediction_sha256"] = "failed", []any{}, []any{}
}

// evaluation is the first of a run, as it is in JSON.
func evaluation(run map[string]any) map[string]any {
	return run["evaluations"].([]any)[0].(map[string]any)
}

func manyOptions(n int) map[string]any {
	options := map[string]any{}
	for i := range n {
		options[fmt.Sprint("option", i)] = i
	}
	return options
}

// many makes of the first run so many methods.
func many(n int) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		edited(func(r, run map[string]any) {
			if runs := r["runs"].([]any); len(runs) < n {
				for i := range n - len(runs) {
					another := map[string]any{}
					for name, v := range run {
						another[name] = v
					}
					another["key"], another["method"] = fmt.Sprint("k", i), fmt.Sprint("method", i)
					runs = append(runs, another)
				}
				r["runs"] = runs
			}
		})(t, dir)
	}
}

// treeOf are the contents of all files below a folder, and where links lead.
func treeOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			tree[path] = ""
			return err
		}
		text, err := os.ReadFile(path)
		tree[path] = string(text)
		return err
	}))
	return tree
}

// TestHostileFolders: docs/safety.md shows what each command says.
func TestHostileFolders(t *testing.T) {
	skipLong(t, "it runs every command on every folder")
	b := newHostileBase(t)
	before := treeOf(t, b.outside)
	cases := b.cases()
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := b.copied(t, c.change)
			names, commands := b.commands(dir)
			outputs, peak := hostileRun(t, commands...)
			for i, got := range outputs {
				t.Logf("%s: %d %s", names[i], got.status, foreign.Shorten(lastLine(got.stderr), 300))
				assertHarmless(t, names[i], got)
				says, told := c.says[names[i]]
				switch {
				case told && says == "":
					assert.Zero(t, got.status, "%s: %.1000s", names[i], got.stderr)
				case told && got.status == 0:
					assert.Contains(t, got.stdout+got.stderr, says, names[i])
				case told:
					assert.Contains(t, got.stdout+lastLine(got.stderr), says, names[i])
				}
			}
			t.Logf("peak memory: %d MB", peak/1e6)
			assert.Less(t, peak, mostMemory, "bytes")
			assert.Equal(t, before, treeOf(t, b.outside), "nothing outside the folder is written to")
		})
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return lines[len(lines)-1]
}

// TestHostileInputs: images, data, configurations and models that a user names.
func TestHostileInputs(t *testing.T) {
	skipLong(t, "it makes large files")
	b := newHostileBase(t)
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		put(t, dir, name, content)
		return filepath.Join(dir, name)
	}
	pipe(t, dir, "pipe")
	require.NoError(t, os.Symlink("/dev/zero", filepath.Join(dir, "zero")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sparse"), nil, 0o644))
	require.NoError(t, os.Truncate(filepath.Join(dir, "sparse"), 8<<30))
	sparse := file("sparse.npy", npyFile("<f4", fmt.Sprintf("(300000000, %d, %[1]d)", side), nil))
	require.NoError(t, os.Truncate(sparse, 8<<30))
	model := filepath.Join(b.dir, "runs", b.key+".model.npz")
	predict := func(input string) []string {
		return []string{"predict", "--model", model, "--input", input, "--out", filepath.Join(dir, "out")}
	}
	data := filepath.Join(dir, "data")
	require.NoError(t, os.CopyFS(data, os.DirFS(b.data)))
	put(t, data, "train-images-idx3-ubyte", idxHeader(1<<31-1, 1, 1))
	var commands [][]string
	var says []string
	add := func(text string, args ...string) { commands, says = append(commands, args), append(says, text) }
	for name, text := range map[string]string{
		filepath.Join(dir, "pipe"):   "is a pipe, not a regular file",
		filepath.Join(dir, "zero"):   "is a device, not a regular file",
		filepath.Join(dir, "sparse"): "the most is 128.0 MiB",
		dir:                          "is a folder, not a regular file",
	} {
		if name != filepath.Join(dir, "sparse") {
			add(text, predict(name)...)
		}
		add(text, "predict", "--model", name, "--input", b.image)
		add(text, "predict", "--model", model, "--oracle", name, "--input", b.image)
	}
	for _, name := range []string{"pipe", "zero", "sparse"} {
		add("bytes", "run", "--config", filepath.Join(dir, name))
	}
	says[len(says)-3], says[len(says)-2] = "is a pipe", "is a device"
	add("takes 73242.2 MiB, and the most is 128.0 MiB", predict(sparse)...)
	add(
		"it is a JPEG picture; an IDX, a .npy or a PNG file is expected",
		predict(file("a.jpg", []byte("\xff\xd8\xff\xe0")))...)
	add("it has 2147483647 images of 1×1", tiny(data, filepath.Join(dir, "out"))...)
	add("is a pipe", "run", "--plugin", "x", "--plugin-lock", filepath.Join(dir, "pipe"))
	outputs, peak := hostileRun(t, commands...)
	for i, got := range outputs {
		t.Logf("%v: %d %s", commands[i], got.status, got.stderr)
		assertHarmless(t, fmt.Sprint(commands[i]), got)
		assert.NotZero(t, got.status)
		assert.Contains(t, got.stderr, says[i], commands[i])
	}
	assert.Less(t, peak, mostMemory)
}

// skipLong skips what takes minutes of child processes, of which each reads files in one goroutine.
func skipLong(t *testing.T, why string) {
	t.Helper()
	if testing.Short() {
		t.Skip(why + ", which takes minutes; -short is set")
	}
	if underRace {
		t.Skip(
			why + ", in processes of one goroutine: the race detector finds nothing there, and takes ten times the time and " +
				"memory")
	}
}
