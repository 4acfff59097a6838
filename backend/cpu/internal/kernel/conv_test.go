package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// naive is the convolution by its definition, in float64.
func (c *Conv) naive(images int, x, w, bias []float32) []float64 {
	y := make([]float64, 0, images*c.OutHeight()*c.OutWidth()*c.Out)
	for n := range images {
		for i := range c.OutHeight() {
			for j := range c.OutWidth() {
				for o := range c.Out {
					var sum float64
					if bias != nil {
						sum = float64(bias[o])
					}
					c.eachTap(i, j, func(pixel, tap int) {
						for k := range c.In {
							sum += float64(x[(n*c.Height*c.Width+pixel)*c.In+k]) * float64(w[(tap*c.In+k)*c.Out+o])
						}
					})
					y = append(y, sum)
				}
			}
		}
	}
	return y
}

// eachTap visits the pixels of the image under the kernel of output pixel (i, j).
func (c *Conv) eachTap(i, j int, visit func(pixel, tap int)) {
	for u := range c.KernelHeight {
		for v := range c.KernelWidth {
			if y, x := i+u-c.PadTop, j+v-c.PadLeft; y >= 0 && y < c.Height && x >= 0 && x < c.Width {
				visit(y*c.Width+x, u*c.KernelWidth+v)
			}
		}
	}
}

// naiveGradients returns the gradients of the weights, the bias and the input for the gradient g of the result.
func (c *Conv) naiveGradients(images int, x, w []float32, g []float64) (dw, db, dx []float64) {
	dw, db = make([]float64, c.taps()*c.Out), make([]float64, c.Out)
	dx = make([]float64, images*c.Height*c.Width*c.In)
	for n := range images {
		for i := range c.OutHeight() {
			for j := range c.OutWidth() {
				for o := range c.Out {
					d := g[((n*c.OutHeight()+i)*c.OutWidth()+j)*c.Out+o]
					db[o] += d
					c.eachTap(i, j, func(pixel, tap int) {
						for k := range c.In {
							at := (n*c.Height*c.Width+pixel)*c.In + k
							dw[(tap*c.In+k)*c.Out+o] += float64(x[at]) * d
							dx[at] += float64(w[(tap*c.In+k)*c.Out+o]) * d
						}
					})
				}
			}
		}
	}
	return dw, db, dx
}

// naiveEpilogue applies an epilogue to y [images, OutHeight, OutWidth, Out] and returns the result and the winners.
func (c *Conv) naiveEpilogue(e Epilogue, images int, y []float32) (out []float32, winner []uint8) {
	h, w := c.size(e)
	window := 1
	if e&MaxPool2x2 != 0 {
		window = 2
	}
	for n := range images {
		for i := range h {
			for j := range w {
				for o := range c.Out {
					win, dead := uint8(0), false
					best := float32(math.Inf(-1))
					for q := range window * window {
						raw := y[((n*c.OutHeight()+window*i+q/window)*c.OutWidth()+window*j+q%window)*c.Out+o]
						v := raw
						if e&ReLU != 0 {
							v = max(v, 0)
						}
						if q == 0 || v > best || v != v {
							best, win = v, uint8(q)
							dead = e&ReLU != 0 && (raw < 0 || !(raw > 0) && e&ZeroPasses == 0)
						}
					}
					if dead {
						win |= Dead
					}
					out, winner = append(out, best), append(winner, win)
				}
			}
		}
	}
	return out, winner
}

func randomConv(r *rand.Rand) Conv {
	for {
		c := Conv{
			Height: 1 + r.IntN(20), Width: 1 + r.IntN(34), In: 1 + r.IntN(20), Out: 1 + r.IntN(50),
			KernelHeight: 1 + r.IntN(5), KernelWidth: 1 + r.IntN(5),
		}
		c.PadTop, c.PadBottom = r.IntN(c.KernelHeight), r.IntN(c.KernelHeight)
		c.PadLeft, c.PadRight = r.IntN(c.KernelWidth), r.IntN(c.KernelWidth)
		if r.IntN(4) == 0 {
			c.Out = 1 + r.IntN(4)
		}
		if r.IntN(4) == 0 {
			c.In, c.Out = 16, 16*(1+r.IntN(3))
		}
		if c.Valid() == nil {
			return c
		}
	}
}

