package check

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

func TestInPython(t *testing.T) {
	for text, want := range map[string]string{
		"return an error that wraps core.ErrNonFinite where a fit diverges": "raise " +
			"NonFiniteError where a fit diverges",
		"Evaluate returns ErrShape for views of different shapes, and ErrNonFinite for such values": "evaluate raises " +
			"ShapeError for views of different shapes, and NonFiniteError for such values",
		"Without an observable PredictObservable returns ErrUnavailable": "Without an " +
			"observable predict_observable raises UnavailableError",
		"Fit returns the context's error soon after the context ends": "fit raises " +
			"Cancelled soon after the call is cancelled",
		"the model does not declare the ability Spectral": "the model does not " +
			"declare the ability Spectral (eigenvalues and left_eigenfunctions)",
		"LeftEigenfunctions gives an n×r matrix": "left_eigenfunctions gives an n×r matrix",
		"compute every row by itself: no statistics over the rows of a call, nothing kept, no chance": "compute every row " +
			"by itself: no statistics over the rows of a call, nothing kept, no chance",
	} {
		assert.Equal(t, want, inPython(text))
	}
	err := refusal{call: "Predict of no steps", kind: core.ErrShape, do: func() error { return nil }}.check()
	var p *problem
	require.ErrorAs(t, err, &p)
	assert.Equal(t, "raise ShapeError", inPython(p.remedy))
	assert.Equal(t, "predict of no steps raised nothing", inPython(p.found))

	before := Report{Results: []Result{{Check: "errors", Status: Fail, Remedy: "return core.ErrShape", Notes: []string{
		"ErrLabel"}}}}
	after := before.InPython()
	assert.Equal(t, Result{Check: "errors", Status: Fail, Remedy: "raise ShapeError", Notes: []string{"LabelError"}},
		after.Results[0])
	assert.Equal(t, []string{"ErrLabel"}, before.Results[0].Notes, "the report itself stays")
}

// TestInPythonKnowsEveryText: no rule and no remedy speaks of Go to an author in Python.
func TestInPythonKnowsEveryText(t *testing.T) {
	goWords := regexp.MustCompile(`core\.|\bErr[A-Z]|package core|%w|ctx|context|goroutine|mutex|panic|\bmat\.|` +
		`Options\.|Training\.|Serve\b`)
	for _, e := range Catalogue() {
		assert.NotRegexp(t, goWords, inPython(e.Rule), "rule of %s %s", e.Kind, e.Check)
	}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	remedies := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "session.go" || name == "options.go" {
			continue // those speak of the options of the checks, which are not for plugins
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "wrong" {
				return true
			}
			if literal, ok := call.Args[0].(*ast.BasicLit); ok {
				remedy, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				assert.NotRegexp(t, goWords, inPython(remedy), "%s", name)
				remedies++
			}
			return true
		})
	}
	assert.Greater(t, remedies, 80)
}
