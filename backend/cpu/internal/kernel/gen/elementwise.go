package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// elementwise writes the loops over one or more slices of n ≥ 1 elements: four vectors at a time,
// then one, then the masked rest. SI points into dst, DI into a, R8 into b or x; CX counts
// elements. Registers 0–3 hold results, 4–7 are scratch, 8–11 constants; K1 or 15 masks the rest.
func elementwise(c *build.Context) {
	table := maskTable(c, "elementMask")
	constants := c.StaticGlobal("elementConstants")
	c.DataAttributes(8 | 16)
	for i, x := range []Constant{F32(1), U32(0x7fffffff), U32(0x80000000)} {
		c.AddDatum(4*i, x)
	}
	for i, x := range []Constant{F64(1), U64(0x7fffffffffffffff), U64(0x8000000000000000)} {
		c.AddDatum(16+8*i, x)
	}
	each(c, func(v isa, suffix string) {
		e := element{v, table, constants}
		e.binary(suffix)
		e.unary(suffix)
		e.sum(suffix)
		e.extreme(suffix)
		e.rows(suffix)
		if v.size == 4 {
			e.finite(suffix)
		}
	})
}

type element struct {
	isa
	table, constants Mem
}

func (e element) begin(name, signature, doc string) {
	e.Function(name)
	e.Attributes(4)
	e.Pragma("noescape")
	e.SignatureExpr(signature)
	e.Doc(name + " " + doc)
}

// constant fills register i with 1, the mask of all but the sign, or that of the sign.
func (e element) constant(which, i int) {
	at := e.constants.Offset(4 * which)
	if e.size == 8 {
		at = e.constants.Offset(16 + 8*which)
	}
	e.broadcast(at, e.r(i))
}

// loop runs body for groups of vectors: width vectors, masked or not, whose first elements the pointers address.
func (e element) loop(name string, pointers []GPPhysical, body func(width int, masked bool)) {
	step := func(width int) {
		for _, p := range pointers {
			e.ADDQ(I32(width*e.bytes()), p)
		}
	}
	for _, width := range []int{4, 1} {
		at := fmt.Sprintf("%sby%d", name, width)
		e.SUBQ(I8(width*e.lanes()), RCX)
		e.JL(LabelRef(at + "done"))
		e.Label(at)
		body(width, false)
		step(width)
		e.SUBQ(I8(width*e.lanes()), RCX)
		e.JGE(LabelRef(at))
		e.Label(at + "done")
		e.ADDQ(I8(width*e.lanes()), RCX)
	}
	e.JZ(LabelRef(name + "end"))
	e.maskFor(RCX, RBX, 15, e.table)
	body(1, true)
	e.Label(name + "end")
}

func (e element) vector(base GPPhysical, i int) Mem { return Mem{Base: base, Disp: i * e.bytes()} }

func (e element) get(base GPPhysical, i, to int, masked bool) {
	if masked {
		e.load(e.vector(base, i), 15, e.r(to))
	} else {
		e.mov(e.vector(base, i), e.r(to))
	}
}

func (e element) put(from int, base GPPhysical, i int, masked bool) {
	if masked {
		e.store(e.r(from), 15, e.vector(base, i))
	} else {
		e.mov(e.r(from), e.vector(base, i))
	}
}

// nanOf sets register to ← from where from is NaN, using register 7.
func (e element) nanOf(from, to int) {
	const unordered = 3
	if e.wide {
		pick(e.isa, e.VCMPPS, e.VCMPPD)(U8(unordered), e.r(from), e.r(from), K2)
		e.mov(e.r(from), K2, e.r(to))
		return
	}
	pick(e.isa, e.VCMPPS, e.VCMPPD)(U8(unordered), e.r(from), e.r(from), e.r(7))
	pick(e.isa, e.VBLENDVPS, e.VBLENDVPD)(e.r(7), e.r(from), e.r(to), e.r(to))
}

// sameZero joins two results that differ in the sign of a zero alone: of two zeros of both signs the
// instruction takes the second one. The larger of them is 0, the smaller −0.
func (e element) sameZero(smaller bool, other, i int) {
	if smaller {
		pick(e.isa, e.VORPS, e.VORPD)(e.r(other), e.r(i), e.r(i))
	} else {
		e.bits(other, i, true)
	}
}

