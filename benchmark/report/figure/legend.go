package figure

import (
	"cmp"
	"html/template"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// legend stands to the right of the axes, where it hides nothing.
type legend []LegendEntry

// LegendEntry is a sample of what is drawn, and its name.
type LegendEntry struct {
	Name, Remark string
	style        text.Style
	sample       func(draw.Canvas) // draws into a box of the size of a sample
	narrow       bool              // the sample is a point, not a line
	Apart        bool              // from what is above
	// Of a line of accuracies: the name of its series, its values by step, and whether it is drawn.
	Series string
	At     func(step int) float64
	Drawn  bool
	level  string // that a file shows in brackets; on the page it has a column
}

const (
	sampleGap   = vg.Length(5)
	legendWidth = vg.Length(190) // the widest that a legend may be
	apart       = vg.Length(7)
)

func (e LegendEntry) sampleWidth() vg.Length {
	if e.narrow {
		return 10
	}
	return 24
}

func (e LegendEntry) indent() vg.Length { return e.sampleWidth() + sampleGap }

func (e LegendEntry) text() string {
	if brackets := cmp.Or(e.Remark, e.level); brackets != "" {
		return e.Name + " (" + brackets + ")"
	}
	return e.Name
}

func (e LegendEntry) block() block { return setBlock(legendWidth-e.indent(), e.style, e.text()) }

func (e LegendEntry) height() vg.Length {
	_, h := e.block().size()
	return h + 2
}

func (e LegendEntry) gap() vg.Length {
	if e.Apart {
		return apart
	}
	return 0
}

func (l legend) size() (width, height vg.Length) {
	for _, e := range l {
		w, _ := e.block().size()
		width, height = max(width, e.indent()+w), height+e.gap()+e.height()
	}
	return width, height
}

// Swatch is the sample for the page.
func (e LegendEntry) Swatch() template.HTML {
	return swatch(float64(e.sampleWidth()*pageUnit), e.sample)
}

// draw draws the legend with its upper left corner at x, top.
func (l legend) draw(c draw.Canvas, x, top vg.Length) {
	for _, e := range l {
		top -= e.gap()
		e.block().draw(c, x+e.indent(), top, text.XLeft)
		e.sample(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: x, Y: top - lineHeight(e.style)}, Max: vg.Point{X: x + e.sampleWidth(), Y: top},
		}})
		top -= e.height()
	}
}
