package figure

import (
	"gonum.org/v1/plot/vg"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
)

// pictureSize is the size in which snapshots of a shape are shown: their longer side is side, the shorter one in
// proportion but still to be seen.
func pictureSize(shape []int, side vg.Length) (width, height vg.Length) {
	h, w, _ := analysis.PictureShape(shape)
	long := vg.Length(max(h, w))
	return max(side*vg.Length(w)/long, side/6), max(side*vg.Length(h)/long, side/6)
}
