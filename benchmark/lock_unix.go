//go:build unix && !solaris && !aix

package benchmark

import (
	"errors"
	"os"
	"syscall"
)

// lockFile locks a file for this process, which ends with it. The error is errLocked where another one has it.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}
