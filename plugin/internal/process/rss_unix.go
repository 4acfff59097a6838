//go:build unix && !darwin

package process

import "syscall"

// maxRSSBytes is the peak memory; most systems count KiB.
func maxRSSBytes(r *syscall.Rusage) int64 { return int64(r.Maxrss) * 1024 } //nolint:unconvert // 32 bits wide on some
