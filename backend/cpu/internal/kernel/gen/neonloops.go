package main

import "fmt"

// Loops over slices of n elements. R0 points into dst, R1 into a, R2 into b, R3 counts elements. Registers 0–3 hold
// results, 4–7 the second operand, 8–11 are scratch and 28–31 constants.

func (n *neon) binary() {
	n.function("binary"+n.suffix(), "op int, dst *byte, a *byte, b *byte, n int", "computes dst = op(a, b).")
	n.ins("MOVD op+0(FP), R4")
	for i, name := range []string{"dst", "a", "b", "n"} {
		n.ins("MOVD %s+%d(FP), R%d", name, 8*(i+1), i)
	}
	ops := []string{"FADD", "FSUB", "FMUL", "FDIV", "FMAX", "FMIN"}
	n.choose("R4", len(ops))
	for i, op := range ops {
		name := fmt.Sprint("op", i)
		n.at(name)
		n.loop(name, "R3", func(width int) {
			n.get("R1", 0, width)
			n.get("R2", 4, width)
			for v := range max(width, 1) {
				n.op(op, v, v, 4+v)
			}
			n.put(0, "R0", width)
		})
		n.ins("RET")
	}
}

// choose goes to the label opI if a register holds I.
func (n *neon) choose(register string, count int) {
	for i := 1; i < count; i++ {
		n.ins("CMP $%d, %s", i, register)
		n.ins("BEQ %s", n.to(fmt.Sprint("op", i)))
	}
}

// one fills a register with the number 1.
func (n *neon) one(i int) {
	if n.size == 8 {
		n.ins("MOVD $0x3ff0000000000000, R9")
		n.ins("VDUP R9, %s", n.v(i))
		return
	}
	n.ins("MOVW $0x3f800000, R9")
	n.ins("VDUP R9, %s", n.v(i))
}

func (n *neon) unary() {
	n.function("unary"+n.suffix(), "op int, dst *byte, a *byte, n int",
		"computes dst = op(a) for the operations Neg to Sign.")
	n.ins("MOVD op+0(FP), R4")
	n.ins("MOVD dst+8(FP), R0")
	n.ins("MOVD a+16(FP), R1")
	n.ins("MOVD n+24(FP), R3")
	n.one(28)
	bodies := []func(i int){
		func(i int) { n.op1("FNEG", i, i) },
		func(i int) { n.op1("FABS", i, i) },
		func(i int) { n.op1("FSQRT", i, i) },
		func(i int) { n.op1("FSQRT", i, i); n.op("FDIV", i, 28, i) },
		func(i int) { // 1 where not x < 0
			n.op1("FCMLT", i, i)
			n.ins("WORD $0x%08x // BIC V%d.B16, V28.B16, V%[2]d.B16", 0x4e601c00|i<<16|28<<5|i, i)
		},
		func(i int) { n.op1("FCMGT", i, i); n.ins("VAND V28.B16, V%d.B16, V%[1]d.B16", i) },
		func(i int) {
			n.op1("FCMLT", 8, i)
			n.op1("FCMGT", i, i)
			n.ins("VAND V28.B16, V8.B16, V8.B16")
			n.ins("VAND V28.B16, V%d.B16, V%[1]d.B16", i)
			n.op("FSUB", i, i, 8)
		},
	}
	n.choose("R4", len(bodies))
	for i, body := range bodies {
		name := fmt.Sprint("op", i)
		n.at(name)
		n.loop(name, "R3", func(width int) {
			n.get("R1", 0, width)
			for v := range max(width, 1) {
				body(v)
			}
			n.put(0, "R0", width)
		})
		n.ins("RET")
	}
}

