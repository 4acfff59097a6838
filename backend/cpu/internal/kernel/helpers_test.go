package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// canary surrounds every slice that a test hands to a kernel.
const canary = 12345.678

// guarded is a slice between canaries.
type guarded[T float] struct{ all []T }

const margin = 40

func guard[T float](n int) guarded[T] {
	g := guarded[T]{make([]T, n+2*margin)}
	for i := range g.all {
		g.all[i] = T(canary)
	}
	return g
}

func (g guarded[T]) slice() []T { return g.all[margin : len(g.all)-margin : len(g.all)-margin] }

func (g guarded[T]) check(t testing.TB) {
	t.Helper()
	for i := range margin {
		if g.all[i] != T(canary) || g.all[len(g.all)-1-i] != T(canary) {
			t.Fatalf("a value outside the slice was overwritten (%d)", i)
		}
	}
}

func random[T float](t testing.TB, r *rand.Rand, n int) []T {
	t.Helper()
	x := guardEnd[T](t, n)
	for i := range x {
		x[i] = T(r.Float64()*2 - 1)
	}
	return x
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// within requires |got − want| ≤ tol·(1 + |want|·scale), with NaN equal to NaN.
func within[T float](t testing.TB, want []float64, got []T, tol float64, what string, args ...any) {
	t.Helper()
	require.Equal(t, len(want), len(got))
	for i, w := range want {
		g := float64(got[i])
		if math.IsNaN(w) && math.IsNaN(g) || w == g {
			continue
		}
		if !(math.Abs(w-g) <= tol*(1+math.Abs(w))) {
			t.Fatalf("%s: element %d is %v, want %v", fmt.Sprintf(what, args...), i, g, w)
		}
	}
}

func tolerance[T float](k int) float64 {
	if sizeof[T]() == 4 {
		return 1e-7 * (8 + math.Sqrt(float64(k))*10)
	}
	return 1e-16 * (8 + float64(k)) // the reference rounds too
}

func eachSet(t *testing.T, f func(t *testing.T, s Set)) {
	for _, s := range Sets() {
		t.Run(s.String(), func(t *testing.T) { f(t, s) })
	}
}

func benchSets(b *testing.B, f func(b *testing.B, s Set)) {
	for _, s := range Sets() {
		b.Run(s.String(), func(b *testing.B) { f(b, s) })
	}
}

// rate reports work, in floating-point operations an iteration, as GFLOP/s.
func rate(b *testing.B, work float64) {
	b.ReportMetric(work*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
