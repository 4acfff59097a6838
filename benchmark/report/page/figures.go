package page

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/figure"
	"github.com/koopbench/koopbench/core"
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
	Series, Name, Remark, Value, Class string
	Swatch                             template.HTML
	Toggles                            bool
}

type valueRow struct {
	Name   string
	Values []string
}

// accuracyView has what the figure of accuracies shows.
func (b *pageBuilder) accuracyView() pageChart {
	c := pageChart{Note: b.accuracyNote()}
	c.Wide, c.Narrow = b.AccuracyChart("wide", 780, 440), b.AccuracyChart("narrow", 340, 300)
	apart := ""
	for i, e := range b.Exhibits {
		if i > 0 && (e.Exposed == core.Unexposed) != (b.Exhibits[i-1].Exposed == core.Unexposed) {
			apart = "apart"
		}
		c.Legend = append(c.Legend, legendItem{
			Series: fmt.Sprint(e.ID), Name: e.Label, Remark: strings.Join(e.Remarks(), ", "),
			Value: fractionText(e.At(b.Last())), Class: apart, Swatch: b.LineSwatch(e), Toggles: len(e.OK) > 0,
		})
		apart = ""
	}
	apart = "apart"
	for _, l := range b.levels() {
		c.Legend = append(c.Legend, legendItem{
			Series: l.Name, Name: l.Label, Value: fractionText(l.Value(b.Last())), Class: apart, Toggles: true,
			Swatch: figure.LevelSwatch(l.Name, 34),
		})
		apart = ""
	}
	c.Steps = analysis.ColumnsOf(b.Steps)
	c.TableTitle = "Accuracy at every step"
	if n := len(c.Steps); n < b.Steps {
		c.TableTitle = fmt.Sprintf("Accuracy at %d of %d steps", n, b.Steps)
	}
	for _, e := range b.Exhibits {
		if len(e.OK) > 0 {
			c.addRow(e.Label, e.At)
		}
	}
	for _, l := range b.levels() {
		c.addRow(l.Label, l.Value)
	}
	return c
}

// addRow adds the accuracies of a method or a baseline to the table of values.
func (c *pageChart) addRow(name string, at func(step int) float64) {
	row := valueRow{Name: name}
	for _, step := range c.Steps {
		row.Values = append(row.Values, fractionText(at(step)))
	}
	c.Rows = append(c.Rows, row)
}

func (b *pageBuilder) accuracyNote() string {
	note := fmt.Sprintf("Accuracy on %d test snapshots. %s", b.Results.Task.Test, analysis.Conditions(b.Results))
	return strings.TrimSpace(note + " " + analysis.BandsNote(b.Exhibits))
}

type panelSet struct {
	ID, Title, Note string
	Empty           string // in the place of the panels, where there is none
	Key             []keyItem
	Panels          []pagePanel
}

type keyItem struct {
	Name   string
	Swatch template.HTML
}

type pagePanel struct {
	Title, Subtitle string
	Drawing         template.HTML
}

func (b *pageBuilder) panelSet(s figure.Sheet) panelSet {
	set := panelSet{ID: s.Name, Title: s.Title, Note: s.Note, Empty: s.Empty}
	for _, e := range s.Key {
		set.Key = append(set.Key, keyItem{e.Name, e.Swatch()})
	}
	for _, p := range s.Panels {
		set.Panels = append(set.Panels, pagePanel{p.Title, p.Subtitle, s.Chart(b.Lettering, p)})
	}
	return set
}
