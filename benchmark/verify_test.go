package benchmark_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/verify"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
)

// published is a plan of methods that move every state by one, by none, and that fail and panic,
// with models and predictions.
func published(t testing.TB, out string) benchmark.Plan {
	fails := &method{name: "failing", fit: func(context.Context, *core.Training) error { return errors.New("no idea") }}
	panics := &method{name: "panicking", fit: func(context.Context, *core.Training) error { panic("boom") }}
	still := &method{name: "still", predict: moved(0)}
	p := plan(t, out, &oracle{}, perfect(), still, fails, panics)
	p.Oracle.Oracle = savableOracle{&oracle{}}
	p.Entries[0].Method = keeps{perfect()}
	options, err := still.Describe().Resolve(map[string]any{"epochs": 20})
	require.NoError(t, err)
	p.Entries[1].Written, p.Entries[1].Options = "still?epochs=20", options
	p.SaveModels, p.SavePredictions = true, true
	return p
}

// keeps is a method whose models have all abilities.
type keeps struct{ *method }

func (m keeps) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	fitted, err := m.method.Fit(ctx, t)
	return keptModel{fitted.(model)}, err
}

func (m keeps) Load(context.Context, *core.Saved) (core.Model, error) {
	return keptModel{model{m.predict, 0}}, nil
}

type keptModel struct{ model }

func (keptModel) Save(context.Context) (*core.State, error) {
	return &core.State{Arrays: map[string]core.Array{"by": {Shape: []int{1}, Values: []int64{1}}}}, nil
}

// meaning reads the methods of published, as written.
func meaning(p benchmark.Plan) func(method string) (string, core.Options, error) {
	return func(method string) (string, core.Options, error) {
		name, query, _ := strings.Cut(method, "?")
		for _, e := range p.Entries {
			if d := e.Method.Describe(); d.Name == name {
				given := map[string]string{}
				if option, value, ok := strings.Cut(query, "="); ok {
					given[option] = value
				}
				options, err := d.ParseOptions(given)
				return name, options, err
			}
		}
		return "", core.Options{}, core.ErrUnknown
	}
}

// verify returns the findings on a folder as sentences, or the error; left is what was not checked.
func verifyFolder(t testing.TB, dir string, p benchmark.Plan) (found, left []string) {
	store := results.OpenStore(dir)
	recorded, err := store.Results()
	if err != nil {
		return []string{err.Error()}, nil
	}
	p.SaveModels, p.SavePredictions = false, false
	v, err := verify.Check(t.Context(), verify.Published{Results: recorded, Store: store, Meaning: meaning(p)},
		p)
	if err != nil {
		return []string{err.Error()}, nil
	}
	for _, run := range v.Runs {
		if run.Step > 0 {
			found = append(found, fmt.Sprintf("%s, seed %d: other predictions from step %d", run.Recorded.Method,
				run.Recorded.Seed, run.Step))
		}
		for _, text := range run.Findings {
			found = append(found, fmt.Sprintf("%s, seed %d: %s", run.Recorded.Method, run.Recorded.Seed, text))
		}
		assert.Equal(t, run.Step == 0 && len(run.Findings) == 0, run.Same())
	}
	return append(found, v.Findings...), v.Unchecked
}

// forge changes results.json and all files that say the same.
func forge(change func(r *results.Results)) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		store := results.OpenStore(dir)
		r, err := store.Results()
		require.NoError(t, err)
		change(r)
		for i := range r.Runs {
			rank(&r.Runs[i])
		}
		require.NoError(t, store.WriteResults(r))
		writeJSON(t, filepath.Join(dir, "oracle.json"), r.Oracle)
		for _, run := range r.Runs {
			writeJSON(t, filepath.Join(dir, "runs", run.Key+".json"), run)
		}
	}
}

// rank makes a run say of itself what its evaluation says.
func rank(run *results.Run) {
	if len(run.Evaluations) > 0 {
		run.PredictionSHA256 = slices.Clone(run.Ranked.PredictionSHA256)
		run.Status, run.Reason = run.Ranked.Status, run.Ranked.Reason
		run.Trained = run.Status == results.StatusOK && run.Untrained == ""
		if run.Status == results.StatusOK {
			run.Reason = run.Untrained
		}
	}
}

func writeJSON(t *testing.T, path string, v any) {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o644))
}

// torn changes results.json alone.
func torn(change func(r *results.Results)) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		r, err := results.OpenStore(dir).Results()
		require.NoError(t, err)
		change(r)
		writeJSON(t, filepath.Join(dir, "results.json"), r)
	}
}

// first is a file of the first run, "perfect" at seed 1.
func first(t *testing.T, dir, ending string) string {
	r, err := results.OpenStore(dir).Results()
	require.NoError(t, err)
	return filepath.Join(dir, "runs", r.Runs[0].Key+ending)
}

