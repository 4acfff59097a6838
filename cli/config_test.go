package cli

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runFlagSet is the flags of a run, parsed from args.
func runFlagSet(t testing.TB, args ...string) *pflag.FlagSet {
	t.Helper()
	flags := (&app{Config: newFakes().config()}).runCommand().Flags()
	require.NoError(t, flags.Parse(args))
	return flags
}

// value is the value of a flag as text.
func value(flags *pflag.FlagSet, name string) string {
	v := flags.Lookup(name).Value
	if l, ok := v.(list); ok {
		return strings.Join(*l.values, " ")
	}
	return v.String()
}

func TestConfigSetsFlags(t *testing.T) {
	const text = `
methods:
  - linear
  - vamp: {epochs: 20, lr: 1e-3}
  - {autoencoder: }
  - "loss:*"
  - contrastive?epochs=3
  - spaced: {}
  - texts: {path: 'a, b&c=d%', empty: ''}
oracle:
  cnn: {epochs: 7}
seeds: [0, 1, 5]
split: [300, 100, 100]
oracle-seed: -7
epochs: &few 3
steps: *few
jobs: 1
timeout: 90s
quiet: true
plugin: [first, /second/plugin]
data: ../mnist
out: results
protocol: powers
`
	flags := runFlagSet(t, "--jobs", "4", "--out", "elsewhere")
	require.NoError(t, setFlags([]byte(text), filepath.Join("folder", "run.yaml"), flags))
	for name, want := range map[string]string{
		"methods": "linear,vamp?epochs=20&lr=1e-3,autoencoder,loss:*,contrastive?epochs=3,spaced," +
			"texts?path=a%2C%20b%26c=d%25&empty=",
		"oracle": "cnn?epochs=7",
		"seeds":  "0,1,5", "split": "300,100,100", "oracle-seed": "-7", "epochs": "3", "steps": "3", "timeout": "1m30s",
		"quiet":  "true",
		"plugin": "folder/first /second/plugin", "data": "mnist", "protocol": "powers",
		"jobs": "4", "out": "elsewhere", // the command line goes before the file
		"num-digits": "", // in neither
	} {
		assert.Equal(t, want, value(flags, name), name)
	}

	flags = runFlagSet(t, "--plugin", "mine")
	require.NoError(t, setFlags([]byte("plugin: theirs\nseeds: 0..9\nmethods: v*"), "run.yaml", flags))
	assert.Equal(t, []string{"mine", "0..9", "v*"},
		[]string{value(flags, "plugin"), value(flags, "seeds"), value(flags, "methods")})
	for _, empty := range []string{"", "# nothing\n", "---\n", "null"} {
		require.NoError(t, setFlags([]byte(empty), "run.yaml", runFlagSet(t)), empty)
	}
	flags = runFlagSet(t)
	t.Setenv(backendVariable, "xla:folder/pjrt.so")
	require.NoError(t, setFlags([]byte("backend: xla:pjrt.so"), "folder/run.yaml", flags))
	assert.Equal(t, "xla:folder/pjrt.so", value(flags, "backend"))
}

