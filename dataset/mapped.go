package dataset

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/koopbench/koopbench/core"
)

// mostRead is the size of the largest file of arrays that is read and not mapped.
const mostRead = 1 << 20

// mapping is the content of a file. Where it is mapped, it is so until nothing refers to the mapping.
type mapping struct {
	file  string
	bytes []byte
}

// errCut is what a mapped file ends in that somebody makes shorter: the system has no bytes to give.
var errCut = errors.New("it was made shorter or replaced while it was used, or its disk has failed; run again with " +
	"files that stay as they are")

// settle ends a use of the mapping that began with [debug.SetPanicOnFault], which had been set as before says: a fault
// becomes a panic that names the file. It must be deferred.
func settle(m *mapping, before bool) {
	debug.SetPanicOnFault(before)
	switch r := recover().(type) {
	case nil:
	case interface{ Addr() uintptr }:
		panic(core.Unreadable{Err: fmt.Errorf("%w: %s: %w", ErrFormat, m.file, errCut)})
	default:
		panic(r)
	}
}
