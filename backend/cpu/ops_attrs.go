package cpu

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// The operations with attributes that the planner reads. What each means is
// said in compute.StandardOps.

type (
	broadcastInDimAttrs struct{ axes, dims []int }
	convertAttrs        struct{ dtype dtypes.DType }
	concatAttrs         struct{ axis int }
	iotaAttrs           struct {
		shape shapes.Shape
		axis  int
	}
	padAttrs   struct{ axes []compute.PadAxis }
	sliceAttrs struct{ starts, limits, strides []int }

	dotAttrs struct {
		lhsContract, lhsBatch, rhsContract, rhsBatch []int
		config                                       compute.DotGeneralConfig
	}
	convAttrs struct {
		axes                               compute.ConvolveAxesConfig
		strides                            []int
		paddings                           [][2]int
		inputDilations, kernelDilations    []int
		channelGroupCount, batchGroupCount int
	}
	argAttrs struct {
		axis  int
		dtype dtypes.DType
		isMin bool
	}
	// windowAttrs are those of ReduceWindow and SelectAndScatter.
	windowAttrs struct {
		reduction                                  compute.ReduceOpType
		window, strides, inputDilations, dilations []int
		paddings                                   [][2]int
	}
)

// Reshape records the operation of that name.
func (f *Function) Reshape(x compute.Value, dimensions ...int) (compute.Value, error) {
	dimensions = slices.Clone(dimensions)
	return f.record1(compute.OpTypeReshape, axesAttrs{dimensions},
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.Reshape(in[0], dimensions...))
		}, x)
}

// BroadcastInDim records the operation of that name.
func (f *Function) BroadcastInDim(x compute.Value, outputShape shapes.Shape,
	broadcastAxes []int) (compute.Value, error) {
	outputShape, broadcastAxes = outputShape.Clone(), slices.Clone(broadcastAxes)
	return f.record1(compute.OpTypeBroadcastInDim, broadcastInDimAttrs{broadcastAxes, outputShape.Dimensions},
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.BroadcastInDim(in[0], outputShape, broadcastAxes))
		}, x)
}

// ConvertDType records the operation of that name.
func (f *Function) ConvertDType(x compute.Value, dtype dtypes.DType) (compute.Value, error) {
	return f.record1(compute.OpTypeConvertDType, convertAttrs{dtype},
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.ConvertDType(in[0], dtype))
		}, x)
}

// Concatenate records the operation of that name.
func (f *Function) Concatenate(axis int, operands ...compute.Value) (compute.Value, error) {
	return f.record1(compute.OpTypeConcatenate, concatAttrs{axis},
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.Concatenate(axis, in...))
		}, operands...)
}

// Iota records the operation of that name.
func (f *Function) Iota(shape shapes.Shape, iotaAxis int) (compute.Value, error) {
	shape = shape.Clone()
	return f.record1(compute.OpTypeIota, iotaAttrs{shape, iotaAxis},
		func(g compute.Function, _ []compute.Value) ([]compute.Value, error) {
			return one(g.Iota(shape, iotaAxis))
		})
}

// Pad records the operation of that name.
func (f *Function) Pad(x, fillValue compute.Value, axesConfig ...compute.PadAxis) (compute.Value, error) {
	axesConfig = slices.Clone(axesConfig)
	return f.record1(compute.OpTypePad, padAttrs{axesConfig},
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.Pad(in[0], in[1], axesConfig...))
		}, x, fillValue)
}

// Slice records the operation of that name.
func (f *Function) Slice(x compute.Value, starts, limits, strides []int) (compute.Value, error) {
	a := sliceAttrs{slices.Clone(starts), slices.Clone(limits), slices.Clone(strides)}
	return f.record1(compute.OpTypeSlice, a, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(g.Slice(in[0], a.starts, a.limits, a.strides))
	}, x)
}

// Where records the operation of that name.
func (f *Function) Where(condition, onTrue, onFalse compute.Value) (compute.Value, error) {
	return f.record1(compute.OpTypeWhere, noAttrs{},
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.Where(in[0], in[1], in[2]))
		}, condition, onTrue, onFalse)
}

