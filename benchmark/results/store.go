package results

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/internal/npz"
)

// Store is a folder of results:
//
//	results.json       [Results], all of it
//	results.csv        one row a method × seed × protocol × step
//	data.npz           [TaskArrays]
//	oracle.json        [OracleInfo]
//	baselines.json     the baselines, and what they are of
//	runs/KEY.json      [Run]
//	runs/KEY.npz       [RunArrays]
//	runs/KEY.PROTOCOL.predictions.npz  all that the run predicted, where that is wanted:
//	                   "predictions" [step, start, shape…] float32, and "labels" [step, start] int64, what the
//	                   oracle saw
//	config.yaml        the configuration that repeats the runs
//	plan*.json         what is under way, see [Store.Progress]
//	.lock              who writes results.json
//	runs/KEY.model.npz [SavedModel], where that is wanted
//	oracle-KEY.npz     [SavedModel] of the oracle
//	checkpoints/       states of fits that are under way, or were when their process ended
//	figures/           what package report draws
//	report.html        the same and more as a page
//
// Every file is written whole under another name, synced and renamed: a reader never sees half a file. Of a run, the
// arrays are written first: a run whose .json is there is complete, unless the disk was full.
//
// The folder may be from others: no link in it leads out of it, in reading or in writing, what is no regular file is not
// opened, and how much memory a file takes is known before it is read (package foreign).
type Store struct{ dir string }

// RolloutSnapshots is the number of test snapshots whose predictions are kept: the first ones of the test sequence.
const RolloutSnapshots = 10

// SampleCycles is the number of cycles through the states that the kept sample of the sequence shows.
const SampleCycles = 2

// ErrResults says that a folder or file of results cannot be read as such.
var ErrResults = errors.New("not readable as results")

// OpenStore returns the store in a folder, which need not exist.
func OpenStore(dir string) *Store { return &Store{dir} }

// Dir is the folder.
func (s *Store) Dir() string { return s.dir }

// Files are those of the folder, by names with slashes.
func (s *Store) Files() foreign.Folder { return foreign.Folder(s.dir) }

// Path is that of a file of the folder.
func (s *Store) Path(names ...string) string {
	return filepath.Join(append([]string{s.dir}, names...)...)
}

// Prepare creates the folders and checks that they can be written, and that nothing of others is written over.
func (s *Store) Prepare() error {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return s.cannotBeMade(err)
	}
	if err := s.checkOwn(); err != nil {
		return err
	}
	if err := s.Files().Make("runs"); err != nil {
		return s.cannotBeMade(err)
	}
	probe, err := atomicfile.Create(s.Path("runs", "probe")) // which also sweeps the folder
	if err != nil {
		return fmt.Errorf("the folder of results %s cannot be written: %w; choose another with --out", s.dir, err)
	}
	probe.Discard()
	return nil
}

func (s *Store) cannotBeMade(err error) error {
	return fmt.Errorf("the folder of results %s cannot be made: %w; choose another with --out", s.dir, err)
}

// Results reads results.json. The error is [ErrResults] where there is none, it is torn, or it has another schema.
func (s *Store) Results() (*Results, error) {
	var r Results
	if err := s.readJSON("results.json", &r, nil); err != nil {
		if plans, failure := s.plans(); errors.Is(err, fs.ErrNotExist) && failure == nil && len(plans) > 0 {
			if plans[0].Shard == nil {
				return nil, fmt.Errorf("%w: %s has no results.json yet: its command is under way, or was stopped; the same command finishes it", ErrResults, s.dir)
			}
			return nil, fmt.Errorf("%w: %s has no results.json yet: its shards are not joined; join them with: bench merge --out %s %s", ErrResults, s.dir, s.dir, s.dir)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s has no results.json; make one with: bench run --out %s", ErrResults, s.dir, s.dir)
		}
		return nil, err
	}
	if r.Schema == schemaV1 {
		old, err := s.resultsV1()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Path("results.json"), err)
		}
		r = *old
	} else if r.Schema != Schema {
		return nil, fmt.Errorf("%w: %s has the schema %.100q, and this version reads %q; repeat the run or use the version that wrote it", ErrResults, s.Path("results.json"), r.Schema, Schema)
	}
	if err := r.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path("results.json"), err)
	}
	r.RankBy(r.Protocol)
	return &r, nil
}

