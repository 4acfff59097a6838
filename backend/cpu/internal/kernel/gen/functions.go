package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// functions writes the elementary functions in single precision. Register 0 holds the argument and
// the result, 1 to 12 are scratch, 13 is a mask of lanes with AVX2 (K2 with AVX-512), 14 a
// constant, 15 the mask of the last vector.
//
// exp x = 2ⁿ·exp r with n = round(x/ln 2) and |r| ≤ ln 2/2, where the Taylor polynomial of degree 7
// is off by less than 6e-9; log x = n·ln 2 + log m with √½ ≤ m < √2 and log m =
// 2·artanh((m−1)/(m+1)), whose series to the eleventh power is off by less than 2e-10 relative.
func functions(c *build.Context) {
	table := maskTable(c, "functionMask")
	const symbol = "functionConstants"
	f := &function{address: NewDataAddr(NewStaticSymbol(symbol), 0), offsets: map[uint32]int{}}
	for _, wide := range []bool{false, true} {
		f.element = element{isa{c, wide, 4}, table, Mem{}}
		suffix := map[bool]string{false: "AVX2", true: "AVX512"}[wide]
		f.begin("function"+suffix, "func(which int, dst, a *float32, n int)",
			"computes dst = f(a), f being 0 exp, 1 expm1, 2 log, 3 tanh, 4 sigmoid, 5 floor, 6 ceil, 7 round, 8 erf.")
		f.Load(f.Param("dst"), RSI)
		f.Load(f.Param("a"), RDI)
		f.Load(f.Param("n"), RCX)
		f.Load(f.Param("which"), RAX)
		bodies := []func(){f.exp, f.expm1, f.log, f.tanh, f.sigmoid, func() { f.round(9, 0, 0) },
			func() { f.round(10, 0, 0) }, func() { f.round(8, 0, 0) }, f.erf}
		for i := range bodies[1:] {
			f.CMPQ(RAX, I8(i+1))
			f.JEQ(LabelRef(fmt.Sprintf("f%d", i+1)))
		}
		for i, body := range bodies {
			name := fmt.Sprintf("f%d", i)
			f.Label(name)
			f.one(name, []GPPhysical{RSI, RDI}, func(masked bool) {
				f.get(RDI, 0, 0, masked)
				body()
				f.put(0, RSI, 0, masked)
			})
			f.VZEROUPPER()
			f.RET()
		}
	}
	c.StaticGlobal(symbol)
	c.DataAttributes(8 | 16)
	for i, bits := range f.constants {
		c.AddDatum(4*i, U32(bits))
	}
}

type function struct {
	element
	address   Mem
	constants []uint32
	offsets   map[uint32]int
}

// one is loop with one vector at a time.
func (f *function) one(name string, pointers []GPPhysical, body func(masked bool)) {
	f.SUBQ(I8(f.lanes()), RCX)
	f.JL(LabelRef(name + "rest"))
	f.Label(name + "vector")
	body(false)
	for _, p := range pointers {
		f.ADDQ(I8(f.bytes()), p)
	}
	f.SUBQ(I8(f.lanes()), RCX)
	f.JGE(LabelRef(name + "vector"))
	f.Label(name + "rest")
	f.ADDQ(I8(f.lanes()), RCX)
	f.JZ(LabelRef(name + "end"))
	f.maskFor(RCX, RBX, 15, f.table)
	body(true)
	f.Label(name + "end")
}

// word puts a constant into register 14.
func (f *function) word(bits uint32) VecPhysical {
	at, ok := f.offsets[bits]
	if !ok {
		at = 4 * len(f.constants)
		f.offsets[bits] = at
		f.constants = append(f.constants, bits)
	}
	f.VBROADCASTSS(f.address.Offset(at), f.r(14))
	return f.r(14)
}

func (f *function) c(x float64) VecPhysical { return f.word(math.Float32bits(float32(x))) }

func (f *function) copy(from, to int) { f.VMOVUPS(f.r(from), f.r(to)) }

// times sets p ← p·x + c.
func (f *function) times(p, x int, c VecPhysical) { f.VFMADD213PS(c, f.r(x), f.r(p)) }

// minus sets p ← p − x·c.
func (f *function) minus(p, x int, c VecPhysical) { f.VFNMADD231PS(c, f.r(x), f.r(p)) }

// round rounds to an integer: 8 nearest even, 9 down, 10 up.
func (f *function) round(mode uint8, from, to int) {
	if f.wide {
		f.VRNDSCALEPS(U8(mode), f.r(from), f.r(to))
	} else {
		f.VROUNDPS(U8(mode), f.r(from), f.r(to))
	}
}

