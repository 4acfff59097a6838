package figure

import (
	"fmt"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
)

// rolloutRow is a row of the roll-out: a method, and its predictions from the first test snapshot; or the truth.
type rolloutRow struct {
	name    block
	message string // in place of images
	exhibit analysis.Exhibit
	right   []bool // by column: the oracle saw the true state
}

// rolloutFigure draws the first start and, for each method, what is predicted from it, step after step,
// with the label that the oracle, if there is one, gives each: green where it is the true state, red where
// it is not.
func (d *Drawer) rolloutFigure() figure {
	const gap, between, nameGap = vg.Length(2.5), vg.Length(9), vg.Length(8)
	cellWidth, cellHeight := d.pictureSize(0.42 * vg.Inch)
	start, word, title := d.rolloutHead()
	pitch := max(cellWidth, d.note.Width(strconv.Itoa(d.Steps)), d.title.Width(title(d.Steps))) + gap
	rows := d.rolloutRows(1.75 * vg.Inch)
	nameWidth := d.note.Width(word)
	for _, row := range rows {
		w, _ := row.name.size()
		nameWidth = max(nameWidth, w)
	}
	first := max(pitch-gap, d.title.Width(start)) // the column of the start
	grid := first + between + vg.Length(len(d.Columns))*pitch - gap
	width := max(nameWidth+nameGap+grid, 3.2*vg.Inch)
	heights := make([]vg.Length, len(rows))
	header := lineHeight(d.note) + lineHeight(d.title) + 3
	body := header
	for i, row := range rows {
		_, h := row.name.size()
		heights[i] = max(cellHeight, h) + 4
		body += heights[i]
	}
	note := setBlock(width, d.note, d.rolloutNote())
	_, noteHeight := note.size()
	return figure{
		name: "rollout", title: analysis.Capital(analysis.SnapshotWord(d.Results.Task)) +
			"s predicted by each method, step after step",
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
			stepLine, stateLine := top-d.note.Font.Size, top-lineHeight(d.note)-d.title.Font.Size
			letter(c, d.note, edge, stepLine, text.XRight, "step")
			letter(c, d.note, edge, stateLine, text.XRight, word)
			letter(c, d.title, center(-1), stateLine, text.XCenter, start)
			for i, step := range d.Columns {
				letter(c, d.note, center(i), stepLine, text.XCenter, strconv.Itoa(step))
				letter(c, d.title, center(i), stateLine, text.XCenter, title(step))
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
				if d.Task.Starts.Len() > 0 {
					c.DrawImage(cell(-1), d.Pictures.Of(d.Task.Starts, 0))
				}
				for column, img := range row.exhibit.Images {
					c.DrawImage(cell(column), img)
					if column < len(row.exhibit.Labels) {
						inset(c, d.lettering, cell(column), row.exhibit.Labels[column], row.right[column])
					}
				}
				if row.message != "" {
					x := center(0) - (pitch-gap)/2
					letter(c, d.label, x, middle-0.35*d.label.Font.Size, text.XLeft, shorten(d.label, row.message, margin+width-x))
				}
				top -= heights[i]
			}
		},
	}
}

// rolloutHead is what stands over the columns: over that of the start, beside the line of true states,
// and over that of a step. Without true states there are none.
func (d *Drawer) rolloutHead() (start, word string, title func(step int) string) {
	if !d.Told() {
		return "Start", "", func(int) string { return "" }
	}
	return "Start: " + d.TruthText(0), analysis.StateWord(d.Results.Task), d.TruthText
}

func (d *Drawer) rolloutRows(width vg.Length) []rolloutRow {
	var rows []rolloutRow
	if len(d.TrueImages) > 0 {
		truth := analysis.Exhibit{Images: d.TrueImages}
		rows = append(rows, rolloutRow{name: setBlock(width, d.title, analysis.TruthWord), exhibit: truth})
	}
	for _, e := range d.Exhibits {
		row := rolloutRow{exhibit: e}
		row.name = append(setBlock(width, d.title, e.Label), setBlock(width, d.note, e.ShownRun())...)
		for column, label := range e.Labels {
			row.right = append(row.right, label == d.Truth(d.Columns[column]))
		}
		switch {
		case e.Run == nil:
			row.message = e.Why()
		case e.Absent:
			row.message = fmt.Sprintf("the %ss of this run were not kept", analysis.SnapshotWord(d.Results.Task))
		case len(e.Images) == 0:
			row.message = fmt.Sprintf("no %ss", analysis.SnapshotWord(d.Results.Task))
		}
		rows = append(rows, row)
	}
	return rows
}

func (d *Drawer) rolloutNote() string {
	note := "Predictions from the first test snapshot. " + analysis.Conditions(d.Results)
	if d.Told() {
		note += fmt.Sprintf(" Column headers: the true %s. On %s: the %[1]s that the oracle sees, green if right, "+
			"red and underlined if wrong.", analysis.StateWord(d.Results.Task), analysis.ASnapshot(d.Results.Task))
	}
	note += " " + d.Pictures.Note() + "."
	if n := len(d.Columns); n < d.Steps {
		note += fmt.Sprintf(" %d of %d steps are shown.", n, d.Steps)
	}
	return note
}

// inset writes the label into the upper right corner of an image.
func inset(c draw.Canvas, l lettering, cell vg.Rectangle, label int, seen bool) {
	style := l.tick
	style.Font.Weight = l.title.Font.Weight
	style.Color = wrong
	if seen {
		style.Color = right
	}
	line := strconv.Itoa(label)
	w, h := style.Width(line)+2, style.Font.Size
	corner := vg.Point{X: cell.Max.X - w, Y: cell.Max.Y - h}
	c.SetColor(paper)
	c.Fill(vg.Rectangle{Min: corner, Max: vg.Point{X: cell.Max.X, Y: cell.Max.Y}}.Path())
	baseline := corner.Y + 0.22*style.Font.Size
	letter(c, style, corner.X+1, baseline, text.XLeft, line)
	if !seen {
		c.StrokeLine2(draw.LineStyle{Color: wrong, Width: 0.8}, corner.X+1, baseline-1.2, cell.Max.X-1, baseline-1.2)
	}
}

// pictureSize is the size in which snapshots are shown: their longer side is side, the shorter one in proportion but
// still to be seen.
func (d *Drawer) pictureSize(side vg.Length) (width, height vg.Length) {
	h, w := d.Pictures.Height, d.Pictures.Width
	long := vg.Length(max(h, w))
	return max(side*vg.Length(w)/long, side/6), max(side*vg.Length(h)/long, side/6)
}
