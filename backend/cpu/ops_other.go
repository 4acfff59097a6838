package cpu

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// The operations that always run on the Go backend: nothing reads their
// attributes. What each means is said in compute.Function's parts.

// BatchNormForInference records the operation of that name.
func (f *Function) BatchNormForInference(operand, scale, offset, mean, variance compute.Value, epsilon float32,
	featureAxis int) (compute.Value, error) {
	return f.record1(compute.OpTypeBatchNormForInference, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.BatchNormForInference(in[0], in[1], in[2], in[3], in[4], epsilon, featureAxis))
		}, operand, scale, offset, mean, variance)
}

// BatchNormForTraining records the operation of that name.
func (f *Function) BatchNormForTraining(operand, scale, offset compute.Value, epsilon float32, featureAxis int) (
	normalized, batchMean, batchVariance compute.Value, err error) {
	return three(f.record(compute.OpTypeBatchNormForTraining, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return listOf3(g.BatchNormForTraining(in[0], in[1], in[2], epsilon, featureAxis))
		}, operand, scale, offset))
}

// BatchNormGradient records the operation of that name.
func (f *Function) BatchNormGradient(operand, scale, mean, variance, gradOutput compute.Value, epsilon float32,
	featureAxis int) (
	gradOperand, gradScale, gradOffset compute.Value, err error) {
	return three(f.record(compute.OpTypeBatchNormGradient, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return listOf3(g.BatchNormGradient(in[0], in[1], in[2], in[3], in[4], epsilon, featureAxis))
		}, operand, scale, mean, variance, gradOutput))
}

// Bitcast records the operation of that name.
func (f *Function) Bitcast(x compute.Value, targetDType dtypes.DType) (compute.Value, error) {
	return f.record1(compute.OpTypeBitcast, nil, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(g.Bitcast(in[0], targetDType))
	}, x)
}

// CumSum records the operation of that name.
func (f *Function) CumSum(x compute.Value, axis int, options compute.CumSumOptions) (compute.Value, error) {
	return f.record1(compute.OpTypeCumSum, nil, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(g.CumSum(in[0], axis, options))
	}, x)
}

// DynamicSlice records the operation of that name.
func (f *Function) DynamicSlice(operand compute.Value, startIndices []compute.Value,
	sliceDims []int) (compute.Value, error) {
	return f.record1(compute.OpTypeDynamicSlice, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.DynamicSlice(in[0], in[1:], sliceDims))
		}, join(startIndices, operand)...)
}

// DynamicUpdateSlice records the operation of that name.
func (f *Function) DynamicUpdateSlice(operand, update compute.Value,
	startIndices []compute.Value) (compute.Value, error) {
	return f.record1(compute.OpTypeDynamicUpdateSlice, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.DynamicUpdateSlice(in[0], in[1], in[2:]))
		}, join(startIndices, operand, update)...)
}

// FFT records the operation of that name.
func (f *Function) FFT(operand compute.Value, fftType compute.FFTType, fftLength []int) (compute.Value, error) {
	return f.record1(compute.OpTypeFFT, nil, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(g.FFT(in[0], fftType, fftLength))
	}, operand)
}

type scatterMethod func(f compute.Function, operand, scatterIndices, updates compute.Value, indexVectorAxis int,
	updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes []int, indicesAreSorted,
	uniqueIndices bool) (compute.Value, error)

func (f *Function) scatter(kind compute.OpType, method scatterMethod, operand, scatterIndices, updates compute.Value,
	indexVectorAxis int,
	updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes []int, indicesAreSorted,
	uniqueIndices bool) (compute.Value, error) {
	return f.record1(kind, nil, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(method(g, in[0], in[1], in[2], indexVectorAxis, updateWindowAxes, insertedWindowAxes,
			scatterAxesToOperandAxes, indicesAreSorted, uniqueIndices))
	}, operand, scatterIndices, updates)
}

// ScatterMax records the operation of that name.
func (f *Function) ScatterMax(operand, scatterIndices, updates compute.Value, indexVectorAxis int,
	updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes []int, indicesAreSorted,
	uniqueIndices bool) (compute.Value, error) {
	return f.scatter(compute.OpTypeScatterMax, compute.Function.ScatterMax, operand, scatterIndices, updates,
		indexVectorAxis,
		updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes, indicesAreSorted, uniqueIndices)
}

// ScatterMin records the operation of that name.
func (f *Function) ScatterMin(operand, scatterIndices, updates compute.Value, indexVectorAxis int,
	updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes []int, indicesAreSorted,
	uniqueIndices bool) (compute.Value, error) {
	return f.scatter(compute.OpTypeScatterMin, compute.Function.ScatterMin, operand, scatterIndices, updates,
		indexVectorAxis,
		updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes, indicesAreSorted, uniqueIndices)
}

// ScatterSum records the operation of that name.
func (f *Function) ScatterSum(operand, scatterIndices, updates compute.Value, indexVectorAxis int,
	updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes []int, indicesAreSorted,
	uniqueIndices bool) (compute.Value, error) {
	return f.scatter(compute.OpTypeScatterSum, compute.Function.ScatterSum, operand, scatterIndices, updates,
		indexVectorAxis,
		updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes, indicesAreSorted, uniqueIndices)
}

