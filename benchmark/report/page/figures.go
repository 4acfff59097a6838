package page

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/figure"
)

type pageChart struct {
	Title        string
	Wide, Narrow template.HTML
	Note         string
	Legend       []legendItem
	TableTitle   string // of the table of values
	Steps        []int  // that it has
	Rows         []valueRow
}

type legendItem struct {
	figure.LegendEntry
	Value string
}

type valueRow struct {
	Name   string
	Values []string
}

// scoresView has what the figure of scores shows.
func (b *builder) scoresView() pageChart {
	c, name := pageChart{Note: b.scoresNote()}, analysis.Capital(b.Measure.Name)
	c.Wide, c.Narrow = b.ScoreChart("wide", 780, 440), b.ScoreChart("narrow", 340, 300)
	c.Steps = analysis.ColumnsOf(b.Steps)
	c.TableTitle = name + " at every step"
	if n := len(c.Steps); n < b.Steps {
		c.TableTitle = fmt.Sprintf("%s at %d of %d steps", name, n, b.Steps)
	}
	for _, e := range b.ScoreKey() {
		c.Legend = append(c.Legend, legendItem{e, b.Measure.Text(e.At(b.Last()))})
		if e.Drawn {
			c.Rows = append(c.Rows, valueRow{e.Name, nil})
			row := &c.Rows[len(c.Rows)-1]
			for _, step := range c.Steps {
				row.Values = append(row.Values, b.Measure.Text(e.At(step)))
			}
		}
	}
	return c
}

func (b *builder) scoresNote() string {
	note := fmt.Sprintf("%s on %d test snapshots. %s", analysis.Capital(b.Measure.Heading()), b.Results.Task.Starts,
		analysis.Conditions(b.Results))
	return strings.TrimSpace(note + " " + analysis.BandsNote(b.Exhibits))
}
