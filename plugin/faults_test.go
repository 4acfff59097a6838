//go:build unix

package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

const (
	grace = 50 * time.Millisecond
	hangs = 2 * time.Minute // what takes as long waits for something that does not come, on a busy machine too
)

// testPlugin is a script that starts this test's program, whose SHA-256 is quickly told.
func testPlugin(t testing.TB) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, os.Chmod(folder, 0o700)) // by some users' defaults others could write it
	path := filepath.Join(folder, "far")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\nexec '"+self+"' \"$@\"\n"), 0o755))
	return path
}

func openPlugin(t testing.TB, path string) *plugin.Plugin {
	t.Helper()
	p, err := plugin.Open(t.Context(), path, &plugin.Options{Grace: grace})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Close()) })
	return p
}

func training(t testing.TB, d core.Description) *core.Training {
	options, err := d.Resolve(nil)
	require.NoError(t, err)
	return &core.Training{
		Train: core.OneTrajectory(ramp(t, 30)), Validation: core.OneTrajectory(ramp(t, 12)),
		Lag: 1, States: 2, Options: options, Name: d.Name, Progress: core.NoProgress,
	}
}

// The calls of a run, each with all that comes before it. They return the first error.

func fitMethod(ctx context.Context, t testing.TB, things []any) (core.Model, error) {
	m := things[0].(core.Method)
	return m.Fit(ctx, training(t, m.Describe()))
}

func useMethod(ctx context.Context, t testing.TB, things []any) error {
	model, err := fitMethod(ctx, t, things)
	if err != nil {
		return err
	}
	if _, err := model.Predict(ctx, ramp(t, rows)); err != nil {
		return err
	}
	if s, ok := core.As[core.Spectral](model); ok {
		_, err = s.LeftEigenfunctions(ctx, ramp(t, rows))
	}
	return err
}

func useEmbedder(ctx context.Context, t testing.TB, things []any) error {
	e := things[1].(core.Embedder)
	embedding, err := e.Fit(ctx, training(t, e.Describe()))
	if err != nil {
		return err
	}
	z, err := embedding.Embed(ctx, ramp(t, rows))
	if err != nil {
		return err
	}
	d, ok := core.As[core.Decoder](embedding)
	if !ok {
		return errors.New("no decoder")
	}
	_, err = d.Decode(ctx, z)
	return err
}

func useOperator(ctx context.Context, t testing.TB, things []any) error {
	o := things[2].(core.EvolutionOperator)
	options, err := o.Describe().Resolve(nil)
	require.NoError(t, err)
	fitted, err := o.Fit(ctx, &core.OperatorTraining{Features: mat.NewDense(20, 3, nil),
		Observable: mat.NewDense(20, 5, nil), Lag: 1, Options: options})
	if err != nil {
		return err
	}
	z := mat.NewDense(4, 3, nil)
	if _, err := fitted.Predict(ctx, z, 2); err != nil {
		return err
	}
	_, err = fitted.PredictObservable(ctx, z, 2)
	return err
}