// RNGBitGenerator records the operation of that name.
func (f *Function) RNGBitGenerator(state compute.Value,
	shape shapes.Shape) (newState, values compute.Value, err error) {
	shape = shape.Clone()
	out, err := f.record(compute.OpTypeRNGBitGenerator, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return listOf2(g.RNGBitGenerator(in[0], shape))
		}, state)
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// OptimizationBarrier records the operation of that name.
func (f *Function) OptimizationBarrier(operands ...compute.Value) ([]compute.Value, error) {
	return f.record(compute.OpTypeOptimizationBarrier, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return g.OptimizationBarrier(in...)
		}, operands...)
}

// SchedulingBarrier records the operation of that name.
func (f *Function) SchedulingBarrier(operand compute.Value, dependencies ...compute.Value) (compute.Value, error) {
	return f.record1(compute.OpTypeSchedulingBarrier, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.SchedulingBarrier(in[0], in[1:]...))
		}, join(dependencies, operand)...)
}

// AllReduce is what it is in the Go backend: not implemented.
func (f *Function) AllReduce(operands []compute.Value, reductionType compute.ReduceOpType,
	replicaGroups [][]int) ([]compute.Value, error) {
	return f.record(compute.OpTypeAllReduce, nil, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		return g.AllReduce(in, reductionType, replicaGroups)
	}, operands...)
}

// DynamicDimensionSize records the operation of that name.
func (f *Function) DynamicDimensionSize(operand compute.Value, axis int) (compute.Value, error) {
	return f.record1(compute.OpTypeDynamicDimensionSize, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.DynamicDimensionSize(in[0], axis))
		}, operand)
}

// dimensionValues takes the values out of dimensions and says how to put
// other values in their place.
func dimensionValues(dimensions []compute.DynamicDimensionSpec) (values []compute.Value,
	replace func(in []compute.Value) []compute.DynamicDimensionSpec) {
	for _, d := range dimensions {
		if d.Value != nil {
			values = append(values, d.Value)
		}
	}
	return values, func(in []compute.Value) []compute.DynamicDimensionSpec {
		out := make([]compute.DynamicDimensionSpec, len(dimensions))
		for i, d := range dimensions {
			if d.Value != nil {
				d.Value, in = in[0], in[1:]
			}
			out[i] = d
		}
		return out
	}
}

// DynamicReshape records the operation of that name.
func (f *Function) DynamicReshape(operand compute.Value,
	dimensions ...compute.DynamicDimensionSpec) (compute.Value, error) {
	f.builder.setOpaque("it has dynamic shapes")
	values, replace := dimensionValues(dimensions)
	return f.record1(compute.OpTypeDynamicReshape, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.DynamicReshape(in[0], replace(in[1:])...))
		}, join(values, operand)...)
}

// DynamicBroadcastInDim records the operation of that name.
func (f *Function) DynamicBroadcastInDim(operand compute.Value, broadcastAxes []int,
	dimensions ...compute.DynamicDimensionSpec) (compute.Value, error) {
	f.builder.setOpaque("it has dynamic shapes")
	values, replace := dimensionValues(dimensions)
	return f.record1(compute.OpTypeDynamicBroadcastInDim, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.DynamicBroadcastInDim(in[0], broadcastAxes, replace(in[1:])...))
		}, join(values, operand)...)
}

// DynamicIota records the operation of that name.
func (f *Function) DynamicIota(dtype dtypes.DType, iotaAxis int,
	dimensions ...compute.DynamicDimensionSpec) (compute.Value, error) {
	f.builder.setOpaque("it has dynamic shapes")
	values, replace := dimensionValues(dimensions)
	return f.record1(compute.OpTypeDynamicIota, nil,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.DynamicIota(dtype, iotaAxis, replace(in)...))
		}, values...)
}

// DynamicPad records the operation of that name.
func (f *Function) DynamicPad(x, fillValue compute.Value, axesConfig ...compute.DynamicPadAxis) (compute.Value, error) {
	f.builder.setOpaque("it has dynamic shapes")
	inputs := []compute.Value{x, fillValue}
	for _, a := range axesConfig {
		for _, v := range []compute.Value{a.StartValue, a.EndValue, a.InteriorValue} {
			if v != nil {
				inputs = append(inputs, v)
			}
		}
	}
	return f.record1(compute.OpTypeDynamicPad, nil, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		rest := in[2:]
		axes := make([]compute.DynamicPadAxis, len(axesConfig))
		for i, a := range axesConfig {
			for _, v := range []*compute.Value{&a.StartValue, &a.EndValue, &a.InteriorValue} {
				if *v != nil {
					*v, rest = rest[0], rest[1:]
				}
			}
			axes[i] = a
		}
		return one(g.DynamicPad(in[0], in[1], axes...))
	}, inputs...)
}

// join returns the first values followed by the rest.
func join(rest []compute.Value, first ...compute.Value) []compute.Value {
	return append(first, rest...)
}

func listOf2(a, b compute.Value, err error) ([]compute.Value, error) {
	if err != nil {
		return nil, err
	}
	return []compute.Value{a, b}, nil
}

func listOf3(a, b, c compute.Value, err error) ([]compute.Value, error) {
	if err != nil {
		return nil, err
	}
	return []compute.Value{a, b, c}, nil
}

func three(v []compute.Value, err error) (a, b, c compute.Value, _ error) {
	if err != nil {
		return nil, nil, nil, err
	}
	return v[0], v[1], v[2], nil
}
