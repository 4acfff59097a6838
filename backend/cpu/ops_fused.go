package cpu

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// The fused operations. Those of decompose.go are recorded as the operations that they consist of. The
// others run on the Go backend, if it has them.

// optional collects the values among vs that are not nil, and returns a
// function that puts others in their place.
func optional(vs ...compute.Value) (present []compute.Value, restore func(in []compute.Value) []compute.Value) {
	for _, v := range vs {
		if v != nil {
			present = append(present, v)
		}
	}
	return present, func(in []compute.Value) []compute.Value {
		out := make([]compute.Value, len(vs))
		for i, v := range vs {
			if v != nil {
				out[i], in = in[0], in[1:]
			}
		}
		return out
	}
}

// FusedSoftmax records the operation of that name.
func (f *Function) FusedSoftmax(x compute.Value, axis int) (compute.Value, error) {
	if v, ok, err := f.softmax(x, axis); ok || err != nil {
		return v, err
	}
	return f.record1(compute.OpTypeFusedSoftmax, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.FusedSoftmax(in[0], axis))
		}, x)
}

// FusedGelu records the operation of that name.
func (f *Function) FusedGelu(x compute.Value, exact bool) (compute.Value, error) {
	if r, _ := f.decomposes(x); r != nil {
		return r.gelu(x, exact), r.err
	}
	return f.record1(compute.OpTypeFusedGelu, nil, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(g.FusedGelu(in[0], exact))
	}, x)
}

// FusedLayerNorm records the operation of that name.
func (f *Function) FusedLayerNorm(x compute.Value, axes []int, epsilon float64, gamma,
	beta compute.Value) (compute.Value, error) {
	if v, ok, err := f.layerNorm(x, axes, epsilon, gamma, beta); ok || err != nil {
		return v, err
	}
	present, restore := optional(x, gamma, beta)
	return f.record1(compute.OpTypeFusedLayerNorm, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			v := restore(in)
			return one(g.FusedLayerNorm(v[0], axes, epsilon, v[1], v[2]))
		}, present...)
}

// FusedDense records the operation of that name: as a DotGeneral, an Add and
// the activation where these run here, else as one operation of the Go backend.
func (f *Function) FusedDense(x, weight, bias compute.Value, options compute.DenseConfig) (compute.Value, error) {
	if v, ok, err := f.dense(x, weight, bias, options); ok || err != nil {
		return v, err
	}
	present, restore := optional(x, weight, bias)
	return f.record1(compute.OpTypeFusedDense, nil, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		v := restore(in)
		return one(g.FusedDense(v[0], v[1], v[2], options))
	}, present...)
}

// dense decomposes FusedDense; ok is false if the arguments are none that it knows.
func (f *Function) dense(x, weight, bias compute.Value,
	options compute.DenseConfig) (_ compute.Value, ok bool, _ error) {
	a, errA := f.Shape(x)
	w, errW := f.Shape(weight)
	if errA != nil || errW != nil || a.Rank() < 1 || w.Rank() < 2 || a.IsDynamic() || w.IsDynamic() ||
		a.DType != w.DType ||
		a.DType != dtypes.Float32 && a.DType != dtypes.Float64 {
		return nil, false, nil //nolint:nilerr // the Go backend gives the error
	}
	axis, out := 0, w.Dimensions[1:]
	switch options.WeightLayout {
	case compute.DenseLayoutInputOutputs:
	case compute.DenseLayoutOutputsInput:
		axis, out = w.Rank()-1, w.Dimensions[:w.Rank()-1]
	default:
		return nil, false, nil
	}
	if a.Dimensions[a.Rank()-1] != w.Dimensions[axis] {
		return nil, false, nil
	}
	if options.Activation < compute.ActivationNone || options.Activation > compute.ActivationTanh {
		return nil, false, nil
	}
	if bias != nil {
		b, err := f.Shape(bias)
		if err != nil || b.DType != a.DType || !slices.Equal(b.Dimensions, out) {
			return nil, false, nil //nolint:nilerr // the Go backend gives the error
		}
	}
	y, err := f.DotGeneral(x, []int{a.Rank() - 1}, nil, weight, []int{axis}, nil, compute.DotGeneralConfig{})
	if err != nil {
		return nil, false, err
	}
	if bias != nil {
		shape, err := f.Shape(y)
		if err != nil {
			return nil, false, err
		}
		var axes []int
		for k := shape.Rank() - len(out); k < shape.Rank(); k++ {
			axes = append(axes, k)
		}
		if bias, err = f.BroadcastInDim(bias, shape, axes); err != nil {
			return nil, false, err
		}
		if y, err = f.Add(y, bias); err != nil {
			return nil, false, err
		}
	}
	r := &recorder{f: f, dtype: a.DType}
	y, ok = r.activation(options.Activation, y)
	return y, ok, r.err
}

