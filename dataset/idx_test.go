package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/foreign"
)

// idxFile returns an IDX file.
func idxFile(kind byte, values []byte, shape ...uint32) []byte {
	file := []byte{0, 0, kind, byte(len(shape))}
	for _, n := range shape {
		file = binary.BigEndian.AppendUint32(file, n)
	}
	return append(file, values...)
}

// zip returns file compressed by gzip.
func zip(file []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(file) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// changed returns a copy of file with a byte inverted; at counts from the end if negative.
func changed(file []byte, at int) []byte {
	file = slices.Clone(file)
	if at < 0 {
		at += len(file)
	}
	file[at] ^= 0xff
	return file
}

// small is a good file of two images of 1×3.
var small = idxFile(unsignedByte, []byte("abcdef"), 2, 1, 3)

// malformed are files that are not IDX files of images, with what the error says of each.
var malformed = []struct {
	name, says string
	file       []byte
}{
	{"nothing", "ends within its header", nil},
	{"one byte", "ends within its header", []byte{0}},
	{"part of the magic number", "ends within its header", small[:3]},
	{"part of the axes", "ends within its header", small[:15]},
	{"text", `starts with the bytes 68 65 6c 6c`, []byte("hello, world")},
	{"float values", "type 0x0d", idxFile(0x0d, make([]byte, 24), 2, 1, 3)},
	{"labels for images", "1 axes and should have 3", idxFile(unsignedByte, []byte{1, 2, 3}, 3)},
	{"no axis", "0 axes", idxFile(unsignedByte, []byte{1})},
	{"no value", "ends after 0 of the 6 values", small[:16]},
	{"cut by a value", "ends after 5 of the 6 values", small[:len(small)-1]},
	{"a value too many", "continues after the 6 values", append(slices.Clone(small), 0)},
	{"more promised than held", "ends after 6 of the 2000000 values", idxFile(unsignedByte, []byte("abcdef"),
		2, 1000, 1000)},
	{"an axis beyond 2³¹", "more than a file can hold", idxFile(unsignedByte, []byte("abcdef"), 1<<32-1, 1, 1)},
	{"a product beyond 2⁶³", "more than a file can hold", idxFile(unsignedByte, []byte("abcdef"), 1<<31-1,
		1<<31-1, 1<<31-1)},
	{"gzip: two bytes", "ends within its header", zip(small)[:2]},
	{"gzip: header only", "ends within its header", zip(small)[:10]},
	{"gzip: another method", "compression is damaged", changed(zip(small), 2)},
	{"gzip: damaged values", "compression is damaged", changed(zip(small), 10)},
	{"gzip: wrong checksum", "compression is damaged", changed(zip(small), -8)},
	{"gzip: wrong length", "compression is damaged", changed(zip(small), -1)},
	{"gzip: no checksum", "compression is cut off", zip(small)[:len(zip(small))-8]},
	{"gzip: a few bytes after the end", "other bytes follow", append(zip(small), "more"...)},
	{"gzip: bytes after the end", "compression is damaged", append(zip(small), "much more than a header"...)},
	{"gzip: cut values", "ends after 5 of the 6 values", zip(small[:len(small)-1])},
	{"gzip: twice", "it is compressed by gzip", zip(zip(small))},
}

// readAll reads an IDX file the two ways there are: with its values, and passing over them.
func readAll(file []byte, axes int) (*idx, []byte, error) {
	f, err := newIDX(bytes.NewReader(file), axes)
	if err != nil {
		return nil, nil, err
	}
	values, err := f.rest()
	skipped, skipErr := newIDX(bytes.NewReader(file), axes)
	if skipErr == nil {
		skipErr = skipped.skip(skipped.size)
	}
	if skipErr == nil {
		skipErr = skipped.end()
	}
	if (err == nil) != (skipErr == nil) || err != nil && err.Error() != skipErr.Error() {
		return nil, nil, errors.Join(errors.New("rest and skip disagree"), err, skipErr)
	}
	return f, values, err
}

func TestReadIDX(t *testing.T) {
	for name, file := range map[string][]byte{"plain": small, "gzip": zip(small),
		"gzip in two members": append(zip(small[:7]), zip(small[7:])...)} {
		f, values, err := readAll(file, 3)
		require.NoError(t, err, name)
		assert.Equal(t, []int{2, 1, 3}, f.shape, name)
		assert.Equal(t, "abcdef", string(values), name)
	}
	_, values, err := readAll(idxFile(unsignedByte, []byte{7, 8}, 2), 1)
	require.NoError(t, err)
	assert.Equal(t, []byte{7, 8}, values)
}

func TestReadIDXByParts(t *testing.T) {
	f, err := newIDX(iotest.OneByteReader(bytes.NewReader(zip(small))), 3)
	require.NoError(t, err)
	two := make([]byte, 2)
	require.NoError(t, f.read(two))
	assert.Equal(t, "ab", string(two))
	require.NoError(t, f.skip(1))
	require.NoError(t, f.read(two))
	assert.Equal(t, "de", string(two))
	assert.ErrorContains(t, f.read(two), "ends after 6 of the 6 values")
}

func TestReadMalformedIDX(t *testing.T) {
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := readAll(c.file, 3)
			require.ErrorIs(t, err, ErrFormat)
			assert.ErrorContains(t, err, c.says)
			assert.False(t, strings.Contains(err.Error(), "disagree"), err)
		})
	}
}

func TestReadIDXPassesOtherErrorsOn(t *testing.T) {
	broken := errors.New("the disk is broken")
	for _, at := range []int{0, 5, 17, len(small)} {
		f, err := newIDX(io.MultiReader(bytes.NewReader(small[:at]), iotest.ErrReader(broken)), 3)
		if err == nil {
			_, err = f.rest()
		}
		assert.ErrorIs(t, err, broken, at)
		assert.NotErrorIs(t, err, ErrFormat, at)
	}
}

func TestLyingHeaderTakesNoMemory(t *testing.T) {
	file := idxFile(unsignedByte, []byte{1}, 1<<31-1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := readAll(file, 1)
	runtime.ReadMemStats(&after)
	assert.ErrorIs(t, err, ErrFormat)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func FuzzIDX(f *testing.F) {
	for _, c := range malformed {
		f.Add(c.file, uint8(3))
	}
	f.Add(small, uint8(3))
	f.Add(zip(small), uint8(3))
	f.Add(idxFile(unsignedByte, []byte{7, 8}, 2), uint8(1))
	f.Fuzz(func(t *testing.T, content []byte, axes uint8) {
		file, values, err := readAll(content, int(axes))
		if errors.Is(err, foreign.ErrTooLarge) {
			return // rest refuses what skip may pass over
		}
		if err != nil {
			if !errors.Is(err, ErrFormat) || strings.Contains(err.Error(), "disagree") {
				t.Fatal(err)
			}
			return
		}
		shape := make([]uint32, axes)
		size := 1
		for i, n := range file.shape {
			shape[i] = uint32(n)
			size *= n
		}
		if len(values) != size {
			t.Fatalf("%d values of shape %v", len(values), file.shape)
		}
		if content[0] == 0 && !bytes.Equal(content, idxFile(unsignedByte, values, shape...)) {
			t.Fatal("the file is not what was read from it")
		}
	})
}
