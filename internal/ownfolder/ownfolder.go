// Package ownfolder has the rule for writing into folders that a user names. Any package may import
// it. It imports only the standard library.
//
// A command overwrites only files that the same kind of command has written and that it can
// recognise. A folder is refused, and stays as it is, in two cases: it has other files under the
// names that the command writes, or another kind of command made it. Other files in the folder do
// not matter.
package ownfolder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Kind is a kind of folder that commands write.
type Kind struct {
	// Foreign is the error of a folder that must not be written to.
	Foreign error
	// sign is a file that folders of this kind have from their beginning.
	sign string
	// writes are the names that its commands write over, the sign last: a command may be writing
	// the folder for the first time at this moment.
	writes []string
}

// Kinds of folders.
var (
	Results = &Kind{errors.New("not a folder of results"), "data.npz", []string{
		"config.yaml", "plan.json", "oracle.json", "results.csv", "report.html", "figures", "logs", "tune.json", "best.yaml",
		"results.json",
		"data.npz",
	}}
	Predictions = &Kind{errors.New("not a folder of predictions"), "predictions.json", []string{
		"labels.csv", "predictions.npz", "images", ".predictions-new", "predictions.json",
	}}
	Tasks = &Kind{errors.New("not a folder of several tasks"), "tasks.json", []string{
		"tasks.csv", "tasks.html", "tasks.json",
	}}
)

// Check makes sure that a folder may be written to. own reports whether what is there is recognised
// as of this kind; it is asked only if there is something. The error is k.Foreign, with the remedy.
func (k *Kind) Check(dir string, own func() bool) error {
	there := k.found(dir)
	if there != "" && own() {
		return nil
	}
	for _, other := range []*Kind{Results, Predictions, Tasks} {
		if other != k && exists(dir, other.sign) {
			return fmt.Errorf("%w: %s has %s, which another kind of command writes; choose another folder with --out",
				k.Foreign, dir, other.sign)
		}
	}
	if there == "" {
		return nil
	}
	return fmt.Errorf("%w: %s has %s, which this program did not write and would overwrite; choose another folder with "+
		"--out",
		k.Foreign, dir, there)
}

// found is the last name in the folder that commands of the kind write, "" if there is none.
func (k *Kind) found(dir string) (there string) {
	for _, name := range k.writes {
		if exists(dir, name) {
			there = name
		}
	}
	return there
}

func exists(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}
