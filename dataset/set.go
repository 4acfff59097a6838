package dataset

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
)

// Classes is the number of classes that a set can have: labels are 0 … Classes-1.
const Classes = 10

const (
	// maxImages is the largest number of images in a file of a set, and maxPixels that of pixels of an image.
	maxImages = 1 << 23
	maxPixels = 1 << 22
)

// A Set is a collection of labelled 8-bit grey images: the training images in the order of their
// file, then the test images. Pixels stay in the files; [Set.Ordered] reads those that it needs.
//
// A Set is immutable, and several goroutines may use it at the same time.
type Set struct {
	// Source says where the images come from, for the user.
	Source string
	// Rows and Columns are the size of every image.
	Rows, Columns int
	// Labels holds the label of every image. It must not be written to.
	Labels []uint8

	folder fs.FS
	images []imageFile
}

// imageFile is one of the files that the images of a set lie in, one file after the other.
type imageFile struct {
	name  string
	count int
}

// Open returns the set in a folder that contains the four files
//
//	train-images-idx3-ubyte  train-labels-idx1-ubyte  t10k-images-idx3-ubyte  t10k-labels-idx1-ubyte
//
// of MNIST, Fashion-MNIST or a similar set, without or with .gz at the end. The spelling
// train-images.idx3-ubyte, with a dot before idx, is also usual and is accepted. Images may have
// any size. The content shows whether a file is compressed. If a folder has several spellings, the
// one with hyphens is preferred, then the one without .gz.
//
// Open reads all files to the end, without keeping pixels. The files must not change until the last
// [Set.Ordered].
//
// The error is [fs.ErrNotExist] if a file is missing, and [ErrFormat] if one is malformed. It is
// [core.ErrShape] if the numbers of labels and images differ, if training and test images differ in
// size, or if images have no pixels. It is [core.ErrLabel] for a label above 9, and
// [core.ErrTooShort] for a file without images.
func Open(dir string) (*Set, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the folder of the data: %w", printable(dir, err))
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%w: %s is a file; name the folder that has the four files of the data", core.ErrUnavailable,
			shownPath(dir))
	}
	return openFolder(os.DirFS(dir), shownPath(dir))
}

func openFolder(folder fs.FS, source string) (*Set, error) {
	s, err := newSet(folder, source)
	if err != nil {
		return nil, err
	}
	for _, file := range s.images {
		err := s.read(file.name, 3, func(f *idx) error {
			if err := f.skip(f.size); err != nil {
				return err
			}
			return f.end()
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// newSet reads the labels of a set and the headers of its images.
func newSet(folder fs.FS, source string) (*Set, error) {
	s := &Set{Source: source, folder: folder}
	for _, part := range []string{"train", "t10k"} {
		if err := s.add(part); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Set) add(part string) error {
	images, err := s.find(part+"-images", "idx3-ubyte")
	if err != nil {
		return err
	}
	labels, err := s.find(part+"-labels", "idx1-ubyte")
	if err != nil {
		return err
	}
	count := 0
	err = s.read(images, 3, func(f *idx) error {
		rows, columns := f.shape[1], f.shape[2]
		count = f.shape[0]
		if count == 0 {
			return fmt.Errorf("%w: it has no images; at least one is needed", core.ErrTooShort)
		}
		if len(s.images) == 0 {
			s.Rows, s.Columns = rows, columns
		}
		if rows != s.Rows || columns != s.Columns {
			return fmt.Errorf("%w: its images are %d×%d, those of %s are %d×%d; they must have one size", core.ErrShape, rows,
				columns, s.images[0].name, s.Rows, s.Columns)
		}
		if _, err := core.NewPixelSnapshots(nil, rows, columns); err != nil {
			return err
		}
		if rows*columns > maxPixels || count > maxImages {
			return fmt.Errorf("%w: it has %d images of %d×%d; there can be %d, of %d pixels each", ErrFormat, count,
				rows, columns,
				maxImages, maxPixels)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.images = append(s.images, imageFile{images, count})
	return s.read(labels, 1, func(f *idx) error {
		if f.shape[0] != count {
			return fmt.Errorf("%w: it has %d labels for the %d images of %s", core.ErrShape, f.shape[0], count, images)
		}
		values, err := f.rest()
		if err != nil {
			return err
		}
		for i, l := range values {
			if l >= Classes {
				return fmt.Errorf("%w: label %d of image %d is not in 0 … %d", core.ErrLabel, l, i, Classes-1)
			}
		}
		s.Labels = append(s.Labels, values...)
		return nil
	})
}

// Halves returns the training images and the test images as separate sets, in which indices begin
// at 0.
func (s *Set) Halves() (training, test *Set) {
	n := s.images[0].count
	of := func(part string, labels []uint8, images []imageFile) *Set {
		return &Set{s.Source + " (" + part + " images)", s.Rows, s.Columns, labels, s.folder, images}
	}
	return of("training", s.Labels[:n:n], s.images[:1:1]), of("test", s.Labels[n:], s.images[1:])
}

// find returns the name that a file of the set has in its folder.
func (s *Set) find(name, format string) (string, error) {
	var names []string
	for _, hyphen := range []string{"-", "."} {
		for _, zipped := range []string{"", ".gz"} {
			names = append(names, name+hyphen+format+zipped)
		}
	}
	for _, name := range names {
		if info, err := fs.Stat(s.folder, name); err == nil && info.Mode().IsRegular() {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s has none of the files %s: %w", s.Source, strings.Join(names, ", "), fs.ErrNotExist)
}

// read hands a file of the set to use. Its errors say which file they are about.
func (s *Set) read(name string, axes int, use func(*idx) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s in %s: %w", name, s.Source, err)
		}
	}()
	file, err := s.folder.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	f, err := newIDX(file, axes)
	if err != nil {
		return err
	}
	return use(f)
}

// gather returns the pixels of the images with these indices, all different, one image after the
// other. It reads the files as far as the last of them.
func (s *Set) gather(indices []int) ([]uint8, error) {
	type wanted struct{ index, place int }
	left := make([]wanted, len(indices))
	for place, index := range indices {
		left[place] = wanted{index, place}
	}
	slices.SortFunc(left, func(a, b wanted) int { return cmp.Compare(a.index, b.index) })

	size := s.Rows * s.Columns
	if bytes := int64(len(indices)) * int64(size); bytes > foreign.Limit() {
		return nil, fmt.Errorf("%s: %w", s.Source, foreign.TooLarge("the images of the sequence take", bytes,
			foreign.Limit()))
	}
	pixels := make([]uint8, len(indices)*size)
	first := 0 // index of the first image in the file
	for _, file := range s.images {
		end := first + file.count
		inFile, _ := slices.BinarySearchFunc(left, end, func(w wanted, index int) int { return cmp.Compare(w.index, index) })
		if inFile > 0 {
			err := s.read(file.name, 3, func(f *idx) error {
				if !slices.Equal(f.shape, []int{file.count, s.Rows, s.Columns}) {
					return fmt.Errorf("%w: it has changed since it was opened", ErrFormat)
				}
				next := first
				for _, w := range left[:inFile] {
					if err := f.skip(int64(w.index-next) * int64(size)); err != nil {
						return err
					}
					if err := f.read(pixels[w.place*size : (w.place+1)*size]); err != nil {
						return err
					}
					next = w.index + 1
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		left, first = left[inFile:], end
	}
	return pixels, nil
}
