package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/filelock"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/internal/npz"
	"github.com/koopbench/koopbench/internal/ownfolder"
)

// PredictionsSchema is the schema of predictions.json.
const PredictionsSchema = "koopbench.predictions/1"

// The files of a folder of predictions.
const (
	sourceFile      = "predictions.json"
	predictionsFile = "predictions.npz"
	labelsFile      = "labels.csv"
	imagesFolder    = "images"
	pictureName     = "image%04d-step%03d.png"
	stagingFolder   = ".predictions-new"
)

var picture = regexp.MustCompile(`^image[0-9]{4,}-step[0-9]{3,}\.png$`)

// source says what predictions were made of: the content of predictions.json. By it a folder of
// predictions is recognised.
type source struct {
	Schema   string `json:"schema"`
	Version  string `json:"version"` // of koopbench that made the model
	Method   string `json:"method"`  // as the user of the model's run wrote it
	Key      string `json:"key"`     // of the model's run
	Oracle   string `json:"oracle"`  // key of the oracle that judged the run
	Protocol string `json:"protocol"`
	Steps    int    `json:"steps"`
}

func sourceOf(m *results.SavedModel, f *predictFlags) source {
	return source{PredictionsSchema, m.Version, m.Method, m.Key, m.Oracle, f.protocol, f.steps}
}

func (s source) write(dir string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, sourceFile), append(text, '\n'))
}

// checkPredictions makes sure that predictions can be written to a folder: that it has none, or
// earlier ones.
func checkPredictions(dir string) error {
	return ownfolder.Predictions.Check(dir, func() bool {
		var s source
		text, err := os.ReadFile(filepath.Join(dir, sourceFile))
		return err == nil && json.Unmarshal(text, &s) == nil && s.Schema == PredictionsSchema
	})
}

// write writes everything, with PNGs of the first inputs, in place of earlier predictions. These go
// once all is written beside them, so that a full disk costs nothing, and before any file takes its
// place, so that old and new are never mixed.
func (p *predictions) write(dir string, pngs int) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	lock, err := foreign.Folder(dir).Change(".lock", false) // a link in its place would make or change another file
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer lock.Close()
	if errors.Is(filelock.Lock(lock), filelock.ErrLocked) {
		return fmt.Errorf("%w: another command is writing predictions to %s; wait until it ends, "+
			"or choose another folder with --out", results.ErrBusy, dir)
	}
	if err := checkPredictions(dir); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, sourceFile)); err != nil {
		if err := p.source.write(dir); err != nil { // so that the folder is recognised from now on
			return err
		}
	}
	staging := filepath.Join(dir, stagingFolder)
	if err := os.RemoveAll(staging); err != nil { // of a command that was killed
		return err
	}
	if err := os.Mkdir(staging, 0o777); err != nil {
		return err
	}
	if err := p.writeFiles(staging, pngs); err != nil {
		return errors.Join(err, os.RemoveAll(staging))
	}
	if err := keepModes(staging, dir); err != nil {
		return err
	}
	if err := removePredictions(dir); err != nil {
		return err
	}
	return moveFiles(staging, dir)
}

// keepModes gives the files of a folder the modes of those that they replace.
func keepModes(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if old, err := os.Lstat(filepath.Join(to, name)); err == nil && old.Mode().IsRegular() {
			return os.Chmod(path, old.Mode().Perm())
		}
		return nil // it replaces none
	})
}

// removePredictions removes what write writes, except for predictions.json.
func removePredictions(dir string) error {
	var errs []error
	for _, name := range []string{labelsFile, predictionsFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	images := filepath.Join(dir, imagesFolder)
	entries, _ := os.ReadDir(images) // there may be none
	for _, e := range entries {
		if picture.MatchString(e.Name()) {
			errs = append(errs, os.Remove(filepath.Join(images, e.Name())))
		}
	}
	_ = os.Remove(images) // which it is not if anything else is in it
	return errors.Join(errs...)
}

// moveFiles moves the files of a folder, and those of the folders in it, and removes it.
func moveFiles(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		old, name := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		if e.IsDir() {
			if err := os.MkdirAll(name, 0o777); err != nil {
				return err
			}
			err = moveFiles(old, name)
		} else {
			err = os.Rename(old, name)
		}
		if err != nil {
			return err
		}
	}
	return os.Remove(from)
}

// writeFiles writes everything into an empty folder, with PNGs of the first inputs.
func (p *predictions) writeFiles(dir string, pngs int) error {
	if err := p.source.write(dir); err != nil {
		return err
	}
	shape := p.inputs.Shape()
	archive := npz.Archive{"inputs": {Shape: append([]int{p.inputs.Len()}, shape...), Values: p.inputs.Floats()}}
	var images []float32
	for _, x := range p.steps {
		images = append(images, x.Floats()...)
	}
	archive["images"] = npz.Array{Shape: append([]int{len(p.steps), p.inputs.Len()}, shape...), Values: images}
	if p.labels != nil {
		var labels []int64
		for _, step := range p.labels {
			for _, l := range step {
				labels = append(labels, int64(l))
			}
		}
		n := p.inputs.Len()
		archive["input_labels"] = npz.Array{Shape: []int{n}, Values: labels[:n]}
		archive["labels"] = npz.Array{Shape: []int{len(p.steps), n}, Values: labels[n:]}
		if err := p.writeLabels(filepath.Join(dir, labelsFile)); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	if err := npz.Write(&b, archive); err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(dir, predictionsFile), b.Bytes()); err != nil {
		return err
	}
	return p.writePictures(filepath.Join(dir, imagesFolder), min(pngs, p.inputs.Len()))
}

// writeLabels writes a row for each image and step; step 0 is the input.
func (p *predictions) writeLabels(path string) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"image", "step", "label"}}
	for i := range p.inputs.Len() {
		for step, labels := range p.labels {
			rows = append(rows, []string{strconv.Itoa(i), strconv.Itoa(step), strconv.Itoa(labels[i])})
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return atomicfile.Write(path, b.Bytes())
}

// writePictures writes the first images, if they are images of grey.
func (p *predictions) writePictures(dir string, count int) error {
	shape := p.inputs.Shape()
	if len(shape) == 3 && shape[2] == 1 {
		shape = shape[:2]
	}
	if len(shape) != 2 || count == 0 {
		return nil
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	for step, x := range slices.Concat([]core.Snapshots{p.inputs}, p.steps) {
		for i := range count {
			var b bytes.Buffer
			if err := png.Encode(&b, dataset.Grey(x.Slice(i, i+1).Floats(), shape[0], shape[1])); err != nil {
				return err
			}
			if err := atomicfile.Write(filepath.Join(dir, fmt.Sprintf(pictureName, i, step)), b.Bytes()); err != nil {
				return err
			}
		}
	}
	return nil
}

// summary has a line for each of the first images that says what the oracle sees.
func (p *predictions) summary() string {
	const most = 10
	var s strings.Builder
	for i := range min(p.inputs.Len(), most) {
		if p.labels == nil {
			break
		}
		fmt.Fprintf(&s, "image %d: %d, then", i, p.labels[0][i])
		for _, labels := range p.labels[1:] {
			fmt.Fprintf(&s, " %d", labels[i])
		}
		s.WriteString("\n")
	}
	if n := p.inputs.Len() - most; n > 0 && p.labels != nil {
		fmt.Fprintf(&s, "and %d more\n", n)
	}
	return s.String()
}
