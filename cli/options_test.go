package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
)

// noted is the template method with an option that is free text.
type noted struct{ template }

func (m *noted) Describe() core.Description {
	d := m.template.Describe()
	d.Options = append(d.Options, core.TextOption("note", "none", 40, "what to note"))
	return d
}

func notedConfig() (Config, *fakes) {
	f := newFakes()
	f.extra = []core.Method{&noted{template{f, "noted"}}}
	return f.config(), f
}

// TestOracleOptions: options of the oracle are set as those of methods are, stand in the results
// and in the configuration that is kept, make runs of another oracle, and are what verify makes the
// oracle with.
func TestOracleOptions(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	fakes := newFakes()
	args := tiny(data, out, "--methods", "template", "--oracle", "cnn?epochs=7")
	first := call(t.Context(), fakes.config(), args...)
	require.Zero(t, first.status, first.stderr)
	r := resultsIn(t, out)
	assert.Equal(t, map[string]any{"epochs": 7.0}, r.Oracle.Options)
	assert.Equal(t, "cnn", r.Oracle.Name)
	kept, err := os.ReadFile(filepath.Join(out, "config.yaml"))
	require.NoError(t, err)
	assert.Contains(t, string(kept), "oracle:\n  cnn: {epochs: 7}\n")
	again := call(t.Context(), fakes.config(), "run", "--config", filepath.Join(out, "config.yaml"))
	require.Zero(t, again.status, again.stderr)
	assert.Contains(t, again.stderr, "already finished")
	assert.EqualValues(t, 1, fakes.fits.Load())
	verified := call(t.Context(), newFakes().config(), "verify", out, "--data", data, "-q")
	assert.Equal(t, output{}, verified)

	other := call(t.Context(), fakes.config(), tiny(data, out, "--methods", "template", "--oracle", "cnn?epochs=8")...)
	require.Zero(t, other.status, other.stderr)
	assert.Contains(t, other.stderr, "another oracle: epochs 7 against 8")
	assert.EqualValues(t, 2, fakes.fits.Load())
	args = tiny(data, out, "--methods", "template", "--oracle", "cnn?epochs=8", "--epochs", "1")
	capped := call(t.Context(), fakes.config(), args...)
	require.Zero(t, capped.status, capped.stderr)
	assert.EqualValues(t, 1, resultsIn(t, out).Oracle.Options["epochs"])
}

// TestOracleOptionErrors name the flag, the option and what there is.
func TestOracleOptionErrors(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	for oracle, says := range map[string]string{
		"cnn?epoch=3":           `--oracle: cnn: invalid option: there is no option "epoch"; did you mean "epochs"?`,
		"cnn?epochs=0":          "epochs=0: give 1 … 100",
		"cnn?epochs":            `in "cnn?epochs", "epochs" is not key=value`,
		"cnn,cnn":               `no oracle "cnn,cnn"`,
		"plugin:cnn?epochs=3":   "--oracle plugin:cnn: the oracle cnn is built in; no plugin serves it",
		"cnn?epochs=3&epochs=3": "gives epochs twice",
	} {
		got := call(t.Context(), newFakes().config(), tiny(data, out, "--methods", "template", "--oracle", oracle)...)
		assert.Equal(t, exitUsage, got.status, oracle)
		assert.Contains(t, got.stderr, says, oracle)
		assert.NoDirExists(t, out)
	}
}

// TestTextOptionsInARun: a text with everything that lists and options are separated by is in the
// results as it is, and the configuration that is kept repeats the run.
func TestTextOptionsInARun(t *testing.T) {
	const note = `a, b&c=d%: "é" #x `
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	file := filepath.Join(t.TempDir(), "run.yaml")
	text := "methods:\n  - noted: {note: '" + note + "'}\n  - noted: {note: ''}\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	config, fakes := notedConfig()
	got := call(t.Context(), config, tiny(data, out, "--config", file)...)
	require.Zero(t, got.status, got.stderr)
	r := resultsIn(t, out)
	require.Len(t, r.Runs, 2)
	assert.Equal(t, note, r.Runs[0].Options["note"])
	assert.Equal(t, "noted?note=a%2C%20b%26c=d%25:%20\"é\"%20#x%20", r.Runs[0].Method)
	assert.Equal(t, "", r.Runs[1].Options["note"])

	again := call(t.Context(), config, "run", "--config", filepath.Join(out, "config.yaml"))
	require.Zero(t, again.status, again.stderr)
	assert.Equal(t, 2, strings.Count(again.stderr, "already finished"))
	typed := call(t.Context(), config, tiny(data, out, "--methods", r.Runs[0].Method)...)
	require.Zero(t, typed.status, typed.stderr)
	assert.EqualValues(t, 2, fakes.fits.Load())
	assert.Equal(t, output{}, call(t.Context(), config, "verify", out, "--data", data, "-q"))

	described := call(t.Context(), config, "info", "noted")
	line := `\nnote +text +none +at most 40 bytes of UTF-8 without control characters +what to note\n`
	assert.Regexp(t, line, described.stdout)
}

// TestSelectionNode: what a configuration makes of a kept selection is the selection as it was
// typed, however it was escaped.
func TestSelectionNode(t *testing.T) {
	for _, written := range []string{
		"vamp", "vamp?epochs=3&lr=1e-3", "m?path=a%2Cb", "m?path=a%2cb", "m?path=%41",
		"m?path=null&x=~", "m?path=", "m?path=a=b?c",
	} {
		kept, err := yaml.Marshal(map[string]*yaml.Node{"methods": methodNodes([]benchmark.Entry{{Written: written}})})
		require.NoError(t, err)
		flags := runFlagSet(t)
		require.NoError(t, setFlags(kept, "run.yaml", flags), string(kept))
		assert.Equal(t, written, value(flags, "methods"), string(kept))
	}
}
