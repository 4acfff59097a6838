package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// drawing is SVG for the page. Colours and lines are classes, which the page's style sheet defines for light and dark.
type drawing struct {
	strings.Builder
}

func (d *drawing) add(format string, values ...any) { fmt.Fprintf(d, format, values...) }

// html closes what was drawn into an svg element. label says in words what the drawing shows; attributes is added to the
// element.
func (d *drawing) html(class string, width, height float64, label, attributes string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="frame %s" viewBox="0 0 %s %s" role="img" aria-label="%s"%s>%s</svg>`,
		class, num(width), num(height), html.EscapeString(label), attributes, d.String()))
}

// num writes a coordinate to a tenth of a unit.
func num(v float64) string {
	text := strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
	if text == "-0" {
		return "0"
	}
	return text
}

// chart is a pair of axes in a drawing.
type chart struct {
	drawing
	width, height            float64
	left, right, top, bottom float64 // of the axes
	x, y                     axis
}

func newChart(width, height float64, margins [4]float64, x, y axis) *chart {
	c := &chart{
		width: width, height: height, left: margins[3], right: width - margins[1], top: margins[0], bottom: height - margins[2], x: x, y: y,
	}
	c.add(`<g class="grid">`)
	for _, t := range x.ticks {
		c.add(`<path d="M%s %sV%s"/>`, num(c.toX(t.Value)), num(c.top), num(c.bottom))
	}
	for _, t := range y.ticks {
		c.add(`<path d="M%s %sH%s"/>`, num(c.left), num(c.toY(t.Value)), num(c.right))
	}
	c.add(`</g><path class="axis" d="M%s %sV%sH%s"/>`, num(c.left), num(c.top), num(c.bottom), num(c.right))
	for _, t := range x.ticks {
		c.add(`<text class="tick" x="%s" y="%s" text-anchor="middle">%s</text>`, num(c.toX(t.Value)), num(c.bottom+17), html.EscapeString(t.Label))
	}
	for _, t := range y.ticks {
		c.add(`<text class="tick" x="%s" y="%s" text-anchor="end">%s</text>`, num(c.left-7), num(c.toY(t.Value)+4), html.EscapeString(t.Label))
	}
	c.add(`<text x="%s" y="%s" text-anchor="middle">%s</text>`, num((c.left+c.right)/2), num(c.height-5), html.EscapeString(x.label))
	c.add(`<text transform="translate(%s %s) rotate(-90)" text-anchor="middle">%s</text>`, num(13), num((c.top+c.bottom)/2), html.EscapeString(y.label))
	return c
}

// leftMargin is the room that the labels along an upright axis and its name take.
func leftMargin(y axis) float64 {
	longest := 0
	for _, t := range y.ticks {
		longest = max(longest, utf8.RuneCountInString(t.Label))
	}
	return max(44, 30+7.6*float64(longest))
}

func (c *chart) toX(v float64) float64 {
	return c.left + (c.right-c.left)*(v-c.x.min)/(c.x.max-c.x.min)
}

func (c *chart) toY(v float64) float64 {
	return c.bottom - (c.bottom-c.top)*(v-c.y.min)/(c.y.max-c.y.min)
}

// path joins points, broken where a value cannot be drawn. A point alone becomes a dot of a round cap.
func (c *chart) path(x, y []float64) string {
	var b strings.Builder
	open := false
	for i := range min(len(x), len(y)) {
		if !drawable(x[i]) || !drawable(y[i]) {
			open = false
			continue
		}
		command := "L"
		if !open {
			command = "M"
		}
		fmt.Fprintf(&b, "%s%s %s", command, num(c.toX(x[i])), num(c.toY(y[i])))
		if !open && (i+1 >= len(y) || !drawable(y[i+1])) {
			b.WriteString("h0")
		}
		open = true
	}
	return b.String()
}

// dots is a path that round caps turn into a dot at each point.
func (c *chart) dots(x, y []float64) string {
	var b strings.Builder
	for i := range min(len(x), len(y)) {
		if drawable(x[i]) && drawable(y[i]) {
			fmt.Fprintf(&b, "M%s %sh0", num(c.toX(x[i])), num(c.toY(y[i])))
		}
	}
	return b.String()
}

// hueClass is the class that gives an element the colour of a method.
func hueClass(l look) string { return fmt.Sprintf("h%d", l.colour) }

// mark is the marker of a method, as in the figures, around a point.
func mark(l look, x, y, radius float64) string {
	m := markers[l.marker]
	class := "mark " + hueClass(l)
	if m.corners == 0 {
		return fmt.Sprintf(`<circle class="%s" cx="%s" cy="%s" r="%s"/>`, class, num(x), num(y), num(0.9*radius))
	}
	var b strings.Builder
	for i := range 2 * m.corners {
		r := 1.15 * radius
		if i%2 == 1 {
			if m.inner == 1 {
				continue
			}
			r *= float64(m.inner)
		}
		sin, cos := math.Sincos(math.Pi/2*m.turn + math.Pi*float64(i)/float64(m.corners))
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&b, "%s%s %s", command, num(x+r*cos), num(y-r*sin))
	}
	return fmt.Sprintf(`<path class="%s" d="%sz"/>`, class, b.String())
}

// dashArray is the attribute that dashes the line of a method as in the figures.
func dashArray(lengths []vg.Length) string {
	if len(lengths) == 0 {
		return ""
	}
	parts := make([]string, len(lengths))
	for i, l := range lengths {
		parts[i] = num(1.4 * float64(l))
	}
	return ` stroke-dasharray="` + strings.Join(parts, " ") + `"`
}

// swatch is a small picture beside a name: decoration to a screen reader.
func swatch(width float64, content string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg width="%s" height="14" viewBox="0 0 %[1]s 14" aria-hidden="true" focusable="false">%s</svg>`, num(width), content))
}

