package kernel

import "fmt"

// Conv is the geometry of a 2-D convolution with stride 1 of NHWC images [N, Height, Width, In] with weights
// [KernelHeight, KernelWidth, In, Out] to [N, OutHeight, OutWidth, Out]:
//
//	y[n, i, j, o] = Σ_{u, v, c} x[n, i+u−PadTop, j+v−PadLeft, c] · w[u, v, c, o],
//
// with zeros outside the image, as in every deep-learning framework. Paddings are not negative.
type Conv struct {
	Height, Width, In                    int
	KernelHeight, KernelWidth, Out       int
	PadTop, PadBottom, PadLeft, PadRight int
}

// OutHeight is the height of the result.
func (c *Conv) OutHeight() int { return c.Height + c.PadTop + c.PadBottom - c.KernelHeight + 1 }

// OutWidth is the width of the result.
func (c *Conv) OutWidth() int { return c.Width + c.PadLeft + c.PadRight - c.KernelWidth + 1 }

// Valid reports an error if a dimension is not positive or a padding is negative.
func (c *Conv) Valid() error {
	if min(c.Height, c.Width, c.In, c.KernelHeight, c.KernelWidth, c.Out, c.OutHeight(), c.OutWidth()) < 1 ||
		min(c.PadTop, c.PadBottom, c.PadLeft, c.PadRight) < 0 {
		return fmt.Errorf(
			"convolution %+v: dimensions, those of the result included, must be positive and paddings not negative", *c)
	}
	return nil
}

// InputGradient returns the convolution that turns gradients [N, OutHeight, OutWidth, Out] of c into gradients of c's
// input, with the weights of [Set.PackConvFlipped]. It needs paddings less than the kernel's size (Valid says so).
func (c *Conv) InputGradient() Conv {
	return Conv{
		Height: c.OutHeight(), Width: c.OutWidth(), In: c.Out,
		KernelHeight: c.KernelHeight, KernelWidth: c.KernelWidth, Out: c.In,
		PadTop: c.KernelHeight - 1 - c.PadTop, PadBottom: c.KernelHeight - 1 - c.PadBottom,
		PadLeft: c.KernelWidth - 1 - c.PadLeft, PadRight: c.KernelWidth - 1 - c.PadRight,
	}
}

func (c *Conv) padded() bool { return c.PadTop|c.PadBottom|c.PadLeft|c.PadRight != 0 }

// padHeight and padWidth are the dimensions of the padded input.
func (c *Conv) padHeight() int { return c.Height + c.PadTop + c.PadBottom }
func (c *Conv) padWidth() int  { return c.Width + c.PadLeft + c.PadRight }

// taps is the number of products that are summed for one value.
func (c *Conv) taps() int { return c.KernelHeight * c.KernelWidth * c.In }

// Epilogue says what is done to the result of a convolution before it is stored.
type Epilogue uint8

// The parts of an epilogue. A bias is added first, if there is one.
const (
	// ReLU replaces negative values by zero; NaN stays.
	ReLU Epilogue = 1 << iota
	// MaxPool2x2 takes the maximum of each 2×2 window, windows side by side, after ReLU; an odd last row or column is
	// dropped. NaN wins over numbers.
	MaxPool2x2
	// ZeroPasses says that ReLU's gradient at zero and at NaN is one, as GoMLX has it for Max(x, 0); it concerns only
	// what is recorded in winner. Without it the gradient there is zero, as GoMLX has it for Max(0, x).
	ZeroPasses
)

// Dead is the bit of an entry of a winner array that says that ReLU's gradient is zero there. The
// other bits are the index of the element of the 2×2 window that was taken, in row-major order, or
// 0 where there was no pooling. Of equal elements (after ReLU) the first is taken, of several NaN
// the last, as GoMLX's Go backend does.
const Dead = 4

// size returns height and width after the epilogue.
func (c *Conv) size(e Epilogue) (h, w int) {
	h, w = c.OutHeight(), c.OutWidth()
	if e&MaxPool2x2 != 0 {
		h, w = h/2, w/2
	}
	return h, w
}

// byDots reports whether the convolution has so few output channels that sums along the input channels are faster.
func (s Set) byDots(c *Conv) bool {
	return c.Out <= 4 && c.KernelWidth*c.In >= 2*lanes[float32](s)
}

// PackedConvSize is the length of packed weights.
func (s Set) PackedConvSize(c *Conv) int { return s.packedWeights(c) + 1 }

// packedWeights is the length of packed weights without the last element, which says whether one is not finite.
func (s Set) packedWeights(c *Conv) int {
	if s.byDots(c) {
		return c.Out * c.taps()
	}
	return c.taps() * roundUp(c.Out, lanes[float32](s))
}

