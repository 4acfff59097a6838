package kernel

import "math"

// BinaryOp is an elementwise operation of two operands.
type BinaryOp uint8

// Binary operations. Max and Min give NaN if an operand is NaN; the sign of a zero from two zeros is not defined.
const (
	Add BinaryOp = iota
	Sub
	Mul
	Div
	Max
	Min
	binaryOps
)

// UnaryOp is an elementwise operation of one operand.
type UnaryOp uint8

// Unary operations.
const (
	Neg UnaryOp = iota
	Abs
	Square
	Sqrt
	Reciprocal // 1/x
	Rsqrt      // 1/√x
	Relu       // max(x, 0), NaN stays
	Sign       // −1, 0 or 1; NaN gives 0
	Exp
	Expm1
	Log
	Log1p
	Tanh
	Sigmoid // 1/(1+exp(−x))
	Sin
	Cos
	Floor
	Ceil
	unaryOps
)

// Binary computes dst[i] = op(a[i], b[i]) for all of dst, which may be a or b itself. Splitting changes no bits.
func Binary[T float](s Set, op BinaryOp, dst, a, b []T) {
	need("a", a, len(dst))
	need("b", b, len(dst))
	a, b = a[:len(dst)], b[:len(dst)]
	if vectorBinary(s, op, formVV, dst, a, b) {
		return
	}
	switch op {
	case Add:
		for i := range dst {
			dst[i] = a[i] + b[i]
		}
	case Sub:
		for i := range dst {
			dst[i] = a[i] - b[i]
		}
	case Mul:
		for i := range dst {
			dst[i] = a[i] * b[i]
		}
	case Div:
		for i := range dst {
			dst[i] = a[i] / b[i]
		}
	case Max:
		for i := range dst {
			dst[i] = max(a[i], b[i])
		}
	case Min:
		for i := range dst {
			dst[i] = min(a[i], b[i])
		}
	}
}

// BinaryScalar computes dst[i] = op(a[i], b) for all of dst, which may be a itself. Splitting changes no bits.
func BinaryScalar[T float](s Set, op BinaryOp, dst, a []T, b T) {
	need("a", a, len(dst))
	a = a[:len(dst)]
	if vectorBinaryScalar(s, op, formVS, dst, a, b) {
		return
	}
	switch op {
	case Add:
		for i := range dst {
			dst[i] = a[i] + b
		}
	case Sub:
		for i := range dst {
			dst[i] = a[i] - b
		}
	case Mul:
		for i := range dst {
			dst[i] = a[i] * b
		}
	case Div:
		for i := range dst {
			dst[i] = a[i] / b
		}
	case Max:
		for i := range dst {
			dst[i] = max(a[i], b)
		}
	case Min:
		for i := range dst {
			dst[i] = min(a[i], b)
		}
	}
}

// ScalarBinary computes dst[i] = op(a, b[i]) for all of dst, which may be b itself. Splitting changes no bits.
func ScalarBinary[T float](s Set, op BinaryOp, dst []T, a T, b []T) {
	need("b", b, len(dst))
	b = b[:len(dst)]
	switch op {
	case Sub:
		if vectorBinaryScalar(s, op, formSV, dst, b, a) {
			return
		}
		for i := range dst {
			dst[i] = a - b[i]
		}
	case Div:
		if vectorBinaryScalar(s, op, formSV, dst, b, a) {
			return
		}
		for i := range dst {
			dst[i] = a / b[i]
		}
	default:
		BinaryScalar(s, op, dst, b, a)
	}
}

// BinaryRows computes dst[r, j] = op(a[r, j], row[j]) for a with rows rows of len(row), as for adding a bias. dst may be a
// itself.
func BinaryRows[T float](s Set, op BinaryOp, dst, a, row []T, rows int) {
	n := len(row)
	need("dst", dst, rows*n)
	need("a", a, rows*n)
	for r := range rows {
		Binary(s, op, dst[r*n:][:n], a[r*n:][:n], row)
	}
}

// Axpy adds alpha·x to y. Sets that fuse multiply and add round once, plain Go rounds twice. Splitting changes no bits.
func Axpy[T float](s Set, alpha T, x, y []T) {
	need("x", x, len(y))
	x = x[:len(y)]
	if vectorAxpy(s, alpha, x, y) {
		return
	}
	for i := range y {
		y[i] += T(alpha * x[i]) //nolint:unconvert // keeps the compiler from fusing the two
	}
}

// Unary computes dst[i] = op(a[i]) for all of dst, which may be a itself. The operations up to Sign, Floor and Ceil round as
// IEEE 754 says, the others are within 3e-7 (float32) or 1e-15 (float64) relative. Splitting changes no bits.
func Unary[T float](s Set, op UnaryOp, dst, a []T) {
	need("a", a, len(dst))
	a = a[:len(dst)]
	if vectorUnary(s, op, dst, a) {
		return
	}
	switch op {
	case Neg:
		for i, x := range a {
			dst[i] = -x
		}
	case Abs:
		for i, x := range a {
			dst[i] = T(math.Abs(float64(x)))
		}
	case Square:
		for i, x := range a {
			dst[i] = x * x
		}
	case Sqrt:
		for i, x := range a {
			dst[i] = T(math.Sqrt(float64(x)))
		}
	case Reciprocal:
		for i, x := range a {
			dst[i] = 1 / x
		}
	case Rsqrt:
		for i, x := range a {
			dst[i] = 1 / T(math.Sqrt(float64(x)))
		}
	case Relu:
		for i, x := range a {
			if x < 0 {
				x = 0
			}
			dst[i] = x
		}
	case Sign:
		for i, x := range a {
			switch {
			case x > 0:
				dst[i] = 1
			case x < 0:
				dst[i] = -1
			default:
				dst[i] = 0
			}
		}
	default:
		f := scalarFunction(op)
		for i, x := range a {
			dst[i] = T(f(float64(x)))
		}
	}
}

func scalarFunction(op UnaryOp) func(float64) float64 {
	switch op {
	case Exp:
		return math.Exp
	case Expm1:
		return math.Expm1
	case Log:
		return math.Log
	case Log1p:
		return math.Log1p
	case Tanh:
		return math.Tanh
	case Sigmoid:
		return func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	case Sin:
		return math.Sin
	case Cos:
		return math.Cos
	case Floor:
		return math.Floor
	case Ceil:
		return math.Ceil
	}
	panic("kernel: unknown unary operation")
}

// Forms of vector binary operations: vector with vector, vector with scalar, scalar with vector.
const (
	formVV = iota
	formVS
	formSV
)

// Widen converts to float64.
func Widen(dst []float64, x []float32) {
	need("x", x, len(dst))
	for i, v := range x[:len(dst)] {
		dst[i] = float64(v)
	}
}

// Narrow converts to float32, to nearest even.
func Narrow(dst []float32, x []float64) {
	need("x", x, len(dst))
	for i, v := range x[:len(dst)] {
		dst[i] = float32(v)
	}
}
