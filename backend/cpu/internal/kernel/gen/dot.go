package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dots writes the inner products of kernel.dotTile: one body for each number of columns, over
// groups of rows and then over single rows. The sum of row r and column j is kept in lanes in
// register top − (r·cols + j), where top is 31, or 14 with AVX2; the rows or the columns, whichever
// are fewer, are held from register 0 upwards and the others pass through the next one. The last,
// partial vector of a segment is masked (K1, or Y15).
//
//	SI, DI      rows 0 and 7 of a        R8, R9, R10    1, 3 and 5 rows of a
//	BX          column 0 of b            R11, R12, R13  1, 3 and 5 columns of b
//	CX          steps left               DX             scratch                    AX  the tile
//	stack       a and b at the segment's beginning, segments left, rows left, a and c at the group's beginning, sums
func dots(c *build.Context) {
	table := maskTable(c, "dotMask")
	each(c, func(v isa, suffix string) {
		c.Function("dotTile" + suffix)
		c.Attributes(4) // NOSPLIT
		c.Pragma("noescape")
		c.SignatureExpr("func(t *byte)")
		c.Doc("dotTile" + suffix + " runs a tile of inner products; see kernel.dotTile.")
		d := dot{isa: v, aSegment: c.AllocLocal(8), bSegment: c.AllocLocal(8), segments: c.AllocLocal(8),
			rowsLeft: c.AllocLocal(8), aGroup: c.AllocLocal(8), cGroup: c.AllocLocal(8), sums: c.AllocLocal(24 * 8)}
		c.Load(c.Param("t"), RAX)
		c.MOVQ(d.field(tileSteps), RCX)
		c.ANDQ(I8(v.lanes()-1), RCX)
		v.maskFor(RCX, RBX, 15, table)
		for _, f := range []struct {
			field int
			local Mem
		}{{tileRows, d.rowsLeft}, {tileA, d.aGroup}, {tileC, d.cGroup}} {
			c.MOVQ(d.field(f.field), RDX)
			c.MOVQ(RDX, f.local)
		}
		c.MOVQ(d.field(tileCols), RCX)
		for cols := 6; cols > 1; cols-- {
			c.CMPQ(RCX, I8(cols))
			c.JEQ(LabelRef(fmt.Sprintf("c%d", cols)))
		}
		for cols := 1; cols <= 6; cols++ {
			c.Label(fmt.Sprintf("c%d", cols))
			d.cols(cols)
		}
	})
}

type dot struct {
	isa
	aSegment, bSegment, segments, rowsLeft, aGroup, cGroup, sums Mem
}

func (d dot) field(offset int) Mem { return Mem{Base: RAX, Disp: offset} }

// groups are the numbers of rows that are computed together, as many as possible first.
func (d dot) groups(cols int) []int {
	if d.wide {
		return [][]int{{8, 4, 1}, {8, 4, 1}, {6, 2, 1}, {5, 2, 1}, {4, 1}, {4, 1}}[cols-1]
	}
	return [][]int{{6, 2, 1}, {6, 2, 1}, {3, 1}, {2, 1}, {2, 1}, {2, 1}}[cols-1]
}

func (d dot) cols(cols int) {
	for _, rows := range d.groups(cols) {
		name := fmt.Sprintf("c%dr%d", cols, rows)
		d.Label(name)
		d.CMPQ(d.rowsLeft, I8(rows))
		d.JL(LabelRef(name + "done"))
		d.rows(rows, cols, name)
		d.JMP(LabelRef(name))
		d.Label(name + "done")
	}
	d.VZEROUPPER()
	d.RET()
}

// strides puts 1, 3 and 5 times a field into registers.
func (d dot) strides(offset int, one, three, five GPPhysical) {
	d.MOVQ(d.field(offset), one)
	d.SHLQ(d.shift(), one)
	d.LEAQ(Mem{Base: one, Index: one, Scale: 2}, three)
	d.LEAQ(Mem{Base: one, Index: one, Scale: 4}, five)
}