// binary writes the BinaryOps.
func (e element) binary(suffix string) {
	e.begin("binary"+suffix, "func(op int, dst, a, b *byte, n int)", "computes dst = op(a, b).")
	e.Load(e.Param("dst"), RSI)
	e.Load(e.Param("a"), RDI)
	e.Load(e.Param("b"), R8)
	e.Load(e.Param("n"), RCX)
	e.Load(e.Param("op"), RAX)
	ops := []func(...Op){e.add, e.sub, e.mul, e.div, e.max, e.min}
	for op := 1; op < len(ops); op++ {
		e.CMPQ(RAX, I8(op))
		e.JEQ(LabelRef(fmt.Sprintf("op%d", op)))
	}
	for op, f := range ops {
		name := fmt.Sprintf("op%d", op)
		e.Label(name)
		e.loop(name, []GPPhysical{RSI, RDI, R8}, func(width int, masked bool) {
			for i := range width {
				e.get(RDI, i, i, masked)
				e.get(R8, i, 4, masked)
				if op < 4 {
					f(e.r(4), e.r(i), e.r(i))
					e.put(i, RSI, i, masked)
					continue
				}
				f(e.r(i), e.r(4), e.r(6))
				f(e.r(4), e.r(i), e.r(5))
				e.sameZero(op == 5, 5, 6)
				e.nanOf(i, 6)
				e.nanOf(4, 6)
				e.put(6, RSI, i, masked)
			}
		})
		e.VZEROUPPER()
		e.RET()
	}
}

// unary writes the UnaryOps up to Sign.
func (e element) unary(suffix string) {
	e.begin("unary"+suffix, "func(op int, dst, a *byte, n int)", "computes dst = op(a) for the operations Neg to Sign.")
	e.Load(e.Param("dst"), RSI)
	e.Load(e.Param("a"), RDI)
	e.Load(e.Param("n"), RCX)
	e.Load(e.Param("op"), RAX)
	const less, notLess, greater = 17, 21, 30
	e.constant(0, 8)
	e.zero(9)
	e.constant(1, 10)
	e.constant(2, 11)
	bodies := []func(i int){
		func(i int) { e.bits(11, i, false) },
		func(i int) { e.bits(10, i, true) },
		func(i int) { e.sqrt(e.r(i), e.r(i)) },
		func(i int) { e.sqrt(e.r(i), e.r(i)); e.div(e.r(i), e.r(8), e.r(i)) },
		func(i int) { e.indicator(notLess, i) },
		func(i int) { e.indicator(greater, i) },
		func(i int) {
			e.mov(e.r(i), e.r(4))
			e.indicator(greater, i)
			e.indicator(less, 4)
			e.sub(e.r(4), e.r(i), e.r(i))
		},
	}
	for op := 1; op < len(bodies); op++ {
		e.CMPQ(RAX, I8(op))
		e.JEQ(LabelRef(fmt.Sprintf("op%d", op)))
	}
	for op, body := range bodies {
		name := fmt.Sprintf("op%d", op)
		e.Label(name)
		e.loop(name, []GPPhysical{RSI, RDI}, func(width int, masked bool) {
			for i := range width {
				e.get(RDI, i, i, masked)
				body(i)
				e.put(i, RSI, i, masked)
			}
		})
		e.VZEROUPPER()
		e.RET()
	}
}

// bits combines register i with the bits of register mask: and, or exclusive or.
func (e element) bits(mask, i int, and bool) {
	if and {
		pick(e.isa, e.VANDPS, e.VANDPD)(e.r(mask), e.r(i), e.r(i))
	} else {
		pick(e.isa, e.VXORPS, e.VXORPD)(e.r(mask), e.r(i), e.r(i))
	}
}

// indicator turns register i into 1, of register 8, where it ⟨predicate⟩ 0, of register 9, and 0 elsewhere.
func (e element) indicator(predicate uint8, i int) {
	compare := pick(e.isa, e.VCMPPS, e.VCMPPD)
	if e.wide {
		compare(U8(predicate), e.r(9), e.r(i), K2)
		pick(e.isa, e.VMOVUPS_Z, e.VMOVUPD_Z)(e.r(8), K2, e.r(i))
		return
	}
	compare(U8(predicate), e.r(9), e.r(i), e.r(i))
	e.bits(8, i, true)
}

// sum keeps the 32 partial sums of kernel.Sum in registers.
func (e element) sum(suffix string) {
	e.begin("sum"+suffix, "func(acc, x *byte, blocks int)",
		"writes the 32 partial sums of blocks ≥ 1 blocks of 32 elements.")
	e.Load(e.Param("acc"), RSI)
	e.Load(e.Param("x"), RDI)
	e.Load(e.Param("blocks"), RCX)
	vectors := 32 / e.lanes()
	for i := range vectors {
		e.zero(i)
	}
	e.Label("block")
	for i := range vectors {
		e.add(e.vector(RDI, i), e.r(i), e.r(i))
	}
	e.ADDQ(I32(32*e.size), RDI)
	e.DECQ(RCX)
	e.JNZ(LabelRef("block"))
	for i := range vectors {
		e.put(i, RSI, i, false)
	}
	e.VZEROUPPER()
	e.RET()
}

