package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// initStream is the hyperparameter of a store that holds the seed and the name under which its
// initial values are drawn.
const initStream = "koopbench_init_stream"

type streamName struct {
	seed int64
	name []string
}

// NewStore returns an empty store of parameters whose initial values come from the random streams
// of that seed and name, such as the declared name of the method. The values of the parameter at a
// path come from the stream (name…, "init", path). Layers of GoMLX, which initialise in the graph,
// are seeded from (name…, "init").
func NewStore(seed int64, name ...string) *model.Store {
	s := streamName{seed, append(slices.Clone(name), "init")}
	store := model.NewStore()
	store.RootScope().SetParam(initStream, s)
	// GoMLX takes 0 for "no seed".
	store.RootScope().SetParam(model.ParamInitialSeed, core.NewStream(s.seed, s.name...).Int64()|1)
	return store
}

// Uniform returns the parameter of that name in the scope, a float32 array of the given dimensions.
// If it does not exist yet, its values are drawn uniformly from [-bound, bound). The scope belongs
// to a store made by [NewStore].
//
// Like every function that builds a graph, it panics when misused.
func Uniform(scope *model.Scope, name string, bound float64, dimensions ...int) *model.Variable {
	return drawn(scope, name, dimensions, func(random *rand.Rand, values []float32) {
		for i := range values {
			values[i] = float32(bound * (2*random.Float64() - 1))
		}
	})
}

// Orthogonal is [Uniform] for a matrix whose rows or columns, whichever are fewer, are orthonormal.
// It is drawn uniformly from all such matrices (Saxe, McClelland and Ganguli, Exact solutions to
// the nonlinear dynamics of learning in deep linear neural networks, ICLR 2014). It is the Q of the
// QR decomposition of a normal matrix, where R has a positive diagonal.
func Orthogonal(scope *model.Scope, name string, rows, columns int) *model.Variable {
	return drawn(scope, name, []int{rows, columns}, func(random *rand.Rand, values []float32) {
		long, short := max(rows, columns), min(rows, columns)
		normal := mat.NewDense(long, short, nil)
		for i := range normal.RawMatrix().Data {
			normal.RawMatrix().Data[i] = random.NormFloat64()
		}
		var qr mat.QR
		qr.Factorize(normal)
		var q, r mat.Dense
		qr.QTo(&q)
		qr.RTo(&r)
		for i := range rows {
			for j := range columns {
				at, k := i, j // in the long matrix
				if rows < columns {
					at, k = j, i
				}
				values[i*columns+j] = float32(math.Copysign(q.At(at, k), q.At(at, k)*r.At(k, k)))
			}
		}
	})
}

// drawn returns a parameter whose values, where it does not exist yet, are drawn from the stream of its path.
func drawn(scope *model.Scope, name string, dimensions []int,
	draw func(random *rand.Rand, values []float32)) *model.Variable {
	if v := scope.GetVariable(name); v != nil {
		if !slices.Equal(v.Shape().Dimensions, dimensions) {
			panic(
				fmt.Errorf("%w: the parameter %s has dimensions %v, but the network needs %v", core.ErrShape, v.Path(),
					v.Shape().Dimensions, dimensions),
			)
		}
		return v
	}
	s, ok := model.GetParamOr[any](scope, initStream, nil).(streamName)
	if !ok {
		panic(
			fmt.Errorf(
				"%w: the store has no parameter %s, and no random stream to draw it from; make the store with nn.NewStore",
				core.ErrUnavailable, model.JoinPath(scope.Scope(), name)),
		)
	}
	random := core.NewStream(s.seed, append(slices.Clone(s.name), model.JoinPath(scope.Scope(), name))...)
	value := tensors.FromScalarAndDimensions(float32(0), dimensions...)
	tensors.MustMutableFlatData(value, func(values []float32) { draw(random, values) })
	return scope.VariableWithValue(name, value)
}

// NumParameters is the number of trained values in a store.
func NumParameters(store *model.Store) int {
	n := 0
	for v := range store.IterVariables() {
		if v.Trainable {
			n += v.Shape().Size()
		}
	}
	return n
}
