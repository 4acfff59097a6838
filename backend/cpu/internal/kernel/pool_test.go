package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// special draws numbers with many ties, zeros of both signs, infinities and NaN.
func special(t testing.TB, r *rand.Rand, n int) []float32 {
	x := guardEnd[float32](t, n)
	values := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 2, float32(math.NaN()), float32(math.Inf(1)),
		float32(math.Inf(-1))}
	for i := range x {
		x[i] = values[r.IntN(len(values))]
	}
	return x
}

// sameFloats compares values; NaN equals NaN.
func sameFloats(t testing.TB, want, got []float32, what string, args ...any) {
	t.Helper()
	wide := make([]float64, len(want))
	for i, v := range want {
		wide[i] = float64(v)
	}
	within(t, wide, got, 0, what, args...)
}

func TestMaxPool(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		r := seeded(4)
		for range 60 {
			images, h, w, channels := 1+r.IntN(3), 1+r.IntN(7), 1+r.IntN(7), 1+r.IntN(40)
			c := Conv{Height: h, Width: w, In: channels, Out: channels, KernelHeight: 1, KernelWidth: 1}
			x := special(t, r, images*h*w*channels)
			n := images * (h / 2) * (w / 2) * channels
			for _, e := range []Epilogue{0, ReLU, ReLU | ZeroPasses} {
				y, winner := guard[float32](n), make([]uint8, n)
				s.MaxPool(e, 0, images, h, w, channels, x, y.slice(), winner)
				y.check(t)
				want, wantWinner := c.naiveEpilogue(e|MaxPool2x2, images, x)
				if n > 0 {
					sameFloats(t, want, y.slice(), "max-pool")
					require.Equal(t, wantWinner, winner, "epilogue %b, %dx%dx%d", e, h, w, channels)
				}
				s.MaxPool(e, 0, images, h, w, channels, x, y.slice(), nil)
				sameFloats(t, want, y.slice(), "max-pool without winners")

				g, dx := random[float32](t, r, n), guard[float32](len(x))
				s.MaxPoolGradient(0, images, h, w, channels, g, winner, dx.slice())
				dx.check(t)
				back := make([]float32, len(x))
				for i := range n {
					o, p := i%channels, i/channels
					if winner[i]&Dead == 0 {
						row := p/(h/2*(w/2))*h + 2*(p/(w/2)%(h/2)) + int(winner[i]/2)
						back[(row*w+2*(p%(w/2))+int(winner[i]%2))*channels+o] = g[i]
					}
				}
				require.Equal(t, back, dx.slice())
			}
		}
	})
}

func TestRectify(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		r := seeded(5)
		for n := range 70 {
			for _, e := range []Epilogue{0, ZeroPasses} {
				x := special(t, r, n)
				y, winner := guard[float32](n), make([]uint8, n+2)
				winner[0], winner[n+1] = 9, 9
				copy(y.slice(), x)
				s.Rectify(e, y.slice(), winner[1:n+1])
				y.check(t)
				g, dst := special(t, r, n), guard[float32](n)
				s.ReLUGradient(dst.slice(), g, winner[1:n+1])
				dst.check(t)
				want, wantG := make([]float32, n), make([]float32, n)
				for i, v := range x {
					want[i] = max(v, 0)
					wantG[i] = g[i]
					if !(v > 0) && (v < 0 || e == 0) {
						wantG[i] *= 0
					}
				}
				sameFloats(t, want, y.slice(), "ReLU")
				sameFloats(t, wantG, dst.slice(), "gradient of ReLU")
				require.Equal(t, [2]uint8{9, 9}, [2]uint8{winner[0], winner[n+1]})
			}
		}
	})
}

func BenchmarkMaxPool(b *testing.B) {
	benchSets(b, func(b *testing.B, s Set) {
		const h, w, channels = 28, 28, 16
		x := random[float32](b, seeded(1), benchImages*h*w*channels)
		y, winner := make([]float32, len(x)/4), make([]uint8, len(x)/4)
		b.SetBytes(int64(4 * len(x)))
		for b.Loop() {
			s.MaxPool(ReLU, 0, benchImages, h, w, channels, x, y, winner)
		}
	})
}

func BenchmarkMaxPoolGradient(b *testing.B) {
	benchSets(b, func(b *testing.B, s Set) {
		const h, w, channels = 28, 28, 16
		r := seeded(1)
		dx := make([]float32, benchImages*h*w*channels)
		g, winner := random[float32](b, r, len(dx)/4), make([]uint8, len(dx)/4)
		for i := range winner {
			winner[i] = uint8(r.IntN(5))
		}
		b.SetBytes(int64(4 * len(dx)))
		for b.Loop() {
			s.MaxPoolGradient(0, benchImages, h, w, channels, g, winner, dx)
		}
	})
}
