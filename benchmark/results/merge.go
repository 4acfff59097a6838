package results

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/internal/atomicfile"
)

// Merged is the result of [Merge].
type Merged struct {
	Results *Results
	// Missing are the runs of plans that have not finished in any folder, or whose files cannot be
	// read.
	Missing []MissingRun
	// Copied is the number of runs that were written to the folder.
	Copied int
	// Notes are sentences on facts that the user may not expect.
	Notes []string
}

// MissingRun is a run of a plan that is missing.
type MissingRun struct {
	Method string
	Seed   int64
	Reason string
}

// Merge joins the contents of folders into the results of the folder out: the runs of results.json,
// and the finished runs of plans, both of shards and of commands that were killed. It keeps what
// out already has. out may be one of the folders, or they may all be out. Merge writes only to out,
// and overwrites a run there only with a better one. The same call again changes nothing, and
// completes a call that was interrupted.
//
// Folders that cannot share a table, or have two different results of one run, are refused before
// anything is written, with [ErrNotComparable] and the reason. The other errors are [ErrResults]
// for folders without results or with damaged ones, [ErrForeign] for files of something else in
// out, [ErrBusy], and those of writing. command is stored with the results.
func Merge(out string, from []string, command []string) (*Merged, error) {
	store := OpenStore(out)
	folders, err := openFolders(store, from)
	if err != nil {
		return nil, err
	}
	j, err := join(folders)
	if err != nil {
		return nil, err
	}
	if len(j.runs) == 0 {
		return nil, fmt.Errorf("%w: no run has finished in %s", ErrResults, strings.Join(from, ", "))
	}
	if err := store.Prepare(); err != nil {
		return nil, err
	}
	unlock, err := store.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	m := &Merged{Missing: j.missing, Notes: j.notes}
	first := folders[0]
	m.Results = first.results(j.oracle)
	m.Results.Environment.Command = command
	if err := m.takeBeside(store, folders, j.runs); err != nil {
		return nil, err
	}
	if err := m.takeCommon(store, folders); err != nil {
		return nil, err
	}
	if err := m.takeBaselines(store, folders); err != nil {
		return nil, err
	}
	for _, r := range j.runs {
		if err := m.take(store, r); err != nil {
			return nil, err
		}
		m.Results.Runs = append(m.Results.Runs, *r.result)
	}
	m.Results.RankBy(m.Results.Protocol)
	if err := m.takeData(store, folders); err != nil {
		return nil, err
	}
	m.Results.Warnings = m.Results.AboveOracle()
	if j.oracle.Name != "" {
		if err := store.WriteOracle(j.oracle); err != nil {
			return nil, err
		}
		if err := j.oracle.take(store, folders); err != nil {
			return nil, err
		}
	}
	return m, store.WriteResults(m.Results)
}

// takeBaselines takes the baselines of the first folder that has them.
func (m *Merged) takeBaselines(out *Store, folders []*folder) error {
	for _, f := range folders {
		baselines, ok := f.store.Baselines(m.Results)
		if !ok {
			continue
		}
		m.Results.Baselines = baselines
		return out.WriteBaselines(m.Results)
	}
	return nil
}

// take copies the file of the oracle, where out has none and a folder has.
func (o OracleInfo) take(out *Store, folders []*folder) error {
	if o.Key == "" || !out.Files().Missing(OracleFile(o.Key)) {
		return nil
	}
	for _, f := range folders {
		if m, err := f.store.Oracle(o.Key); err == nil && m.Key == o.Key {
			return m.Write(out.OraclePath(o.Key))
		}
	}
	return nil
}

// take writes the results of a run where out does not have them, or has them only as a failure or incomplete. What lies
// beside them is there already, so that a run whose .json is there is complete.
func (m *Merged) take(out *Store, r foundRun) error {
	own, ok, err := out.Run(r.key)
	if ok && err == nil && (own.Evaluated() || !r.result.Evaluated()) {
		return nil
	}
	m.Copied++
	return out.writeJSON(runFile(r.key), r.result)
}

// besideFile is a file of a run beside its results, and what reads it to its end.
type besideFile struct {
	name string
	read func(*Store) error
}

// beside are those that a run of the task may have.
func (r *Run) beside(t TaskInfo) []besideFile {
	files := []besideFile{
		{ModelFile(r.Key), func(s *Store) error {
			m, err := s.ReadModel(ModelFile(r.Key))
			if err == nil && m.Key != r.Key {
				err = fmt.Errorf("%w: it says that it is the model of the run %.200q", ErrModel, m.Key)
			}
			return err
		}},
		{runArraysFile(r.Key), func(s *Store) error { _, err := s.RunArraysOf(t, r); return err }},
	}
	for _, protocol := range Protocols() {
		files = append(files, besideFile{PredictionsFile(r.Key, protocol), func(s *Store) error {
			return s.EachPrediction(r.Key, protocol, t, nil)
		}})
	}
	return files
}

