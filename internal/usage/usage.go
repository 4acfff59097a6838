// Package usage measures the time and memory that processes use. Any package may import it. It
// imports only the standard library.
package usage

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// PeakRSS is the largest resident memory of this process since its program began, in bytes, or 0 if
// the system does not report it.
func PeakRSS() int64 {
	if bytes := highWater("self"); bytes > 0 {
		return bytes
	}
	return maxRSS()
}

// PeakRSSOf is the largest resident memory, since its program began, of another process or of any
// of its descendants that have not ended. It works only on Linux. The value that the system keeps
// when a process ends (getrusage's ru_maxrss) is not a substitute: it includes the memory of the
// program that started the process, which the process shared before its own program was loaded.
func PeakRSSOf(pid int) int64 {
	const most = 10000 // processes; there are no circles, but numbers may be given again meanwhile
	var peak int64
	for pids := []string{strconv.Itoa(pid)}; len(pids) > 0 && len(pids) < most; pids = pids[1:] {
		peak = max(peak, highWater(pids[0]))
		tasks, _ := filepath.Glob("/proc/" + pids[0] + "/task/*/children")
		for _, task := range tasks {
			children, _ := os.ReadFile(task) // it may have ended
			pids = append(pids, strings.Fields(string(children))...)
		}
	}
	return peak
}

// highWater reads VmHWM of proc(5), 0 if there is none.
func highWater(process string) int64 {
	status, err := os.ReadFile("/proc/" + process + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("\nVmHWM:"))
	var kib int64
	if _, err := fmt.Sscanf(string(rest[:min(len(rest), 32)]), "%d kB", &kib); err != nil {
		return 0
	}
	return kib << 10
}
