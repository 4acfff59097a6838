package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// sample builds random graphs. Two samples of one seed build the same graph.
type sample struct {
	f      compute.Function
	rand   *rand.Rand
	values []compute.Value
	err    error
}

func (s *sample) keep(v compute.Value, err error) {
	if err != nil {
		s.err = err
		return
	}
	s.values = append(s.values, v)
}

func (s *sample) shape(v compute.Value) shapes.Shape {
	shape, err := s.f.Shape(v)
	if err != nil {
		s.err = err
	}
	return shape
}

// pick returns a random value of a dtype, nil if there is none.
func (s *sample) pick(dtype dtypes.DType) compute.Value {
	for range 50 {
		v := s.values[s.rand.IntN(len(s.values))]
		if s.shape(v).DType == dtype {
			return v
		}
	}
	return nil
}

// like returns a value that can be combined with v: of its shape, one that
// broadcasts to it, or a scalar.
func (s *sample) like(v compute.Value) compute.Value {
	shape := s.shape(v)
	for range 20 {
		w := s.pick(shape.DType)
		if w != nil && s.shape(w).Equal(shape) {
			return w
		}
	}
	if s.rand.IntN(2) == 0 || shape.Rank() == 0 {
		c, err := s.f.Constant([]float32{s.rand.Float32()*4 - 2})
		if err != nil {
			s.err = err
		}
		return c
	}
	axis := s.rand.IntN(shape.Rank())
	values := uniform(s.rand, shape.Dimensions[axis], 2)
	c, err := s.f.Constant(values, len(values))
	if err == nil && s.rand.IntN(2) == 0 {
		dims := make([]int, shape.Rank())
		for k := range dims {
			dims[k] = 1
		}
		dims[axis] = len(values)
		c, err = s.f.Reshape(c, dims...)
	} else if err == nil {
		c, err = s.f.BroadcastInDim(c, shape, []int{axis})
	}
	if err != nil {
		s.err = err
	}
	return c
}

// sign is Sign of numbers; of NaN the Go backend says 0, where the interface
// asks for NaN.
func (s *sample) sign(x compute.Value) (compute.Value, error) {
	zero, err := s.f.Constant([]float32{0})
	if err != nil {
		return nil, err
	}
	nan, err := s.f.NotEqual(x, x)
	if err != nil {
		return nil, err
	}
	if x, err = s.f.Where(nan, zero, x); err != nil {
		return nil, err
	}
	return s.f.Sign(x)
}

