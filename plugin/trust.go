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
)

var (
	// ErrLock means: a plugin's file is not the one that was pinned.
	ErrLock = errors.New("not the pinned file")
	// ErrWritable means: others can write a plugin's file or its folder.
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
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	folders := []string{filepath.Dir(real), filepath.Dir(path)} // of a link too, which one could make point elsewhere
	for _, p := range append([]string{real}, folders...) {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		if why := writableByOthers(info); why != "" {
			return fmt.Errorf("%w: %s %s, so that what runs is not in your hands; chmod go-w %s, or allow it with --plugin-allow-writable", ErrWritable, p, why, p)
		}
	}
	return nil
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
