package npz

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/internal/foreign"
)

// Read reads an archive. The error is [ErrFormat] for what is not one, with [foreign.ErrTooLarge]
// where its arrays take more than [foreign.ArrayLimit] together: that is known before they are
// read.
func Read(r io.ReaderAt, size int64) (Archive, error) {
	return read(r, size, false)
}

// ReadPlain is [Read] for archives without compression, as [WritePlain] writes them; others are refused.
func ReadPlain(r io.ReaderAt, size int64) (Archive, error) {
	return read(r, size, true)
}

func read(r io.ReaderAt, size int64, plain bool) (Archive, error) {
	members, err := open(r, size, foreign.ArrayLimit())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	archive := Archive{}
	left := foreign.ArrayLimit()
	for _, f := range members {
		if plain && f.Method != zip.Store {
			return nil, fmt.Errorf("%w: %.80q is compressed, which it must not be", ErrFormat, f.Name)
		}
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		if !isArray && path.Ext(f.Name) == ".json" {
			text, err := readText(f)
			if err != nil {
				return nil, fmt.Errorf("%w: %.80q: %w", ErrFormat, f.Name, err)
			}
			archive[f.Name] = Array{Values: text}
			continue
		}
		if !isArray {
			return nil, fmt.Errorf("%w: the member %.80q is not a .npy file", ErrFormat, f.Name)
		}
		var used int64
		if archive[name], used, err = readMember(f, left); err != nil {
			return nil, fmt.Errorf("%w: array %.80q: %w", ErrFormat, name, err)
		}
		left -= used
	}
	return archive, nil
}

// maxDirectory is how many bytes of the list of members are read; each takes some 300 bytes in memory.
const maxDirectory = 1 << 20

// open lists the members of an archive of at most most bytes, each once. Members that share bytes of
// the file are refused: such a file could be far larger than it is.
func open(r io.ReaderAt, size, most int64) ([]*zip.File, error) {
	if size > most {
		return nil, foreign.TooLarge("the archive has", size, most)
	}
	source := &limited{ReaderAt: r, left: maxDirectory}
	z, err := zip.NewReader(source, size)
	if source.over {
		return nil, fmt.Errorf("its list of members has more than %d bytes", maxDirectory)
	}
	if err != nil {
		return nil, err
	}
	source.left = -1
	names := map[string]bool{}
	var stored uint64
	for _, f := range z.File {
		if names[f.Name] {
			return nil, fmt.Errorf("it has two members %.80q", f.Name)
		}
		names[f.Name] = true
		if stored += f.CompressedSize64; f.CompressedSize64 > uint64(size) || stored > uint64(size) {
			return nil, fmt.Errorf("its members have more bytes together than the file, %d", size)
		}
	}
	return z.File, nil
}

// limited ends the reading after so many bytes, never if they are negative.
type limited struct {
	io.ReaderAt
	left int64
	over bool
}

func (l *limited) ReadAt(p []byte, at int64) (int, error) {
	if l.left >= 0 {
		if l.left -= int64(len(p)); l.left < 0 {
			l.left, l.over = 0, true
			return 0, errors.New("too much to read")
		}
	}
	return l.ReaderAt.ReadAt(p, at)
}

// maxText is the most bytes that a text has.
const maxText = 16 << 20

func readText(f *zip.File) (Text, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if len(text) > maxText {
		err = fmt.Errorf("a text of more than %d bytes", maxText)
	}
	return text, err
}

// readMember also returns how much memory the array takes.
func readMember(f *zip.File, most int64) (Array, int64, error) {
	r, err := f.Open()
	if err != nil {
		return Array{}, 0, err
	}
	defer r.Close()
	h, err := readHeader(r, most)
	if err != nil {
		return Array{}, 0, err
	}
	if want := h.length + int64(h.size)*int64(h.kind.width); f.UncompressedSize64 != uint64(want) {
		return Array{}, 0, h.unfilled()
	}
	a, err := h.values(r)
	return a, int64(h.size) * int64(h.kind.memory), err
}

