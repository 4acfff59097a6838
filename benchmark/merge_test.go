package benchmark_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// sharded is a plan of three methods at two seeds.
func sharded(t testing.TB, out string, s results.Shard) benchmark.Plan {
	p := plan(t, out, &oracle{}, perfect(), &method{name: "still", predict: moved(0)},
		&method{name: "back", predict: moved(2)})
	p.Shard = s
	return p
}

func runShards(t *testing.T, n int, folder func(i int) string) {
	t.Helper()
	for i := 1; i <= n; i++ {
		_, err := benchmark.Run(t.Context(), sharded(t, folder(i), results.Shard{Index: i, Count: n}))
		require.NoError(t, err)
	}
}

// timeless takes away what differs from one execution to the next.
func timeless(r *results.Results) *results.Results {
	c := *r
	c.Oracle.FitSeconds, c.Environment.Command = 0, nil
	c.Runs = nil
	for _, run := range r.Runs {
		run.FitSeconds, run.CompileSeconds, run.PeakRSSBytes, run.Environment = 0, 0, 0, nil
		run.Ranked, run.Evaluations = nil, slices.Clone(run.Evaluations)
		for i := range run.Evaluations {
			run.Evaluations[i].PredictSeconds = 0
		}
		run.CPUSeconds, run.RPC, run.Jobs, run.Threads, run.Isolated = nil, nil, 0, 0, false
		c.Runs = append(c.Runs, run)
	}
	return &c
}

// contents are the hashes of the files in a folder, but for the lock.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		if !entry.IsDir() && entry.Name() != ".lock" {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			files[strings.TrimPrefix(path, dir)] = fmt.Sprintf("%x", sha256.Sum256(text))
		}
		return nil
	}))
	return files
}

// TestShardsMerged: any number of shards, in one folder or in one each, are the plan, and no two share a run.
func TestShardsMerged(t *testing.T) {
	whole, err := benchmark.Run(t.Context(), sharded(t, t.TempDir(), results.Shard{}))
	require.NoError(t, err)
	for n := 1; n <= 7; n++ {
		for _, shared := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d shards, shared %v", n, shared), func(t *testing.T) {
				base := t.TempDir()
				var folders []string
				runShards(t, n, func(i int) string {
					if !shared {
						folders = append(folders, filepath.Join(base, fmt.Sprint(i)))
					} else {
						folders = []string{base}
					}
					return folders[len(folders)-1]
				})
				files := 0
				for _, dir := range folders {
					assert.NoFileExists(t, filepath.Join(dir, "results.json"))
					found, err := filepath.Glob(filepath.Join(dir, "runs", "*.json"))
					require.NoError(t, err)
					files += len(found)
				}
				assert.Equal(t, 6, files)
				out := filepath.Join(base, "all")
				if shared {
					out = base
				}
				m, err := results.Merge(out, folders, []string{"merge"})
				require.NoError(t, err)
				assert.Empty(t, m.Missing)
				assert.Empty(t, m.Notes)
				assert.Equal(t, asJSON(t, timeless(whole)), asJSON(t, timeless(m.Results)))
				for _, run := range m.Results.Runs {
					_, err := results.OpenStore(out).RunArrays(run.Key)
					assert.NoError(t, err)
				}

				before := contents(t, out)
				again, err := results.Merge(out, folders, []string{"merge"})
				require.NoError(t, err)
				assert.Zero(t, again.Copied)
				assert.Equal(t, before, contents(t, out), "the same again changes nothing")

				reused, err := benchmark.Run(t.Context(), sharded(t, out, results.Shard{}))
				require.NoError(t, err)
				assert.Equal(t, asJSON(t, m.Results.Runs), asJSON(t, reused.Runs), "the whole plan finds all runs")
			})
		}
	}
}

