package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is a vector instruction set together with an element type.
type isa struct {
	*build.Context
	wide bool // AVX-512, otherwise AVX2 with FMA3
	size int  // bytes of an element: 4 or 8
}

// each calls f for both instruction sets and both element types.
func each(c *build.Context, f func(v isa, suffix string)) {
	for _, size := range []int{4, 8} {
		for _, wide := range []bool{false, true} {
			f(isa{c, wide, size}, map[int]string{4: "F32", 8: "F64"}[size]+map[bool]string{false: "AVX2", true: "AVX512"}[wide])
		}
	}
}

// bytes is the size of a vector, lanes the number of its elements.
func (v isa) bytes() int {
	if v.wide {
		return 64
	}
	return 32
}

func (v isa) lanes() int { return v.bytes() / v.size }

// shift is log₂ of the size of an element.
func (v isa) shift() operand.Constant {
	if v.size == 8 {
		return operand.U8(3)
	}
	return operand.U8(2)
}

var (
	zmm = []reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9,
		reg.Z10, reg.Z11,
		reg.Z12, reg.Z13, reg.Z14, reg.Z15, reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
		reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}
	ymm = []reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9,
		reg.Y10, reg.Y11,
		reg.Y12, reg.Y13, reg.Y14, reg.Y15}
	xmm = []reg.VecPhysical{reg.X0, reg.X1, reg.X2, reg.X3, reg.X4, reg.X5, reg.X6, reg.X7, reg.X8, reg.X9,
		reg.X10, reg.X11,
		reg.X12, reg.X13, reg.X14, reg.X15}
)

// r is vector register i.
func (v isa) r(i int) reg.VecPhysical {
	if v.wide {
		return zmm[i]
	}
	return ymm[i]
}

// pick picks the single or the double precision form of an instruction.
func pick[F any](v isa, single, double F) F {
	if v.size == 8 {
		return double
	}
	return single
}

func (v isa) mov(ops ...operand.Op)  { pick(v, v.VMOVUPS, v.VMOVUPD)(ops...) }
func (v isa) fma(ops ...operand.Op)  { pick(v, v.VFMADD231PS, v.VFMADD231PD)(ops...) }
func (v isa) add(ops ...operand.Op)  { pick(v, v.VADDPS, v.VADDPD)(ops...) }
func (v isa) sub(ops ...operand.Op)  { pick(v, v.VSUBPS, v.VSUBPD)(ops...) }
func (v isa) mul(ops ...operand.Op)  { pick(v, v.VMULPS, v.VMULPD)(ops...) }
func (v isa) div(ops ...operand.Op)  { pick(v, v.VDIVPS, v.VDIVPD)(ops...) }
func (v isa) max(ops ...operand.Op)  { pick(v, v.VMAXPS, v.VMAXPD)(ops...) }
func (v isa) min(ops ...operand.Op)  { pick(v, v.VMINPS, v.VMINPD)(ops...) }
func (v isa) sqrt(ops ...operand.Op) { pick(v, v.VSQRTPS, v.VSQRTPD)(ops...) }

// broadcast fills a register with the element at m.
func (v isa) broadcast(m operand.Op, r reg.VecPhysical) {
	pick(v, v.VBROADCASTSS, v.VBROADCASTSD)(m, r)
}

// zero clears register i.
func (v isa) zero(i int) {
	if v.wide {
		v.VPXORD(zmm[i], zmm[i], zmm[i])
	} else {
		v.VXORPS(ymm[i], ymm[i], ymm[i])
	}
}

// maskFor makes the mask of the first n lanes, n in 1…lanes in a register that is overwritten: K1,
// or register i with AVX2.
func (v isa) maskFor(n, tmp reg.Register, i int, table operand.Mem) {
	if v.wide {
		v.MOVQ(operand.I32(-1), tmp)
		v.BZHIQ(n, tmp, tmp)
		v.KMOVW(tmp.(reg.GP).As32(), reg.K1)
		return
	}
	v.LEAQ(table, tmp)
	v.SHLQ(v.shift(), n)
	v.SUBQ(n, tmp)
	v.VMOVUPS(operand.Mem{Base: tmp, Disp: 32}, ymm[i])
}

// load reads the lanes of the mask (K1, or register mask), the others are zero.
func (v isa) load(m operand.Mem, mask int, r reg.VecPhysical) {
	if v.wide {
		pick(v, v.VMOVUPS_Z, v.VMOVUPD_Z)(m, reg.K1, r)
	} else {
		pick(v, v.VMASKMOVPS, v.VMASKMOVPD)(m, v.r(mask), r)
	}
}

// store writes the lanes of the mask.
func (v isa) store(r reg.VecPhysical, mask int, m operand.Mem) {
	if v.wide {
		v.mov(r, reg.K1, m)
	} else {
		pick(v, v.VMASKMOVPS, v.VMASKMOVPD)(r, v.r(mask), m)
	}
}

// maskTable is 32 bytes of ones, then 32 of zeros.
func maskTable(c *build.Context, name string) operand.Mem {
	m := c.StaticGlobal(name)
	c.DataAttributes(8 | 16) // RODATA, NOPTR
	for i := range 8 {
		x := operand.U64(0)
		if i < 4 {
			x = ^x
		}
		c.AddDatum(8*i, x)
	}
	return m
}
