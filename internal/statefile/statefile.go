// Package statefile writes and reads the state of something fitted, or of a fit under way, as a file: models and checkpoints.
//
// A file is an .npz archive, uncompressed, which numpy.load opens: the arrays of the state, and the member "header.json", an
// object with "format", the name and version of the format; "header", what the owner of the format says about the state; and
// "facts", those of the state. Its last 64 bytes, the comment of the zip archive, are the SHA-256 of all bytes before them in
// hexadecimal digits: a file that is torn or changed is not read.
package statefile

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
)

// ErrFormat says that a file is torn, changed, or no file of this format.
var ErrFormat = errors.New("torn, changed or something else")

// ErrVersion says that a file is of another version of the format.
var ErrVersion = errors.New("another version")

const member = "header.json"

const sumLength = 2 * sha256.Size

type file struct {
	Format string          `json:"format"`
	Header json.RawMessage `json:"header"`
	Facts  json.RawMessage `json:"facts,omitempty"`
}

// Encode returns the file of a state. The format is a name and a version, "koopbench.model/1"; header is written as JSON. Equal
// states give equal bytes.
func Encode(format string, header any, s *core.State) ([]byte, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if _, taken := s.Arrays[member]; taken {
		return nil, fmt.Errorf("%w: an array of the state is called %q, as a part of the file is; give it another name",
			core.ErrDescription, member)
	}
	f := file{Format: format, Facts: s.Facts}
	var err error
	if f.Header, err = json.Marshal(header); err != nil {
		return nil, err
	}
	text, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("the facts of the state are not JSON: %w", err)
	}
	a := npz.Archive{member: {Values: npz.Text(text)}}
	for name, array := range s.Arrays {
		a[name] = npz.Array(array)
	}
	var b bytes.Buffer
	if err := npz.WritePlain(&b, a, strings.Repeat("0", sumLength)); err != nil {
		return nil, err
	}
	data := b.Bytes()
	sealed := data[:len(data)-sumLength]
	return append(sealed, checksum(sealed)...), nil
}

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Decode reads a file that Encode wrote, and its header into the value to which header points. The error is [ErrVersion] where it is
// of another version of the format, which it names, and [ErrFormat] where it is torn or something else.
func Decode(data []byte, format string, header any) (*core.State, error) {
	a, err := read(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	text, ok := a[member].Values.(npz.Text)
	if !ok {
		return nil, fmt.Errorf("%w: it has no %s", ErrFormat, member)
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFormat, member, err)
	}
	if f.Format != format {
		name, version, _ := strings.Cut(format, "/")
		theirs, other, _ := strings.Cut(f.Format, "/")
		if theirs != name {
			return nil, fmt.Errorf("%w: its format is %q, and must be %q", ErrFormat, f.Format, format)
		}
		var writer struct{ Version string }
		_ = json.Unmarshal(f.Header, &writer) // where it does not say, it does not
		if writer.Version != "" {
			writer.Version = ", version " + writer.Version
		}
		return nil, fmt.Errorf("%w: it is of version %s of the format %s, and this program reads version %s; use the program that wrote it%s", ErrVersion, other, name, version, writer.Version)
	}
	sealed := len(data) - sumLength
	if sealed < 0 || checksum(data[:sealed]) != string(data[sealed:]) {
		return nil, fmt.Errorf("%w: its SHA-256 is not the one at its end", ErrFormat)
	}
	if err := json.Unmarshal(f.Header, header); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFormat, member, err)
	}
	delete(a, member)
	s := &core.State{Facts: f.Facts, Arrays: map[string]core.Array{}}
	for name, array := range a {
		s.Arrays[name] = core.Array(array)
	}
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return s, nil
}

// read reads the archive. What is compressed is refused: it could be of any size in memory.
func read(data []byte) (npz.Archive, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	for _, f := range z.File {
		if f.Method != zip.Store {
			return nil, fmt.Errorf("%q is compressed", f.Name)
		}
	}
	return npz.Read(bytes.NewReader(data), int64(len(data)))
}
