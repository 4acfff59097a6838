package kernel

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestNoAllocations runs every kind of kernel and counts allocations.
func TestNoAllocations(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		const images = 2
		for _, c := range []Conv{
			{Height: 6, Width: 6, In: 16, Out: 3, KernelHeight: 5, KernelWidth: 5, PadTop: 2, PadBottom: 2,
				PadLeft: 2, PadRight: 2},
			{Height: 6, Width: 6, In: 16, Out: 20, KernelHeight: 3, KernelWidth: 3, PadTop: 1, PadBottom: 1,
				PadLeft: 1, PadRight: 1},
			{Height: 6, Width: 6, In: 1, Out: 2, KernelHeight: 3, KernelWidth: 3, PadTop: 1, PadBottom: 1,
				PadLeft: 1, PadRight: 1},
		} {
			for _, e := range []Epilogue{0, ReLU, ReLU | MaxPool2x2} {
				back := c.InputGradient()
				x, w, bias := make([]float32, images*36*c.In), make([]float32, c.taps()*c.Out), make([]float32, c.Out)
				packed, flipped := make([]float32, s.PackedConvSize(&c)), make([]float32, s.PackedConvSize(&back))
				y, winner := make([]float32, images*36*c.Out), make([]uint8, images*36*c.Out)
				scratch := make([]float32, max(s.ConvScratch(&c, e), s.ConvGradientScratch(&c), len(w)))
				dw, db := make([]float32, len(w)), make([]float32, c.Out)
				assert.Zero(t, testing.AllocsPerRun(5, func() {
					s.PackConv(&c, packed, w)
					s.PackConvFlipped(&c, flipped, w, scratch)
					s.Conv(&c, e, 0, images*c.Rows(e), x, packed, bias, y, winner, scratch)
					s.ConvKernelGradient(&c, e, 0, images, x, y, winner, dw, db, scratch)
					s.ConvInputGradient(&c, e, 0, images, flipped, y, winner, x, scratch)
					s.SumPartials(dw, dw, 1, len(dw), 0, len(dw))
				}), "%+v epilogue %b", c, e)
			}
		}
		a, b := make([]float64, 4000), make([]float64, 4000)
		scratch := make([]float64, 1<<16)
		p := make([]float32, 100)
		assert.Zero(t, testing.AllocsPerRun(5, func() {
			for k := range 4 {
				for _, shape := range [][2]int{{40, 40}, {3, 40}, {40, 3}} {
					g := MatMul{TransA: k&1 != 0, TransB: k&2 != 0, M: shape[0], N: shape[1], K: 50, LDA: 50, LDB: 50, LDC: 50}
					Gemm(s, &g, 0, GemmBlocks[float64](s, &g), 1, a, a, 0, b, scratch)
				}
			}
			u := RankUpdate{N: 40, K: 40, LDA: 40, LDC: 40}
			Syrk(s, &u, 0, SyrkBlocks[float64](s, &u), 1, a, 0, b, scratch)
			for op := range binaryOps {
				Binary(s, op, b, a, a)
			}
			for op := range unaryOps {
				Unary(s, op, p, p)
			}
			b[0] = Sum(s, a) + MaxOf(s, a) + MinOf(s, a)
			s.MaxPool(ReLU, 0, 1, 5, 5, 4, p, p[:16], nil)
		}))
	})
}
