package kernel

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

// TestTileLayout pins the offsets that gen/tile.go uses.
func TestTileLayout(t *testing.T) {
	check := func(size uintptr, offsets ...uintptr) {
		assert.Equal(t, []uintptr{0, 24, 48, 72, 96, 104, 112, 120, 128, 136, 144, 152, 160, 168, 176, 184, 192, 192 + size},
			offsets)
	}
	var s tile[float32]
	check(4, unsafe.Offsetof(s.a), unsafe.Offsetof(s.b), unsafe.Offsetof(s.c), unsafe.Offsetof(s.bias),
		unsafe.Offsetof(s.aRow),
		unsafe.Offsetof(s.aCol), unsafe.Offsetof(s.aSeg), unsafe.Offsetof(s.bCol), unsafe.Offsetof(s.bSeg),
		unsafe.Offsetof(s.cRow),
		unsafe.Offsetof(s.cCol), unsafe.Offsetof(s.rows), unsafe.Offsetof(s.cols), unsafe.Offsetof(s.steps),
		unsafe.Offsetof(s.segs),
		unsafe.Offsetof(s.mode), unsafe.Offsetof(s.alpha), unsafe.Offsetof(s.beta))
	var d tile[float64]
	check(8, unsafe.Offsetof(d.a), unsafe.Offsetof(d.b), unsafe.Offsetof(d.c), unsafe.Offsetof(d.bias),
		unsafe.Offsetof(d.aRow),
		unsafe.Offsetof(d.aCol), unsafe.Offsetof(d.aSeg), unsafe.Offsetof(d.bCol), unsafe.Offsetof(d.bSeg),
		unsafe.Offsetof(d.cRow),
		unsafe.Offsetof(d.cCol), unsafe.Offsetof(d.rows), unsafe.Offsetof(d.cols), unsafe.Offsetof(d.steps),
		unsafe.Offsetof(d.segs),
		unsafe.Offsetof(d.mode), unsafe.Offsetof(d.alpha), unsafe.Offsetof(d.beta))
}
