//go:build unix

package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/koopbench/koopbench/internal/filelock"
)

// folder is private to one process of a plugin. Its lock is held by this program, and free where
// this program was killed.
type folder struct {
	path string
	lock *os.File
}

const (
	folderPrefix = "koopbench-"
	// unfinishedPrefix begins the names of folders that are being made or removed. Nothing else has
	// such a name, so that they may go if nothing in them says whose they are.
	unfinishedPrefix = ".koopbench-plugin-folder-"
	lockName         = ".koopbench-plugin"
	// longestBase leaves room in the 107 bytes of a socket's path for folder, go-plugin's own folder in it, and socket.
	longestBase = 107 - len("/koopbench-1234567890/plugin-dir1234567890/plugin1234567890")
)

// newFolder makes a folder, after removing those that killed programs have left.
func newFolder() (*folder, error) {
	base, err := baseFolder()
	if err != nil {
		return nil, err
	}
	sweep(base)
	const attempts = 100 // another program may sweep the folder before it is locked
	for range attempts {
		var begun string
		if begun, err = os.MkdirTemp(base, unfinishedPrefix); err != nil { // for the user alone
			break
		}
		f := &folder{path: filepath.Join(base, folderPrefix+strings.TrimPrefix(filepath.Base(begun), unfinishedPrefix))}
		if f.lock, err = newLock(begun); err == nil {
			if err = moveToNew(begun, f.path); err == nil {
				return f, nil
			}
			f.lock.Close()
		}
		_ = os.RemoveAll(begun)
	}
	return nil, fmt.Errorf("no folder for the socket of a plugin: %w", err)
}

// moveToNew renames a folder, to a name that nothing has: an empty folder would be replaced.
func moveToNew(from, to string) error {
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fs.ErrExist, err)
	}
	return os.Rename(from, to)
}

// newLock makes the lock of a folder, which is there once it is locked.
func newLock(path string) (*os.File, error) {
	file, err := os.CreateTemp(path, lockName)
	if err != nil {
		return nil, err
	}
	if err = filelock.Lock(file); err == nil {
		err = os.Rename(file.Name(), filepath.Join(path, lockName))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// baseFolder returns the first usual folder for temporary files that exists and whose path is short enough for sockets.
func baseFolder() (string, error) {
	candidates := []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp"}
	for _, c := range candidates {
		if info, err := os.Stat(c); err == nil && info.IsDir() && filepath.IsAbs(c) && len(c) <= longestBase &&
			syscall.Access(c, 2) == nil {
			return c, nil
		}
	}
	return "", fmt.Errorf("no folder for the sockets of plugins: %q do not exist, cannot be written, or are longer than "+
		"%d bytes; set TMPDIR to a short path",
		candidates, longestBase)
}

// sweep removes the user's folders that no program holds, with the processes of plugins that are
// left in them, and those that a program was killed in making or removing, which have nothing in
// them, or a lock that was not yet locked. Other folders without a lock are others' business, empty
// ones too. What cannot be removed is left for the next time.
func sweep(base string) {
	for _, prefix := range []string{folderPrefix, unfinishedPrefix} {
		found, _ := filepath.Glob(filepath.Join(base, prefix+"*"))
		for _, path := range found {
			if info, err := os.Lstat(path); err != nil || !info.IsDir() || !mine(info) {
				continue
			}
			name := filepath.Join(path, lockName)
			if _, err := os.Lstat(name); err == nil {
				ifFree(name, func() {
					killProcessesIn(path)
					_ = removeFolder(path)
				})
			} else if prefix == unfinishedPrefix {
				removeBegun(path)
			}
		}
	}
}

// removeBegun removes a folder that holds nothing, except for locks that nobody has locked.
func removeBegun(path string) {
	begun, _ := filepath.Glob(filepath.Join(path, lockName+"*"))
	for _, name := range begun {
		ifFree(name, func() { _ = os.Remove(name) })
	}
	_ = os.Remove(path) // which it is not if anything else is in it
}

// ifFree calls do while it holds a lock that is free. A file that is no lock of the user's is not touched.
func ifFree(name string, do func()) {
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() || info.Size() != 0 || !mine(info) {
		return
	}
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return
	}
	if filelock.Lock(file) == nil {
		do()
	}
	_ = file.Close()
}

func mine(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

func (f *folder) remove() error { return errors.Join(removeFolder(f.path), f.lock.Close()) }

// removeFolder removes a folder, its lock after everything else, under a name that says that it is
// being removed: a program that is killed meanwhile leaves what the next one sweeps.
func removeFolder(path string) error {
	base, name := filepath.Split(path)
	number := strings.TrimPrefix(strings.TrimPrefix(name, unfinishedPrefix), folderPrefix)
	ending := filepath.Join(base, unfinishedPrefix+number)
	if ending != path && moveToNew(path, ending) == nil {
		path = ending
	}
	entries, _ := os.ReadDir(path) // what cannot be read is told of below
	for _, e := range entries {
		if e.Name() != lockName {
			_ = removeAll(filepath.Join(path, e.Name()))
		}
	}
	return removeAll(path)
}

// removeAll removes a folder, and first lets the user write the folders in it where that is what it takes.
func removeAll(path string) error {
	if os.RemoveAll(path) == nil {
		return nil
	}
	_ = filepath.WalkDir(path, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil // what cannot be read is told of below
	})
	return os.RemoveAll(path)
}
