package npz

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// kind is a type of values as NumPy has it.
type kind struct {
	width  int // bytes of a value in a file
	memory int // bytes of a value as it is read
	order  binary.ByteOrder
	read   func(r io.Reader, n int, k kind) (any, error)
	// turn makes column-major values row-major.
	turn func(values any, shape []int) any
	// number is a value as a float64; nil for complex numbers.
	number func(b []byte, order binary.ByteOrder) float64
}

var kinds = map[string]kind{
	"f2": real(2, 4, func(b []byte, o binary.ByteOrder) (float32, error) { return half(o.Uint16(b)), nil }),
	"f4": real(4, 4, func(b []byte, o binary.ByteOrder) (float32, error) {
		return math.Float32frombits(o.Uint32(b)), nil
	}),
	"f8": real(8, 8, func(b []byte, o binary.ByteOrder) (float64, error) {
		return math.Float64frombits(o.Uint64(b)), nil
	}),
	"i1":  real(1, 8, func(b []byte, _ binary.ByteOrder) (int64, error) { return int64(int8(b[0])), nil }),
	"i2":  real(2, 8, func(b []byte, o binary.ByteOrder) (int64, error) { return int64(int16(o.Uint16(b))), nil }),
	"i4":  real(4, 8, func(b []byte, o binary.ByteOrder) (int64, error) { return int64(int32(o.Uint32(b))), nil }),
	"i8":  real(8, 8, func(b []byte, o binary.ByteOrder) (int64, error) { return int64(o.Uint64(b)), nil }),
	"u1":  real(1, 1, func(b []byte, _ binary.ByteOrder) (uint8, error) { return b[0], nil }),
	"u2":  real(2, 8, func(b []byte, o binary.ByteOrder) (int64, error) { return int64(o.Uint16(b)), nil }),
	"u4":  real(4, 8, func(b []byte, o binary.ByteOrder) (int64, error) { return int64(o.Uint32(b)), nil }),
	"u8":  withNumber(of(8, 8, unsigned), func(b []byte, o binary.ByteOrder) float64 { return float64(o.Uint64(b)) }),
	"b1":  withNumber(of(1, 1, boolean), func(b []byte, _ binary.ByteOrder) float64 { return float64(min(b[0], 1)) }),
	"c8":  of(8, 16, func(b []byte, o binary.ByteOrder) (complex128, error) { return complexOf(b, o, 4), nil }),
	"c16": of(16, 16, func(b []byte, o binary.ByteOrder) (complex128, error) { return complexOf(b, o, 8), nil }),
}

func boolean(b []byte, _ binary.ByteOrder) (bool, error) { return b[0] != 0, nil }

func unsigned(b []byte, o binary.ByteOrder) (int64, error) {
	v := o.Uint64(b)
	if v > math.MaxInt64 {
		return 0, fmt.Errorf("it has the value %d, and whole numbers are read up to %d", v, int64(math.MaxInt64))
	}
	return int64(v), nil
}

func complexOf(b []byte, o binary.ByteOrder, width int) complex128 {
	if width == 4 {
		return complex(float64(math.Float32frombits(o.Uint32(b))), float64(math.Float32frombits(o.Uint32(b[4:]))))
	}
	return complex(math.Float64frombits(o.Uint64(b)), math.Float64frombits(o.Uint64(b[8:])))
}

// half is the value of a float16 (IEEE 754 binary16), which is a float32.
func half(bits uint16) float32 {
	sign := float32(1)
	if bits&0x8000 != 0 {
		sign = -1
	}
	exponent, fraction := int(bits>>10&0x1f), float64(bits&0x3ff)
	switch exponent {
	case 0:
		return sign * float32(math.Ldexp(fraction, -24))
	case 0x1f:
		if fraction != 0 {
			return float32(math.NaN())
		}
		return sign * float32(math.Inf(1))
	}
	return sign * float32(math.Ldexp(1024+fraction, exponent-25))
}

// of is a kind whose values become T.
func of[T any](width, memory int, value func([]byte, binary.ByteOrder) (T, error)) kind {
	return kind{width: width, memory: memory,
		read: func(r io.Reader, n int, k kind) (any, error) { return readValues(r, n, k, value) },
		turn: func(values any, shape []int) any { return rowMajor(values.([]T), shape) },
	}
}

// real is [of] for values that are real numbers and always read.
func real[T float32 | float64 | int64 | uint8](
	width, memory int, value func([]byte, binary.ByteOrder) (T, error),
) kind {
	return withNumber(of(width, memory, value), func(b []byte, o binary.ByteOrder) float64 {
		v, _ := value(b, o) // these values have no error
		return float64(v)
	})
}

func withNumber(k kind, number func([]byte, binary.ByteOrder) float64) kind {
	k.number = number
	return k
}

// pieceSize is how many bytes are read at once, a multiple of every width.
const pieceSize = 1 << 16

// readValues reads n values. Memory grows as they arrive, so that a lying header costs none.
func readValues[T any](r io.Reader, n int, k kind, value func([]byte, binary.ByteOrder) (T, error)) ([]T, error) {
	values := make([]T, 0, min(n, pieceSize))
	piece := make([]byte, pieceSize)
	for len(values) < n {
		part := piece[:min(pieceSize, (n-len(values))*k.width)]
		if _, err := io.ReadFull(r, part); err != nil {
			return nil, err
		}
		if len(values)+len(part)/k.width > cap(values) { // what has come says that the rest may come too
			grown := make([]T, len(values), min(n, 4*cap(values)))
			copy(grown, values)
			values = grown
		}
		for ; len(part) > 0; part = part[k.width:] {
			v, err := value(part, k.order)
			if err != nil {
				return nil, err
			}
			values = append(values, v)
		}
	}
	return values, nil
}

// rowMajor turns column-major values.
func rowMajor[T any](values []T, shape []int) []T {
	turned := make([]T, len(values))
	at := make([]int, len(shape)) // the place of the next value, by axis
	strides := make([]int, len(shape))
	for axis, stride := len(shape)-1, 1; axis >= 0; axis-- {
		strides[axis] = stride
		stride *= shape[axis]
	}
	to := 0
	for _, v := range values {
		turned[to] = v
		for axis := range shape { // the first axis runs fastest
			at[axis]++
			to += strides[axis]
			if at[axis] < shape[axis] {
				break
			}
			to -= at[axis] * strides[axis]
			at[axis] = 0
		}
	}
	return turned
}
