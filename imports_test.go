package koopbench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/koopbench/koopbench"

// allowed says which packages of this module each may import: the first rule whose package is, or
// is above, the importing one. A name allows what is below it too. Test files are not held to it.
var allowed = []struct {
	importer string
	imports  []string
}{
	{"core", nil},
	{"registry", []string{"core"}},
	{"internal", []string{"core", "internal"}},
	{"dataset", []string{"core", "internal"}},
	{"linalg", []string{"core", "internal"}},
	{"nn", []string{"core", "internal"}},
	{"benchmark/stats", []string{"core"}},
	{"benchmark/results", []string{"core", "internal", "benchmark/stats"}},
	{"benchmark/diagnostics", []string{"core"}},
	{"benchmark/report", []string{
		"core", "internal", "benchmark/diagnostics", "benchmark/stats", "benchmark/results", "benchmark/report",
	}},
	{"benchmark/tune", []string{"core", "internal", "benchmark", "registry", "tasks/process"}},
	{"benchmark/verify", []string{"core", "internal", "benchmark"}},
	{"benchmark", []string{"core", "internal", "benchmark/diagnostics", "benchmark/results"}},
	{"compose", []string{"core", "nn", "linalg", "internal"}},
	{"methods/", []string{"core", "nn", "linalg", "compose", "internal"}},
	{"methods", []string{"core", "nn", "linalg", "compose", "internal", "registry", "methods"}},
	{"tasks/", []string{"core", "dataset", "compose", "internal", "tasks/process"}},
	{"tasks", []string{"core", "registry", "tasks"}},
	{"conformance", []string{"core", "linalg", "conformance", "internal"}},
	{"plugin", []string{"core", "plugin", "internal", "backend/cpu/blas"}},
	{"backend", []string{"backend"}},
	{"cli", []string{""}},
	{"cmd", []string{""}},
	{"examples", []string{""}},
}

func TestImportDirections(t *testing.T) {
	for _, p := range listPackages(t) {
		if importer, ours := strings.CutPrefix(p.ImportPath, module+"/"); ours {
			assert.Empty(t, wrongImports(importer, p.Imports))
		}
	}
}

// wrongImports says what is wrong with the imports of a package of this module.
func wrongImports(importer string, imports []string) []string {
	for _, rule := range allowed {
		if !within(importer, rule.importer) {
			continue
		}
		var wrong []string
		for _, path := range imports {
			imported, ours := strings.CutPrefix(path, module+"/")
			if ours && !slices.ContainsFunc(rule.imports, func(name string) bool { return within(imported, name) }) {
				wrong = append(wrong, fmt.Sprintf("%s imports %s; of this module it may import %q", importer, imported,
					rule.imports))
			}
		}
		return wrong
	}
	return []string{"no rule says what " + importer + " may import"}
}

// TestWrongImports: the rules catch what they are there for.
func TestWrongImports(t *testing.T) {
	for importer, imported := range map[string]string{
		"core": "internal/npz", "registry": "nn", "benchmark": "registry", "benchmark/stats": "benchmark",
		"benchmark/report": "dataset", "benchmark/report/page": "benchmark", "benchmark/results": "benchmark",
		"benchmark/verify": "methods", "methods/vamp": "methods/linear",
		"nn": "methods", "linalg": "nn", "conformance": "methods", "plugin": "methods", "dataset": "benchmark",
		"internal/npz": "benchmark", "compose": "registry",
		"plugin/wire": "backend/cpu", "tasks/orderedmnist": "methods", "tasks/prinz": "tasks/lorenz63", "tasks": "benchmark",
	} {
		assert.Len(t, wrongImports(importer, []string{"fmt", "gonum.org/v1/gonum/mat", module + "/" + imported}), 1,
			"%s → %s", importer, imported)
	}
	assert.Len(t, wrongImports("benchmark", []string{module + "/plugin", module + "/methods/vamp", module + "/dataset",
		module + "/tasks", module + "/nn", module + "/benchmark/report"}), 6)
	assert.Empty(t, wrongImports("cli", []string{module + "/methods", module + "/plugin"}))
	assert.Len(t, wrongImports("novelty", nil), 1)
}

// within reports whether path is name or below it; name may end in a slash for below only, and "" is above everything.
func within(path, name string) bool {
	if name == "" {
		return true
	}
	if below, ok := strings.CutSuffix(name, "/"); ok {
		return strings.HasPrefix(path, below+"/")
	}
	return path == name || strings.HasPrefix(path, name+"/")
}

// TestCoreDependsOnGonumOnly: the contracts cost whoever imports them the standard library and gonum.
func TestCoreDependsOnGonumOnly(t *testing.T) {
	packages := listPackages(t)
	core := packages[module+"/core"]
	require.NotEmpty(t, core.Deps)
	for _, path := range core.Deps {
		p, ok := packages[path]
		require.True(t, ok, path)
		assert.True(t, p.Standard || p.Module != nil && p.Module.Path == "gonum.org/v1/gonum", "core depends on %s", path)
	}
}

// TestBackendsAreChosenByCLI: of this module, package cli alone imports a compute backend. Nothing
// imports GoMLX's choice of defaults, which may download.
func TestBackendsAreChosenByCLI(t *testing.T) {
	for _, p := range listPackages(t) {
		if p.Module == nil || p.Module.Path != module {
			continue
		}
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, path := range p.Imports {
			switch {
			case strings.HasPrefix(path, "github.com/gomlx/gomlx/backends/default"), strings.HasSuffix(path, "/autoinstall"):
				t.Errorf("%s imports %s", name, path)
			case path == "github.com/gomlx/compute/gobackend", strings.HasPrefix(path, "github.com/gomlx/go-xla"):
				assert.True(t, within(name, "cli"), "%s imports %s", name, path)
			}
		}
	}
}

// goPackage is what go list says of a package.
type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
	Module     *struct{ Path string }
}

// listPackages returns this module's packages and all that they depend on, by import path.
func listPackages(t *testing.T) map[string]goPackage {
	t.Helper()
	var stderr bytes.Buffer
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps,Module",
		"./...")
	list.Stderr = &stderr
	out, err := list.Output()
	require.NoError(t, err, stderr.String())
	packages := map[string]goPackage{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		packages[p.ImportPath] = p
	}
	require.Contains(t, packages, module+"/core")
	return packages
}
