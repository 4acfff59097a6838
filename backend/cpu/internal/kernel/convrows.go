package kernel

// convRows computes rows of a convolution of one image.
type convRows struct {
	set          Set
	conv         Conv
	packed, bias []float32
	exact, dots  bool
	// columns of zeros to the left of the image, and the length of its rows with those at both sides
	left, width int
	in          []float32 // the image with these columns, [Height, width, In]
	tile        tile[float32]
}

func (s Set) newConvRows(c *Conv, packed, bias []float32) convRows {
	r := convRows{set: s, conv: *c, packed: packed, bias: bias, exact: s.exact(c, packed), dots: s.byDots(c),
		left: c.PadLeft, width: c.padWidth()}
	if r.exact {
		r.left, r.width = 0, c.Width
	}
	r.tile = tile[float32]{aRow: c.In, aCol: 1, aSeg: r.width * c.In, cRow: c.Out}
	if r.dots {
		r.tile.bias, r.tile.bCol, r.tile.bSeg = bias, c.taps(), c.KernelWidth*c.In
		r.tile.cCol, r.tile.cols = 1, c.Out
	}
	return r
}

// needs returns the rows of the image that rows from to to of the result depend on.
func (r *convRows) needs(e Epilogue, from, to int) (first, last int) {
	if e&MaxPool2x2 != 0 {
		from, to = 2*from, 2*to
	}
	return max(0, from-r.conv.PadTop), max(0, min(r.conv.Height, to-1-r.conv.PadTop+r.conv.KernelHeight))
}

// run computes rows from to to.
func (r *convRows) run(e Epilogue, from, to int, out []float32, winner []uint8, scratch []float32) {
	c := &r.conv
	_, w := c.size(e)
	row := w * c.Out
	for i := from; i < to; i++ {
		y := out[(i-from)*row:][:row]
		var win []uint8
		if winner != nil {
			win = winner[(i-from)*row:][:row]
		}
		switch {
		case e&MaxPool2x2 != 0:
			n := c.OutWidth() * c.Out
			r.row(2*i, 0, scratch[:n])
			r.row(2*i+1, 0, scratch[n:2*n])
			r.set.poolRow(e, w, c.Out, scratch[:n], scratch[n:2*n], y, win)
		case e&ReLU == 0:
			r.row(i, 0, y)
			clear(win)
		case winner == nil:
			r.row(i, modeReLU, y)
		default:
			r.row(i, 0, y)
			r.set.Rectify(e, y, win)
		}
	}
}

// inside returns the part of 0 ≤ k < size for which 0 ≤ at + k < n.
func inside(at, size, n int) (lo, hi int) { return max(0, -at), min(size, n-at) }

// row computes one row of the result before pooling, OutWidth × Out.
func (r *convRows) row(i, mode int, out []float32) {
	c := &r.conv
	r.tile.mode = mode
	if r.bias != nil {
		r.tile.mode |= modeBias
	}
	top, bottom := inside(i-c.PadTop, c.KernelHeight, c.Height)
	if !r.exact {
		r.pixels(i, 0, c.OutWidth(), top, bottom, 0, c.KernelWidth, out)
		return
	}
	for j, next := 0, 0; j < c.OutWidth(); j = next {
		left, right := inside(j-c.PadLeft, c.KernelWidth, c.Width)
		next = j + 1
		if right-left == c.KernelWidth { // all pixels up to the last whose kernel ends inside the image
			next = min(c.OutWidth(), c.Width+c.PadLeft-c.KernelWidth+1)
		}
		r.pixels(i, j, next, top, bottom, left, right, out[j*c.Out:])
	}
}

// pixels computes pixels from to to of row i, summing over the given rows and columns of the kernel.
func (r *convRows) pixels(i, from, to, top, bottom, left, right int, out []float32) {
	s, c, t := r.set, &r.conv, &r.tile
	width := to - from
	if top >= bottom || left >= right {
		r.noPixels(width, out)
		return
	}
	in := r.in[((i-c.PadTop+top)*r.width+from-c.PadLeft+left+r.left)*c.In:]
	tap := (top*c.KernelWidth + left) * c.In
	t.steps, t.segs = (right-left)*c.In, bottom-top
	if r.dots {
		t.a, t.b, t.c, t.rows = in, r.packed[tap:], out, width
		runDotTile(s, t)
		return
	}
	v, taps := lanes[float32](s), c.taps()
	for j := 0; j < c.Out; j += 2 * v {
		t.cols = min(2*v, c.Out-j)
		t.bCol = roundUp(t.cols, v)
		t.bSeg = c.KernelWidth * c.In * t.bCol
		t.b = r.packed[j*taps+tap*t.bCol:]
		if r.bias != nil {
			t.bias = r.bias[j:]
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

// noPixels writes pixels over which no part of the kernel meets the image.
func (r *convRows) noPixels(n int, out []float32) {
	clear(out[:n*r.conv.Out])
	for p := range n {
		for o, b := range r.bias {
			if r.tile.mode&modeReLU == 0 || !(b < 0) {
				out[p*r.conv.Out+o] = b
			}
		}
	}
}
