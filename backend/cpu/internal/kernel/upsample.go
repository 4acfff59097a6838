package kernel

// FoldUpsampling replaces "nearest-neighbour upsampling ×2, then c" by one convolution on the small image. c is the
// convolution on the upsampled image (Height and Width even). The result has 4·Out channels, one group for each parity
// (row, column) of the output pixel, in the order (0,0), (0,1), (1,0), (1,1): value o of output pixel (2i+p, 2j+q) is
// channel (2p+q)·Out + o of pixel (i, j); [ScatterParities] puts them in place. ok is false if the output's height or width
// is odd.
func FoldUpsampling(c *Conv) (folded Conv, ok bool) {
	if c.Height%2 != 0 || c.Width%2 != 0 || c.OutHeight()%2 != 0 || c.OutWidth()%2 != 0 {
		return Conv{}, false
	}
	folded = Conv{Height: c.Height / 2, Width: c.Width / 2, In: c.In, Out: 4 * c.Out}
	folded.PadTop, folded.PadBottom, folded.KernelHeight = foldAxis(c.PadTop, c.KernelHeight, c.Height/2, c.OutHeight()/2)
	folded.PadLeft, folded.PadRight, folded.KernelWidth = foldAxis(c.PadLeft, c.KernelWidth, c.Width/2, c.OutWidth()/2)
	return folded, folded.PadBottom >= 0 && folded.PadRight >= 0
}

// foldAxis gives padding and size along one axis: output 2i+p reads upsampled positions 2i+p+u−pad, that is small positions
// i + ⌊(p+u−pad)/2⌋.
func foldAxis(pad, size, in, out int) (before, after, folded int) {
	first, last := floorHalf(-pad), floorHalf(1+size-1-pad)
	before, folded = -first, last-first+1
	return before, out - 1 + folded - before - in, folded
}

func floorHalf(n int) int { return n >> 1 }

// FoldWeights sums the weights w of c into the weights of FoldUpsampling(c), which are overwritten. It is linear; its
// transposed is [UnfoldWeights].
func FoldWeights(c *Conv, folded, w []float32) {
	eachFold(c, func(f, k int) { folded[f] += w[k] }, func(n int) { clear(folded[:n]) })
}

// UnfoldWeights turns the gradient of the folded weights into the gradient dw of the weights of c, which is overwritten.
func UnfoldWeights(c *Conv, dw, folded []float32) {
	eachFold(c, func(f, k int) { dw[k] += folded[f] }, func(int) { clear(dw[:c.taps()*c.Out]) })
}

func eachFold(c *Conv, visit func(f, k int), begin func(n int)) {
	g, _ := FoldUpsampling(c)
	begin(g.taps() * g.Out)
	for p := range 2 {
		for q := range 2 {
			for u := range c.KernelHeight {
				for v := range c.KernelWidth {
					fu, fv := floorHalf(p+u-c.PadTop)+g.PadTop, floorHalf(q+v-c.PadLeft)+g.PadLeft
					for i := range c.In {
						f := ((fu*g.KernelWidth+fv)*c.In+i)*4*c.Out + (2*p+q)*c.Out
						k := ((u*c.KernelWidth+v)*c.In + i) * c.Out
						for o := range c.Out {
							visit(f+o, k+o)
						}
					}
				}
			}
		}
	}
}

// ScatterParities puts the result x [N, h, w, 4·channels] of a folded convolution in place, y [N, 2h, 2w, channels], in images
// lo ≤ n < hi.
func ScatterParities(lo, hi, h, w, channels int, x, y []float32) {
	eachParity(lo, hi, h, w, channels, func(small, large int) { copy(y[large:][:channels], x[small:][:channels]) })
}

// GatherParities is the inverse of [ScatterParities].
func GatherParities(lo, hi, h, w, channels int, x, y []float32) {
	eachParity(lo, hi, h, w, channels, func(small, large int) { copy(x[small:][:channels], y[large:][:channels]) })
}

func eachParity(lo, hi, h, w, channels int, move func(small, large int)) {
	for r := lo * h; r < hi*h; r++ {
		for j := range w {
			for k := range 4 {
				move((r*w+j)*4*channels+k*channels, ((2*r+k/2)*2*w+2*j+k%2)*channels)
			}
		}
	}
}