func TestNoSuchShard(t *testing.T) {
	for _, s := range []results.Shard{{Index: 0, Count: 2}, {Index: 3, Count: 2}, {Index: -1, Count: 2},
		{Index: 1, Count: -1}, {Index: 1}, {Index: 1, Count: results.MaxShards + 1}} {
		dir := filepath.Join(t.TempDir(), "out")
		_, err := benchmark.Run(t.Context(), sharded(t, dir, s))
		assert.ErrorIs(t, err, core.ErrOption, "%v", s)
		assert.NoDirExists(t, dir)
	}
}

// TestShardsMissing: shards that never began are missed too, and what is there is joined all the
// same, more of it each time.
func TestShardsMissing(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	for i, left := range []int{4, 2, 0} {
		_, err := benchmark.Run(t.Context(), sharded(t, dir, results.Shard{Index: i + 1, Count: 3}))
		require.NoError(t, err)
		m, err := results.Merge(out, []string{dir}, nil)
		require.NoError(t, err)
		require.Len(t, m.Missing, left)
		assert.Len(t, m.Results.Runs, 6-left)
		assert.Equal(t, 2, m.Copied)
		if left == 2 {
			assert.Equal(t, results.MissingRun{Method: "still", Seed: 1, Reason: "not finished"}, m.Missing[0])
		}
	}
}

// change is a plan that differs in one thing.
type change struct {
	change func(p *benchmark.Plan)
	says   string
}

// shorter is the task with a step less.
func shorter(task *benchmark.Task) *benchmark.Task {
	p, s := *task.Problem, *task.States
	p.Steps, s.Expected = p.Steps-1, s.Expected[:p.Steps-1]
	p.States = &s
	other, err := benchmark.NewTask(context.Background(), described(), core.Options{}, &p)
	if err != nil {
		panic(err)
	}
	other.Info.Options = map[string]any{"steps": p.Steps}
	return other
}

var incomparable = map[string]change{
	"data": {func(p *benchmark.Plan) { p.Task.Info.DataSHA256, p.Task.Info.Source = "other", "here" },
		"other data: a test (SHA-256 DATA…) against here (other…)"},
	"split": {func(p *benchmark.Plan) { p.Task.Info.Train, p.Task.Info.DataSHA256 = 29, "other" },
		"another split: 30+15+15 snapshots against 29+15+15"},
	"steps":  {func(p *benchmark.Plan) { p.Task = shorter(p.Task) }, "another number of steps: 4 against 3"},
	"seed":   {func(p *benchmark.Plan) { p.Oracle.Seed = 7 }, "another seed of the oracle: 42 against 7"},
	"epochs": {func(p *benchmark.Plan) { p.MaxEpochs = 1 }, "another oracle: epochs 20 against 1"},
	"judge": {func(p *benchmark.Plan) { p.Oracle.Plugin = &results.PluginInfo{Path: "/judge", SHA256: "1234"} },
		"another oracle: it is from this program against the plugin /judge (1234)"},
	"code": {func(p *benchmark.Plan) { p.Environment.ExecutableSHA256 = "edoc" },
		"other code: executable code against executable edoc"},
	"kernels": {func(p *benchmark.Plan) { p.Environment.Backend = "cpu:kernels=avx2" },
		"other kernels: none against cpu:kernels=avx2; give all shards the same --backend"},
}

// TestMergeRefuses: what cannot share a table is refused with the reason, before anything is written.
func TestMergeRefuses(t *testing.T) {
	base := t.TempDir()
	first, err := benchmark.Run(t.Context(), sharded(t, base, results.Shard{}))
	require.NoError(t, err)
	for name, c := range incomparable {
		t.Run(name, func(t *testing.T) {
			other, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
			p := sharded(t, other, results.Shard{})
			c.change(&p)
			_, err := benchmark.Run(t.Context(), p)
			require.NoError(t, err)
			_, err = results.Merge(out, []string{other, base}, nil)
			assert.ErrorIs(t, err, results.ErrNotComparable)
			assert.ErrorContains(t, err, base+" cannot be joined with "+other+": "+strings.ReplaceAll(c.says, "DATA",
				first.Task.DataSHA256[:12]))
			assert.NoDirExists(t, out)

			before := contents(t, base)
			_, err = results.Merge(base, []string{other}, nil)
			assert.ErrorIs(t, err, results.ErrNotComparable)
			assert.Equal(t, before, contents(t, base))
		})
	}
	read, err := results.OpenStore(base).Results()
	require.NoError(t, err)
	assert.Len(t, read.Runs, len(first.Runs))
}

