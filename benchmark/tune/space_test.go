package tune_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/tune"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/registry"
)

var described = core.Description{
	Name: "spy", Summary: "for tests",
	Options: []core.Option{
		core.FloatOption("lr", 0.01, 0, 1, "a number"),
		core.FloatOption("shift", 0, -1, 1, "a number"),
		core.IntOption("rank", 5, 0, 1000, "a whole number"),
		core.BoolOption("center", false, "a switch"),
		core.ChoiceOption("kind", "a word", "up", "down"),
		core.TextOption("path", "", 100, "a text"),
	},
}

func base(t *testing.T, written string) registry.Selection {
	t.Helper()
	given := map[string]string{}
	if _, query, ok := strings.Cut(written, "?"); ok {
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			given[name] = value
		}
	}
	options, err := described.ParseOptions(given)
	require.NoError(t, err)
	return registry.Selection{Written: written, Description: described, Options: options}
}

func trials(t *testing.T, written string, n int, seed int64, options ...string) []string {
	t.Helper()
	space, err := tune.NewSpace(base(t, written), options)
	require.NoError(t, err)
	all, err := space.Trials(n, seed)
	require.NoError(t, err)
	return all
}

// TestGrid: all combinations, each once, and the method as it is first, however its values are written.
func TestGrid(t *testing.T) {
	assert.Equal(t, []string{"spy", "spy?rank=3&center=true", "spy?rank=3&center=false", "spy?rank=5&center=true"},
		trials(t, "spy", 2, 0, "rank=3,5,05", "center=true,false,0"))
	assert.Equal(t, []string{"spy?lr=1e-3", "spy?lr=1e-3&path=a%26b", "spy?lr=1e-3&path=../c"},
		trials(t, "spy?lr=1e-3", 2, 0, "path=a&b,../c"))
}

// TestRandom: equal arguments give equal trials, more are the same ones and more, and all lie in their ranges.
func TestRandom(t *testing.T) {
	options := []string{"lr=1e-4..1e-1", "rank=3..9", "kind=up,down", "shift=-0.5..0.5"}
	many := trials(t, "spy", 200, 7, options...)
	require.Len(t, many, 200)
	assert.Equal(t, many, trials(t, "spy", 200, 7, options...))
	assert.Equal(t, many[:20], trials(t, "spy", 20, 7, options...))
	assert.NotEqual(t, many[:20], trials(t, "spy", 20, 8, options...))
	assert.Equal(t, "spy", many[0])
	small, ranks, kinds, left := 0, map[string]bool{}, map[string]bool{}, 0
	for _, written := range many[1:] {
		values := map[string]string{}
		for pair := range strings.SplitSeq(strings.TrimPrefix(written, "spy?"), "&") {
			name, value, _ := strings.Cut(pair, "=")
			values[name] = value
		}
		lr, err := strconv.ParseFloat(values["lr"], 64)
		require.NoError(t, err)
		assert.True(t, lr >= 1e-4 && lr <= 1e-1, written)
		shift, err := strconv.ParseFloat(values["shift"], 64)
		require.NoError(t, err)
		assert.True(t, shift >= -0.5 && shift <= 0.5, written)
		if lr < 1e-2 {
			small++
		}
		if shift < 0 {
			left++
		}
		ranks[values["rank"]], kinds[values["kind"]] = true, true
	}
	assert.InDelta(t, 2.0/3, float64(small)/199, 0.12, "two of three decades")
	assert.InDelta(t, 0.5, float64(left)/199, 0.12)
	assert.Len(t, ranks, 7)
	assert.Len(t, kinds, 2)

	assert.Len(t, trials(t, "spy", 100, 0, "rank=3..6"), 4, "there are no more, 5 being that of the method as it is")
}

func TestSpaceRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"rnk=3":           `there is no option "rnk"; did you mean "rank"`,
		"rank":            `"rank" gives no values; write NAME=A,B,C or NAME=LOW..HIGH`,
		"rank=":           `gives no values`,
		"rank=3,,5":       `"" is not a whole number`,
		"rank=3,2000":     "rank=2000: give 0 … 1000",
		"rank=3..2000":    "rank=2000: give 0 … 1000",
		"rank=3..":        `"" is not a whole number`,
		"rank=9..3":       `the range "rank=9..3" is empty; put the smaller end first`,
		"lr=0.1..0.1":     "is empty",
		"lr=NaN..1":       "lr=NaN: give 0 … 1",
		"lr=0..2":         "lr=2: give 0 … 1",
		"kind=up..down":   `is a range, but kind takes up, down; list the values, separated by commas`,
		"center=no..yes":  "is a range, but center takes true or false",
		"kind=up,sidways": "kind=sidways: give up, down",
		"shift=0.5":       `the option shift is given by "spy?shift=0.1" and by "shift=0.5"; give it once`,
	} {
		_, err := tune.NewSpace(base(t, "spy?shift=0.1"), []string{text})
		require.ErrorContains(t, err, says, text)
		assert.NotContains(t, err.Error(), "\n")
	}
	_, err := tune.NewSpace(base(t, "spy"), []string{"rank=3", "rank=4"})
	require.ErrorIs(t, err, core.ErrDuplicate)

	list := make([]string, results.MaxTrials+1)
	for i := range list {
		list[i] = strconv.Itoa(i % 1000)
	}
	space, err := tune.NewSpace(base(t, "spy"), []string{"rank=" + strings.Join(list, ",")})
	require.NoError(t, err)
	_, err = space.Trials(2, 0)
	require.ErrorContains(t, err, "a grid of more than 1000 trials, the limit of a search")
}
