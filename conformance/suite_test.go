package conformance

import (
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/conformance/internal/broken"
	"github.com/koopbench/koopbench/core"
)

// hangs is a time that nothing takes which does not hang, on a busy machine too.
const hangs = 5 * time.Minute

func quick() *Options {
	return &Options{Shape: []int{4, 4}, Snapshots: 60, Epochs: 10, Timeout: hangs, Grace: hangs}
}

func TestSuitesOfCorrectThings(t *testing.T) {
	things := broken.Correct()
	t.Run("method", func(t *testing.T) {
		RunMethodSuite(t, func() core.Method { return things["method"].(core.Method) }, quick())
	})
	t.Run("embedder", func(t *testing.T) {
		RunEmbedderSuite(t, func() core.Embedder { return things["embedder"].(core.Embedder) }, quick())
	})
	t.Run("operator", func(t *testing.T) {
		RunOperatorSuite(t, func() core.EvolutionOperator { return things["operator"].(core.EvolutionOperator) }, quick())
	})
	t.Run("loss", func(t *testing.T) {
		RunLossSuite(t, func() core.Loss { return things["loss"].(core.Loss) }, quick())
	})
	t.Run("oracle", func(t *testing.T) {
		RunOracleSuite(t, func() core.Oracle { return things["oracle"].(core.Oracle) }, quick())
	})
}

// TestSuitesHaveATestForEachCheck: the tests of the suites are the checks of the catalogue.
func TestSuitesHaveATestForEachCheck(t *testing.T) {
	for kind, suite := range map[check.Kind]any{
		check.KindMethod: &methodSuite{}, check.KindEmbedder: &embedderSuite{}, check.KindOperator: &operatorSuite{},
		check.KindLoss: &lossSuite{}, check.KindOracle: &oracleSuite{},
	} {
		var want, got []string
		for _, e := range check.Catalogue() {
			if e.Kind == kind {
				want = append(want, testName(e.Check))
			}
		}
		for m := range reflect.TypeOf(suite).Methods() {
			if strings.HasPrefix(m.Name, "Test") {
				got = append(got, m.Name)
			}
		}
		slices.Sort(want)
		assert.Equal(t, want, got, kind)
	}
}

// testName is the name of the test of a check: TestRowOrder for row-order.
func testName(check string) string {
	name := "Test"
	for word := range strings.SplitSeq(check, "-") {
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	return name
}

const failing = "KOOPBENCH_TEST_FAILING_SUITE"

// TestFailingSuite runs in a process of its own only: it must fail.
func TestFailingSuite(t *testing.T) {
	how := os.Getenv(failing)
	if how == "" {
		t.Skip("it fails on purpose, in a process that TestSuitesOfBrokenThings starts")
	}
	o := quick()
	if how == "expected" {
		o.Expect = map[string]string{"gradients": "known for years"}
	}
	RunLossSuite(t, func() core.Loss {
		for _, c := range broken.Cases() {
			if c.Kind == "loss" && c.Check == "gradients" {
				return c.Thing.(core.Loss)
			}
		}
		return nil
	}, o)
}

// TestSuitesOfBrokenThings: the test of the broken rule fails, with the explanation, and others pass; a failure that is
// expected is skipped, with its reason.
func TestSuitesOfBrokenThings(t *testing.T) {
	run := func(how string) (string, error) {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFailingSuite$", "-test.v")
		command.Env = append(os.Environ(), failing+"="+how)
		out, err := command.CombinedOutput()
		return string(out), err
	}
	out, err := run("yes")
	require.Error(t, err, out)
	assert.Contains(t, out, "--- FAIL: TestFailingSuite/TestGradients")
	assert.Contains(t, out, "--- PASS: TestFailingSuite/TestEvaluate")
	assert.Contains(t, out, "the central difference of the value is")
	assert.Contains(t, out, "--- SKIP: TestFailingSuite/TestSameOutputs")

	out, err = run("expected")
	require.NoError(t, err, out)
	assert.Contains(t, out, "--- SKIP: TestFailingSuite/TestGradients")
	assert.Contains(t, out, "known for years")
}
