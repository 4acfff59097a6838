package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Offsets of the fields of kernel.tile.
const (
	tileA, tileB, tileC, tileBias = 0, 24, 48, 72
	tileARow, tileACol, tileASeg  = 96, 104, 112
	tileBCol, tileBSeg            = 120, 128
	tileCRow, tileCCol            = 136, 144
	tileRows, tileCols            = 152, 160
	tileSteps, tileSegs           = 168, 176
	tileMode, tileAlpha           = 184, 192
	modeScale, modeAdd            = 1, 2
	modeBias, modeReLU            = 4, 8
)

// tiles writes the small matrix products of kernel.tile.
//
// There is one body for each number of rows and for one or two vectors of columns. Row r, vector w is accumulated in
// register r·vectors + w. One step loads the vectors of b and, for each row, broadcasts an element of a and multiplies:
//
//	AVX-512  14 rows × 2 vectors: Z0–Z27 sums, Z28, Z29 b, Z30, Z31 a; K1 masks the last vector
//	AVX2      6 rows × 2 vectors or 12 × 1: Y0–Y11 sums, Y12, Y13 b, Y14 a, Y15 mask of the last vector
//
// Rows of a are addressed from two bases, rows 0 and 7, with one, three and five times the distance
// of rows as an index:
//
//	SI, DI  rows 0 and 7 of a at this step    R8, R9, R10  1, 3 and 5 rows of a    R11  a column of a
//	BX      b at this step                    DX           a column of b           CX   steps left
//	R12     a at the segment's beginning      R13          b likewise              AX   the tile
//	stack   segments left
func tiles(c *build.Context) {
	table := maskTable(c, "tileMask")
	each(c, func(v isa, suffix string) {
		c.Function("tile" + suffix)
		c.Attributes(4) // NOSPLIT
		c.Pragma("noescape")
		c.SignatureExpr("func(t *byte)")
		c.Doc("tile" + suffix + " runs a tile; see kernel.tile.")
		left := c.AllocLocal(8)
		c.Load(c.Param("t"), RAX)
		field := func(offset int) Mem { return Mem{Base: RAX, Disp: offset} }
		bytes := func(offset int, r GPPhysical) {
			c.MOVQ(field(offset), r)
			c.SHLQ(v.shift(), r)
		}
		bytes(tileARow, R8)
		c.LEAQ(Mem{Base: R8, Index: R8, Scale: 2}, R9)
		c.LEAQ(Mem{Base: R8, Index: R8, Scale: 4}, R10)
		bytes(tileACol, R11)
		bytes(tileBCol, RDX)
		c.MOVQ(field(tileA), R12)
		c.MOVQ(field(tileB), R13)
		c.MOVQ(field(tileSegs), RCX)
		c.MOVQ(RCX, left)
		c.MOVQ(field(tileRows), RDI)
		c.MOVQ(field(tileCols), RCX)
		c.CMPQ(RCX, I8(v.lanes()))
		c.JG(LabelRef("two"))
		for vectors := 1; vectors <= 2; vectors++ {
			if vectors == 2 {
				c.Label("two")
				c.SUBQ(U8(v.lanes()), RCX)
			}
			v.maskFor(RCX, RBX, 15, table)
			limit := v.tileRows(vectors)
			for rows := limit; rows > 1; rows-- {
				c.CMPQ(RDI, I8(rows))
				c.JEQ(LabelRef(fmt.Sprintf("v%dr%d", vectors, rows)))
			}
			for rows := 1; rows <= limit; rows++ {
				c.Label(fmt.Sprintf("v%dr%d", vectors, rows))
				v.tileBody(rows, vectors, left, fmt.Sprintf("v%dr%d", vectors, rows))
			}
		}
	})
}

// tileRows is kernel.Set.maxRows.
func (v isa) tileRows(vectors int) int {
	switch {
	case v.wide:
		return 14
	case vectors == 1:
		return 12
	}
	return 6
}

