package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// elementwise writes the loops over one or more slices of n ≥ 1 elements: four vectors at a time, then one, then the masked
// rest. SI points into dst, DI into a, R8 into b or x; CX counts elements. Registers 0–3 hold results, 4–7 are scratch,
// 8–11 constants; K1 or 15 masks the rest.
func elementwise(c *build.Context) {
	table := maskTable(c, "elementMask")
	constants := c.StaticGlobal("elementConstants")
	c.DataAttributes(8 | 16)
	for i, x := range []Constant{
		F32(1), F32(0), U32(0x7fffffff), U32(0x80000000), F64(1), F64(0), U64(0x7fffffffffffffff), U64(0x8000000000000000),
	} {
		if i < 4 {
			c.AddDatum(4*i, x)
		} else {
			c.AddDatum(16+8*(i-4), x)
		}
	}
	each(c, func(v isa, suffix string) {
		e := element{v, table, constants}
		e.binary(suffix)
		e.unary(suffix)
		e.axpy(suffix)
		e.sum(suffix)
		e.extreme(suffix)
		e.rows(suffix)
		if v.size == 4 {
			e.adam(suffix)
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

// constant fills register i with 1, 0, the mask of all but the sign, or that of the sign.
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

// binary writes all BinaryOps in the forms VV, VS and SV; code = 6·form + op.
func (e element) binary(suffix string) {
	e.begin("binary"+suffix, "func(code int, dst, a, b *byte, n int)",
		"computes dst = op(a, b), code being 6·form + op; b is one value in the forms with a scalar, which is not NaN for max and min.")
	e.Load(e.Param("dst"), RSI)
	e.Load(e.Param("a"), RDI)
	e.Load(e.Param("b"), R8)
	e.Load(e.Param("n"), RCX)
	e.Load(e.Param("code"), RAX)
	ops := []func(...Op){e.add, e.sub, e.mul, e.div, e.max, e.min}
	const vv, vs, sv = 0, 1, 2
	codes := []int{}
	for code := range 6 * 3 {
		if code/6 == sv && code%6 != 1 && code%6 != 3 {
			continue // the others commute
		}
		codes = append(codes, code)
	}
	for _, code := range codes[1:] {
		e.CMPQ(RAX, I8(code))
		e.JEQ(LabelRef(fmt.Sprintf("code%d", code)))
	}
	for _, code := range codes {
		form, op := code/6, code%6
		name := fmt.Sprintf("code%d", code)
		e.Label(name)
		pointers := []GPPhysical{RSI, RDI}
		if form == vv {
			pointers = append(pointers, R8)
		} else {
			e.broadcast(Mem{Base: R8}, e.r(8))
		}
		e.loop(name, pointers, func(width int, masked bool) {
			for i := range width {
				e.get(RDI, i, i, masked)
				b := 8
				if form == vv {
					b = 4
					e.get(R8, i, b, masked)
				}
				switch {
				case form == sv:
					ops[op](e.r(i), e.r(8), e.r(i))
				case op >= 4: // the second source is the result if one is NaN: make that a, then look after b
					ops[op](e.r(i), e.r(b), e.r(i))
					if form == vv {
						e.nanOf(b, i)
					}
				default:
					ops[op](e.r(b), e.r(i), e.r(i))
				}
				e.put(i, RSI, i, masked)
			}
		})
		e.VZEROUPPER()
		e.RET()
	}
}

// unary writes the UnaryOps up to Relu.
func (e element) unary(suffix string) {
	e.begin("unary"+suffix, "func(op int, dst, a *byte, n int)", "computes dst = op(a) for the operations Neg to Relu.")
	e.Load(e.Param("dst"), RSI)
	e.Load(e.Param("a"), RDI)
	e.Load(e.Param("n"), RCX)
	e.Load(e.Param("op"), RAX)
	e.constant(0, 8)
	e.zero(9)
	e.constant(2, 10)
	e.constant(3, 11)
	bodies := []func(i int){
		func(i int) { e.bits(11, i, false) },
		func(i int) { e.bits(10, i, true) },
		func(i int) { e.mul(e.r(i), e.r(i), e.r(i)) },
		func(i int) { e.sqrt(e.r(i), e.r(i)) },
		func(i int) { e.div(e.r(i), e.r(8), e.r(i)) },
		func(i int) { e.sqrt(e.r(i), e.r(i)); e.div(e.r(i), e.r(8), e.r(i)) },
		func(i int) { e.max(e.r(i), e.r(9), e.r(i)) },
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

func (e element) axpy(suffix string) {
	e.begin("axpy"+suffix, "func(y, x, alpha *byte, n int)", "adds alpha·x to y.")
	e.Load(e.Param("y"), RSI)
	e.Load(e.Param("x"), RDI)
	e.Load(e.Param("alpha"), R8)
	e.Load(e.Param("n"), RCX)
	e.broadcast(Mem{Base: R8}, e.r(8))
	e.loop("axpy", []GPPhysical{RSI, RDI}, func(width int, masked bool) {
		for i := range width {
			e.get(RDI, i, 4+i, masked)
			e.get(RSI, i, i, masked)
			e.fma(e.r(8), e.r(4+i), e.r(i))
			e.put(i, RSI, i, masked)
		}
	})
	e.VZEROUPPER()
	e.RET()
}

// sum keeps the 32 partial sums of kernel.Sum in registers.
func (e element) sum(suffix string) {
	e.begin("sum"+suffix, "func(acc, x *byte, blocks int)", "writes the 32 partial sums of blocks ≥ 1 blocks of 32 elements.")
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
			combine(e.r(8), e.r(i), e.r(i))
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

// adam writes kernel.Set.AdamW one vector at a time. The constants, in registers 6 to 14, are β₁, 1−β₁, β₂, 1−β₂, the two
// debiasing factors, the learning rate, ε and the weight decay.
func (e element) adam(suffix string) {
	e.begin("adamW"+suffix, "func(constants, pOut, mOut, vOut, p, m, v, grad *float32, n int)",
		"takes a step of AdamW; constants are β₁, 1−β₁, β₂, 1−β₂, 1/(1−β₁ᵗ), 1/(1−β₂ᵗ), η, ε, λ.")
	e.Load(e.Param("constants"), RAX)
	for i := range 9 {
		e.broadcast(Mem{Base: RAX, Disp: 4 * i}, e.r(6+i))
	}
	pointers := []GPPhysical{RSI, RDI, R8, R9, R10, R11, R12}
	for i, name := range []string{"pOut", "mOut", "vOut", "p", "m", "v", "grad"} {
		e.Load(e.Param(name), pointers[i])
	}
	e.Load(e.Param("n"), RCX)
	const beta1, rest1, beta2, rest2, debias1, debias2, rate, epsilon, decay = 6, 7, 8, 9, 10, 11, 12, 13, 14
	r := e.r
	body := func(masked, decays bool) {
		e.get(R12, 0, 0, masked)
		e.get(R10, 0, 1, masked)
		e.get(R11, 0, 2, masked)
		e.get(R9, 0, 3, masked)
		e.mul(r(beta1), r(1), r(1))
		e.mul(r(rest1), r(0), r(4))
		e.add(r(4), r(1), r(1)) // m
		e.mul(r(0), r(0), r(0))
		e.mul(r(rest2), r(0), r(0))
		e.mul(r(beta2), r(2), r(2))
		e.add(r(0), r(2), r(2)) // v
		e.put(1, RDI, 0, masked)
		e.put(2, R8, 0, masked)
		e.mul(r(debias1), r(1), r(1))
		e.mul(r(rate), r(1), r(1))
		e.mul(r(debias2), r(2), r(2))
		e.sqrt(r(2), r(2))
		e.add(r(epsilon), r(2), r(2))
		e.div(r(2), r(1), r(1))
		if decays {
			e.mul(r(decay), r(3), r(4))
			e.mul(r(rate), r(4), r(4))
			e.add(r(4), r(1), r(1))
		}
		e.sub(r(1), r(3), r(3))
		e.put(3, RSI, 0, masked)
	}
	e.MOVL(Mem{Base: RAX, Disp: 4 * 8}, EAX)
	e.TESTL(EAX, EAX)
	e.JZ(LabelRef("plain"))
	for _, decays := range []bool{true, false} {
		name := "decay"
		if !decays {
			name = "plain"
			e.Label(name)
		}
		e.SUBQ(I8(e.lanes()), RCX)
		e.JL(LabelRef(name + "rest"))
		e.Label(name + "vector")
		body(false, decays)
		for _, p := range pointers {
			e.ADDQ(I8(e.bytes()), p)
		}
		e.SUBQ(I8(e.lanes()), RCX)
		e.JGE(LabelRef(name + "vector"))
		e.Label(name + "rest")
		e.ADDQ(I8(e.lanes()), RCX)
		e.JZ(LabelRef(name + "end"))
		e.maskFor(RCX, RBX, 15, e.table)
		body(true, decays)
		e.Label(name + "end")
		e.VZEROUPPER()
		e.RET()
	}
}
