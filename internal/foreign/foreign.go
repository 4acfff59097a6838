// Package foreign reads files that may come from other people: results, models, data and
// configurations. It opens only regular files, so a pipe cannot make it wait. It does not follow a
// link out of a folder. It knows how much memory a content needs before it allocates it.
//
// Any package may import it. It imports only the standard library.
package foreign

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

var (
	// ErrKind says that something is no regular file: a folder, a pipe, a device.
	ErrKind = errors.New("not a regular file")
	// ErrOutside says that a name in a folder leads out of it.
	ErrOutside = errors.New("a link out of the folder; put the file or folder itself in its place")
	// ErrTooLarge says that a content is larger than what is read.
	ErrTooLarge = errors.New("too large")
)

// Variable is the environment variable that sets how much memory the content of one file may take, in MiB.
const Variable = "KOOPBENCH_READ_MIB"

const (
	mebibyte     = 1 << 20
	defaultLimit = 256 // MiB
	mostLimit    = 1 << 20
)

var limit = sync.OnceValue(func() int64 {
	n, err := strconv.ParseInt(os.Getenv(Variable), 10, 64)
	if err != nil || n < 1 || n > mostLimit {
		n = defaultLimit
	}
	return n * mebibyte
})

// Limit is how much memory the content of one text may take, in bytes: 256 MiB, or what [Variable]
// says. The environment is read once.
func Limit() int64 { return limit() }

// ArrayLimit is how much memory the arrays of one file may take: half of [Limit], since what is made
// of them takes as much again.
func ArrayLimit() int64 { return Limit() / 2 }

// TooLarge is an [ErrTooLarge] that names the size, the limit and the remedy.
func TooLarge(what string, size, most int64) error {
	return fmt.Errorf("%w: %s %s, and the most is %s; if you trust the file, allow more by the environment "+
		"variable %s, which is %d now; tables and arrays may take half of it", ErrTooLarge, what, sizeText(size),
		sizeText(most), Variable, Limit()/mebibyte)
}

func sizeText(bytes int64) string {
	if bytes < mebibyte {
		return fmt.Sprintf("%d bytes", bytes)
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/mebibyte)
}

// Open opens a regular file that the user has named, for reading; links are followed. The error is
// [ErrKind] for anything else than a file.
func Open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	return regular(f, path, err)
}

// regular closes a file that is no regular one.
func regular(f *os.File, path string, err error) (*os.File, error) {
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = checkKind(path, info.Mode())
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func checkKind(path string, mode fs.FileMode) error {
	kind := "something else"
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		kind = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a pipe"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeSymlink != 0:
		kind = "a link"
	}
	return fmt.Errorf("%s is %s, %w", path, kind, ErrKind)
}

// Read returns the content of a file that the user has named. The error is [ErrKind], or [ErrTooLarge]
// where it has more than most bytes.
func Read(path string, most int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return content(f, most)
}

// content reads at most so many bytes, whatever the size that the system tells.
func content(f *os.File, most int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s: %w", f.Name(), TooLarge("it has", info.Size(), most))
	}
	text := make([]byte, 0, info.Size()+1)
	for {
		n, err := f.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		switch {
		case int64(len(text)) > most:
			return nil, fmt.Errorf("%s: %w", f.Name(), TooLarge("it has more than", most, most))
		case errors.Is(err, io.EOF):
			return text, nil
		case err != nil:
			return nil, err
		case len(text) == cap(text):
			text = append(text, 0)[:len(text)]
		}
	}
}

// Folder is a folder, which may itself be behind a link: the user has named it. Names in it have
// slashes. No name leads out of it: links that do are [ErrOutside].
type Folder string

// in calls use with the folder.
func (d Folder) in(name string, use func(root *os.Root) error) error {
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return err
	}
	err = use(root)
	_ = root.Close() // it was only read
	var where *fs.PathError
	if errors.As(err, &where) && strings.HasSuffix(where.Err.Error(), "escapes from parent") {
		return fmt.Errorf("%s is, or lies behind, %w", d.path(name), ErrOutside)
	}
	return err
}

func (d Folder) path(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

// Open opens a regular file for reading.
func (d Folder) Open(name string) (f *os.File, err error) {
	err = d.in(name, func(root *os.Root) error {
		f, err = root.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
		f, err = regular(f, d.path(name), err)
		return err
	})
	return f, err
}

// Read returns the content of a file of at most so many bytes, see [Read].
func (d Folder) Read(name string, most int64) ([]byte, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return content(f, most)
}

// JSON reads a file of JSON into the value to which v points, see [JSON]. What it takes is of the
// budget, nil for one of its own.
func (d Folder) JSON(name string, v any, b *Budget) error {
	if b == nil {
		b = NewBudget()
	}
	text, err := d.Read(name, Limit())
	if err != nil {
		return err
	}
	if err := b.decode(text, v); err != nil {
		return fmt.Errorf("%s: %w", d.path(name), err)
	}
	return nil
}

// Stat describes a file or folder.
func (d Folder) Stat(name string) (info fs.FileInfo, err error) {
	err = d.in(name, func(root *os.Root) error {
		info, err = root.Stat(name)
		return err
	})
	return info, err
}

// Missing reports whether there is nothing of that name, nor a folder.
func (d Folder) Missing(name string) bool {
	_, err := d.Stat(name)
	return errors.Is(err, fs.ErrNotExist)
}

// Entries lists a folder, sorted by name; "." is the folder itself.
func (d Folder) Entries(name string) (entries []fs.DirEntry, err error) {
	err = d.in(name, func(root *os.Root) error {
		entries, err = fs.ReadDir(root.FS(), name)
		return err
	})
	return entries, err
}

// Make makes a folder in the folder, which must be there, if it is not there yet. A link out of it is
// not written to: it is [ErrOutside].
func (d Folder) Make(name string) error {
	return d.in(name, func(root *os.Root) error {
		failure := root.MkdirAll(name, 0o777)
		info, err := root.Stat(name)
		if err == nil && !info.IsDir() {
			return fmt.Errorf("%s is a file, and must be a folder", d.path(name))
		}
		if failure != nil {
			return failure
		}
		return err
	})
}

// Remove removes a file or an empty folder; of a link, the link.
func (d Folder) Remove(name string) error {
	return d.in(name, func(root *os.Root) error { return root.Remove(name) })
}

// Change opens a file for writing in place, for appending if asked, and makes it if it is not there.
// The error is [ErrKind] where the name is taken by a link, which is not followed, or by anything
// else than a file.
func (d Folder) Change(name string, appending bool) (f *os.File, err error) {
	flags := os.O_RDWR | nonBlocking
	if appending {
		flags |= os.O_APPEND
	}
	err = d.in(name, func(root *os.Root) error {
		before, err := root.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			f, err = root.OpenFile(name, flags|os.O_CREATE|os.O_EXCL, 0o666)
			return err
		case err != nil:
			return err
		}
		if err := checkKind(d.path(name), before.Mode()); err != nil {
			return err
		}
		f, err = d.openSame(root, name, flags, before)
		return err
	})
	return f, err
}

// openSame opens the file that was there before.
func (d Folder) openSame(root *os.Root, name string, flags int, before fs.FileInfo) (*os.File, error) {
	f, err := root.OpenFile(name, flags, 0)
	if err != nil {
		return nil, err
	}
	if after, err := f.Stat(); err != nil || !os.SameFile(before, after) {
		_ = f.Close()
		return nil, fmt.Errorf("%s was replaced while it was opened; %w", d.path(name), ErrKind)
	}
	return f, nil
}