// at addresses item i < 7 from base, given 1, 3 and 5 times the distance of items.
func at(base GPPhysical, i int, one, three, five GPPhysical) Mem {
	return []Mem{
		{Base: base}, {Base: base, Index: one, Scale: 1}, {Base: base, Index: one, Scale: 2},
		{Base: base, Index: three, Scale: 1},
		{Base: base, Index: one, Scale: 4}, {Base: base, Index: five, Scale: 1}, {Base: base, Index: three, Scale: 2},
	}[i]
}

func (d dot) rows(rows, cols int, name string) {
	top := 14
	if d.wide {
		top = 31
	}
	sum := func(r, j int) VecPhysical { return d.r(top - (r*cols + j)) }
	a := func(r int) Mem {
		if r < 7 {
			return at(RSI, r, R8, R9, R10)
		}
		return at(RDI, r-7, R8, R9, R10)
	}
	b := func(j int) Mem { return at(RBX, j, R11, R12, R13) }
	step := func(load func(m Mem, i int)) {
		held, streamed := min(rows, cols), d.r(min(rows, cols))
		for i := range held {
			if cols <= rows {
				load(b(i), i)
			} else {
				load(a(i), i)
			}
		}
		for i := range max(rows, cols) {
			if cols <= rows {
				load(a(i), held)
			} else {
				load(b(i), held)
			}
			for h := range held {
				if cols <= rows {
					d.fma(d.r(h), streamed, sum(i, h))
				} else {
					d.fma(streamed, d.r(h), sum(h, i))
				}
			}
		}
	}
	d.strides(tileARow, R8, R9, R10)
	d.strides(tileBCol, R11, R12, R13)
	d.MOVQ(d.aGroup, RDX)
	d.MOVQ(RDX, d.aSegment)
	d.MOVQ(d.field(tileB), RDX)
	d.MOVQ(RDX, d.bSegment)
	d.MOVQ(d.field(tileSegs), RDX)
	d.MOVQ(RDX, d.segments)
	for i := range rows * cols {
		d.zero(top - i)
	}
	d.Label(name + "seg")
	d.MOVQ(d.aSegment, RSI)
	if rows > 7 {
		d.LEAQ(Mem{Base: RSI, Index: R10, Scale: 1}, RDI)
		d.LEAQ(Mem{Base: RDI, Index: R8, Scale: 2}, RDI)
	}
	d.MOVQ(d.bSegment, RBX)
	d.MOVQ(d.field(tileSteps), RCX)
	d.SUBQ(I8(d.lanes()), RCX)
	d.JL(LabelRef(name + "tail"))
	d.Label(name + "step")
	step(func(m Mem, i int) { d.mov(m, d.r(i)) })
	d.ADDQ(I8(d.bytes()), RSI)
	if rows > 7 {
		d.ADDQ(I8(d.bytes()), RDI)
	}
	d.ADDQ(I8(d.bytes()), RBX)
	d.SUBQ(I8(d.lanes()), RCX)
	d.JGE(LabelRef(name + "step"))
	d.Label(name + "tail")
	d.ADDQ(I8(d.lanes()), RCX)
	d.JZ(LabelRef(name + "next"))
	step(func(m Mem, i int) { d.load(m, 15, d.r(i)) })
	d.Label(name + "next")
	for _, f := range []struct {
		field int
		local Mem
	}{{tileASeg, d.aSegment}, {tileBSeg, d.bSegment}} {
		d.MOVQ(d.field(f.field), RDX)
		d.SHLQ(d.shift(), RDX)
		d.ADDQ(RDX, f.local)
	}
	d.DECQ(d.segments)
	d.JNZ(LabelRef(name + "seg"))

	// The sums of lanes go to the stack; then one element at a time, as the mode says.
	group := 16 / d.size
	for i := 0; i < rows*cols; i += group {
		from := make([]int, group)
		for q := range from {
			from[q] = top - min(i+q, rows*cols-1)
		}
		d.sumLanes(from)
		d.mov(xmm[0], d.sums.Offset(i*d.size))
	}
	d.finish(rows, name+"finish")
	d.MOVQ(RSI, d.cGroup)
	d.MOVQ(d.field(tileARow), RDX)
	d.SHLQ(d.shift(), RDX)
	d.IMUL3Q(I8(rows), RDX, RDX)
	d.ADDQ(RDX, d.aGroup)
	d.SUBQ(I8(rows), d.rowsLeft)
}