// ReadArray reads a .npy file whose values take at most [foreign.ArrayLimit]. The error is [ErrArray].
func ReadArray(r io.Reader) (Array, error) {
	h, err := readHeader(r, foreign.ArrayLimit())
	var a Array
	if err == nil {
		a, err = h.values(r)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrArray, err)
	}
	return a, err
}

// ReadValues reads values of that type and shape, row-major, to the end of a file that has no
// header of NumPy's, under the conditions of [ReadArray]. descr is as in one: ">f4".
func ReadValues(r io.Reader, descr string, shape []int) (Array, error) {
	h := header{shape: shape, size: product(shape)}
	var err error
	var a Array
	if h.kind, err = kindOf(descr); err == nil {
		err = h.check(foreign.ArrayLimit())
	}
	if err == nil {
		a, err = h.values(r)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrArray, err)
	}
	return a, err
}

// values reads the values, and fails unless there are as many as the shape has.
func (h header) values(r io.Reader) (Array, error) {
	values, err := h.kind.read(r, h.size, h.kind)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Array{}, h.unfilled()
	}
	if err != nil {
		return Array{}, err
	}
	if n, err := io.CopyN(io.Discard, r, 1); n > 0 {
		return Array{}, h.unfilled()
	} else if !errors.Is(err, io.EOF) {
		return Array{}, err
	}
	if h.fortran && len(h.shape) > 1 {
		values = h.kind.turn(values, h.shape)
	}
	return Array{h.shape, values}, nil
}

func (h header) unfilled() error {
	return fmt.Errorf("the values do not fill the shape %v exactly", h.shape)
}

// Rows reads an archive that must have these arrays alone, of these shapes, and hands them on row
// by row: values is what lies at one place of the first axis, of a type as in [Array]. Memory does
// not grow with the number of rows. The error is [ErrFormat], or that of use, which may be nil
// where all that counts is that the file is whole.
func Rows(r io.ReaderAt, size int64, want map[string][]int, use func(name string, row int, values any) error) error {
	most := int64(maxDirectory)
	for _, shape := range want {
		n := int64(maxHeader)
		for _, d := range shape {
			if d < 1 || n > math.MaxInt64/64/int64(d) {
				return fmt.Errorf("%w: an array cannot have the shape %v", ErrFormat, shape)
			}
			n *= int64(d)
		}
		most += 16*n/maxHeader + maxHeader
	}
	members, err := open(r, size, most)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	for _, f := range members {
		name := strings.TrimSuffix(f.Name, ".npy")
		shape, ok := want[name]
		if !ok || name == f.Name {
			return fmt.Errorf("%w: it has an array %.80q, which it must not have", ErrFormat, name)
		}
		var failure error
		if err := eachRow(f, shape, func(row int, values any) error {
			if use != nil {
				failure = use(name, row, values)
			}
			return failure
		}); failure != nil {
			return failure
		} else if err != nil {
			return fmt.Errorf("%w: array %.80q: %w", ErrFormat, name, err)
		}
	}
	if len(members) != len(want) {
		return fmt.Errorf("%w: it has %d of the %d arrays that it must have", ErrFormat, len(members), len(want))
	}
	return nil
}

func eachRow(f *zip.File, shape []int, use func(row int, values any) error) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	h, err := readHeader(r, math.MaxInt64)
	switch {
	case err != nil:
		return err
	case !slices.Equal(h.shape, shape):
		return fmt.Errorf("its shape is %v and must be %v", h.shape, shape)
	case h.fortran && len(shape) > 1:
		return errors.New("it is column-major, and cannot be read row by row; write it in the order C")
	}
	row := header{kind: h.kind, shape: shape[1:], size: product(shape[1:])}
	if memory := int64(row.size) * int64(h.kind.memory); memory > foreign.ArrayLimit() {
		return foreign.TooLarge("a row takes", memory, foreign.ArrayLimit())
	}
	for i := range shape[0] {
		values, err := row.kind.read(r, row.size, row.kind)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return h.unfilled()
		}
		if err == nil {
			err = use(i, values)
		}
		if err != nil {
			return err
		}
	}
	if n, err := io.CopyN(io.Discard, r, 1); n > 0 {
		return h.unfilled()
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
