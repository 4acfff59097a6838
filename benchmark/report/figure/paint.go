package figure

import (
	"fmt"
	"image/color"
	"strings"
)

// paint is a colour of the figures: on paper, and on the page in the light and the dark theme,
// where the style sheet knows it by its name.
type paint struct {
	name        string
	light, dark uint32 // 0xRRGGBB
	alpha       uint8
}

var _ color.Color = paint{}

// RGBA is the colour on paper.
func (p paint) RGBA() (r, g, b, a uint32) {
	return color.NRGBA{uint8(p.light >> 16), uint8(p.light >> 8), uint8(p.light), p.alpha}.RGBA()
}

func (p paint) faded(alpha uint8) paint {
	p.alpha = alpha
	return p
}

var (
	paper = paint{"paper", 0xffffff, 0x14171a, 0xff}
	ink   = paint{"ink", 0x1c1c1c, 0xe8eaed, 0xff}
	soft  = paint{"soft", 0x595f69, 0xa3abb5, 0xff}
	faint = paint{"grid", 0xe7e9ec, 0x2a2f35, 0xff}
	dim   = paint{"axis", 0x6b7280, 0x8b939d, 0xff}
	right = paint{"right", 0x00724a, 0x4fce9b, 0xff}
	wrong = paint{"wrong", 0xc61a1a, 0xff8a80, 0xff}
)

// palette is the sequence of ten colours of M. A. Petroff, "Accessible Color Sequences for Data
// Visualization" (2021, arXiv:2107.02270), chosen by optimisation to stay apart under
// colour-vision deficiencies, and what takes the place of each on dark paper.
var palette = [10][2]uint32{
	{0x3f90da, 0x62a8ea}, {0xffa90e, 0xffb938}, {0xbd1f01, 0xf0614a}, {0x94a4a2, 0xa9b8b6}, {0x832db6, 0xb57be0},
	{0xa96b59, 0xc98d7b}, {0xe76300, 0xff8a3c}, {0xb9ac70, 0xcdc183}, {0x717581, 0x9a9fae}, {0x92dadd, 0x92dadd},
}

// edges set the colours of the palette off from paper and from one another.
var edges = [len(palette)][2]uint32{
	{0x1f6fb8, 0x9ecbf5}, {0xa86b00, 0xffd78c}, {0x8a1600, 0xffa08f}, {0x64746f, 0xd4dedc}, {0x5f1a88, 0xd8b4f3},
	{0x7e4938, 0xe8bfb2}, {0xa84700, 0xffbd8f}, {0x7d713a, 0xe8e0b4}, {0x4b4f5a, 0xc8ccd8}, {0x3c898d, 0xc9f0f2},
}

func hue(i int) paint { return numbered("hue", palette, i) }

func edge(i int) paint { return numbered("edge", edges, i) }

func numbered(name string, of [len(palette)][2]uint32, i int) paint {
	i = (i%len(of) + len(of)) % len(of)
	return paint{fmt.Sprint(name, i), of[i][0], of[i][1], 0xff}
}

// StyleSheet declares the paints for the page.
func StyleSheet() string {
	all := []paint{paper, ink, soft, faint, dim, right, wrong}
	for i := range palette {
		all = append(all, hue(i), edge(i))
	}
	var b strings.Builder
	b.WriteString(":root {\n")
	for _, p := range all {
		fmt.Fprintf(&b, "  --%s: light-dark(#%06x, #%06x);\n", p.name, p.light, p.dark)
	}
	b.WriteString("}\n")
	return b.String()
}
