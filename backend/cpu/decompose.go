package cpu

import (
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// GoMLX's fused operations are recorded as the operations that they consist of, where these have
// kernels: loops, reductions and products. The others, and arguments that are wrong, are left to the
// Go backend.

// recorder records operations until one fails.
type recorder struct {
	f     *Function
	dtype dtypes.DType
	err   error
}

// decomposes returns a recorder for operations on x, and the shape of x; nil if x is no array of
// float32 or float64 of a fixed size.
func (f *Function) decomposes(x compute.Value) (*recorder, shapes.Shape) {
	shape, err := f.Shape(x)
	if err != nil || shape.IsDynamic() || shape.Size() == 0 ||
		shape.DType != dtypes.Float32 && shape.DType != dtypes.Float64 {
		return nil, shape
	}
	return &recorder{f: f, dtype: shape.DType}, shape
}

// keep returns v unless an operation has failed.
func (r *recorder) keep(v compute.Value, err error) compute.Value {
	if r.err == nil {
		r.err = err
	}
	return v
}

func (r *recorder) unary(op func(compute.Function, compute.Value) (compute.Value, error),
	x compute.Value,
) compute.Value {
	if r.err != nil {
		return nil
	}
	return r.keep(op(r.f, x))
}

func (r *recorder) binary(op func(compute.Function, compute.Value, compute.Value) (compute.Value, error),
	x, y compute.Value,
) compute.Value {
	if r.err != nil {
		return nil
	}
	return r.keep(op(r.f, x, y))
}

func (r *recorder) add(x, y compute.Value) compute.Value { return r.binary(compute.Function.Add, x, y) }
func (r *recorder) sub(x, y compute.Value) compute.Value { return r.binary(compute.Function.Sub, x, y) }
func (r *recorder) mul(x, y compute.Value) compute.Value { return r.binary(compute.Function.Mul, x, y) }
func (r *recorder) div(x, y compute.Value) compute.Value { return r.binary(compute.Function.Div, x, y) }

func (r *recorder) constant(c float64) compute.Value {
	if r.err != nil {
		return nil
	}
	if r.dtype == dtypes.Float64 {
		return r.keep(r.f.Constant([]float64{c}))
	}
	return r.keep(r.f.Constant([]float32{float32(c)}))
}

// spread broadcasts v, whose axes are those of shape, to shape.
func (r *recorder) spread(v compute.Value, shape shapes.Shape, axes []int) compute.Value {
	if r.err != nil {
		return nil
	}
	return r.keep(r.f.BroadcastInDim(v, shape, axes))
}

// reduce reduces axes of x and broadcasts the result to the shape of x again.
func (r *recorder) reduce(op func(compute.Function, compute.Value, ...int) (compute.Value, error), x compute.Value,
	shape shapes.Shape, axes []int,
) compute.Value {
	if r.err != nil {
		return nil
	}
	var left []int
	for axis := range shape.Rank() {
		if !slices.Contains(axes, axis) {
			left = append(left, axis)
		}
	}
	return r.spread(r.keep(op(r.f, x, axes...)), shape, left)
}

// activation applies an activation, and reports whether it knows it.
func (r *recorder) activation(kind compute.ActivationType, x compute.Value) (compute.Value, bool) {
	switch kind {
	case compute.ActivationNone:
		return x, true
	case compute.ActivationRelu:
		return r.binary(compute.Function.Max, x, r.constant(0)), true
	case compute.ActivationTanh:
		return r.unary(compute.Function.Tanh, x), true
	case compute.ActivationSilu:
		return r.mul(x, r.unary(compute.Function.Logistic, x)), true
	case compute.ActivationHardSwish:
		inner := r.add(r.mul(x, r.constant(1./6)), r.constant(.5))
		inner = r.binary(compute.Function.Min, r.binary(compute.Function.Max, inner, r.constant(0)), r.constant(1))
		return r.mul(x, inner), true
	case compute.ActivationGelu:
		return r.gelu(x, true), true
	}
	return nil, false
}

// gelu is x·Φ(x), Φ by the error function or, if not exact, by tanh (Hendrycks and Gimpel,
// arXiv:1606.08415).
func (r *recorder) gelu(x compute.Value, exact bool) compute.Value {
	half := r.mul(x, r.constant(.5))
	if exact {
		return r.mul(half, r.add(r.unary(compute.Function.Erf, r.mul(x, r.constant(1/math.Sqrt2))), r.constant(1)))
	}
	cube := r.mul(r.mul(r.mul(x, r.constant(.044715)), x), x)
	inner := r.mul(r.add(x, cube), r.constant(math.Sqrt(2/math.Pi)))
	return r.mul(half, r.add(r.unary(compute.Function.Tanh, inner), r.constant(1)))
}

// softmax is exp(x − max) over its sum along an axis.
func (f *Function) softmax(x compute.Value, axis int) (_ compute.Value, ok bool, _ error) {
	r, shape := f.decomposes(x)
	if r == nil || axis < 0 || axis >= shape.Rank() {
		return nil, false, nil
	}
	e := r.unary(compute.Function.Exp, r.sub(x, r.reduce(compute.Function.ReduceMax, x, shape, []int{axis})))
	return r.div(e, r.reduce(compute.Function.ReduceSum, e, shape, []int{axis})), true, r.err
}

// layerNorm is (x − mean)/√(variance + ε)·γ + β over axes.
func (f *Function) layerNorm(x compute.Value, axes []int, epsilon float64, gamma, beta compute.Value) (
	_ compute.Value, ok bool, _ error,
) {
	r, shape := f.decomposes(x)
	if r == nil || len(axes) == 0 {
		return nil, false, nil
	}
	axes = slices.Clone(axes)
	size := 1
	var dims []int
	for i, axis := range axes {
		if axis < 0 {
			axis += shape.Rank()
		}
		if axis < 0 || axis >= shape.Rank() || i > 0 && axis <= axes[i-1] {
			return nil, false, nil
		}
		axes[i], size, dims = axis, size*shape.Dimensions[axis], append(dims, shape.Dimensions[axis])
	}
	for _, v := range []compute.Value{gamma, beta} {
		if v == nil {
			continue
		}
		s, err := f.Shape(v)
		if err != nil || s.DType != shape.DType || !slices.Equal(s.Dimensions, dims) {
			return nil, false, nil //nolint:nilerr // the Go backend gives the error
		}
	}
	mean := func(v compute.Value) compute.Value {
		return r.mul(r.reduce(compute.Function.ReduceSum, v, shape, axes), r.constant(1/float64(size)))
	}
	centred := r.sub(x, mean(x))
	variance := mean(r.mul(centred, centred))
	y := r.mul(centred, r.unary(compute.Function.Rsqrt, r.add(variance, r.constant(epsilon))))
	if gamma != nil {
		y = r.mul(y, r.spread(gamma, shape, axes))
	}
	if beta != nil {
		y = r.add(y, r.spread(beta, shape, axes))
	}
	return y, true, r.err
}
