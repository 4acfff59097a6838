package check_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/conformance/internal/broken"
	"github.com/koopbench/koopbench/core"
)

// loss is a loss by a function, whose other calls are those of the correct loss.
type loss struct {
	core.Loss
	evaluate func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error)
}

func (l loss) Evaluate(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
	return l.evaluate(ctx, x, y, options)
}

func correctLoss() core.Loss { return broken.Correct()["loss"].(core.Loss) }

// find returns the broken thing of that check.
func find(t *testing.T, kind, name string) any {
	for _, c := range broken.Cases() {
		if c.Kind == kind && c.Check == name && c.Thing != nil {
			return c.Thing
		}
	}
	t.Fatalf("nothing breaks %s of a %s", name, kind)
	return nil
}

func result(t *testing.T, r check.Report, name string) check.Result {
	for _, result := range r.Results {
		if result.Check == name {
			return result
		}
	}
	t.Fatalf("no check %q in the report", name)
	return check.Result{}
}

func TestExpectedFailures(t *testing.T) {
	l := find(t, "loss", "gradients").(core.Loss)
	o := &check.Options{Expect: map[string]string{"gradients": "a sign that nobody dares to change"}}
	report := check.Loss(t.Context(), l, o)
	assert.True(t, report.OK())
	expected := result(t, report, "gradients")
	assert.Equal(t, check.ExpectedFail, expected.Status)
	assert.Equal(t, "a sign that nobody dares to change", expected.Reason)
	assert.Contains(t, expected.Found, "GradY")

	report = check.Loss(t.Context(), correctLoss(), o)
	passed := result(t, report, "gradients")
	assert.False(t, report.OK())
	assert.Equal(t, check.Fail, passed.Status)
	assert.Contains(t, passed.Found, "expected to fail")
}

// TestUnusableOptions: they fail the setup, with words about the option, and block everything else.
func TestUnusableOptions(t *testing.T) {
	for about, o := range map[string]*check.Options{
		"did you mean \"gradients\"": {Expect: map[string]string{"gradient": "no such check"}},
		"gives no reason":            {Expect: map[string]string{"gradients": ""}},
		"Shape [2 2] has 4 values":   {Shape: []int{2, 2}},
		"Shape is [4 0]":             {Shape: []int{4, 0}},
		"Shape is [1000000":          {Shape: []int{1_000_000, 1_000_000}},
		"States is 1":                {States: 1},
		"Snapshots is 39":            {Snapshots: 39},
		"Epochs is -1":               {Epochs: -1},
		"Accuracy is 2":              {Accuracy: 2},
		"Timeout is -1s":             {Timeout: -time.Second},
	} {
		report := check.Loss(t.Context(), correctLoss(), o)
		require.Len(t, report.With(check.Fail), 1, about)
		assert.Equal(t, "setup", report.With(check.Fail)[0].Check)
		assert.Contains(t, report.With(check.Fail)[0].Found, about)
		assert.Len(t, report.With(check.Blocked), len(report.Results)-1)
	}
	report := check.Loss(t.Context(), correctLoss(), &check.Options{Settings: map[string]any{"power": "3"}})
	assert.Contains(t, result(t, report, "setup").Found, "power=3")
}

// TestHangs: a call that never returns fails its check within the time limit, and the others go on.
func TestHangs(t *testing.T) {
	correct := correctLoss()
	released := make(chan struct{})
	defer close(released)
	hanging := loss{correct, func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
		if _, ok := x.(*mat.Dense); !ok { // in one check only
			<-released
		}
		return correct.Evaluate(ctx, x, y, options)
	}}
	var timeout time.Duration
	report := impatient("any-matrix", func(limit time.Duration) check.Report {
		timeout = limit
		return check.Loss(t.Context(), hanging, &check.Options{Timeout: limit, Grace: limit})
	})
	failed := report.With(check.Fail)
	require.Len(t, failed, 1)
	assert.Equal(t, "any-matrix", failed[0].Check)
	assert.Contains(t, failed[0].Found, "time limit of "+timeout.String())
	assert.Equal(t, check.Pass, result(t, report, "cancelled").Status)
}

