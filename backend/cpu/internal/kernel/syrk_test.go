package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func checkSyrk[T float](t testing.TB, s Set, u RankUpdate, alpha, beta T) {
	t.Helper()
	r := seeded(uint64(u.N + 1000*u.K))
	u.LDA, u.LDC = u.K+1, u.N+2
	rows := u.N
	if u.Trans {
		u.LDA, rows = u.N+1, u.K
	}
	a := random[T](t, r, max(0, rows*u.LDA-1))
	c := guard[T]((u.N-1)*u.LDC + u.N)
	start := random[T](t, r, len(c.slice()))
	g := u.product()
	value := func(x []T) func(int) float64 { return func(i int) float64 { return float64(x[i]) } }
	want := g.naive(float64(alpha), value(a), value(a), float64(beta), value(start))
	if beta == 0 {
		for i := range start {
			start[i] = T(math.NaN())
		}
	}
	scratch := guard[T](SyrkScratch[T](s, &u))
	blocks := SyrkBlocks[T](s, &u)
	var whole []T
	for _, step := range []int{blocks, 1} {
		copy(c.slice(), start)
		for lo := 0; lo < blocks; lo += step {
			Syrk(s, &u, lo, min(lo+step, blocks), alpha, a, beta, c.slice(), scratch.slice())
		}
		c.check(t)
		scratch.check(t)
		var wantT []float64
		var got, other, otherWas []T
		for i := range u.N {
			for j := range u.N {
				v := c.slice()[i*u.LDC+j]
				if i == j || u.Upper == (i < j) {
					wantT, got = append(wantT, want[i*u.N+j]), append(got, v)
				} else {
					other, otherWas = append(other, v), append(otherWas, start[i*u.LDC+j])
				}
			}
		}
		within(t, wantT, got, 2*tolerance[T](u.K), "%+v", u)
		requireSame(t, otherWas, other, "the other triangle")
		if whole == nil {
			whole = got
		}
		require.Equal(t, whole, got, "%+v in parts", u)
	}
}

func TestSyrk(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		r := seeded(12)
		n := 12
		if testing.Short() {
			n = 4
		}
		for i := range n {
			u := RankUpdate{Upper: i&1 != 0, Trans: i&2 != 0, N: 1 + r.IntN(110), K: r.IntN(290)}
			checkSyrk[float64](t, s, u, 1, 0)
			checkSyrk[float64](t, s, u, -0.5, 2)
			checkSyrk[float64](t, s, u, 0, 2)
			checkSyrk[float32](t, s, u, 1, 1)
		}
	})
}

func BenchmarkSyrk(b *testing.B) {
	benchSets(b, func(b *testing.B, s Set) {
		u := RankUpdate{Upper: true, Trans: true, N: 784, K: 3000, LDA: 784, LDC: 784}
		a, c := random[float64](b, seeded(1), u.N*u.K), make([]float64, u.N*u.N)
		scratch := make([]float64, SyrkScratch[float64](s, &u))
		for b.Loop() {
			Syrk(s, &u, 0, SyrkBlocks[float64](s, &u), 1, a, 0, c, scratch)
		}
		rate(b, float64(u.N)*float64(u.N+1)*float64(u.K))
	})
}
