package kernel

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzElementwise gives arbitrary bit patterns to every set and compares with plain Go.
func FuzzElementwise(f *testing.F) {
	bits := func(values ...float32) (b []byte) {
		for _, v := range values {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		return b
	}
	f.Add(bits(0, 1, -1, 1e-40, 3e38, float32(math.NaN()), float32(math.Inf(1)), 88.7, -103.5))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := min(len(data)/4, 500)
		a, b := guardEnd[float32](t, n), guardEnd[float32](t, n)
		for i := range a {
			a[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
			b[n-1-i] = a[i]
		}
		want, got := make([]float32, n), guard[float32](n)
		winner, wantWinner := make([]uint8, n), make([]uint8, n)
		for _, s := range Sets()[1:] {
			for op := range binaryOps {
				Binary(Generic, op, want, a, b)
				Binary(s, op, got.slice(), a, b)
				requireSame(t, want, got.slice(), binaryNames[op])
			}
			for op := range unaryOps {
				Unary(Generic, op, want, a)
				Unary(s, op, got.slice(), a)
				for i, w := range want {
					g := got.slice()[i]
					if w == g || w != w && g != g {
						continue
					}
					_, approximate := map[UnaryOp]bool{Exp: true, Expm1: true, Log: true, Tanh: true, Sigmoid: true, Erf: true}[op]
					if d := math.Abs(float64(w) - float64(g)); !approximate || !(d <= 3e-7*math.Abs(float64(w))+3e-45) {
						t.Fatalf("%v: operation %d of %v (%x) is %v, want %v", s, op, a[i], math.Float32bits(a[i]), g, w)
					}
				}
			}
			requireSame(t, []float32{Sum(Generic, a), MaxOf(Generic, a), MinOf(Generic, a)},
				[]float32{Sum(s, a), MaxOf(s, a), MinOf(s, a)},
				fmt.Sprintf("reductions of %v", s))
			for _, e := range []Epilogue{0, ZeroPasses} {
				copy(want, a)
				copy(got.slice(), a)
				Generic.Rectify(e, want, wantWinner)
				s.Rectify(e, got.slice(), winner)
				requireSame(t, want, got.slice(), "ReLU")
				require.Equal(t, wantWinner, winner)
			}
			if cells := n / 4; cells > 0 {
				for _, e := range []Epilogue{0, ReLU, ReLU | ZeroPasses} {
					channels := 1 + n%3
					w := cells / channels
					Generic.MaxPool(e, 0, 1, 2, 2*w, channels, a, want, wantWinner)
					s.MaxPool(e, 0, 1, 2, 2*w, channels, a, got.slice(), winner)
					requireSame(t, want[:w*channels], got.slice()[:w*channels], "max-pool")
					require.Equal(t, wantWinner[:w*channels], winner[:w*channels])
				}
			}
			got.check(t)
		}
	})
}