func (s *Store) hasResults() bool {
	return !s.Files().Missing("results.json")
}

// readJSON reads a file of the folder; what it takes is of the budget, nil for one of its own.
func (s *Store) readJSON(name string, v any, b *foreign.Budget) error {
	if err := s.Files().JSON(name, v, b); err != nil {
		return fmt.Errorf("%w: %w", ErrResults, err)
	}
	return nil
}

func (s *Store) writeJSON(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.Write(path, append(text, '\n'))
}

// WriteResults writes results.json and results.csv.
func (s *Store) WriteResults(r *Results) error {
	if err := s.writeJSON(s.Path("results.json"), r); err != nil {
		return err
	}
	table, err := r.CSV()
	if err != nil {
		return err
	}
	return atomicfile.Write(s.Path("results.csv"), table)
}

// CSV is the content of results.csv. The lists of the runs have a value for each step.
func (r *Results) CSV() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	measure := r.Task.Measure.Name
	rows := [][]string{{"method", "seed", "protocol", "step", measure, "trained", "status", "exposed", "prediction_sha256", "key"}}
	for _, run := range r.Runs {
		lead := []string{foreign.Cell(run.Method), strconv.FormatInt(run.Seed, 10)}
		row := func(e *Evaluation, step, score, hash string) {
			trained := strconv.FormatBool(e.Status == StatusOK && run.Untrained == "")
			rows = append(rows, append(slices.Clone(lead), e.Protocol, step, score, trained, string(e.Status),
				foreign.Cell(run.Exposed), foreign.Cell(hash), foreign.Cell(run.Key)))
		}
		for _, protocol := range Protocols() {
			e := run.Evaluation(protocol)
			if e == nil {
				e = &Evaluation{Protocol: protocol, Status: run.Status}
			}
			for i, a := range e.Score {
				row(e, strconv.Itoa(i+1), strconv.FormatFloat(a, 'g', -1, 64), e.PredictionSHA256[i])
			}
			if len(e.Score) == 0 {
				row(e, "", "", "")
			}
		}
	}
	err := w.WriteAll(rows)
	return b.Bytes(), err
}

// Run reads a finished run. ok is false where there is none of that key; a torn or foreign file is an error, [ErrResults].
func (s *Store) Run(key string) (run Run, ok bool, err error) { return s.runOf(key, nil) }

func (s *Store) runOf(key string, b *foreign.Budget) (run Run, ok bool, err error) {
	if !isFileName(key) {
		return run, false, fmt.Errorf("%w: the key %.200q is no name of a file", ErrResults, key)
	}
	err = s.readJSON("runs/"+key+".json", &run, b)
	if errors.Is(err, fs.ErrNotExist) {
		return run, false, nil
	}
	if err == nil && run.Key != key {
		err = fmt.Errorf("%w: %s says it is the run %.200q", ErrResults, s.Path("runs", key+".json"), run.Key)
	}
	return run, err == nil, err
}

// WriteRun writes the results of a run, and before them what lies beside them. What cannot be
// written of that, on a full disk for instance, costs no results: they may be short enough, and the
// next command makes the rest. stored says whether the results are written; the error is of all
// that is not.
func (s *Store) WriteRun(run Run, arrays *RunArrays) (stored bool, err error) {
	if arrays != nil {
		err = errors.Join(arrays.Unsaved, s.writeArrays(s.Path("runs", run.Key+".npz"), arrays.Archive()))
		if arrays.Model != nil {
			err = errors.Join(err, atomicfile.Write(s.ModelPath(run.Key), arrays.Model))
		}
	}
	failure := s.writeJSON(s.Path("runs", run.Key+".json"), run)
	return failure == nil, errors.Join(err, failure)
}

// OracleInfo reads oracle.json if it is that of the key, of that task.
func (s *Store) OracleInfo(key string, t TaskInfo) (info OracleInfo, ok bool) {
	err := s.readJSON("oracle.json", &info, nil)
	return info, err == nil && info.Key == key && info.check(t) == nil
}

// WriteOracle writes oracle.json.
func (s *Store) WriteOracle(info OracleInfo) error { return s.writeJSON(s.Path("oracle.json"), info) }

