package conformance

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/conformance/internal/broken"
	"github.com/koopbench/koopbench/core"
)

// hangs is a time that nothing takes which does not hang, on a busy machine too.
const hangs = 5 * time.Minute

func quick() *Options {
	return &Options{Shape: []int{4, 4}, Snapshots: 60, Epochs: 10, Timeout: hangs, Grace: hangs}
}

// suites runs the suite of each kind.
var suites = map[string]func(t *testing.T, thing any){
	"method": func(t *testing.T, thing any) {
		RunMethodSuite(t, func() core.Method { return thing.(core.Method) }, quick())
	},
	"embedder": func(t *testing.T, thing any) {
		RunEmbedderSuite(t, func() core.Embedder { return thing.(core.Embedder) }, quick())
	},
	"operator": func(t *testing.T, thing any) {
		RunOperatorSuite(t, func() core.EvolutionOperator { return thing.(core.EvolutionOperator) }, quick())
	},
	"loss": func(t *testing.T, thing any) {
		RunLossSuite(t, func() core.Loss { return thing.(core.Loss) }, quick())
	},
	"oracle": func(t *testing.T, thing any) {
		RunOracleSuite(t, func() core.Oracle { return thing.(core.Oracle) }, quick())
	},
	"task": func(t *testing.T, thing any) {
		RunTaskSuite(t, func() core.Task { return thing.(core.Task) }, quick())
	},
}

func TestSuitesOfCorrectThings(t *testing.T) {
	for kind, thing := range broken.Correct() {
		t.Run(kind, func(t *testing.T) { suites[kind](t, thing) })
	}
}

// TestSuitesPutTheGuardAroundThings: what the guard holds, authors need not, so that things that
// break such a rule pass. The engine alone finds them, as its own tests show.
func TestSuitesPutTheGuardAroundThings(t *testing.T) {
	held := map[string]bool{
		"method empty": true, "method errors": true, "embedder empty": true, "embedder errors": true,
		"oracle empty": true, "oracle errors": true, "operator errors": true, "loss errors": true,
	}
	shown := map[string]bool{}
	for _, c := range broken.Cases() {
		name := c.Kind + " " + c.Check
		if !held[name] {
			continue
		}
		shown[name] = true
		t.Run(name+" "+c.How, func(t *testing.T) {
			suites[c.Kind](t, c.Thing)
			RunSuite(t, func() any { return c.Thing }, quick())
		})
	}
	assert.Equal(t, held, shown)
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
	run := func(how, tests string) (string, error) {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+tests, "-test.v")
		command.Env = append(os.Environ(), failing+"="+how)
		out, err := command.CombinedOutput()
		return string(out), err
	}
	const contract = "TestFailingSuite/TestContract/"
	out, err := run("yes", "^TestFailingSuite$")
	require.Error(t, err, out)
	assert.Contains(t, out, "--- FAIL: "+contract+"gradients")
	assert.Contains(t, out, "--- PASS: "+contract+"evaluate")
	assert.Contains(t, out, "the central difference of the value is")
	assert.Contains(t, out, "--- SKIP: "+contract+"same-outputs")

	out, err = run("expected", "^TestFailingSuite$")
	require.NoError(t, err, out)
	assert.Contains(t, out, "--- SKIP: "+contract+"gradients")
	assert.Contains(t, out, "known for years")

	out, err = run("yes", contract+"row-order$")
	require.NoError(t, err, out)
	assert.Contains(t, out, "--- PASS: "+contract+"row-order")
	assert.NotContains(t, out, contract+"gradients", "one check alone")
}