// grow adds one operation.
func (s *sample) grow() {
	f, r := s.f, s.rand
	x := s.pick(dtypes.Float32)
	d := s.shape(x).Dimensions
	rank := len(d)
	switch r.IntN(22) {
	case 0, 1, 2:
		methods := []func(compute.Value) (compute.Value, error){f.Abs, f.Neg, s.sign, f.Sqrt, f.Exp, f.Log, f.Log1p,
			f.Tanh, f.Logistic,
			f.Floor, f.Ceil, f.Sin, f.Cos, f.Erf, f.Expm1, f.Rsqrt, f.Round, f.Identity}
		s.keep(methods[r.IntN(len(methods))](x))
	case 3, 4, 5, 6:
		methods := []func(a, b compute.Value) (compute.Value, error){f.Add, f.Sub, f.Mul, f.Div, f.Max, f.Min, f.Pow, f.Atan2}
		s.keep(methods[r.IntN(len(methods))](x, s.like(x)))
	case 7:
		methods := []func(a, b compute.Value) (compute.Value, error){f.Equal, f.NotEqual, f.LessThan, f.LessOrEqual,
			f.GreaterThan, f.GreaterOrEqual}
		s.keep(methods[r.IntN(len(methods))](x, s.like(x)))
	case 8:
		for range 20 {
			cond := s.pick(dtypes.Bool)
			if cond != nil && s.shape(cond).EqualDimensions(s.shape(x)) {
				y := s.like(x)
				if s.shape(y).Equal(s.shape(x)) || s.shape(y).Size() == 1 && s.shape(y).Rank() == 0 {
					s.keep(f.Where(cond, x, y))
				}
				return
			}
		}
	case 9, 10:
		var axes []int
		for k := range d {
			if r.IntN(2) == 0 {
				axes = append(axes, k)
			}
		}
		methods := []func(x compute.Value, axes ...int) (compute.Value, error){f.ReduceSum, f.ReduceMax, f.ReduceMin,
			f.ReduceProduct}
		s.keep(methods[r.IntN(len(methods))](x, axes...))
	case 11:
		s.keep(f.Transpose(x, r.Perm(rank)...))
	case 12:
		if rank == 0 {
			return
		}
		s.keep(f.Reverse(x, r.IntN(rank)))
	case 13:
		starts, limits, strides := make([]int, rank), make([]int, rank), make([]int, rank)
		for k := range d {
			starts[k] = r.IntN(d[k])
			limits[k] = starts[k] + 1 + r.IntN(d[k]-starts[k])
			strides[k] = 1 + r.IntN(2)
		}
		s.keep(f.Slice(x, starts, limits, strides))
	case 14:
		fill, err := f.Constant([]float32{r.Float32()})
		if err != nil {
			s.err = err
			return
		}
		axes := make([]compute.PadAxis, rank)
		for k := range axes {
			axes[k] = compute.PadAxis{Start: r.IntN(3), End: r.IntN(3), Interior: r.IntN(2)}
		}
		s.keep(f.Pad(x, fill, axes...))
	case 15:
		if rank == 0 {
			return
		}
		s.keep(f.Concatenate(r.IntN(rank), x, x))
	case 16:
		size := 1
		for _, n := range d {
			size *= n
		}
		s.keep(f.Reshape(x, size))
	case 17:
		k := r.IntN(rank + 1)
		dims := append(append(append([]int{}, d[:k]...), 1+r.IntN(3)), d[k:]...)
		axes := make([]int, rank)
		for i := range axes {
			axes[i] = i
			if i >= k {
				axes[i]++
			}
		}
		s.keep(f.BroadcastInDim(x, shapes.Make(dtypes.Float32, dims...), axes))
	case 18:
		if rank != 2 {
			return
		}
		a := r.IntN(2)
		s.keep(f.DotGeneral(x, []int{a}, nil, x, []int{a}, nil, compute.DotGeneralConfig{}))
	case 19:
		if rank < 1 {
			return
		}
		s.keep(f.CumSum(x, r.IntN(rank), compute.CumSumOptions{})) // runs on the Go backend
	case 20:
		if rank < 1 {
			return
		}
		v, err := f.ArgMinMax(x, r.IntN(rank), []dtypes.DType{dtypes.Int64, dtypes.Int32, dtypes.Int8}[r.IntN(3)],
			r.IntN(2) == 0)
		s.keep(v, err)
		if err == nil {
			s.keep(f.ConvertDType(v, dtypes.Float32))
		}
	case 21:
		b := s.pick(dtypes.Bool)
		if b != nil {
			s.keep(f.ConvertDType(b, dtypes.Float32))
			s.keep(f.LogicalNot(b))
		}
	}
}