// arrays changes an array of an archive beside the first run, or of that name.
func arrays(name string, change func(a npz.Archive)) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		path := filepath.Join(dir, name)
		if name[0] == '.' {
			path = first(t, dir, name)
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		a, err := npz.Read(bytes.NewReader(content), int64(len(content)))
		require.NoError(t, err)
		change(a)
		var b bytes.Buffer
		require.NoError(t, npz.Write(&b, a))
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
	}
}

// text changes the text of a file.
func text(name, old, now string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		path := filepath.Join(dir, name)
		if name[0] == '.' {
			path = first(t, dir, name)
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(content), old)
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(content), old, now, 1)), 0o644))
	}
}

// modelOf changes the model of the first run, or the oracle.
func modelOf(oracle bool, change func(m *results.SavedModel)) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		r, err := results.OpenStore(dir).Results()
		require.NoError(t, err)
		path := results.OpenStore(dir).ModelPath(r.Runs[0].Key)
		if oracle {
			path = results.OpenStore(dir).OraclePath(r.Oracle.Key)
		}
		m, err := results.ReadModel(path)
		require.NoError(t, err)
		change(m)
		require.NoError(t, m.Write(path))
	}
}

func gone(name string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		path := filepath.Join(dir, name)
		if name[0] == '.' {
			path = first(t, dir, name)
		}
		require.NoError(t, os.Remove(path))
	}
}

// hide makes a run one that was not fitted.
func hide(run *results.Run, status results.Status) {
	run.Status, run.Reason, run.Trained = status, "it was not to be", false
	run.Evaluations, run.PredictionSHA256 = []results.Evaluation{}, []string{}
}

