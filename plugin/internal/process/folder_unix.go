//go:build unix

package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// folder is private to one process of a plugin. Its lock is held by this program, and free where this program was killed.
type folder struct {
	path string
	lock *os.File
}

const (
	folderPrefix = "koopbench-"
	lockName     = ".koopbench-plugin"
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
	path, err := os.MkdirTemp(base, folderPrefix) // for the user alone
	if err != nil {
		return nil, fmt.Errorf("no folder for the socket of a plugin: %w", err)
	}
	f := &folder{path: path}
	if f.lock, err = newLock(path); err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return f, nil
}

// newLock makes the lock of a folder, which is there once it is locked.
func newLock(path string) (*os.File, error) {
	file, err := os.CreateTemp(path, lockName)
	if err != nil {
		return nil, err
	}
	if err = lock(file); err == nil {
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
		if info, err := os.Stat(c); err == nil && info.IsDir() && filepath.IsAbs(c) && len(c) <= longestBase && syscall.Access(c, 2) == nil {
			return c, nil
		}
	}
	return "", fmt.Errorf("no folder for the sockets of plugins: %q do not exist, cannot be written, or are longer than %d bytes; set TMPDIR to a short path",
		candidates, longestBase)
}

// lock locks a file. The lock ends with this program, however it ends.
func lock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// sweep removes the user's folders that no program holds. Folders without a lock are others' business. What cannot be removed is left
// for the next time.
func sweep(base string) {
	found, _ := filepath.Glob(filepath.Join(base, folderPrefix+"*"))
	for _, path := range found {
		if info, err := os.Lstat(path); err != nil || !info.IsDir() || !mine(info) {
			continue
		}
		name := filepath.Join(path, lockName)
		if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() || info.Size() != 0 || !mine(info) {
			continue
		}
		file, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if lock(file) == nil {
			_ = removeAll(path)
		}
		_ = file.Close()
	}
}

func mine(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

func (f *folder) remove() error { return errors.Join(removeAll(f.path), f.lock.Close()) }

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