func useLoss(ctx context.Context, _ testing.TB, things []any) error {
	x := mat.NewDense(6, 3, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	_, err := things[3].(core.Loss).Evaluate(ctx, x, x, core.Options{})
	return err
}

func useOracle(ctx context.Context, t testing.TB, things []any) error {
	o := things[4].(core.Oracle)
	training := training(t, o.Describe())
	training.TrainLabels, training.ValidationLabels = make([]int, 30), make([]int, 12)
	judge, err := o.Fit(ctx, training)
	if err != nil {
		return err
	}
	if _, err := judge.Classify(ctx, ramp(t, rows)); err != nil {
		return err
	}
	e, ok := core.As[core.Encoder](judge)
	if !ok {
		return errors.New("no encoder")
	}
	_, err = e.Encoder().Embed(ctx, ramp(t, rows))
	return err
}

type use func(ctx context.Context, t testing.TB, things []any) error

// fault is one that happens once, in the first run.
type fault struct {
	act  string
	use  use
	kind error // nil for none
	says []string
}

// faults are those of the plugin's own code and of its words on the wire.
func faults() []fault {
	crash := func(says ...string) []string { return append(says, "far ended (") }
	contract := func(says ...string) []string { return append(says, "plugin far: ", "contract broken") }
	list := []fault{
		{"fit=kill", useMethod, core.ErrCrashed, crash("signal: killed", "last words")},
		{"predict=kill", useMethod, core.ErrCrashed, crash("signal: killed", "last words")},
		{"embed=kill", useEmbedder, core.ErrCrashed, crash("signal: killed", "last words")},
		{"decode=kill", useEmbedder, core.ErrCrashed, crash("signal: killed", "last words")},
		{"features=kill", useOperator, core.ErrCrashed, crash("signal: killed", "last words")},
		{"evaluate=kill", useLoss, core.ErrCrashed, crash("signal: killed", "last words")},
		{"classify=kill", useOracle, core.ErrCrashed, crash("signal: killed", "last words")},
		{"fit=exit", useMethod, core.ErrCrashed, crash("exit status 0")},
		{"predict=exit", useMethod, core.ErrCrashed, crash("exit status 0")},
		{"predict=goroutine", useMethod, core.ErrCrashed, crash("exit status 2", "panic: the sky is falling")},
		{"predict=socket", useMethod, core.ErrCrashed, []string{"far"}},

		{"fit=panic", useMethod, core.ErrPanic, []string{"plugin far: ", "the sky is falling", "misbehave_test.go"}},
		{"evaluate=panic", useLoss, core.ErrPanic, []string{"plugin far: ", "the sky is falling", "misbehave_test.go"}},
		{"predict=error", useMethod, errAny, []string{"the weather is bad"}},
		{"predict=timeout", useMethod, errAny, []string{"something in the plugin was cancelled, or took too long"}},
		{"fit=nil", useMethod, core.ErrContract, contract("neither a result nor an error")},

		{"predict=nan", useMethod, core.ErrNonFinite, contract("value 3 of snapshot 0 is NaN")},
		{"predict=inf", useMethod, core.ErrNonFinite, contract("value 3 of snapshot 0 is -Inf")},
		{"predict=rows", useMethod, core.ErrShape, contract("10 snapshots", "there must be 9")},
		{"predict=few", useMethod, core.ErrShape, contract("8 snapshots", "there must be 9")},
		{"predict=shape", useMethod, core.ErrShape, contract("shape [4]", "of shape [2 2]")},
		{"predict=empty", useMethod, core.ErrContract, contract("it returned 0 snapshots of shape []; there must be 9")},
		{"eigenvalues=nan", useMethod, core.ErrNonFinite, contract("number 0 of the eigenvalues")},
		{"eigenfunctions=columns", useMethod, core.ErrShape, contract("9×3", "must be 9×2")},
		{"eigenfunctions=nan", useMethod, core.ErrNonFinite, contract("values of eigenfunctions")},
		{"eigenfunctions=nil", useMethod, core.ErrContract, contract("nil without an error")},
		{"embed=nan", useEmbedder, core.ErrNonFinite, contract("row 0, column 0 of the features")},
		{"embed=rows", useEmbedder, core.ErrShape, contract("10×4", "must be 9×4")},
		{"embed=columns", useEmbedder, core.ErrShape, contract("9×5", "must be 9×4")},
		{"embed=empty", useEmbedder, core.ErrShape, contract("0×0", "must be 9×4")},
		{"embed=nil", useEmbedder, core.ErrContract, contract("Embed returned neither a result nor an error")},
		{"dim=zero", useEmbedder, core.ErrContract, contract("0 features")},
		{"decode=rows", useEmbedder, core.ErrShape, contract("10 snapshots")},
		{"rank=more", useOperator, core.ErrContract, contract("3 features has the rank 4")},
		{"spectrum=more", useOperator, core.ErrContract, contract("4 eigenvalues")},
		{"features=columns", useOperator, core.ErrShape, contract("4×4", "must be 4×3")},
		{"observable=columns", useOperator, core.ErrShape, contract("4×6", "must be 4×5")},
		{"observable=inf", useOperator, core.ErrNonFinite, contract("observable")},
		{"evaluate=nan", useLoss, core.ErrNonFinite, contract("gradient")},
		{"evaluate=value", useLoss, core.ErrNonFinite, contract("the loss is NaN")},
		{"evaluate=columns", useLoss, core.ErrShape, contract("6×4", "must be 6×3")},
		{"evaluate=nil", useLoss, core.ErrContract, contract("Evaluate as the gradient by x returned neither")},
		{"classify=range", useOracle, core.ErrLabel, contract("label 7 of snapshot 2")},
		{"classify=rows", useOracle, core.ErrShape, contract("10 labels for 9")},
		{"classify=empty", useOracle, core.ErrShape, contract("0 labels for 9")},

		{"predict=noise", useMethod, nil, nil},
		{"evaluate=noise", useLoss, nil, nil},
		{"predict=child", useMethod, nil, nil},
		{"fit=child", useMethod, nil, nil},
		{"fit=litter", useMethod, nil, nil},
	}
	for what, says := range map[string]string{
		"nothing": "ended the call without a result", "early end": "ended the call without a result",
		"gRPC error":  "gRPC error where a Failure belongs",
		"empty frame": "an empty frame", "host frame": `a frame with "apply"`,
		"embed":        `without declaring the exposure "oracle"`,
		"other result": `a frame with "fitted"`, "too large": "more than 1073741824 bytes",
		"overflow": "more than 1073741824 bytes",
		"axes":     "9 axes", "no array": "0 arrays were announced where 1 belong",
		"undelivered": "ended the call without a result",
		"half":        "ended the call without a result", "over": "148 bytes", "odd": "3 bytes", "empty chunk": "a chunk " +
			"of 0 bytes",
		"failure midway": `a frame with "failure" came where a chunk`, "long chunk": "at most 1048576 bytes",
		"huge message": "a message that is too large",
		"other type":   "INT64", "unknown type": "unknown type 77",
		"other name": `"images" was announced where "snapshots" belongs`,
		"afterwards": "came after the result", "fit nothing": "ended the call without a result",
		"fit no spectrum": "0 arrays were announced",
		"fit rank":        "rank 1152921504606846976", "fit no array": `a frame with "result"`,
	} {
		list = append(list, fault{"frames=" + what, useMethod, core.ErrContract, contract(says)})
	}
	list = append(list, taskFaults()...)
	return append(list,
		fault{"frames=no message", useMethod, errAny, []string{"failed without a message"}},
		fault{"frames=no message kind", useMethod, core.ErrShape, []string{"no further message"}},
		fault{"frames=unknown failure", useMethod, errAny, []string{"the weather is bad"}},
		fault{"frames=cancelled", useMethod, errAny,
			[]string{"something in the plugin was cancelled", "a download took too long"}},
		fault{"frames=unavailable", useMethod, core.ErrCrashed, []string{"the connection to far failed", "a bad day"}},
		fault{"frames=drip", useMethod, nil, nil},
	)
}

// errAny is an error of no kind that callers tell apart.
var errAny = errors.New("any")

// TestFaults: whatever a plugin does wrong in a call is an error of that run that says what it was;
// the next run is as any; and nothing is left of either.
func TestFaults(t *testing.T) {
	path := testPlugin(t)
	t.Setenv(actVariable, "none")
	p := openPlugin(t, path)
	t.Setenv(actVariable, "clear=") // another version, as its description says
	inClear := openPlugin(t, path)
	for i, f := range faults() {
		t.Run(f.act, func(t *testing.T) {
			if testing.Short() && i%4 != 0 {
				t.Skip("-short tries every fourth fault")
			}
			leavesNothing(t)
			t.Setenv(actVariable, f.act)
			t.Setenv(onceVariable, filepath.Join(t.TempDir(), "once"))
			p := p
			if strings.HasPrefix(f.act, "frames=") {
				p = inClear
			}
			ctx, scope := core.WithScope(t.Context())
			start := time.Now()
			err := f.use(ctx, t, p.Things)
			assert.Less(t, time.Since(start), hangs)
			checkError(t, f, err)
			assert.FileExists(t, os.Getenv(onceVariable), "the fault has happened")
			start = time.Now()
			assert.NoError(t, scope.Close())
			assert.Less(t, time.Since(start), hangs)

			ctx, scope = core.WithScope(t.Context())
			assert.NoError(t, f.use(ctx, t, p.Things), "the next run")
			assert.NoError(t, scope.Close())
		})
	}
}

func checkError(t *testing.T, f fault, err error) {
	t.Helper()
	switch {
	case f.kind == nil:
		assert.NoError(t, err)
		return
	case errors.Is(f.kind, errAny):
		require.Error(t, err)
		for _, kind := range []error{core.ErrContract, core.ErrCrashed, core.ErrPanic, context.Canceled,
			context.DeadlineExceeded} {
			assert.NotErrorIs(t, err, kind)
		}
	default:
		require.ErrorIs(t, err, f.kind)
		if !errors.Is(f.kind, core.ErrCrashed) {
			assert.NotErrorIs(t, err, core.ErrCrashed)
		}
	}
	for _, says := range f.says {
		assert.ErrorContains(t, err, says)
	}
}

// cancelledBy returns a context that is cancelled soon after there is a file.
func cancelledBy(ctx context.Context, file string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		for ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond)
			if _, err := os.Stat(file); err == nil {
				return
			}
		}
	}()
	return ctx, cancel
}

