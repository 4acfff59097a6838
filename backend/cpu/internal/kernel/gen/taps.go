package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// taps writes, for AVX-512, one image's kernel gradient of a k × k convolution of one input
// channel, for up to 16 output channels: the k·k sums are in Z0–Z24, a pixel's gradients in Z25,
// and every pixel under the kernel is an operand of a multiplication, broadcast from memory. The
// tiles of tile.go would have only k sums to work on.
//
//	SI  the image at the row's beginning    BX  at this pixel    R8, R9  1 and 3 rows of the image
//	DI  the gradient at this pixel          R10 a pixel of it    DX, CX  rows and pixels left    R11 pixels of a row
func taps(c *build.Context) {
	for _, k := range []int{3, 5} {
		v := isa{c, true, 4}
		name := fmt.Sprintf("taps%dAVX512", k)
		c.Function(name)
		c.Attributes(4)
		c.Pragma("noescape")
		c.SignatureExpr("func(dw, image, grad *float32, rows, pixels, row, channels, cols int)")
		c.Doc(name+
			" adds the gradient of cols ≤ 16 of channels output channels to dw. row is the distance of rows of the image in",
			"bytes; rows and pixels are those of the gradient.")
		c.Load(c.Param("cols"), RCX)
		v.maskFor(RCX, RBX, 0, Mem{})
		c.Load(c.Param("image"), RSI)
		c.Load(c.Param("grad"), RDI)
		c.Load(c.Param("rows"), RDX)
		c.Load(c.Param("pixels"), R11)
		c.Load(c.Param("row"), R8)
		c.LEAQ(Mem{Base: R8, Index: R8, Scale: 2}, R9)
		c.Load(c.Param("channels"), R10)
		c.SHLQ(U8(2), R10)
		for i := range k * k {
			v.zero(i)
		}
		c.Label("row")
		c.MOVQ(RSI, RBX)
		c.MOVQ(R11, RCX)
		c.Label("pixel")
		v.load(Mem{Base: RDI}, 0, zmm[25])
		for u := range k {
			for x := range k {
				m := at(RBX, u, R8, R9, R9)
				m.Disp = 4 * x
				c.VFMADD231PS_BCST(m, zmm[25], zmm[u*k+x])
			}
		}
		c.ADDQ(R10, RDI)
		c.ADDQ(I8(4), RBX)
		c.DECQ(RCX)
		c.JNZ(LabelRef("pixel"))
		c.ADDQ(R8, RSI)
		c.DECQ(RDX)
		c.JNZ(LabelRef("row"))
		c.Load(c.Param("dw"), RAX)
		for i := range k * k {
			v.load(Mem{Base: RAX}, 0, zmm[25])
			v.add(zmm[i], zmm[25], zmm[25])
			v.store(zmm[25], 0, Mem{Base: RAX})
			c.ADDQ(R10, RAX)
		}
		c.VZEROUPPER()
		c.RET()
	}
}
