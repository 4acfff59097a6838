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
	const attempts = 100 // another program may sweep the folder before it is locked
	for range attempts {
		f := &folder{}
		if f.path, err = os.MkdirTemp(base, folderPrefix); err != nil { // for the user alone
			break
		}
		if f.lock, err = newLock(f.path); err == nil {
			return f, nil
		}
		_ = os.RemoveAll(f.path)
	}
	return nil, fmt.Errorf("no folder for the socket of a plugin: %w", err)
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

// sweep removes the user's folders that no program holds, with the processes of plugins that are
// left in them, and those that a program was killed in making or removing: they have nothing in
// them, or a lock that was not yet locked. Other folders without a lock are others' business. What
// cannot be removed is left for the next time.
func sweep(base string) {
	found, _ := filepath.Glob(filepath.Join(base, folderPrefix+"*"))
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
			continue
		}
		begun, _ := filepath.Glob(filepath.Join(path, lockName+"*"))
		for _, name := range begun {
			ifFree(name, func() { _ = os.Remove(name) })
		}
		_ = os.Remove(path) // which it is not where anything else is in it
	}
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
	if lock(file) == nil {
		do()
	}
	_ = file.Close()
}

func mine(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

func (f *folder) remove() error { return errors.Join(removeFolder(f.path), f.lock.Close()) }

// removeFolder removes a folder, its lock after everything else: a program that is killed meanwhile leaves what the next one sweeps.
func removeFolder(path string) error {
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
