package kernel

// gradientChunk is the number of images whose kernel gradients are summed in one go.
const gradientChunk = 8

// GradientChunks returns the number of chunks in which the gradients of a batch of images are summed. It depends on
// the number of images only, so that the sums do not depend on who computes them.
func GradientChunks(images int) int { return (images + gradientChunk - 1) / gradientChunk }

// GradientChunk returns the images lo ≤ n < hi of a chunk.
func GradientChunk(chunk, images int) (lo, hi int) {
	return chunk * gradientChunk, min((chunk+1)*gradientChunk, images)
}

// ConvGradientScratch is the length of the scratch slice for [Set.ConvKernelGradient] and [Set.ConvInputGradient].
func (s Set) ConvGradientScratch(c *Conv) int {
	g := c.InputGradient()
	dense := c.padHeight()*c.padWidth()*c.In + c.OutHeight()*c.OutWidth()*c.Out
	if s.fewOut(c) {
		dense += c.taps()*c.Out + (c.OutHeight()+2*(c.KernelHeight-1))*c.OutWidth()*c.Out
	}
	return max(dense, g.Height*g.padWidth()*g.In, s.sparseScratch(c))
}

// ConvKernelGradient sums the gradients of weights and bias over the images of one chunk (see [GradientChunks]):
//
//	dw[u, v, c, o] = Σ_{n, i, j} x[n, i+u−PadTop, j+v−PadLeft, c] · g[n, i, j, o],  db[o] = Σ_{n, i, j} g[n, i, j, o].
//
// x is [images, Height, Width, In]. With e = 0 or winner = nil, g is [images, OutHeight, OutWidth,
// Out]. Otherwise g is the gradient of what [Set.Conv] gave for e, and winner what it recorded; its
// sparsity is used. dw has KernelHeight·KernelWidth·In·Out elements; db has Out or is nil. Both are
// overwritten.
func (s Set) ConvKernelGradient(
	c *Conv, e Epilogue, chunk, images int, x, g []float32, winner []uint8, dw, db, scratch []float32,
) {
	lo, hi := GradientChunk(chunk, images)
	if winner == nil {
		e = 0
	}
	h, w := c.size(e)
	image, grad := c.Height*c.Width*c.In, h*w*c.Out
	need("x", x, hi*image)
	need("g", g, hi*grad)
	need("dw", dw, c.taps()*c.Out)
	need("scratch", scratch, s.ConvGradientScratch(c))
	dw = dw[:c.taps()*c.Out]
	clear(dw)
	if db != nil {
		need("db", db, c.Out)
		db = db[:c.Out]
		clear(db)
	}
	if winner != nil {
		need("winner", winner, hi*grad)
	}
	if s.sparse(c, e) {
		if !s.sparseKernelGradient(c, e, lo, hi, x, g, winner, dw, db, scratch) {
			s.exactKernelGradient(c, e, lo, hi, x, g, winner, dw, db, scratch)
		}
		return
	}
	padded := scratch[:c.padHeight()*c.padWidth()*c.In]
	dense := scratch[len(padded):][:c.OutHeight()*c.OutWidth()*c.Out]
	clear(scratch[:len(padded)+len(dense)])
	few := scratch[len(padded)+len(dense):]
	if s.fewOut(c) {
		clear(few[:c.taps()*c.Out])
	}
	for n := lo; n < hi; n++ {
		in := x[n*image:][:image]
		if c.padded() {
			c.pad(padded, in, 0, c.Height, c.PadTop, c.PadLeft, c.padWidth())
			in = padded
		}
		out := g[n*grad:][:grad]
		if winner != nil {
			s.unpool(c, e, out, winner[n*grad:][:grad], dense, c.OutWidth()*c.Out)
			out = dense
		}
		switch {
		case !s.fewOut(c):
			s.kernelGradient(c, in, out, dw)
		case c.Out <= 2:
			s.kernelGradientRows(c, in, out, few)
		default:
			s.kernelGradientOut(c, in, out, few)
		}
		if db != nil {
			AddRows(s, db, out, c.OutHeight()*c.OutWidth())
		}
	}
	if s.fewOut(c) {
		n := c.KernelWidth * c.In
		for u := range c.KernelHeight {
			from := u
			if c.Out <= 2 {
				from = c.KernelHeight - 1 - u
			}
			transpose(dw[u*n*c.Out:], c.Out, few[from*n:], c.taps(), c.Out, n)
		}
	}
	if (c.padded() || s.fewOut(c) && c.Out <= 2 && c.KernelHeight > 1) && !s.finite(dw) {
		s.exactKernelGradient(c, e, lo, hi, x, g, winner, dw, db, scratch)
	}
}

