package figure

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// panel is one of several plots side by side, under a title.
type panel struct {
	Title, Subtitle string
	plot            *plot.Plot
	message         string // stands in the middle of the plot, for one without data
	label           string // what it shows, for who cannot see it
}

// Sheet is panels of methods with one legend and a note: a figure, or a section of the page.
type Sheet struct {
	Name, Title string
	Empty       string // stands in place of panels if there is none
	Panels      []panel
	Key         legend
	Note        string
	ratio       float64 // of the height of a panel to its width
	lettering
}

// Short is its title in a list of sections.
func (s Sheet) Short() string {
	if s.Name == "eigenfunctions" {
		return "Eigenfunctions"
	}
	return s.Title
}

// limited has the first panels, and says in its note what is not there.
func (s Sheet) limited(what string, without []string) Sheet {
	if n := len(s.Panels); n > maxPanels {
		s.Panels = s.Panels[:maxPanels]
		s.Note += fmt.Sprintf(" Of the %[1]d methods, only the first %[2]d in the ranking are shown.", n, maxPanels)
	}
	if len(without) > maxPanels {
		without = append(without[:maxPanels:maxPanels], "…")
	}
	if len(without) > 0 {
		s.Note += " Without " + what + ": " + strings.Join(without, ", ") + "."
	}
	return s
}

// Chart is a panel for the page.
func (s Sheet) Chart(p panel) template.HTML {
	const size = 240
	c := newPageSVG(size, math.Round(size*s.ratio))
	p.draw(draw.New(c), s.lettering, nil)
	return c.element("panel", p.label, "")
}

const panelWidth = 2.3 * vg.Inch

// figure lays the panels out in a grid.
func (s Sheet) figure() figure {
	l := s.lettering
	n := len(s.Panels)
	if n == 0 {
		s.Key = nil
	}
	columns := panelColumns(n)
	rows := (n + columns - 1) / columns
	headings := make([]block, n)
	above := make([]vg.Length, rows) // the height of the headings in a row
	const gapX, gapY = vg.Length(14), vg.Length(12)
	height := panelWidth * vg.Length(s.ratio)
	body := vg.Length(0)
	for row := range rows {
		for i := row * columns; i < min(n, (row+1)*columns); i++ {
			headings[i] = append(setBlock(panelWidth-16, l.title, s.Panels[i].Title),
				setBlock(panelWidth-16, l.note, s.Panels[i].Subtitle)...)
			_, h := headings[i].size()
			above[row] = max(above[row], h+3)
		}
		body += above[row] + height + gapY
	}
	keyWidth, keyHeight := s.Key.size()
	grid := vg.Length(columns)*(panelWidth+gapX) - gapX
	width := max(grid+gapX+keyWidth, 3*vg.Inch)
	empty := setBlock(width, l.label, s.Empty)
	if n == 0 {
		_, body = empty.size()
	} else {
		body = max(body-gapY, above[0]+keyHeight)
	}
	note := setBlock(width, l.note, s.Note)
	_, noteHeight := note.size()
	return figure{
		name: s.Name, title: s.Title + " of each method", width: width + 2*margin, height: body + noteHeight + 8 + 2*margin,
		draw: func(c draw.Canvas) {
			note.draw(c, margin, margin+noteHeight, text.XLeft)
			top := c.Max.Y - margin
			if n == 0 {
				empty.draw(c, margin, top, text.XLeft)
				return
			}
			area := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: margin, Y: top - vg.Length(rows)*(height+gapY) + gapY}, Max: vg.Point{X: margin + grid, Y: top},
			}}
			shift := vg.Length(0)
			for row, cells := range plot.Align(tabulate(s.Panels, rows, columns),
				draw.Tiles{Rows: rows, Cols: columns, PadX: gapX, PadY: gapY}, area) {
				shift -= above[row]
				for column, cell := range cells {
					if i := row*columns + column; i < n {
						s.Panels[i].draw(draw.Crop(cell, 0, 0, shift, shift), l, headings[i])
					}
				}
			}
			s.Key.draw(c, margin+grid+gapX, top-above[0])
		},
	}
}

func panelColumns(n int) int {
	switch {
	case n <= 3:
		return max(n, 1)
	case n == 4:
		return 2
	case n <= 9:
		return 3
	}
	return 4
}

// tabulate lays the plots out row by row; nil stands where there is no more.
func tabulate(panels []panel, rows, columns int) [][]*plot.Plot {
	plots := make([][]*plot.Plot, rows)
	for row := range plots {
		plots[row] = make([]*plot.Plot, columns)
		for column := range columns {
			if i := row*columns + column; i < len(panels) {
				plots[row][column] = panels[i].plot
			}
		}
	}
	return plots
}

func (p panel) draw(c draw.Canvas, l lettering, heading block) {
	p.plot.Draw(c)
	data := p.plot.DataCanvas(c)
	_, h := heading.size()
	heading.draw(c, data.Min.X, data.Max.Y+h+3, text.XLeft)
	if p.message != "" {
		letter(c, l.note, data.Center().X, data.Center().Y, text.XCenter, p.message)
	}
}
