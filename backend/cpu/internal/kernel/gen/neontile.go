package main

import (
	"fmt"
	"math/bits"
)

// tileWidths are the widths of tiles in vectors, 0 for one element.
var tileWidths = []int{4, 2, 1, 0}

// neonRows is the largest number of rows of a tile of that many vectors: sums take at most 24 registers.
func neonRows(width int) int {
	if width == 4 {
		return 6
	}
	return 12
}

// tile writes the tiles of a width: those columns from j on, for every number of rows.
//
// R0 is the tile, R1 and R2 point to the segment of a and b, R3–R7 are aRow, aCol, aSeg, bCol and bSeg in bytes, R8 and
// R9 count steps and segments. Registers 0–23 hold sums, 24–27 b, 28 and 29 a.
func (n *neon) tile(width int) {
	name := fmt.Sprintf("tile%dF%dNEON", width, 8*n.size)
	n.function(name, "t *byte, j int", fmt.Sprintf("runs the columns of a tile from j on that fill %d vectors, "+
		"0 for one element.", width))
	n.ins("MOVD t+0(FP), R0")
	n.ins("MOVD j+8(FP), R16")
	n.ins("LSL $%d, R16", n.shift())
	n.ins("MOVD %d(R0), R1", tileA)
	n.ins("MOVD %d(R0), R2", tileB)
	n.ins("ADD R16, R2")
	for i, offset := range []int{tileARow, tileACol, tileASeg, tileBCol, tileBSeg} {
		n.ins("MOVD %d(R0), R%d", offset, 3+i)
		n.ins("LSL $%d, R%d", n.shift(), 3+i)
	}
	n.ins("MOVD %d(R0), R9", tileSegs)
	n.ins("MOVD %d(R0), R10", tileRows)
	for rows := 1; rows < neonRows(width); rows++ {
		n.ins("CMP $%d, R10", rows)
		n.ins("BEQ %s", n.to(fmt.Sprint("rows", rows)))
	}
	for rows := neonRows(width); rows > 0; rows-- {
		n.at(fmt.Sprint("rows", rows))
		n.tileOf(rows, width)
	}
}

func (n *neon) tileOf(rows, width int) {
	vectors := max(width, 1)
	label := func(name string) string { return fmt.Sprintf("%s%d", name, rows) }
	for i := range rows * vectors {
		n.zero(i)
	}
	n.ins("CBZ R9, %s", n.to(label("summed")))
	n.at(label("segment"))
	n.ins("MOVD R1, R11")
	n.ins("MOVD R2, R12")
	n.ins("MOVD %d(R0), R8", tileSteps)
	n.ins("CBZ R8, %s", n.to(label("stepped")))
	n.at(label("step"))
	if width == 0 {
		n.fill("(R12)", 24)
	} else {
		n.ins("VLD1 (R12), %s", n.list(24, width))
	}
	n.ins("MOVD R11, R13")
	for r := range rows {
		a := 28 + r%2
		n.fill("(R13)", a)
		if r < rows-1 {
			n.ins("ADD R3, R13")
		}
		for v := range vectors {
			n.fma(r*vectors+v, 24+v, a)
		}
	}
	n.ins("ADD R4, R11")
	n.ins("ADD R6, R12")
	n.ins("SUBS $1, R8")
	n.ins("BNE %s", n.to(label("step")))
	n.at(label("stepped"))
	n.ins("ADD R5, R1")
	n.ins("ADD R7, R2")
	n.ins("SUBS $1, R9")
	n.ins("BNE %s", n.to(label("segment")))
	n.at(label("summed"))
	n.tileEnd(rows, width, label)
}

// tileEnd does what the mode says and stores the sums. R14 is the mode, R12 points to c, R11 is cRow in bytes.
func (n *neon) tileEnd(rows, width int, label func(string) string) {
	vectors := max(width, 1)
	n.ins("MOVD %d(R0), R14", tileMode)
	n.ins("MOVD %d(R0), R12", tileC)
	n.ins("ADD R16, R12")
	n.ins("MOVD %d(R0), R11", tileCRow)
	n.ins("LSL $%d, R11", n.shift())
	mode := func(flag uint, name string, body func()) {
		n.ins("TBZ $%d, R14, %s", bits.TrailingZeros(flag), n.to(label("no"+name)))
		body()
		n.at(label("no" + name))
	}
	load := func(pointer string) {
		if width == 0 {
			n.fill("("+pointer+")", 24)
		} else {
			n.ins("VLD1 (%s), %s", pointer, n.list(24, width))
		}
	}
	mode(modeScale, "scale", func() {
		n.ins("ADD $%d, R0, R13", tileAlpha)
		n.fill("(R13)", 28)
		for i := range rows * vectors {
			n.op("FMUL", i, i, 28)
		}
	})
	mode(modeAdd, "add", func() {
		n.ins("ADD $%d, R0, R13", tileAlpha+n.size)
		n.fill("(R13)", 28)
		n.ins("MOVD R12, R13")
		for r := range rows {
			load("R13")
			for v := range vectors {
				n.fma(r*vectors+v, 24+v, 28)
			}
			n.ins("ADD R11, R13")
		}
	})
	mode(modeBias, "bias", func() {
		n.ins("MOVD %d(R0), R13", tileBias)
		n.ins("ADD R16, R13")
		load("R13")
		for r := range rows {
			for v := range vectors {
				n.op("FADD", r*vectors+v, r*vectors+v, 24+v)
			}
		}
	})
	mode(modeReLU, "relu", func() {
		n.zero(28)
		for i := range rows * vectors {
			n.op("FMAX", i, i, 28)
		}
	})
	for r := range rows {
		if width == 0 {
			n.ins("VST1 %s, (R12)", n.lane(r))
		} else {
			n.ins("VST1 %s, (R12)", n.list(r*vectors, vectors))
		}
		n.ins("ADD R11, R12")
	}
	n.ins("RET")
}

