package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pools writes one row of 2×2 max-pooling and its gradient, and ReLU with its record and gradient.
// See pool.go of package kernel for what they compute; a NaN is taken whenever it is met, otherwise
// only what is greater.
//
//	SI, DI  the two rows    R8 pooled row    R9 winners    R10 cells left    R11 bytes of a pixel
//	R12     whether there are winners        CX  vectors of a pixel left     R13 channels in the last vector
//	AX, BX, DX scratch
//	registers 0–6 values, 7 zero, 8–11 the integers 1–4, 12, 13 scratch, K1 or 15 the mask of the last vector
func pools(c *build.Context) {
	table := maskTable(c, "poolMask")
	numbers := c.StaticGlobal("poolNumbers")
	c.DataAttributes(8 | 16)
	for i := range 4 {
		c.AddDatum(4*i, U32(uint32(i+1)))
	}
	for _, wide := range []bool{false, true} {
		p := pool{isa{c, wide, 4}, numbers}
		suffix := map[bool]string{false: "AVX2", true: "AVX512"}[wide]
		begin := func(name, signature, doc string) {
			c.Function(name + suffix)
			c.Attributes(4)
			c.Pragma("noescape")
			c.SignatureExpr(signature)
			c.Doc(name + suffix + " " + doc)
		}
		constants := func() {
			p.zero(7)
			for i := range 4 {
				p.VPBROADCASTD(numbers.Offset(4*i), p.r(8+i))
			}
		}

		begin("poolRow", "func(row0, row1, out *float32, winner *uint8, cells, channels, mode int)",
			"pools a row of cells. mode: 0 no ReLU, 1 ReLU, 2 ReLU whose gradient at zero is one. winner may be nil.")
		c.Load(c.Param("row0"), RSI)
		c.Load(c.Param("row1"), RDI)
		c.Load(c.Param("out"), R8)
		c.Load(c.Param("winner"), R9)
		p.shape(table)
		c.MOVQ(R9, R12)
		constants()
		c.Load(c.Param("mode"), RAX)
		c.CMPQ(RAX, I8(1))
		c.JEQ(LabelRef("mode1"))
		c.JG(LabelRef("mode2"))
		for mode := range 3 {
			name := fmt.Sprintf("mode%d", mode)
			c.Label(name)
			p.cells(name, func(masked bool, name string) { p.pool(mode, masked, name) })
		}

		begin("unpoolRow", "func(grad *float32, winner *uint8, row0, row1 *float32, cells, channels int)",
			"writes grad, times zero if the winner is dead, at the winners of a row of cells and zeros elsewhere.")
		c.Load(c.Param("row0"), RSI)
		c.Load(c.Param("row1"), RDI)
		c.Load(c.Param("grad"), R8)
		c.Load(c.Param("winner"), R9)
		p.shape(table)
		constants()
		p.cells("cell", p.unpool)

		begin("rectify", "func(y *float32, winner *uint8, n, mode int)",
			"applies ReLU to n ≥ 1 values and records where it passes gradients. mode: 1 or 2 as in poolRow.")
		c.Load(c.Param("y"), RSI)
		c.Load(c.Param("winner"), R9)
		p.line(table)
		constants()
		c.Load(c.Param("mode"), RAX)
		c.CMPQ(RAX, I8(1))
		c.JNE(LabelRef("mode2"))
		for mode := 1; mode <= 2; mode++ {
			name := fmt.Sprintf("mode%d", mode)
			c.Label(name)
			p.vectors(name, func(masked bool, name string) {
				p.get(Mem{Base: RSI}, 0, masked)
				p.max(p.r(0), p.r(7), p.r(1))
				p.put(1, Mem{Base: RSI}, masked)
				p.move(7, 4)
				p.dead(mode, 0)
				p.putBytes(masked, name)
				p.advance(RSI, masked, 1)
			})
			c.VZEROUPPER()
			c.RET()
		}

		begin("reluGradient", "func(dst, grad *float32, winner *uint8, n int)",
			"writes grad where winner is zero and grad · 0 elsewhere, n ≥ 1 values.")
		c.Load(c.Param("dst"), RSI)
		c.Load(c.Param("grad"), R8)
		c.Load(c.Param("winner"), R9)
		p.line(table)
		constants()
		p.vectors("line", func(masked bool, name string) {
			p.getBytes(masked, name)
			p.get(Mem{Base: R8}, 0, masked)
			p.equal(4, 7, 5)
			p.mul(p.r(7), p.r(0), p.r(1))
			p.choose(5, 0, 1)
			p.put(1, Mem{Base: RSI}, masked)
			p.advance(RSI, masked, 1)
			p.advance(R8, masked, 1)
		})
		c.VZEROUPPER()
		c.RET()
	}
}