// same is a k × k convolution of square images that keeps their size.
func same(size, in, out, k int) Conv {
	return Conv{
		Height: size, Width: size, In: in, Out: out, KernelHeight: k, KernelWidth: k,
		PadTop: k / 2, PadBottom: k / 2, PadLeft: k / 2, PadRight: k / 2,
	}
}

func same5x5(size, in, out int) Conv { return same(size, in, out, 5) }

// epilogues are all that a convolution can have, none first.
var epilogues = []Epilogue{
	0, ReLU, MaxPool2x2, ReLU | MaxPool2x2, ReLU | MaxPool2x2 | ZeroPasses, ReLU | ZeroPasses,
}

// checkConv compares forward convolution with every epilogue, and all gradients, with the naive ones.
func checkConv(t testing.TB, s Set, c Conv, images int, seed uint64) {
	t.Helper()
	o := newConvOperands(t, c, images, seed)
	for _, e := range epilogues[1:] {
		o.check(t, s, e, !testing.Short() || e == ReLU|MaxPool2x2)
	}
	o.check(t, s, 0, true)
}

// convOperands are what a convolution of images is computed of.
type convOperands struct {
	c          Conv
	images     int
	x, w, bias []float32
	nonFinite  bool // some of them is
	r          *rand.Rand
}

func newConvOperands(t testing.TB, c Conv, images int, seed uint64) *convOperands {
	t.Helper()
	r := seeded(seed)
	o := &convOperands{
		c: c, images: images, r: r,
		x: random[float32](t, r, images*c.Height*c.Width*c.In),
		w: random[float32](t, r, c.taps()*c.Out), bias: random[float32](t, r, c.Out),
	}
	if r.IntN(3) == 0 { // ties and zeros
		clear(o.x[:len(o.x)/2])
		clear(o.bias)
	}
	if o.nonFinite = r.IntN(4) == 0; o.nonFinite {
		plant(r, [][]float32{o.x, o.w, o.bias}[r.IntN(3)])
	}
	return o
}

// gradient is one of the result, of so many values.
func (o *convOperands) gradient(t testing.TB, n int) []float32 {
	t.Helper()
	g := random[float32](t, o.r, n)
	if o.nonFinite && o.r.IntN(2) == 0 {
		plant(o.r, g)
	}
	return g
}