// exactKernelGradient is ConvKernelGradient for images lo ≤ n < hi without zeros around them, or
// around the gradient, which times infinity would be NaN: the taps of the kernel one by one, each
// over the pixels of the result for which it is inside the image.
func (s Set) exactKernelGradient(c *Conv, e Epilogue, lo, hi int, x, g []float32, winner []uint8, dw, db,
	scratch []float32) {
	h, w := c.size(e)
	image, grad := c.Height*c.Width*c.In, h*w*c.Out
	dense := scratch[:c.OutHeight()*c.OutWidth()*c.Out]
	clear(dense)
	clear(dw)
	clear(db)
	v := lanes[float32](s)
	t := tile[float32]{
		aRow: 1, aCol: c.In, aSeg: c.Width * c.In, bCol: c.Out, bSeg: c.OutWidth() * c.Out, cRow: c.Out,
		mode: modeAdd, beta: 1,
	}
	for n := lo; n < hi; n++ {
		in, out := x[n*image:][:image], g[n*grad:][:grad]
		if winner != nil {
			s.unpool(c, e, out, winner[n*grad:][:grad], dense, c.OutWidth()*c.Out)
			out = dense
		}
		for tap := range c.KernelHeight * c.KernelWidth {
			row, column := tap/c.KernelWidth-c.PadTop, tap%c.KernelWidth-c.PadLeft
			top, bottom := inside(row, c.OutHeight(), c.Height)
			left, right := inside(column, c.OutWidth(), c.Width)
			if top >= bottom || left >= right {
				continue
			}
			t.segs, t.steps = bottom-top, right-left
			for j := 0; j < c.Out; j += 2 * v {
				t.cols = min(2*v, c.Out-j)
				t.b = out[(top*c.OutWidth()+left)*c.Out+j:]
				tiles := balanced(c.In, s.maxRows(roundUp(t.cols, v)/v))
				for k := range tiles {
					r, next := k*c.In/tiles, (k+1)*c.In/tiles
					t.rows = next - r
					t.a, t.c = in[((top+row)*c.Width+left+column)*c.In+r:], dw[(tap*c.In+r)*c.Out+j:]
					runTile(s, &t)
				}
			}
		}
		if db != nil {
			AddRows(s, db, out, c.OutHeight()*c.OutWidth())
		}
	}
}

// fewOut reports whether c has so few output channels that its kernel gradient runs along the input channels.
func (s Set) fewOut(c *Conv) bool {
	v := lanes[float32](s)
	return 2*c.Out <= v && c.KernelWidth*c.In >= v
}

// kernelGradientOut adds one image's gradient to dw [Out][KernelHeight][KernelWidth·In]: for each
// row u of the kernel a product of o × pixels with pixels × (v, c).
func (s Set) kernelGradientOut(c *Conv, in, g, dw []float32) {
	stride, cols := c.padWidth()*c.In, c.KernelWidth*c.In
	t := tile[float32]{
		aRow: 1, aCol: c.Out, aSeg: c.OutWidth() * c.Out, bCol: c.In, bSeg: stride, cRow: c.taps(),
		rows: c.Out, steps: c.OutWidth(), mode: modeAdd, beta: 1,
	}
	strip := 2 * lanes[float32](s)
	for u := range c.KernelHeight {
		top, bottom := inside(u-c.PadTop, c.OutHeight(), c.Height)
		if top >= bottom {
			continue
		}
		t.a, t.segs = g[top*t.aSeg:], bottom-top
		for j := 0; j < cols; j += strip {
			t.cols = min(strip, cols-j)
			t.b, t.c = in[(top+u)*stride+j:], dw[u*cols+j:]
			runTile(s, &t)
		}
	}
}

// kernelGradientRows is kernelGradientOut with the rows of the kernel as the rows of a product,
// which occupies more registers if Out is one or two; dw has them in reverse order. Row i of the
// padded image meets rows i−u of the gradient, which are zero outside it; behind dw there is room
// for them.
func (s Set) kernelGradientRows(c *Conv, in, g, dw []float32) {
	stride, cols, row := c.padWidth()*c.In, c.KernelWidth*c.In, c.OutWidth()*c.Out
	border := (c.KernelHeight - 1) * row
	bordered := dw[c.taps()*c.Out:][:len(g)+2*border]
	clear(bordered[:border])
	copy(bordered[border:], g)
	clear(bordered[border+len(g):])
	t := tile[float32]{
		aRow: row, aCol: c.Out, aSeg: row, bCol: c.In, bSeg: stride, cRow: cols,
		steps: c.OutWidth(), segs: c.padHeight(), mode: modeAdd, beta: 1,
	}
	strip, limit := 2*lanes[float32](s), s.maxRows(2)
	for o := range c.Out {
		for r := 0; r < c.KernelHeight; r += limit {
			t.rows = min(limit, c.KernelHeight-r)
			for j := 0; j < cols; j += strip {
				t.cols = min(strip, cols-j)
				t.a, t.b = bordered[r*row+o:], in[j:]
				t.c = dw[o*c.taps()+r*cols+j:]
				runTile(s, &t)
			}
		}
	}
}

