package results

import (
	"math"
	"strings"

	"github.com/koopbench/koopbench/core"
)

// Schema names the layout of results.json and of the run files. It changes whenever a reader of the old layout would
// misread the new one.
const Schema = "koopbench.results/2"

// Results is everything that one `bench run` produced: the content of results.json.
type Results struct {
	Schema      string      `json:"schema"`
	Task        TaskInfo    `json:"task"`
	Protocol    string      `json:"protocol"` // by which methods are ranked
	Environment Environment `json:"environment"`
	Oracle      OracleInfo  `json:"oracle,omitzero"` // none if the task has a score of its own
	// Expected are the true states, [step][start]: first those of the starts themselves, then those
	// after each step. There are none without an oracle.
	Expected [][]int `json:"expected,omitempty"`
	// Baselines are models that learn nothing. They are judged like all others.
	Baselines []Baseline `json:"baselines"`
	Runs      []Run      `json:"runs"`
	// MaxEpochs is the limit on epochs of the command if it cut a training short; 0 otherwise.
	MaxEpochs int `json:"max_epochs,omitempty"`
	// Warnings are about methods whose accuracy is above the oracle's own by more than chance
	// explains.
	Warnings []string `json:"warnings,omitempty"`

	// Notes are sentences on what happened to runs of earlier commands.
	Notes []string `json:"-"`
}

// TaskInfo says what was evaluated.
type TaskInfo struct {
	Name    string         `json:"name"`    // declared
	Options map[string]any `json:"options"` // all but the place of the data
	Source  string         `json:"source"`  // where the data came from, for the reader
	// of snapshots, ends of trajectories, starts, and states
	DataSHA256     string      `json:"data_sha256"`
	ExpectedSHA256 string      `json:"expected_sha256,omitempty"` // of the states that are expected after each step
	Shape          []int       `json:"shape"`                     // of one snapshot
	Picture        string      `json:"picture"`                   // [core.Picture] of a snapshot
	Train          int         `json:"train"`                     // snapshots
	Validation     int         `json:"validation"`                // snapshots
	Test           int         `json:"test"`                      // snapshots
	Starts         int         `json:"starts"`                    // test snapshots from which roll-outs begin
	Lag            int         `json:"lag"`                       // snapshots a step
	Steps          int         `json:"steps"`                     // steps of the roll-out
	Rank           int         `json:"rank"`                      // usual for the task
	States         int         `json:"states"`                    // number of true states, 0 if there are none
	StateWord      string      `json:"state_word,omitempty"`
	Eigenvalues    []Complex   `json:"eigenvalues,omitempty"`  // of the true evolution operator
	Leading        int         `json:"leading,omitempty"`      // how many of them count, 0 for all
	TruthSHA256    string      `json:"truth_sha256,omitempty"` // of true eigenfunctions at the test snapshots
	Interval       float64     `json:"interval,omitempty"`     // time from one snapshot to the next, 0 for 1
	TimeUnit       string      `json:"time_unit,omitempty"`    // of the interval, "" for snapshots
	ValidUpTo      float64     `json:"valid_up_to,omitempty"`  // score up to which a prediction is valid, 0 for none
	Measure        MeasureInfo `json:"measure"`
	Plugin         *PluginInfo `json:"plugin,omitempty"` // if the task came from outside
	Part           string      `json:"part,omitempty"`   // in place of the test part, see [ValidationPart]
}

// Clock is the task's unit of time.
func (t TaskInfo) Clock() core.Clock { return core.Clock{Interval: t.Interval, Unit: t.TimeUnit} }

// Judged reports whether an oracle judges, by the states that it sees in predictions.
func (t TaskInfo) Judged() bool { return t.Measure.Name == accuracyName }

// accuracyName is the name of the measure of tasks that an oracle judges.
var accuracyName = core.Accuracy(1).Name

// Baseline is a model that learns nothing.
type Baseline struct {
	Name   string      `json:"name"`   // [Persistence] or [Mean]
	Score  []float64   `json:"score"`  // [step] of the starts together
	Scores [][]float64 `json:"scores"` // [step][start]
}

// The baselines.
const (
	Persistence = "persistence" // predicts its input
	Mean        = "mean"        // predicts the mean of the training snapshots
)

