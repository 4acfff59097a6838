package dataset

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
)

// wants reports whether an array of an archive is to be read.
func (s Selection) wants(name string) bool {
	return s.Arrays == "" || slices.Contains(s.arrays(), name)
}

func (s Selection) arrays() []string {
	names := strings.Split(s.Arrays, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// order returns the trajectories of an archive in natural order, and the array that has the time of all of them, -1
// for none: one of one axis that is called as the time, unless Arrays are given.
func (s Selection) order(names []string, views []npz.View) (order []int, time int, err error) {
	time = -1
	for i, name := range names {
		if s.Time == AutoTime && s.Arrays == "" && len(names) > 1 && isTime(name) && len(views[i].Shape()) == 1 {
			time = i
			continue
		}
		order = append(order, i)
	}
	if s.Arrays != "" {
		for _, name := range s.arrays() {
			if !slices.Contains(names, name) {
				return nil, 0, fmt.Errorf("%w: there is no array %.80q in it", core.ErrOption, name)
			}
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(natural(names[a], names[b]), cmp.Compare(a, b)) })
	return order, time, nil
}

// timed gives a recording the times that an array has.
func (r *Recording) timed(v npz.View, name string, m *mapping) (err error) {
	if n := v.Shape()[0]; n != r.Rows.Len() {
		return fmt.Errorf("%w: array %s is the time of the other arrays and has %d values, but this array has %d rows; "+
			"choose arrays by arrays=", ErrFormat, name, n, r.Rows.Len())
	}
	defer core.Recover(&err)
	defer settle(m, debug.SetPanicOnFault(true))
	r.Interval, err = even(r.Rows.Len(), func(i int) float64 { return v.At(i, 0) }, func(i int) string {
		return fmt.Sprintf("row %d of array %s", i+1, name)
	})
	r.Time = "array " + name
	return err
}
