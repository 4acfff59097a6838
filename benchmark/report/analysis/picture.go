package analysis

import (
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// Pictures draws the snapshots of a task: as images, or as curves.
type Pictures struct {
	Height, Width int // of each picture, in pixels
	Colour        bool
	curves        bool
	low, high     float32 // of curves
}

// picturesOf is how the snapshots of a task look. Curves have the range of the first snapshots, and zero in it.
func picturesOf(t results.TaskInfo, known *results.TaskArrays) Pictures {
	if t.Picture == string(core.ImagePicture) {
		height, width, channels := pictureShape(known.Starts.Shape())
		return Pictures{Height: height, Width: width, Colour: channels == 3}
	}
	p := Pictures{Height: 40, Width: 60, curves: true}
	for _, x := range []core.Snapshots{known.Sample, known.Starts} {
		if x.Len() > 0 {
			p.low, p.high = min(p.low, slices.Min(x.Floats())), max(p.high, slices.Max(x.Floats()))
		}
	}
	return p
}

// Note says to what range values are cut.
func (p Pictures) Note() string {
	if !p.curves {
		return "Values are cut to [0, 1]"
	}
	text := fmt.Sprintf("Bars: the values of a snapshot, cut to [%.3g, %.3g]", p.low, p.high)
	return strings.ReplaceAll(text, "-", "−")
}

// Of draws a snapshot: an image as dark ink on white, value 1 black, values cut to [0,1], where the
// first two axes are rows and columns; three channels on a third axis are red, green and blue as they
// are, and over any other further axes it shows the mean. Of a curve it draws all values as bars from
// zero, side by side.
func (p Pictures) Of(x core.Snapshots, i int) image.Image {
	values := make([]float32, x.Size())
	x.Read(values, i)
	if p.curves {
		return p.bars(values)
	}
	height, width, channels := pictureShape(x.Shape())
	if channels == 3 {
		img := image.NewNRGBA(image.Rect(0, 0, width, height))
		for at := range width * height {
			v := values[3*at : 3*at+3]
			img.SetNRGBA(at%width, at/width, color.NRGBA{level(v[0]), level(v[1]), level(v[2]), 255})
		}
		return img
	}
	img := image.NewGray(image.Rect(0, 0, width, height))
	for at := range img.Pix {
		sum := float32(0)
		for _, v := range values[at*channels : (at+1)*channels] {
			sum += v / float32(channels)
		}
		img.Pix[at] = 255 - level(sum)
	}
	return img
}

// bars draws values from zero; with room for it, there is a gap between each two.
func (p Pictures) bars(values []float32) image.Image {
	img := image.NewGray(image.Rect(0, 0, p.Width, p.Height))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	row := func(v float32) int {
		if p.high == p.low {
			return p.Height - 1
		}
		return int(float32(p.Height-1)*min(1, max(0, (p.high-v)/(p.high-p.low))) + 0.5)
	}
	zero := row(0)
	const side = 3 // left empty
	room := p.Width - 2*side
	for x := range room {
		img.SetGray(side+x, zero, color.Gray{170})
	}
	for i, v := range values {
		if !Drawable(float64(v)) {
			continue
		}
		from, to := i*room/len(values), (i+1)*room/len(values)
		if to-from > 3 {
			to--
		}
		for x := from; x < max(to, from+1); x++ {
			for y := min(zero, row(v)); y <= max(zero, row(v)); y++ {
				img.SetGray(side+x, y, color.Gray{34})
			}
		}
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

// pictureShape is what images of a shape look like: channels are all that stands behind rows and columns.
func pictureShape(shape []int) (height, width, channels int) {
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