// check compares the convolution with that epilogue, and its gradients, with the naive ones.
func (o *convOperands) check(t testing.TB, s Set, e Epilogue, gradients bool) {
	t.Helper()
	c, images := o.c, o.images
	h, wd := c.size(e)
	if h == 0 || wd == 0 {
		return
	}
	packed := guard[float32](s.PackedConvSize(&c))
	s.PackConv(&c, packed.slice(), o.w)
	packed.check(t)
	y := guard[float32](images * h * wd * c.Out)
	scratch := guard[float32](s.ConvScratch(&c, e))
	plain := make([]float32, images*c.OutHeight()*c.OutWidth()*c.Out)
	s.Conv(&c, 0, 0, images*c.Rows(0), o.x, packed.slice(), o.bias, plain, nil, make([]float32, s.ConvScratch(&c, 0)))
	if e == 0 {
		tol := tolerance[float32](c.taps())
		within(t, c.naive(images, o.x, o.w, o.bias), plain, tol, "%+v", c)
		s.Conv(&c, 0, 0, images*h, o.x, packed.slice(), nil, y.slice(), nil, scratch.slice())
		within(t, c.naive(images, o.x, o.w, nil), y.slice(), tol, "%+v without bias", c)
		if gradients {
			checkConvGradients(t, s, c, 0, images, o.x, o.w, o.gradient(t, len(plain)), nil)
		}
		return
	}
	winner := make([]uint8, len(y.slice())+2)
	winner[0], winner[len(winner)-1] = 77, 77
	win := winner[1 : len(winner)-1 : len(winner)-1]
	for i, next := 0, 0; i < images*h; i = next {
		next = min(images*h, i+1+o.r.IntN(2*h))
		s.Conv(&c, e, i, next, o.x, packed.slice(), o.bias, y.slice(), win, scratch.slice())
	}
	y.check(t)
	scratch.check(t)
	require.Equal(t, [2]uint8{77, 77}, [2]uint8{winner[0], winner[len(winner)-1]})
	out, wantWin := c.naiveEpilogue(e, images, plain)
	for i := range out {
		if got := y.slice()[i]; out[i] != got && (out[i] == out[i] || got == got) || wantWin[i] != win[i] {
			t.Fatalf("%+v epilogue %b, element %d: %v won by %d, want %v won by %d",
				c, e, i, got, win[i], out[i], wantWin[i])
		}
	}
	if gradients {
		checkConvGradients(t, s, c, e, images, o.x, o.w, o.gradient(t, len(win)), win)
	}
	s.Conv(&c, e, 0, images*h, o.x, packed.slice(), o.bias, y.slice(), nil, scratch.slice())
	sameFloats(t, out, y.slice(), "without winners")
}

// plant puts up to three values that are not finite into x.
func plant(r *rand.Rand, x []float32) {
	for range 1 + r.IntN(3) {
		x[r.IntN(len(x))] = []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}[r.IntN(3)]
	}
}

func checkConvGradients(t testing.TB, s Set, c Conv, e Epilogue, images int, x, w, g []float32, winner []uint8) {
	t.Helper()
	dense := make([]float64, images*c.OutHeight()*c.OutWidth()*c.Out)
	if winner == nil {
		for i := range g {
			dense[i] = float64(g[i])
		}
	} else {
		h, wd := c.size(e)
		for i := range g {
			v, index := float64(g[i]), winner[i]&^Dead
			if winner[i]&Dead != 0 {
				v *= 0
			}
			o, p := i%c.Out, i/c.Out
			n, py, px := p/(h*wd), p/wd%h, p%wd
			if e&MaxPool2x2 != 0 {
				py, px = 2*py+int(index/2), 2*px+int(index%2)
			}
			dense[((n*c.OutHeight()+py)*c.OutWidth()+px)*c.Out+o] = v
		}
	}
	wantW, wantB, wantX := c.naiveGradients(images, x, w, dense)
	scratch := guard[float32](s.ConvGradientScratch(&c))
	dw, db, dx := guard[float32](len(wantW)), guard[float32](len(wantB)), guard[float32](len(wantX))
	chunks := GradientChunks(images)
	partW, partB := make([]float32, chunks*len(wantW)), make([]float32, chunks*len(wantB))
	for k := range chunks {
		s.ConvKernelGradient(&c, e, k, images, x, g, winner, dw.slice(), db.slice(), scratch.slice())
		copy(partW[k*len(wantW):], dw.slice())
		copy(partB[k*len(wantB):], db.slice())
	}
	s.SumPartials(dw.slice(), partW, chunks, len(wantW), 0, len(wantW))
	s.SumPartials(db.slice(), partB, chunks, len(wantB), 0, len(wantB))
	sums := images * c.OutHeight() * c.OutWidth()
	within(t, wantW, dw.slice(), 2*tolerance[float32](sums), "gradient of the weights of %+v, epilogue %b", c, e)
	within(t, wantB, db.slice(), 2*tolerance[float32](sums), "gradient of the bias of %+v, epilogue %b", c, e)
	back := c.InputGradient()
	packed := make([]float32, s.PackedConvSize(&back))
	s.PackConvFlipped(&c, packed, w, make([]float32, len(w)))
	for n := range images {
		s.ConvInputGradient(&c, e, n, n+1, packed, g, winner, dx.slice(), scratch.slice())
	}
	within(t, wantX, dx.slice(), 2*tolerance[float32](back.taps()), "gradient of the input of %+v, epilogue %b", c, e)
	for _, g := range []guarded[float32]{scratch, dw, db, dx} {
		g.check(t)
	}
	whole := make([]float32, len(dx.slice()))
	s.ConvInputGradient(&c, e, 0, images, packed, g, winner, whole, scratch.slice())
	sameFloats(t, dx.slice(), whole, "%+v", c)
}

