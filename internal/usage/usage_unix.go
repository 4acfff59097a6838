//go:build unix

package usage

import (
	"runtime"
	"syscall"
	"time"
)

// CPU is the processor time, user and system, that this process has used so far, and that its
// descendants have used that have ended and were waited for. ok is false if the system does not
// report it.
func CPU() (own, children time.Duration, ok bool) {
	var self, others syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &self) != nil || syscall.Getrusage(syscall.RUSAGE_CHILDREN, &others) != nil {
		return 0, 0, false
	}
	return total(&self), total(&others), true
}

func total(u *syscall.Rusage) time.Duration {
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func maxRSS() int64 {
	var self syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &self) != nil {
		return 0
	}
	return MaxRSSBytes(&self)
}

// MaxRSSBytes is the peak memory in what the system tells of a process: Darwin counts bytes, others KiB.
func MaxRSSBytes(u *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss) //nolint:unconvert // 32 bits wide on some systems
	}
	return int64(u.Maxrss) << 10 //nolint:unconvert // as above
}