func TestConfigErrors(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"unknown key": {"seeds: 1\nmetods: all", `line 2: there is no key "metods"; did you mean "methods"? The ` +
			`keys are the names of flags`},
		"underscore":          {"oracle_seed: 1", `line 1: there is no key "oracle_seed"; did you mean "oracle-seed"?`},
		"unknown, overridden": {"zzz: 1", `line 1: there is no key "zzz"`},
		"config in a config":  {"config: other.yaml", `there is no key "config"`},
		"help":                {"help: true", `there is no key "help"`},
		"key of another kind": {"? [a, b]\n: 1", `line 1: there is no key ""`},
		"twice":               {"seeds: 1\nsteps: 2\nseeds: 3", "line 3: seeds is given twice; the first is in line 1"},
		"value out of range":  {"\n\nepochs: 0", `line 3: epochs: "0": give a whole number from 1 to 2147483647`},
		"not a number":        {"epochs: many", `line 1: epochs: "many": give a whole number`},
		"not a switch":        {"quiet: perhaps", `line 1: quiet: "perhaps": give true or false`},
		"not a choice": {"protocol: power", `line 1: protocol: "power": there is no value "power"; did you mean ` +
			`"powers"?`},
		"no value":       {"seeds:\nsteps: 3", "line 1: seeds has no value; leave out the line to get the default"},
		"list for one":   {"out: [a, b]", "line 1: out takes one value, not a list"},
		"empty list":     {"methods: []", "line 1: methods has an empty list"},
		"mapping":        {"seeds: {a: 1}", "line 1: seeds must have a text or a number here"},
		"list in a list": {"seeds:\n  - [1, 2]", "line 2: seeds must have a text or a number here"},
		"two names": {"methods:\n  - {a: {x: 1}, b: {x: 1}}",
			"line 2: a method with options has the form NAME: {OPTION: VALUE, OPTION: VALUE}, one name per element"},
		"options of a kind":    {"methods:\n  - a:\n      - x", "line 3: a method with options has the form"},
		"option of two values": {"methods:\n  - a: {x: [1, 2]}", "line 2: the option x of a takes one value"},
		"oracle of two":        {"oracle: {cnn: {x: 1}, b: {x: 1}}", "an oracle with options has the form NAME: {OPTION"},
		"oracles":              {"oracle: [cnn, other]", "line 1: oracle takes one value, not a list"},
		"not a mapping":        {"- seeds", "line 1: write a configuration as lines of key: value"},
		"a word":               {"seeds", "line 1: write a configuration as lines of key: value"},
		"not YAML":             {"seeds: 1\n\tsteps: 2", "line 2: found a tab character that violates indentation"},
		"two documents":        {"seeds: 1\n---\nseeds: 2", "after the first document there is a second one"},
		"alias of itself":      {"seeds: &a [*a]", "seeds must have a text or a number here"},
	} {
		t.Run(name, func(t *testing.T) {
			err := setFlags([]byte(c.text), "run.yaml", runFlagSet(t))
			var usage usageError
			require.ErrorAs(t, err, &usage)
			assert.Contains(t, err.Error(), "--config run.yaml: ")
			assert.Contains(t, err.Error(), c.says)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
	_, err := os.Stat("nowhere.yaml")
	require.Error(t, err)
	assert.ErrorContains(t, readConfig("nowhere.yaml", runFlagSet(t)), "--config: open nowhere.yaml")
	large := filepath.Join(t.TempDir(), "large.yaml")
	require.NoError(t, os.WriteFile(large, []byte(strings.Repeat("#", maxConfig+1)), 0o644))
	assert.ErrorContains(t, readConfig(large, runFlagSet(t)), "the limit of a configuration")
}

// TestPathsAreKnown: a flag whose value is a path says so in its placeholder, by which a
// configuration knows what to make relative.
func TestPathsAreKnown(t *testing.T) {
	var paths []string
	runFlagSet(t).VisitAll(func(f *pflag.Flag) {
		if isPath(f) {
			paths = append(paths, f.Name)
		}
	})
	assert.Subset(t, paths, []string{"config", "out", "data", "plugin", "plugin-dir", "plugin-lock"})
}

// TestRunConfig: a run from a file is the run of the same flags, and the configuration that is kept repeats it.
func TestRunConfig(t *testing.T) {
	folder := t.TempDir()
	writeData(t, filepath.Join(folder, "data"))
	write := func(text string) string {
		path := filepath.Join(folder, "run.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	path := write(`
methods:
  - template: {epochs: 2, order: down}
  - oth*
seeds: 0..1
data: data
out: out
num-digits: ` + tinyDigits + `
split: [` + tinySplit + `]
steps: 3
`)
	fakes, out := newFakes(), filepath.Join(folder, "out")
	got := call(t.Context(), fakes.config(), "run", "--config", path, "--steps", "2", "-q")
	require.Zero(t, got.status, got.stderr)
	r := resultsIn(t, out)
	require.Len(t, r.Runs, 4)
	assert.Equal(t, "template?epochs=2&order=down", r.Runs[0].Method)
	assert.Equal(t, 2, r.Task.Steps, "the flag goes before the file")
	assert.EqualValues(t, 4, fakes.fits.Load())

	kept, err := os.ReadFile(filepath.Join(out, "config.yaml"))
	require.NoError(t, err)
	for _, want := range []string{
		"methods:\n  - template: {epochs: 2, order: down}\n  - other\n", "seeds: 0..1\n", "out: .\n",
		"task:\n  ordered-mnist: {digits: 4, ", "data: " + filepath.Join(folder, "data") + "}\n", "steps: 2, ",
		"protocol: reencode\n", "oracle-seed: 42\n",
	} {
		assert.Contains(t, string(kept), want)
	}
	assert.NotContains(t, string(kept), "quiet")
	again := call(t.Context(), fakes.config(), "run", "--config", filepath.Join(out, "config.yaml"))
	require.Zero(t, again.status, again.stderr)
	assert.Equal(t, 4, strings.Count(again.stderr, "already finished"))
	assert.EqualValues(t, 4, fakes.fits.Load())
	assert.Equal(t, r, resultsIn(t, out))
	repeated, err := os.ReadFile(filepath.Join(out, "config.yaml"))
	require.NoError(t, err)
	assert.Equal(t, string(kept), string(repeated))
	another := call(t.Context(), fakes.config(), "run", "--config", filepath.Join(out, "config.yaml"), "--steps", "4",
		"--data", filepath.Join(folder, "data"), "--out", filepath.Join(folder, "another"))
	require.Zero(t, another.status, another.stderr)
	assert.Equal(t, 4, resultsIn(t, filepath.Join(folder, "another")).Task.Steps,
		"a short form goes before the option in the file")

	bad := call(t.Context(), newFakes().config(), "run", "--config", write("methods: all\nsed: 1\n"))
	assert.Equal(t, exitUsage, bad.status)
	checkGolden(t, "bad/config-unknown-key", bad, map[string]string{"FOLDER": folder})
}

// TestZeroIsKept: a zero that was given is not taken for a flag left out.
func TestZeroIsKept(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	require.Zero(
		t,
		call(
			t.Context(),
			newFakes().config(),
			tiny(data, out, "--methods", "template", "--oracle-seed", "0", "--checkpoint-every", "0")...).status,
	)
	flags := runFlagSet(t)
	require.NoError(t, readConfig(filepath.Join(out, "config.yaml"), flags))
	assert.Equal(t, []string{"0", "0", out},
		[]string{value(flags, "oracle-seed"), value(flags, "checkpoint-every"), value(flags, "out")})
}

// TestExampleConfig: the example that the documentation names can be read, and is what the documentation shows.
func TestExampleConfig(t *testing.T) {
	const path = "../examples/config/ordered-mnist.yaml"
	flags := runFlagSet(t)
	require.NoError(t, readConfig(path, flags))
	assert.Equal(t, "linear,vamp?epochs=20&lr=1e-3,vamp,contrastive", value(flags, "methods"))
	assert.Equal(t, "../results/config", value(flags, "out"))
	example, err := os.ReadFile(path)
	require.NoError(t, err)
	page, err := os.ReadFile("../docs/config.md")
	require.NoError(t, err)
	assert.Contains(t, string(page), "```yaml\n"+string(example)+"```\n")
}

func FuzzConfig(f *testing.F) {
	f.Add("methods: [a, {b: {c: 1}}]\nseeds: 0..3\nsplit: [2, 2, 1]\nquiet: true\nplugin: x")
	f.Add("&a seeds: *a")
	f.Add("? {}\n: []")
	f.Fuzz(func(t *testing.T, text string) {
		err := setFlags([]byte(text), "run.yaml", runFlagSet(t))
		if err != nil {
			require.Contains(t, err.Error(), "--config run.yaml: ")
		}
	})
}

// TestPathsThatAreNotText: a configuration that is kept repeats a command whose paths are not
// UTF-8.
func TestPathsThatAreNotText(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "M\xfcnchen") // in Latin-1
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Skipf("the file system takes names in UTF-8 only: %v", err)
	}
	data, path, out := filepath.Join(folder, "data"), filepath.Join(folder, "far"), filepath.Join(folder, "out")
	writeData(t, data)
	require.NoError(t, os.Rename(pluginFile(t, "far"), path))
	got := call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template,remote", "--plugin", path)...)
	require.Zero(t, got.status, got.stderr)
	kept, err := os.ReadFile(filepath.Join(out, "config.yaml"))
	require.NoError(t, err)
	assert.Contains(t, string(kept), "data: !!binary \""+base64.StdEncoding.EncodeToString([]byte(data))[:60])
	got = call(t.Context(), newFakes().config(), "run", "--config", filepath.Join(out, "config.yaml"),
		"--plugin", path)
	require.Zero(t, got.status, got.stderr)
	assert.Equal(t, 2, strings.Count(got.stderr, "already finished"), got.stderr)
	again, err := os.ReadFile(filepath.Join(out, "config.yaml"))
	require.NoError(t, err)
	assert.Equal(t, string(kept), string(again))

	bad := filepath.Join(t.TempDir(), "run.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("data: !!binary \"*\"\n"), 0o644))
	got = call(t.Context(), newFakes().config(), "run", "--config", bad)
	assert.Equal(t, exitUsage, got.status)
	assert.Contains(t, got.stderr, "line 1: data: it is marked as !!binary but is not Base64: ")
}