// Clamp records the operation of that name.
func (f *Function) Clamp(low, x, high compute.Value) (compute.Value, error) {
	return f.record1(compute.OpTypeClamp, noAttrs{},
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.Clamp(in[0], in[1], in[2]))
		}, low, x, high)
}

// DotGeneral records the operation of that name.
func (f *Function) DotGeneral(lhs compute.Value, lhsContractingAxes, lhsBatchAxes []int,
	rhs compute.Value, rhsContractingAxes, rhsBatchAxes []int, config compute.DotGeneralConfig) (compute.Value, error) {
	a := dotAttrs{slices.Clone(lhsContractingAxes), slices.Clone(lhsBatchAxes),
		slices.Clone(rhsContractingAxes), slices.Clone(rhsBatchAxes), config}
	return f.record1(compute.OpTypeDotGeneral, a, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(g.DotGeneral(in[0], a.lhsContract, a.lhsBatch, in[1], a.rhsContract, a.rhsBatch, config))
	}, lhs, rhs)
}

// ConvGeneral records the operation of that name.
func (f *Function) ConvGeneral(input, kernel compute.Value, axes compute.ConvolveAxesConfig, strides []int,
	paddings [][2]int,
	inputDilations, kernelDilations []int, channelGroupCount, batchGroupCount int) (compute.Value, error) {
	a := convAttrs{axes.Clone(), slices.Clone(strides), slices.Clone(paddings), slices.Clone(inputDilations),
		slices.Clone(kernelDilations), channelGroupCount, batchGroupCount}
	return f.record1(compute.OpTypeConvGeneral, a, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(g.ConvGeneral(in[0], in[1], a.axes, a.strides, a.paddings, a.inputDilations, a.kernelDilations,
			a.channelGroupCount, a.batchGroupCount))
	}, input, kernel)
}

// ReduceWindow records the operation of that name.
func (f *Function) ReduceWindow(x compute.Value, reductionType compute.ReduceOpType,
	windowDimensions, strides, inputDilations, windowDilations []int, paddings [][2]int) (compute.Value, error) {
	a := windowAttrs{reductionType, slices.Clone(windowDimensions), slices.Clone(strides),
		slices.Clone(inputDilations), slices.Clone(windowDilations), slices.Clone(paddings)}
	return f.record1(compute.OpTypeReduceWindow, a, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		return one(g.ReduceWindow(in[0], reductionType, a.window, a.strides, a.inputDilations, a.dilations, a.paddings))
	}, x)
}

// SelectAndScatterMax records the operation of that name.
func (f *Function) SelectAndScatterMax(operand, source compute.Value, windowDimensions, windowStrides []int,
	paddings [][2]int) (compute.Value, error) {
	a := windowAttrs{reduction: compute.ReduceOpMax, window: slices.Clone(windowDimensions),
		strides: slices.Clone(windowStrides), paddings: slices.Clone(paddings)}
	return f.record1(compute.OpTypeSelectAndScatterMax, a,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.SelectAndScatterMax(in[0], in[1], a.window, a.strides, a.paddings))
		}, operand, source)
}

// SelectAndScatterMin records the operation of that name.
func (f *Function) SelectAndScatterMin(operand, source compute.Value, windowDimensions, windowStrides []int,
	paddings [][2]int) (compute.Value, error) {
	a := windowAttrs{reduction: compute.ReduceOpMin, window: slices.Clone(windowDimensions),
		strides: slices.Clone(windowStrides), paddings: slices.Clone(paddings)}
	return f.record1(compute.OpTypeSelectAndScatterMin, a,
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.SelectAndScatterMin(in[0], in[1], a.window, a.strides, a.paddings))
		}, operand, source)
}

// ArgMinMax records the operation of that name.
func (f *Function) ArgMinMax(x compute.Value, axis int, outputDType dtypes.DType, isMin bool) (compute.Value, error) {
	return f.record1(compute.OpTypeArgMinMax, argAttrs{axis, outputDType, isMin},
		func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return one(g.ArgMinMax(in[0], axis, outputDType, isMin))
		}, x)
}
