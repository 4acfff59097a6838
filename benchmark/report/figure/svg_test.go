package figure

import (
	"image"
	"image/color"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// onBoth draws for a file and for the page, 140 pixels or 100 points wide and high.
func onBoth(drawing func(c draw.Canvas)) (file, page string) {
	f, p := newSVG(100, 100), newPageSVG(140, 140)
	drawing(draw.New(f))
	drawing(draw.New(p))
	return string(f.file("<title>")), string(p.element("class", "a & b", ` data-x="1"`))
}

// A file has the values of colours, the page their names; a colour that is no paint is itself.
func TestPaints(t *testing.T) {
	file, page := onBoth(func(c draw.Canvas) {
		c.StrokeLine2(draw.LineStyle{Color: hue(13).faded(0x80), Width: 1}, 0, 0, 10, 10)
		c.FillPolygon(color.NRGBA{1, 2, 3, 0xff}, []vg.Point{{X: 1, Y: 1}, {X: 2, Y: 1}, {X: 1, Y: 2}})
	})
	assert.Contains(t, file, `stroke="#94a4a2" stroke-opacity="0.5" stroke-width="1" d="M0 100L10 90"`)
	assert.Contains(t, page, `stroke="var(--hue3)" stroke-opacity="0.5" stroke-width="1.4" d="M0 140L14 126"`)
	for _, svg := range []string{file, page} {
		assert.Contains(t, svg, `fill="#010203"`)
	}
	assert.Contains(t, file, "<title>&lt;title&gt;</title>")
	assert.Contains(t, page, `<svg class="frame class" viewBox="0 0 140 140" role="img" aria-label="a &amp; b" data-x="1">`)
}

// Every paint is declared once in the style sheet, with both themes.
func TestStyleSheet(t *testing.T) {
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`--(\w+): light-dark\(#[0-9a-f]{6}, #[0-9a-f]{6}\);`).FindAllStringSubmatch(StyleSheet(), -1) {
		assert.False(t, names[m[1]], m[1])
		names[m[1]] = true
	}
	for _, p := range []paint{paper, ink, soft, faint, dim, right, wrong, hue(0), hue(9), edge(0), edge(9)} {
		assert.True(t, names[p.name], p.name)
	}
}

// Strokes of one style are one element, unless one would be seen through the other.
func TestStrokesAreJoined(t *testing.T) {
	elements := func(first, second draw.LineStyle) int {
		_, page := onBoth(func(c draw.Canvas) {
			c.StrokeLine2(first, 0, 0, 1, 1)
			c.StrokeLine2(second, 5, 5, 6, 6)
		})
		return strings.Count(page, "<path")
	}
	line := draw.LineStyle{Color: ink, Width: 1, Dashes: []vg.Length{1, 2}}
	wide, faded, plain := line, line, line
	wide.Width, faded.Color, plain.Dashes = 2, ink.faded(0x80), nil
	assert.Equal(t, 1, elements(line, line))
	for _, other := range []draw.LineStyle{wide, faded, plain} {
		assert.Equal(t, 2, elements(line, other))
	}
	assert.Equal(t, 2, elements(faded, faded))
	assert.Zero(t, elements(draw.LineStyle{Color: ink}, draw.LineStyle{Color: ink}), "a line without width is not drawn")
}

// Discs of one radius are dots of a line; others are circles.
func TestDiscs(t *testing.T) {
	file, _ := onBoth(func(c draw.Canvas) { dot(c, ink, 2, vg.Point{X: 10, Y: 20}, vg.Point{X: 30, Y: 40}) })
	assert.Contains(t, file, `<path stroke-linecap="round" stroke="#1c1c1c" stroke-width="4" d="M10 80h0M30 60h0"/>`)
	file, _ = onBoth(func(c draw.Canvas) {
		var p vg.Path
		disc(&p, vg.Point{X: 10, Y: 20}, 2)
		disc(&p, vg.Point{X: 30, Y: 40}, 3)
		c.Fill(p)
	})
	assert.Contains(t, file, "M12 80a2 2 0 0 0 -4 0a2 2 0 0 0 4 0z")
	assert.NotContains(t, file, "h0")
}

// Texts lie at their points in any font, and turned as they are drawn.
func TestTextsAreAligned(t *testing.T) {
	l := newLettering()
	turned := l.title
	turned.Rotation, turned.XAlign = math.Pi/2, text.XCenter
	file, page := onBoth(func(c draw.Canvas) {
		letter(c, l.tick, 50, 10, text.XRight, "a<b")
		letter(c, l.tick, 50, 30, text.XLeft, "left")
		c.FillText(turned, vg.Point{X: 20, Y: 60}, "up")
	})
	assert.Contains(t, file, `text-anchor="end" fill="#595f69" x="50" y="90">a&lt;b</text>`)
	assert.Contains(t, page, `text-anchor="end" fill="var(--soft)" x="70" y="126">a&lt;b</text>`)
	assert.Contains(t, file, `<text font-size="8.5" fill="#595f69" x="50" y="70">left</text>`)
	assert.Regexp(t, `font-weight="bold" text-anchor="middle" fill="#1c1c1c" transform="translate\([\d.]+ 40\) rotate\(-90\)">up<`, file)
}

// What is grouped is an element of the page, and nothing in a file or on another canvas.
func TestGroups(t *testing.T) {
	line := draw.LineStyle{Color: ink, Width: 1}
	file, page := onBoth(func(c draw.Canvas) {
		c.StrokeLine2(line, 0, 0, 1, 1)
		group(draw.Crop(c, 1, 0, 0, 0), `class="series"`, func() { c.StrokeLine2(line, 2, 2, 3, 3) })
		c.StrokeLine2(line, 4, 4, 5, 5)
	})
	assert.Regexp(t, `(?s)<path [^>]*/>\n<g class="series"><path [^>]*/>\n</g><path [^>]*/>\n</svg>`, page)
	assert.NotContains(t, file, "<g")
	p := newProbe(figure{width: 10, height: 10})
	on := draw.New(p)
	group(on, "", func() { on.StrokeLine2(line, 0, 0, 1, 1) })
	assert.Equal(t, 1, p.strokes)
}

func TestImagesAreEmbedded(t *testing.T) {
	file, _ := onBoth(func(c draw.Canvas) {
		c.DrawImage(vg.Rectangle{Min: vg.Point{X: 10, Y: 20}, Max: vg.Point{X: 40, Y: 60}}, image.NewGray(image.Rect(0, 0, 2, 2)))
	})
	assert.Contains(t, file, `x="10" y="40" width="30" height="40" xlink:href="data:image/png;base64,`)
}
