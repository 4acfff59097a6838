package benchmark

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// ErrBusy says that another command is writing the results of a folder.
var ErrBusy = errors.New("in use")

// lock keeps other commands from writing results.json, data.npz and what else is the folder's rather than a run's, until
// unlock is called or the process ends, however it ends. The error is [ErrBusy]. Where the storage has no locks there is
// none: files stay whole, and the last command's results count.
func (s *Store) lock() (unlock func(), err error) {
	f, err := s.files().Change(".lock", false) // a link in its place would truncate something else
	if err != nil {
		return nil, fmt.Errorf("the folder of results %s cannot be written: %w; choose another with --out", s.dir, err)
	}
	err = lockFile(f)
	switch {
	case errors.Is(err, errLocked):
		holder := make([]byte, 200)
		n, _ := f.ReadAt(holder, 0)
		f.Close()
		return nil, fmt.Errorf("%w: the results in %s are being written by %s; wait until it has ended, or choose another folder with --out",
			ErrBusy, s.dir, orUnknown(strings.TrimSpace(string(holder[:n]))))
	case err == nil:
		host, _ := os.Hostname()
		if ownLock(f) && f.Truncate(0) == nil {
			// For the reader of a message only.
			_, _ = fmt.Fprintf(f, lockStart+"%d on %s since %s\n", os.Getpid(), host, time.Now().Format(time.DateTime))
		}
	}
	return func() { f.Close() }, nil
}

// ownLock reports whether a file is a lock, or empty: another name of another file is not.
func ownLock(f *os.File) bool {
	start := make([]byte, len(lockStart))
	n, _ := f.ReadAt(start, 0)
	return n == 0 || string(start[:n]) == lockStart
}

// lockStart is what the content of a lock begins with.
const lockStart = "process "

// errLocked: another process holds the lock of a file.
var errLocked = errors.New("locked")
