package kernel

import "math"

// BinaryOp is an elementwise operation of two operands.
type BinaryOp uint8

// Binary operations. Max and Min give NaN if an operand is NaN. Of two zeros, 0 is the larger and −0 the smaller.
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
	Sqrt
	Rsqrt       // 1/√x
	NotNegative // 0 if x < 0, otherwise 1
	Positive    // 1 if x > 0, otherwise 0
	Sign        // −1, 0 or 1; NaN gives 0
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
	Erf
	Round // to the nearest integer, halves to even
	unaryOps
)

// Binary computes dst[i] = op(a[i], b[i]) for all of dst, which may be a or b itself. Splitting changes no bits.
func Binary[T float](s Set, op BinaryOp, dst, a, b []T) {
	need("a", a, len(dst))
	need("b", b, len(dst))
	a, b = a[:len(dst)], b[:len(dst)]
	if vectorBinary(s, op, dst, a, b) {
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

// Unary computes dst[i] = op(a[i]) for all of dst, which may be a itself. The operations up to Sign,
// Floor, Ceil and Round are as IEEE 754 says. The others are within 3e-7 (float32) or 1e-15 (float64)
// relative if the result is a normal number. Otherwise they are within the least number; Expm1, Log1p,
// Tanh and Sin of a subnormal number and of zero are rounded rightly, with their sign. Splitting
// changes no bits.
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
	case Sqrt:
		for i, x := range a {
			dst[i] = T(math.Sqrt(float64(x)))
		}
	case Rsqrt:
		for i, x := range a {
			dst[i] = 1 / T(math.Sqrt(float64(x)))
		}
	case NotNegative:
		for i, x := range a {
			dst[i] = 1
			if x < 0 {
				dst[i] = 0
			}
		}
	case Positive:
		for i, x := range a {
			dst[i] = 0
			if x > 0 {
				dst[i] = 1
			}
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
	case Round: // the compiler knows it, if it is called by its name
		for i, x := range a {
			dst[i] = T(math.RoundToEven(float64(x)))
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
	case Erf:
		return math.Erf
	}
	panic("kernel: unknown unary operation")
}
