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

	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/foreign"
)

// Store is a folder of results:
//
//	results.json       [Results], all of it
//	results.csv        one row per method, seed, protocol and step
//	data.npz           [TaskArrays]
//	oracle.json        [OracleInfo]
//	baselines.json     the baselines, and the task and judge that they belong to
//	runs/KEY.json      [Run]
//	runs/KEY.npz       [RunArrays]
//	runs/KEY.PROTOCOL.predictions.npz  all predictions of the run, if they are wanted:
//	                   "predictions" [step, start, shape…] float32, and "labels" [step, start] int64, what the
//	                   oracle saw
//	config.yaml        the configuration that repeats the runs
//	tune.json          [Search], of a search for options
//	best.yaml          the configuration of its choice
//	plan*.json         the runs of unfinished commands, see [Store.Progress]
//	.lock              who writes results.json
//	runs/KEY.model.npz [SavedModel], if it is wanted
//	oracle-KEY.npz     [SavedModel] of the oracle
//	checkpoints/       states of unfinished fits
//	figures/           what package report draws
//	report.html        the same and more as a page
//
// Every file is written as a whole under another name, synced and renamed, so a reader never sees
// half a file. The arrays of a run are written first. So a run whose .json exists is complete,
// unless the disk was full.
//
// The folder may come from other people. No link in it leads out of it, in reading or in writing.
// Only regular files are opened, and the memory that a file needs is known before it is read
// (package foreign).
type Store struct{ dir string }

// Files of the folder that more than one function names.
const (
	resultsFile       = "results.json"
	dataFile          = "data.npz"
	oracleInfoFile    = "oracle.json"
	baselinesFile     = "baselines.json"
	configurationFile = "config.yaml"
)

func runFile(key string) string       { return "runs/" + key + ".json" }
func runArraysFile(key string) string { return "runs/" + key + ".npz" }

// ModelFile is the name of the file of a run's model.
func ModelFile(key string) string { return "runs/" + key + ".model.npz" }

// OracleFile is the name of the file of an oracle's model.
func OracleFile(key string) string { return "oracle-" + key + ".npz" }

// PredictionsFile is the name of the file of what a run predicts by a protocol.
func PredictionsFile(key, protocol string) string {
	return "runs/" + key + "." + protocol + ".predictions.npz"
}

// ErrResults means that a folder or file cannot be read as results.
var ErrResults = errors.New("not readable as results")

// OpenStore returns the store of a folder, which need not exist.
func OpenStore(dir string) *Store { return &Store{dir} }

// Dir is the folder.
func (s *Store) Dir() string { return s.dir }

// Files gives access to the files of the folder, by names with slashes.
func (s *Store) Files() foreign.Folder { return foreign.Folder(s.dir) }

// Path is the path of a file of the folder.
func (s *Store) Path(names ...string) string {
	return filepath.Join(append([]string{s.dir}, names...)...)
}

// Prepare creates the folders, checks that they are writable, and checks that no files of something
// else would be overwritten.
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
		return fmt.Errorf("cannot write to the folder of results %s: %w; choose another with --out", s.dir, err)
	}
	probe.Discard()
	return nil
}

func (s *Store) cannotBeMade(err error) error {
	return fmt.Errorf("cannot make the folder of results %s: %w; choose another with --out", s.dir, err)
}

// Results reads results.json. The error is [ErrResults] if the file does not exist, is incomplete,
// or has another schema.
func (s *Store) Results() (*Results, error) {
	r := &Results{}
	err := s.readJSON(resultsFile, r, nil)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, s.noResults()
	case err != nil:
		return nil, err
	case r.Schema == schemaV1:
		r, err = s.resultsV1()
	case r.Schema != Schema:
		return nil, fmt.Errorf("%w: %s has the schema %.100q, but this version reads %q; make the runs again, or use the "+
			"version "+
			"that wrote it", ErrResults, s.Path(resultsFile), r.Schema, Schema)
	}
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path(resultsFile), err)
	}
	r.RankBy(r.Protocol)
	return r, nil
}

