package kernel

import (
	"syscall"
	"testing"
	"unsafe"
)

// guardEnd returns n values that end where an inaccessible page begins, so that a read or write beyond them is a fault.
// They last as long as the test.
func guardEnd[T float](t testing.TB, n int) []T {
	page := syscall.Getpagesize()
	size := n * sizeof[T]()
	if size == 0 || size > 1<<20 {
		return make([]T, n)
	}
	mapped := (size + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, mapped+page, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(mem) })
	if err := syscall.Mprotect(mem[mapped:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&mem[mapped-size])), n)
}
