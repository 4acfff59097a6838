package analysis

import (
	"image"
	"image/color"

	"github.com/koopbench/koopbench/core"
)

// Picture shows a snapshot: dark ink on white, value 1 black, values cut to [0,1]. The first two
// axes are rows and columns. Three channels on a third axis are red, green and blue as they are;
// over any other further axes it shows the mean. A snapshot of one axis is a single row.
func Picture(x core.Snapshots, i int) image.Image {
	height, width, channels := PictureShape(x.Shape())
	values := make([]float32, x.Size())
	x.Read(values, i)
	if channels == 3 {
		img := image.NewNRGBA(image.Rect(0, 0, width, height))
		for p := range width * height {
			v := values[3*p : 3*p+3]
			img.SetNRGBA(p%width, p/width, color.NRGBA{level(v[0]), level(v[1]), level(v[2]), 255})
		}
		return img
	}
	img := image.NewGray(image.Rect(0, 0, width, height))
	for p := range img.Pix {
		sum := float32(0)
		for _, v := range values[p*channels : (p+1)*channels] {
			sum += v / float32(channels)
		}
		img.Pix[p] = 255 - level(sum)
	}
	return img
}

// level is the 8-bit value of v in [0,1]; beyond it is cut, and 0 where v is not a number.
func level(v float32) uint8 {
	switch {
	case v >= 1:
		return 255
	case v > 0:
		return uint8(255*v + 0.5)
	}
	return 0
}

// PictureShape is what snapshots of a shape look like: channels are all that stands behind rows and columns.
func PictureShape(shape []int) (height, width, channels int) {
	switch len(shape) {
	case 0:
		return 1, 1, 1
	case 1:
		return 1, shape[0], 1
	}
	channels = 1
	for _, n := range shape[2:] {
		channels *= n
	}
	return shape[0], shape[1], channels
}
