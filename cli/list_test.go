package cli

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"k8s.io/klog/v2"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
	"github.com/koopbench/koopbench/tasks"
)

// part is an embedder, evolution operator and loss that only describes itself.
type part struct{ name, doc string }

func (p part) Describe() core.Description {
	return core.Description{Name: p.name, Summary: "a part", Doc: p.doc}
}
func (part) Evaluate(_ context.Context, _, _ mat.Matrix, _ core.Options) (core.LossValue, error) {
	return core.LossValue{}, errors.ErrUnsupported
}

type embedder struct{ part }

func (embedder) Fit(context.Context, *core.Training) (core.Embedding, error) {
	return nil, errors.ErrUnsupported
}

type operator struct{ part }

func (operator) Fit(context.Context, *core.OperatorTraining) (core.Operator, error) {
	return nil, errors.ErrUnsupported
}

// allKinds is a registry in which every kind has something, and one name stands for two things.
func allKinds(*nn.Runtime) (*registry.Registry, error) {
	r, err := newFakes().registry(nil)
	doc := "A first paragraph that is long enough that it has to be broken somewhere, since lines that run over the " +
		"edge are hard to read.\n\n  E = mc²\n\nA last one."
	return r, errors.Join(err,
		r.Methods.Add(broken{name: "shared"}),
		r.Losses.Add(part{"shared", doc}),
		r.Operators.Add(operator{part{"ridge", ""}}),
		r.Embedders.Add(embedder{part{"pixels", ""}}))
}

func TestListAndInfo(t *testing.T) {
	config := Config{Registry: allKinds, Version: "v1.2.3"}
	for name, args := range map[string][]string{
		"list":          {"list"},
		"info-options":  {"info", "template"},
		"info-two":      {"info", "shared"},
		"info-operator": {"info", "ridge"},
		"info-oracle":   {"info", "cnn"},
		"version-flag":  {"--version"},
	} {
		t.Run(name, func(t *testing.T) {
			got := call(t.Context(), config, args...)
			assert.Zero(t, got.status)
			assert.Empty(t, got.stderr)
			checkGolden(t, name, got, nil)
		})
	}
}

func TestVersion(t *testing.T) {
	got := call(t.Context(), Config{Registry: allKinds, Version: "v1.2.3"}, "version")
	assert.Zero(t, got.status)
	assert.Regexp(t, `^bench v1\.2\.3\ncommit    .+\ngo        go\S+ \w+/\w+\nbackends  cpu, go(, xla)?\n$`, got.stdout)
	assert.Regexp(t, `^bench \S+\n`, call(t.Context(), Config{Registry: allKinds}, "version").stdout)
}

func TestCompletion(t *testing.T) {
	config := Config{Registry: allKinds}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		got := call(t.Context(), config, "completion", shell)
		assert.Zero(t, got.status)
		assert.Contains(t, got.stdout, "bench")
		assert.Empty(t, got.stderr)
	}
	builtIn := registry.New()
	require.NoError(t, tasks.AddTo(builtIn))
	things := append(builtIn.Tasks.Names(),
		"blocking", "cnn", "failing", "other", "panicking", "pixels", "ridge", "shared", "template")
	for typed, want := range map[string][]string{
		"run --methods ": {"all", "blocking", "failing", "other", "panicking", "shared", "template"},
		"run --methods template,": {"template,blocking", "template,failing", "template,other", "template,panicking",
			"template,shared"},
		"run --methods other,template?": {
			"other,template?epochs=", "other,template?blemish=", "other,template?order=", "other,template?warn=",
		},
		"run --methods template?epochs=3&order=": {"template?epochs=3&order=up", "template?epochs=3&order=down"},
		"run --methods template?warn=":           {"template?warn=true", "template?warn=false"},
		"run --methods nothing?":                 nil,
		"run --oracle ":                          {"cnn"},
		"run --tasks trajectory,duffing?": {
			"trajectory,duffing?data_seed=", "trajectory,duffing?lag=", "trajectory,duffing?split=",
			"trajectory,duffing?starts=",
			"trajectory,duffing?steps=",
		},
		"run --oracle cnn?": {"cnn?epochs="},
		"run --backend ":    backends(),
		"info ":             things,
		"plugin ":           {"check", "fit", "list", "lock", "serve"},
		"plugin serve ":     things,
		"tune ":             {"blocking", "failing", "other", "panicking", "shared", "template"},
		"completion ":       {"bash", "fish", "powershell", "zsh"},
		"": {"clean", "compare", "completion", "data", "help", "info", "licences", "list", "merge", "plugin",
			"predict", "report", "run", "serve", "tune", "verify", "version"},
		"help ": {"clean", "compare", "completion", "data", "help", "info", "licences", "list", "merge", "plugin",
			"predict", "report", "run", "serve", "tune", "verify", "version"},
	} {
		args := append([]string{"__complete"}, strings.Split(typed, " ")...)
		got := call(t.Context(), config, args...)
		assert.Zero(t, got.status, typed)
		var names []string
		for line := range strings.Lines(got.stdout) {
			if name, _, _ := strings.Cut(strings.TrimSpace(line), "\t"); !strings.HasPrefix(name, ":") {
				names = append(names, name)
			}
		}
		assert.ElementsMatch(t, want, names, typed)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestLibraryLogs: what GoMLX logs reaches no one without being asked for, and puts no flags on the command line.
func TestLibraryLogs(t *testing.T) {
	stderr := os.Stderr
	read, write, err := os.Pipe()
	require.NoError(t, err)
	os.Stderr = write
	defer func() { os.Stderr = stderr }()
	call(t.Context(), newFakes().config(), "list")
	klog.Error("a library complains")
	klog.Info("a library talks")
	klog.Flush()
	write.Close()
	text, err := io.ReadAll(read)
	require.NoError(t, err)
	assert.Empty(t, string(text))

	var b strings.Builder
	divertLogs(&b)
	defer divertLogs(io.Discard)
	klog.V(1).Info("a detail")
	assert.Contains(t, b.String(), "a detail")

	assert.Nil(t, flag.Lookup("logtostderr"))
	assert.Nil(t, pflag.CommandLine.Lookup("logtostderr"))
}
