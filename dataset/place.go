package dataset

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
)

// extensions are those of the files in a folder that are read.
var extensions = []string{".npy", ".npz", ".csv", ".tsv"}

func hasExtension(name string) bool {
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(name))) && !strings.HasPrefix(name, ".")
}

// place is a file: one that the user names, or one in a folder that the user names.
type place struct {
	path   string
	folder foreign.Folder // "" for none
	name   string         // for messages: the end of the path that no other file has
}

func (p place) open() (*os.File, error) {
	if p.folder == "" {
		f, err := foreign.Open(p.path)
		return f, printable(p.path, err)
	}
	f, err := p.folder.Open(filepath.Base(p.path))
	return f, printable(p.path, err)
}

// printable is an error of a file whose name may hold anything, for one line.
func printable(path string, err error) error {
	if err == nil || !strings.Contains(err.Error(), path) || shownPath(path) == path {
		return err
	}
	return oneLine{err, strings.ReplaceAll(err.Error(), path, shownPath(path))}
}

// oneLine is an error with another text.
type oneLine struct {
	error
	text string
}

func (e oneLine) Error() string { return e.text }
func (e oneLine) Unwrap() error { return e.error }

// giveNames names files: by their names alone or, where two have one, with as many folders as tell them apart. The
// error is [core.ErrOption] for a file that is there twice.
func giveNames(files []place) error {
	parts := make([][]string, len(files))
	paths := map[string]bool{}
	for i, file := range files {
		path, err := filepath.Abs(file.path)
		if err != nil {
			return err
		}
		parts[i] = strings.Split(path, string(filepath.Separator))
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		if paths[path] {
			return fmt.Errorf("%w: %s is given twice, so it would be in the training data and the test data", core.ErrOption,
				shownPath(file.path))
		}
		paths[path] = true
	}
	for depth := 1; ; depth++ {
		given, last := map[string]bool{}, true
		for i := range files {
			end := parts[i][max(0, len(parts[i])-depth):]
			files[i].name = shown(strings.Join(end, "/"))
			given[files[i].name] = true
			last = last && len(end) < depth
		}
		if len(given) == len(files) || last {
			return nil
		}
	}
}

// SplitPlaces returns the files and folders of a list separated by commas. A comma may also be part
// of a name: if a file or folder with the whole text as its name exists, it is one place.
func SplitPlaces(list string) []string {
	if _, err := os.Stat(list); err == nil {
		return []string{list}
	}
	places := strings.Split(list, ",")
	for i := range places {
		places[i] = strings.TrimSpace(places[i])
	}
	return places
}

// IsRecordings reports whether a place is one of [Recordings]: a file, a folder that contains a
// file to read, or a list. It checks what exists, and does not read files.
func IsRecordings(list string) bool {
	places := SplitPlaces(list)
	info, err := os.Stat(places[0])
	switch {
	case len(places) > 1, err != nil:
		return len(places) > 1 || hasExtension(filepath.Base(list))
	case !info.IsDir():
		return !strings.HasSuffix(strings.TrimSuffix(list, ".gz"), "-ubyte") // a part of a set
	}
	files, err := inFolder(places[0])
	return err == nil && len(files) > 0
}

// recordingsAt returns the files of a list.
func recordingsAt(list string) ([]place, error) {
	var files []place
	for _, at := range SplitPlaces(list) {
		if at == "" {
			return nil, fmt.Errorf("%w: there is no name before or after a comma in %q; name a file or folder there",
				core.ErrOption, list)
		}
		info, err := os.Stat(at)
		if err != nil {
			return nil, printable(at, err)
		}
		some := []place{{path: at}}
		if info.IsDir() {
			if some, err = inFolder(at); err != nil {
				return nil, err
			}
			if len(some) == 0 {
				return nil, fmt.Errorf("%w: the folder %s has no file that ends in %s; folders in it are not "+
					"looked into", ErrFormat, shownPath(at), strings.Join(extensions, ", "))
			}
		}
		if files = append(files, some...); len(files) > maxFiles {
			return nil, fmt.Errorf("%w: more than %d files", ErrFormat, maxFiles)
		}
	}
	return files, giveNames(files)
}

// inFolder returns the files of a folder that are read, in natural order.
func inFolder(path string) ([]place, error) {
	folder := foreign.Folder(path)
	entries, err := folder.Entries(".")
	if err != nil {
		return nil, err
	}
	var files []place
	for _, e := range entries {
		if hasExtension(e.Name()) && !e.IsDir() {
			files = append(files, place{path: filepath.Join(path, e.Name()), folder: folder})
		}
	}
	slices.SortStableFunc(files, func(a, b place) int { return natural(a.path, b.path) })
	return files, nil
}

// natural compares texts, runs of digits in them as numbers: run2 comes before run10.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, restA := digits(a)
		y, restB := digits(b)
		if x == "" || y == "" {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return cmp.Compare(len(a), len(b))
}

// digits cuts the digits off that a text begins with.
func digits(text string) (run, rest string) {
	rest = strings.TrimLeft(text, "0123456789")
	return text[:len(text)-len(rest)], rest
}
