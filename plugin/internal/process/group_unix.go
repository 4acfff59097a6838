//go:build unix

package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// groupAfterwards names the processes of a group whose leader has ended, after a moment in which they may end too.
func groupAfterwards(group int) []string {
	var alive []string
	for deadline := time.Now().Add(500 * time.Millisecond); ; time.Sleep(10 * time.Millisecond) {
		if alive = processesOf(group); len(alive) == 0 || time.Now().After(deadline) {
			return alive
		}
	}
}

// processesOf names the processes of a group that have not ended. Where the system does not list processes in /proc, there is one name
// for all of them.
func processesOf(group int) []string {
	if syscall.Kill(-group, 0) != nil {
		return nil
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	if len(stats) == 0 {
		return []string{fmt.Sprintf("processes of the group %d", group)}
	}
	var alive []string
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// PID (NAME) STATE PARENT GROUP …, where the name may hold spaces and parentheses.
		end := strings.LastIndexByte(string(text), ')')
		pid, name, found := strings.Cut(string(text[:max(end, 0)]), " (")
		fields := strings.Fields(string(text[max(end+1, 0):]))
		if !found || len(fields) < 3 || fields[0] == "Z" || fields[0] == "X" || fields[2] != strconv.Itoa(group) {
			continue
		}
		alive = append(alive, fmt.Sprintf("%s (%s)", name, pid))
	}
	return alive
}