// exact reports whether some of the packed weights are not finite. Times the zeros around an image
// they would be NaN, so such weights are multiplied with what is in the image only, which is
// slower.
func (s Set) exact(c *Conv, packed []float32) bool { return packed[s.packedWeights(c)] != 0 }

// PackConv arranges the weights w [KernelHeight, KernelWidth, In, Out] for [Set.Conv].
func (s Set) PackConv(c *Conv, packed, w []float32) {
	need("packed", packed, s.PackedConvSize(c))
	need("w", w, c.taps()*c.Out)
	packed[s.packedWeights(c)] = 0
	if !s.finite(w[:c.taps()*c.Out]) {
		packed[s.packedWeights(c)] = 1
	}
	if s.byDots(c) {
		transpose(packed, c.taps(), w, c.Out, c.taps(), c.Out)
		return
	}
	packPanel(s, packed, w, c.Out, false, 0, c.taps(), 0, c.Out)
}

// PackConvFlipped arranges the weights of c for c.InputGradient(): turned by 180° with In and Out
// exchanged. w and packed are as in [Set.PackConv] for c; packed has PackedConvSize of
// c.InputGradient(), scratch len(w).
func (s Set) PackConvFlipped(c *Conv, packed, w, scratch []float32) {
	need("w", w, c.taps()*c.Out)
	need("scratch", scratch, c.taps()*c.Out)
	kernel := c.KernelHeight * c.KernelWidth
	n := c.In * c.Out
	for k := range kernel {
		transpose(scratch[(kernel-1-k)*n:][:n], c.In, w[k*n:], c.Out, c.In, c.Out)
	}
	g := c.InputGradient()
	s.PackConv(&g, packed, scratch)
}

// ConvScratch is the length of the scratch slice for one call of [Set.Conv].
func (s Set) ConvScratch(c *Conv, e Epilogue) int {
	n := c.Height * c.padWidth() * c.In
	if e&MaxPool2x2 != 0 {
		n += 2 * c.OutWidth() * c.Out
	}
	return n
}

// Rows is the number of rows of the result of one image: OutHeight, halved by MaxPool2x2.
func (c *Conv) Rows(e Epilogue) int {
	h, _ := c.size(e)
	return h
}

// Conv computes rows lo ≤ i < hi of y from x [N, Height, Width, In], the rows of all images counted
// as one: those of image n begin at n·Rows. y is [N, h, w, Out], h × w being OutHeight × OutWidth,
// halved by MaxPool2x2. packed comes from [Set.PackConv]; bias has Out elements or is nil. If
// winner is not nil it has the shape of y and receives which elements won (see [Dead]). Splitting
// the rows changes no bits.
func (s Set) Conv(c *Conv, e Epilogue, lo, hi int, x, packed, bias, y []float32, winner []uint8, scratch []float32) {
	h, w := c.size(e)
	if h == 0 || w == 0 || lo >= hi {
		return
	}
	image := c.Height * c.Width * c.In
	need("x", x, (hi+h-1)/h*image)
	need("y", y, hi*w*c.Out)
	need("packed", packed, s.PackedConvSize(c))
	need("scratch", scratch, s.ConvScratch(c, e))
	if bias != nil {
		need("bias", bias, c.Out)
	}
	if winner != nil {
		need("winner", winner, hi*w*c.Out)
	}
	r := s.newConvRows(c, packed, bias)
	padded, scratch := scratch[:c.Height*r.width*c.In], scratch[c.Height*r.width*c.In:]
	clear(padded)
	for lo < hi {
		n, from := lo/h, lo%h
		to := min(h, from+hi-lo)
		r.in = x[n*image:][:image]
		if r.width > c.Width {
			first, last := r.needs(e, from, to)
			c.pad(padded, r.in, first, last, 0, r.left, r.width)
			r.in = padded
		}
		out := y[lo*w*c.Out:][:(to-from)*w*c.Out]
		var win []uint8
		if winner != nil {
			win = winner[lo*w*c.Out:][:len(out)]
		}
		r.run(e, from, to, out, win, scratch)
		lo += to - from
	}
}

// pad copies rows first to last of an image to a padded one whose rows are width pixels long, top
// rows down and left pixels to the right.
func (c *Conv) pad(dst, x []float32, first, last, top, left, width int) {
	row := c.Width * c.In
	for i := first; i < last; i++ {
		copy(dst[((i+top)*width+left)*c.In:][:row], x[i*row:])
	}
}