type pool struct {
	isa
	numbers Mem
}

// shape reads the parameters cells and channels.
func (p pool) shape(table Mem) {
	p.Load(p.Param("cells"), R10)
	p.Load(p.Param("channels"), R11)
	p.MOVQ(R11, R13)
	p.ANDQ(I8(p.lanes()-1), R13)
	p.MOVQ(R13, RDX)
	p.maskFor(RDX, RBX, 15, table)
	p.SHLQ(U8(2), R11)
}

// line reads the parameter n as one pixel of n channels.
func (p pool) line(table Mem) {
	p.Load(p.Param("n"), R11)
	p.MOVQ(R11, R13)
	p.ANDQ(I8(p.lanes()-1), R13)
	p.MOVQ(R13, RDX)
	p.maskFor(RDX, RBX, 15, table)
	p.SHLQ(U8(2), R11)
}

// cells repeats a body for all vectors of all cells; each body moves SI, DI and R8 on by itself.
func (p pool) cells(name string, body func(masked bool, name string)) {
	p.Label(name + "cell")
	p.vectors(name, body)
	p.ADDQ(R11, RSI)
	p.ADDQ(R11, RDI)
	p.DECQ(R10)
	p.JNZ(LabelRef(name + "cell"))
	p.VZEROUPPER()
	p.RET()
}

// vectors repeats a body for the whole vectors of a pixel and once for the rest.
func (p pool) vectors(name string, body func(masked bool, name string)) {
	p.MOVQ(R11, RCX)
	p.SHRQ(U8(map[bool]int{false: 5, true: 6}[p.wide]), RCX)
	p.JZ(LabelRef(name + "tail"))
	p.Label(name + "vector")
	body(false, name)
	p.DECQ(RCX)
	p.JNZ(LabelRef(name + "vector"))
	p.Label(name + "tail")
	p.TESTQ(R13, R13)
	p.JZ(LabelRef(name + "end"))
	body(true, name+"tail")
	p.Label(name + "end")
}

func (p pool) get(m Mem, i int, masked bool) {
	if masked {
		p.load(m, 15, p.r(i))
	} else {
		p.mov(m, p.r(i))
	}
}

func (p pool) put(i int, m Mem, masked bool) {
	if masked {
		p.store(p.r(i), 15, m)
	} else {
		p.mov(p.r(i), m)
	}
}

// advance moves a pointer past what was done, for elements of size bytes·4 (floats) or past bytes if size is 0.
func (p pool) advance(r GPPhysical, masked bool, floats int) {
	switch {
	case !masked && floats > 0:
		p.ADDQ(I8(p.bytes()), r)
	case !masked:
		p.ADDQ(I8(p.lanes()), r)
	case floats > 0:
		p.LEAQ(Mem{Base: r, Index: R13, Scale: 4}, r)
	default:
		p.ADDQ(R13, r)
	}
}

func (p pool) move(from, to int) { p.VMOVUPS(p.r(from), p.r(to)) }

// mask is the register that holds comparison i: a K register or a vector.
func (p pool) mask(i int) Op {
	if p.wide {
		return []Op{K2, K3}[i-5]
	}
	return ymm[i]
}

// compare sets mask m where a ⟨predicate⟩ b.
func (p pool) compare(predicate uint8, a, b, m int) {
	p.VCMPPS(U8(predicate), p.r(b), p.r(a), p.mask(m))
}

// equal sets mask m where the integers are equal.
func (p pool) equal(a, b, m int) { p.VPCMPEQD(p.r(a), p.r(b), p.mask(m)) }

// choose sets to ← from where mask m is set.
func (p pool) choose(m, from, to int) {
	if p.wide {
		p.VMOVUPS(p.r(from), p.mask(m), p.r(to))
	} else {
		p.VBLENDVPS(p.mask(m), p.r(from), p.r(to), p.r(to))
	}
}

// keep sets to ← from where mask m is set and zero elsewhere.
func (p pool) keep(m, from, to int) {
	if p.wide {
		p.VMOVUPS_Z(p.r(from), p.mask(m), p.r(to))
	} else {
		p.VANDPS(p.mask(m), p.r(from), p.r(to))
	}
}

// dead adds 4 to the winner where ReLU stops the gradient of the value in register raw.
func (p pool) dead(mode, raw int) {
	const lessThan, notGreater = 17, 26
	if mode == 1 {
		p.compare(notGreater, raw, 7, 5)
	} else {
		p.compare(lessThan, raw, 7, 5)
	}
	p.keep(5, 11, 12)
	p.VORPS(p.r(12), p.r(4), p.r(4))
}