func TestConv(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		convs := []Conv{
			same5x5(14, 16, 32), same5x5(14, 32, 16), same5x5(28, 1, 16), same5x5(28, 16, 1), same5x5(7, 3, 40),
			same(7, 32, 64, 3), same(14, 16, 4, 3),
			{Height: 9, Width: 6, In: 2, Out: 3, KernelHeight: 2, KernelWidth: 4},
			{Height: 9, Width: 7, In: 48, Out: 5, KernelHeight: 3, KernelWidth: 3, PadTop: 1, PadRight: 2},
			{Height: 7, Width: 8, In: 32, Out: 9, KernelHeight: 5, KernelWidth: 5, PadTop: 3, PadRight: 2, PadLeft: 1},
			{Height: 6, Width: 7, In: 16, Out: 17, KernelHeight: 3, KernelWidth: 3},
			{Height: 6, Width: 7, In: 1, Out: 20, KernelHeight: 5, KernelWidth: 5, PadTop: 1},
			{Height: 5, Width: 8, In: 1, Out: 33, KernelHeight: 3, KernelWidth: 3, PadLeft: 2},
			{Height: 1, Width: 1, In: 1, Out: 1, KernelHeight: 1, KernelWidth: 1},
		}
		r := seeded(11)
		n := 12
		if testing.Short() {
			n, convs = 2, append(convs[4:5:5], convs[7:]...)
		}
		for range n {
			convs = append(convs, randomConv(r))
		}
		for i, c := range convs {
			checkConv(t, s, c, 1+i%3, uint64(i))
		}
		checkConv(t, s, Conv{Height: 4, Width: 5, In: 3, Out: 2, KernelHeight: 3, KernelWidth: 3, PadTop: 1},
			2*gradientChunk+3, 5)
	})
}

// fuzzedConv is a convolution of these numbers, made small: its products are so few that a fuzzer
// sees hundreds a second.
func fuzzedConv(height, width, in, out, kernel, pad uint8) Conv {
	const products = 1 << 13
	c := Conv{
		Height: 1 + int(height%20), Width: 1 + int(width%34), In: 1 + int(in%20), Out: 1 + int(out%50),
		KernelHeight: 1 + int(kernel%5), KernelWidth: 1 + int(kernel/5%5),
	}
	c.PadTop, c.PadBottom = int(pad)%c.KernelHeight, int(pad/5)%c.KernelHeight
	c.PadLeft, c.PadRight = int(pad/25)%c.KernelWidth, int(pad/50)%c.KernelWidth
	for c.Valid() == nil && c.OutHeight()*c.OutWidth()*c.Out*c.taps() > products {
		largest := &c.Height
		for _, n := range []*int{&c.Width, &c.In, &c.Out} {
			if *n > *largest {
				largest = n
			}
		}
		*largest /= 2
	}
	return c
}

