package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
)

const (
	trainImages = "train-images-idx3-ubyte"
	trainLabels = "train-labels-idx1-ubyte"
	testImages  = "t10k-images-idx3-ubyte"
	testLabels  = "t10k-labels-idx1-ubyte"
)

// tiny is a set of five training and three test images of 1×2; image i has the pixels 2i and 2i+1.
func tiny() map[string][]byte {
	return map[string][]byte{
		trainImages: idxFile(unsignedByte, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 5, 1, 2),
		trainLabels: idxFile(unsignedByte, []byte{0, 1, 0, 9, 2}, 5),
		testImages:  idxFile(unsignedByte, []byte{10, 11, 12, 13, 14, 15}, 3, 1, 2),
		testLabels:  idxFile(unsignedByte, []byte{1, 0, 1}, 3),
	}
}

func inMemory(files map[string][]byte) fstest.MapFS {
	folder := fstest.MapFS{}
	for name, content := range files {
		folder[name] = &fstest.MapFile{Data: content}
	}
	return folder
}

func onDisk(t *testing.T, files map[string][]byte) string {
	dir := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return dir
}

// dotted is the other usual spelling of a name.
func dotted(name string) string { return strings.Replace(name, "-idx", ".idx", 1) }

func TestOpenSpellings(t *testing.T) {
	for name, spell := range map[string]func(name string, content []byte) (string, []byte){
		"plain": func(name string, content []byte) (string, []byte) { return name, content },
		"gzip":  func(name string, content []byte) (string, []byte) { return name + ".gz", zip(content) },
		"dot":   func(name string, content []byte) (string, []byte) { return dotted(name), content },
		"dot, gzip": func(name string, content []byte) (string, []byte) {
			return dotted(name) + ".gz", zip(content)
		},
		"gzip without its name": func(name string, content []byte) (string, []byte) { return name, zip(content) },
		"plain named gzip":      func(name string, content []byte) (string, []byte) { return name + ".gz", content },
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{}
			for name, content := range tiny() {
				name, content = spell(name, content)
				files[name] = content
			}
			dir := onDisk(t, files)
			set, err := Open(dir)
			require.NoError(t, err)
			assert.Equal(t, dir, set.Source)
			assert.Equal(t, 1, set.Rows)
			assert.Equal(t, 2, set.Columns)
			assert.Equal(t, []uint8{0, 1, 0, 9, 2, 1, 0, 1}, set.Labels)
			pixels, err := set.gather([]int{7, 0, 5, 4})
			require.NoError(t, err)
			assert.Equal(t, []uint8{14, 15, 0, 1, 10, 11, 8, 9}, pixels)
		})
	}
}

func TestOpenPrefersHyphenThenPlain(t *testing.T) {
	files := tiny()
	files[trainLabels+".gz"] = nil
	files["train-labels.idx1-ubyte"] = nil
	_, err := openFolder(inMemory(files), "here")
	assert.NoError(t, err)
}

func TestOpenMissingFile(t *testing.T) {
	for name := range tiny() {
		files := tiny()
		delete(files, name)
		dir := onDisk(t, files)
		_, err := Open(dir)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
		assert.ErrorContains(t, err, dir)
		assert.ErrorContains(t, err, name)
		assert.ErrorContains(t, err, dotted(name)+".gz")
	}
}

func TestOpenIsNotAFolder(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "nowhere"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "nowhere")

	file := filepath.Join(onDisk(t, tiny()), trainImages)
	_, err = Open(file)
	assert.ErrorIs(t, err, core.ErrUnavailable)
	assert.ErrorContains(t, err, file)

	dir := onDisk(t, tiny())
	require.NoError(t, os.Remove(filepath.Join(dir, testLabels)))
	require.NoError(t, os.Mkdir(filepath.Join(dir, testLabels), 0o700))
	_, err = Open(dir)
	assert.ErrorIs(t, err, fs.ErrNotExist, "a folder is not a file of the set")
}

// TestOpenHostile: headers that promise more than a set has, in files of a few bytes or kilobytes.
func TestOpenHostile(t *testing.T) {
	for name, c := range map[string]struct {
		shape []uint32
		says  string
	}{
		"images of 2^31 pixels": {[]uint32{2, 1, 1<<31 - 1},
			"it has 2 images of 1×2147483647; there can be 8388608, of 4194304 pixels each"},
		"2^31 images":         {[]uint32{1<<31 - 1, 1, 1}, "it has 2147483647 images of 1×1"},
		"labels and no image": {[]uint32{1 << 20, 1, 1}, "ends after 2 of the 1048576 values"},
	} {
		t.Run(name, func(t *testing.T) {
			images, labels := idxFile(unsignedByte, []byte{0, 1}, c.shape...),
				zip(idxFile(unsignedByte, make([]byte, 1<<20), c.shape[0]))
			folder := inMemory(map[string][]byte{trainImages: images, trainLabels: labels, testImages: images,
				testLabels: labels})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := openFolder(folder, "here")
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, ErrFormat)
			assert.ErrorContains(t, err, c.says)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(20<<20))
		})
	}
	count := 130
	images := zip(idxFile(unsignedByte, make([]byte, count<<20), uint32(count), 1024, 1024))
	labels := idxFile(unsignedByte, make([]byte, count), uint32(count))
	set, err := openFolder(inMemory(map[string][]byte{trainImages: images, trainLabels: labels, testImages: images,
		testLabels: labels}), "here")
	require.NoError(t, err)
	_, err = set.Ordered(1, 0)
	require.ErrorIs(t, err, foreign.ErrTooLarge)
	assert.ErrorContains(t, err, "here: too large: the images of the sequence take 260.0 MiB, and the most is 256.0 MiB")
}

