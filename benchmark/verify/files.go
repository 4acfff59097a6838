package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/tune"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/internal/npz"
)

// compareFiles compares the files beside results.json with it, and with those made again. What
// cannot be read of them is found, not an error.
func (c *comparison) compareFiles() error {
	f := &fileComparison{c, map[string]bool{".lock": true}}
	f.results()
	f.table()
	f.oracle()
	f.baselines()
	f.data()
	f.search()
	for i := range c.Runs {
		if run := &c.Runs[i]; c.asked(run.Method, run.Seed) {
			f.run(run)
		} else {
			f.leave(run)
		}
	}
	return f.others()
}

// fileComparison compares files.
type fileComparison struct {
	*comparison
	seen map[string]bool // by name, with slashes
}

// read returns the content of a file, nil where it is not there or cannot be read, which is found
// unless it may be missing.
func (f *fileComparison) read(name string, mayMiss bool) (content []byte) {
	f.reading(name, mayMiss, func() (err error) {
		content, err = f.Store.Files().Read(name, foreign.Limit())
		return err
	})
	return content
}

// reading calls what reads a file. It reports whether that went well; a file that is not there, unless it
// may be missing, and one that cannot be read are found.
func (f *fileComparison) reading(name string, mayMiss bool, read func() error) bool {
	f.seen[name] = true
	err := read()
	switch {
	case err == nil:
		return true
	case errors.Is(err, fs.ErrNotExist) && mayMiss:
	case errors.Is(err, fs.ErrNotExist):
		f.find("%s is missing", name)
	default:
		f.find("%s cannot be read: %v", name, err)
	}
	return false
}

// leave marks the files of a run that was not asked for.
func (f *fileComparison) leave(run *results.Run) {
	for _, name := range run.Files() {
		f.seen[name] = true
	}
}

// results looks for what another reader would take from results.json than this program does.
func (f *fileComparison) results() {
	if content := f.read("results.json", false); content != nil {
		f.unknown("results.json", content, f.Results)
	}
}

// unknown finds fields of a JSON file that are not those that this program reads.
func (f *fileComparison) unknown(name string, content []byte, value any) {
	field, err := unknownField(content, value)
	if err != nil {
		f.find("%s cannot be read: %v", name, err)
		return
	}
	if field != "" {
		f.find("%s has a field that this version does not know: %s", name, field)
	}
}

// table compares results.csv.
func (f *fileComparison) table() {
	content := f.read("results.csv", false)
	want, err := f.CSV()
	if content == nil || err != nil || bytes.Equal(content, want) {
		return
	}
	rows, wanted := strings.Split(string(content), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(rows), len(wanted)) {
		row, due := "", ""
		if i < len(rows) {
			row = rows[i]
		}
		if i < len(wanted) {
			due = wanted[i]
		}
		if row != due {
			f.find("results.csv is not the table of results.json: line %d is %.200q, but results.json gives %.200q",
				i+1, row, due)
			return
		}
	}
}

// oracle compares oracle.json with results.json, and the model of the oracle with the one made
// again.
func (f *fileComparison) oracle() {
	if !f.Task.Judged() {
		return
	}
	if content := f.read("oracle.json", false); content != nil {
		var info results.OracleInfo
		if f.decode("oracle.json", content, &info) {
			f.sameFields("oracle.json", info, f.Oracle, "")
		}
	}
	if f.Oracle.Key == "" {
		return
	}
	f.model(results.OracleFile(f.Oracle.Key), results.OracleFile(f.here.Oracle.Key), results.ModelInfo{
		Kind: results.ModelOfOracle, Name: f.Oracle.Name, Key: f.Oracle.Key, Seed: f.Oracle.Seed,
		Options: f.Oracle.Options, Backend: f.Environment.Backend,
	})
}

// baselines compares baselines.json with results.json.
func (f *fileComparison) baselines() {
	content := f.read("baselines.json", false)
	var there results.StoredBaselines
	if content == nil || !f.decode("baselines.json", content, &there) {
		return
	}
	f.sameFields("baselines.json", there, f.StoredBaselines(), "")
}

