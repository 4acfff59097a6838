package results

import (
	"fmt"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
)

// schemaV1 is the layout before tasks were a kind of their own: one task of states that follow one
// another in a cycle, one protocol, and accuracies.
const schemaV1 = "koopbench.results/1"

type resultsV1 struct {
	Schema      string      `json:"schema"`
	Task        taskV1      `json:"task"`
	Environment Environment `json:"environment"`
	Oracle      OracleInfo  `json:"oracle"`
	Runs        []runV1     `json:"runs"`
	MaxEpochs   int         `json:"max_epochs"`
	Warnings    []string    `json:"warnings"`
}

type taskV1 struct {
	TaskInfo
	Protocol string `json:"protocol"`
}

type runV1 struct {
	Run
	Accuracy       []float64 `json:"accuracy"`
	Labels         [][]int   `json:"labels"`
	PredictSeconds float64   `json:"predict_seconds"`
}

// resultsV1 reads results.json of the first schema as what it would be now. Schema stays what it was,
// which keeps all but readers from taking it: see [Store.CheckCurrent].
func (s *Store) resultsV1() (*Results, error) {
	var old resultsV1
	if err := s.readJSON(resultsFile, &old, nil); err != nil {
		return nil, err
	}
	r := &Results{
		Schema: schemaV1, Task: old.Task.TaskInfo, Protocol: old.Task.Protocol, Environment: old.Environment,
		Oracle: old.Oracle, Baselines: []Baseline{}, MaxEpochs: old.MaxEpochs, Warnings: old.Warnings,
	}
	t := &r.Task
	if t.States < 1 || t.States > t.Train || t.Lag < 1 || t.Test < 1 || t.Steps < 1 || t.Steps > core.MaxSteps {
		return nil, fmt.Errorf("%w: the task has %d states, a lag of %d, %d steps, and %d and %d snapshots to train and "+
			"test on", ErrResults, t.States, t.Lag, t.Steps, t.Train, t.Test)
	}
	t.Starts, t.Rank, t.Picture = t.Test, t.States, string(core.ImagePicture)
	t.Measure = NewMeasureInfo(core.Accuracy(t.States))
	if len(r.Oracle.TestLabels) != t.Test {
		r.Oracle.TestLabels = nil
	}
	if err := r.expectCycle(); err != nil {
		return nil, err
	}
	for _, run := range old.Runs {
		result := run.Run
		if result.Status == StatusOK {
			result.Evaluations = []Evaluation{{
				Protocol: r.Protocol, Status: StatusOK, Score: run.Accuracy, Labels: run.Labels,
				PredictionSHA256: result.PredictionSHA256, PredictSeconds: run.PredictSeconds,
			}}
			if !result.Trained {
				result.Untrained = result.Reason
			}
		}
		r.Runs = append(r.Runs, result)
	}
	return r, nil
}

// expectCycle fills in the states of a cycle, and the baseline that follows from them.
func (r *Results) expectCycle() error {
	t := &r.Task
	if t.Test > maxCycle/(t.Steps+1) {
		return fmt.Errorf("%w: %d steps of %d test snapshots are more than such results have", ErrResults, t.Steps, t.Test)
	}
	persistence := Baseline{Name: Persistence}
	for step := range t.Steps + 1 {
		states := make([]int, t.Test)
		for i := range states {
			states[i] = (t.Train%t.States + t.Validation%t.States + i%t.States + step*(t.Lag%t.States)) % t.States
		}
		r.Expected = append(r.Expected, states)
		if step > 0 && len(r.Oracle.TestLabels) == t.Test {
			scores := ScoreLabels(r.Oracle.TestLabels, states)
			persistence.Score = append(persistence.Score, t.Measure.Together(scores))
			persistence.Scores = append(persistence.Scores, scores)
		}
	}
	if len(persistence.Scores) > 0 {
		r.Baselines = append(r.Baselines, persistence)
	}
	t.ExpectedSHA256 = HashStates(r.Expected[1:]...)
	return nil
}

// maxCycle bounds what is made of a file that says little: states in all.
const maxCycle = 1 << 24

// CheckCurrent returns [ErrResults] unless results of the folder have the schema that this version
// writes.
func (s *Store) CheckCurrent(r *Results) error {
	if r.Schema == Schema {
		return nil
	}
	return fmt.Errorf("%w: %s has the schema %q of an older version; you can show and compare it with bench report and "+
		"bench compare, but other commands need %q: make the runs again in another folder", ErrResults,
		s.Path(resultsFile), r.Schema, Schema)
}

// rollOutV1 is the array of the roll-out, by whatever protocol.
const rollOutV1 = "rollout"

// renameV1 gives arrays of the first schema the names that they have now.
func renameV1(a npz.Archive) {
	for old, now := range map[string]string{
		"test_images": "starts", "test_labels": "test_states", "sample_labels": "sample_states",
	} {
		if array, ok := a[old]; ok && a[now].Values == nil {
			a[now] = array
			delete(a, old)
		}
	}
}
