package dataset

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/koopbench/koopbench/internal/foreign"
)

// ErrFormat means that a file cannot be read: it has another format, is incomplete, or its
// compression is damaged.
var ErrFormat = errors.New("unreadable data file")

// unsignedByte is the type of the values of MNIST and its like.
const unsignedByte = 0x08

// idxTypes are the format's types of values, as NumPy calls them.
var idxTypes = map[byte]string{unsignedByte: "|u1", 0x09: "|i1", 0x0b: ">i2", 0x0c: ">i4", 0x0d: ">f4", 0x0e: ">f8"}

// idx reads an IDX file, gzipped or not, from beginning to end. It holds none of the file's values.
//
// The file is 0, 0, the type of the values, the number of axes; the length of each axis in 32 bits,
// big-endian; the values, row-major.
type idx struct {
	kind    byte // of idxTypes
	shape   []int
	size    int64 // number of values that the header promises
	done    int64 // number of values read
	content *bufio.Reader
}

// newIDX reads the header of a file of unsigned bytes that must have that many axes.
func newIDX(file io.Reader, axes int) (*idx, error) {
	f, err := anyIDX(file, axes)
	if err == nil && f.kind != unsignedByte {
		err = fmt.Errorf("%w: its values are of type 0x%02x; those of images and labels here are unsigned bytes, type 0x%02x",
			ErrFormat,
			f.kind, unsignedByte)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// anyIDX is newIDX for values of any type; only unsigned bytes can be read from what it returns.
func anyIDX(file io.Reader, axes int) (*idx, error) {
	content, err := unzip(bufio.NewReaderSize(file, 1<<16))
	if err != nil {
		return nil, headerError(err)
	}
	var magic [4]byte
	if _, err := io.ReadFull(content, magic[:]); err != nil {
		return nil, headerError(err)
	}
	start := append(magic[:], peek(content)...)
	switch {
	case magic[0] != 0 || magic[1] != 0:
		return nil, fmt.Errorf("%w: it is %s; an IDX file is expected, which starts with the bytes 00 00",
			ErrFormat, what(start))
	case idxTypes[magic[2]] == "":
		return nil, fmt.Errorf("%w: its values are of type 0x%02x, which the IDX format does not have", ErrFormat, magic[2])
	case int(magic[3]) != axes:
		return nil, fmt.Errorf("%w: it has %d axes and should have %d; images have 3, labels 1", ErrFormat, magic[3], axes)
	}
	lengths := make([]uint32, axes)
	if err := binary.Read(content, binary.BigEndian, lengths); err != nil {
		return nil, headerError(err)
	}
	f := &idx{kind: magic[2], shape: make([]int, axes), size: 1, content: content}
	for i, n := range lengths {
		if n > math.MaxInt32 || n > 0 && f.size > math.MaxInt64/int64(n) {
			return nil, fmt.Errorf("%w: its header promises %d values along the axes, more than a file can hold",
				ErrFormat, lengths)
		}
		f.shape[i] = int(n)
		f.size *= int64(n)
	}
	return f, nil
}

// maxPeek is how far the beginning of a file says what it is.
const maxPeek = 12

func peek(content *bufio.Reader) []byte {
	start, _ := content.Peek(maxPeek - 4)
	return start
}

// what says what a file is that begins so.
func what(start []byte) string {
	if isOffice(start) {
		return "a document of Office, an .xlsx file for instance"
	}
	for _, kind := range []struct{ start, name string }{
		{"\x93NUMPY", "a .npy array"}, {"PK\x03\x04", "a zip archive, an .npz file for instance"},
		{"PK\x05\x06", "an empty zip archive"},
		{"\xff\xd8\xff", "a JPEG picture"}, {"\x89PNG", "a PNG picture"}, {"GIF8", "a GIF picture"}, {"BM", "a BMP picture"},
		{"II*\x00", "a TIFF picture"}, {"MM\x00*", "a TIFF picture"}, {"\x1f\x8b", "compressed by gzip"},
		{"BZh", "compressed by bzip2"},
		{"\xfd7zXZ", "compressed by xz"}, {"\x28\xb5\x2f\xfd", "compressed by zstd"}, {"%PDF", "a PDF document"},
		{"\x89HDF", "an HDF5 file, a .mat file for instance"}, {"MATLAB", "a .mat file"},
		{"PAR1", "a Parquet file"}, {"\x80\x02", "a pickle of Python"}, {"\x80\x03", "a pickle of Python"},
		{"\x80\x04", "a pickle of Python"}, {"\x80\x05", "a pickle of Python"},
	} {
		if bytes.HasPrefix(start, []byte(kind.start)) {
			return kind.name
		}
	}
	return fmt.Sprintf(unknownStart+"% x", start[:min(len(start), 4)])
}

const unknownStart = "something that starts with the bytes "

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

// rest returns all values that are left and checks that the file ends there. Its memory grows with
// what the file holds, not with what the header promises.
func (f *idx) rest() ([]byte, error) {
	if f.size > foreign.ArrayLimit() {
		return nil, fmt.Errorf("%w: %w", ErrFormat, foreign.TooLarge("its values take", f.size, foreign.ArrayLimit()))
	}
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
		return fmt.Errorf("%w: it continues after the %d values that its header promises", ErrFormat, f.size)
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

// gzipError makes an [ErrFormat] of damage that decompression found; other errors, of the disk for
// instance, stay as they are.
func gzipError(err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt) {
		return fmt.Errorf("%w: its gzip compression is damaged: %w", ErrFormat, err)
	}
	return err
}
