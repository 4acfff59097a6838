package figure

import (
	"fmt"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
)

// sampleFigure draws the first snapshots of the sequence, with their states if there are any: a row has as many.
func (d *Drawer) sampleFigure() figure {
	task, x := d.Results.Task, d.Task.Sample
	n, columns := x.Len(), 6
	if task.States > 0 {
		n, columns = min(n, len(d.Task.SampleStates)), task.States
	}
	columns = max(1, min(columns, n))
	rows := (n + columns - 1) / columns
	cellWidth, cellHeight := d.pictureSize(0.56 * vg.Inch)
	const gap = vg.Length(6)
	caption := vg.Length(0)
	if task.States > 0 {
		caption = lineHeight(d.tick)
	}
	grid := vg.Length(columns)*(cellWidth+gap) - gap
	width := max(grid, 3*vg.Inch)
	says := fmt.Sprintf("%s: the first %d snapshots of the sequence", analysis.OrUnnamed(task.Name), n)
	if task.States > 0 {
		says += fmt.Sprintf(" and their %ss", analysis.StateWord(task))
	}
	note := setBlock(width, d.note, says+".")
	_, noteHeight := note.size()
	return figure{
		name: "sample", title: "The first snapshots of the sequence",
		width: width + 2*margin, height: vg.Length(rows)*(cellHeight+caption+gap) + noteHeight + 2*margin,
		draw: func(c draw.Canvas) {
			note.draw(c, margin, margin+noteHeight, text.XLeft)
			left := margin + (width-grid)/2
			for i := range n {
				x0 := left + vg.Length(i%columns)*(cellWidth+gap)
				top := c.Max.Y - margin - vg.Length(i/columns)*(cellHeight+caption+gap)
				if task.States > 0 {
					letter(c, d.tick, x0+cellWidth/2, top-d.tick.Font.Size, text.XCenter, strconv.Itoa(d.Task.SampleStates[i]))
				}
				c.DrawImage(vg.Rectangle{
					Min: vg.Point{X: x0, Y: top - caption - cellHeight},
					Max: vg.Point{X: x0 + cellWidth, Y: top - caption},
				}, d.Pictures.Of(x, i))
			}
		},
	}
}
