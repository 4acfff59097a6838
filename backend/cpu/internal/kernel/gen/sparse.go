package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// sparse writes the gradients of a k × k convolution behind a 2×2 max-pool, for one output channel
// and 16 input channels. A list names the pixels with a gradient: entries of 16 bytes, the offset
// in bytes of the pixel in the padded image and the gradient. With AVX-512 the k·k sums, or
// weights, are in Z0–Z24; with AVX2 a call does one row of the kernel, two registers a tap.
//
//	SI  the padded image    DI  list      CX  entries left    R8, R9  1 and 3 pixels    R10  a row
//	BX  k pixels of a row   AX  sums or weights
func sparse(c *build.Context) {
	sparseList(c)
	for _, wide := range []bool{false, true} {
		for _, k := range []int{3, 5} {
			v := isa{c, wide, 4}
			suffix := fmt.Sprintf("%d%s", k, map[bool]string{false: "AVX2", true: "AVX512"}[wide])
			s := sparseKernel{v, k, 1, 2}
			if wide {
				s.rows, s.vectors = k, 1
			}
			s.kernelGradient("sparseKernel" + suffix)
			s.inputGradient("sparseInput" + suffix)
		}
	}
}

type sparseKernel struct {
	isa
	k, rows, vectors int // rows of the kernel in a call, vectors of 16 channels
}

func (s sparseKernel) count() int { return s.rows * s.k * s.vectors }

func (s sparseKernel) begin(name, signature, doc string) {
	s.Function(name)
	s.Attributes(4)
	s.Pragma("noescape")
	s.SignatureExpr(signature)
	s.Doc(name + " " + doc)
	s.Load(s.Param("image"), RSI)
	s.Load(s.Param("list"), RDI)
	s.Load(s.Param("n"), RCX)
	s.Load(s.Param("pixel"), R8)
	s.LEAQ(Mem{Base: R8, Index: R8, Scale: 2}, R9)
	s.Load(s.Param("row"), R10)
}

// entries repeats body for all entries and all vectors under the kernel; the gradient is in register grad.
func (s sparseKernel) entries(grad int, each func(), body func(i int, m Mem)) {
	s.TESTQ(RCX, RCX)
	s.JZ(LabelRef("done"))
	s.Label("entry")
	s.MOVQ(Mem{Base: RDI}, RBX)
	s.broadcast(Mem{Base: RDI, Disp: 8}, s.r(grad))
	s.ADDQ(RSI, RBX)
	each()
	i := 0
	for u := range s.rows {
		if u > 0 {
			s.ADDQ(R10, RBX)
		}
		for v := range s.k {
			m := at(RBX, v, R8, R9, R9)
			for w := range s.vectors {
				m.Disp = w * s.bytes()
				body(i, m)
				i++
			}
		}
	}
	s.ADDQ(I8(16), RDI)
	s.DECQ(RCX)
	s.JNZ(LabelRef("entry"))
	s.Label("done")
}

func (s sparseKernel) kernelGradient(name string) {
	s.begin(name, "func(acc, sum, image *float32, list *byte, n, pixel, row int)",
		"adds gradient · pixels under the kernel to acc and the gradients to sum.")
	grad, total := s.count(), s.count()+1
	s.Load(s.Param("acc"), RAX)
	s.Load(s.Param("sum"), RBX)
	s.VMOVSS(Mem{Base: RBX}, xmm[0])
	if s.wide {
		s.VMOVUPS(zmm[0], s.r(total))
	} else {
		s.VMOVUPS(ymm[0], s.r(total))
	}
	for i := range s.count() {
		s.mov(Mem{Base: RAX, Disp: i * s.bytes()}, s.r(i))
	}
	s.entries(grad, func() {
		s.add(s.r(grad), s.r(total), s.r(total))
	}, func(i int, m Mem) { s.fma(m, s.r(grad), s.r(i)) })
	for i := range s.count() {
		s.mov(s.r(i), Mem{Base: RAX, Disp: i * s.bytes()})
	}
	s.Load(s.Param("sum"), RBX)
	s.VMOVUPS(s.r(total), s.r(0))
	s.VMOVSS(xmm[0], Mem{Base: RBX})
	s.VZEROUPPER()
	s.RET()
}

func (s sparseKernel) inputGradient(name string) {
	s.begin(name, "func(weights, image *float32, list *byte, n, pixel, row, stride int)",
		"adds gradient · weights to the pixels under the kernel. The weights of the taps are stride bytes apart, "+
			"last tap first.")
	grad := s.count()
	s.Load(s.Param("weights"), RAX)
	s.Load(s.Param("stride"), RBX)
	for tap := s.rows*s.k - 1; tap >= 0; tap-- {
		for w := range s.vectors {
			s.mov(Mem{Base: RAX, Disp: w * s.bytes()}, s.r(tap*s.vectors+w))
		}
		s.ADDQ(RBX, RAX)
	}
	s.entries(grad, func() {}, func(i int, m Mem) {
		x := s.r(s.count() + 1 + i%4)
		s.mov(m, x)
		s.fma(s.r(i), s.r(grad), x)
		s.mov(x, m)
	})
	s.VZEROUPPER()
	s.RET()
}

// sparseList uses no vectors.
func sparseList(c *build.Context) {
	c.Function("sparseList")
	c.Attributes(4)
	c.Pragma("noescape")
	c.SignatureExpr(
		"func(list *byte, winner *uint8, grad *float32, windows *int, rows, cells, channels, cellStep, rowStep int) int")
	c.Doc("sparseList lists the gradients of one channel of an image, rows × cells windows, whose winner is not dead, "+
		"and returns",
		"the bytes it wrote. windows holds eight offsets: of the elements of a window, and any for the dead.")
	for i, name := range []string{"list", "winner", "grad", "windows", "rows"} {
		c.Load(c.Param(name), []GPPhysical{RDI, RSI, R8, R9, R10}[i])
	}
	c.Load(c.Param("channels"), R11)
	cellStep := c.AllocLocal(8)
	c.Load(c.Param("cellStep"), RAX)
	c.MOVQ(RAX, cellStep)
	c.XORQ(R13, R13) // offset of the row
	c.XORQ(RBX, RBX) // bytes written
	c.Label("row")
	c.MOVQ(R13, R12)
	c.Load(c.Param("cells"), RCX)
	c.Label("cell")
	c.MOVBQZX(Mem{Base: RSI}, RAX)
	c.MOVQ(Mem{Base: R9, Index: RAX, Scale: 8}, RDX)
	c.ADDQ(R12, RDX)
	c.MOVQ(RDX, Mem{Base: RDI, Index: RBX, Scale: 1})
	c.MOVL(Mem{Base: R8}, EDX)
	c.MOVL(EDX, Mem{Base: RDI, Index: RBX, Scale: 1, Disp: 8})
	c.CMPQ(RAX, I8(4))
	c.SBBQ(RDX, RDX)
	c.ANDQ(I8(16), RDX)
	c.ADDQ(RDX, RBX)
	c.ADDQ(R11, RSI)
	c.LEAQ(Mem{Base: R8, Index: R11, Scale: 4}, R8)
	c.ADDQ(cellStep, R12)
	c.DECQ(RCX)
	c.JNZ(LabelRef("cell"))
	c.Load(c.Param("rowStep"), RDX)
	c.ADDQ(RDX, R13)
	c.DECQ(R10)
	c.JNZ(LabelRef("row"))
	c.Store(RBX, c.ReturnIndex(0))
	c.RET()
}