// The protocols of a roll-out. Their numbers are not comparable. Every run is evaluated by all of
// them, and ranked by one.
const (
	// ProtocolReencode feeds each predicted snapshot back to the model as the next input.
	ProtocolReencode = "reencode"
	// ProtocolPowers gives the model only the starts and asks for all steps ahead: powers of its
	// evolution operator ([core.Forecaster]), as in the tables of Kostic et al. 2024.
	ProtocolPowers = "powers"
)

// Protocols returns the protocols, the default one first.
func Protocols() []string { return []string{ProtocolReencode, ProtocolPowers} }

// Evaluation is the roll-out of a run by one protocol.
type Evaluation struct {
	Protocol string    `json:"protocol"`
	Status   Status    `json:"status"`
	Reason   string    `json:"reason,omitempty"` // why the status is not ok
	Score    []float64 `json:"score"`            // [step] of the starts together, step 1 first
	// [step][start] what the oracle saw; a score is 1 if it is the expected state
	Labels           [][]int     `json:"labels,omitempty"`
	Scores           [][]float64 `json:"scores,omitempty"` // [step][start] if there is no oracle
	PredictionSHA256 []string    `json:"prediction_sha256"`
	PredictSeconds   float64     `json:"predict_seconds"` // of the whole roll-out, without the time of the judge
}

// Diagnostics measure how close the operator of a run is to the true one, and to itself on test
// snapshots: see package diagnostics. A value that is not known is nil.
type Diagnostics struct {
	// SpectralError is the Hausdorff distance between leading eigenvalues and true ones.
	// SpectralErrorDirected is one of its two parts, the one that publications print.
	SpectralError         *float64 `json:"spectral_error,omitempty"`
	SpectralErrorDirected *float64 `json:"spectral_error_directed,omitempty"`
	// EigenfunctionErrors are the errors of the known true eigenfunctions; nil for the constant one.
	EigenfunctionErrors []*float64 `json:"eigenfunction_errors,omitempty"`
	// Constant are the indices, from 0, of eigenvalues whose right eigenfunction is constant at the
	// test snapshots.
	Constant []int `json:"constant,omitempty"`
	// VAMP2 is the score of the leading right eigenfunctions, as many as the task's rank.
	VAMP2 *float64 `json:"vamp2,omitempty"`
	// ChapmanKolmogorov is the error of the same eigenfunctions, [step].
	ChapmanKolmogorov []float64 `json:"chapman_kolmogorov,omitempty"`
}

// Environment says where and by what the results were made.
type Environment struct {
	Version          string   `json:"version"`           // of koopbench
	Commit           string   `json:"commit"`            // of its source, "" if unknown
	ExecutableSHA256 string   `json:"executable_sha256"` //
	Command          []string `json:"command"`           // as typed
	Go               string   `json:"go"`                // version of Go
	OS               string   `json:"os"`                // "linux/amd64"
	CPU              string   `json:"cpu"`               // model, "" if unknown
	Cores            int      `json:"cores"`             // usable by the process
	MemoryBytes      int64    `json:"memory_bytes"`      // of the machine, 0 if unknown
	Backend          string   `json:"backend"`           // compute backend, "go" for instance
}

// OracleInfo describes the judge.
type OracleInfo struct {
	Name               string         `json:"name"`
	Key                string         `json:"key"` // hash of everything that determines its labels
	Seed               int64          `json:"seed"`
	Options            map[string]any `json:"options"`
	ValidationAccuracy float64        `json:"validation_accuracy"`
	TestAccuracy       float64        `json:"test_accuracy"`
	TestLabels         []int          `json:"test_labels,omitempty"` // [start] what it sees in the starts themselves
	FitSeconds         float64        `json:"fit_seconds"`
	Plugin             *PluginInfo    `json:"plugin,omitempty"`
	Warnings           []string       `json:"warnings"`
	History            []Epoch        `json:"history"`
}

// Status says how a run ended.
type Status string

// The ends of a run. Only a run with StatusOK has been evaluated at every step.
const (
	StatusOK      Status = "ok"      // fitted and evaluated
	StatusFailed  Status = "failed"  // the method returned an error
	StatusTimeout Status = "timeout" // the time given was over
	StatusCrashed Status = "crashed" // the method panicked, or its process died
	StatusInvalid Status = "invalid" // the method returned what its contract forbids
	StatusSkipped Status = "skipped" // the method cannot run, for a reason that is not its fault
)

