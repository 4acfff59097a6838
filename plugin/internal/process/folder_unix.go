//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// folder is private to one process of a plugin. Its lock is held by this program, and free where this program was killed.
type folder struct {
	path string
	lock *os.File
}

const (
	folderPrefix = "koopbench-"
	lockName     = "lock"
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
	if f.lock, err = tryLock(filepath.Join(path, lockName)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return f, nil
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

// tryLock creates and locks a file. The lock ends with this program, however it ends.
func tryLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// sweep removes the user's folders that no program holds. What cannot be removed is left for the next time.
func sweep(base string) {
	found, _ := filepath.Glob(filepath.Join(base, folderPrefix+"*"))
	for _, path := range found {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || !mine(info) {
			continue
		}
		lock := filepath.Join(path, lockName)
		if _, err := os.Lstat(lock); err != nil && time.Since(info.ModTime()) < time.Minute {
			continue // just being made
		}
		file, err := tryLock(lock)
		if err != nil {
			continue
		}
		_ = os.RemoveAll(path)
		_ = file.Close()
	}
}

func mine(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

func (f *folder) remove() error { return errors.Join(os.RemoveAll(f.path), f.lock.Close()) }