// TestDeadlineAndCancellation: a call of a plugin that does not look at its context ends with the
// context, and the run soon after.
func TestDeadlineAndCancellation(t *testing.T) {
	path := testPlugin(t)
	for act, use := range map[string]use{
		"fit=hang": useMethod, "predict=hang": useMethod, "embed=hang": useEmbedder, "evaluate=hang": useLoss,
		"classify=hang":  useOracle,
		"frames=silence": useMethod, "frames=fit flood": useMethod,
	} {
		for _, end := range []error{context.DeadlineExceeded, context.Canceled} {
			t.Run(fmt.Sprint(act, " ", end), func(t *testing.T) {
				if testing.Short() && act != "fit=hang" && act != "evaluate=hang" {
					t.Skip("-short tries two calls")
				}
				leavesNothing(t)
				t.Setenv(actVariable, act)
				note := filepath.Join(t.TempDir(), "note")
				t.Setenv(noteVariable, note)
				p := openPlugin(t, path)
				harmless := useLoss
				if act == "evaluate=hang" {
					harmless = useOperator
				}
				start := time.Now()
				for limit := 300 * time.Millisecond; limit < hangs; limit *= 4 { // a busy machine may need more than one
					ctx, scope := core.WithScope(t.Context())
					require.NoError(t, harmless(ctx, t, p.Things), "the process is there before the time counts")
					var cancel context.CancelFunc
					if errors.Is(end, context.Canceled) {
						ctx, cancel = cancelledBy(ctx, note)
					} else {
						ctx, cancel = context.WithTimeout(ctx, limit)
					}
					assert.Equal(t, end, use(ctx, t, p.Things))
					cancel()
					assert.NoError(t, scope.Close())
					if _, err := os.Stat(note); err == nil {
						break
					}
				}
				assert.FileExists(t, note, "it hangs")
				assert.Less(t, time.Since(start), 4*hangs)
			})
		}
	}
}