// partial writes a function that combines blocks of 32 elements with 32 partial results, in registers 0–15.
func (n *neon) partial(name, doc string, begin func(registers int), combine func(i, x int)) {
	n.function(name, "acc *byte, x *byte, blocks int", doc)
	n.ins("MOVD acc+0(FP), R0")
	n.ins("MOVD x+8(FP), R1")
	n.ins("MOVD blocks+16(FP), R3")
	registers := 32 / n.lanes()
	begin(registers)
	n.at("block")
	for first := 0; first < registers; first += 4 {
		n.ins("VLD1.P 64(R1), %s", n.list(16, 4))
		for i := range 4 {
			combine(first+i, 16+i)
		}
	}
	n.ins("SUBS $1, R3")
	n.ins("BNE %s", n.to("block"))
	for first := 0; first < registers; first += 4 {
		n.put(first, "R0", 4)
	}
	n.ins("RET")
}

func (n *neon) sum() {
	n.partial("sum"+n.suffix(), "writes the 32 partial sums of blocks ≥ 1 blocks of 32 elements.", func(registers int) {
		for i := range registers {
			n.zero(i)
		}
	}, func(i, x int) { n.op("FADD", i, i, x) })
}

// extreme needs no care for NaN and for zeros: FMAX and FMIN are as IEEE 754-2019 says of maximum and minimum.
func (n *neon) extreme() {
	for _, op := range []string{"FMAX", "FMIN"} {
		n.partial(map[string]string{"FMAX": "most", "FMIN": "least"}[op]+n.suffix(),
			"writes 32 partial maxima, or minima, of blocks ≥ 1 blocks of 32 elements; some are NaN if an element is.",
			func(registers int) {
				n.ins("MOVD R1, R2")
				for first := 0; first < registers; first += 4 {
					n.get("R2", first, 4)
				}
			}, func(i, x int) { n.op(op, i, i, x) })
	}
}

// rows adds rows to dst: the columns of a body stay in registers while R5 walks down the rows.
func (n *neon) rows() {
	n.function("addRows"+n.suffix(), "dst *byte, x *byte, rows int, n int",
		"adds rows ≥ 1 rows of n ≥ 1 elements to dst, in order.")
	n.ins("MOVD dst+0(FP), R0")
	n.ins("MOVD x+8(FP), R1")
	n.ins("MOVD rows+16(FP), R4")
	n.ins("MOVD n+24(FP), R3")
	n.ins("LSL $%d, R3, R6", n.shift())
	n.loop("columns", "R3", func(width int) {
		name, bytes := fmt.Sprint("row", width), max(n.size, 16*width)
		n.ins("MOVD R0, R7")
		n.get("R7", 0, width)
		n.ins("MOVD R1, R5")
		n.ins("MOVD R4, R8")
		n.at(name)
		if width == 0 {
			n.fill("(R5)", 4)
		} else {
			n.ins("VLD1 (R5), %s", n.list(4, width))
		}
		for v := range max(width, 1) {
			n.op("FADD", v, v, 4+v)
		}
		n.ins("ADD R6, R5")
		n.ins("SUBS $1, R8")
		n.ins("BNE %s", n.to(name))
		n.put(0, "R0", width)
		n.ins("ADD $%d, R1", bytes)
	})
	n.ins("RET")
}

// finite adds up products with zero, which are zero or NaN.
func (n *neon) finite() {
	n.function("finite"+n.suffix(), "out *byte, x *byte, n int", "writes four zeros, or NaN among them if one of n elements "+
		"is not finite.")
	n.ins("MOVD out+0(FP), R0")
	n.ins("MOVD x+8(FP), R1")
	n.ins("MOVD n+16(FP), R3")
	for i := range 4 {
		n.zero(i)
	}
	n.zero(28)
	n.loop("x", "R3", func(width int) {
		n.get("R1", 4, width)
		for v := range max(width, 1) {
			n.fma(v, 4+v, 28)
		}
	})
	for i := 1; i < 4; i++ {
		n.op("FADD", 0, 0, i)
	}
	n.put(0, "R0", 1)
	n.ins("RET")
}