// FuzzConv checks one small convolution of one set with one epilogue.
func FuzzConv(f *testing.F) {
	f.Add(uint8(5), uint8(17), uint8(0), uint8(16), uint8(12), uint8(0), uint8(0), uint8(3), uint64(3))
	f.Add(uint8(1), uint8(1), uint8(15), uint8(49), uint8(0), uint8(0), uint8(2), uint8(5), uint64(4))
	f.Add(uint8(3), uint8(33), uint8(0), uint8(0), uint8(24), uint8(61), uint8(1), uint8(0), uint64(5))
	f.Add(uint8(1), uint8(162), uint8(18), uint8(200), uint8(201), uint8(104), uint8(0), uint8(127), uint64(23))
	f.Fuzz(func(t *testing.T, height, width, in, out, kernel, pad, set, epilogue uint8, seed uint64) {
		c := fuzzedConv(height, width, in, out, kernel, pad)
		if c.Valid() != nil {
			return
		}
		sets := Sets()
		o := newConvOperands(t, c, 1+int(seed%2), seed)
		o.check(t, sets[int(set)%len(sets)], epilogues[int(epilogue)%len(epilogues)], true)
	})
}

// TestFuzzedConv: what FuzzConv makes of its numbers is small, and of all widths, depths and
// kernels.
func TestFuzzedConv(t *testing.T) {
	r := seeded(1)
	var widest, deepest, most, kernels, valid int
	for range 20_000 {
		b := func() uint8 { return uint8(r.UintN(256)) }
		c := fuzzedConv(b(), b(), b(), b(), b(), b())
		if c.Valid() != nil {
			continue
		}
		valid++
		require.LessOrEqual(t, c.OutHeight()*c.OutWidth()*c.Out*c.taps(), 1<<13)
		widest, deepest, most = max(widest, c.Width), max(deepest, c.In), max(most, c.Out)
		kernels = max(kernels, c.KernelHeight*c.KernelWidth)
	}
	assert.Greater(t, valid, 10_000)
	assert.Equal(t, []int{34, 20, 50, 25}, []int{widest, deepest, most, kernels})
}

// TestConvNonFinite puts NaN and infinities into an image.
func TestConvNonFinite(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		for _, out := range []int{1, 16, 33} {
			c := same5x5(8, 16, out)
			x, w := make([]float32, 8*8*16), make([]float32, c.taps()*out)
			x[(3*8+4)*16+2] = float32(math.NaN())
			for i := range w {
				w[i] = 1
			}
			packed := make([]float32, s.PackedConvSize(&c))
			s.PackConv(&c, packed, w)
			for _, e := range []Epilogue{0, ReLU, ReLU | MaxPool2x2} {
				h, wd := c.size(e)
				y := make([]float32, h*wd*out)
				winner := make([]uint8, len(y))
				s.Conv(&c, e, 0, h, x, packed, nil, y, winner, make([]float32, s.ConvScratch(&c, e)))
				for i, v := range y {
					p := i / out
					rows, cols := []int{p / wd}, []int{p % wd}
					if e&MaxPool2x2 != 0 {
						rows, cols = []int{2 * (p / wd), 2*(p/wd) + 1}, []int{2 * (p % wd), 2*(p%wd) + 1}
					}
					want := false
					for _, r := range rows {
						for _, q := range cols {
							want = want || r >= 1 && r <= 5 && q >= 2 && q <= 6
						}
					}
					require.Equal(t, want, v != v, "epilogue %b, element %d", e, i)
				}
			}
		}
	})
}

// TestKernelGradientNonFinite: a row of the image that a row of the kernel never meets does not
// reach its gradient, without zeros around the image too.
func TestKernelGradientNonFinite(t *testing.T) {
	eachSet(t, func(t *testing.T, s Set) {
		for out := 1; out <= 4; out++ {
			c := Conv{Height: 2, Width: 27, In: 19, Out: out, KernelHeight: 2, KernelWidth: 1}
			x, g := make([]float32, 2*27*19), make([]float32, 27*out)
			for i := range x {
				x[i] = 1
			}
			for i := range 27 * 19 {
				x[27*19+i] = float32(math.Inf(1)) // the second row
			}
			for i := range g {
				g[i] = 1
			}
			dw := make([]float32, c.taps()*out)
			s.ConvKernelGradient(&c, 0, 0, 1, x, g, nil, dw, nil, make([]float32, s.ConvGradientScratch(&c)))
			for i, v := range dw {
				want := float32(27) // the first row of the kernel meets 27 ones
				if i >= 19*out {
					want = float32(math.Inf(1))
				}
				require.Equal(t, want, v, "%d outputs, element %d", out, i)
			}
		}
	})
}