// limit clamps register i; NaN stays.
func (f *function) limit(i int, low, high float64) {
	f.min(f.r(i), f.c(high), f.r(i))
	f.max(f.r(i), f.c(low), f.r(i))
}

// choose sets register to ← c where register x ⟨predicate⟩ y.
func (f *function) choose(predicate uint8, x int, y VecPhysical, to int, from func() VecPhysical) {
	if f.wide {
		f.VCMPPS(U8(predicate), y, f.r(x), K2)
		f.VMOVUPS(from(), K2, f.r(to))
		return
	}
	f.VCMPPS(U8(predicate), y, f.r(x), f.r(13))
	f.VBLENDVPS(f.r(13), from(), f.r(to), f.r(to))
}

// and keeps some bits of register i.
func (f *function) and(i int, bits uint32) { f.VANDPS(f.word(bits), f.r(i), f.r(i)) }

// power sets register to ← 2^(i−offset) for the integers of register i.
func (f *function) power(i, offset, to int) {
	f.VPADDD(f.word(uint32(127-offset)), f.r(i), f.r(to))
	f.VPSLLD(U8(23), f.r(to), f.r(to))
}

// reduce splits the argument: 1 is n, 3 is exp r − 1. It uses 2 and 4.
func (f *function) reduce() {
	f.mul(f.c(math.Log2E), f.r(0), f.r(1))
	f.round(8, 1, 1)
	f.copy(0, 2)
	const high = 0.693359375 // ten bits of ln 2
	f.minus(2, 1, f.c(high))
	f.minus(2, 1, f.c(math.Ln2-high))
	f.VMOVUPS(f.c(1./5040), f.r(3))
	for _, k := range []float64{1. / 720, 1. / 120, 1. / 24, 1. / 6, 1. / 2} {
		f.times(3, 2, f.c(k))
	}
	f.mul(f.r(2), f.r(2), f.r(4))
	f.times(3, 4, f.r(2))
}

func (f *function) exp() {
	f.limit(0, -104, 89)
	f.reduce()
	f.add(f.c(1), f.r(3), f.r(3))
	if f.wide {
		f.VSCALEFPS(f.r(1), f.r(3), f.r(0))
		return
	}
	f.VCVTPS2DQ(f.r(1), f.r(1)) // in two steps: 2ⁿ itself may overflow or underflow
	f.VPSRAD(U8(1), f.r(1), f.r(2))
	f.VPSUBD(f.r(2), f.r(1), f.r(1))
	f.power(1, 0, 1)
	f.power(2, 0, 2)
	f.mul(f.r(1), f.r(3), f.r(3))
	f.mul(f.r(2), f.r(3), f.r(0))
}

// expm1 is 2·(2ⁿ⁻¹·(exp r − 1) + (2ⁿ⁻¹ − ½)), and x if it is so small that half of it may lose a bit. It uses 6 and 7.
func (f *function) expm1() {
	const less = 17
	f.copy(0, 6)
	f.copy(0, 7)
	f.and(7, signBit-1)
	f.limit(0, -20, 89)
	f.reduce()
	f.VCVTPS2DQ(f.r(1), f.r(1))
	f.power(1, 1, 1)
	f.copy(1, 2)
	f.sub(f.c(0.5), f.r(2), f.r(2))
	f.VFMADD213PS(f.r(2), f.r(1), f.r(3))
	f.add(f.r(3), f.r(3), f.r(0))
	f.choose(less, 7, f.c(0x1p-100), 0, func() VecPhysical { return f.r(6) })
}

const signBit = 1 << 31

// tanh is sign(x)·e/(e+2) with e = expm1(2|x|).
func (f *function) tanh() {
	f.copy(0, 5)
	f.and(5, signBit)
	f.and(0, signBit-1)
	f.add(f.r(0), f.r(0), f.r(0))
	f.min(f.r(0), f.c(20), f.r(0))
	f.expm1()
	f.add(f.c(2), f.r(0), f.r(1))
	f.div(f.r(1), f.r(0), f.r(0))
	f.VORPS(f.r(5), f.r(0), f.r(0))
}

// sigmoid is 1/(1+e) for x ≥ 0 and e/(1+e) for x < 0 with e = exp(−|x|).
func (f *function) sigmoid() {
	const less = 17
	f.copy(0, 5)
	f.VORPS(f.word(signBit), f.r(0), f.r(0))
	f.exp()
	f.add(f.c(1), f.r(0), f.r(1))
	f.VMOVUPS(f.c(1), f.r(2))
	f.zero(6)
	f.choose(less, 5, f.r(6), 2, func() VecPhysical { return f.r(0) })
	f.div(f.r(1), f.r(2), f.r(0))
}

