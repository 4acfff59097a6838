package results

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// Here describes the machine and this executable. The caller sets Command and Backend. Facts that
// cannot be found out are left empty, except the executable: without its hash, runs of different
// code could not be distinguished.
func Here(version string) (Environment, error) {
	e := Environment{
		Version: version, Go: runtime.Version(), OS: runtime.GOOS + "/" + runtime.GOARCH,
		Cores: runtime.GOMAXPROCS(0), CPU: procField("/proc/cpuinfo", "model name"),
	}
	memory := strings.TrimSuffix(procField("/proc/meminfo", "MemTotal"), " kB")
	if kib, err := strconv.ParseInt(memory, 10, 64); err == nil {
		e.MemoryBytes = kib << 10
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				e.Commit = s.Value
			}
		}
	}
	var err error
	e.ExecutableSHA256, err = hashExecutable()
	return e, err
}

func hashExecutable() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// procField returns the first value of a field in one of Linux's /proc files, "" elsewhere.
func procField(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