// forgeries are one lie each, and the sentence that tells it. KEY is the key of the first run,
// perfect at seed 1; run 2 is still at seed 1, run 4 fails.
var forgeries = map[string]struct {
	forge func(t *testing.T, dir string)
	says  string
}{
	"a bad run called crashed": {
		forge(func(r *results.Results) { hide(&r.Runs[2], results.StatusCrashed) }),
		"still?epochs=20, seed 1: it is recorded as crashed but is ok here",
	},
	"a bad run called too slow": {
		forge(func(r *results.Results) { hide(&r.Runs[2], results.StatusTimeout) }),
		"still?epochs=20, seed 1: it is recorded as timeout, so its result is unknown",
	},
	"a failure called trained": {
		torn(func(r *results.Results) { r.Runs[4].Trained = true }),
		"marked as trained; only a run that is ok can be trained",
	},
	"a cost below nothing": {
		torn(func(r *results.Results) { r.Runs[0].FitSeconds = -5 }),
		"its fit_seconds is -5; it must be 0 to 1000000000",
	},
	"a cost beyond all bounds": {
		torn(func(r *results.Results) { r.Runs[0].RPC = &results.RPC{Calls: 1 << 60} }),
		"its rpc.calls is 1152921504606846976; it must be 0 to 9007199254740992",
	},
	"a limit of training that cut nothing": {
		forge(func(r *results.Results) { r.MaxEpochs = 90 }),
		"the results say that training was limited to 90 epochs, but no run has that many",
	},
	"no labels of the oracle, and another program": {
		forge(func(r *results.Results) {
			r.Oracle.TestLabels, r.Environment.ExecutableSHA256 = nil, "other"
			for i := range r.Runs {
				r.Runs[i].Environment.ExecutableSHA256 = "other"
			}
		}),
		"its labels of the test snapshots are not recorded",
	},
	"a method with what nobody sees": {
		torn(func(r *results.Results) { r.Runs[0].Method = "perf\u200bect" }),
		"has invisible characters",
	},
	"a method that ends before its options": {
		torn(func(r *results.Results) { r.Runs[0].Method = "perfect?" }),
		`it has the name "perfect?", which ends before its options`,
	},
	"accuracy": {
		forge(func(r *results.Results) { r.Runs[0].Ranked.Score[2] = 0.99 }),
		"perfect, seed 1: accuracy at step 3 is recorded as 0.99 but is 1 here",
	},
	"all accuracies": {
		forge(func(r *results.Results) { r.Runs[2].Ranked.Score = []float64{1, 1, 1, 1} }),
		"still?epochs=20, seed 1: accuracy at step 1 is recorded as 1 but is 0 here (and 2 more differ)",
	},
	"accuracy and labels": {
		forge(func(r *results.Results) {
			r.Runs[2].Ranked.Score, r.Runs[2].Ranked.Labels = r.Runs[0].Ranked.Score, r.Runs[0].Ranked.Labels
		}),
		"still?epochs=20, seed 1: the recorded labels at step 1 differ from those here in 15 of 15, " +
			"although the predictions are the same (and 2 more differ)",
	},
	"a label": {
		forge(func(r *results.Results) { r.Runs[0].Ranked.Labels[1][4] = 1 }),
		"perfect, seed 1: the recorded labels at step 2 differ from those here in 1 of 15, although " +
			"the predictions are the same",
	},
	"a hash": {
		forge(func(r *results.Results) { r.Runs[0].Ranked.PredictionSHA256[1] = strings.Repeat("0", 64) }),
		"perfect, seed 1: other predictions from step 2",
	},
	"no hashes": {
		torn(func(r *results.Results) { r.Runs[0].Ranked.PredictionSHA256 = nil }),
		`run 1, "perfect", seed 1: the protocol reencode: it has 0 hashes of predictions; a run of 4 steps that is ok ` +
			`must have 4`,
	},
	"fewer hashes": {
		torn(func(r *results.Results) { r.Runs[0].PredictionSHA256 = r.Runs[0].PredictionSHA256[:2] }),
		`run 1, "perfect", seed 1: it has 2 hashes of predictions; a run of 4 steps must have as many, or none`,
	},
	"hashes for other readers": {
		torn(func(r *results.Results) { r.Runs[0].PredictionSHA256[1] = strings.Repeat("0", 64) }),
		"run 1, perfect, seed 1: its hashes of predictions differ from those of its evaluation by reencode",
	},
	"an end for other readers": {
		torn(func(r *results.Results) { r.Runs[0].Status, r.Runs[0].Trained = results.StatusFailed, false }),
		`run 1, perfect, seed 1: it says failed, trained false and the reason "", but its evaluation by reencode ` +
			`says ok, true and ""`,
	},
	"the other protocol": {
		forge(func(r *results.Results) { r.Runs[0].Evaluations[1].Status = results.StatusFailed }),
		"perfect, seed 1: it is recorded as failed by powers but is skipped here",
	},
	"an expected state": {
		forge(func(r *results.Results) { r.Expected[1][0] = 2 }),
		"the recorded expected states differ from those here",
	},
	"a baseline": {
		forge(func(r *results.Results) { r.Baselines[0].Scores[0][0] = 1 }),
		"the recorded baselines differ from those here",
	},
	"a baseline's file": {
		text("baselines.json", `"name":"mean"`, `"name":"persistence"`),
		"baselines.json has baselines ",
	},
	"an option of the task": {
		forge(func(r *results.Results) { r.Task.Options["steps"] = 5 }), "another task: steps 4 against 5",
	},
	"the usual rank": {
		forge(func(r *results.Results) { r.Task.Rank = 7 }), "of the task, rank is recorded as 7 but is 3 here",
	},
	"fewer roll-outs": {
		forge(func(r *results.Results) {
			r.Task.Starts = 12
			for i := range r.Expected {
				r.Expected[i] = r.Expected[i][:12]
			}
			r.Oracle.TestLabels, r.Baselines = r.Oracle.TestLabels[:12], []results.Baseline{}
			for i := range r.Runs {
				for k := range r.Runs[i].Evaluations {
					e := &r.Runs[i].Evaluations[k]
					for step := range e.Labels {
						e.Labels[step] = e.Labels[step][:12]
					}
				}
			}
		}), "another number of roll-outs: 15 against 12",
	},
	"a measure": {
		torn(func(r *results.Results) { r.Task.Measure.LowerIsBetter = true }),
		"its measure has the name accuracy but is a different measure",
	},
	"no labels": {
		torn(func(r *results.Results) { r.Runs[0].Ranked.Labels = nil }),
		"it has 0 lists of labels; a run of 4 steps that is ok must have 4",
	},
	"labels of fewer snapshots": {
		torn(func(r *results.Results) { r.Runs[0].Ranked.Labels[3] = r.Runs[0].Ranked.Labels[3][:14] }),
		"the labels at step 4: there are 14, for 15 snapshots",
	},
	"fewer accuracies": {
		torn(func(r *results.Results) { r.Runs[0].Ranked.Score = r.Runs[0].Ranked.Score[:3] }),
		"it has 3 means of scores; a run of 4 steps that is ok must have 4",
	},
	"fewer steps": {torn(func(r *results.Results) {
		r.Task.Steps = 3
	}), "there are 5 lists of expected states; a task with an oracle must have 4"},
	"accuracy above 1": {
		torn(func(r *results.Results) { r.Runs[0].Ranked.Score[0] = 1.5 }),
		"its accuracy at step 1 is 1.5; it must be 0 to 1",
	},
	"a label that is no state": {
		torn(func(r *results.Results) { r.Runs[0].Ranked.Labels[0][2] = -1 }),
		"the labels at step 1: that of snapshot 3 is -1; it must be 0 to 2",
	},
	"negative rank": {torn(func(r *results.Results) { r.Runs[0].Rank = -1 }), "it has the rank -1"},
	"an end that is none": {
		torn(func(r *results.Results) { r.Runs[0].Status = "splendid" }),
		`its status is "splendid", which is not a status`,
	},
	"a key that is a path": {
		torn(func(r *results.Results) { r.Runs[0].Key = "../../secret" }),
		`its key "../../secret" is not a file name`,
	},
	"an oracle's key as a path": {
		torn(func(r *results.Results) { r.Oracle.Key = "x/../../secret" }),
		`its key "x/../../secret" is not a file name`,
	},
	"a run twice": {
		torn(func(r *results.Results) { r.Runs = append(r.Runs, r.Runs[0]) }),
		"runs 1 and 9 have the same key, ",
	},
	"a method and seed twice": {
		torn(func(r *results.Results) { r.Runs[1].Seed = 1 }),
		"runs 1 and 2 are both perfect, seed 1",
	},
	"the name of another method": {
		forge(func(r *results.Results) { rename(r, "still?epochs=20", "perfect?epochs=20") }),
		`perfect?epochs=20, seed 1: its name as written, "perfect?epochs=20", means the method perfect, but it is ` +
			`recorded as made by still`,
	},
	"other options in the name as written": {
		forge(func(r *results.Results) { rename(r, "still?epochs=20", "still?epochs=30") }),
		`still?epochs=30, seed 1: its recorded options differ from those of its name as written, "still?epochs=30"` +
			`: epochs 20 against 30`,
	},
	"no options in the name as written": {
		forge(func(r *results.Results) { rename(r, "still?epochs=20", "still") }),
		`still, seed 1: its recorded options differ from those of its name as written, "still": epochs 20 ` +
			`against 50`,
	},
	"an option": {
		forge(func(r *results.Results) { r.Runs[2].Options["epochs"], r.Runs[3].Options["epochs"] = 30, 30 }),
		"still?epochs=20, seed 1: its recorded options differ from those here: epochs " +
			"30 against 20",
	},
	"options unlike its siblings": {
		forge(func(r *results.Results) { r.Runs[3].Options["epochs"] = 30 }),
		"still?epochs=20, seed 2: its options differ from those of seed 1, which has the same name as written: epochs " +
			"30 against 20",
	},
	"no options": {
		forge(func(r *results.Results) { r.Runs[0].Options = map[string]any{} }),
		"perfect, seed 1: its recorded options differ from those here: epochs none " +
			"against 50",
	},
	"a key": {
		forge(func(r *results.Results) { r.Runs[0].Key = "perfect-s1-0123456789abcdef" }),
		"perfect, seed 1: its key is recorded as perfect-s1-0123456789abcdef, but its record gives KEY",
	},
	"a seed": {
		forge(func(r *results.Results) { r.Runs[0].Seed = 3 }),
		"perfect, seed 3: its key is recorded as KEY, but its record gives perfect-s3-",
	},
	"executable": {
		forge(func(r *results.Results) { r.Runs[0].Environment.ExecutableSHA256 = "other" }),
		"perfect, seed 1: it is recorded as made by the executable other, but the results by the " +
			"executable code",
	},
	"kernels": {
		forge(func(r *results.Results) { r.Runs[0].Environment.Backend = "some" }),
		"perfect, seed 1: it is recorded as made on the kernels some, but the results on none",
	},
	"plugin": {
		forge(func(r *results.Results) { r.Runs[0].Plugin = &results.PluginInfo{Path: "p", SHA256: "abc"} }),
		"perfect, seed 1: the method is recorded as from the plugin p (abc) but is from this program " +
			"here",
	},
	"limit on epochs": {
		forge(func(r *results.Results) { r.MaxEpochs = 10 }),
		"perfect, seed 1: it is recorded with 50 epochs, but the results with at most 10",
	},
	"rank": {
		forge(func(r *results.Results) { r.Runs[0].Rank = 2 }),
		"perfect, seed 1: rank is recorded as 2 but is 3 here",
	},
	"parameters": {
		forge(func(r *results.Results) { r.Runs[0].Parameters = 5 }),
		"perfect, seed 1: parameters are recorded as 5 but are 0 here",
	},
	"an eigenvalue": {
		forge(func(r *results.Results) { r.Runs[0].Eigenvalues[1] = 0.6 }),
		"perfect, seed 1: eigenvalue 2 is recorded as (0.6+0i) but is (0.5+0i) here",
	},
	"fewer eigenvalues": {
		forge(func(r *results.Results) { r.Runs[0].Eigenvalues = r.Runs[0].Eigenvalues[:1] }),
		"perfect, seed 1: the number of eigenvalues is recorded as 1 but is 2 here",
	},
	"untrained": {
		forge(func(r *results.Results) { r.Runs[0].Untrained = "bad luck" }),
		`perfect, seed 1: the reason why it is untrained is recorded as "bad luck" but is "" here`,
	},
	"exposure": {
		forge(func(r *results.Results) { r.Runs[0].Exposed = "labels" }),
		`perfect, seed 1: what the method sees is recorded as "labels" but is "" here`,
	},
	"warning": {
		forge(func(r *results.Results) { r.Runs[0].Warnings = []string{} }),
		`perfect, seed 1: the warning "careful" is not recorded but is given here`,
	},
	"another warning": {
		forge(func(r *results.Results) { r.Runs[0].Warnings[0] = "bold" }),
		`perfect, seed 1: a warning is recorded as "bold" but is "careful" here`,
	},
	"a loss": {
		forge(func(r *results.Results) { r.Runs[0].History[0].Validation = 0.5 }),
		"perfect, seed 1: entry 1 of the history is recorded as epoch 50 with the losses 1 and 0.5, but is epoch 50 with " +
			"1 and 2 here",
	},
	"no history": {
		forge(func(r *results.Results) { r.Runs[0].History = nil }),
		"perfect, seed 1: the number of epochs is recorded as 0 but is 1 here",
	},
	"a success called a failure": {
		forge(func(r *results.Results) { hide(&r.Runs[2], results.StatusFailed) }),
		"still?epochs=20, seed 1: it is recorded as failed but is ok here",
	},
	"a failure called skipped": {
		forge(func(r *results.Results) { r.Runs[4].Status = results.StatusSkipped }),
		"failing, seed 1: it is recorded as skipped but is failed here: fit: no idea",
	},
	"why it failed": {
		forge(func(r *results.Results) { r.Runs[4].Reason = "out of memory" }),
		`failing, seed 1: the reason is recorded as "out of memory" but is "fit: no idea" here`,
	},
	"exposure of a failure": {
		forge(func(r *results.Results) { r.Runs[4].Exposed = "oracle" }),
		`failing, seed 1: what the method sees is recorded as "oracle" but is "" here`,
	},

	"the oracle's accuracy": {
		forge(func(r *results.Results) { r.Oracle.TestAccuracy = 0.5 }),
		"the oracle brightness: accuracy on test snapshots is recorded as 0.5 but is 1 here",
	},
	"its other accuracy": {
		forge(func(r *results.Results) { r.Oracle.ValidationAccuracy = 0.5 }),
		"the oracle brightness: accuracy on validation snapshots is recorded as 0.5 but is 1 here",
	},
	"what it sees": {
		forge(func(r *results.Results) { r.Oracle.TestLabels[3] = 2 }),
		"the oracle brightness: its recorded labels of the test snapshots differ from those here in 1 " +
			"of 15",
	},
	"not what it sees": {
		forge(func(r *results.Results) { r.Oracle.TestLabels = nil }),
		"the oracle brightness: its labels of the test snapshots are not recorded",
	},
	"its history": {
		forge(func(r *results.Results) { r.Oracle.History = []results.Epoch{{Epoch: 1}} }),
		"the oracle brightness: the number of epochs is recorded as 1 but is 0 here",
	},
	"its warnings": {
		forge(func(r *results.Results) { r.Oracle.Warnings = []string{"weak"} }),
		`the oracle brightness: the warning "weak" is recorded but is not given here`,
	},
	"its key": {
		forge(func(r *results.Results) { r.Oracle.Key = "0123456789abcdef" }),
		"the oracle brightness: its key is recorded as 0123456789abcdef, but its record gives ",
	},
	"the shape of the images": {
		forge(func(r *results.Results) { r.Task.Shape = []int{4} }),
		"the shape of the snapshots is recorded as [4] but is [2 2] here",
	},
	"another lag": {forge(func(r *results.Results) { r.Task.Lag = 2 }), "another lag: 1 against 2"},
	"other data":  {forge(func(r *results.Results) { r.Task.DataSHA256 = "others" }), "other data: "},

	"a run's file": {
		text(".json", `"rank":3`, `"rank":2`),
		"runs/KEY.json has rank 2, but results.json has 3",
	},
	"accuracy in a run's file": {
		text(".json", `"score":[1,1`, `"score":[0.5,1`),
		"runs/KEY.json has evaluations ",
	},
	"method of a run's file": {
		text(".json", `"method":"perfect"`, `"method":"perfect?epochs=3"`),
		`runs/KEY.json: its recorded options differ from those of its name as written, "perfect?epochs=3"` +
			`: epochs 50 against 3`,
	},
	"a torn file":      {text(".json", `{"key"`, `{"key`), "runs/KEY.json cannot be read: "},
	"no file of a run": {gone(".json"), "runs/KEY.json is missing"},
	"no arrays":        {gone(".npz"), "runs/KEY.npz is missing"},
	"the table": {
		text("results.csv", "still?epochs=20,1,reencode,1,0,", "still?epochs=20,1,reencode,1,1,"),
		`results.csv is not the table of results.json: line 12 is "still?epochs=20,1,reencode,1,1,true,ok,`,
	},
	"no table": {gone("results.csv"), "results.csv is missing"},
	"the oracle's file": {
		text("oracle.json", `"test_accuracy":1`, `"test_accuracy":0.9`),
		"oracle.json has test_accuracy 0.9, but results.json has 1",
	},
	"no file of the oracle": {gone("oracle.json"), "oracle.json is missing"},
	"a field for others to read": {
		text("results.json", `"score":[1,1,1,1]`, `"score":[0,0,0,0],"Score":[1,1,1,1]`),
		"results.json has a field that this version does not know: runs[0].evaluations[0].Score",
	},
	"the images of the task": {
		arrays("data.npz", func(a npz.Archive) { a["starts"].Values.([]float32)[3]++ }),
		`data.npz: the array "starts" is wrong: its values differ`,
	},
	"its labels": {
		arrays("data.npz", func(a npz.Archive) { a["test_states"].Values.([]int64)[3]++ }),
		`data.npz: the array "test_states" is wrong: its values differ`,
	},
	"no images of the task": {gone("data.npz"), "data.npz is missing"},
	"the roll-out": {
		arrays(".npz", func(a npz.Archive) { a["rollout_reencode"].Values.([]float32)[50]++ }),
		`runs/KEY.npz: the array "rollout_reencode" is wrong: step 2 differs from the prediction here`,
	},
	"eigenfunctions": {
		arrays(".npz", func(a npz.Archive) { a["left_eigenfunctions"].Values.([]complex128)[0]++ }),
		`runs/KEY.npz: the array "left_eigenfunctions" is wrong: its values differ`,
	},
	"no eigenfunctions": {
		arrays(".npz", func(a npz.Archive) { delete(a, "left_eigenfunctions") }),
		`runs/KEY.npz has no array "left_eigenfunctions"`,
	},
	"more arrays": {
		arrays(".npz", func(a npz.Archive) { a["more"] = npz.Array{Shape: []int{1}, Values: []int64{1}} }),
		`runs/KEY.npz has an array "more", which does not exist here`,
	},
	"predictions": {
		arrays(".reencode.predictions.npz", func(a npz.Archive) { a["predictions"].Values.([]float32)[70]++ }),
		`runs/KEY.reencode.predictions.npz: the array "predictions" is wrong: the SHA-256 of step 2 is `,
	},
	"labels of predictions": {
		arrays(".reencode.predictions.npz", func(a npz.Archive) { a["labels"].Values.([]int64)[0]++ }),
		`runs/KEY.reencode.predictions.npz: the array "labels" is wrong: its values differ`,
	},
	"predictions of fewer steps": {arrays(".reencode.predictions.npz", func(a npz.Archive) {
		a["predictions"] = npz.Array{Shape: []int{1, 15, 2, 2}, Values: a["predictions"].Values.([]float32)[:60]}
	}), "its shape is [1 15 2 2] and must be [4 15 2 2]"},
	"a model": {
		modelOf(false, func(m *results.SavedModel) { m.State.Arrays["by"].Values.([]int64)[0] = 2 }),
		`runs/KEY.model.npz: the array "by" is wrong: its values differ`,
	},
	"whose model it is": {
		modelOf(false, func(m *results.SavedModel) { m.Seed = 8 }),
		"runs/KEY.model.npz has seed 8, but results.json has 1",
	},
	"a model's task": {
		modelOf(false, func(m *results.SavedModel) { m.Task.States = 9 }),
		"runs/KEY.model.npz has states 9, but results.json has 3",
	},
	"facts of a model": {
		modelOf(false, func(m *results.SavedModel) { m.State.Facts = []byte(`{"a":1}`) }),
		`runs/KEY.model.npz: its facts are {"a":1}, but here `,
	},
	"a model that is torn": {text(".model.npz", "by", "my"), "runs/KEY.model.npz cannot be read: "},
	"the oracle's model": {
		modelOf(true, func(m *results.SavedModel) { m.State.Facts = []byte(`{"a":1}`) }),
		`.npz: its facts are {"a":1}, but here {}`,
	},
	"whose oracle it is": {
		modelOf(true, func(m *results.SavedModel) { m.Options["epochs"] = 3 }),
		`.npz has options {"epochs":3}, but results.json has {"epochs":20}`,
	},
	"a link out of the run": {outside, "runs/KEY.npz cannot be read: "},
	"a folder for a file": {func(t *testing.T, dir string) {
		gone("results.csv")(t, dir)
		require.NoError(t, os.Mkdir(filepath.Join(dir, "results.csv"), 0o755))
	}, "results.csv is a folder, not a regular file"},
}