// TestMergeOfTwoProtocols: what ranks by another protocol than the first is joined, and a note says so.
func TestMergeOfTwoProtocols(t *testing.T) {
	run := func(dir, protocol string, s results.Shard) {
		p := sharded(t, dir, s)
		p.Protocol = protocol
		_, err := benchmark.Run(t.Context(), p)
		require.NoError(t, err)
	}
	reencode, powers, shards := t.TempDir(), t.TempDir(), t.TempDir()
	run(reencode, results.ProtocolReencode, results.Shard{})
	run(powers, results.ProtocolPowers, results.Shard{})
	run(shards, results.ProtocolPowers, results.Shard{Index: 1, Count: 2})
	run(shards, results.ProtocolReencode, results.Shard{Index: 2, Count: 2})
	note := func(dir, other, ranks string) string {
		return dir + " has results that rank by protocol " + other + "; the joined results rank by " + ranks +
			", like the first folder"
	}
	const r, p = results.ProtocolReencode, results.ProtocolPowers
	for name, c := range map[string]struct {
		from  []string
		ranks string
		notes []string
	}{
		"reencode": {[]string{reencode, powers}, r, []string{note(powers, p, r)}},
		"powers":   {[]string{powers, reencode}, p, []string{note(reencode, r, p)}},
		"shards":   {[]string{shards}, p, []string{note(shards, r, p)}},
		"both":     {[]string{reencode, shards}, r, []string{note(shards, p, r)}},
		"alike":    {[]string{powers, powers}, p, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := results.Merge(filepath.Join(t.TempDir(), "out"), c.from, nil)
			require.NoError(t, err)
			assert.Equal(t, c.ranks, m.Results.Protocol)
			assert.Equal(t, c.notes, m.Notes)
		})
	}
}

// TestShardBesideOthers: a shard finds out before it trains that it cannot be merged with those in its folder.
func TestShardBesideOthers(t *testing.T) {
	for name, c := range incomparable {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := benchmark.Run(t.Context(), sharded(t, dir, results.Shard{Index: 1, Count: 2}))
			require.NoError(t, err)
			p := sharded(t, dir, results.Shard{Index: 2, Count: 2})
			c.change(&p)
			before := contents(t, dir)
			_, err = benchmark.Run(t.Context(), p)
			assert.ErrorIs(t, err, results.ErrNotComparable)
			assert.ErrorContains(t, err, "the plan of shard 1/2")
			assert.Equal(t, before, contents(t, dir))
		})
	}
	dir := t.TempDir()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	_, err := benchmark.Run(stopped, sharded(t, dir, results.Shard{Index: 1, Count: 2}))
	require.ErrorIs(t, err, context.Canceled)
	_, err = benchmark.Run(t.Context(), sharded(t, dir, results.Shard{Index: 1, Count: 1}))
	assert.ErrorIs(t, err, results.ErrNotComparable)
	assert.ErrorContains(t, err, "shard 1/2, which is not finished, but this is shard 1/1")
	runShards(t, 2, func(int) string { return dir })
	runShards(t, 3, func(int) string { return dir })
	m, err := results.Merge(dir, []string{dir}, nil)
	require.NoError(t, err)
	assert.Len(t, m.Results.Runs, 6, "what is finished may be shared out anew")
}