// Repeatable reports whether verification makes a run with that status again. A run that took too
// long would take too long again, and the time depends on the machine.
func (s Status) Repeatable() bool { return s != StatusTimeout }

// Run is one finished run, a method at a seed: the content of a file runs/KEY.json.
type Run struct {
	Key     string         `json:"key"`
	Method  string         `json:"method"` // as the user wrote it: "vamp", "vamp?epochs=20"
	Name    string         `json:"name"`   // as the method calls itself: "vamp"
	Seed    int64          `json:"seed"`
	Options map[string]any `json:"options"`
	Exposed string         `json:"exposed"` // core.Exposure: "", "labels" or "oracle"
	Status  Status         `json:"status"`
	// why the status is not ok, or why the run counts as untrained
	Reason      string       `json:"reason"`
	Trained     bool         `json:"trained"`
	Untrained   string       `json:"untrained,omitempty"` // why the fit learned nothing
	Warnings    []string     `json:"warnings"`
	Evaluations []Evaluation `json:"evaluations"` // by every protocol; none if the fit failed
	// [step] of the protocol that ranks: all predicted snapshots, float32 little-endian, row-major
	PredictionSHA256 []string     `json:"prediction_sha256"`
	History          []Epoch      `json:"history"`
	Eigenvalues      []Complex    `json:"eigenvalues"`           // descending modulus
	Diagnostics      *Diagnostics `json:"diagnostics,omitempty"` // of the operator; none if the model does not tell it
	Rank             int          `json:"rank"`                  // of the evolution operator, 0 if none
	Parameters       int          `json:"parameters"`
	FitSeconds       float64      `json:"fit_seconds"` // compilation not counted
	// part of the fit that was done before an interruption
	ResumedSeconds float64 `json:"resumed_seconds,omitempty"`
	CompileSeconds float64 `json:"compile_seconds"`
	// user and system, of the processes that did the work; null where it cannot be told from that of
	// others
	CPUSeconds *float64 `json:"cpu_seconds"`
	// the largest of the processes that did the work, of each since its start; 0 where it is not known
	PeakRSSBytes int64 `json:"peak_rss_bytes"`
	// all of the method's work was done outside this program, in processes of the run alone
	Isolated bool `json:"isolated"`
	// where a part of the work, or all of it, was done in another process
	RPC *RPC `json:"rpc,omitempty"`
	// runs at the same time: seconds passed for all of them
	Jobs        int          `json:"jobs,omitempty"`
	Threads     int          `json:"threads,omitempty"` // of the processor that the run was to compute on
	Plugin      *PluginInfo  `json:"plugin,omitempty"`  // where the method, or a part of it, came from outside
	Environment *Environment `json:"environment"`       // where it was made, which may be elsewhere than others
	Carried     bool         `json:"-"`                 // it belongs to an earlier command, and stays in the table

	// Ranked is the evaluation by the protocol that ranks, one of Evaluations. It is empty if the fit
	// failed. Status, Reason, Trained and PredictionSHA256 belong to it.
	Ranked *Evaluation `json:"-"`
}

// RankBy makes the evaluation by a protocol the one that ranks.
func (r *Run) RankBy(protocol string) {
	r.Ranked = &Evaluation{Protocol: protocol, Status: r.Status, Reason: r.Reason}
	for i := range r.Evaluations {
		if r.Evaluations[i].Protocol == protocol {
			r.Ranked = &r.Evaluations[i]
		}
	}
	if len(r.Evaluations) > 0 {
		r.Status, r.Reason = r.Ranked.Status, r.Ranked.Reason
		r.Trained = r.Status == StatusOK && r.Untrained == ""
		if r.Status == StatusOK {
			r.Reason = r.Untrained
		}
	}
	r.PredictionSHA256 = append([]string{}, r.Ranked.PredictionSHA256...)
}

// Evaluated reports whether the fit and every evaluation that the model allows succeeded.
func (r *Run) Evaluated() bool {
	for _, e := range r.Evaluations {
		if e.Status != StatusOK && e.Status != StatusSkipped {
			return false
		}
	}
	return len(r.Evaluations) > 0
}