// pool does one vector: 0 raw value, 1 after ReLU, 2 the best, 3 the best before ReLU, 4 the winner.
func (p pool) pool(mode int, masked bool, name string) {
	const greater, unordered = 30, 3
	for q := range 4 {
		m := Mem{Base: []GPPhysical{RSI, RDI}[q/2]}
		if q%2 == 1 {
			m.Index, m.Scale = R11, 1
		}
		p.get(m, 0, masked)
		if mode > 0 {
			p.max(p.r(0), p.r(7), p.r(1))
		} else {
			p.move(0, 1)
		}
		if q == 0 {
			p.move(1, 2)
			p.move(0, 3)
			p.move(7, 4)
			continue
		}
		p.compare(greater, 1, 2, 5)
		p.compare(unordered, 1, 1, 6)
		if p.wide {
			p.KORW(p.mask(5), p.mask(6), p.mask(5))
		} else {
			p.VORPS(p.mask(5), p.mask(6), p.mask(5))
		}
		p.choose(5, 1, 2)
		p.choose(5, 0, 3)
		p.choose(5, 7+q, 4)
	}
	if mode > 0 {
		p.dead(mode, 3)
	}
	p.put(2, Mem{Base: R8}, masked)
	p.advance(RSI, masked, 1)
	p.advance(RDI, masked, 1)
	p.advance(R8, masked, 1)
	p.TESTQ(R12, R12)
	p.JZ(LabelRef(name + "nowinner"))
	p.putBytes(masked, name)
	p.Label(name + "nowinner")
}

func (p pool) unpool(masked bool, name string) {
	p.getBytes(masked, name)
	p.get(Mem{Base: R8}, 0, masked)
	p.VANDPS(p.r(4), p.r(11), p.r(12))
	p.equal(12, 11, 5)
	p.mul(p.r(7), p.r(0), p.r(1))
	p.choose(5, 1, 0)
	p.VANDPS(p.r(4), p.r(10), p.r(4))
	for q := range 4 {
		m := Mem{Base: []GPPhysical{RSI, RDI}[q/2]}
		if q%2 == 1 {
			m.Index, m.Scale = R11, 1
		}
		p.equal(4, 7+q, 5)
		p.keep(5, 0, 1)
		p.put(1, m, masked)
	}
	p.advance(RSI, masked, 1)
	p.advance(RDI, masked, 1)
	p.advance(R8, masked, 1)
}

// putBytes stores the integers of register 4 as bytes at R9 and moves R9 on.
func (p pool) putBytes(masked bool, name string) {
	if p.wide {
		p.VPMOVDB(zmm[4], xmm[12])
		if masked {
			p.VMOVDQU8(xmm[12], K1, Mem{Base: R9})
		} else {
			p.VMOVDQU(xmm[12], Mem{Base: R9})
		}
		p.advance(R9, masked, 0)
		return
	}
	p.VEXTRACTI128(U8(1), ymm[4], xmm[13])
	p.VPACKUSDW(xmm[13], xmm[4], xmm[12])
	p.VPACKUSWB(xmm[12], xmm[12], xmm[12])
	if !masked {
		p.VMOVQ(xmm[12], Mem{Base: R9})
		p.ADDQ(I8(8), R9)
		return
	}
	p.VMOVQ(xmm[12], RDX)
	p.MOVQ(R13, RAX)
	p.Label(name + "byte")
	p.MOVB(DL, Mem{Base: R9})
	p.SHRQ(U8(8), RDX)
	p.INCQ(R9)
	p.DECQ(RAX)
	p.JNZ(LabelRef(name + "byte"))
}

// getBytes loads bytes at R9 as the integers of register 4 and moves R9 on.
func (p pool) getBytes(masked bool, name string) {
	switch {
	case p.wide && masked:
		p.VMOVDQU8_Z(Mem{Base: R9}, K1, xmm[12])
		p.VPMOVZXBD(xmm[12], zmm[4])
	case !masked:
		p.VPMOVZXBD(Mem{Base: R9}, p.r(4))
	default:
		p.MOVQ(R13, RAX)
		p.XORQ(RDX, RDX)
		p.Label(name + "byte")
		p.SHLQ(U8(8), RDX)
		p.MOVBQZX(Mem{Base: R9, Index: RAX, Scale: 1, Disp: -1}, RBX)
		p.ORQ(RBX, RDX)
		p.DECQ(RAX)
		p.JNZ(LabelRef(name + "byte"))
		p.VMOVQ(RDX, xmm[12])
		p.VPMOVZXBD(xmm[12], ymm[4])
	}
	p.advance(R9, masked, 0)
}