// alter changes a file of a run in place.
func alter(t *testing.T, dir, key string, change func(text string) string) {
	t.Helper()
	path := filepath.Join(dir, "runs", key+".json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := change(string(text))
	require.NotEqual(t, string(text), changed)
	require.NoError(t, os.WriteFile(path, []byte(changed), 0o644))
}

// TestMergeContradictions: one run has one result, and one name is one method.
func TestMergeContradictions(t *testing.T) {
	a, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	first, err := benchmark.Run(t.Context(), sharded(t, a, results.Shard{}))
	require.NoError(t, err)
	run := first.Runs[0]

	b := t.TempDir()
	_, err = benchmark.Run(t.Context(), sharded(t, b, results.Shard{}))
	require.NoError(t, err)
	alter(t, b, run.Key, func(text string) string { return strings.Replace(text, run.PredictionSHA256[2], "deadbeef", 1) })
	_, err = results.Merge(out, []string{a, b}, nil)
	assert.ErrorIs(t, err, results.ErrNotComparable)
	assert.ErrorContains(t, err, "perfect, seed 1 ("+run.Key+") has different predictions in "+b+" and in "+a+
		", from step 3 on")

	c := t.TempDir()
	p := sharded(t, c, results.Shard{})
	p.Seeds = []int64{3}
	p.Entries[0].Plugin = &results.PluginInfo{Path: "/p", SHA256: "1234"}
	_, err = benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	_, err = results.Merge(out, []string{a, c}, nil)
	assert.ErrorIs(t, err, results.ErrNotComparable)
	assert.ErrorContains(t, err, "perfect is not the same method in "+c+", seed 3, and in "+a+
		", seed 1: it is from the plugin /p (1234) against this program")

	d := t.TempDir()
	p = sharded(t, d, results.Shard{})
	p.Seeds = []int64{3}
	p.Entries[0].Options, err = p.Entries[0].Method.Describe().Resolve(map[string]any{"epochs": 7})
	require.NoError(t, err)
	_, err = benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	_, err = results.Merge(out, []string{a, d}, nil)
	assert.ErrorContains(t, err, "epochs 7 against 50")

	e := t.TempDir()
	p = sharded(t, e, results.Shard{})
	p.Seeds, p.Entries = []int64{3}, p.Entries[:1]
	p.Entries[0].Written = "perfect?epochs=50"
	_, err = benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	m, err := results.Merge(out, []string{a, e}, nil)
	require.NoError(t, err)
	require.Len(t, m.Results.Runs, 7)
	assert.Equal(t, "perfect", m.Results.Runs[2].Method, "the same method under another name goes by the first")
	assert.EqualValues(t, 3, m.Results.Runs[2].Seed)
	assert.Equal(t, []string{"perfect?epochs=50, seed 3, is the same method as perfect and now has that name"}, m.Notes)

	f := t.TempDir()
	p = sharded(t, f, results.Shard{})
	p.Oracle.Oracle = &oracle{wrong: true}
	_, err = benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	_, err = results.Merge(filepath.Join(t.TempDir(), "out"), []string{a, f}, nil)
	assert.ErrorContains(t, err, "were made in the same way but judge differently")
}

// TestMergeDamaged: nothing that is whole is lost by what is not.
func TestMergeDamaged(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	runShards(t, 1, func(int) string { return a })
	whole, err := benchmark.Run(t.Context(), sharded(t, b, results.Shard{}))
	require.NoError(t, err)
	first, second := whole.Runs[0].Key, whole.Runs[1].Key
	half := func(text string) string { return text[:len(text)/2] }

	alter(t, a, first, half)
	m, err := results.Merge(filepath.Join(t.TempDir(), "out"), []string{a}, nil)
	require.NoError(t, err)
	require.Len(t, m.Missing, 1)
	assert.Contains(t, m.Missing[0].Reason, filepath.Join(a, "runs", first+".json"), "it says which file is torn")
	assert.Len(t, m.Results.Runs, 5)
	assert.FileExists(t, filepath.Join(a, "runs", first+".json"))

	m, err = results.Merge(filepath.Join(t.TempDir(), "out"), []string{a, b}, nil)
	require.NoError(t, err)
	assert.Empty(t, m.Missing, "the other folder has it")
	assert.Equal(t, asJSON(t, timeless(whole)), asJSON(t, timeless(m.Results)))

	alter(t, b, second, half)
	require.NoError(t, os.WriteFile(filepath.Join(b, "runs", first+".npz"), []byte("torn"), 0o644))
	out := filepath.Join(t.TempDir(), "out")
	m, err = results.Merge(out, []string{b}, nil)
	require.NoError(t, err)
	assert.Empty(t, m.Missing, "results.json has it")
	assert.Equal(t, asJSON(t, timeless(whole)), asJSON(t, timeless(m.Results)))
	require.Len(t, m.Notes, 2)
	assert.Contains(t, m.Notes[0], "it is taken from results.json")
	assert.Regexp(t, "cannot be read and is left out: .*"+first+".npz", m.Notes[1])

	require.NoError(t, os.WriteFile(filepath.Join(out, "runs", second+".json"), []byte("{"), 0o644))
	m, err = results.Merge(out, []string{a}, nil)
	require.NoError(t, err)
	assert.Equal(t, 1, m.Copied, "what is torn in the folder is made whole")
	_, ok, err := results.OpenStore(out).Run(second)
	assert.True(t, ok)
	assert.NoError(t, err)
}

// TestMergeTakesAllOfARun: models, and the configuration if there is one only.
func TestMergeTakesAllOfARun(t *testing.T) {
	a, b, out := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "out")
	r, err := benchmark.Run(t.Context(), sharded(t, a, results.Shard{}))
	require.NoError(t, err)
	_, err = benchmark.Run(t.Context(), sharded(t, b, results.Shard{}))
	require.NoError(t, err)
	model, oracle := r.Runs[0].Key+".model.npz", "oracle-"+r.Oracle.Key+".npz"
	state := &core.State{Arrays: map[string]core.Array{"a": {Shape: []int{1}, Values: []float32{1}}}}
	info := results.ModelInfo{Kind: results.ModelOfMethod, Key: r.Runs[0].Key, Task: r.Task}
	require.NoError(t, (&results.SavedModel{ModelInfo: info, State: state}).Write(filepath.Join(b, "runs", model)))
	info.Kind, info.Key = results.ModelOfOracle, r.Oracle.Key
	require.NoError(t, (&results.SavedModel{ModelInfo: info, State: state}).Write(filepath.Join(b, oracle)))
	require.NoError(t, os.WriteFile(filepath.Join(b, "config.yaml"), []byte("seeds: 1,2"), 0o644))
	_, err = results.Merge(out, []string{a}, nil)
	require.NoError(t, err)
	m, err := results.Merge(out, []string{b}, nil)
	require.NoError(t, err)
	assert.Empty(t, m.Notes)
	assert.FileExists(t, filepath.Join(out, "runs", model))
	assert.FileExists(t, filepath.Join(out, oracle))
	assert.FileExists(t, filepath.Join(out, "config.yaml"))
	require.NoError(t, os.WriteFile(filepath.Join(a, "config.yaml"), []byte("seeds: 1"), 0o644))
	m, err = results.Merge(out, []string{a}, nil)
	require.NoError(t, err)
	assert.Len(t, m.Notes, 1)
	kept, err := os.ReadFile(filepath.Join(out, "config.yaml"))
	require.NoError(t, err)
	assert.Equal(t, "seeds: 1,2", string(kept))
}

