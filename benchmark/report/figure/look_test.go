package figure

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
)

// A method has the colour of its declared name in every report, whatever its options and whatever
// else is shown.
func TestColoursStay(t *testing.T) {
	looks := func(methods ...[2]string) map[string]look {
		r := &results.Results{}
		for _, m := range methods {
			r.Runs = append(r.Runs, results.Run{Method: m[0], Name: m[1]})
		}
		d := New(materialOf(t, &fixture.Made{Content: r, Task: &results.TaskArrays{}}))
		of := map[string]look{}
		for _, e := range d.Exhibits {
			of[e.Label] = d.looks[e.ID]
		}
		return of
	}
	builtIn := [][2]string{ // in the order of the palette, as in reports that are out there
		{"autoencoder", "autoencoder"}, {"classifier", "classifier"}, {"contrastive", "contrastive"},
		{"linear", "linear"}, {"vamp", "vamp"},
	}
	five := looks(builtIn...)
	for i, m := range builtIn {
		assert.Equal(t, look{i, i, i % 4}, five[m[0]])
		assert.Equal(t, five[m[0]], looks(m)[m[0]], "alone")
	}
	more := looks(append(builtIn, [2]string{"a", "a"}, [2]string{"vamp?epochs=2", "vamp"},
		[2]string{"zeta", ""}, [2]string{"mine", "kernel"})...)
	for _, m := range builtIn {
		assert.Equal(t, five[m[0]].colour, more[m[0]].colour, "among others")
	}
	assert.Equal(t, five["vamp"].colour, more["vamp?epochs=2"].colour, "the name decides, not the options")
	assert.NotEqual(t, more["vamp"].marker, more["vamp?epochs=2"].marker)
	assert.Equal(t, looks([2]string{"kernel", "kernel"})["kernel"].colour, more["mine"].colour)
	seen := map[int]bool{}
	for i := range 26 {
		seen[colourOf("method-"+string(rune('a'+i)))] = true
	}
	assert.Greater(t, len(seen), 7, "names that are nearly alike have all colours")
}

// Without their colours, ten methods differ in their markers, and forty in their pairs of marker
// and dashes. With them, so do more than there can be colours.
func TestLooksDiffer(t *testing.T) {
	for _, n := range []int{1, 2, 10, 40, 100} {
		for _, same := range []bool{false, true} {
			names := make([]string, n)
			for i := range names {
				names[i] = fmt.Sprintf("method %d of %d", i, n)
				if same && n <= 40 {
					names[i] = "vamp" // at other options each
				}
			}
			markersSeen, pairs, all := map[int]bool{}, map[[2]int]bool{}, map[look]bool{}
			for _, l := range looksOf(names) {
				markersSeen[l.marker], pairs[[2]int{l.marker, l.dash}], all[l] = true, true, true
			}
			assert.Len(t, markersSeen, min(n, 10))
			assert.Len(t, pairs, min(n, 40))
			assert.Len(t, all, n)
		}
	}
	assert.Empty(t, looksOf(nil))
}
