// Package statefile writes and reads models and checkpoints: the state of something fitted, or of
// an unfinished fit, as a file.
//
// A file is an uncompressed .npz archive, which numpy.load opens. It contains the arrays of the
// state, and the member "header.json". This is an object with three fields: "format" is the name
// and version of the format, "header" is what the owner of the format says about the state, and
// "facts" are those of the state. The last 64 bytes of the file are the comment of the zip archive.
// They are the SHA-256 of all bytes before them, as hexadecimal digits. A file that is incomplete
// or changed is not read.
package statefile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/internal/npz"
)

// ErrFormat says that a file is torn, changed, or no file of this format.
var ErrFormat = errors.New("incomplete, changed or not of this kind")

// ErrVersion says that a file is of another version of the format.
var ErrVersion = errors.New("another version")

const member = core.StateHeader

const sumLength = 2 * sha256.Size

type file struct {
	Format string          `json:"format"`
	Header json.RawMessage `json:"header"`
	Facts  json.RawMessage `json:"facts,omitempty"`
}

// Encode returns the file of a state. The format is a name and a version, "koopbench.model/1";
// header is written as JSON. Equal states give equal bytes.
func Encode(format string, header any, s *core.State) ([]byte, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if _, taken := s.Arrays[member]; taken {
		return nil, fmt.Errorf("%w: an array of the state is called %q, which is the name of a part of the file; "+
			"give it another name", core.ErrDescription, member)
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

// Decode reads a file that Encode wrote, and its header into the value to which header points. The
// error is [ErrVersion] where it is of another version of the format, which it names, and
// [ErrFormat] where it is torn or something else.
func Decode(data []byte, format string, header any) (*core.State, error) {
	return Read(bytes.NewReader(data), int64(len(data)), format, header)
}

// Read is [Decode] for a file of that size, which is not held in memory beside its arrays: they take at most
// [foreign.ArrayLimit].
func Read(r io.ReaderAt, size int64, format string, header any) (*core.State, error) {
	a, err := npz.ReadPlain(r, size) // what is compressed could be of any size
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	text, ok := a[member].Values.(npz.Text)
	if !ok {
		return nil, fmt.Errorf("%w: it has no %s", ErrFormat, member)
	}
	var f file
	if err := foreign.JSON(text, &f); err != nil {
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
		return nil, fmt.Errorf(
			"%w: it is of version %s of the format %s, and this program reads version %s; use the program that wrote it%s",
			ErrVersion, other, name, version, writer.Version)
	}
	if err := checkSeal(r, size); err != nil {
		return nil, err
	}
	if err := foreign.JSON(f.Header, header); err != nil {
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

// checkSeal checks the SHA-256 at the end.
func checkSeal(r io.ReaderAt, size int64) error {
	if size < sumLength {
		return fmt.Errorf("%w: it has %d bytes", ErrFormat, size)
	}
	h := sha256.New()
	seal := make([]byte, sumLength)
	_, err := io.Copy(h, io.NewSectionReader(r, 0, size-sumLength))
	if err == nil {
		_, err = r.ReadAt(seal, size-sumLength)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != string(seal) {
		return fmt.Errorf("%w: its SHA-256 is not the one at its end", ErrFormat)
	}
	return nil
}
