// Package atomicfile writes each file as a whole. A reader, or the next start after a crash, sees
// the old content or the new content, and never a part. Any package may import it. It imports only
// the standard library and filelock.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/koopbench/koopbench/internal/filelock"
)

// Write writes a file under another name in the same folder, syncs it and renames it. If that
// fails, on a full disk for instance, nothing is left and a file that was there stays as it was.
func Write(path string, data []byte) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Commit()
}

// File is a file that is written piece by piece, and appears whole when it is committed. It is for
// one goroutine at a time. It holds a lock until then, so that others can tell it from what a
// killed program has left.
type File struct {
	path string
	mode fs.FileMode // that the file must have, 0 for what the umask gives
	temp *os.File    // nil once it is committed or discarded
}

// Create begins a file of that path. A new file has the mode that the umask gives, and one that is
// replaced keeps its mode. The caller must call Commit or Discard. The first file in a folder also
// sweeps it, see [Sweep].
func Create(path string) (*File, error) {
	sweepOnce(filepath.Dir(path))
	f := &File{path: path}
	mode := fs.FileMode(0o666)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		f.mode = info.Mode().Perm()
		mode = f.mode | 0o200 // it is written first
	}
	const attempts = 100 // others may sweep the folder before the file is locked
	var err error
	for range attempts {
		name := filepath.Join(filepath.Dir(path), temporaryName())
		f.temp, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			break
		}
		if err = hold(f.temp); err == nil {
			return f, nil
		}
		f.Discard()
	}
	return nil, f.named(err)
}

// Write implements [io.Writer].
func (f *File) Write(data []byte) (int, error) {
	n, err := f.temp.Write(data)
	return n, f.named(err)
}

func (f *File) named(err error) error {
	if err != nil {
		err = fmt.Errorf("%s cannot be written: %w", f.path, err)
	}
	return err
}

// Commit syncs the file and gives it its name. If that fails, nothing is left of it.
func (f *File) Commit() error {
	defer f.Discard()
	if f.mode != 0 {
		if err := f.temp.Chmod(f.mode); err != nil {
			return f.named(err)
		}
	}
	if err := f.temp.Sync(); err != nil {
		return f.named(err)
	}
	if runtime.GOOS == "windows" { // which renames no open file
		if err := f.temp.Close(); err != nil {
			return f.named(err)
		}
	}
	if err := os.Rename(f.temp.Name(), f.path); err != nil {
		return f.named(err)
	}
	f.temp.Close() // the content is synced
	f.temp = nil
	return f.named(syncFolder(filepath.Dir(f.path)))
}

// Discard removes what was written; it does nothing after Commit.
func (f *File) Discard() {
	if f.temp != nil {
		name := f.temp.Name()
		if runtime.GOOS == "windows" { // which removes no open file
			f.temp.Close()
		}
		_ = os.Remove(name)
		f.temp.Close()
		f.temp = nil
	}
}

// hold locks a file that is being written, if the storage has locks. The error is that of the last
// attempt if others have removed it, or are about to.
func hold(file *os.File) error {
	if err := filelock.Lock(file); errors.Is(err, filelock.ErrLocked) {
		return err
	}
	if !isAt(file, file.Name()) {
		return fs.ErrNotExist
	}
	return nil
}

// isAt reports whether an open file still is the one of that name.
func isAt(file *os.File, name string) bool {
	own, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(name)
	return err == nil && os.SameFile(own, there)
}

// syncFolder makes a rename last through a power cut, if the file system can.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // not every system syncs folders; the content itself is safe
	return d.Close()
}