// extreme keeps 32 partial maxima or minima in registers, and in K3, or register 9, the lanes in which there was a NaN.
func (e element) extreme(suffix string) {
	const unordered = 3
	compare := pick(e.isa, e.VCMPPS, e.VCMPPD)
	e.begin("extreme"+suffix, "func(smallest int, acc, x *byte, blocks int)",
		"writes 32 partial maxima, or minima, of blocks ≥ 1 blocks of 32 elements; some are NaN if an element is.")
	e.Load(e.Param("smallest"), RAX)
	e.Load(e.Param("acc"), RSI)
	e.Load(e.Param("x"), RDI)
	e.Load(e.Param("blocks"), RCX)
	vectors := 32 / e.lanes()
	for i := range vectors {
		e.get(RDI, i, i, false)
	}
	if e.wide {
		e.KXORQ(K3, K3, K3)
	} else {
		e.zero(9)
	}
	e.TESTQ(RAX, RAX)
	e.JNZ(LabelRef("least"))
	for _, name := range []string{"most", "least"} {
		combine := e.max
		if name == "least" {
			combine = e.min
		}
		e.Label(name)
		for i := range vectors {
			e.get(RDI, i, 8, false)
			if e.wide {
				compare(U8(unordered), e.r(8), e.r(8), K2)
				e.KORQ(K2, K3, K3)
			} else {
				compare(U8(unordered), e.r(8), e.r(8), e.r(10))
				e.VORPS(e.r(10), e.r(9), e.r(9))
			}
			combine(e.r(8), e.r(i), e.r(11))
			combine(e.r(i), e.r(8), e.r(i))
			e.sameZero(name == "least", 11, i)
		}
		e.ADDQ(I32(32*e.size), RDI)
		e.DECQ(RCX)
		e.JNZ(LabelRef(name))
		if e.wide { // all ones are a NaN
			e.VPTERNLOGD(U8(0xff), e.r(8), e.r(8), e.r(8))
			e.mov(e.r(8), K3, e.r(0))
		} else {
			e.VORPS(e.r(9), e.r(0), e.r(0))
		}
		for i := range vectors {
			e.put(i, RSI, i, false)
		}
		e.VZEROUPPER()
		e.RET()
	}
}

// rows adds rows to dst: four vectors of columns at a time stay in registers while DX walks down the rows.
func (e element) rows(suffix string) {
	e.begin("addRows"+suffix, "func(dst, x *byte, rows, n int)", "adds rows ≥ 1 rows of n ≥ 1 elements to dst, in order.")
	e.Load(e.Param("dst"), RSI)
	e.Load(e.Param("x"), RDI)
	e.Load(e.Param("rows"), R9)
	e.Load(e.Param("n"), RCX)
	e.MOVQ(RCX, R8)
	e.SHLQ(e.shift(), R8)
	n := 0
	e.loop("rows", []GPPhysical{RSI, RDI}, func(width int, masked bool) {
		n++
		name := fmt.Sprintf("column%d", n)
		for i := range width {
			e.get(RSI, i, i, masked)
		}
		e.MOVQ(RDI, RDX)
		e.MOVQ(R9, RAX)
		e.Label(name)
		for i := range width {
			if masked {
				e.get(RDX, i, 4+i, true)
				e.add(e.r(4+i), e.r(i), e.r(i))
			} else {
				e.add(e.vector(RDX, i), e.r(i), e.r(i))
			}
		}
		e.ADDQ(R8, RDX)
		e.DECQ(RAX)
		e.JNZ(LabelRef(name))
		for i := range width {
			e.put(i, RSI, i, masked)
		}
	})
	e.VZEROUPPER()
	e.RET()
}

// finite sums products with zero, which are zero or NaN.
func (e element) finite(suffix string) {
	const unordered = 3
	e.begin("finite"+suffix, "func(x *byte, n int) bool", "reports whether n ≥ 1 elements are all finite.")
	e.Load(e.Param("x"), RDI)
	e.Load(e.Param("n"), RCX)
	for i := range 4 {
		e.zero(i)
	}
	e.zero(8)
	e.loop("x", []GPPhysical{RDI}, func(width int, masked bool) {
		for i := range width {
			if masked {
				e.get(RDI, i, 4, true)
				e.fma(e.r(4), e.r(8), e.r(i))
			} else {
				e.fma(e.vector(RDI, i), e.r(8), e.r(i))
			}
		}
	})
	for i := 1; i < 4; i++ {
		e.add(e.r(i), e.r(0), e.r(0))
	}
	if e.wide {
		e.VCMPPS(U8(unordered), e.r(0), e.r(0), K2)
		e.KMOVW(K2, EAX)
	} else {
		e.VCMPPS(U8(unordered), e.r(0), e.r(0), e.r(0))
		e.VMOVMSKPS(e.r(0), EAX)
	}
	e.VZEROUPPER()
	e.TESTL(EAX, EAX)
	e.SETEQ(AL)
	e.Store(AL, e.ReturnIndex(0))
	e.RET()
}