// kernelGradient adds one image's gradient of the weights: for each row u of the kernel a product
// of (v, c) × pixels with pixels × o, the former being a view of the padded image.
func (s Set) kernelGradient(c *Conv, in, g, dw []float32) {
	if c.In == 1 && vectorTaps(s, c, in, g, dw) {
		return
	}
	v := lanes[float32](s)
	stride := c.padWidth() * c.In
	t := tile[float32]{
		aRow: 1, aCol: c.In, aSeg: stride, bCol: c.Out, bSeg: c.OutWidth() * c.Out, cRow: c.Out,
		steps: c.OutWidth(), mode: modeAdd, beta: 1,
	}
	rows := c.KernelWidth * c.In
	for j := 0; j < c.Out; j += 2 * v {
		t.cols = min(2*v, c.Out-j)
		tiles := balanced(rows, s.maxRows(roundUp(t.cols, v)/v))
		for u := range c.KernelHeight {
			top, bottom := inside(u-c.PadTop, c.OutHeight(), c.Height)
			if top >= bottom {
				continue
			}
			t.b, t.segs = g[top*t.bSeg+j:], bottom-top
			for n := range tiles {
				r, next := n*rows/tiles, (n+1)*rows/tiles
				t.rows = next - r
				t.a, t.c = in[(top+u)*stride+r:], dw[(u*rows+r)*c.Out+j:]
				runTile(s, &t)
			}
		}
	}
}

// ConvInputGradient computes the gradients of images lo ≤ n < hi of the input, dx [N, Height, Width, In]. packed comes
// from [Set.PackConvFlipped]; e, g and winner are as in [Set.ConvKernelGradient]. Splitting the images changes no bits.
// c.InputGradient() must be valid.
func (s Set) ConvInputGradient(
	c *Conv, e Epilogue, lo, hi int, packed, g []float32, winner []uint8, dx, scratch []float32,
) {
	if winner == nil {
		e = 0
	}
	b := c.InputGradient()
	h, w := c.size(e)
	image, grad := c.Height*c.Width*c.In, h*w*c.Out
	need("packed", packed, s.PackedConvSize(&b))
	need("g", g, hi*grad)
	need("dx", dx, hi*image)
	need("scratch", scratch, s.ConvGradientScratch(c))
	if winner != nil {
		need("winner", winner, hi*grad)
	}
	r := s.newConvRows(&b, packed, nil)
	sparse := s.sparse(c, e) && !r.exact
	padded := scratch[:b.Height*r.width*b.In]
	for n := lo; n < hi; n++ {
		r.in = g[n*grad:][:grad]
		if sparse && s.finite(r.in) {
			s.sparseInputGradient(c, e, packed, r.in, winner[n*grad:][:grad], dx[n*image:][:image], scratch)
			continue
		}
		clear(padded)
		switch {
		case winner != nil:
			s.unpool(c, e, r.in, winner[n*grad:][:grad], padded[r.left*b.In:], r.width*b.In)
			r.in = padded
		case r.width > b.Width:
			b.pad(padded, r.in, 0, b.Height, 0, r.left, r.width)
			r.in = padded
		}
		r.run(0, 0, c.Height, dx[n*image:][:image], nil, nil)
	}
}

// unpool writes one image's gradient of the convolution's result, given the gradient g of what came
// out of the epilogue: g, times zero where it is dead, at the winners and zero elsewhere. Rows of
// dst are stride apart; an odd last row or column is left as it is.
func (s Set) unpool(c *Conv, e Epilogue, g []float32, winner []uint8, dst []float32, stride int) {
	h, w := c.size(e)
	if e&MaxPool2x2 == 0 {
		for i := range h {
			s.ReLUGradient(dst[i*stride:][:w*c.Out], g[i*w*c.Out:], winner[i*w*c.Out:])
		}
		return
	}
	for i := range h {
		n := w * c.Out
		s.unpoolRow(w, c.Out, g[i*n:][:n], winner[i*n:][:n], dst[2*i*stride:], dst[(2*i+1)*stride:])
	}
}

// SumPartials adds partial sums in order: dst[i] = Σ_p partials[p·stride + i] for lo ≤ i < hi and p over count partial
// sums. Splitting the range changes no bits.
func (s Set) SumPartials(dst, partials []float32, count, stride, lo, hi int) {
	if count <= 0 {
		clear(dst[lo:hi])
		return
	}
	copy(dst[lo:hi], partials[lo:hi])
	for p := 1; p < count; p++ {
		Binary(s, Add, dst[lo:hi], dst[lo:hi], partials[p*stride+lo:p*stride+hi])
	}
}
