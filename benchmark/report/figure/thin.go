package figure

import (
	"slices"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
)

// everyOne are the places of n values.
func everyOne(n int) []int {
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	return places
}

// telling are places of n values, ascending, at which a line shows what all of them do: all places
// if there are no more than most. Of more it has the first, the last and, in each of equal parts, a
// least value, a greatest one and one that cannot be drawn, as far as there are any: about as many
// as most.
func telling(n, most int, at func(place int) float64) []int {
	if n <= most {
		return everyOne(n)
	}
	places := []int{0, n - 1}
	parts := max(1, (most-2)/2)
	for part := range parts {
		least, greatest, missing := -1, -1, -1
		for i := part * n / parts; i < (part+1)*n/parts; i++ {
			switch v := at(i); {
			case !analysis.Drawable(v):
				missing = i
			case least < 0:
				least, greatest = i, i
			case v < at(least):
				least = i
			case v > at(greatest):
				greatest = i
			}
		}
		for _, i := range []int{least, greatest, missing} {
			if i >= 0 {
				places = append(places, i)
			}
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// thinned are the places, from 1, and values of at most about so many points that show what the
// values do.
func thinned(values []float64, most int) (x, y []float64) {
	for _, i := range telling(len(values), most, func(i int) float64 { return values[i] }) {
		x, y = append(x, float64(i+1)), append(y, values[i])
	}
	return x, y
}