// dots writes inner products: one or two rows of a with one to six of b, over one segment after the other.
func (n *neon) dots() {
	n.function("dot"+n.suffix(), "t *byte, r int, rows int, out *byte",
		"writes the sums of rows 1 or 2, from r on, of a tile of inner products, row by row.")
	n.ins("MOVD t+0(FP), R0")
	n.ins("MOVD r+8(FP), R16")
	n.ins("MOVD rows+16(FP), R10")
	n.ins("MOVD out+24(FP), R17")
	n.ins("MOVD %d(R0), R1", tileA)
	n.ins("MOVD %d(R0), R3", tileARow)
	n.ins("LSL $%d, R3", n.shift())
	n.ins("MUL R3, R16")
	n.ins("ADD R16, R1") // the first row
	n.ins("MOVD %d(R0), R2", tileB)
	n.ins("MOVD %d(R0), R5", tileASeg)
	n.ins("LSL $%d, R5", n.shift())
	n.ins("MOVD %d(R0), R6", tileBCol)
	n.ins("LSL $%d, R6", n.shift())
	n.ins("MOVD %d(R0), R7", tileBSeg)
	n.ins("LSL $%d, R7", n.shift())
	n.ins("MOVD %d(R0), R9", tileSegs)
	n.ins("MOVD %d(R0), R11", tileCols)
	n.ins("CMP $2, R10")
	n.ins("BEQ %s", n.to("two"))
	for rows := 1; rows <= 2; rows++ {
		if rows == 2 {
			n.at("two")
		}
		for columns := 1; columns < maxDotColumns; columns++ {
			n.ins("CMP $%d, R11", columns)
			n.ins("BEQ %s", n.to(fmt.Sprintf("of%dx%d", rows, columns)))
		}
		for columns := maxDotColumns; columns > 0; columns-- {
			n.at(fmt.Sprintf("of%dx%d", rows, columns))
			n.dotOf(rows, columns)
		}
	}
}

const maxDotColumns = 6 // kernel.maxDotCols

// dotOf keeps the sums in registers 0–11, b in 16–21 and a in 24 and 25. R12 and R13 point to the rows of a, R14 and R15
// to b.
func (n *neon) dotOf(rows, columns int) {
	label := func(name string) string { return fmt.Sprintf("%s%dx%d", name, rows, columns) }
	for i := range rows * columns {
		n.zero(i)
	}
	n.ins("CBZ R9, %s", n.to(label("summed")))
	n.at(label("segment"))
	n.ins("MOVD R1, R12")
	n.ins("ADD R3, R1, R13")
	n.ins("MOVD R2, R14")
	n.ins("MOVD %d(R0), R8", tileSteps)
	body := func(whole bool) {
		advance := n.size
		if whole {
			advance = 16
		}
		load := func(pointer string, to int) {
			if whole {
				n.ins("VLD1 (%s), [%s]", pointer, n.v(to))
				return
			}
			n.zero(to)
			n.ins("VLD1 (%s), %s", pointer, n.lane(to))
		}
		load("R12", 24)
		n.ins("ADD $%d, R12", advance)
		if rows == 2 {
			load("R13", 25)
			n.ins("ADD $%d, R13", advance)
		}
		n.ins("MOVD R14, R15")
		for j := range columns {
			load("R15", 16+j)
			if j < columns-1 {
				n.ins("ADD R6, R15")
			}
			for r := range rows {
				n.fma(r*columns+j, 16+j, 24+r)
			}
		}
		n.ins("ADD $%d, R14", advance)
	}
	for _, whole := range []bool{true, false} {
		name, elements := "element", 1
		if whole {
			name, elements = "vector", n.lanes()
		}
		n.at(label(name))
		n.ins("CMP $%d, R8", elements)
		n.ins("BLT %s", n.to(label(name+"done")))
		body(whole)
		n.ins("SUB $%d, R8", elements)
		n.ins("B %s", n.to(label(name)))
		n.at(label(name + "done"))
	}
	n.ins("ADD R5, R1")
	n.ins("ADD R7, R2")
	n.ins("SUBS $1, R9")
	n.ins("BNE %s", n.to(label("segment")))
	n.at(label("summed"))
	for i := range rows * columns {
		n.op("FADDP", i, i, i)
		if n.size == 4 {
			n.op("FADDP", i, i, i)
		}
		n.put(i, "R17", 0)
	}
	n.ins("RET")
}
