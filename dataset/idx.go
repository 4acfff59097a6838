package dataset

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// ErrFormat says that a file is not a whole IDX file of unsigned bytes with the axes that it should have, or its compression is
// damaged.
var ErrFormat = errors.New("malformed IDX file")

// unsignedByte is the only one of the format's types that is read.
const unsignedByte = 0x08

// idx reads an IDX file, gzipped or not, from beginning to end. It holds none of the file's values.
//
// The file is 0, 0, the type of the values, the number of axes; the length of each axis in 32 bits, big-endian; the values,
// row-major.
type idx struct {
	shape   []int
	size    int64 // number of values that the header promises
	done    int64 // number of values read
	content *bufio.Reader
}

// newIDX reads the header of a file that must have that many axes.
func newIDX(file io.Reader, axes int) (*idx, error) {
	content, err := unzip(bufio.NewReaderSize(file, 1<<16))
	if err != nil {
		return nil, headerError(err)
	}
	var magic [4]byte
	if _, err := io.ReadFull(content, magic[:]); err != nil {
		return nil, headerError(err)
	}
	switch {
	case magic[0] != 0 || magic[1] != 0:
		return nil, fmt.Errorf("%w: it starts with the bytes % x; an IDX file starts with 00 00", ErrFormat, magic)
	case magic[2] != unsignedByte:
		return nil, fmt.Errorf("%w: its values are of type 0x%02x; only unsigned bytes, type 0x%02x, are read", ErrFormat, magic[2], unsignedByte)
	case int(magic[3]) != axes:
		return nil, fmt.Errorf("%w: it has %d axes and should have %d; images have 3, labels 1", ErrFormat, magic[3], axes)
	}
	lengths := make([]uint32, axes)
	if err := binary.Read(content, binary.BigEndian, lengths); err != nil {
		return nil, headerError(err)
	}
	f := &idx{shape: make([]int, axes), size: 1, content: content}
	for i, n := range lengths {
		if n > math.MaxInt32 || n > 0 && f.size > math.MaxInt64/int64(n) {
			return nil, fmt.Errorf("%w: its header promises %d values along the axes, more than any file holds", ErrFormat, lengths)
		}
		f.shape[i] = int(n)
		f.size *= int64(n)
	}
	return f, nil
}

// unzip returns a reader of what file decompresses to, or file itself if it does not start as gzip does.
func unzip(file *bufio.Reader) (*bufio.Reader, error) {
	start, err := file.Peek(2)
	if err != nil {
		return nil, err
	}
	if start[0] != 0x1f || start[1] != 0x8b {
		return file, nil
	}
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(unzipped, 1<<16), nil
}

// read fills dst with the next values.
func (f *idx) read(dst []byte) error {
	n, err := io.ReadFull(f.content, dst)
	f.done += int64(n)
	return f.valueError(err)
}

// skip passes over the next n values.
func (f *idx) skip(n int64) error {
	n, err := io.CopyN(io.Discard, f.content, n)
	f.done += n
	return f.valueError(err)
}

// rest returns all values that are left and checks that the file ends there. Its memory grows with what the file holds, not
// with what the header promises.
func (f *idx) rest() ([]byte, error) {
	values, err := io.ReadAll(io.LimitReader(f.content, f.size-f.done))
	f.done += int64(len(values))
	if err == nil && f.done < f.size {
		err = io.EOF
	}
	if err != nil {
		return nil, f.valueError(err)
	}
	return values, f.end()
}

// end checks that the file ends here, at its last value.
func (f *idx) end() error {
	switch _, err := f.content.ReadByte(); {
	case err == nil:
		return fmt.Errorf("%w: it goes on after the %d values that its header promises", ErrFormat, f.size)
	case err == io.EOF:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: its gzip compression is cut off, or other bytes follow it", ErrFormat)
	default:
		return gzipError(err)
	}
}

func headerError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends within its header", ErrFormat)
	}
	return gzipError(err)
}

func (f *idx) valueError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends after %d of the %d values that its header promises", ErrFormat, f.done, f.size)
	}
	return gzipError(err)
}

// gzipError makes an [ErrFormat] of damage that decompression found; other errors, of the disk for instance, stay as they are.
func gzipError(err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt) {
		return fmt.Errorf("%w: its gzip compression is damaged: %w", ErrFormat, err)
	}
	return err
}