func TestFoldUpsampling(t *testing.T) {
	_, ok := FoldUpsampling(&Conv{Height: 6, Width: 8, In: 2, Out: 3, KernelHeight: 3, KernelWidth: 3, PadTop: 1,
		PadBottom: 1, PadLeft: 1, PadRight: 1})
	require.False(t, ok, "a parity leaves out a tap")
	for _, c := range []Conv{same5x5(14, 6, 3), same5x5(28, 4, 1),
		{Height: 6, Width: 8, In: 2, Out: 3, KernelHeight: 3, KernelWidth: 5}} {
		folded, ok := FoldUpsampling(&c)
		require.True(t, ok, "%+v", c)
		require.NoError(t, folded.Valid())
		r := seeded(2)
		const images = 2
		h, w := c.Height/2, c.Width/2
		small, weights := random[float32](t, r, images*h*w*c.In), random[float32](t, r, c.taps()*c.Out)
		large := make([]float32, images*c.Height*c.Width*c.In)
		for p := range images * c.Height * c.Width {
			n, i, j := p/(c.Height*c.Width), p/c.Width%c.Height, p%c.Width
			copy(large[p*c.In:][:c.In], small[((n*h+i/2)*w+j/2)*c.In:])
		}
		fw := make([]float32, folded.taps()*folded.Out)
		FoldWeights(Best(), &c, 0, 1, fw, weights)
		FoldWeights(Best(), &c, 1, c.In, fw, weights)
		packed := make([]float32, Best().PackedConvSize(&folded))
		Best().PackConv(&folded, packed, fw)
		y := make([]float32, images*c.OutHeight()*c.OutWidth()*c.Out)
		parities := make([]float32, len(y))
		Best().Conv(&folded, 0, 0, images*folded.Rows(0), small, packed, nil, parities, nil,
			make([]float32, Best().ConvScratch(&folded, 0)))
		for p := range images * folded.OutHeight() * folded.OutWidth() {
			row, column := p/folded.OutWidth(), p%folded.OutWidth()
			for k := range 4 {
				copy(y[((2*row+k/2)*c.OutWidth()+2*column+k%2)*c.Out:][:c.Out], parities[(4*p+k)*c.Out:])
			}
		}
		within(t, c.naive(images, large, weights, nil), y, 1e-5, "%+v", c)

		// ⟨F w, u⟩ = ⟨w, Fᵀ u⟩
		u, dw := random[float32](t, r, len(fw)), make([]float32, len(weights))
		UnfoldWeights(Best(), &c, 0, 1, dw, u)
		UnfoldWeights(Best(), &c, 1, c.In, dw, u)
		var left, right float64
		for i := range fw {
			left += float64(fw[i]) * float64(u[i])
		}
		for i := range dw {
			right += float64(weights[i]) * float64(dw[i])
		}
		assert.InDelta(t, left, right, 1e-4)
	}
	odd := Conv{Height: 7, Width: 8, In: 1, Out: 1, KernelHeight: 3, KernelWidth: 3}
	_, ok = FoldUpsampling(&odd)
	assert.False(t, ok)
}

func TestConvValid(t *testing.T) {
	c := same5x5(3, 1, 1)
	assert.NoError(t, c.Valid())
	c.PadTop, c.PadBottom = 0, 0
	assert.Error(t, c.Valid())
	c = same5x5(9, 1, 1)
	c.PadLeft = -1
	assert.Error(t, c.Valid())
}