func rename(r *results.Results, old, now string) {
	for i := range r.Runs {
		if r.Runs[i].Method == old {
			r.Runs[i].Method = now
		}
	}
}

// outside moves a file out of the folder, and leaves a link to it.
func outside(t *testing.T, dir string) {
	path, moved := first(t, dir, ".npz"), filepath.Join(t.TempDir(), "moved.npz")
	require.NoError(t, os.Rename(path, moved))
	require.NoError(t, os.Symlink(moved, path))
}

// TestWhatCannotBeRepeated: what depends on the machine, the moment and an interruption is no
// difference.
func TestWhatCannotBeRepeated(t *testing.T) {
	dir := t.TempDir()
	p := published(t, dir)
	_, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	seconds := 9.0
	forge(func(r *results.Results) {
		r.Environment.CPU, r.Environment.Cores, r.Environment.Version, r.Environment.Command = "Z80", 1, "v9",
			[]string{"x"}
		r.Task.Source = "elsewhere"
		r.Oracle.FitSeconds = 1e9
		r.Oracle.Warnings = append(r.Oracle.Warnings, "the oracle was fitted again, because its file was not used: "+
			"torn")
		run := &r.Runs[0]
		run.FitSeconds, run.ResumedSeconds, run.CompileSeconds, run.Ranked.PredictSeconds, run.CPUSeconds = 9, 8, 7, 6,
			&seconds
		run.PeakRSSBytes, run.Isolated, run.Jobs, run.Threads, run.RPC = 5, true, 4, 3, &results.RPC{Calls: 2}
		run.Warnings = append(run.Warnings, "the checkpoint x was not used: torn",
			"a checkpoint was not stored: the disk is full")
	})(t, dir)
	found, _ := verifyFolder(t, dir, p)
	assert.Empty(t, found)
}

