package kernel

// FoldUpsampling replaces "nearest-neighbour upsampling ×2, then c" by one convolution on the small image. c is the
// convolution on the upsampled image (Height and Width even). The result has 4·Out channels, one group for each parity
// (row, column) of the output pixel, in the order (0,0), (0,1), (1,0), (1,1): value o of output pixel (2i+p, 2j+q) is
// channel (2p+q)·Out + o of pixel (i, j). ok is false if the output's height or width
// is odd. It is also false if a parity does not use every tap of the folded kernel, as for sizes of
// 3: the weight of that tap would be zero, and zero times an infinite pixel is NaN.
func FoldUpsampling(c *Conv) (folded Conv, ok bool) {
	if c.Height%2 != 0 || c.Width%2 != 0 || c.OutHeight()%2 != 0 || c.OutWidth()%2 != 0 {
		return Conv{}, false
	}
	folded = Conv{Height: c.Height / 2, Width: c.Width / 2, In: c.In, Out: 4 * c.Out}
	folded.PadTop, folded.PadBottom, folded.KernelHeight = foldAxis(c.PadTop, c.KernelHeight, c.Height/2, c.OutHeight()/2)
	folded.PadLeft, folded.PadRight, folded.KernelWidth = foldAxis(c.PadLeft, c.KernelWidth, c.Width/2, c.OutWidth()/2)
	return folded, folded.PadBottom >= 0 && folded.PadRight >= 0 &&
		usesAllTaps(c.PadTop, c.KernelHeight) && usesAllTaps(c.PadLeft, c.KernelWidth)
}

// usesAllTaps reports whether both parities reach the first and the last tap along an axis.
func usesAllTaps(pad, size int) bool {
	return floorHalf(-pad) == floorHalf(1-pad) && floorHalf(size-1-pad) == floorHalf(size-pad)
}

// foldAxis gives padding and size along one axis: output 2i+p reads upsampled positions 2i+p+u−pad,
// that is small positions i + ⌊(p+u−pad)/2⌋.
func foldAxis(pad, size, in, out int) (before, after, folded int) {
	first, last := floorHalf(-pad), floorHalf(1+size-1-pad)
	before, folded = -first, last-first+1
	return before, out - 1 + folded - before - in, folded
}

func floorHalf(n int) int { return n >> 1 }

// FoldWeights sums the weights w of c into the weights of FoldUpsampling(c), which are overwritten,
// for the input channels lo ≤ i < hi. It is linear; its transposed is [UnfoldWeights].
func FoldWeights(s Set, c *Conv, lo, hi int, folded, w []float32) {
	g, _ := FoldUpsampling(c)
	for tap := range g.KernelHeight * g.KernelWidth {
		clear(folded[(tap*c.In+lo)*g.Out : (tap*c.In+hi)*g.Out])
	}
	eachFold(c, lo, hi, func(f, k int) { Binary(s, Add, folded[f:][:c.Out], folded[f:], w[k:]) })
}

// UnfoldWeights turns the gradient of the folded weights into the gradient dw of the weights of c,
// which is overwritten, for the input channels lo ≤ i < hi.
func UnfoldWeights(s Set, c *Conv, lo, hi int, dw, folded []float32) {
	for tap := range c.KernelHeight * c.KernelWidth {
		clear(dw[(tap*c.In+lo)*c.Out : (tap*c.In+hi)*c.Out])
	}
	eachFold(c, lo, hi, func(f, k int) { Binary(s, Add, dw[k:][:c.Out], dw[k:], folded[f:]) })
}

// eachFold visits all pairs of rows of Out weights, of the folded kernel at f and of c's at k, that belong together.
func eachFold(c *Conv, lo, hi int, visit func(f, k int)) {
	g, _ := FoldUpsampling(c)
	for p := range 2 {
		for q := range 2 {
			for u := range c.KernelHeight {
				for v := range c.KernelWidth {
					fu, fv := floorHalf(p+u-c.PadTop)+g.PadTop, floorHalf(q+v-c.PadLeft)+g.PadLeft
					for i := lo; i < hi; i++ {
						visit(((fu*g.KernelWidth+fv)*c.In+i)*g.Out+(2*p+q)*c.Out, ((u*c.KernelWidth+v)*c.In+i)*c.Out)
					}
				}
			}
		}
	}
}
