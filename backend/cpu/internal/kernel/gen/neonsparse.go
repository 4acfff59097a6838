package main

import "fmt"

// sparse writes what sparse of sparse.go writes, one row of the kernel in a call: four registers of 16 channels a tap,
// 0–19 for the sums or weights, 20–23 pixels, 24 the gradient, 25 the sum of gradients.
//
// R0 points to sums or weights, R1 to the list, R2 to the image, R3 counts entries, R4 is a pixel in bytes, R5 points to
// the pixels under the kernel.
func (n *neon) sparse() {
	for _, taps := range []int{3, 5} {
		n.function(fmt.Sprintf("sparseKernel%dNEON", taps),
			"acc *float32, sum *float32, image *float32, list *byte, n int, pixel int",
			"adds gradient · pixels under a row of the kernel to acc, and the gradients to sum.")
		n.ins("MOVD acc+0(FP), R0")
		n.ins("MOVD sum+8(FP), R6")
		n.ins("MOVD image+16(FP), R2")
		n.ins("MOVD list+24(FP), R1")
		n.ins("MOVD n+32(FP), R3")
		n.ins("MOVD pixel+40(FP), R4")
		n.ins("MOVD R0, R7")
		for tap := range taps {
			n.get("R7", 4*tap, 4)
		}
		n.fill("(R6)", 25)
		n.entries(taps, func() { n.op("FADD", 25, 25, 24) }, func(tap int) {
			n.ins("VLD1 (R5), %s", n.list(20, 4))
			for q := range 4 {
				n.fma(4*tap+q, 20+q, 24)
			}
		})
		for tap := range taps {
			n.put(4*tap, "R0", 4)
		}
		n.ins("VST1 %s, (R6)", n.lane(25))
		n.ins("RET")

		n.function(fmt.Sprintf("sparseInput%dNEON", taps),
			"weights *float32, image *float32, list *byte, n int, pixel int, stride int",
			"adds gradient · weights to the pixels under a row of the kernel. The weights of the taps are stride bytes apart, "+
				"last tap first.")
		n.ins("MOVD weights+0(FP), R0")
		n.ins("MOVD image+8(FP), R2")
		n.ins("MOVD list+16(FP), R1")
		n.ins("MOVD n+24(FP), R3")
		n.ins("MOVD pixel+32(FP), R4")
		n.ins("MOVD stride+40(FP), R6")
		for tap := taps - 1; tap >= 0; tap-- {
			n.ins("VLD1 (R0), %s", n.list(4*tap, 4))
			n.ins("ADD R6, R0")
		}
		n.entries(taps, func() {}, func(tap int) {
			n.ins("VLD1 (R5), %s", n.list(20, 4))
			for q := range 4 {
				n.fma(20+q, 4*tap+q, 24)
			}
			n.ins("VST1 %s, (R5)", n.list(20, 4))
		})
		n.ins("RET")
	}
}

// entries repeats body for every entry of the list and every tap.
func (n *neon) entries(taps int, each func(), body func(tap int)) {
	n.ins("CBZ R3, %s", n.to("done"))
	n.at("entry")
	n.ins("MOVD (R1), R5")
	n.ins("ADD R2, R5")
	n.ins("ADD $8, R1, R7")
	n.fill("(R7)", 24)
	each()
	for tap := range taps {
		body(tap)
		if tap < taps-1 {
			n.ins("ADD R4, R5")
		}
	}
	n.ins("ADD $16, R1")
	n.ins("SUBS $1, R3")
	n.ins("BNE %s", n.to("entry"))
	n.at("done")
}