func (v isa) tileBody(rows, vectors int, left Mem, name string) {
	sum := func(r, w int) VecPhysical { return v.r(r*vectors + w) }
	b, a, nA := 12, 14, 1
	if v.wide {
		b, a, nA = 28, 30, 2
	}
	const mask = 15
	field := func(offset int) Mem { return Mem{Base: RAX, Disp: offset} }
	// vector loads vector w of the columns at base.
	vector := func(base GPPhysical, w int, r VecPhysical) {
		m := Mem{Base: base, Disp: w * v.bytes()}
		if w == vectors-1 {
			v.load(m, mask, r)
		} else {
			v.mov(m, r)
		}
	}
	for i := range rows * vectors {
		v.zero(i)
	}
	v.Label(name + "seg")
	v.MOVQ(R12, RSI)
	if rows > 7 {
		v.LEAQ(Mem{Base: R12, Index: R10, Scale: 1}, RDI)
		v.LEAQ(Mem{Base: RDI, Index: R8, Scale: 2}, RDI)
	}
	v.MOVQ(R13, RBX)
	v.MOVQ(field(tileSteps), RCX)
	v.Label(name + "step")
	for w := range vectors {
		vector(RBX, w, v.r(b+w))
	}
	for r := range rows {
		base := RSI
		if r >= 7 {
			base = RDI
		}
		m := []Mem{
			{Base: base}, {Base: base, Index: R8, Scale: 1}, {Base: base, Index: R8, Scale: 2},
			{Base: base, Index: R9, Scale: 1},
			{Base: base, Index: R8, Scale: 4}, {Base: base, Index: R10, Scale: 1}, {Base: base, Index: R9, Scale: 2},
		}[r%7]
		x := v.r(a + r%nA)
		v.broadcast(m, x)
		for w := range vectors {
			v.fma(v.r(b+w), x, sum(r, w))
		}
	}
	v.ADDQ(RDX, RBX)
	v.ADDQ(R11, RSI)
	if rows > 7 {
		v.ADDQ(R11, RDI)
	}
	v.DECQ(RCX)
	v.JNZ(LabelRef(name + "step"))
	v.MOVQ(field(tileASeg), RSI)
	v.MOVQ(field(tileBSeg), RBX)
	v.LEAQ(Mem{Base: R12, Index: RSI, Scale: uint8(v.size)}, R12)
	v.LEAQ(Mem{Base: R13, Index: RBX, Scale: uint8(v.size)}, R13)
	v.DECQ(left)
	v.JNZ(LabelRef(name + "seg"))

	// The rest, as the mode says. SI walks the rows of c.
	v.MOVQ(field(tileMode), RCX)
	v.MOVQ(field(tileCRow), R8)
	v.SHLQ(v.shift(), R8)
	when := func(bit int, what string, f func()) {
		v.TESTQ(U32(uint32(bit)), RCX)
		v.JZ(LabelRef(name + what))
		f()
		v.Label(name + what)
	}
	when(modeScale, "scaled", func() {
		v.broadcast(field(tileAlpha), v.r(b))
		for i := range rows * vectors {
			v.mul(v.r(b), v.r(i), v.r(i))
		}
	})
	when(modeAdd, "added", func() {
		v.broadcast(field(tileAlpha+v.size), v.r(b))
		v.MOVQ(field(tileC), RSI)
		for r := range rows {
			for w := range vectors {
				vector(RSI, w, v.r(b+1))
				v.fma(v.r(b+1), v.r(b), sum(r, w))
			}
			v.ADDQ(R8, RSI)
		}
	})
	when(modeBias, "biased", func() {
		v.MOVQ(field(tileBias), RSI)
		for w := range vectors {
			vector(RSI, w, v.r(b+w))
			for r := range rows {
				v.add(v.r(b+w), sum(r, w), sum(r, w))
			}
		}
	})
	when(modeReLU, "rectified", func() {
		v.zero(b)
		for i := range rows * vectors {
			v.max(v.r(i), v.r(b), v.r(i)) // the second source, our sum, is the result if it is NaN
		}
	})
	v.MOVQ(field(tileC), RSI)
	stores := func(masked bool) {
		for r := range rows {
			for w := range vectors {
				m := Mem{Base: RSI, Disp: w * v.bytes()}
				if masked && w == vectors-1 {
					v.store(sum(r, w), mask, m)
				} else {
					v.mov(sum(r, w), m)
				}
			}
			if r+1 < rows {
				v.ADDQ(R8, RSI)
			}
		}
		v.VZEROUPPER()
		v.RET()
	}
	if !v.wide { // masked stores are slow there
		v.CMPQ(field(tileCols), I8(vectors*v.lanes()))
		v.JNE(LabelRef(name + "masked"))
		stores(false)
		v.Label(name + "masked")
	}
	stores(true)
}