// data compares data.npz with the task.
func (f *fileComparison) data() {
	want, err := f.made.ReadArrays("data.npz")
	if err != nil {
		f.find("data.npz: what was made again cannot be read: %v", err)
		return
	}
	f.archive("data.npz", want, false, bitByBit(want))
}

// search compares tune.json, if it is there, with what follows from the results.
func (f *fileComparison) search() {
	var there *results.Search
	read := func() (err error) {
		there, err = f.Store.Search()
		return err
	}
	if f.reading(results.SearchFile, true, read) && there != nil {
		f.unknown(results.SearchFile, f.read(results.SearchFile, false), there)
		f.sameFields(results.SearchFile, *there, tune.Choose(*there, f.Results), "")
	}
}

// decode reads JSON, and finds it where it cannot or where others would read something else.
func (f *fileComparison) decode(name string, content []byte, value any) bool {
	if err := foreign.JSON(content, value); err != nil {
		f.find("%s cannot be read: %v", name, err)
		return false
	}
	f.unknown(name, content, value)
	return true
}

// sameFields compares what a file says with what results.json says, field by field.
func (f *fileComparison) sameFields(name string, there, results any, except string) {
	unlikeFields(there, results, except, func(field, a, b string) {
		f.find("%s has %s %s, but results.json has %s", name, field, a, b)
	})
}

// unlikeFields tells of the fields of two structs that JSON has otherwise, in the order of their names.
func unlikeFields(v, w any, except string, tell func(field, a, b string)) {
	a, b := fieldsOf(v), fieldsOf(w)
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, field := range slices.Sorted(maps.Keys(all)) {
		if field != except && !bytes.Equal(a[field], b[field]) {
			tell(field, short(a[field]), short(b[field]))
		}
	}
}

// fieldsOf are the fields of a struct as JSON.
func fieldsOf(v any) (fields map[string]json.RawMessage) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		panic(err) // it came from JSON
	}
	return fields
}

func short(text json.RawMessage) string {
	const most = 100
	switch {
	case text == nil:
		return "none"
	case len(text) > most:
		return string(text[:most]) + "…"
	}
	return string(text)
}

// run compares the files of a run.
func (f *fileComparison) run(run *results.Run) {
	ok := len(run.Evaluations) > 0
	name := path.Join("runs", run.Key+".json")
	if content := f.read(name, !ok); content != nil {
		var there results.Run
		if f.decode(name, content, &there) {
			there.RankBy(f.Protocol) // an earlier command may have ranked by another
			f.sameFields(name, there, run, "method")
			if there.Method != run.Method { // as an earlier command wrote it
				there.Name = run.Name
				f.checkMeaning(name, &there)
			}
		}
	}
	if !ok {
		return
	}
	here := f.here.Run(run.Method, run.Seed)
	if here != nil && len(here.Evaluations) == 0 {
		here = nil
	}
	f.shown(run, here)
	f.predictions(run)
	made := ""
	if here != nil {
		made = results.ModelFile(here.Key)
	}
	f.model(results.ModelFile(run.Key), made, results.ModelInfo{
		Kind: results.ModelOfMethod, Name: run.DeclaredName(), Key: run.Key, Seed: run.Seed, Options: run.Options,
		Oracle: f.Oracle.Key, Backend: f.EnvironmentOf(run).Backend,
	})
}

// shown compares what figures show of a run, with what was made again; here is nil where it was
// not.
func (f *fileComparison) shown(run, here *results.Run) {
	name := path.Join("runs", run.Key+".npz")
	want := npz.Archive{}
	if here != nil {
		var err error
		if want, err = f.made.ReadArrays(path.Join("runs", here.Key+".npz")); err != nil {
			f.find("%s: what was made again cannot be read: %v", name, err)
			return
		}
	}
	f.archive(name, want, here == nil, func(array string, there npz.Array) string {
		for _, protocol := range results.Protocols() {
			if array == results.RolloutArray(protocol) {
				return unlikeRollouts(there, want[array], run.Evaluation(protocol), here.Evaluation(protocol))
			}
		}
		return unlikeArrays(there, want[array])
	})
}