// TestAnotherNameOfTheSameRun: a run that an earlier command made under another name is the same
// run.
func TestAnotherNameOfTheSameRun(t *testing.T) {
	dir := t.TempDir()
	p := published(t, dir)
	_, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	p.Entries[0].Written = "perfect?epochs=50"
	_, err = benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	found, _ := verifyFolder(t, dir, p)
	assert.Empty(t, found)
}

// TestVerifyCappedRuns: the limit on epochs is kept with the results, and their methods are read
// with it.
func TestVerifyCappedRuns(t *testing.T) {
	dir := t.TempDir()
	p := published(t, dir)
	p.MaxEpochs = 7
	r, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, 7, r.MaxEpochs)
	assert.Equal(t, "still?epochs=7", r.Runs[2].Method)
	for i := range p.Entries {
		p.Entries[i].Options = capped(t, p.Entries[i].Method.Describe()) // as recorded
	}
	p.Oracle.Options, p.Entries[1].Written = capped(t, p.Oracle.Oracle.Describe()), "still?epochs=7"
	found, _ := verifyFolder(t, dir, p)
	assert.Empty(t, found)
	forge(func(r *results.Results) { r.MaxEpochs = 0 })(t, dir)
	found, _ = verifyFolder(t, dir, p)
	assert.Contains(t, found, `perfect, seed 1: its recorded options differ from those of its name as written, `+
		`"perfect": epochs 7 against 50`)
}

