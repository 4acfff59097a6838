package nn

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
)

// Parameters returns the trained values of a store, float32, as arrays whose names are their paths:
// "encoder/linear/weights".
func Parameters(store *model.Store) (map[string]core.Array, error) {
	arrays := map[string]core.Array{}
	for v := range store.IterVariables() {
		if !v.Trainable {
			continue
		}
		value, err := v.Value()
		if err != nil {
			return nil, err
		}
		if value.DType() != dtypes.Float32 {
			return nil, fmt.Errorf("%w: the parameter %s has the type %s; parameters are stored as float32 only",
				core.ErrUnavailable, v.Path(), value.DType())
		}
		if arrays[strings.TrimPrefix(v.Path(), "/")], err = arrayOf(value); err != nil {
			return nil, fmt.Errorf("the parameter %s: %w", v.Path(), err)
		}
	}
	return arrays, nil
}

// LoadStore returns a store that contains exactly the values that [Parameters] gave. It cannot
// build a network that asks for a parameter with another name or other dimensions.
func LoadStore(arrays map[string]core.Array) (_ *model.Store, err error) {
	defer core.Recover(&err)
	store := model.NewStore()
	names := make([]string, 0, len(arrays))
	for name := range arrays {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value, err := stateTensor(arrays[name], shapes.Make(dtypes.Float32, arrays[name].Shape...))
		if err != nil {
			return nil, fmt.Errorf("the parameter %s: %w", name, err)
		}
		if _, err := store.CreateVariable("/"+name, value); err != nil {
			return nil, err
		}
	}
	return store, nil
}

// arrayOf copies a tensor. Numbers that arrays do not have become the bytes that they are in memory.
func arrayOf(t *tensors.Tensor) (core.Array, error) {
	a := core.Array{Shape: slices.Clone(t.Shape().Dimensions)}
	var err error
	switch t.Shape().DType {
	case dtypes.Float32:
		a.Values, err = tensors.CopyFlatData[float32](t)
	case dtypes.Float64:
		a.Values, err = tensors.CopyFlatData[float64](t)
	case dtypes.Int64:
		a.Values, err = tensors.CopyFlatData[int64](t)
	default:
		err = t.ConstBytes(func(data []byte) {
			a = core.Array{Shape: []int{len(data)}, Values: slices.Clone(data)}
		})
	}
	return a, err
}

// stateTensor is the inverse of arrayOf for a tensor of that shape. It takes no more memory than the
// values of a have.
func stateTensor(a core.Array, shape shapes.Shape) (*tensors.Tensor, error) {
	values := reflect.ValueOf(a.Values)
	if values.Kind() != reflect.Slice || !holds(values.Len(), shape.Dimensions) {
		return nil, fmt.Errorf("%w: its values, a %T, do not fill %s", core.ErrShape, a.Values, shape)
	}
	t := tensors.FromShape(shape)
	var err error
	switch values := a.Values.(type) {
	case []float32:
		err = fill(t, values, dtypes.Float32)
	case []float64:
		err = fill(t, values, dtypes.Float64)
	case []int64:
		err = fill(t, values, dtypes.Int64)
	case []uint8:
		err = t.MutableBytes(func(data []byte) {
			if len(data) != len(values) {
				panic(fmt.Errorf("%w: %d bytes do not fill %s", core.ErrShape, len(values), shape))
			}
			copy(data, values)
		})
	default:
		err = fmt.Errorf("%w: its values are a %T", core.ErrShape, a.Values)
	}
	return t, err
}

// holds reports whether n values are at least as many as an array of these dimensions has.
func holds(n int, dimensions []int) bool {
	size := 1
	for _, d := range dimensions {
		if d > 0 && size > n/d {
			return false
		}
		size *= d
	}
	return size <= n
}

func fill[T float32 | float64 | int64](t *tensors.Tensor, values []T, dtype dtypes.DType) error {
	if t.DType() != dtype || t.Size() != len(values) {
		return fmt.Errorf("%w: %d values of type %s do not fill %s", core.ErrShape, len(values), dtype, t.Shape())
	}
	return tensors.MutableFlatData(t, func(flat []T) { copy(flat, values) })
}
