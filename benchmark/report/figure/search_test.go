package figure

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/results"
)

// madeUpSearch has trials of every kind of option; the second failed, and the last is far off.
func madeUpSearch() *results.Search {
	s := &results.Search{
		Score: results.ScoreNRMSE, LowerIsBetter: true, Seeds: []int64{0, 1}, Chosen: new(int),
		Options: []results.SearchOption{
			{Name: "lr", Log: true}, {Name: "rank"}, {Name: "a_long_name_of_a_word"}, {Name: "center"},
		},
	}
	*s.Chosen = 2
	words := []string{"reduced-rank", "principal-components", "full"}
	for i, score := range []float64{1.2, 0, 0.4, 0.7, 600} {
		e := score / 3
		s.Trials = append(s.Trials, results.Trial{Score: &score, StandardError: &e, Options: map[string]any{
			"lr": 1e-4 * float64(1+i*40), "rank": 3 + i, "a_long_name_of_a_word": words[i%3], "center": i%2 == 0,
		}})
	}
	s.Trials[1].Score, s.Trials[1].StandardError = nil, nil
	return s
}

// TestSearchHasRoom: everything written lies within the figure, and no two texts lie over each other.
func TestSearchHasRoom(t *testing.T) {
	none := madeUpSearch()
	none.Chosen = nil
	for i := range none.Trials {
		none.Trials[i].Score, none.Trials[i].StandardError = nil, nil
	}
	near := madeUpSearch()
	near.Trials[4].Score = near.Trials[0].Score
	for name, s := range map[string]*results.Search{"wide": madeUpSearch(), "near": near, "none": none} {
		t.Run(name, func(t *testing.T) {
			f := searchSheet(s).figure()
			p := newProbe(f)
			f.draw(draw.NewCanvas(p, f.width, f.height))
			require.NotEmpty(t, p.texts)
			for i, a := range p.texts {
				assert.GreaterOrEqual(t, a.box.Min.X, 0.0, a.text)
				assert.LessOrEqual(t, a.box.Max.X, f.width.Points(), a.text)
				for _, b := range p.texts[:i] {
					assert.False(t, a.box.overlaps(b.box), "%q lies over %q", a.text, b.text)
				}
			}
		})
	}
	dir := t.TempDir()
	require.NoError(t, WriteSearch(dir, madeUpSearch(), []Format{PNG, SVG}))
	assert.FileExists(t, filepath.Join(dir, "tune.png"))
	assert.FileExists(t, filepath.Join(dir, "tune.svg"))
}