// Files returns the names of the files that a run may have.
func (r *Run) Files() []string {
	names := []string{runFile(r.Key)}
	for _, file := range r.beside(TaskInfo{}) {
		names = append(names, file.name)
	}
	return names
}

// takeBeside copies what lies beside the results of the runs, arrays, models and predictions, where out does not have
// it. What cannot be read is left out, with a note.
func (m *Merged) takeBeside(out *Store, folders []*folder, runs []foundRun) error {
	for _, r := range runs {
		if len(r.result.Evaluations) == 0 {
			continue
		}
		for _, f := range folders {
			for _, file := range r.result.beside(m.Results.Task) {
				if err := m.takeFile(out, f.store, r, file); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (m *Merged) takeFile(out, from *Store, r foundRun, file besideFile) error {
	if from.Files().Missing(file.name) {
		return nil
	}
	if err := file.read(from); err != nil {
		m.Notes = append(m.Notes, fmt.Sprintf("%s, seed %d: a file beside its results cannot be read and is left out: %v",
			r.method, r.seed, err))
		return nil
	}
	if from == out || file.read(out) == nil {
		return nil
	}
	return copyFile(out, from, file.name)
}

// copyFile copies a file of one folder to another, piece by piece.
func copyFile(to, from *Store, name string) error {
	return from.Open(name, func(content io.ReaderAt, size int64) error {
		f, err := atomicfile.Create(to.Path(name))
		if err != nil {
			return err
		}
		defer f.Discard()
		if _, err := io.Copy(f, io.NewSectionReader(content, 0, size)); err != nil {
			return err
		}
		return f.Commit()
	})
}

// maxConfiguration is the largest size of a configuration, in bytes.
const maxConfiguration = 1 << 20

// takeCommon copies the configuration if it is the same everywhere.
func (m *Merged) takeCommon(out *Store, folders []*folder) error {
	var first []byte
	for _, f := range folders {
		text, err := f.store.Files().Read(configurationFile, maxConfiguration)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			m.Notes = append(m.Notes, fmt.Sprintf("a configuration cannot be read and is left out: %v", err))
		case first == nil:
			first = text
		case !bytes.Equal(first, text):
			m.Notes = append(m.Notes, "the folders have different config.yaml files, so no single one repeats all runs; each "+
				"run has its command in results.json")
			return nil
		}
	}
	if first == nil || !out.Files().Missing(configurationFile) {
		return nil
	}
	return atomicfile.Write(out.Path(configurationFile), first)
}

// takeData copies data.npz where out has none that fits the task.
func (m *Merged) takeData(out *Store, folders []*folder) error {
	fits := func(s *Store) bool {
		_, err := s.TaskArraysOf(m.Results.Task)
		return err == nil
	}
	if fits(out) {
		return nil
	}
	for _, f := range folders {
		if !fits(f.store) {
			continue
		}
		return copyFile(out, f.store, dataFile)
	}
	m.Notes = append(m.Notes, "no folder has a readable data.npz, so there will be no figures")
	return nil
}

// joined is the content of several folders that belong together.
type joined struct {
	oracle  OracleInfo
	runs    []foundRun
	missing []MissingRun
	notes   []string
}

// join checks that folders belong together and chooses of each run the best result.
func join(folders []*folder) (*joined, error) {
	j := &joined{oracle: folders[0].oracle}
	first := folders[0]
	for _, f := range folders[1:] {
		if reasons := f.unlike(first.setting); len(reasons) > 0 {
			return nil, fmt.Errorf("%w: %s cannot be joined with %s: %w%s", ErrNotComparable, f.store.dir, first.store.dir,
				reasons.err(), remedy(reasons))
		}
		if !j.oracle.fitted() {
			j.oracle = f.oracle
		}
		if f.oracle.fitted() && (f.oracle.ValidationAccuracy != j.oracle.ValidationAccuracy ||
			f.oracle.TestAccuracy != j.oracle.TestAccuracy) {
			return nil, fmt.Errorf("%w: the oracles of %s and of others were made in the same way but judge differently "+
				"(accuracy %v "+
				"and %v on test snapshots), so the machines compute differently; find out with: bench verify", ErrNotComparable,
				f.store.dir, f.oracle.TestAccuracy, j.oracle.TestAccuracy)
		}
	}
	best, order := map[string]*foundRun{}, []string{}
	for _, f := range folders {
		j.notes = append(j.notes, f.notes...)
		for _, protocol := range f.protocols {
			if protocol != first.protocol {
				j.notes = append(j.notes, fmt.Sprintf("%s has results that rank by protocol %s; the joined results rank "+
					"by %s, like the first folder", f.store.dir, protocol, first.protocol))
			}
		}
		for _, r := range f.runs {
			old := best[r.key]
			if old == nil {
				best[r.key] = &r
				order = append(order, r.key)
				continue
			}
			if step := r.result.Contradicts(old.result); step > 0 {
				return nil, fmt.Errorf("%w: %s, seed %d (%s) has different predictions in %s and in %s, from step %d on, although "+
					"it was made in the same way; find out which can be repeated with: bench verify --run "+
					"%s", ErrNotComparable, r.method,
					r.seed, r.key, r.store.dir, old.store.dir, step, r.key)
			}
			if r.betterThan(old) {
				r.method = old.method
				best[r.key] = &r
			}
		}
	}
	for _, key := range order {
		if r := best[key]; r.result != nil {
			j.runs = append(j.runs, *r)
		} else {
			j.missing = append(j.missing, r.missing())
		}
	}
	return j, j.name()
}

// remedy says what helps against a reason that has one.
func remedy(reasons differences) string {
	for _, r := range reasons {
		if r.Aspect == AspectKernels {
			return "; give all shards the same --backend, like cpu:kernels=avx2"
		}
	}
	return ""
}

// name gives runs that were made alike one name, sorts them by method and seed, and refuses what could not be told
// apart in a table.
func (j *joined) name() error {
	type identity struct{ name, options, plugin string }
	of := func(r foundRun) identity {
		return identity{r.result.DeclaredName(), hashJSON(r.result.Options), r.result.Plugin.Identity()}
	}
	methods, owners, places := map[identity]string{}, map[string]foundRun{}, map[string]int{}
	for i := range j.runs {
		r := &j.runs[i]
		id := of(*r)
		if method, known := methods[id]; known && method != r.method {
			j.notes = append(j.notes, fmt.Sprintf("%s, seed %d, is the same method as %s and now has that name",
				r.method, r.seed,
				method))
			r.method = method
		}
		methods[id] = r.method
		if owner, known := owners[r.method]; !known {
			owners[r.method], places[r.method] = *r, i
		} else if of(owner) != id {
			why := UnlikeOptions(r.result.Options, owner.result.Options)
			if why == "" {
				why = fmt.Sprintf("it is from %s against %s", r.result.Plugin.Origin(), owner.result.Plugin.Origin())
			}
			return fmt.Errorf("%w: %s is not the same method in %s, seed %d, and in %s, seed %d: %s; put its options into the "+
				"name, like vamp?epochs=20", ErrNotComparable, r.method, r.store.dir, r.seed, owner.store.dir, owner.seed, why)
		}
		r.result.Method = r.method
	}
	slices.SortStableFunc(j.runs, func(a, b foundRun) int {
		return cmp.Or(cmp.Compare(places[a.method], places[b.method]), cmp.Compare(a.seed, b.seed))
	})
	for i := 1; i < len(j.runs); i++ {
		if a, b := j.runs[i-1], j.runs[i]; a.method == b.method && a.seed == b.seed {
			return fmt.Errorf("%w: %s, seed %d, occurs twice: as %s in %s and as %s in %s", ErrNotComparable, a.method, a.seed,
				a.key, a.store.dir, b.key, b.store.dir)
		}
	}
	return nil
}

// fitted reports whether it is known how well the oracle judges.
func (o OracleInfo) fitted() bool { return o.History != nil || o.TestAccuracy > 0 }

// errNone: a folder holds nothing of a command.
var errNone = errors.New("has neither results.json nor plans of commands")

// openFolders reads out, if it holds anything, and the others, each once.
func openFolders(out *Store, from []string) ([]*folder, error) {
	var folders []*folder
	seen := map[string]bool{}
	for i, dir := range append([]string{out.dir}, from...) {
		real, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		if link, err := filepath.EvalSymlinks(real); err == nil {
			real = link
		}
		if seen[real] {
			continue
		}
		store := out
		if i > 0 {
			store = OpenStore(dir)
		}
		f, err := store.folder()
		if i == 0 && errors.Is(err, errNone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		seen[real] = true
		folders = append(folders, f)
	}
	if len(folders) == 0 {
		return nil, fmt.Errorf("%w: no folder to merge", ErrResults)
	}
	return folders, nil
}
