package analysis

import (
	"cmp"
	"math"
	"math/cmplx"
	"sort"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/benchmark/diagnostics"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// Path is the first and the last value of a snapshot, step by step.
type Path struct{ First, Last []float64 }

func (p *Path) add(x core.Snapshots, i int) {
	row := make([]float32, x.Size())
	x.Read(row, i)
	p.First, p.Last = append(p.First, float64(row[0])), append(p.Last, float64(row[len(row)-1]))
}

// pathOf follows a roll-out from the first start, which is its step 0.
func pathOf(starts core.Snapshots, steps results.Rollout) (p Path) {
	if starts.Len() == 0 || len(steps) == 0 {
		return p
	}
	p.add(starts, 0)
	for _, x := range steps {
		p.add(x, 0)
	}
	return p
}

// trailOf has all snapshots, one after the other.
func trailOf(x core.Snapshots) (p Path) {
	for i := range x.Len() {
		p.add(x, i)
	}
	return p
}

// Times are the times of the steps of a path.
func Times(t results.TaskInfo, n int) []float64 {
	times := make([]float64, n)
	for step := range times {
		times[step] = t.Clock().Time(float64(step * t.Lag))
	}
	return times
}

// TimeLabel is the label of a time axis.
func TimeLabel(t results.TaskInfo) string {
	if t.TimeUnit == noUnit {
		return "time"
	}
	return "time in " + cmp.Or(OneLine(t.TimeUnit), "snapshots")
}

// noUnit is the unit of data that do not tell theirs.
const noUnit = "time units"

// Standardised returns ", standardised" for a task that is drawn in time and whose option says that
// its values are standardised, and "" otherwise.
func Standardised(t results.TaskInfo) string {
	switch t.Options["standardise"] {
	case true, "true", "auto": // auto: those that are no images
		return ", standardised"
	}
	return ""
}

// Function is an eigenfunction at places on a line, in ascending order.
type Function struct {
	Name   string
	At     []float64
	True   []float64 // nil if it is not known
	Values []float64 // nil if the model has none
}

// maxFunctions is the number of eigenfunctions that are drawn of a method.
const maxFunctions = 2

// maxPlaces is the number of places on a line at which a function is drawn.
const maxPlaces = 400

// Density is the invariant density at places on a line, in ascending order; empty if it is not
// known.
func (m *Material) Density() (at, values []float64) {
	order := m.places()
	for _, i := range order {
		if m.Task.TrueDensity != nil {
			at, values = append(at, m.place(i)), append(values, m.Task.TrueDensity[i])
		}
	}
	return at, values
}

// place is where a test snapshot lies on a line.
func (m *Material) place(i int) float64 {
	var row [1]float32
	m.Task.Test.Read(row[:], i)
	return float64(row[0])
}

// places are the test snapshots in the order of their places, some of them if they are many.
func (m *Material) places() []int {
	order := make([]int, m.Task.Test.Len())
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return m.place(order[a]) < m.place(order[b]) })
	shown := Sampled(len(order), maxPlaces)
	for k, at := range shown {
		shown[k] = order[at-1]
	}
	return shown
}

// functionsOf are the leading eigenfunctions of a model on a line, compared with the true ones if they are known: each
// is the estimate whose eigenvalue is nearest to the true one, multiplied by the number that brings it nearest to it.
func (m *Material) functionsOf(values []results.Complex, right *mat.CDense) (functions []Function) {
	if right == nil {
		return nil
	}
	order := m.places()
	at := make([]float64, len(order))
	for k, i := range order {
		at[k] = m.place(i)
	}
	_, columns := right.Dims()
	if m.Task.TrueEigenfunctions == nil {
		for j := range columns {
			f := diagnostics.Column(right, j)
			if diagnostics.Constant(f) || j > 0 && conjugate(complex128(values[j-1]), complex128(values[j])) {
				continue
			}
			name := Mode{place: j + 1, value: complex128(values[j])}.name()
			functions = append(functions, Function{Name: name, At: at, Values: realAt(f, 1, order)})
		}
		return functions[:min(len(functions), maxFunctions)]
	}
	_, known := m.Task.TrueEigenfunctions.Dims()
	for j := range known {
		truth := diagnostics.Column(m.Task.TrueEigenfunctions, j)
		value := complex128(m.Results.Task.Eigenvalues[j])
		if diagnostics.Constant(truth) || j > 0 && conjugate(complex128(m.Results.Task.Eigenvalues[j-1]), value) {
			continue
		}
		phase := unitPhase(truth)
		f := Function{Name: Mode{place: j + 1, value: value}.name(), At: at, True: realAt(truth, phase, order)}
		nearest := -1
		for k := range columns {
			far := cmplx.Abs(complex128(values[k]) - value)
			if !diagnostics.Constant(diagnostics.Column(right, k)) &&
				(nearest < 0 || far < cmplx.Abs(complex128(values[nearest])-value)) {
				nearest = k
			}
		}
		if nearest >= 0 {
			estimate := diagnostics.Column(right, nearest)
			f.Values = realAt(estimate, phase*fitted(estimate, truth), order)
		}
		functions = append(functions, f)
		if len(functions) == maxFunctions {
			break
		}
	}
	return functions
}

// unitPhase turns the largest value of a function to the positive real axis.
func unitPhase(f []complex128) complex128 {
	var largest complex128
	for _, v := range f {
		if a := cmplx.Abs(v); Drawable(a) && a > cmplx.Abs(largest) {
			largest = v
		}
	}
	if largest == 0 {
		return 1
	}
	return cmplx.Rect(1, -cmplx.Phase(largest))
}

// fitted is the number by which f is multiplied to be nearest to g.
func fitted(f, g []complex128) complex128 {
	var both, square complex128
	for i := range f {
		both += cmplx.Conj(f[i]) * g[i]
		square += cmplx.Conj(f[i]) * f[i]
	}
	if c := both / square; !cmplx.IsNaN(c) && !cmplx.IsInf(c) {
		return c
	}
	return 1
}

// realAt is the real part of a multiple of a function at some snapshots.
func realAt(f []complex128, factor complex128, at []int) []float64 {
	values := make([]float64, len(at))
	for k, i := range at {
		values[k] = real(factor * f[i])
	}
	return values
}

// Histogram is the density of the test snapshots on a line, in equal bins from the smallest to the
// largest.
func (m *Material) Histogram(parts int) (edges, density []float64) {
	n := m.Task.Test.Len()
	low, high := math.Inf(1), math.Inf(-1)
	for i := range n {
		if v := m.place(i); Drawable(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	if !(low < high) {
		return nil, nil
	}
	width := (high - low) / float64(parts)
	density = make([]float64, parts)
	for i := range n {
		if v := m.place(i); Drawable(v) {
			density[min(int((v-low)/width), parts-1)] += 1 / width / float64(n)
		}
	}
	for k := range parts + 1 {
		edges = append(edges, low+float64(k)*width)
	}
	return edges, density
}