// TestLateCalls: what was fitted in a run is gone with it, and says so.
func TestLateCalls(t *testing.T) {
	leavesNothing(t)
	t.Setenv(actVariable, "none")
	p := openPlugin(t, testPlugin(t))
	ctx, scope := core.WithScope(t.Context())
	model, err := fitMethod(ctx, t, p.Things)
	require.NoError(t, err)
	require.NoError(t, scope.Close())
	_, err = model.Predict(t.Context(), ramp(t, rows))
	require.ErrorIs(t, err, core.ErrScopeClosed)
	assert.ErrorContains(t, err, "far")
	_, err = fitMethod(ctx, t, p.Things)
	assert.ErrorIs(t, err, core.ErrScopeClosed)
	require.NoError(t, p.Close())
	_, err = fitMethod(t.Context(), t, p.Things)
	assert.ErrorIs(t, err, core.ErrUnavailable)
}

// TestSharedProcess: calls outside a run share a process, and get another where it has ended.
func TestSharedProcess(t *testing.T) {
	leavesNothing(t)
	t.Setenv(actVariable, "predict=kill")
	t.Setenv(onceVariable, filepath.Join(t.TempDir(), "once"))
	p := openPlugin(t, testPlugin(t))
	assert.ErrorIs(t, useMethod(t.Context(), t, p.Things), core.ErrCrashed)
	assert.NoError(t, useMethod(t.Context(), t, p.Things))
	assert.NoError(t, useLoss(t.Context(), t, p.Things))
	assert.NoError(t, p.Close())
}

// TestStray: a process that has left the plugin's group, and holds its output, does not hold the
// run up, and ends with it.
func TestStray(t *testing.T) {
	base := leavesNothing(t)
	t.Setenv(actVariable, "fit=stray")
	p := openPlugin(t, testPlugin(t))
	ctx, scope := core.WithScope(t.Context())
	require.NoError(t, useMethod(ctx, t, p.Things))
	start := time.Now()
	assert.NoError(t, scope.Close())
	assert.Less(t, time.Since(start), hangs)
	if _, err := os.Stat("/proc/self/environ"); err == nil {
		assert.Empty(t, processesIn(base), "it is killed with the plugin")
	}
}

// TestInTheClear: a plugin that does not answer AutoMTLS is used as it is.
func TestInTheClear(t *testing.T) {
	leavesNothing(t)
	t.Setenv(actVariable, "clear=")
	p := openPlugin(t, testPlugin(t))
	assert.False(t, p.Info().Encrypted)
	assert.Equal(t, "1.2.3", p.Info().Version)
	ctx, scope := core.WithScope(t.Context())
	for _, use := range []use{useMethod, useEmbedder, useOperator, useLoss, useOracle} {
		assert.NoError(t, use(ctx, t, p.Things))
	}
	assert.NoError(t, scope.Close())
}
