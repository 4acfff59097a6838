package figure

import (
	"image/color"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
)

// lettering is the text of a figure: Liberation Sans in a few sizes.
type lettering struct {
	title, label, tick, note text.Style
}

func newLettering() lettering {
	hand := handler{text.Plain{Fonts: font.NewCache(liberation.Collection())}}
	style := func(size float64, c color.Color, weight xfont.Weight) text.Style {
		return text.Style{
			Color: c, Handler: hand,
			Font: font.Font{Typeface: "Liberation", Variant: "Sans", Weight: weight, Size: vg.Points(size)},
		}
	}
	return lettering{
		title: style(9.5, ink, xfont.WeightBold),
		label: style(9.5, ink, xfont.WeightNormal),
		tick:  style(8.5, soft, xfont.WeightNormal),
		note:  style(8, soft, xfont.WeightNormal),
	}
}

// handler writes text as [text.Plain] does and tells the canvas how it is aligned.
type handler struct{ text.Plain }

// Draw writes text.
func (h handler) Draw(c vg.Canvas, txt string, s text.Style, at vg.Point) {
	aligned(c, s.XAlign)
	h.Plain.Draw(c, txt, s, at)
}

// lineHeight is the distance from one baseline to the next.
func lineHeight(s text.Style) vg.Length { return 1.22 * s.Font.Size }

// letter writes one line on a baseline. align is that of the line at x.
func letter(c draw.Canvas, s text.Style, x, baseline vg.Length, align text.XAlignment, line string) {
	face := s.Handler.Cache().Lookup(s.Font, s.Font.Size)
	x += vg.Length(align) * face.Width(line)
	c.SetColor(s.Color)
	aligned(c, align)
	c.FillString(face, vg.Point{X: x, Y: baseline}, line)
}

// block is lines of text with their styles, one under the other.
type block []blockLine

type blockLine struct {
	style text.Style
	text  string
}

// setBlock breaks texts into lines no wider than width.
func setBlock(width vg.Length, style text.Style, texts ...string) block {
	var b block
	for _, t := range texts {
		for _, line := range wrap(style, t, width) {
			b = append(b, blockLine{style, line})
		}
	}
	return b
}

func (b block) size() (width, height vg.Length) {
	for _, l := range b {
		width, height = max(width, l.style.Width(l.text)), height+lineHeight(l.style)
	}
	return width, height
}

// draw writes the block with its upper edge at top.
func (b block) draw(c draw.Canvas, x, top vg.Length, align text.XAlignment) {
	for _, l := range b {
		letter(c, l.style, x, top-0.95*l.style.Font.Size, align, l.text)
		top -= lineHeight(l.style)
	}
}

// wrap breaks text into lines no wider than width: behind a space if there is one, else behind a sign that parts the
// options of a method's label, else behind any other sign, else anywhere.
func wrap(s text.Style, t string, width vg.Length) []string {
	rest := []rune(analysis.Clean(t))
	var lines []string
	for len(rest) > 0 {
		fits := 1
		for fits < len(rest) && s.Width(strings.TrimRight(string(rest[:fits+1]), " ")) <= width {
			fits++
		}
		end := fits
		if fits < len(rest) {
			for _, signs := range []string{" ", "?&,;:", "=-/."} {
				if i := strings.LastIndexAny(string(rest[:fits]), signs); i > 0 {
					end = len([]rune(string(rest[:fits])[:i])) + 1
					break
				}
			}
		}
		lines = append(lines, strings.TrimSpace(string(rest[:end])))
		rest = rest[end:]
	}
	return lines
}

// shorten cuts text to one line no wider than width.
func shorten(s text.Style, t string, width vg.Length) string {
	t = analysis.Clean(t)
	if s.Width(t) <= width {
		return t
	}
	runes := []rune(t)
	for len(runes) > 0 && s.Width(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ") + "…"
}
