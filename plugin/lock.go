package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"

	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/foreign"
)

// LockSchema is the schema of a lock file.
const LockSchema = "koopbench.plugins/1"

// Lock pins plugins: it has the SHA-256 of their files, as hexadecimal digits, by the names of the
// files without their folders. It is stored in a file that can be committed.
type Lock struct {
	Schema  string            `json:"schema"`
	Plugins map[string]string `json:"plugins"`
}

// maxLock is the largest size of a lock file, in bytes.
const maxLock = 4 << 20

var sha256Text = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ReadLock reads a lock file. A file that does not exist pins nothing. The error is [ErrLock], also
// for files of something else.
func ReadLock(path string) (*Lock, error) {
	l := &Lock{Plugins: map[string]string{}}
	text, err := foreign.Read(path, maxLock)
	if errors.Is(err, fs.ErrNotExist) {
		l.Schema = LockSchema
		return l, nil
	}
	if err != nil {
		return nil, err
	}
	const remedy = "remove it and write it again with bench plugin lock, or choose another file with --plugin-lock"
	if err := foreign.JSON(text, l); err != nil {
		return nil, fmt.Errorf("%w: the lock file %s cannot be read: %w; %s", ErrLock, path, err, remedy)
	}
	if l.Schema != LockSchema {
		return nil, fmt.Errorf("%w: the lock file %s has the schema %q, but this program reads %q; %s",
			ErrLock, path, l.Schema, LockSchema, remedy)
	}
	for name, sum := range l.Plugins {
		if !sha256Text.MatchString(sum) || filepath.Base(name) != name {
			return nil, fmt.Errorf(
				"%w: the lock file %s pins %q to %q; a name has no folder, and a SHA-256 has 64 hexadecimal digits", ErrLock,
				path, name, sum)
		}
	}
	return l, nil
}

// SHA256 returns the SHA-256 that a plugin's file must have, or "".
func (l *Lock) SHA256(path string) string { return l.Plugins[filepath.Base(path)] }

// Pin pins the file of a plugin as it is now.
func (l *Lock) Pin(path string) error {
	sum, err := fileSHA256(path)
	if err != nil {
		return err
	}
	if l.Plugins == nil {
		l.Plugins = map[string]string{}
	}
	l.Plugins[filepath.Base(path)] = sum
	return nil
}

// Write writes the lock file.
func (l *Lock) Write(path string) error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(text, '\n'))
}
