package kernel

// A gradient that reaches a convolution through ReLU and a 2×2 max-pool is zero in at least three
// places of four, in other places for every channel. The functions here visit only the others: for
// each output channel they list the pixels with a gradient, and then work on vectors of 16 input
// channels.

// sparseChannels is the number of input channels that are worked on together.
const sparseChannels = 16

// sparse reports whether the gradients of c behind epilogue e have a sparse form in the set.
func (s Set) sparse(c *Conv, e Epilogue) bool {
	return s != Generic && e&MaxPool2x2 != 0 && min(c.OutHeight(), c.OutWidth()) >= 2 && c.In%sparseChannels == 0 &&
		c.KernelHeight == c.KernelWidth && (c.KernelWidth == 3 || c.KernelWidth == 5)
}

// entry is the room for one pixel with a gradient in a list, in float32: see gen/sparse.go.
const entry = 4

func (s Set) sparseScratch(c *Conv) int {
	return c.padHeight()*c.padWidth()*c.In + c.taps()*c.Out + c.Out + entry*(c.OutHeight()/2)*(c.OutWidth()/2)
}

// sparseKernelGradient is ConvKernelGradient for images lo ≤ n < hi. It reports whether x and g are
// finite, without which what it leaves out is not zero.
func (s Set) sparseKernelGradient(c *Conv, e Epilogue, lo, hi int, x, g []float32, winner []uint8, dw, db,
	scratch []float32) bool {
	h, w := c.size(e)
	image, grad := c.Height*c.Width*c.In, h*w*c.Out
	padded, scratch := scratch[:c.padHeight()*c.padWidth()*c.In], scratch[c.padHeight()*c.padWidth()*c.In:]
	acc, scratch := scratch[:c.taps()*c.Out], scratch[c.taps()*c.Out:] // [Out][In/16][KernelHeight][KernelWidth][16]
	sums, list := scratch[:c.Out], scratch[c.Out:]
	clear(padded)
	clear(acc)
	clear(sums)
	block := c.KernelHeight * c.KernelWidth * sparseChannels
	for n := lo; n < hi; n++ {
		in := x[n*image:][:image]
		if c.padded() {
			c.pad(padded, in, 0, c.Height, c.PadTop, c.PadLeft, c.padWidth())
			in = padded
		}
		if !s.finite(in) || !s.finite(g[n*grad:][:grad]) {
			return false
		}
		for o := range c.Out {
			entries := vectorSparseList(s, c, h, w, g[n*grad:][:grad], winner[n*grad:][:grad], o, list)
			for k := 0; k < c.In; k += sparseChannels {
				sum := sums[o : o+1]
				var rest [1]float32
				if k > 0 {
					sum = rest[:]
				}
				vectorSparseKernel(s, c, acc[o*c.taps()+k/sparseChannels*block:][:block], sum, in[k:], list, entries)
			}
		}
	}
	copy(db, sums)
	for k := 0; k < c.In; k += sparseChannels {
		for tap := range c.KernelHeight * c.KernelWidth {
			transpose(dw[(tap*c.In+k)*c.Out:], c.Out, acc[k/sparseChannels*block+tap*sparseChannels:], c.taps(), c.Out,
				sparseChannels)
		}
	}
	return true
}

// sparseInputGradient is ConvInputGradient for one image, finite weights and finite gradients.
func (s Set) sparseInputGradient(c *Conv, e Epilogue, packed, g []float32, winner []uint8, dx, scratch []float32) {
	h, w := c.size(e)
	padded, list := scratch[:c.padHeight()*c.padWidth()*c.In], scratch[c.padHeight()*c.padWidth()*c.In:]
	b := c.InputGradient()
	strip := 2 * lanes[float32](s)
	clear(padded)
	for o := range c.Out {
		entries := vectorSparseList(s, c, h, w, g, winner, o, list)
		for k := 0; k < c.In; k += sparseChannels {
			j := k / strip * strip
			width := min(strip, c.In-j)
			vectorSparseInput(s, c, packed[j*b.taps()+o*width+k-j:], c.Out*width, padded[k:], list, entries)
		}
	}
	row, stride := c.Width*c.In, c.padWidth()*c.In
	from := padded[c.PadTop*stride+c.PadLeft*c.In:]
	for i := range c.Height {
		copy(dx[i*row:][:row], from[i*stride:])
	}
}
