package plugin

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// PathVariable is the environment variable that lists folders of plugins, separated as in PATH.
const PathVariable = "KOOPBENCH_PLUGIN_PATH"

// Folders returns the folders in which plugins are looked for: the given ones, those of
// [PathVariable], and the user's own.
func Folders(given ...string) []string {
	folders := slices.Clone(given)
	for _, f := range filepath.SplitList(os.Getenv(PathVariable)) {
		if f != "" {
			folders = append(folders, f)
		}
	}
	if own := userFolder(); own != "" {
		folders = append(folders, own)
	}
	return folders
}

// userFolder is the user's own folder of plugins, "" where the system knows none.
func userFolder() string {
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "koopbench", "plugins")
	}
	home, err := os.UserHomeDir()
	switch {
	case err != nil:
		return ""
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Application Support", "koopbench", "plugins")
	}
	return filepath.Join(home, ".local", "share", "koopbench", "plugins")
}

// Find returns the plugins in a folder, sorted. These are its executable files, and files that look
// like programs but are not executable; [Open] reports this for them. Hidden files, folders and
// other files are not plugins. The error is that of reading the folder.
func Find(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		info, err := os.Stat(path) // follows links
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if info.Mode().Perm()&0o111 != 0 || looksLikeProgram(path) {
			found = append(found, path)
		}
	}
	return found, nil
}

// looksLikeProgram reports whether a file begins as scripts and programs do.
func looksLikeProgram(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	start := make([]byte, 4)
	n, _ := io.ReadFull(file, start)
	for _, magic := range []string{"#!", "\x7fELF", "\xcf\xfa\xed\xfe"} {
		if bytes.HasPrefix(start[:n], []byte(magic)) {
			return true
		}
	}
	return false
}
