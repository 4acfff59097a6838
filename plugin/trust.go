package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

var (
	// ErrLock means that a plugin's file is not the one that was pinned.
	ErrLock = errors.New("not the pinned file")
	// ErrWritable means that others can write a plugin's file, or a folder above it.
	ErrWritable = errors.New("others can write it")
)

// checkTrust checks that a plugin's file is one that can be run, and that nobody else can change it unless allowed.
func checkTrust(path string, allowWritable bool) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s", path)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", path)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable; make it so: chmod +x %s", path, path)
	case allowWritable:
		return nil
	}
	return eachStep(path, func(step string, info fs.FileInfo) error {
		if why, remedy := writableByOthers(step, info); why != "" {
			return fmt.Errorf("%w: %s %s, so others could change what runs; %s, or allow it with --plugin-allow-writable",
				ErrWritable, step, why, remedy)
		}
		return nil
	})
}

// eachStep calls do with all that leads to a file: every folder from the root on, every link, what
// these lead to, and the file. Whoever can write none of them cannot put another file in its place,
// at any time.
func eachStep(path string, do func(step string, info fs.FileInfo) error) error {
	const mostLinks = 40 // as the system follows
	root := filepath.VolumeName(path) + string(filepath.Separator)
	at, rest := "", append([]string{root}, steps(path)...)
	for links := 0; len(rest) > 0; {
		next := filepath.Join(at, rest[0])
		rest = rest[1:]
		info, err := os.Lstat(next)
		if err != nil {
			return err
		}
		if err := do(next, info); err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > mostLinks {
			return fmt.Errorf("%s leads through more than %d links", path, mostLinks)
		}
		target, err := os.Readlink(next)
		if err != nil {
			return err
		}
		if filepath.IsAbs(target) {
			at = root
		}
		rest = append(steps(target), rest...)
	}
	return nil
}

// steps are the names in a path. Those that lead up are kept: what is before them may be a link.
func steps(path string) []string {
	path = strings.TrimPrefix(path, filepath.VolumeName(path))
	return slices.DeleteFunc(strings.Split(filepath.ToSlash(path), "/"),
		func(name string) bool { return name == "" || name == "." })
}

// fileSHA256 returns the SHA-256 of a file, in hexadecimal digits.
func fileSHA256(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