func TestOpenMalformed(t *testing.T) {
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			two := idxFile(unsignedByte, []byte{0, 1}, 2)
			_, err := openFolder(inMemory(map[string][]byte{trainImages: c.file, trainLabels: two, testImages: c.file,
				testLabels: two}), "here")
			require.ErrorIs(t, err, ErrFormat)
			assert.ErrorContains(t, err, trainImages+" in here: ")
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func TestOpenInconsistent(t *testing.T) {
	for _, c := range []struct {
		name, file, says string
		content          []byte
		is               error
	}{
		{"more labels than images", trainLabels, "6 labels for the 5 images of " + trainImages,
			idxFile(unsignedByte, make([]byte, 6), 6), core.ErrShape},
		{"fewer labels than images", testLabels, "2 labels for the 3 images of " + testImages,
			idxFile(unsignedByte, make([]byte, 2), 2), core.ErrShape},
		{"no labels", testLabels, "0 labels for the 3 images", idxFile(unsignedByte, nil, 0), core.ErrShape},
		{"no training images", trainImages, "no image", idxFile(unsignedByte, nil, 0, 1, 2), core.ErrTooShort},
		{"no test images", testImages, "no image", idxFile(unsignedByte, nil, 0, 1, 2), core.ErrTooShort},
		{"label above 9", trainLabels, "label 10 of image 4 is not in 0 … 9", idxFile(unsignedByte, []byte{0, 1, 2, 9, 10},
			5), core.ErrLabel},
		{"label 255", testLabels, "label 255 of image 0", idxFile(unsignedByte, []byte{255, 0, 0}, 3), core.ErrLabel},
		{"test images of another size", testImages, "2×1, those of " + trainImages + " are 1×2",
			idxFile(unsignedByte, make([]byte, 6), 3, 2, 1), core.ErrShape},
		{"images without pixels", trainImages, "[0 2]", idxFile(unsignedByte, nil, 5, 0, 2), core.ErrShape},
		{"images too large", trainImages, "product below 2³¹", idxFile(unsignedByte, nil, 5, 1<<16, 1<<16), core.ErrShape},
		{"labels for images", trainImages, "1 axes and should have 3", idxFile(unsignedByte, make([]byte, 5), 5), ErrFormat},
		{"images for labels", trainLabels, "3 axes and should have 1", idxFile(unsignedByte, make([]byte, 10), 5, 1, 2),
			ErrFormat},
		{"test images cut", testImages, "ends after 5 of the 6 values", idxFile(unsignedByte, make([]byte, 5), 3, 1, 2),
			ErrFormat},
		{"labels cut", trainLabels, "ends after 3 of the 5 values", idxFile(unsignedByte, make([]byte, 3), 5), ErrFormat},
		{"labels too long", trainLabels, "continues after the 5 values", idxFile(unsignedByte, make([]byte, 6), 5),
			ErrFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := tiny()
			files[c.file] = c.content
			_, err := openFolder(inMemory(files), "here")
			require.ErrorIs(t, err, c.is)
			assert.ErrorContains(t, err, c.file+" in here: ")
			assert.ErrorContains(t, err, c.says)
		})
	}
}

func TestFileChangedAfterOpen(t *testing.T) {
	for name, content := range map[string][]byte{
		"another size": idxFile(unsignedByte, make([]byte, 20), 5, 2, 2),
		"cut":          tiny()[trainImages][:17],
		"gone":         nil,
	} {
		folder := inMemory(tiny())
		set, err := openFolder(folder, "here")
		require.NoError(t, err)
		folder[trainImages].Data = content
		_, err = set.Ordered(2, 0)
		assert.ErrorIs(t, err, ErrFormat, name)
		assert.ErrorContains(t, err, trainImages+" in here", name)
	}
}

func TestGatherReadsNoFurtherThanItMust(t *testing.T) {
	folder := inMemory(tiny())
	set, err := openFolder(folder, "here")
	require.NoError(t, err)
	delete(folder, testImages)
	_, err = set.gather([]int{4, 0})
	assert.NoError(t, err, "the test images are not needed")
	_, err = set.gather([]int{4, 5})
	assert.ErrorIs(t, err, fs.ErrNotExist)
	pixels, err := set.gather(nil)
	assert.NoError(t, err)
	assert.Empty(t, pixels)
}

func FuzzOpen(f *testing.F) {
	add := func(files map[string][]byte) {
		f.Add(files[trainImages], files[trainLabels], files[testImages], files[testLabels], 2)
	}
	add(tiny())
	zipped := tiny()
	for name, content := range zipped {
		zipped[name] = zip(content)
	}
	add(zipped)
	f.Fuzz(func(t *testing.T, a, b, c, d []byte, digits int) {
		folder := inMemory(map[string][]byte{trainImages: a, trainLabels: b, testImages: c, testLabels: d})
		set, err := openFolder(folder, "here")
		if err != nil {
			kinds := []error{ErrFormat, core.ErrShape, core.ErrLabel, core.ErrTooShort}
			if !slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(err, kind) }) {
				t.Fatal(err)
			}
			return
		}
		seq, err := set.Ordered(digits, 0)
		if err != nil {
			if !errors.Is(err, core.ErrOption) && !errors.Is(err, core.ErrTooShort) {
				t.Fatal(err)
			}
			return
		}
		if err := core.CheckLabels(seq.Labels, seq.Snapshots.Len(), digits); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint([]int{set.Rows, set.Columns}); fmt.Sprint(seq.Snapshots.Shape()) != want {
			t.Fatal(seq.Snapshots.Shape(), want)
		}
	})
}