// runSample builds, compiles and runs a random graph and returns its outputs.
func runSample(backend compute.Backend, seed uint64, size int) (outputs []any, err error) {
	builder := backend.Builder("random")
	s := &sample{f: builder.Main(), rand: rand.New(rand.NewPCG(seed, 7))}
	var inputs []compute.Buffer
	for i := range 3 {
		dims := [][]int{{2, 3, 4}, {5, 7}, {4, 4}, {3}, {}, {1, 6, 1}, {40, 130}}[s.rand.IntN(7)]
		shape := shapes.Make(dtypes.Float32, dims...)
		s.keep(s.f.Parameter(fmt.Sprint("x", i), shape, nil))
		buffer, err := backend.BufferFromFlatData(0, uniform(s.rand, shape.Size(), 2), shape)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, buffer)
	}
	for range size {
		s.grow()
		if s.err != nil {
			return nil, s.err
		}
	}
	var returned []compute.Value
	for _, i := range s.rand.Perm(len(s.values))[:min(6, len(s.values))] {
		if s.shape(s.values[i]).Size() < 1<<20 {
			returned = append(returned, s.values[i])
		}
	}
	if len(returned) == 0 {
		return nil, nil
	}
	if err := builder.Main().Return(returned, nil); err != nil {
		return nil, err
	}
	exec, err := builder.Compile()
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()
	for range 2 { // the second run meets memory that the first one left
		results, err := exec.Execute(inputs, nil, 0)
		if err != nil {
			return nil, err
		}
		outputs = nil
		for _, b := range results {
			shape, err := b.Shape()
			if err != nil {
				return nil, err
			}
			flat := dtypes.MakeAnySlice(shape.DType, shape.Size())
			if err := b.ToFlatData(flat); err != nil {
				return nil, err
			}
			outputs = append(outputs, flat)
			if err := b.Finalize(); err != nil {
				return nil, err
			}
		}
	}
	return outputs, nil
}

// closeTo compares outputs: NaN equals NaN, and values agree to a part in
// 10⁴ of the largest finite one.
func closeTo(want, got any) error {
	w, ok := want.([]float32)
	if !ok {
		return nil // booleans and indices may flip where floats differ in the last bit
	}
	g := got.([]float32)
	if len(w) != len(g) {
		return fmt.Errorf("%d values, want %d", len(g), len(w))
	}
	scale := 1.0
	for _, v := range w {
		if x := math.Abs(float64(v)); !math.IsInf(x, 0) && x > scale {
			scale = x
		}
	}
	for i := range w {
		a, b := float64(w[i]), float64(g[i])
		if a == b || a != a && b != b {
			continue
		}
		if math.Abs(a-b) > 1e-4*scale || a != a || b != b {
			return fmt.Errorf("element %d is %g, want %g", i, b, a)
		}
	}
	return nil
}

// compareSample runs one random graph here and on the Go backend. Some graphs
// turn a difference in the last bit into a large one (the sine of a large
// number, an ArgMin of near ties): among the seeds of TestRandomGraphs there
// are none.
func compareSample(reference, backend compute.Backend, seed uint64, size int) error {
	want, wantErr := runSample(reference, seed, size)
	got, err := runSample(backend, seed, size)
	if (err == nil) != (wantErr == nil) {
		return fmt.Errorf("error %w, the Go backend's %w", err, wantErr)
	}
	for i := range want {
		if err := closeTo(want[i], got[i]); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	return nil
}

func TestRandomGraphs(t *testing.T) {
	skipGoMatMulUnderRace(t)
	reference, err := gobackend.New("ops_sequential")
	require.NoError(t, err)
	graphs := 400
	if testing.Short() {
		graphs = 80
	}
	for _, set := range kernel.Sets() {
		t.Run(set.String(), func(t *testing.T) {
			b := newBackend(t, "threads=2,kernels="+set.String())
			for seed := range uint64(graphs) {
				assert.NoError(t, compareSample(reference, b, seed, 4+int(seed%30)), "seed %d", seed)
			}
		})
	}
}

func FuzzGraph(f *testing.F) {
	f.Add(uint64(1), uint8(10))
	f.Add(uint64(2), uint8(40))
	reference, err := gobackend.New("ops_sequential")
	require.NoError(f, err)
	b := newBackend(f, "threads=2")
	f.Fuzz(func(t *testing.T, seed uint64, size uint8) {
		_, wantErr := runSample(reference, seed, int(size)%50)
		_, err := runSample(b, seed, int(size)%50)
		require.Equal(t, wantErr == nil, err == nil, "%v, the Go backend: %v", err, wantErr)
	})
}
