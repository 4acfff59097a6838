package cpu_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// closureOf adds a closure of scalars or arrays of the given shapes.
func closureOf(f compute.Function, body func(c compute.Function, in []compute.Value) []compute.Value,
	inputs ...shapes.Shape,
) compute.Function {
	c, err := f.Closure()
	if err != nil {
		panic(err)
	}
	var in []compute.Value
	for i, s := range inputs {
		in = append(in, must(c.Parameter(string(rune('a'+i)), s, nil)))
	}
	if err := c.Return(body(c, in), nil); err != nil {
		panic(err)
	}
	return c
}

var (
	scalar  = shapes.Make(dtypes.Float32)
	integer = shapes.Make(dtypes.Int32)
	square  = shapes.Make(dtypes.Float32, 16, 16)
)

func productOf(f compute.Function, x, y compute.Value) compute.Value {
	return must(f.DotGeneral(x, []int{1}, nil, y, []int{0}, nil, compute.DotGeneralConfig{}))
}

func firstOf(values []compute.Value, err error) compute.Value {
	if err != nil {
		panic(err)
	}
	return values[0]
}

// sorted sorts the rows of x, by the comparator of which the operands are scaled by a captured value.
func sorted(f compute.Function, x, scale compute.Value) compute.Value {
	less := closureOf(f, func(c compute.Function, in []compute.Value) []compute.Value {
		return []compute.Value{must(c.LessThan(must(c.Mul(in[0], scale)), must(c.Mul(in[1], scale))))}
	}, scalar, scalar)
	return firstOf(f.Sort(less, 1, true, x))
}

// repeated multiplies x five times by w, which the body captures; in it, a branch adds w or takes it away.
func repeated(f compute.Function, x, w, scale compute.Value) compute.Value {
	zero := must(f.Constant([]int32{0}))
	cond := closureOf(f, func(c compute.Function, in []compute.Value) []compute.Value {
		return []compute.Value{must(c.LessThan(in[0], must(c.Constant([]int32{5}))))}
	}, integer, square)
	body := closureOf(f, func(c compute.Function, in []compute.Value) []compute.Value {
		next := must(c.Mul(productOf(c, in[1], w), scale))
		more := closureOf(c, func(d compute.Function, _ []compute.Value) []compute.Value {
			return []compute.Value{must(d.Add(next, w))}
		})
		less := closureOf(c, func(d compute.Function, _ []compute.Value) []compute.Value {
			return []compute.Value{must(d.Sub(next, w))}
		})
		odd := must(c.Equal(must(c.BitwiseAnd(in[0], must(c.Constant([]int32{1})))), must(c.Constant([]int32{1}))))
		return []compute.Value{
			must(c.Add(in[0], must(c.Constant([]int32{1})))),
			firstOf(c.If(odd, more, less)),
		}
	}, integer, square)
	out, err := f.While(cond, body, zero, x)
	if err != nil {
		panic(err)
	}
	return out[1]
}

// TestClosures: an operation with closures, one in another, and what they see of the function around
// them, gives what the Go backend gives; only that operation runs there.
func TestClosures(t *testing.T) {
	skipGoMatMulUnderRace(t)
	random := rand.New(rand.NewPCG(3, 4))
	values := [][]float32{uniform(random, 256, 1), uniform(random, 256, 1), {-0.25}}
	dims := [][]int{{16, 16}, {16, 16}, {}}
	for name, op := range map[string]operation{
		"sort": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			x := productOf(f, in[0], in[1])
			return productOf(f, sorted(f, x, must(f.Neg(in[2]))), in[1]), nil
		},
		"while": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			x := must(f.Tanh(productOf(f, in[0], in[1])))
			return productOf(f, repeated(f, x, must(f.Neg(in[1])), in[2]), in[0]), nil
		},
		"both": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			x := repeated(f, in[0], in[1], in[2])
			return productOf(f, sorted(f, productOf(f, x, x), in[2]), sorted(f, in[1], in[2])), nil
		},
		"captured alone": func(f compute.Function, in []compute.Value) (compute.Value, error) {
			w := must(f.Exp(in[1]))
			take := closureOf(f, func(compute.Function, []compute.Value) []compute.Value { return []compute.Value{w} })
			leave := closureOf(f, func(compute.Function, []compute.Value) []compute.Value { return []compute.Value{in[0]} })
			positive := must(f.GreaterThan(in[2], must(f.Constant([]float32{0}))))
			return productOf(f, firstOf(f.If(positive, take, leave)), in[1]), nil
		},
	} {
		b := newBackend(t, "")
		b.EnableProfile(true)
		got := evaluate(t, b, values, dims, op)
		assert.InDeltaSlice(t, evaluate(t, goBackend(t), values, dims, op), got, 1e-4, name)
		own := false
		for _, e := range b.Profile() {
			require.False(t, strings.HasPrefix(e.Operation, "graph"), "%s: %s", name, e.Operation)
			own = own || strings.HasPrefix(e.Operation, "matmul") && e.Where != "go"
		}
		assert.True(t, own, name)
	}
}
