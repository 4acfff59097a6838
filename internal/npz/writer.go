package npz

import (
	"archive/zip"
	"fmt"
	"io"
)

// Writer writes an uncompressed archive array by array, and the values of large arrays piece by
// piece. So memory does not grow with the arrays.
type Writer struct {
	zip  *zip.Writer
	open *stream
}

// NewWriter returns a writer. The caller must close it.
func NewWriter(w io.Writer) *Writer { return &Writer{zip: zip.NewWriter(w)} }

// stream is an array whose values are being written.
type stream struct {
	name  string
	shape []int
	to    io.Writer
	left  int64 // bytes
}

// Write implements [io.Writer].
func (s *stream) Write(data []byte) (int, error) {
	if int64(len(data)) > s.left {
		return 0, fmt.Errorf("array %q: more values than the shape %v has", s.name, s.shape)
	}
	n, err := s.to.Write(data)
	s.left -= int64(n)
	return n, err
}

// Float32 begins an array of float32 and returns a writer for its values, little-endian and
// row-major. All values must be written before the next array begins or the writer is closed.
func (w *Writer) Float32(name string, shape ...int) (io.Writer, error) {
	member, err := w.begin(name)
	if err != nil {
		return nil, err
	}
	const width = 4
	w.open = &stream{name, shape, member, width * int64(product(shape))}
	return w.open, writeHeader(member, "<f4", shape)
}

// Add writes an array.
func (w *Writer) Add(name string, a Array) error {
	member, err := w.begin(name)
	if err != nil {
		return err
	}
	if err := WriteArray(member, a); err != nil {
		return fmt.Errorf("array %q: %w", name, err)
	}
	return nil
}

func (w *Writer) begin(name string) (io.Writer, error) {
	if err := w.finish(); err != nil {
		return nil, err
	}
	return w.zip.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
}

func (w *Writer) finish() error {
	if w.open != nil && w.open.left > 0 {
		return fmt.Errorf("array %q: %d bytes of values are missing of the shape %v", w.open.name, w.open.left, w.open.shape)
	}
	w.open = nil
	return nil
}

// Close ends the archive.
func (w *Writer) Close() error {
	if err := w.finish(); err != nil {
		return err
	}
	return w.zip.Close()
}
