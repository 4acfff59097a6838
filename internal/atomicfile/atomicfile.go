// Package atomicfile writes files whole: a reader, or the next start after a crash, sees the old content or the new,
// never a part. Any package may import it; it imports the standard library only.
package atomicfile

import (
	"fmt"
	"os"
	"path/filepath"
)

// Write writes a file under another name in the same folder, syncs it and renames it. Where that fails, on a full disk
// for instance, nothing is left and a file that was there stays as it was.
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

// File is a file that is written piece by piece, and appears whole when it is committed. It is for one goroutine at a time.
type File struct {
	path string
	temp *os.File // nil once it is committed or discarded
}

// Create begins a file of that path. The caller must call Commit or Discard.
func Create(path string) (*File, error) {
	temp, err := os.CreateTemp(filepath.Dir(path), ".tmp-"+filepath.Base(path)+"-*")
	if err != nil {
		return nil, fmt.Errorf("%s cannot be written: %w", path, err)
	}
	return &File{path, temp}, nil
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

// Commit syncs the file and gives it its name. Where that fails, nothing is left of it.
func (f *File) Commit() error {
	defer f.Discard()
	if err := f.temp.Chmod(0o644); err != nil {
		return f.named(err)
	}
	if err := f.temp.Sync(); err != nil {
		return f.named(err)
	}
	if err := f.temp.Close(); err != nil {
		return f.named(err)
	}
	if err := os.Rename(f.temp.Name(), f.path); err != nil {
		return f.named(err)
	}
	f.temp = nil
	return f.named(syncFolder(filepath.Dir(f.path)))
}

// Discard removes what was written; it does nothing after Commit.
func (f *File) Discard() {
	if f.temp != nil {
		f.temp.Close()
		_ = os.Remove(f.temp.Name())
		f.temp = nil
	}
}

// syncFolder makes a rename last through a power cut, where the file system can.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // not every system syncs folders; the content itself is safe
	return d.Close()
}