// unlikeRollouts compares roll-outs at the steps at which the predictions are those recorded:
// others are told already.
func unlikeRollouts(there, want npz.Array, recorded, here *results.Evaluation) string {
	a, ok := there.Values.([]float32)
	b := want.Values.([]float32)
	if !ok || !slices.Equal(there.Shape, want.Shape) || len(a) != len(b) || recorded == nil ||
		recorded.Status != here.Status {
		return unlikeArrays(there, want)
	}
	size := len(b) / len(here.PredictionSHA256)
	for i, hash := range recorded.PredictionSHA256 {
		if hash == here.PredictionSHA256[i] && !equalBits(a[i*size:(i+1)*size], b[i*size:(i+1)*size]) {
			return fmt.Sprintf("step %d differs from the prediction here, although the hash of the predictions is the same",
				i+1)
		}
	}
	return ""
}

// predictions compares all that a run predicted with the recorded hashes and labels.
func (f *fileComparison) predictions(run *results.Run) {
	for i := range run.Evaluations {
		e := &run.Evaluations[i]
		name, unlike := results.PredictionsFile(run.Key, e.Protocol), ""
		f.reading(name, true, func() error {
			return f.Store.EachPrediction(run.Key, e.Protocol, f.here.Task, func(array string, step int, values any) error {
				if unlike == "" {
					unlike = f.unlikePrediction(e, array, step, values)
				}
				return nil
			})
		})
		if unlike != "" {
			f.find("%s: %s", name, unlike)
		}
	}
}

// unlikePrediction says how what a file has of a step, counted from 0, is not what is recorded, "" if it is.
func (f *fileComparison) unlikePrediction(e *results.Evaluation, array string, step int, values any) string {
	if e.Status != results.StatusOK {
		return fmt.Sprintf("it exists, but the protocol %s is recorded as %s", e.Protocol, e.Status)
	}
	switch values := values.(type) {
	case []int64:
		if array == results.LabelsArray && slices.EqualFunc(values, e.Labels[step], sameLabel) {
			return ""
		}
	case []float32:
		x, err := core.NewSnapshots(values, f.here.Task.Shape...)
		if err != nil {
			return err.Error()
		}
		got := results.HashSnapshots(x)
		if array != results.PredictionsArray || got == e.PredictionSHA256[step] {
			return ""
		}
		return fmt.Sprintf("the array %q is wrong: the SHA-256 of step %d is %.12s, but it is recorded as %.12s",
			array, step+1, got, e.PredictionSHA256[step])
	}
	return fmt.Sprintf("the array %q is wrong: its values differ from step %d on", array, step+1)
}

func sameLabel(there int64, recorded int) bool { return there == int64(recorded) }

// model compares a model with what results.json says, and with the one made again, whose name is
// empty if it was not.
func (f *fileComparison) model(name, made string, want results.ModelInfo) {
	var there *results.SavedModel
	if !f.reading(name, true, func() (err error) {
		there, err = f.Store.ReadModel(name)
		return err
	}) {
		return
	}
	info, task := there.ModelInfo, f.Task
	info.Method, info.Version, want.Task = "", "", results.TaskInfo{}
	task.Source, info.Task.Source = "", ""
	task.Plugin, info.Task.Plugin = task.Plugin.SameCode(), info.Task.Plugin.SameCode()
	f.sameFields(name, info.Task, task, "")
	info.Task = results.TaskInfo{}
	f.sameFields(name, info, want, "")
	if made == "" || f.made.Files().Missing(made) {
		f.leaveFile(name)
		return
	}
	again, err := f.made.ReadModel(made)
	if err != nil {
		f.find("%s: what was made again cannot be read: %v", name, err)
		return
	}
	if !results.SameFrame(there.Frame, again.Frame) {
		f.find("%s: its frame, which says how rows become snapshots, differs from that of the task", name)
	}
	archive := func(s *core.State) npz.Archive {
		a := npz.Archive{}
		for array, values := range s.Arrays {
			a[array] = npz.Array(values)
		}
		return a
	}
	wanted := archive(again.State)
	f.unlike(name, archive(there.State), wanted, bitByBit(wanted))
	if !bytes.Equal(compact(there.State.Facts), compact(again.State.Facts)) {
		f.find("%s: its facts are %s, but here %s", name, short(there.State.Facts), short(again.State.Facts))
	}
}