// TestSlowThingsHonourTheLimit: a call that returns the context's error at the time limit fails in the same words.
func TestSlowThingsHonourTheLimit(t *testing.T) {
	slow := loss{correctLoss(), func(ctx context.Context, _, _ mat.Matrix, _ core.Options) (core.LossValue, error) {
		<-ctx.Done()
		return core.LossValue{}, ctx.Err()
	}}
	var timeout time.Duration
	report := impatient("evaluate", func(limit time.Duration) check.Report {
		timeout = limit
		return check.Loss(t.Context(), slow, &check.Options{Timeout: limit})
	})
	assert.Contains(t, result(t, report, "evaluate").Found, "time limit of "+timeout.String())
}

func TestInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report := check.Loss(ctx, correctLoss(), nil)
	assert.False(t, report.OK())
	assert.Contains(t, report.Results[0].Found, "context canceled")
}

func TestSession(t *testing.T) {
	observed := 0
	s := check.NewLoss(correctLoss(), &check.Options{Observe: func(check.Result) { observed++ }})
	first := s.Run(t.Context(), "gradients")
	assert.Equal(t, check.Pass, first.Status)
	assert.Equal(t, 3, observed, "setup and evaluate come first")
	assert.Equal(t, first, s.Run(t.Context(), "gradients"))
	assert.Equal(t, 3, observed)
	unknown := s.Run(t.Context(), "gradient")
	assert.Equal(t, check.Fail, unknown.Status)
	assert.Contains(t, unknown.Found, `did you mean "gradients"?`)
}

func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range check.Catalogue() {
		name := string(e.Kind) + " " + e.Check
		assert.False(t, seen[name], name)
		seen[name] = true
		assert.Regexp(t, `^[a-z]+(-[a-z]+)*$`, e.Check)
		assert.Regexp(t, `^[A-Z].*[^.]$`, e.Rule, name)
		assert.NotContains(t, e.Rule, "\n")
	}
	for _, kind := range []string{"method", "embedder", "operator", "loss", "oracle", "task"} {
		assert.True(t, seen[kind+" setup"] && seen[kind+" same-outputs"], kind)
	}
	assert.True(t, seen["plugin setup"] && seen["plugin ends-with-host"])
}

// TestReportForms: the JSON form is the documented one, and the text names what failed and why.
func TestReportForms(t *testing.T) {
	report := check.Loss(t.Context(), find(t, "loss", "gradients").(core.Loss), nil)
	data, err := json.Marshal(report)
	require.NoError(t, err)
	var form map[string]any
	require.NoError(t, json.Unmarshal(data, &form))
	assert.Equal(t, 1.0, form["schema"])
	assert.Equal(t, "loss", form["kind"])
	assert.Equal(t, "reference-loss", form["name"])
	for _, r := range form["results"].([]any) {
		fields := r.(map[string]any)
		if fields["check"] == "gradients" {
			assert.Equal(t, "fail", fields["status"])
			assert.Subset(t, fields, map[string]any{"remedy": "derive the gradient anew: factors of n and 2, transposes and " +
				"signs first"})
		}
		for field := range fields {
			assert.Contains(t, []string{"check", "status", "checked", "found", "remedy", "reason", "blocked_by", "notes",
				"seconds"}, field)
		}
	}
	var back check.Report
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, report, back)

	var text bytes.Buffer
	require.NoError(t, report.WriteText(&text))
	assert.Contains(t, text.String(), "loss reference-loss\n")
	assert.Contains(t, text.String(), "  fail          gradients\n                rule:   Gradients are")
	assert.Contains(t, text.String(), "13 pass, 1 fail, 1 skip\n")
	assert.Error(t, report.WriteText(brokenWriter{}))
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("full") }

