//go:build unix

package dataset

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

const canMap = true

// mapFile maps a file into memory, for reading.
func mapFile(file *os.File, size int64) (*mapping, error) {
	if size > math.MaxInt {
		return nil, fmt.Errorf("it has %d bytes, which this machine cannot address", size)
	}
	bytes, err := unix.Mmap(int(file.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("it cannot be mapped into memory: %w", err)
	}
	m := &mapping{filepath.Base(file.Name()), bytes}
	runtime.AddCleanup(m, func(bytes []byte) { _ = unix.Munmap(bytes) }, bytes)
	return m, nil
}
