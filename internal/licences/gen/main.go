// Command gen writes the text that package licences embeds. It runs in the root of the repository,
// and finds the licences in the module cache: go generate ./internal/licences.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// platforms are those that releases are made for.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"}

// licence matches names of files with licences. Of the two that the FreeType module offers, the GPL is not taken.
var (
	licence  = regexp.MustCompile(`(?i)^((un)?licen[cs]e|copying|notice|patents|ftl)[^/]*$`)
	standard = "golang.org/x/sys" // its licence is that of Go's standard library too
	own      = "github.com/koopbench/koopbench/"
)

func main() {
	var text bytes.Buffer
	err := run(&text)
	if err == nil {
		err = os.WriteFile("internal/licences/licences.txt", text.Bytes(), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// run writes the text.
func run(w io.Writer) error {
	notice, err := os.ReadFile("NOTICE")
	if err != nil {
		return err
	}
	all, err := modules()
	if err != nil {
		return err
	}
	users := map[string][]string{} // by text
	for name, files := range all {
		if len(files) == 0 {
			return fmt.Errorf("no licence is found in %s", name)
		}
		for file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			text := strings.ReplaceAll(string(content), "\r\n", "\n")
			users[text] = append(users[text], name)
		}
	}
	if _, err := w.Write(notice); err != nil {
		return err
	}
	for _, names := range users {
		slices.Sort(names)
	}
	byUsers := func(a, b string) int {
		return cmp.Or(slices.Compare(users[a], users[b]), strings.Compare(a, b))
	}
	for _, text := range slices.SortedFunc(maps.Keys(users), byUsers) {
		_, err := fmt.Fprintf(w, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80),
			strings.Join(slices.Compact(users[text]), "\n"), strings.TrimSpace(text))
		if err != nil {
			return err
		}
	}
	return nil
}

// goPackage is what go list says of a package.
type goPackage struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// modules are the licence files of all modules in the program, by path and version: those that lie
// beside its packages, and above them.
func modules() (map[string]map[string]bool, error) {
	all := map[string]map[string]bool{}
	for _, platform := range platforms {
		system, processor, _ := strings.Cut(platform, "/")
		list := exec.Command("go", "list", "-deps", "-json=Dir,Module", "./cmd/bench")
		list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+processor)
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("go list for %s: %w", platform, err)
		}
		for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
			var p goPackage
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Module == nil || p.Module.Main || strings.HasPrefix(p.Module.Path, own) {
				continue
			}
			name := p.Module.Path + " " + p.Module.Version
			if p.Module.Path == standard {
				name = "the Go standard library, " + name
			}
			if all[name] == nil {
				all[name] = map[string]bool{}
			}
			if err := collect(p.Dir, p.Module.Dir, all[name]); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// collect adds the licence files in dir and in the folders above it, up to root, and those in
// folders of licences there.
func collect(dir, root string, files map[string]bool) error {
	for ; ; dir = filepath.Dir(dir) {
		for _, pattern := range []string{"*", "licenses/*", "THIRD_PARTY_LICENSES/*"} {
			found, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				return err
			}
			for _, file := range found {
				info, err := os.Stat(file)
				if err != nil {
					return err
				}
				named := licence.MatchString(filepath.Base(file)) || strings.HasPrefix(pattern, "THIRD")
				if named && info.Mode().IsRegular() && filepath.Ext(file) != ".go" {
					files[file] = true
				}
			}
		}
		if dir == root {
			return nil
		}
	}
}
