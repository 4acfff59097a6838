package report

import (
	"fmt"
	"image/color"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var (
	rightColor = color.NRGBA{0x00, 0x7a, 0x4d, 0xff}
	wrongColor = color.NRGBA{0xd6, 0x1f, 0x1f, 0xff}
)

// startTitle stands before the state of the snapshot that a roll-out starts from.
const startTitle = "Start: "

// rolloutRow is a row of the roll-out: a method, and its predictions from the first test snapshot.
type rolloutRow struct {
	name    block
	message string // in the place of images
	exhibit exhibit
	right   []bool // by column: the oracle saw the true state
}

// rollout draws the first test snapshot and, for each method, the images predicted from it, step after step, with the
// label that the oracle gives each: green where it is the true state, red where it is not.
func (m *material) rollout(l lettering) figure {
	const gap, between, nameGap = vg.Length(2.5), vg.Length(9), vg.Length(8)
	cellWidth, cellHeight := pictureSize(m.task.Starts.Shape(), 0.42*vg.Inch)
	pitch := max(cellWidth, l.note.Width(strconv.Itoa(m.steps)), l.title.Width(m.columnTitle(m.steps))) + gap
	rows := m.rolloutRows(l, 1.75*vg.Inch)
	nameWidth := l.note.Width(stateWord(m.results.Task))
	for _, row := range rows {
		w, _ := row.name.size()
		nameWidth = max(nameWidth, w)
	}
	first := max(pitch-gap, l.title.Width(m.columnTitle(0))) // the column of the start
	grid := first + between + vg.Length(len(m.columns))*pitch - gap
	width := max(nameWidth+nameGap+grid, 3.2*vg.Inch)
	heights := make([]vg.Length, len(rows))
	header := lineHeight(l.note) + lineHeight(l.title) + 3
	body := header
	for i, row := range rows {
		_, h := row.name.size()
		heights[i] = max(cellHeight, h) + 4
		body += heights[i]
	}
	note := setBlock(width, l.note, m.rolloutNote())
	_, noteHeight := note.size()
	return figure{
		name: "rollout", title: "Images predicted by each method, step after step",
		width: width + 2*margin, height: body + 6 + noteHeight + 2*margin,
		draw: func(c draw.Canvas) {
			note.draw(c, margin, margin+noteHeight, text.XLeft)
			top := c.Max.Y - margin
			edge := margin + nameWidth
			left := edge + nameGap
			center := func(column int) vg.Length { // −1 is the start
				if column < 0 {
					return left + first/2
				}
				return left + first + between + vg.Length(column)*pitch + (pitch-gap)/2
			}
			stepLine, stateLine := top-l.note.Font.Size, top-lineHeight(l.note)-l.title.Font.Size
			letter(c, l.note, edge, stepLine, text.XRight, "step")
			letter(c, l.note, edge, stateLine, text.XRight, stateWord(m.results.Task))
			letter(c, l.title, center(-1), stateLine, text.XCenter, m.columnTitle(0))
			for i, step := range m.columns {
				letter(c, l.note, center(i), stepLine, text.XCenter, strconv.Itoa(step))
				letter(c, l.title, center(i), stateLine, text.XCenter, m.columnTitle(step))
			}
			top -= header
			for i, row := range rows {
				middle := top - heights[i]/2
				_, h := row.name.size()
				row.name.draw(c, edge, middle+h/2, text.XRight)
				cell := func(column int) vg.Rectangle {
					at := vg.Point{X: center(column) - cellWidth/2, Y: middle - cellHeight/2}
					return vg.Rectangle{Min: at, Max: at.Add(vg.Point{X: cellWidth, Y: cellHeight})}
				}
				if m.task.Starts.Len() > 0 {
					c.DrawImage(cell(-1), picture(m.task.Starts, 0))
				}
				for column, img := range row.exhibit.images {
					c.DrawImage(cell(column), img)
					inset(c, l, cell(column), row.exhibit.labels[column], row.right[column])
				}
				if row.message != "" {
					x := center(0) - (pitch-gap)/2
					letter(c, l.label, x, middle-0.35*l.label.Font.Size, text.XLeft, shorten(l.label, row.message, margin+width-x))
				}
				top -= heights[i]
			}
		},
	}
}

func (m *material) rolloutRows(l lettering, width vg.Length) []rolloutRow {
	rows := make([]rolloutRow, len(m.exhibits))
	for i, e := range m.exhibits {
		row := rolloutRow{exhibit: e}
		row.name = append(setBlock(width, l.title, e.label), setBlock(width, l.note, e.shownRun())...)
		for column, label := range e.labels {
			row.right = append(row.right, label == m.truth(m.columns[column]))
		}
		switch {
		case e.run == nil:
			row.message = e.why()
		case e.absent:
			row.message = "the images of this run were not kept"
		case len(e.images) == 0:
			row.message = "no images"
		}
		rows[i] = row
	}
	return rows
}

// truth is the state a number of steps after the first start, −1 if that is unknown.
func (m *material) truth(step int) int {
	if step >= len(m.results.Expected) {
		return -1
	}
	return m.results.Expected[step][0]
}

// truths are the true states of the first starts, and then of what follows in each column.
func (m *material) truths(starts int) [][]int {
	var all [][]int
	for i := range min(starts, m.results.Task.Starts) {
		var row []int
		for _, step := range append([]int{0}, m.columns...) {
			if step < len(m.results.Expected) {
				row = append(row, m.results.Expected[step][i])
			}
		}
		all = append(all, row)
	}
	return all
}

func (m *material) columnTitle(step int) string {
	truth := "?"
	if t := m.truth(step); t >= 0 {
		truth = strconv.Itoa(t)
	}
	if step == 0 {
		return startTitle + truth
	}
	return truth
}

func (m *material) rolloutNote() string {
	word := stateWord(m.results.Task)
	note := fmt.Sprintf("Predictions from the first test snapshot. %s Head of a column: the true %s. "+
		"In an image: the %[2]s that the oracle sees, green if true, red and underlined if not. Values are cut to [0, 1].",
		conditions(m.results), word)
	if n := len(m.columns); n < m.steps {
		note += fmt.Sprintf(" %d of %d steps are shown.", n, m.steps)
	}
	return note
}

// inset writes the label into the upper right corner of an image.
func inset(c draw.Canvas, l lettering, cell vg.Rectangle, label int, right bool) {
	style := l.tick
	style.Font.Weight = l.title.Font.Weight
	style.Color = wrongColor
	if right {
		style.Color = rightColor
	}
	line := strconv.Itoa(label)
	w, h := style.Width(line)+2, style.Font.Size
	corner := vg.Point{X: cell.Max.X - w, Y: cell.Max.Y - h}
	c.SetColor(color.White)
	c.Fill(vg.Rectangle{Min: corner, Max: vg.Point{X: cell.Max.X, Y: cell.Max.Y}}.Path())
	baseline := corner.Y + 0.22*style.Font.Size
	letter(c, style, corner.X+1, baseline, text.XLeft, line)
	if !right {
		c.StrokeLine2(draw.LineStyle{Color: wrongColor, Width: 0.8}, corner.X+1, baseline-1.2, cell.Max.X-1, baseline-1.2)
	}
}