var hotConvs = []struct {
	name string
	conv Conv
	e    Epilogue
}{
	{"28x28x1to16", same5x5(28, 1, 16), ReLU | MaxPool2x2},
	{"14x14x16to32", same5x5(14, 16, 32), ReLU | MaxPool2x2},
	{"14x14x32to16", same5x5(14, 32, 16), 0},
	{"28x28x16to1", same5x5(28, 16, 1), 0},
	{"7x7x32to64", same(7, 32, 64, 3), 0},
	{"14x14x16to4", same(14, 16, 4, 3), 0},
}

const benchImages = 64

func BenchmarkConv(b *testing.B) {
	for _, h := range hotConvs {
		for _, e := range []Epilogue{0, h.e} {
			b.Run(fmt.Sprintf("%s/epilogue=%d", h.name, e), func(b *testing.B) {
				benchSets(b, func(b *testing.B, s Set) {
					c := h.conv
					r := seeded(1)
					x, w := random[float32](b, r, benchImages*c.Height*c.Width*c.In), random[float32](b, r, c.taps()*c.Out)
					packed := make([]float32, s.PackedConvSize(&c))
					s.PackConv(&c, packed, w)
					oh, ow := c.size(e)
					y, winner := make([]float32, benchImages*oh*ow*c.Out), make([]uint8, benchImages*oh*ow*c.Out)
					if e == 0 {
						winner = nil
					}
					scratch := make([]float32, s.ConvScratch(&c, e))
					b.ReportAllocs()
					for b.Loop() {
						s.Conv(&c, e, 0, benchImages*oh, x, packed, nil, y, winner, scratch)
					}
					rate(b, 2*float64(benchImages*c.OutHeight()*c.OutWidth()*c.Out)*float64(c.taps()))
				})
			})
			if h.e == 0 {
				break
			}
		}
	}
}

// BenchmarkConvGradient counts the arithmetic of the dense gradient also where its sparsity is used.
func BenchmarkConvGradient(b *testing.B) {
	for _, h := range hotConvs {
		epilogues := []Epilogue{0}
		if h.e != 0 {
			epilogues = append(epilogues, h.e)
		}
		for _, e := range epilogues {
			for _, what := range []string{"kernel", "input"} {
				b.Run(fmt.Sprintf("%s/%s/epilogue=%d", h.name, what, e), func(b *testing.B) {
					benchSets(b, func(b *testing.B, s Set) { benchConvGradient(b, s, h.conv, e, what) })
				})
			}
		}
	}
}

func benchConvGradient(b *testing.B, s Set, c Conv, e Epilogue, what string) {
	r := seeded(1)
	x, w := random[float32](b, r, benchImages*c.Height*c.Width*c.In), random[float32](b, r, c.taps()*c.Out)
	oh, ow := c.size(e)
	n := benchImages * oh * ow * c.Out
	g := random[float32](b, r, n)
	var winner []uint8
	if e != 0 {
		winner = make([]uint8, n)
		for i := range winner {
			winner[i] = uint8(r.IntN(4))
			if r.IntN(3) == 0 {
				winner[i] = Dead
			}
		}
	}
	scratch := make([]float32, s.ConvGradientScratch(&c))
	back := c.InputGradient()
	packed, dx := make([]float32, s.PackedConvSize(&back)), make([]float32, len(x))
	s.PackConvFlipped(&c, packed, w, make([]float32, len(w)))
	dw, db := make([]float32, len(w)), make([]float32, c.Out)
	b.ReportAllocs()
	for b.Loop() {
		if what == "input" {
			s.ConvInputGradient(&c, e, 0, benchImages, packed, g, winner, dx, scratch)
			continue
		}
		for k := range GradientChunks(benchImages) {
			s.ConvKernelGradient(&c, e, k, benchImages, x, g, winner, dw, db, scratch)
		}
	}
	rate(b, 2*float64(benchImages*c.OutHeight()*c.OutWidth()*c.Out)*float64(c.taps()))
}