// erf is x + x·p(x²) for |x| < 1, and sign(x)·(1 − exp q(|x|)) beyond, q being the logarithm of 1 − erf. The
// polynomials are fitted to these functions at Chebyshev points, on [0, 1] and [1, 4]; the error is less than 2e-7
// relative. Beyond 4 the result rounds to 1.
func (f *function) erf() {
	const less = 17
	f.copy(0, 5)
	f.and(5, signBit)
	f.and(0, signBit-1)
	f.copy(0, 6)
	f.mul(f.r(0), f.r(0), f.r(7))
	f.polynomial(8, 7, 0.128379167062361, -0.3761263847599066, 0.11283782622053236, -0.02686543831002,
		0.005221053411187171, -0.000848439653129711, 0.00011268253755413467, -9.673590415627437e-06)
	f.times(8, 6, f.r(6))
	f.min(f.r(0), f.c(4), f.r(0))
	f.polynomial(9, 0, 0.0004005005866059008, -1.1306044697610633, -0.6310888673362526, -0.11090741774271334,
		0.02699949758514032, -0.005021044959738894, 0.000673337606095981, -6.006880573554545e-05,
		3.095205635983686e-06, -6.582862216628086e-08)
	f.copy(9, 0)
	f.exp()
	f.VMOVUPS(f.c(1), f.r(1))
	f.sub(f.r(0), f.r(1), f.r(0))
	f.choose(less, 6, f.c(1), 0, func() VecPhysical { return f.r(8) })
	f.VORPS(f.r(5), f.r(0), f.r(0))
}

// polynomial sets register p to the polynomial of register x with these coefficients, the constant first.
func (f *function) polynomial(p, x int, coefficients ...float64) {
	last := len(coefficients) - 1
	f.VMOVUPS(f.c(coefficients[last]), f.r(p))
	for i := last - 1; i >= 0; i-- {
		f.times(p, x, f.c(coefficients[i]))
	}
}

func (f *function) log() {
	const less, equal, notGreaterOrEqual = 17, 0, 25
	f.copy(0, 5)
	f.zero(6) // the exponent of the scaling of denormal numbers
	f.mul(f.c(1<<23), f.r(0), f.r(7))
	f.VMOVUPS(f.c(0x1p-126), f.r(8))
	f.choose(less, 5, f.r(8), 0, func() VecPhysical { return f.r(7) })
	f.choose(less, 5, f.r(8), 6, func() VecPhysical { return f.c(-23) })
	half := math.Float32bits(float32(math.Sqrt2 / 2))
	f.VPSUBD(f.word(half), f.r(0), f.r(1))
	f.VPSRAD(U8(23), f.r(1), f.r(1)) // n
	f.VPSLLD(U8(23), f.r(1), f.r(2))
	f.VPSUBD(f.r(2), f.r(0), f.r(0)) // m
	f.VCVTDQ2PS(f.r(1), f.r(1))
	f.add(f.r(6), f.r(1), f.r(1))
	f.sub(f.c(1), f.r(0), f.r(0))
	f.add(f.c(2), f.r(0), f.r(2))
	f.div(f.r(2), f.r(0), f.r(2)) // s = (m−1)/(m+1)
	f.mul(f.r(2), f.r(2), f.r(3))
	f.VMOVUPS(f.c(2./11), f.r(4))
	for _, k := range []float64{2. / 9, 2. / 7, 2. / 5, 2. / 3} {
		f.times(4, 3, f.c(k))
	}
	// log m = f − s·(f − s²·…·…): f = m − 1 is exact
	f.mul(f.r(3), f.r(4), f.r(4))
	f.sub(f.r(4), f.r(0), f.r(4))
	const high = 0.693359375
	f.VFMADD231PS(f.c(math.Ln2-high), f.r(1), f.r(0))
	f.VFNMADD231PS(f.r(4), f.r(2), f.r(0))
	f.VFMADD231PS(f.c(high), f.r(1), f.r(0))
	f.zero(6)
	f.choose(notGreaterOrEqual, 5, f.r(6), 0, func() VecPhysical { return f.c(math.NaN()) })
	f.choose(equal, 5, f.r(6), 0, func() VecPhysical { return f.c(math.Inf(-1)) })
	f.VMOVUPS(f.c(math.Inf(1)), f.r(6))
	f.choose(equal, 5, f.r(6), 0, func() VecPhysical { return f.r(6) })
}