func lineSwatch(l look) template.HTML {
	line := fmt.Sprintf(`<path class="curve %s" d="M1 7H33"%s/>`, hueClass(l), dashArray(dashes[l.dash]))
	return swatch(34, line+mark(l, 17, 7, 5))
}

// levelSwatch is the line of a baseline, or its dots.
func levelSwatch(name string, width float64) template.HTML {
	if name != persistenceName {
		return swatch(width, fmt.Sprintf(`<path class="level %s" d="M1 7H%s"/>`, name, num(width-1)))
	}
	path := ""
	for x := 7.0; x <= width-7; x += 10 {
		path += "M" + num(x) + " 7h0"
	}
	return swatch(width, fmt.Sprintf(`<path class="dots leaps" d="%s"/>`, path))
}

func markSwatch(l look) template.HTML { return swatch(14, mark(l, 7, 7, 5)) }

// logAxis is an axis of powers of ten, whose positions are decimal logarithms of positive values.
func logAxis(label string, low, high float64) axis {
	a := axis{label: label, min: math.Log10(low), max: math.Log10(high)}
	if a.max-a.min < 0.6 {
		middle := (a.min + a.max) / 2
		a.min, a.max = middle-0.3, middle+0.3
	}
	room := 0.07 * (a.max - a.min)
	a.min, a.max = a.min-room, a.max+room
	factors := []float64{1}
	switch span := a.max - a.min; {
	case span < 1.2:
		factors = []float64{1, 1.5, 2, 3, 5, 7}
	case span < 3:
		factors = []float64{1, 2, 5}
	}
	every := max(1, int(math.Ceil((a.max-a.min)/8)))
	for power := int(math.Floor(a.min)); power <= int(math.Ceil(a.max)); power++ {
		if power%every != 0 {
			continue
		}
		for _, f := range factors {
			v := math.Log10(f) + float64(power)
			if v >= a.min && v <= a.max {
				a.ticks = append(a.ticks, plot.Tick{Value: v, Label: logLabel(f, power)})
			}
		}
	}
	return a
}

func logLabel(factor float64, power int) string {
	if power < -3 || power > 4 {
		return fmt.Sprintf("%ge%d", factor, power)
	}
	digits := -power
	if factor != math.Trunc(factor) {
		digits++
	}
	return strconv.FormatFloat(factor*math.Pow10(power), 'f', max(0, digits), 64)
}