// sumLanes adds the lanes of each of the registers, as many as X0 has lanes, and leaves the sums in
// X0: the halves of a ZMM first, then neighbours, then the halves of a YMM.
func (d dot) sumLanes(from []int) {
	in := make([]VecPhysical, len(from))
	for q, i := range from {
		if !d.wide {
			in[q] = ymm[i]
			continue
		}
		in[q] = ymm[q]
		d.VEXTRACTF64X4(U8(1), zmm[i], ymm[q])
		d.VEXTRACTF64X4(U8(0), zmm[i], ymm[5])
		d.add(ymm[5], ymm[q], ymm[q])
	}
	if d.size == 8 {
		d.VHADDPD(in[1], in[0], ymm[0])
	} else {
		d.VHADDPS(in[1], in[0], ymm[0])
		d.VHADDPS(in[3], in[2], ymm[1])
		d.VHADDPS(ymm[1], ymm[0], ymm[0])
	}
	d.VEXTRACTF128(U8(1), ymm[0], xmm[1])
	d.add(xmm[1], xmm[0], xmm[0])
}

// finish applies the mode to the sums on the stack and stores them.
//
//	SI, R13  row and element of c    DI, R8   distances of rows and columns of c    DX  mode
//	R11      sum                     R10      bias    R12, R9  rows and columns left
func (d dot) finish(rows int, name string) {
	mov, mul := pick(d.isa, d.VMOVSS, d.VMOVSD), pick(d.isa, d.VMULSS, d.VMULSD)
	add, fma := pick(d.isa, d.VADDSS, d.VADDSD), pick(d.isa, d.VFMADD231SS, d.VFMADD231SD)
	max := pick(d.isa, d.VMAXSS, d.VMAXSD)
	when := func(bit int, what string, f func()) {
		d.TESTQ(U32(uint32(bit)), RDX)
		d.JZ(LabelRef(name + what))
		f()
		d.Label(name + what)
	}
	d.MOVQ(d.cGroup, RSI)
	d.MOVQ(d.field(tileCRow), RDI)
	d.SHLQ(d.shift(), RDI)
	d.MOVQ(d.field(tileCCol), R8)
	d.SHLQ(d.shift(), R8)
	d.MOVQ(d.field(tileMode), RDX)
	d.LEAQ(d.sums, R11)
	d.MOVQ(I32(rows), R12)
	d.Label(name + "row")
	d.MOVQ(RSI, R13)
	d.MOVQ(d.field(tileBias), R10)
	d.MOVQ(d.field(tileCols), R9)
	d.Label(name + "column")
	mov(Mem{Base: R11}, xmm[0])
	d.TESTQ(RDX, RDX)
	d.JZ(LabelRef(name + "store"))
	when(modeScale, "scaled", func() { mul(d.field(tileAlpha), xmm[0], xmm[0]) })
	when(modeAdd, "added", func() {
		mov(Mem{Base: R13}, xmm[1])
		fma(d.field(tileAlpha+d.size), xmm[1], xmm[0])
	})
	when(modeBias, "biased", func() { add(Mem{Base: R10}, xmm[0], xmm[0]) })
	when(modeReLU, "rectified", func() {
		d.VXORPS(xmm[1], xmm[1], xmm[1])
		max(xmm[0], xmm[1], xmm[0])
	})
	d.Label(name + "store")
	mov(xmm[0], Mem{Base: R13})
	d.ADDQ(R8, R13)
	d.ADDQ(I8(d.size), R11)
	d.ADDQ(I8(d.size), R10)
	d.DECQ(R9)
	d.JNZ(LabelRef(name + "column"))
	d.ADDQ(RDI, RSI)
	d.DECQ(R12)
	d.JNZ(LabelRef(name + "row"))
}
