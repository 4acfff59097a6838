package trajectory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/dataset"
)

// source says in one line what the files were taken for: orbit.csv: 10 000 rows × 3 columns (x, y, z), header, ….
func source(all []dataset.Recording, rule string, scale *standard) string {
	first, last := &all[0], &all[len(all)-1]
	text := first.Title()
	least, most := first.Rows.Len(), first.Rows.Len()
	forms := []string{}
	for i := range all {
		least, most = min(least, all[i].Rows.Len()), max(most, all[i].Rows.Len())
		if !slices.Contains(forms, all[i].Form) {
			forms = append(forms, all[i].Form)
		}
	}
	rows := spaced(most)
	if least < most {
		rows = spaced(least) + " to " + rows
	}
	if len(all) > 1 {
		text = fmt.Sprintf("%d trajectories (%s … %s)", len(all), first.Title(), last.Title())
		rows = "each " + rows
	}
	text += ": " + rows + what(first) + ", " + dataset.Few(forms)
	if first.Time != "" {
		text += "; " + first.Time + " is time, dropped"
	}
	if constant := constants(first, scale); constant != "" {
		text += "; " + constant
	}
	return text + "; " + rule
}

// what says what the snapshots of a recording are.
func what(r *dataset.Recording) string {
	if r.Columns == nil {
		shape := make([]string, 0, 3)
		for _, n := range r.Rows.Shape() {
			shape = append(shape, strconv.Itoa(n))
		}
		return " images of " + strings.Join(shape, "×")
	}
	text := fmt.Sprintf(" rows × %d columns", len(r.Columns))
	if len(r.Columns) == 1 {
		text = " rows × 1 column"
	}
	if r.Names != nil {
		text += " (" + dataset.Few(r.Names) + ")"
	}
	return text
}

// constants says which columns do not change in the training part, "" for none.
func constants(r *dataset.Recording, scale *standard) string {
	if scale == nil || r.Columns == nil {
		return ""
	}
	const most = 8
	var names []string
	n := 0
	for j, constant := range scale.constant {
		switch {
		case !constant:
			continue
		case r.Names != nil:
			names = append(names, r.Names[j])
		case n < most:
			names = append(names, fmt.Sprintf("column %d", r.Columns[j]))
		}
		n++
	}
	switch {
	case n == 0:
		return ""
	case n > most:
		return fmt.Sprintf("%s columns are constant", spaced(n))
	}
	return "constant: " + strings.Join(names, ", ")
}

// spaced writes a whole number with a narrow space between each three digits, from 10 000 on.
func spaced(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && n >= 10_000; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}