// TestVerifyOptionsOfOtherVersions: an option that the task did not have in the version of the results is no finding.
func TestVerifyOptionsOfOtherVersions(t *testing.T) {
	dir := t.TempDir()
	p := published(t, dir)
	then, before := p, *p.Task
	then.Environment.ExecutableSHA256 = "other"
	then.Task, before.Info.Options = &before, maps.Clone(p.Task.Info.Options)
	delete(before.Info.Options, "steps")
	_, err := benchmark.Run(t.Context(), then)
	require.NoError(t, err)
	found, _ := verifyFolder(t, dir, p)
	assert.Empty(t, found)
}

// capped are the options of a thing that was trained for 7 epochs.
func capped(t testing.TB, d core.Description) core.Options {
	o, err := d.Resolve(map[string]any{"epochs": 7})
	require.NoError(t, err)
	return o
}

// TestARunsFileIsHeldToTheTask: a file that does not fit the task is not read as a run, by
// commands that read folders as they grow.
func TestARunsFileIsHeldToTheTask(t *testing.T) {
	dir := t.TempDir()
	p := published(t, dir)
	p.Shard = results.Shard{Index: 1, Count: 1}
	r, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	r.Runs[0].Ranked.PredictionSHA256 = nil
	writeJSON(t, filepath.Join(dir, "runs", r.Runs[0].Key+".json"), r.Runs[0])
	_, _, err = results.OpenStore(dir).Progress()
	require.ErrorIs(t, err, results.ErrResults)
	assert.ErrorContains(t, err, "it has 0 hashes of predictions; a run of 4 steps that is ok must have 4")
	m, err := results.Merge(dir, []string{dir}, nil)
	require.NoError(t, err)
	require.Len(t, m.Missing, 1)
	assert.Contains(t, m.Missing[0].Reason, "it has 0 hashes of predictions")
}

