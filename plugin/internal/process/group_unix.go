//go:build unix

package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// leftAfterwards names the processes that a plugin has left, after a moment in which they may end
// too: those of its group, and those that have left the group.
func leftAfterwards(group int, folder string) []string {
	var alive []string
	for deadline := time.Now().Add(500 * time.Millisecond); ; time.Sleep(10 * time.Millisecond) {
		alive = processesOf(group)
		for _, pid := range processesIn(folder) {
			if name := nameOf(pid); name != "" && !slices.Contains(alive, name) {
				alive = append(alive, name)
			}
		}
		if len(alive) == 0 || time.Now().After(deadline) {
			return alive
		}
	}
}

// processesOf names the processes of a group that have not ended. Where the system does not list
// processes in /proc, there is one name for all of them.
func processesOf(group int) []string {
	if syscall.Kill(-group, 0) != nil {
		return nil
	}
	pids := allProcesses()
	if len(pids) == 0 {
		return []string{fmt.Sprintf("processes of the group %d", group)}
	}
	var alive []string
	for _, pid := range pids {
		if name, of := statOf(pid); of == group {
			alive = append(alive, name)
		}
	}
	return alive
}

// allProcesses lists what /proc does.
func allProcesses() []int {
	entries, _ := os.ReadDir("/proc") // none if there is none
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// nameOf names a process, "" for one that has ended.
func nameOf(pid int) string {
	name, _ := statOf(pid)
	return name
}

// statOf names a process and its group, "" and 0 for one that has ended.
func statOf(pid int) (name string, group int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	// PID (NAME) STATE PARENT GROUP …, where the name may hold spaces and parentheses.
	end := strings.LastIndexByte(string(text), ')')
	_, name, found := strings.Cut(string(text[:max(end, 0)]), " (")
	fields := strings.Fields(string(text[max(end+1, 0):]))
	if !found || len(fields) < 3 || fields[0] == "Z" || fields[0] == "X" {
		return "", 0
	}
	group, _ = strconv.Atoi(fields[2])
	return fmt.Sprintf("%s (%d)", name, pid), group
}

// processesIn lists the user's processes whose environment names a plugin's private folder: those
// of the plugin, in whatever group or session they are. It lists none where the system has no
// /proc, as macOS.
func processesIn(folder string) []int {
	var found []int
	for _, pid := range allProcesses() {
		if pid != os.Getpid() && isIn(pid, folder) {
			found = append(found, pid)
		}
	}
	return found
}

func isIn(pid int, folder string) bool {
	path := fmt.Sprintf("/proc/%d", pid)
	if info, err := os.Stat(path); err != nil || !mine(info) {
		return false
	}
	environment, err := os.ReadFile(filepath.Join(path, "environ"))
	if err != nil {
		return false
	}
	for rest := environment; ; {
		at := bytes.Index(rest, []byte("="+folder))
		if at < 0 {
			return false
		}
		rest = rest[at+1+len(folder):]
		if len(rest) == 0 || rest[0] == 0 || rest[0] == '/' {
			return true
		}
	}
}

// killProcessesIn kills the processes of a plugin's private folder, and those that they start
// meanwhile.
func killProcessesIn(folder string) {
	const rounds = 100
	for range rounds {
		found := processesIn(folder)
		if len(found) == 0 {
			return
		}
		for _, pid := range found {
			p, err := os.FindProcess(pid) // which on Linux holds on to it
			if err != nil {
				continue
			}
			if isIn(pid, folder) { // still: its number is no other's by now
				_ = p.Kill()
			}
			_ = p.Release()
		}
		time.Sleep(time.Millisecond)
	}
}
