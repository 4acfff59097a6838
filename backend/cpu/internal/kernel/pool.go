package kernel

// poolRow takes the maxima of 2×2 windows of two rows of width ≥ 2·cells pixels, after ReLU if e
// says so, and records the winners if winner is not nil.
func (s Set) poolRow(e Epilogue, cells, channels int, row0, row1, out []float32, winner []uint8) {
	if cells > 0 && !vectorPoolRow(s, e, cells, channels, row0, row1, out, winner) {
		genericPoolRow(e, cells, channels, row0, row1, out, winner)
	}
}

func genericPoolRow(e Epilogue, cells, channels int, row0, row1, out []float32, winner []uint8) {
	for p := range cells {
		for k := range channels {
			i := 2*p*channels + k
			x := [4]float32{row0[i], row0[i+channels], row1[i], row1[i+channels]}
			win := 0
			best, raw := x[0], x[0]
			if e&ReLU != 0 && best < 0 {
				best = 0
			}
			for q := 1; q < 4; q++ {
				v := x[q]
				if e&ReLU != 0 && v < 0 {
					v = 0
				}
				if v > best || v != v {
					best, raw, win = v, x[q], q
				}
			}
			o := p*channels + k
			out[o] = best
			if winner != nil {
				if e&ReLU != 0 && !passes(e, raw) {
					win |= Dead
				}
				winner[o] = uint8(win)
			}
		}
	}
}

// reluMode is e in the form that the assembly takes: 0 no ReLU, 1 ReLU, 2 ReLU whose gradient at zero is one.
func reluMode(e Epilogue) int {
	switch {
	case e&ReLU == 0:
		return 0
	case e&ZeroPasses == 0:
		return 1
	}
	return 2
}

// passes reports whether the gradient of ReLU at x is one.
func passes(e Epilogue, x float32) bool {
	if e&ZeroPasses != 0 {
		return !(x < 0)
	}
	return x > 0
}

// unpoolRow is the gradient of poolRow: every window gets g, times zero if it is dead, at its
// winner and zeros elsewhere.
func (s Set) unpoolRow(cells, channels int, g []float32, winner []uint8, row0, row1 []float32) {
	if cells == 0 || vectorUnpoolRow(s, cells, channels, g, winner, row0, row1) {
		return
	}
	for p := range cells {
		a, b := row0[2*p*channels:][:2*channels], row1[2*p*channels:][:2*channels]
		for k := range channels {
			v := g[p*channels+k]
			var d [4]float32
			w := winner[p*channels+k]
			if w&Dead != 0 {
				v *= 0
			}
			d[w&3] = v
			a[k], a[channels+k], b[k], b[channels+k] = d[0], d[1], d[2], d[3]
		}
	}
}

// MaxPool computes images lo ≤ n < hi of the 2×2 max-pool of x [N, height, width, channels], stride
// 2, to y [N, height/2, width/2, channels] (odd last rows and columns are dropped), after ReLU if e
// says so. winner is nil or has the shape of y (see [Dead]). Splitting the images changes no bits.
func (s Set) MaxPool(e Epilogue, lo, hi, height, width, channels int, x, y []float32, winner []uint8) {
	h, w := height/2, width/2
	need("x", x, hi*height*width*channels)
	need("y", y, hi*h*w*channels)
	if winner != nil {
		need("winner", winner, hi*h*w*channels)
	}
	row := width * channels
	for n := lo; n < hi; n++ {
		for i := range h {
			in := x[(n*height+2*i)*row:]
			o := (n*h + i) * w * channels
			var win []uint8
			if winner != nil {
				win = winner[o:][:w*channels]
			}
			s.poolRow(e, w, channels, in[:row], in[row:2*row], y[o:][:w*channels], win)
		}
	}
}

// MaxPoolGradient is the gradient of [Set.MaxPool]: dx [N, height, width, channels] gets g [N,
// height/2, width/2, channels], times zero where it is [Dead], at the winners and zeros elsewhere,
// in images lo ≤ n < hi. Splitting the images changes no bits.
func (s Set) MaxPoolGradient(lo, hi, height, width, channels int, g []float32, winner []uint8, dx []float32) {
	h, w := height/2, width/2
	need("dx", dx, hi*height*width*channels)
	need("g", g, hi*h*w*channels)
	need("winner", winner, hi*h*w*channels)
	row := width * channels
	for n := lo; n < hi; n++ {
		image := dx[n*height*row:][:height*row]
		if height%2 != 0 || width%2 != 0 {
			clear(image)
		}
		for i := range h {
			o := (n*h + i) * w * channels
			s.unpoolRow(w, channels, g[o:][:w*channels], winner[o:][:w*channels], image[2*i*row:], image[(2*i+1)*row:])
		}
	}
}

// ReLUGradient writes g, times zero where winner is [Dead], to all of dst; winner is the record of
// ReLU without pooling. Splitting changes no bits.
func (s Set) ReLUGradient(dst, g []float32, winner []uint8) {
	n := len(dst)
	need("g", g, n)
	need("winner", winner, n)
	if n == 0 || vectorReLUGradient(s, dst, g, winner) {
		return
	}
	for i := range dst {
		dst[i] = g[i]
		if winner[i] != 0 {
			dst[i] *= 0
		}
	}
}

// Rectify applies ReLU to y in place and records in winner (see [Dead]) where it passes gradients; e says whether
// [ZeroPasses]. Splitting changes no bits.
func (s Set) Rectify(e Epilogue, y []float32, winner []uint8) {
	need("winner", winner, len(y))
	if len(y) == 0 || vectorRectify(s, e, y, winner) {
		return
	}
	for i, v := range y {
		winner[i] = 0
		if !passes(e, v) {
			winner[i] = Dead
		}
		if v < 0 {
			y[i] = 0
		}
	}
}
