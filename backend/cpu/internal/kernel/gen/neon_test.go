package main

import "testing"

// TestWords: the encodings are those that GNU as 2.40 gives for the same instructions.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		op      string
		size    int
		d, a, b int
		want    uint32
	}{
		{"FADD", 4, 0, 1, 2, 0x4e22d420},
		{"FADD", 8, 0, 1, 2, 0x4e62d420},
		{"FSUB", 4, 0, 1, 2, 0x4ea2d420},
		{"FMUL", 4, 0, 1, 2, 0x6e22dc20},
		{"FMUL", 8, 0, 1, 2, 0x6e62dc20},
		{"FDIV", 4, 0, 1, 2, 0x6e22fc20},
		{"FMAX", 4, 0, 1, 2, 0x4e22f420},
		{"FMIN", 4, 0, 1, 2, 0x4ea2f420},
		{"FADDP", 4, 0, 1, 2, 0x6e22d420},
		{"FADDP", 8, 0, 1, 2, 0x6e62d420},
		{"FNEG", 4, 0, 1, 0, 0x6ea0f820},
		{"FABS", 4, 0, 1, 0, 0x4ea0f820},
		{"FSQRT", 4, 0, 1, 0, 0x6ea1f820},
		{"FCMLT", 4, 0, 1, 0, 0x4ea0e820},
		{"FCMGT", 4, 0, 1, 0, 0x4ea0c820},
		{"FMAX", 8, 31, 30, 29, 0x4e7df7df},
	} {
		if got := (&neon{size: c.size}).word(c.op, c.d, c.a, c.b); got != c.want {
			t.Errorf("%s of %d bytes, %d, %d, %d: %08x, want %08x", c.op, c.size, c.d, c.a, c.b, got, c.want)
		}
	}
}
