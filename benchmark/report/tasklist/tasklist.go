// Package tasklist keeps the list of tasks of a folder that contains one folder of results for each
// task. Commands with one task do not use it.
package tasklist

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/internal/ownfolder"
)

// File is the name of the list in the folder.
const File = "tasks.json"

// Schema names the layout of the list.
const Schema = "koopbench.tasks/1"

var (
	// ErrForeign means that a folder has files of something else where those of several tasks would be
	// written.
	ErrForeign = ownfolder.Tasks.Foreign
	// ErrList means that a file cannot be read as a list of tasks.
	ErrList = errors.New("not readable as a list of tasks")
)

// List is the content of tasks.json. One goroutine uses it.
type List struct {
	Schema string `json:"schema"`
	Tasks  []Task `json:"tasks"`

	dir string
}

// Task is a task of the list.
type Task struct {
	Written string `json:"task"`             // as the user chose it: "lorenz63", "prinz-potential?sigma=1.4"
	Folder  string `json:"folder"`           // of its results, within that of the list
	Failed  string `json:"failed,omitempty"` // what went wrong in the last command, "" for nothing
}

// Read reads the list of a folder. The error is [ErrList], and also [fs.ErrNotExist] if there is
// none.
func Read(dir string) (*List, error) {
	l := &List{dir: dir}
	if err := foreign.Folder(dir).JSON(File, l, nil); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	if l.Schema != Schema {
		return nil, fmt.Errorf("%w: %s has the schema %.100q, but this version reads %q", ErrList,
			filepath.Join(dir, File), l.Schema, Schema)
	}
	for _, t := range l.Tasks {
		if !isFolder(t.Folder) {
			return nil, fmt.Errorf("%w: %s names the folder %.100q, which is not beside it", ErrList,
				filepath.Join(dir, File), t.Folder)
		}
	}
	return l, nil
}

// isFolder reports whether a name can be that of a folder beside the list.
func isFolder(name string) bool {
	return filepath.IsLocal(name) && name == filepath.Base(name) && !strings.HasPrefix(name, ".")
}

// Claim makes the folder if necessary, and adds tasks to its list. Tasks that are already on the
// list stay. The error is [ErrForeign] if something else would be overwritten.
func Claim(dir string, written []string) (*List, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("cannot make the folder %s: %w; choose another with --out", dir, err)
	}
	l := &List{Schema: Schema, dir: dir}
	err := ownfolder.Tasks.Check(dir, func() bool {
		there, err := Read(dir)
		if err == nil {
			l = there
		}
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	for _, text := range written {
		l.put(Task{Written: text, Folder: FolderOf(text)})
	}
	return l, l.write()
}

// put puts a task on the list, in place of one of the same folder.
func (l *List) put(t Task) {
	k := slices.IndexFunc(l.Tasks, func(other Task) bool { return other.Folder == t.Folder })
	if k < 0 {
		l.Tasks = append(l.Tasks, t)
		return
	}
	l.Tasks[k] = t
}

// Fail records what went wrong with a task of the list.
func (l *List) Fail(written, why string) error {
	l.put(Task{Written: written, Folder: FolderOf(written), Failed: why})
	return l.write()
}

func (l *List) write() error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(l.dir, File), append(text, '\n'))
}

// Beside returns the folders beside the list that it does not name, in alphabetical order, without
// hidden ones.
func (l *List) Beside() ([]string, error) {
	entries, err := foreign.Folder(l.dir).Entries(".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		listed := slices.ContainsFunc(l.Tasks, func(t Task) bool { return t.Folder == e.Name() })
		if info, err := os.Stat(filepath.Join(l.dir, e.Name())); err == nil && info.IsDir() && !listed && isFolder(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Path is the path of a folder of the list.
func (l *List) Path(folder string) string { return filepath.Join(l.dir, folder) }

// CheckInside returns an error if something other than a folder has the name of a folder of the
// list: foreign.ErrOutside for a link that leads out. It is not an error if the folder does not
// exist yet.
func (l *List) CheckInside(folder string) error {
	info, err := foreign.Folder(l.dir).Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s is a file, but must be a folder", l.Path(folder))
	}
	return err
}

// most is the greatest number of characters of a folder's name that a task alone decides.
const most = 80

// FolderOf returns the name of the folder of a task, "lorenz63" or "prinz-potential,sigma=1.4": its
// name, and its options in alphabetical order. It depends only on the task, so it stays the same
// whatever else a command names. If the text cannot be a file name, the characters that are not
// allowed are removed and a part of its SHA-256 is added.
func FolderOf(written string) string {
	name, query, _ := strings.Cut(written, "?")
	text := name
	if query != "" {
		pairs := strings.Split(query, "&")
		slices.Sort(pairs)
		text += "," + strings.Join(pairs, ",")
	}
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(",-=._", r) {
			return r
		}
		return '-'
	}, text)
	safe = strings.Trim(safe[:min(len(safe), most)], ".")
	if safe == text && safe != "" {
		return safe
	}
	sum := sha256.Sum256([]byte(text))
	return cmp.Or(safe, "task") + "," + hex.EncodeToString(sum[:4])
}
