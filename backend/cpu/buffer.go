package cpu

import (
	"fmt"
	"reflect"
	"sync/atomic"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

var _ compute.Buffer = (*Buffer)(nil)

func newStorage(inner compute.Buffer) (*storage, error) {
	shape, err := inner.Shape()
	if err != nil {
		return nil, err
	}
	flat, err := inner.Data()
	if err != nil {
		return nil, err
	}
	return &storage{shape: shape, inner: inner, flat: flat, memory: memoryOf(flat)}, nil
}

// memoryOf returns the address of the first element of a slice.
func memoryOf(slice any) unsafe.Pointer { return reflect.ValueOf(slice).UnsafePointer() }

// Buffer is a tensor in memory that the caller and the backend share. Its
// methods may be called concurrently, except Finalize and donation, after
// which the buffer is invalid.
type Buffer struct {
	backend *Backend
	storage atomic.Pointer[storage] // nil when finalized or donated
}

func (b *Backend) newBuffer(s *storage) *Buffer {
	buffer := &Buffer{backend: b}
	buffer.storage.Store(s)
	return buffer
}

func (b *Buffer) live() (*storage, error) {
	if b == nil {
		return nil, fmt.Errorf("cpu backend: the buffer is nil")
	}
	if s := b.storage.Load(); s != nil && !b.backend.finalized.Load() {
		return s, nil
	}
	return nil, fmt.Errorf("cpu backend: the buffer was finalized or donated, or its backend is finalized")
}

// Backend returns the backend that the buffer belongs to.
func (b *Buffer) Backend() compute.Backend { return b.backend }

// Finalize gives the memory back at once. Finalizing a buffer twice, or one
// that was donated, does nothing.
func (b *Buffer) Finalize() error {
	if s := b.storage.Swap(nil); s != nil {
		b.backend.release(s)
	}
	return nil
}

// Shape returns the shape of the buffer.
func (b *Buffer) Shape() (shapes.Shape, error) {
	s, err := b.live()
	if err != nil {
		return shapes.Invalid(), err
	}
	return s.shape, nil
}

// DeviceNum returns 0.
func (b *Buffer) DeviceNum() (compute.DeviceNum, error) { return 0, nil }

// ToFlatData copies the values to flat, a slice of the dtype's Go type and of
// the shape's size.
func (b *Buffer) ToFlatData(flat any) error {
	s, err := b.live()
	if err != nil {
		return err
	}
	return s.inner.ToFlatData(flat)
}

// Data returns the values themselves, valid until the buffer is finalized or
// donated.
func (b *Buffer) Data() (flat any, err error) {
	s, err := b.live()
	if err != nil {
		return nil, err
	}
	return s.flat, nil
}

// CopyToDevice fails: there is one device.
func (b *Buffer) CopyToDevice(compute.DeviceNum) (compute.Buffer, error) {
	return nil, fmt.Errorf("cpu backend: it has one device, there is none to copy to")
}

// BufferFromFlatData copies a flat slice of the shape's type and size into a
// new buffer.
func (b *Backend) BufferFromFlatData(deviceNum compute.DeviceNum, flat any,
	shape shapes.Shape) (compute.Buffer, error) {
	buffer, memory, err := b.NewSharedBuffer(deviceNum, shape)
	if err != nil {
		return nil, err
	}
	to, from := reflect.ValueOf(memory), reflect.ValueOf(flat)
	if from.Kind() != reflect.Slice || from.Type() != to.Type() || from.Len() != to.Len() {
		return nil, fmt.Errorf("cpu backend: %T is no memory of %s: it takes %d values of %s", flat, shape,
			to.Len(), to.Type())
	}
	reflect.Copy(to, from)
	return buffer, nil
}

// HasSharedBuffers returns true.
func (b *Backend) HasSharedBuffers() bool { return true }

// NewSharedBuffer returns a buffer with arbitrary contents and its values. A
// caller may write them while no execution uses the buffer.
func (b *Backend) NewSharedBuffer(deviceNum compute.DeviceNum, shape shapes.Shape) (compute.Buffer, any, error) {
	if deviceNum != 0 {
		return nil, nil, fmt.Errorf("cpu backend: device %d: it has device 0 only", deviceNum)
	}
	s, err := b.allocate(shape)
	if err != nil {
		return nil, nil, err
	}
	return b.newBuffer(s), s.flat, nil
}