// attention returns the values that attention takes, and what replaces them.
func attention(query, key, value compute.Value, options *compute.ScaledDotProductAttentionConfig) (
	present []compute.Value,
	restore func(in []compute.Value) ([]compute.Value, *compute.ScaledDotProductAttentionConfig)) {
	if options == nil {
		return []compute.Value{query, key, value},
			func(in []compute.Value) ([]compute.Value, *compute.ScaledDotProductAttentionConfig) {
				return in, nil
			}
	}
	own := *options
	present, put := optional(query, key, value, own.QuerySeqLen, own.KeyValueSeqLen, own.Bias, own.Mask)
	return present, func(in []compute.Value) ([]compute.Value, *compute.ScaledDotProductAttentionConfig) {
		v, o := put(in), own
		o.QuerySeqLen, o.KeyValueSeqLen, o.Bias, o.Mask = v[3], v[4], v[5], v[6]
		return v, &o
	}
}

// FusedScaledDotProductAttention records the operation of that name.
func (f *Function) FusedScaledDotProductAttention(query, key, value compute.Value,
	axesLayout compute.AttentionAxesLayout,
	options *compute.ScaledDotProductAttentionConfig) (output compute.Value, statesForVJP []compute.Value, err error) {
	present, restore := attention(query, key, value, options)
	out, err := f.record(compute.OpTypeFusedScaledDotProductAttention, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			v, o := restore(in)
			y, states, err := g.FusedScaledDotProductAttention(v[0], v[1], v[2], axesLayout, o)
			if err != nil {
				return nil, err
			}
			return join(states, y), nil
		}, present...)
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1:], nil
}

// FusedScaledDotProductAttentionVJP records the operation of that name.
func (f *Function) FusedScaledDotProductAttentionVJP(query, key, value compute.Value,
	axesLayout compute.AttentionAxesLayout,
	options *compute.ScaledDotProductAttentionConfig, output compute.Value, statesForVJP []compute.Value,
	dOutput compute.Value) (
	dQuery, dKey, dValue compute.Value, err error) {
	present, restore := attention(query, key, value, options)
	n := len(present)
	inputs := append(append(present, output, dOutput), statesForVJP...)
	return three(f.record(compute.OpTypeFusedScaledDotProductAttentionVJP, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			v, o := restore(in[:n])
			return listOf3(g.FusedScaledDotProductAttentionVJP(v[0], v[1], v[2], axesLayout, o, in[n], in[n+2:], in[n+1]))
		}, inputs...))
}

// quantized returns the values inside a quantization, and what replaces them.
func quantized(q *compute.Quantization, vs ...compute.Value) (
	present []compute.Value, restore func(in []compute.Value) ([]compute.Value, *compute.Quantization)) {
	if q == nil {
		present, put := optional(vs...)
		return present, func(in []compute.Value) ([]compute.Value, *compute.Quantization) { return put(in), nil }
	}
	own := *q
	n := len(vs)
	present, put := optional(append(vs, own.Scale, own.ZeroPoint)...)
	return present, func(in []compute.Value) ([]compute.Value, *compute.Quantization) {
		v, o := put(in), own
		o.Scale, o.ZeroPoint = v[n], v[n+1]
		return v, &o
	}
}

// QuantizedEmbeddingLookup records the operation of that name.
func (f *Function) QuantizedEmbeddingLookup(data, indices compute.Value,
	dataQuantization *compute.Quantization) (compute.Value, error) {
	present, restore := quantized(dataQuantization, data, indices)
	return f.record1(compute.OpTypeQuantizedEmbeddingLookup, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			v, q := restore(in)
			return one(g.QuantizedEmbeddingLookup(v[0], v[1], q))
		}, present...)
}

// FusedQuantizedDense records the operation of that name.
func (f *Function) FusedQuantizedDense(x, weights, bias compute.Value, weightsQuantization *compute.Quantization,
	activation compute.ActivationType) (compute.Value, error) {
	present, restore := quantized(weightsQuantization, x, weights, bias)
	return f.record1(compute.OpTypeFusedQuantizedDense, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			v, q := restore(in)
			return one(g.FusedQuantizedDense(v[0], v[1], v[2], q, activation))
		}, present...)
}

// FusedAttentionQKVProjection records the operation of that name.
func (f *Function) FusedAttentionQKVProjection(x, wQKV, biasQ, biasK, biasV compute.Value, queryDim, keyValueDim int) (
	query, key, value compute.Value, err error) {
	present, restore := optional(x, wQKV, biasQ, biasK, biasV)
	return three(f.record(compute.OpTypeFusedAttentionQKVProjection, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			v := restore(in)
			return listOf3(g.FusedAttentionQKVProjection(v[0], v[1], v[2], v[3], v[4], queryDim, keyValueDim))
		}, present...))
}