// Contradicts returns the first step at which two evaluations of one run by one protocol differ; 0
// if there is none. A nil run contradicts nothing.
func (r *Run) Contradicts(o *Run) int {
	if r == nil || o == nil {
		return 0
	}
	for _, e := range r.Evaluations {
		other := o.Evaluation(e.Protocol)
		if other == nil || e.Status != StatusOK || other.Status != StatusOK {
			continue
		}
		a, b := e.PredictionSHA256, other.PredictionSHA256
		for i := range max(len(a), len(b)) {
			if i >= len(a) || i >= len(b) || a[i] != b[i] {
				return i + 1
			}
		}
	}
	return 0
}

// RankBy makes the evaluations by a protocol the ones that rank: Ranked of each run, and the facts
// of runs and results that depend on it.
func (r *Results) RankBy(protocol string) {
	r.Protocol = protocol
	for i := range r.Runs {
		r.Runs[i].RankBy(protocol)
	}
}

// Evaluation returns the evaluation by a protocol; nil if there is none.
func (r *Run) Evaluation(protocol string) *Evaluation {
	for i := range r.Evaluations {
		if r.Evaluations[i].Protocol == protocol {
			return &r.Evaluations[i]
		}
	}
	return nil
}

// ScoresOf returns the scores of an evaluation, [step][start]; nil if the results do not have them.
func (r *Results) ScoresOf(e *Evaluation) [][]float64 {
	if len(e.Labels) == 0 {
		return e.Scores
	}
	scores := make([][]float64, len(e.Labels))
	for i, labels := range e.Labels {
		if i+1 >= len(r.Expected) || len(labels) != len(r.Expected[i+1]) {
			return nil
		}
		scores[i] = ScoreLabels(labels, r.Expected[i+1])
	}
	return scores
}

// ScoreLabels is 1 if a label is the expected one, 0 otherwise.
func ScoreLabels(labels, expected []int) []float64 {
	scores := make([]float64, len(labels))
	for i, l := range labels {
		if l == expected[i] {
			scores[i] = 1
		}
	}
	return scores
}

// Together combines the scores of a step. They are added in their order, because the bits count.
func (m MeasureInfo) Together(scores []float64) float64 { return m.Measure().Together(scores) }

// Accuracy is the share of labels that are the expected ones.
func Accuracy(labels, expected []int) float64 {
	return core.Measure{}.Together(ScoreLabels(labels, expected))
}

// DeclaredName is the name that the method gives itself. For results from before this field
// existed, it is taken from the name as written.
func (r *Run) DeclaredName() string {
	if r.Name != "" {
		return r.Name
	}
	name, _, _ := strings.Cut(r.Method, "?")
	return name
}

// RPC is the cost of having a method, or parts of it, in other processes.
type RPC struct {
	StartSeconds float64 `json:"start_seconds"` // until the processes were ready; not part of the run's fit_seconds
	// of the calls, without the method's own code; null where a plugin does not tell
	Seconds       *float64 `json:"seconds"`
	Calls         int64    `json:"calls"`          // that gave a result
	SentBytes     int64    `json:"sent_bytes"`     // to the processes
	ReceivedBytes int64    `json:"received_bytes"` // from them
}

// OracleScores is 1 for each start in which the oracle sees the true state, and 0 for others; nil
// if the results do not have the labels.
func (r *Results) OracleScores() []float64 {
	if len(r.Expected) == 0 || len(r.Oracle.TestLabels) != len(r.Expected[0]) {
		return nil
	}
	return ScoreLabels(r.Oracle.TestLabels, r.Expected[0])
}

// Run returns the run of the method, as written, at that seed; nil if there is none.
func (r *Results) Run(method string, seed int64) *Run {
	for i := range r.Runs {
		if r.Runs[i].Method == method && r.Runs[i].Seed == seed {
			return &r.Runs[i]
		}
	}
	return nil
}

// EnvironmentOf returns the environment in which a run was made. Runs of old versions do not have
// their own.
func (r *Results) EnvironmentOf(run *Run) Environment {
	if run.Environment != nil {
		return *run.Environment
	}
	return r.Environment
}

// Finite returns a pointer to the value, or nil if it is not finite.
func Finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
