package kernel

import (
	"fmt"
	"strings"
	"unsafe"
)

// Set is one implementation of all kernels. The zero value is [Generic].
type Set uint8

// The sets, slowest first. [Set.Available] says whether the processor runs one.
const (
	Generic Set = iota // plain Go
	AVX2               // amd64 with AVX2 and FMA3
	AVX512             // amd64 with AVX-512 F, BW, DQ and VL
	NEON               // arm64
)

var allSets = [...]Set{Generic, AVX2, AVX512, NEON}

var _ fmt.Stringer = Generic

// String returns the name of the set: generic, avx2, avx512 or neon.
func (s Set) String() string {
	switch s {
	case Generic:
		return "generic"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	case NEON:
		return "neon"
	}
	return fmt.Sprintf("Set(%d)", uint8(s))
}

// Available reports whether this processor and operating system run the set.
func (s Set) Available() bool { return s == Generic || available(s) }

// Sets returns the available sets, slowest first.
func Sets() []Set {
	var sets []Set
	for _, s := range allSets {
		if s.Available() {
			sets = append(sets, s)
		}
	}
	return sets
}

// Best returns the fastest available set.
func Best() Set {
	sets := Sets()
	return sets[len(sets)-1]
}

// ByName returns the set of that name. It fails if there is none, or if the processor does not run it.
func ByName(name string) (Set, error) {
	var names []string
	for _, s := range Sets() {
		names = append(names, s.String())
	}
	for _, s := range allSets {
		switch {
		case s.String() != name:
		case s.Available():
			return s, nil
		default:
			return Generic, fmt.Errorf("kernel set %q needs instructions that this processor lacks; use one of %s",
				name, strings.Join(names, ", "))
		}
	}
	return Generic, fmt.Errorf("unknown kernel set %q; use one of %s", name, strings.Join(names, ", "))
}

// lanes is the number of values of type T in one vector of the set. Plain Go has vectors of four, and
// NEON two registers of 16 bytes.
func lanes[T float](s Set) int {
	bytes := 0
	switch s {
	case AVX2, NEON:
		bytes = 32
	case AVX512:
		bytes = 64
	default:
		return 4
	}
	return bytes / sizeof[T]()
}

// float is the type of what the kernels compute with.
type float interface{ float32 | float64 }

func sizeof[T float]() int {
	var x T
	return int(unsafe.Sizeof(x))
}

// need panics if a slice is shorter than n.
func need[T any](name string, x []T, n int) {
	if len(x) < n {
		panic(fmt.Sprintf("kernel: %s has %d elements, %d are needed", name, len(x), n))
	}
}
