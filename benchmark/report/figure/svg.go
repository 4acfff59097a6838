package figure

import (
	"encoding/base64"
	"fmt"
	"html"
	"html/template"
	"image"
	"math"
	"strconv"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// svgCanvas writes what is drawn on it as SVG: for a file, or for the page, whose style sheet has
// the colours. Besides what a canvas can, it groups what is drawn ([group]) and aligns text.
type svgCanvas struct {
	pen
	out      []byte
	page     bool
	unit     float64         // of the SVG in a point
	rounding float64         // coordinates are multiples of 1/rounding
	align    text.XAlignment // of the next text at its point
	strokes  string          // the element whose path the next stroke of the same style goes on; "" for none
}

var _ vg.CanvasSizer = (*svgCanvas)(nil)

// pageUnit is the size of a point on the page, in pixels.
const pageUnit = 1.4

// newSVG returns a canvas of a size in points for a file.
func newSVG(width, height vg.Length) *svgCanvas {
	c := &svgCanvas{pen: pen{width: width, height: height}, unit: 1, rounding: 100}
	vg.Initialize(c)
	return c
}

// newPageSVG returns one of a size in pixels for the page.
func newPageSVG(width, height float64) *svgCanvas {
	c := newSVG(vg.Length(width/pageUnit), vg.Length(height/pageUnit))
	c.page, c.unit, c.rounding = true, pageUnit, 10
	return c
}

// file is the whole of an SVG file. Text stays text: it names the fonts whose letters are as wide as
// Liberation Sans's for viewers that lack it.
func (c *svgCanvas) file(title string) []byte {
	c.endStrokes()
	return fmt.Appendf(nil, `<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" `+
		`width="%.5[1]gpt" height="%.5[2]gpt" viewBox="0 0 %.5[1]g %.5[2]g" role="img" fill="none" `+
		`stroke-linejoin="round" style="image-rendering:pixelated" font-family="'Liberation Sans',Arial,Helvetica,sans-serif">
<title>%[3]s</title>
%[4]s</svg>
`, c.width.Points(), c.height.Points(), html.EscapeString(title), c.out)
}

// element is an element of the page. label says in words what the drawing shows; without one it is
// decoration beside words, and has its own size.
func (c *svgCanvas) element(class, label, attributes string) template.HTML {
	c.endStrokes()
	w, h := c.num(nil, c.width), c.num(nil, c.height)
	said := fmt.Sprintf(`width="%s" height="%s" aria-hidden="true" focusable="false"`, w, h)
	if label != "" {
		said = fmt.Sprintf(`role="img" aria-label="%s"`, html.EscapeString(label))
	}
	return template.HTML(fmt.Sprintf(`<svg class="frame %s" viewBox="0 0 %s %s" %s%s>%s</svg>`, class, w, h, said,
		attributes, c.out))
}

// svgOf is the canvas below parts of it, nil where that writes no SVG.
func svgOf(c vg.Canvas) *svgCanvas {
	for {
		switch of := c.(type) {
		case *svgCanvas:
			return of
		case draw.Canvas:
			c = of.Canvas
		case *draw.Canvas:
			c = of.Canvas
		default:
			return nil
		}
	}
}

// group makes what is drawn one element of the page with these attributes. Elsewhere it draws.
func group(c vg.Canvas, attributes string, drawing func()) {
	s := svgOf(c)
	if s == nil || !s.page {
		drawing()
		return
	}
	s.endStrokes()
	s.out = fmt.Appendf(s.out, "<g %s>", attributes)
	drawing()
	s.endStrokes()
	s.out = append(s.out, "</g>"...)
}

// aligned says where a text lies at the point at which it is written next, so that it stays there in
// a font of other widths.
func aligned(c vg.Canvas, align text.XAlignment) {
	if s := svgOf(c); s != nil {
		s.align = align
	}
}

// Stroke strokes a path. Paths of one style that follow one another become one, unless they are to be
// seen through one another.
func (c *svgCanvas) Stroke(path vg.Path) {
	if c.now.width <= 0 {
		return
	}
	b := append([]byte(`<path`), c.paint("stroke")...)
	b = c.attribute(b, "stroke-width", c.now.width)
	if len(c.now.dashes) > 0 {
		b = append(b, ` stroke-dasharray="`...)
		for i, dash := range c.now.dashes {
			if i > 0 {
				b = append(b, ' ')
			}
			b = c.num(b, dash)
		}
		b = append(b, '"')
	}
	if style := string(b); style != c.strokes || paintOf(c.now.color).alpha < 0xff {
		c.endStrokes()
		c.out = append(append(c.out, style...), ` d="`...)
		c.strokes = style
	}
	c.out = c.path(c.out, path)
}

func (c *svgCanvas) endStrokes() {
	if c.strokes != "" {
		c.out, c.strokes = append(c.out, "\"/>\n"...), ""
	}
}

// Fill fills a path. Discs of one radius become the dots of a line with round caps, which is short.
func (c *svgCanvas) Fill(path vg.Path) {
	c.endStrokes()
	if radius, ok := discs(path); ok {
		c.out = append(append(c.out, `<path stroke-linecap="round"`...), c.paint("stroke")...)
		c.out = append(c.attribute(c.out, "stroke-width", 2*radius), ` d="`...)
		for _, part := range path {
			if part.Type == vg.ArcComp {
				c.out = append(c.point(append(c.out, 'M'), part.Pos), "h0"...)
			}
		}
	} else {
		c.out = append(append(append(c.out, `<path`...), c.paint("fill")...), ` d="`...)
		c.out = c.path(c.out, path)
	}
	c.out = append(c.out, "\"/>\n"...)
}

// discs reports whether a path is whole circles of one radius.
func discs(path vg.Path) (radius vg.Length, ok bool) {
	for _, part := range path {
		switch part.Type {
		case vg.ArcComp:
			if radius != 0 && part.Radius != radius {
				return 0, false
			}
			radius = part.Radius
		case vg.MoveComp, vg.CloseComp:
		default:
			return 0, false
		}
	}
	return radius, radius > 0
}

// FillString writes text.
func (c *svgCanvas) FillString(face font.Face, at vg.Point, line string) {
	c.endStrokes()
	at.X -= vg.Length(c.align) * face.Width(line)
	b := c.attribute(append(c.out, `<text`...), "font-size", face.Font.Size)
	if face.Font.Weight == xfont.WeightBold {
		b = append(b, ` font-weight="bold"`...)
	}
	switch c.align {
	case text.XCenter:
		b = append(b, ` text-anchor="middle"`...)
	case text.XRight:
		b = append(b, ` text-anchor="end"`...)
	}
	c.align = text.XLeft
	b = append(b, c.paint("fill")...)
	at = c.turned(at)
	if c.now.turn == 0 {
		b = c.attribute(c.attribute(b, "x", at.X), "y", c.height-at.Y)
	} else {
		b = fmt.Appendf(b, ` transform="translate(%s) rotate(%.4g)"`, c.point(nil, at), -c.now.turn*180/math.Pi)
	}
	c.out = append(append(append(b, '>'), html.EscapeString(line)...), "</text>\n"...)
}

// DrawImage draws an image, which must not be turned.
func (c *svgCanvas) DrawImage(r vg.Rectangle, img image.Image) {
	c.endStrokes()
	c.out = c.attribute(append(c.out, `<image preserveAspectRatio="none"`...), "x", r.Min.X)
	c.out = c.attribute(c.out, "y", c.height-r.Max.Y)
	c.out = c.attribute(c.attribute(c.out, "width", r.Size().X), "height", r.Size().Y)
	c.out = fmt.Appendf(c.out, " xlink:href=\"data:image/png;base64,%s\"/>\n",
		base64.StdEncoding.EncodeToString(pngOf(img)))
}

// paint writes the colour as an attribute of the name, and its opacity.
func (c *svgCanvas) paint(attribute string) string {
	p := paintOf(c.now.color)
	value := fmt.Sprintf("#%06x", p.light)
	if c.page && p.name != "" {
		value = "var(--" + p.name + ")"
	}
	if p.alpha == 0xff {
		return fmt.Sprintf(` %s="%s"`, attribute, value)
	}
	return fmt.Sprintf(` %s="%s" %[1]s-opacity="%.2[3]g"`, attribute, value, float64(p.alpha)/0xff)
}

func (c *svgCanvas) attribute(b []byte, name string, l vg.Length) []byte {
	b = append(append(append(b, ' '), name...), `="`...)
	return append(c.num(b, l), '"')
}

// num writes a length in units of the SVG.
func (c *svgCanvas) num(b []byte, l vg.Length) []byte {
	v := math.Round(l.Points()*c.unit*c.rounding) / c.rounding
	return strconv.AppendFloat(b, v+0, 'f', -1, 64) // + 0 makes 0 of −0
}

// point writes a point, with y downward.
func (c *svgCanvas) point(b []byte, at vg.Point) []byte {
	return c.num(append(c.num(b, at.X), ' '), c.height-at.Y)
}

// path writes the data of a path, which has straight lines and whole circles alone.
func (c *svgCanvas) path(b []byte, path vg.Path) []byte {
	for _, part := range path {
		switch part.Type {
		case vg.MoveComp:
			b = c.point(append(b, 'M'), part.Pos)
		case vg.LineComp:
			b = c.point(append(b, 'L'), part.Pos)
		case vg.ArcComp:
			r := c.num(nil, part.Radius)
			b = c.point(append(b, 'M'), part.Pos.Add(vg.Point{X: part.Radius}))
			b = fmt.Appendf(b, "a%[1]s %[1]s 0 0 0 -%[2]s 0a%[1]s %[1]s 0 0 0 %[2]s 0", r, c.num(nil, 2*part.Radius))
		case vg.CloseComp:
			b = append(b, 'z')
		default:
			panic("the only curves of a figure are circles")
		}
	}
	return b
}
