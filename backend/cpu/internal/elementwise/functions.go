package elementwise

import (
	"math"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// Function computes n values of dst from those of a, b and c, of which an
// operation reads as many as it has operands. dst may equal any of them where
// the sizes of their elements agree.
type Function func(dst, a, b, c unsafe.Pointer, n int)

type float interface{ float32 | float64 }
type signed interface{ int8 | int16 | int32 | int64 }
type unsigned interface {
	uint8 | uint16 | uint32 | uint64
}
type integer interface{ signed | unsigned }
type number interface{ float | integer }

// Lookup returns the loop for an operation on operands of a dtype (for Where,
// that of the values chosen among), and nil if there is none.
func Lookup(op compute.OpType, dtype dtypes.DType) Function {
	if op == compute.OpTypeIdentity {
		return copyBytes(dtype)
	}
	switch dtype {
	case dtypes.Float32:
		return floats[float32](op)
	case dtypes.Float64:
		return floats[float64](op)
	case dtypes.Int8:
		return signedInts[int8](op)
	case dtypes.Int16:
		return signedInts[int16](op)
	case dtypes.Int32:
		return signedInts[int32](op)
	case dtypes.Int64:
		return signedInts[int64](op)
	case dtypes.Uint8:
		return numbers[uint8](op)
	case dtypes.Uint16:
		return numbers[uint16](op)
	case dtypes.Uint32:
		return numbers[uint32](op)
	case dtypes.Uint64:
		return numbers[uint64](op)
	case dtypes.Bool:
		return bools(op)
	}
	return nil
}

func of[T any](p unsafe.Pointer, n int) []T { return unsafe.Slice((*T)(p), n) }

func map1[T, U any](f func(T) U) Function {
	return func(dst, a, _, _ unsafe.Pointer, n int) {
		d, x := of[U](dst, n), of[T](a, n)
		for i, v := range x {
			d[i] = f(v)
		}
	}
}

func map2[T, U any](f func(T, T) U) Function {
	return func(dst, a, b, _ unsafe.Pointer, n int) {
		d, x, y := of[U](dst, n), of[T](a, n), of[T](b, n)
		for i, v := range x {
			d[i] = f(v, y[i])
		}
	}
}

func where[T any](dst, a, b, c unsafe.Pointer, n int) {
	d, cond, x, y := of[T](dst, n), of[bool](a, n), of[T](b, n), of[T](c, n)
	for i, t := range cond {
		if t {
			d[i] = x[i]
		} else {
			d[i] = y[i]
		}
	}
}

func bools(op compute.OpType) Function {
	switch op {
	case compute.OpTypeLogicalNot:
		return map1(func(x bool) bool { return !x })
	case compute.OpTypeLogicalAnd:
		return map2(func(x, y bool) bool { return x && y })
	case compute.OpTypeLogicalOr:
		return map2(func(x, y bool) bool { return x || y })
	case compute.OpTypeLogicalXor, compute.OpTypeNotEqual:
		return map2(func(x, y bool) bool { return x != y })
	case compute.OpTypeEqual:
		return map2(func(x, y bool) bool { return x == y })
	case compute.OpTypeWhere:
		return where[bool]
	}
	return nil
}

// numbers holds what any number has. Loops worth the length are written out:
// calls through f are not inlined.
func numbers[T number](op compute.OpType) Function {
	switch op {
	case compute.OpTypeAdd:
		return func(dst, a, b, _ unsafe.Pointer, n int) {
			d, x, y := of[T](dst, n), of[T](a, n), of[T](b, n)
			for i, v := range x {
				d[i] = v + y[i]
			}
		}
	case compute.OpTypeSub:
		return func(dst, a, b, _ unsafe.Pointer, n int) {
			d, x, y := of[T](dst, n), of[T](a, n), of[T](b, n)
			for i, v := range x {
				d[i] = v - y[i]
			}
		}
	case compute.OpTypeMul:
		return func(dst, a, b, _ unsafe.Pointer, n int) {
			d, x, y := of[T](dst, n), of[T](a, n), of[T](b, n)
			for i, v := range x {
				d[i] = v * y[i]
			}
		}
	case compute.OpTypeMax:
		return map2(func(x, y T) T { return max(x, y) })
	case compute.OpTypeMin:
		return map2(func(x, y T) T { return min(x, y) })
	case compute.OpTypeClamp:
		return func(dst, a, b, c unsafe.Pointer, n int) {
			d, low, x, high := of[T](dst, n), of[T](a, n), of[T](b, n), of[T](c, n)
			for i, v := range x {
				d[i] = min(max(v, low[i]), high[i])
			}
		}
	case compute.OpTypeEqual:
		return map2(func(x, y T) bool { return x == y })
	case compute.OpTypeNotEqual:
		return map2(func(x, y T) bool { return x != y })
	case compute.OpTypeLessThan:
		return map2(func(x, y T) bool { return x < y })
	case compute.OpTypeLessOrEqual:
		return map2(func(x, y T) bool { return x <= y })
	case compute.OpTypeGreaterThan:
		return map2(func(x, y T) bool { return x > y })
	case compute.OpTypeGreaterOrEqual:
		return map2(func(x, y T) bool { return x >= y })
	case compute.OpTypeWhere:
		return where[T]
	}
	return nil
}

func signedInts[T signed](op compute.OpType) Function {
	switch op {
	case compute.OpTypeNeg:
		return map1(func(x T) T { return -x })
	case compute.OpTypeAbs:
		return map1(func(x T) T { return max(x, -x) })
	}
	return numbers[T](op)
}

// floats holds what package kernel has no functions for.
func floats[T float](op compute.OpType) Function {
	switch op {
	case compute.OpTypeErf:
		return map1(func(x T) T { return T(math.Erf(float64(x))) })
	case compute.OpTypeRound:
		return map1(func(x T) T { return T(math.RoundToEven(float64(x))) })
	case compute.OpTypePow:
		return map2(func(x, y T) T { return T(math.Pow(float64(x), float64(y))) })
	case compute.OpTypeIsFinite:
		return map1(func(x T) bool { return x-x == 0 })
	case compute.OpTypeIsNaN:
		return map1(func(x T) bool { return x != x })
	}
	return numbers[T](op)
}

// LookupConvert returns the loop that converts between dtypes, and nil if
// there is none.
func LookupConvert(from, to dtypes.DType) Function {
	switch from {
	case dtypes.Float32:
		return convertTo[float32](to)
	case dtypes.Float64:
		return convertTo[float64](to)
	case dtypes.Int32:
		return convertTo[int32](to)
	case dtypes.Int64:
		return convertTo[int64](to)
	case dtypes.Uint8:
		return convertTo[uint8](to)
	case dtypes.Bool:
		switch to {
		case dtypes.Float32:
			return map1(fromBool[float32])
		case dtypes.Float64:
			return map1(fromBool[float64])
		case dtypes.Int32:
			return map1(fromBool[int32])
		case dtypes.Int64:
			return map1(fromBool[int64])
		case dtypes.Bool:
			return copyBytes(to)
		}
	}
	return nil
}

func fromBool[T number](x bool) T {
	if x {
		return 1
	}
	return 0
}

func convertTo[T number](to dtypes.DType) Function {
	switch to {
	case dtypes.Float32:
		return map1(func(x T) float32 { return float32(x) })
	case dtypes.Float64:
		return map1(func(x T) float64 { return float64(x) })
	case dtypes.Int32:
		return map1(func(x T) int32 { return int32(x) })
	case dtypes.Int64:
		return map1(func(x T) int64 { return int64(x) })
	case dtypes.Uint8:
		return map1(func(x T) uint8 { return uint8(x) })
	case dtypes.Bool:
		return map1(func(x T) bool { return x != 0 })
	}
	return nil
}

func copyBytes(dtype dtypes.DType) Function {
	size := dtype.Size()
	return func(dst, a, _, _ unsafe.Pointer, n int) { copy(of[byte](dst, n*size), of[byte](a, n*size)) }
}
