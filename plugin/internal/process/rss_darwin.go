package process

import "syscall"

// maxRSSBytes is the peak memory; Darwin counts bytes.
func maxRSSBytes(r *syscall.Rusage) int64 { return int64(r.Maxrss) }