func compact(text []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return text
	}
	return b.Bytes()
}

func (f *fileComparison) leaveFile(name string) {
	f.comparison.leave("the arrays of %s, which were not made again", name)
}

// unlikeFunc says how an array differs from what it must be, "" if it does not.
type unlikeFunc func(array string, there npz.Array) string

// bitByBit compares with the arrays of an archive.
func bitByBit(want npz.Archive) unlikeFunc {
	return func(array string, there npz.Array) string { return unlikeArrays(there, want[array]) }
}

// archive compares a file of arrays; unlike says what is wrong with one. If more is true it may have
// more than are wanted, which were not made again.
func (f *fileComparison) archive(name string, want npz.Archive, more bool, unlike unlikeFunc) {
	var there npz.Archive
	if !f.reading(name, false, func() (err error) {
		there, err = f.Store.ReadArrays(name)
		return err
	}) {
		return
	}
	if more {
		f.leaveFile(name)
		maps.DeleteFunc(there, func(array string, _ npz.Array) bool { _, known := want[array]; return !known })
	}
	f.unlike(name, there, want, unlike)
}

func (f *fileComparison) unlike(name string, there, want npz.Archive, unlike unlikeFunc) {
	for _, array := range slices.Sorted(maps.Keys(there)) {
		if _, known := want[array]; !known {
			f.find("%s has an array %q, which does not exist here", name, array)
		} else if text := unlike(array, there[array]); text != "" {
			f.find("%s: the array %q is wrong: %s", name, array, text)
		}
	}
	for _, array := range slices.Sorted(maps.Keys(want)) {
		if _, ok := there[array]; !ok {
			f.find("%s has no array %q", name, array)
		}
	}
}

// unlikeArrays says how an array differs from what it must be, "" where it does not.
func unlikeArrays(there, want npz.Array) string {
	if !slices.Equal(there.Shape, want.Shape) {
		return fmt.Sprintf("its shape is %v but must be %v", there.Shape, want.Shape)
	}
	if !equalBits(there.Values, want.Values) {
		return "its values differ"
	}
	return ""
}

// equalBits reports whether the values of two arrays are the same bits.
func equalBits(a, b any) bool {
	switch a := a.(type) {
	case []float32:
		b, ok := b.([]float32)
		return ok && slices.EqualFunc(a, b, func(x, y float32) bool {
			return math.Float32bits(x) == math.Float32bits(y)
		})
	case []float64:
		b, ok := b.([]float64)
		return ok && slices.EqualFunc(a, b, sameBits)
	case []complex128:
		b, ok := b.([]complex128)
		return ok && slices.EqualFunc(a, b, func(x, y complex128) bool {
			return sameBits(real(x), real(y)) && sameBits(imag(x), imag(y))
		})
	case []int64:
		b, ok := b.([]int64)
		return ok && slices.Equal(a, b)
	case []uint8:
		b, ok := b.([]uint8)
		return ok && slices.Equal(a, b)
	}
	return false
}

func sameBits(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) }

// others says which files were not looked at.
func (f *fileComparison) others() error {
	var left []string
	for _, dir := range []string{".", "runs"} {
		entries, err := f.Store.Files().Entries(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %w", results.ErrResults, err)
		}
		of := 0
		for _, entry := range entries {
			name := path.Join(dir, entry.Name())
			switch {
			case name == "runs" || f.seen[name]:
			case dir == "runs":
				of++
			default:
				left = append(left, name)
			}
		}
		if of > 0 {
			left = append(left, fmt.Sprintf("%d files in runs/ of runs that results.json does not name", of))
		}
	}
	if len(left) == 0 {
		return nil
	}
	again := ""
	if slices.Contains(left, "figures") || slices.Contains(left, "report.html") {
		again = "; bench report makes the figures and the page again"
	}
	f.comparison.leave("%s%s", strings.Join(left, ", "), again)
	return nil
}
