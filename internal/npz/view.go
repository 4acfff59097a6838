package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"path"
	"strings"

	"github.com/koopbench/koopbench/internal/foreign"
)

// View is an array of real numbers in the bytes of a .npy file, which may be a mapped file. Values
// are decoded when they are read. A row is the values at one index of the first axis, row-major.
// Several goroutines may read a View at the same time.
type View struct {
	header

	row   int // values of a row
	bytes []byte
}

// NewView returns the array in the content of a .npy file. The error is [ErrArray], also for
// complex numbers and for a single number, which has no rows.
func NewView(content []byte) (v View, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrArray, err)
		}
	}()
	h, err := readHeader(bytes.NewReader(content), math.MaxInt64)
	if err != nil {
		return v, err
	}
	v = View{header: h, bytes: content[h.length:]}
	switch {
	case h.kind.number == nil:
		return v, fmt.Errorf("its values are complex numbers (%s); real numbers are read", h.descr)
	case len(h.shape) == 0:
		return v, fmt.Errorf("it is a single number; an array with time as its first axis is read")
	}
	if want := int64(h.size) * int64(h.kind.width); want != int64(len(v.bytes)) {
		return v, fmt.Errorf("the shape %v takes %d bytes of values, and the file has %d", h.shape, want, len(v.bytes))
	}
	v.row = product(h.shape[1:])
	return v, nil
}

// Shape is the shape of the array.
func (v View) Shape() []int { return v.shape }

// Type is NumPy's name for the type of the values, without the byte order: "f4", "u1".
func (v View) Type() string { return v.descr }

// At is value j of row i.
func (v View) At(i, j int) float64 {
	at := i*v.row + j
	if v.fortran {
		at = v.columnMajor(i, j)
	}
	return v.kind.number(v.bytes[at*v.kind.width:], v.kind.order)
}

// columnMajor is the place of value j of row i where the first axis runs fastest.
func (v View) columnMajor(i, j int) int {
	at, stride := i, v.size
	for axis := len(v.shape) - 1; axis > 0; axis-- {
		stride /= v.shape[axis]
		at += j % v.shape[axis] * stride
		j /= v.shape[axis]
	}
	return at
}

// Read fills dst with the values of the rows from, from+1, …. The length of dst is a multiple of
// the length of a row.
func (v View) Read(dst []float32, from int) {
	if v.fortran {
		rows := len(dst) / v.row
		for j := range v.row { // values of one column lie side by side
			for i := range rows {
				dst[i*v.row+j] = float32(v.At(from+i, j))
			}
		}
		return
	}
	b := v.bytes[from*v.row*v.kind.width:][:len(dst)*v.kind.width]
	switch {
	case v.descr == "f4" && v.kind.order == binary.LittleEndian:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
	case v.descr == "f8" && v.kind.order == binary.LittleEndian:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])))
		}
	default:
		for i := range dst {
			dst[i] = float32(v.kind.number(b[i*v.kind.width:], v.kind.order))
		}
	}
}

// mostRead is the largest member of an archive, in bytes, that is read and not left where it is.
const mostRead = 1 << 20

// Views returns the wanted arrays in the content of an archive by their names, in the order of the
// archive. Large members that are not compressed are not copied, and their checksums are not
// checked. Others are read, and use at most most bytes of memory together; Views returns this
// number too. The error is [ErrFormat].
func Views(content []byte, most int64, wanted func(name string) bool) (names []string, views []View,
	used int64, err error) {
	r := bytes.NewReader(content)
	members, err := open(r, r.Size(), math.MaxInt64)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	for _, f := range members {
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		switch {
		case !isArray:
			return nil, nil, 0, fmt.Errorf("%w: the member %.80q is not a .npy file; archives of NumPy have no other",
				ErrFormat, f.Name)
		case name != path.Base(name):
			return nil, nil, 0, fmt.Errorf(
				"%w: the member %.80q lies in a folder of the archive; give arrays names without slashes",
				ErrFormat, f.Name)
		case !wanted(name):
			continue
		}
		array, inPlace, err := inPlace(content, f)
		if err == nil && !inPlace {
			array, err = inflate(f, most-used)
			used += int64(len(array))
		}
		var v View
		if err == nil {
			v, err = NewView(array)
		}
		if err != nil {
			return nil, nil, 0, fmt.Errorf("%w: array %.80q: %w", ErrFormat, name, err)
		}
		names, views = append(names, name), append(views, v)
	}
	return names, views, used, nil
}

// inPlace is the content of a large member that is not compressed.
func inPlace(content []byte, f *zip.File) (array []byte, ok bool, err error) {
	if f.Method != zip.Store || f.UncompressedSize64 <= mostRead {
		return nil, false, nil
	}
	from, err := f.DataOffset()
	if err != nil {
		return nil, false, err
	}
	if size := uint64(len(content)); from < 0 || uint64(from) > size || f.UncompressedSize64 > size-uint64(from) {
		return nil, false, io.ErrUnexpectedEOF
	}
	return content[from:][:f.UncompressedSize64], true, nil
}

// inflate reads a member of at most most bytes. Memory grows with what there is, not with what is promised.
func inflate(f *zip.File, most int64) ([]byte, error) {
	if f.UncompressedSize64 > uint64(max(most, 0)) {
		return nil, foreign.TooLarge("it takes", int64(min(f.UncompressedSize64, math.MaxInt64)), most)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r) // no more than the size of the member, which the reader holds it to
}
