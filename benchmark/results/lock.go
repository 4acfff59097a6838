package results

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/koopbench/koopbench/internal/filelock"
)

// ErrBusy means that another command is writing the results of a folder.
var ErrBusy = errors.New("in use")

// holder matches what a .lock says.
var holder = regexp.MustCompile(`^process [0-9]+ on .* since `)

// Lock prevents other commands from writing results.json, data.npz and the other files that belong
// to the folder and not to a run. It lasts until unlock is called or the process ends, in any way.
// The error is [ErrBusy], or [ErrForeign] for a .lock of something else. If the storage does not
// support locks, there is none: files are still whole, and the results of the last command count.
func (s *Store) Lock() (unlock func(), err error) {
	f, err := s.Files().Change(".lock", false) // a link in its place would truncate something else
	if err != nil {
		return nil, fmt.Errorf("cannot write to the folder of results %s: %w; choose another with --out", s.dir, err)
	}
	err = filelock.Lock(f)
	switch {
	case errors.Is(err, filelock.ErrLocked):
		other := lockText(f)
		f.Close()
		return nil, fmt.Errorf("%w: the results in %s are being written by %s; wait until it ends, or choose another "+
			"folder with --out", ErrBusy, s.dir, orUnknown(strings.TrimSpace(other)))
	case err == nil:
		if before := lockText(f); before != "" && !holder.MatchString(before) {
			f.Close()
			return nil, fmt.Errorf("%w: %s has .lock, which this program did not write and would overwrite; "+
				"choose another folder with --out", ErrForeign, s.dir)
		}
		host, _ := os.Hostname()
		if f.Truncate(0) == nil {
			// For the reader of a message only.
			_, _ = fmt.Fprintf(f, "process %d on %s since %s\n", os.Getpid(), host, time.Now().Format(time.DateTime))
		}
	}
	return func() { f.Close() }, nil
}

// lockText is the beginning of what a lock says.
func lockText(f *os.File) string {
	text := make([]byte, 200)
	n, _ := f.ReadAt(text, 0)
	return string(text[:n])
}
