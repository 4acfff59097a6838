package report

import (
	"fmt"
	"html/template"
	"strings"

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
	c.Wide, c.Narrow = b.accuracyChart("wide", 780, 440), b.accuracyChart("narrow", 340, 300)
	apart := ""
	for i, e := range b.exhibits {
		if i > 0 && (e.exposed == core.Unexposed) != (b.exhibits[i-1].exposed == core.Unexposed) {
			apart = "apart"
		}
		c.Legend = append(c.Legend, legendItem{
			Series: fmt.Sprint(e.id), Name: e.label, Remark: strings.Join(e.remarks(), ", "),
			Value: fractionText(e.at(b.last())), Class: apart, Swatch: b.lineSwatch(e), Toggles: len(e.ok) > 0,
		})
		apart = ""
	}
	apart = "apart"
	for _, l := range b.levels() {
		c.Legend = append(c.Legend, legendItem{
			Series: l.name, Name: l.label, Value: fractionText(l.value(b.last())), Class: apart, Toggles: true,
			Swatch: levelSwatch(l.name, 34),
		})
		apart = ""
	}
	c.Steps = columnsOf(b.steps)
	c.TableTitle = "Accuracy at every step"
	if n := len(c.Steps); n < b.steps {
		c.TableTitle = fmt.Sprintf("Accuracy at %d of %d steps", n, b.steps)
	}
	for _, e := range b.exhibits {
		if len(e.ok) > 0 {
			c.addRow(e.label, e.at)
		}
	}
	for _, l := range b.levels() {
		c.addRow(l.label, l.value)
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
	note := fmt.Sprintf("Accuracy on %d test snapshots. %s", b.results.Task.Test, conditions(b.results))
	return strings.TrimSpace(note + " " + bandsNote(b.exhibits))
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

func (b *pageBuilder) panelSet(s sheet) panelSet {
	set := panelSet{ID: s.name, Title: s.title, Note: s.note, Empty: s.empty}
	for _, e := range s.key {
		set.Key = append(set.Key, keyItem{e.name, e.swatch()})
	}
	for _, p := range s.panels {
		set.Panels = append(set.Panels, pagePanel{p.title, p.subtitle, s.chart(b.lettering, p)})
	}
	return set
}
