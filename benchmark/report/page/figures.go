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

// accuracyView has what the figure of accuracies shows.
func (b *builder) accuracyView() pageChart {
	c := pageChart{Note: b.accuracyNote()}
	c.Wide, c.Narrow = b.AccuracyChart("wide", 780, 440), b.AccuracyChart("narrow", 340, 300)
	c.Steps = analysis.ColumnsOf(b.Steps)
	c.TableTitle = "Accuracy at every step"
	if n := len(c.Steps); n < b.Steps {
		c.TableTitle = fmt.Sprintf("Accuracy at %d of %d steps", n, b.Steps)
	}
	for _, e := range b.AccuracyKey() {
		c.Legend = append(c.Legend, legendItem{e, fractionText(e.At(b.Last()))})
		if e.Drawn {
			c.Rows = append(c.Rows, valueRow{e.Name, nil})
			row := &c.Rows[len(c.Rows)-1]
			for _, step := range c.Steps {
				row.Values = append(row.Values, fractionText(e.At(step)))
			}
		}
	}
	return c
}

func (b *builder) accuracyNote() string {
	note := fmt.Sprintf("Accuracy on %d test snapshots. %s", b.Results.Task.Test, analysis.Conditions(b.Results))
	return strings.TrimSpace(note + " " + analysis.BandsNote(b.Exhibits))
}
