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
		return fmt.Errorf("convolution %+v: dimensions, those of the result included, must be positive and paddings not negative", *c)
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

// padded dimensions of the input
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
	// ZeroPasses says that ReLU's gradient at exactly zero is one, as GoMLX defines it for Max(x, 0); it concerns
	// only what is recorded in winner. Without it the gradient there is zero (PyTorch, and GoMLX for Max(0, x)).
	ZeroPasses
)

// Dead marks, in a winner array, a value whose gradient ReLU stops. Every other entry is the index of the element of the
// 2×2 window that was taken, in row-major order, or 0 where there was no pooling. Of equal elements (after ReLU) the
// first is taken, of several NaN the last, as GoMLX's Go backend does.
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
func (s Set) PackedConvSize(c *Conv) int {
	if s.byDots(c) {
		return c.Out * c.taps()
	}
	return c.taps() * roundUp(c.Out, lanes[float32](s))
}

// PackConv arranges the weights w [KernelHeight, KernelWidth, In, Out] for [Set.Conv].
func (s Set) PackConv(c *Conv, packed, w []float32) {
	need("packed", packed, s.PackedConvSize(c))
	need("w", w, c.taps()*c.Out)
	if s.byDots(c) {
		transpose(s, packed, c.taps(), w, c.Out, c.taps(), c.Out)
		return
	}
	packPanel(s, packed, w, c.Out, false, 0, c.taps(), 0, c.Out)
}

// PackConvFlipped arranges the weights of c for c.InputGradient(): turned by 180° with In and Out exchanged. w and packed
// are as in [Set.PackConv] for c; packed has PackedConvSize of c.InputGradient(), scratch len(w).
func (s Set) PackConvFlipped(c *Conv, packed, w, scratch []float32) {
	need("w", w, c.taps()*c.Out)
	need("scratch", scratch, c.taps()*c.Out)
	kernel := c.KernelHeight * c.KernelWidth
	n := c.In * c.Out
	for k := range kernel {
		transpose(s, scratch[(kernel-1-k)*n:][:n], c.In, w[k*n:], c.Out, c.In, c.Out)
	}
	g := c.InputGradient()
	s.PackConv(&g, packed, scratch)
}

// ConvScratch is the length of the scratch slice for one call of [Set.Conv].
func (s Set) ConvScratch(c *Conv, e Epilogue) int {
	n := 0
	if c.padded() {
		n += c.padHeight() * c.padWidth() * c.In
	}
	if e&MaxPool2x2 != 0 {
		n += 2 * c.OutWidth() * c.Out
	}
	return n
}

// Conv computes images lo ≤ n < hi of y from x [N, Height, Width, In]. y is [N, h, w, Out], h × w being OutHeight ×
// OutWidth, halved by MaxPool2x2. packed comes from [Set.PackConv]; bias has Out elements or is nil. If winner is
// not nil it has the shape of y and receives which elements won (see [Dead]). Splitting the images changes no bits.
func (s Set) Conv(c *Conv, e Epilogue, lo, hi int, x, packed, bias, y []float32, winner []uint8, scratch []float32) {
	h, w := c.size(e)
	image := c.Height * c.Width * c.In
	need("x", x, hi*image)
	need("y", y, hi*h*w*c.Out)
	need("packed", packed, s.PackedConvSize(c))
	need("scratch", scratch, s.ConvScratch(c, e))
	if bias != nil {
		need("bias", bias, c.Out)
	}
	if winner != nil {
		need("winner", winner, hi*h*w*c.Out)
	}
	var padded []float32
	if c.padded() {
		n := c.padHeight() * c.padWidth() * c.In
		padded, scratch = scratch[:n], scratch[n:]
		clear(padded)
	}
	for n := lo; n < hi; n++ {
		in := x[n*image:][:image]
		if c.padded() {
			c.pad(padded, in)
			in = padded
		}
		out := y[n*h*w*c.Out:][:h*w*c.Out]
		var win []uint8
		if winner != nil {
			win = winner[n*h*w*c.Out:][:h*w*c.Out]
		}
		s.convImage(c, e, in, packed, bias, out, win, scratch)
	}
}

// pad copies an image into the middle of its padded form.
func (c *Conv) pad(dst, x []float32) {
	row := c.Width * c.In
	stride := c.padWidth() * c.In
	dst = dst[c.PadTop*stride+c.PadLeft*c.In:]
	for i := range c.Height {
		copy(dst[i*stride:][:row], x[i*row:])
	}
}

// convImage computes one image from its padded form.
func (s Set) convImage(c *Conv, e Epilogue, in, packed, bias, out []float32, winner []uint8, scratch []float32) {
	row := c.OutWidth() * c.Out
	stride := c.padWidth() * c.In
	t := s.convTile(c, packed, bias)
	switch {
	case e&MaxPool2x2 != 0:
		h, w := c.size(e)
		for i := range h {
			s.convRow(&t, c, 0, in[2*i*stride:], packed, bias, scratch[:row])
			s.convRow(&t, c, 0, in[(2*i+1)*stride:], packed, bias, scratch[row:2*row])
			var win []uint8
			if winner != nil {
				win = winner[i*w*c.Out:][:w*c.Out]
			}
			s.poolRow(e, w, c.Out, scratch[:row], scratch[row:2*row], out[i*w*c.Out:][:w*c.Out], win)
		}
	case winner != nil:
		for i := range c.OutHeight() {
			y, win := out[i*row:][:row], winner[i*row:][:row]
			s.convRow(&t, c, 0, in[i*stride:], packed, bias, y)
			if e&ReLU != 0 {
				s.Rectify(e, y, win)
			} else {
				clear(win)
			}
		}
	default:
		mode := 0
		if e&ReLU != 0 {
			mode = modeReLU
		}
		for i := range c.OutHeight() {
			s.convRow(&t, c, mode, in[i*stride:], packed, bias, out[i*row:][:row])
		}
	}
}

// convTile is a tile with what all tiles of an image have in common.
func (s Set) convTile(c *Conv, packed, bias []float32) tile[float32] {
	t := tile[float32]{
		aRow: c.In, aCol: 1, aSeg: c.padWidth() * c.In, cRow: c.Out, steps: c.KernelWidth * c.In, segs: c.KernelHeight,
	}
	if s.byDots(c) {
		t.b, t.bias = packed, bias
		t.bCol, t.bSeg, t.cCol = c.taps(), t.steps, 1
		t.rows, t.cols = c.OutWidth(), c.Out
	}
	return t
}

// convRow computes one row of the result, OutWidth × Out, from the rows of the padded image that begin at in; t is a
// convTile.
func (s Set) convRow(t *tile[float32], c *Conv, mode int, in, packed, bias, out []float32) {
	t.mode = mode
	if bias != nil {
		t.mode |= modeBias
	}
	if s.byDots(c) {
		t.a, t.c = in, out
		runDotTile(s, t)
		return
	}
	v, taps, width := lanes[float32](s), c.taps(), c.OutWidth()
	for j := 0; j < c.Out; j += 2 * v {
		t.cols = min(2*v, c.Out-j)
		t.bCol = roundUp(t.cols, v)
		t.bSeg = t.steps * t.bCol
		t.b = packed[j*taps:]
		if bias != nil {
			t.bias = bias[j:]
		}
		tiles := balanced(width, s.maxRows(t.bCol/v))
		for n, p := 0, 0; n < tiles; n++ {
			next := (n + 1) * width / tiles
			t.rows = next - p
			t.a, t.c = in[p*c.In:], out[p*c.Out+j:]
			runTile(s, t)
			p = next
		}
	}
}