// TestOutputs: they depend on the thing and the options alone, and tell things apart.
func TestOutputs(t *testing.T) {
	o := quick()
	want := map[string][]string{
		"method": {"eigenvalues", "forecasts", "history", "left-eigenfunctions", "predictions", "rank-and-parameters",
			"right-eigenfunctions"},
		"embedder": {"decoded", "features", "history", "rank-and-parameters"},
		"oracle":   {"encoder-features", "history", "labels", "rank-and-parameters"},
		"operator": {"eigenvalues", "history", "left-eigenfunctions", "predictions", "rank-and-parameters",
			"right-eigenfunctions"},
		"task": {
			"expected-states", "lag-steps-rank", "scores-at-step-1", "scores-at-step-3", "starts", "test", "test-lengths",
			"test-states", "train", "train-lengths", "train-states", "true-eigenfunctions", "true-eigenvalues", "validation",
			"validation-lengths",
			"validation-states",
		},
		"loss": {"value-and-gradients-2x1", "value-and-gradients-33x4", "value-and-gradients-3x4", "value-and-gradients-64x6",
			"value-and-gradients-8x4"},
	}
	for kind, thing := range broken.Correct() {
		outputs, err := check.Outputs(t.Context(), thing, o)
		require.NoError(t, err, kind)
		var names []string
		for name, digest := range outputs {
			names = append(names, name)
			assert.Len(t, digest, 64)
		}
		assert.ElementsMatch(t, want[kind], names, kind)
		again, err := check.Outputs(t.Context(), broken.Correct()[kind], o)
		require.NoError(t, err)
		assert.Equal(t, outputs, again, kind)
	}
	other := quick()
	other.Epochs = 1
	one, err := check.Outputs(t.Context(), broken.Correct()["method"], o)
	require.NoError(t, err)
	two, err := check.Outputs(t.Context(), broken.Correct()["method"], other)
	require.NoError(t, err)
	assert.NotEqual(t, one["predictions"], two["predictions"])

	_, err = check.Outputs(t.Context(), 7, o)
	require.ErrorIs(t, err, core.ErrUnknown)
	_, err = check.Outputs(t.Context(), nil, o)
	require.ErrorIs(t, err, core.ErrUnavailable)
	_, err = check.Outputs(t.Context(), correctLoss(), &check.Options{States: 1})
	require.ErrorIs(t, err, core.ErrOption)
	_, err = check.Outputs(t.Context(), find(t, "method", "fit"), o)
	require.Error(t, err)
}

// TestSinglePrecisionGradients: a loss that computes in float32 passes, with a note.
func TestSinglePrecisionGradients(t *testing.T) {
	correct := correctLoss()
	report := check.Loss(t.Context(),
		loss{correct, func(ctx context.Context, x, y mat.Matrix, options core.Options) (core.LossValue, error) {
			v, err := correct.Evaluate(ctx, x, y, options)
			if err == nil {
				v.Value = float64(float32(v.Value))
				for _, g := range []*mat.Dense{v.GradX, v.GradY} {
					g.Apply(func(_, _ int, v float64) float64 { return float64(float32(v)) }, g)
				}
			}
			return v, err
		}}, nil)
	gradients := result(t, report, "gradients")
	require.Equal(t, check.Pass, gradients.Status, gradients.Explanation())
	assert.Contains(t, strings.Join(gradients.Notes, "\n"), "float32")
}

// TestUntrained: a fit that says that it learned nothing is not judged by what it learned.
func TestUntrained(t *testing.T) {
	m := find(t, "method", "learns").(core.Method)
	s := check.NewMethod(untrained{m}, quick())
	learned := s.Run(t.Context(), "learns")
	assert.Equal(t, check.Skip, learned.Status)
	assert.Contains(t, learned.Reason, "not today")
	assert.Equal(t, check.Skip, s.Run(t.Context(), "lag").Status)
}

type untrained struct{ core.Method }

func (u untrained) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	m, err := u.Method.Fit(ctx, t)
	return modest{m}, err
}

type modest struct{ core.Model }

func (modest) Report() core.Report { return core.Report{Untrained: "not today"} }

// endless is a method that may be fitted for as many epochs as there are numbers.
type endless struct{ core.Method }

func (e endless) Describe() core.Description {
	d := e.Method.Describe()
	d.Options = append([]core.Option{core.IntOption("epochs", 10, 1, math.MaxInt, "passes")}, d.Options[1:]...)
	return d
}

// TestLargestNumbers: the largest int is rounded in an option, and stays one in the checks.
func TestLargestNumbers(t *testing.T) {
	s := check.NewMethod(endless{broken.Correct()["method"].(core.Method)}, quick())
	for _, name := range []string{"options", "cancelled-fit"} {
		result := s.Run(t.Context(), name)
		assert.Equal(t, check.Pass, result.Status, result.Explanation())
	}
}

// TestGoexit is told as such, at once.
func TestGoexit(t *testing.T) {
	l := loss{correctLoss(), func(context.Context, mat.Matrix, mat.Matrix, core.Options) (core.LossValue, error) {
		runtime.Goexit()
		return core.LossValue{}, nil
	}}
	found := check.NewLoss(l, nil).Run(t.Context(), "evaluate")
	assert.Equal(t, check.Fail, found.Status)
	assert.Contains(t, found.Found, "runtime.Goexit was called")
}