// TestARunsFileWithShortListsIsMadeAgain: it does not count as finished.
func TestARunsFileWithShortListsIsMadeAgain(t *testing.T) {
	dir, m := t.TempDir(), perfect()
	p := plan(t, dir, &oracle{}, m)
	r, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	whole := r.Runs[0].PredictionSHA256
	r.Runs[0].Ranked.PredictionSHA256 = whole[:2]
	writeJSON(t, filepath.Join(dir, "runs", r.Runs[0].Key+".json"), r.Runs[0])
	again, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, whole, again.Runs[0].PredictionSHA256)
	assert.EqualValues(t, 3, m.fits.Load())
}

// TestMergeWritesInItsFolderOnly: a key that leads out of it is refused before anything is written.
func TestMergeWritesInItsFolderOnly(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "parent", "out")
	_, err := benchmark.Run(t.Context(), plan(t, dir, &oracle{}, perfect()))
	require.NoError(t, err)
	torn(func(r *results.Results) { r.Runs[0].Key = "../../escaped" })(t, dir)
	_, err = results.Merge(out, []string{dir}, nil)
	require.ErrorIs(t, err, results.ErrResults)
	assert.ErrorContains(t, err, `its key "../../escaped" is not a file name`)
	assert.NoDirExists(t, filepath.Dir(out))
}