func (s *Store) writeArrays(path string, a npz.Archive) error {
	var b bytes.Buffer
	if err := npz.Write(&b, a); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.Write(path, b.Bytes())
}

// ReadArrays reads a file of arrays. The error is [ErrResults].
func (s *Store) ReadArrays(name string) (a npz.Archive, err error) {
	err = s.Open(name, func(f io.ReaderAt, size int64) error {
		a, err = npz.Read(f, size)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResults, err)
	}
	return a, nil
}

// Open hands a file of the folder to use. Errors of use say which file they are about.
func (s *Store) Open(name string, use func(f io.ReaderAt, size int64) error) error {
	f, err := s.Files().Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := use(f, info.Size()); err != nil {
		return fmt.Errorf("%s: %w", s.Path(name), err)
	}
	return nil
}

// TaskArrays is what figures need of the task: the content of data.npz.
type TaskArrays struct {
	Sample core.Snapshots // "sample" [SampleCycles × states, shape…]: the first training snapshots
	Starts core.Snapshots // "starts" [at most RolloutSnapshots, shape…]: the first ones
	// SampleStates and TestStates are the true states, "sample_states" and "test_states"; nil if
	// there are none.
	SampleStates, TestStates []int
}

// Rollout is what a run predicts at each step from the first starts.
type Rollout []core.Snapshots

// RunArrays is what figures need of a run: the content of runs/KEY.npz.
type RunArrays struct {
	Rollouts           map[string]Rollout // by protocol: "rollout_PROTOCOL" [step, at most RolloutSnapshots, shape…]
	LeftEigenfunctions *mat.CDense        // "left_eigenfunctions" [test, eigenvalue], nil where the model has none

	Model   []byte // the file of the model, to be written beside them; nil for none
	Unsaved error  // why the predictions could not be written, or nil
}

// TaskArrays reads data.npz. The error is [ErrResults].
func (s *Store) TaskArrays() (*TaskArrays, error) {
	path := s.Path("data.npz")
	a, err := s.ReadArrays("data.npz")
	if err != nil {
		return nil, err
	}
	t := &TaskArrays{}
	if t.Sample, err = snapshotsOf(a, "sample"); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrResults, path, err)
	}
	renameV1(a)
	if t.Starts, err = snapshotsOf(a, "starts"); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrResults, path, err)
	}
	if _, ok := a["test_states"]; !ok {
		return t, nil
	}
	for name, states := range map[string]*[]int{"sample_states": &t.SampleStates, "test_states": &t.TestStates} {
		values, _, err := npz.Values[int64](a, name, 1)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrResults, path, err)
		}
		*states = toInts(values)
	}
	return t, nil
}

// WriteTaskArrays writes data.npz.
func (s *Store) WriteTaskArrays(t *TaskArrays) error {
	return s.writeArrays(s.Path("data.npz"), t.Archive())
}

// TaskArraysOf is [Store.TaskArrays] of results with that task: the error is [ErrResults] too where they are those of another.
func (s *Store) TaskArraysOf(info TaskInfo) (*TaskArrays, error) {
	t, err := s.TaskArrays()
	if err != nil {
		return nil, err
	}
	if err := t.check(info); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path("data.npz"), err)
	}
	return t, nil
}

// RunArraysOf is [Store.RunArrays] of a run of that task: the error is [ErrResults] too where they are those of another.
func (s *Store) RunArraysOf(info TaskInfo, run *Run) (*RunArrays, error) {
	arrays, err := s.RunArrays(run.Key)
	if err != nil {
		return nil, err
	}
	if err := arrays.check(info, run); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path("runs", run.Key+".npz"), err)
	}
	return arrays, nil
}

// RunArrays reads runs/KEY.npz. The error is [ErrResults].
func (s *Store) RunArrays(key string) (*RunArrays, error) {
	if !isFileName(key) {
		return nil, fmt.Errorf("%w: the key %.200q is no name of a file", ErrResults, key)
	}
	path := s.Path("runs", key+".npz")
	a, err := s.ReadArrays("runs/" + key + ".npz")
	if err != nil {
		return nil, err
	}
	arrays, err := runArraysOf(a)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrResults, path, err)
	}
	return arrays, nil
}