// TestMergeKeepsFailures, but a success goes before a failure, whichever comes first.
func TestMergeKeepsFailures(t *testing.T) {
	fails := &method{name: "perfect", predict: moved(1), fit: func(context.Context, *core.Training) error {
		return fmt.Errorf("no luck")
	}}
	a, b, out := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "out")
	_, err := benchmark.Run(t.Context(), plan(t, a, &oracle{}, fails))
	require.NoError(t, err)
	_, err = benchmark.Run(t.Context(), plan(t, b, &oracle{}, perfect()))
	require.NoError(t, err)
	m, err := results.Merge(out, []string{a}, nil)
	require.NoError(t, err)
	assert.Equal(t, results.StatusFailed, m.Results.Runs[0].Status)
	for _, order := range [][]string{{a, b}, {b, a}, {a}} {
		m, err = results.Merge(out, order, nil)
		require.NoError(t, err)
		assert.Equal(t, results.StatusOK, m.Results.Runs[0].Status)
		_, err = results.OpenStore(out).RunArrays(m.Results.Runs[0].Key)
		assert.NoError(t, err)
	}
}

// TestForeignFolders: what holds no results, or those of another version, is refused by name.
func TestForeignFolders(t *testing.T) {
	good := t.TempDir()
	runShards(t, 1, func(int) string { return good })
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	write := func(name, text string) string {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		return dir
	}
	const task = `"protocol":"reencode","task":{"steps":1,"lag":1,"rank":1,"train":1,"validation":1,"test":1,` +
		`"starts":1,"shape":[1],"picture":"curve",` +
		`"measure":{"name":"error","summary":"an error"}}`
	for name, c := range map[string]struct{ dir, says string }{
		"missing":      {filepath.Join(t.TempDir(), "none"), "there is no folder"},
		"a file":       {file, "is a file; name the folder of the results"},
		"empty":        {t.TempDir(), "has neither results.json nor plans of commands"},
		"foreign":      {write("notes.txt", "hello"), "has neither results.json nor plans of commands"},
		"torn results": {write("results.json", `{"schema":`), "results.json: unexpected end of JSON input"},
		"old results": {write("results.json", `{"schema":"koopbench.results/0"}`),
			`has the schema "koopbench.results/0", but this version reads`},
		"torn plan": {write("plan-1-of-2.json", `{"schema":`),
			"give its command again, or remove the file (its runs are kept)"},
		"old plan": {write("plan.json", `{"schema":"koopbench.results/0"}`), `has the schema "koopbench.results/0"`},
		"plan of another": {write("plan-1-of-2.json", `{"schema":"koopbench.results/2","shard":{"index":2,"count":2}}`),
			"says that it is plan-2-of-2.json"},
		"a path as a key": {write("plan.json",
			`{"schema":"koopbench.results/2","runs":[{"key":"../k","method":"m","seed":1}],`+task+"}"),
			`the key "../k", which is not a file name`},
		"a path as oracle": {write("plan.json", `{"schema":"koopbench.results/2","oracle":{"key":"x/../../k"},`+task+"}"),
			`its key "x/../../k" is not a file name`},
		"nothing finished": {write("plan.json", `{"schema":"koopbench.results/2","runs":[{"key":"k","method":"m","seed":1}],`+
			task+"}"), "no run has finished in"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			_, err := results.Merge(out, []string{c.dir}, nil)
			assert.ErrorIs(t, err, results.ErrResults)
			assert.ErrorContains(t, err, c.says)
			assert.NoDirExists(t, out)
			if name == "nothing finished" {
				return
			}
			_, err = results.Merge(out, []string{good, c.dir}, nil)
			assert.ErrorIs(t, err, results.ErrResults)
			assert.NoDirExists(t, out)
		})
	}
}

