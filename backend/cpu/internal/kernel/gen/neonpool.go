package main

import "fmt"

// pools writes what pools of pool.go writes, for channels and lengths that are multiples of four.
//
// Registers 0–3 hold the values of a window, 4 the best one, 5 it before ReLU, 6 its number, 7 and 8 are scratch, 27 is
// zero and 28–31 the integers 1 to 4.
func (n *neon) pools() {
	constants := func() {
		n.zero(27)
		for i := range 4 {
			n.ins("MOVW $%d, R9", i+1)
			n.ins("VDUP R9, V%d.S4", 28+i)
		}
	}
	n.function("poolRowNEON", "row0 *float32, row1 *float32, out *float32, winner *uint8, cells int, channels int, mode int",
		"pools a row of cells. mode: 0 no ReLU, 1 ReLU, 2 ReLU whose gradient at zero is one. winner may be nil.")
	for i, name := range []string{"row0", "row1", "out", "winner", "cells", "channels", "mode"} {
		n.ins("MOVD %s+%d(FP), R%d", name, 8*i, i)
	}
	n.ins("LSL $2, R5, R6") // bytes of a pixel
	n.ins("MOVD mode+48(FP), R7")
	constants()
	n.choose("R7", 3)
	for mode := range 3 {
		name := fmt.Sprint("op", mode)
		n.at(name)
		n.cells(name, func() { n.pool(mode, name) })
		n.ins("RET")
	}

	n.function("unpoolRowNEON", "grad *float32, winner *uint8, row0 *float32, row1 *float32, cells int, channels int",
		"writes grad, times zero if the winner is dead, at the winners of a row of cells and zeros elsewhere.")
	for i, register := range []int{2, 3, 0, 1, 4, 5} {
		n.ins("MOVD %s+%d(FP), R%d", []string{"grad", "winner", "row0", "row1", "cells", "channels"}[i], 8*i, register)
	}
	n.ins("LSL $2, R5, R6")
	constants()
	n.cells("cell", n.unpool)
	n.ins("RET")

	n.function("rectifyNEON", "y *float32, winner *uint8, n int, mode int",
		"applies ReLU to n ≥ 4 values and records where it passes gradients. mode: 1 or 2 as in poolRow.")
	n.ins("MOVD y+0(FP), R0")
	n.ins("MOVD winner+8(FP), R3")
	n.ins("MOVD n+16(FP), R4")
	n.ins("MOVD mode+24(FP), R7")
	constants()
	n.ins("CMP $2, R7")
	n.ins("BEQ %s", n.to("op2"))
	for mode := 1; mode <= 2; mode++ {
		name := fmt.Sprint("op", mode)
		n.at(name)
		n.ins("VLD1 (R0), [V5.S4]")
		n.zero(6)
		n.dead(mode)
		n.op("FMAX", 4, 5, 27)
		n.ins("VST1.P [V4.S4], 16(R0)")
		n.winners()
		n.ins("SUBS $4, R4")
		n.ins("BNE %s", n.to(name))
		n.ins("RET")
	}

	n.function("reluGradientNEON", "dst *float32, grad *float32, winner *uint8, n int",
		"writes grad where winner is zero and grad · 0 elsewhere, n ≥ 4 values.")
	n.ins("MOVD dst+0(FP), R0")
	n.ins("MOVD grad+8(FP), R2")
	n.ins("MOVD winner+16(FP), R3")
	n.ins("MOVD n+24(FP), R4")
	constants()
	n.at("next")
	n.ins("VLD1.P 16(R2), [V4.S4]")
	n.widened()
	n.op("FMUL", 8, 4, 27)
	n.ins("VCMEQ V27.S4, V6.S4, V7.S4")
	n.ins("VBIT V7.B16, V4.B16, V8.B16")
	n.ins("VST1.P [V8.S4], 16(R0)")
	n.ins("SUBS $4, R4")
	n.ins("BNE %s", n.to("next"))
	n.ins("RET")
}