// noResults says why there is no results.json.
func (s *Store) noResults() error {
	why := "; make one with: bench run --out " + s.dir
	if plans, err := s.plans(); err == nil && len(plans) > 0 {
		why = " yet: its command is still running or was stopped; the same command finishes it"
		if plans[0].Shard != nil {
			why = fmt.Sprintf(" yet, because its shards are not joined; join them with: bench merge --out %s %[1]s", s.dir)
		}
	}
	return fmt.Errorf("%w: %s has no results.json%s", ErrResults, s.dir, why)
}

// current reads results.json if it has the schema that this version writes.
func (s *Store) current() (*Results, error) {
	r, err := s.Results()
	if err == nil {
		err = s.CheckCurrent(r)
	}
	return r, err
}

// Begun reports whether a command has begun to write results into the folder.
func (s *Store) Begun() bool { return !s.Files().Missing(dataFile) }

func (s *Store) hasResults() bool { return !s.Files().Missing(resultsFile) }

// readJSON reads a file of the folder; what it takes is of the budget, nil for one of its own.
func (s *Store) readJSON(name string, v any, b *foreign.Budget) error {
	if err := s.Files().JSON(name, v, b); err != nil {
		return fmt.Errorf("%w: %w", ErrResults, err)
	}
	return nil
}

func (s *Store) writeJSON(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Path(name), err)
	}
	return atomicfile.Write(s.Path(name), append(text, '\n'))
}

// WriteResults writes results.json and results.csv.
func (s *Store) WriteResults(r *Results) error {
	if err := s.writeJSON(resultsFile, r); err != nil {
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
	rows := [][]string{{
		"method", "seed", "protocol", "step", measure, "trained", "status", "exposed", "prediction_sha256", "key",
	}}
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

// Run reads a finished run. ok is false if there is no run with that key. An incomplete or foreign
// file is an error, [ErrResults].
func (s *Store) Run(key string) (run Run, ok bool, err error) { return s.runOf(key, nil) }

func (s *Store) runOf(key string, b *foreign.Budget) (run Run, ok bool, err error) {
	if err := checkKey(key); err != nil {
		return run, false, err
	}
	err = s.readJSON(runFile(key), &run, b)
	if errors.Is(err, fs.ErrNotExist) {
		return run, false, nil
	}
	if err == nil && run.Key != key {
		err = fmt.Errorf("%w: %s says that it is the run %.200q", ErrResults, s.Path(runFile(key)), run.Key)
	}
	return run, err == nil, err
}

// WriteRun writes the results of a run, and before them the files beside them. If such a file
// cannot be written, for instance on a full disk, the results are written all the same: they may be
// short enough, and the next command makes the rest. stored says whether the results are written.
// The error is that of everything that is not written.
func (s *Store) WriteRun(run Run, arrays *RunArrays) (stored bool, err error) {
	if arrays != nil {
		err = errors.Join(arrays.Unsaved, s.writeArrays(runArraysFile(run.Key), arrays.archive()))
		if arrays.Model != nil {
			err = errors.Join(err, atomicfile.Write(s.ModelPath(run.Key), arrays.Model))
		}
	}
	failure := s.writeJSON(runFile(run.Key), run)
	return failure == nil, errors.Join(err, failure)
}

// OracleInfo reads oracle.json if it belongs to that key and that task.
func (s *Store) OracleInfo(key string, t TaskInfo) (info OracleInfo, ok bool) {
	err := s.readJSON(oracleInfoFile, &info, nil)
	return info, err == nil && info.Key == key && info.check(t) == nil
}

// WriteOracle writes oracle.json.
func (s *Store) WriteOracle(info OracleInfo) error { return s.writeJSON(oracleInfoFile, info) }

// Open passes a file of the folder to use. Errors of use name the file.
func (s *Store) Open(name string, use func(f io.ReaderAt, size int64) error) error {
	f, err := s.Files().Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return opened(f, s.Path(name), use)
}

func opened(f *os.File, path string, use func(f io.ReaderAt, size int64) error) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := use(f, info.Size()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