// TestVerifyLossesThatAreNoNumbers: they are null in JSON.
func TestVerifyLossesThatAreNoNumbers(t *testing.T) {
	dir := t.TempDir()
	p := published(t, dir)
	m := p.Entries[0].Method.(keeps)
	p.Entries[0].Method = diverges{m}
	_, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	found, _ := verifyFolder(t, dir, p)
	assert.Empty(t, found)
	text(".json", `"train":null`, `"train":1`)(t, dir)
	found, _ = verifyFolder(t, dir, p)
	assert.Len(t, found, 1)
}

// diverges is a method whose loss is infinite.
type diverges struct{ keeps }

func (m diverges) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	fitted, err := m.keeps.Fit(ctx, t)
	return diverged{fitted.(keptModel)}, err
}

type diverged struct{ keptModel }

func (m diverged) Report() core.Report {
	r := m.keptModel.Report()
	r.History[0].Train, r.History[0].Validation = math.Inf(1), math.NaN()
	return r
}

// TestWholeNumbersOfResults: a million is the same option in a plan and from JSON, which has no
// whole numbers.
func TestWholeNumbersOfResults(t *testing.T) {
	assert.Empty(t, results.UnlikeOptions(map[string]any{"n": 1_000_000}, map[string]any{"n": 1e6}))
	assert.Equal(t, "n 1000000 against 1000001", results.UnlikeOptions(map[string]any{"n": 1_000_000},
		map[string]any{"n": 1000001.0}))
}

// TestForgeriesAreFound: whatever is changed in a folder of results is told, in a sentence that
// names it.
func TestForgeriesAreFound(t *testing.T) {
	honest := t.TempDir()
	p := published(t, honest)
	r, err := benchmark.Run(t.Context(), p)
	require.NoError(t, err)
	found, left := verifyFolder(t, honest, p)
	assert.Empty(t, found, "what is honest passes")
	assert.Equal(t, []string{
		"the warning \"the model was not saved: the method still does not have that ability\", which depends on the moment",
		"seconds, memory, processor, machine, command line, version texts, and the paths of data and plugins, " +
			"because they cannot be repeated",
	}, left)
	for name, c := range forgeries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "forged")
			require.NoError(t, os.CopyFS(dir, os.DirFS(honest)))
			c.forge(t, dir)
			q := p
			q.Entries = slices.Clone(p.Entries)
			if recorded, err := results.OpenStore(dir).Results(); err == nil {
				q.Seeds = []int64{1, 2, 3}
				for i := range q.Entries {
					q.Entries[i].Written = recorded.Runs[2*i].Method // as they are read from results
				}
			}
			found, _ := verifyFolder(t, dir, q)
			says := strings.ReplaceAll(c.says, "KEY", r.Runs[0].Key)
			assert.True(t, slices.ContainsFunc(found, func(text string) bool { return strings.Contains(text, says) }),
				"%q is not among %s", says, strconv.Quote(strings.Join(found, "\n")))
		})
	}
}