// cells runs body for each cell and every four of its channels. R0 and R1 point to the pixels at the left of the window,
// R10 and R11 to those at its right.
func (n *neon) cells(name string, body func()) {
	n.at(name + "cell")
	n.ins("ADD R6, R0, R10")
	n.ins("ADD R6, R1, R11")
	n.ins("MOVD R5, R12")
	n.at(name + "channel")
	body()
	n.ins("SUBS $4, R12")
	n.ins("BNE %s", n.to(name+"channel"))
	n.ins("MOVD R10, R0")
	n.ins("MOVD R11, R1")
	n.ins("SUBS $1, R4")
	n.ins("BNE %s", n.to(name+"cell"))
}

func (n *neon) pool(mode int, name string) {
	for q, pointer := range []string{"R0", "R10", "R1", "R11"} {
		n.ins("VLD1.P 16(%s), [V%d.S4]", pointer, q)
	}
	n.ins("VMOV V0.B16, V5.B16")
	if mode == 0 {
		n.ins("VMOV V0.B16, V4.B16")
	} else {
		n.op("FMAX", 4, 0, 27)
	}
	n.zero(6)
	for q := 1; q < 4; q++ {
		v := q
		if mode > 0 {
			v = 9
			n.op("FMAX", 9, q, 27)
		}
		// A NaN is taken whenever it is met, otherwise only what is greater.
		n.op("FCMGTR", 7, v, 4)
		n.op("FCMEQR", 8, v, v)
		n.ins("WORD $0x%08x // ORN V7.B16, V7.B16, V8.B16", 0x4ee01c00|8<<16|7<<5|7)
		n.ins("VBIT V7.B16, V%d.B16, V4.B16", v)
		n.ins("VBIT V7.B16, V%d.B16, V5.B16", q)
		n.ins("VBIT V7.B16, V%d.B16, V6.B16", 27+q)
	}
	n.ins("VST1.P [V4.S4], 16(R2)")
	n.ins("CBZ R3, %s", n.to(name+"unrecorded"))
	if mode > 0 {
		n.dead(mode)
	}
	n.winners()
	n.at(name + "unrecorded")
}

// dead sets the bit of kernel.Dead in register 6 where the gradient of ReLU at register 5 is zero.
func (n *neon) dead(mode int) {
	if mode == 1 {
		n.op1("FCMGT", 7, 5)
		n.ins("WORD $0x%08x // BIC V7.B16, V31.B16, V7.B16", 0x4e601c00|7<<16|31<<5|7)
	} else {
		n.op1("FCMLT", 7, 5)
		n.ins("VAND V31.B16, V7.B16, V7.B16")
	}
	n.ins("VORR V7.B16, V6.B16, V6.B16")
}

// winners stores the four numbers of register 6 as bytes.
func (n *neon) winners() {
	n.ins("VUZP1 V6.B16, V6.B16, V6.B16")
	n.ins("VUZP1 V6.B16, V6.B16, V6.B16")
	n.ins("VST1 V6.S[0], (R3)")
	n.ins("ADD $4, R3")
}

// widened loads four bytes as numbers into register 6.
func (n *neon) widened() {
	n.zero(6)
	n.ins("VLD1 (R3), V6.S[0]")
	n.ins("ADD $4, R3")
	n.ins("VUXTL V6.B8, V6.H8")
	n.ins("VUXTL V6.H4, V6.S4")
}

func (n *neon) unpool() {
	n.ins("VLD1.P 16(R2), [V4.S4]")
	n.widened()
	n.op("FMUL", 8, 4, 27)
	n.ins("VAND V31.B16, V6.B16, V7.B16")
	n.ins("VCMEQ V31.S4, V7.S4, V7.S4") // the dead
	n.ins("VBIT V7.B16, V8.B16, V4.B16")
	n.ins("VAND V30.B16, V6.B16, V6.B16") // the number in the window, 0 to 3
	for q, pointer := range []string{"R0", "R10", "R1", "R11"} {
		number := 27 + q
		n.ins("VCMEQ V%d.S4, V6.S4, V7.S4", number)
		n.ins("VAND V4.B16, V7.B16, V7.B16")
		n.ins("VST1.P [V7.S4], 16(%s)", pointer)
	}
}
