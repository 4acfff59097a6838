package analysis

import (
	"fmt"
	"image"
	"image/color"
	"math"
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
	Low, High     float32 // what values are cut to
}

// picturesOf is how the snapshots of a task look. Images have the range of the first snapshots, or [0,1] if its ends
// are no more than a quarter away from those; curves have that of the first snapshots, and zero in it.
func picturesOf(t results.TaskInfo, known *results.TaskArrays) Pictures {
	var values []float32
	for _, x := range []core.Snapshots{known.Sample, known.Starts} {
		if x.Len() > 0 {
			values = append(values, slices.Min(x.Floats()), slices.Max(x.Floats()))
		}
	}
	if t.Picture != string(core.ImagePicture) {
		values = append(values, 0)
		return Pictures{Height: 40, Width: 60, curves: true, Low: slices.Min(values), High: slices.Max(values)}
	}
	height, width, channels := pictureShape(known.Starts.Shape())
	p := Pictures{Height: height, Width: width, Colour: channels == 3, High: 1}
	if len(values) == 0 {
		return p
	}
	low, high := float64(slices.Min(values)), float64(slices.Max(values))
	if low < high && max(math.Abs(low), math.Abs(high-1)) > 0.25 {
		p.Low, p.High = float32(low), float32(high)
	}
	return p
}

// Note says to which range values are cut.
func (p Pictures) Note() string {
	of := "Values are"
	if p.curves {
		of = "Bars: the values of a snapshot,"
	}
	return of + strings.ReplaceAll(fmt.Sprintf(" cut to [%.3g, %.3g]", p.Low, p.High), "-", "−")
}

// Of draws a snapshot. An image is dark ink on white, with the highest value black. The first two
// axes are rows and columns. Three channels on a third axis are red, green and blue, unchanged;
// over any other further axes the mean is drawn. A curve is all values as bars from zero, side by
// side.
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
			img.SetNRGBA(at%width, at/width, color.NRGBA{p.level(v[0]), p.level(v[1]), p.level(v[2]), 255})
		}
		return img
	}
	img := image.NewGray(image.Rect(0, 0, width, height))
	for at := range img.Pix {
		sum := float32(0)
		for _, v := range values[at*channels : (at+1)*channels] {
			sum += v / float32(channels)
		}
		img.Pix[at] = 255 - p.level(sum)
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
		if p.High == p.Low {
			return p.Height - 1
		}
		return int(float32(p.Height-1)*min(1, max(0, (p.High-v)/(p.High-p.Low))) + 0.5)
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

// level is the 8-bit value of v in the range; beyond it is cut, and 0 where v is not a number.
func (p Pictures) level(v float32) uint8 {
	switch {
	case v >= p.High:
		return 255
	case v > p.Low:
		return uint8(255*((v-p.Low)/(p.High-p.Low)) + 0.5)
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