// TestMixedFolder: plans of other commands beside results are not taken for parts of them.
func TestMixedFolder(t *testing.T) {
	dir := t.TempDir()
	p := sharded(t, dir, results.Shard{Index: 1, Count: 2})
	p.MaxEpochs = 1
	_, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	_, err = results.OpenStore(dir).Results()
	assert.ErrorContains(t, err, "its shards are not joined; join them with: bench merge --out "+dir+" "+dir)
	_, err = benchmark.Run(t.Context(), sharded(t, dir, results.Shard{}))
	require.NoError(t, err)
	_, err = results.Merge(dir, []string{dir}, nil)
	assert.ErrorIs(t, err, results.ErrNotComparable)
	assert.ErrorContains(t, err, "plan-1-of-2.json and results.json belong to different commands: another oracle: "+
		"epochs 1 "+
		"against 20; remove the one that you do not want")

	require.NoError(t, os.Remove(filepath.Join(dir, "plan-1-of-2.json")))
	m, err := results.Merge(dir, []string{dir}, nil)
	require.NoError(t, err)
	require.Len(t, m.Notes, 1)
	assert.Contains(t, m.Notes[0], "has 3 more runs of earlier commands")
}

// TestTwoCommandsInOneFolder: the second is told who is there, and the first is not disturbed.
func TestTwoCommandsInOneFolder(t *testing.T) {
	dir := t.TempDir()
	begun, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	slow := &method{name: "slow", predict: moved(1), fit: func(context.Context, *core.Training) error {
		once.Do(func() { close(begun) })
		<-goOn
		return nil
	}}
	ended := make(chan error, 1)
	go func() {
		_, err := benchmark.Run(t.Context(), plan(t, dir, &oracle{}, slow))
		ended <- err
	}()
	<-begun
	before := contents(t, dir)
	p := sharded(t, dir, results.Shard{})
	p.Task.Info.DataSHA256 = "other"
	_, err := benchmark.Run(t.Context(), p)
	assert.ErrorIs(t, err, results.ErrBusy)
	assert.ErrorContains(t, err, fmt.Sprintf("the results in %s are being written by process %d on ", dir, os.Getpid()))
	other := t.TempDir()
	runShards(t, 1, func(int) string { return other })
	assert.Equal(t, before, contents(t, dir))
	close(goOn)
	require.NoError(t, <-ended)
	r, err := results.OpenStore(dir).Results()
	require.NoError(t, err)
	assert.Len(t, r.Runs, 2)
	_, err = benchmark.Run(t.Context(), sharded(t, dir, results.Shard{}))
	assert.NoError(t, err, "the lock ends with the command")
}

// TestShardsAndMergesAtOnce: shards, the same shard twice, and merges in one folder lose nothing.
func TestShardsAndMergesAtOnce(t *testing.T) {
	dir := t.TempDir()
	const n = 3
	var shards, merges sync.WaitGroup
	over := make(chan struct{})
	for range 2 {
		merges.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				_, err := results.Merge(dir, []string{dir}, nil)
				if err != nil && !assert.Regexp(t, "no run has finished|neither results.json nor plans|in use", err.Error()) {
					return
				}
			}
		})
	}
	for i := range 2 * n {
		shards.Go(func() {
			_, err := benchmark.Run(t.Context(), sharded(t, dir, results.Shard{Index: i%n + 1, Count: n}))
			assert.NoError(t, err)
		})
	}
	shards.Wait()
	close(over)
	merges.Wait()
	m, err := results.Merge(dir, []string{dir}, nil)
	require.NoError(t, err)
	assert.Empty(t, m.Missing)
	assert.Len(t, m.Results.Runs, 6)
}

// TestProgressOfShards: what is shown while shards are under way, and after they were joined.
func TestProgressOfShards(t *testing.T) {
	dir := t.TempDir()
	store := results.OpenStore(dir)
	for i := range 3 {
		_, err := benchmark.Run(t.Context(), sharded(t, dir, results.Shard{Index: i + 1, Count: 3}))
		require.NoError(t, err)
		r, due, err := store.Progress()
		require.NoError(t, err)
		assert.Equal(t, 6, due)
		assert.Len(t, r.Runs, 2*(i+1))
	}
	_, err := results.Merge(dir, []string{dir}, nil)
	require.NoError(t, err)
	r, due, err := store.Progress()
	require.NoError(t, err)
	assert.Zero(t, due)
	assert.Len(t, r.Runs, 6)
}
