package cli

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseSeeds(t *testing.T) {
	for text, want := range map[string][]int64{
		"42":         {42},
		"0,1,5":      {0, 1, 5},
		"0..3":       {0, 1, 2, 3},
		"-2..1":      {-2, -1, 0, 1},
		"7, 0..2 ,9": {7, 0, 1, 2, 9},
		"5..5":       {5},
		"-9223372036854775808,9223372036854775806..9223372036854775807": {math.MinInt64, math.MaxInt64 - 1, math.MaxInt64},
	} {
		got, err := parseSeeds(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		"":                    `"" is not a seed`,
		"1,":                  `"" is not a seed`,
		"1..":                 `"" is not a seed`,
		"..3":                 `"" is not a seed`,
		"1...3":               `".3" is not a seed`,
		"1e3":                 `"1e3" is not a seed`,
		"9223372036854775808": `"9223372036854775808" is not a seed`,
		"1,1":                 "the seed 1 is given twice",
		"0..9,5..6":           "the seed 5 is given twice",
		"3..1":                "the range 3..1 is empty",
		"0..1000":             "more than 1000 seeds",
		"0..998,2000,3000":    "more than 1000 seeds",
		"-9223372036854775808..9223372036854775807": "more than 1000 seeds",
	} {
		_, err := parseSeeds(text)
		assert.ErrorContains(t, err, want, text)
	}
	all, err := parseSeeds("1..1000")
	require.NoError(t, err)
	assert.Len(t, all, maxSeeds)
}

// FuzzParseSeeds: whatever is accepted has no seed twice, is not too long, and reads the same when
// every seed is written out.
func FuzzParseSeeds(f *testing.F) {
	for _, text := range []string{"42", "0,1,5", "0..19", "-3..3,9", "1...2", ",",
		"9223372036854775807..9223372036854775807"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := parseSeeds(text)
		if err != nil {
			return
		}
		require.NotEmpty(t, values)
		require.LessOrEqual(t, len(values), maxSeeds)
		words := make([]string, len(values))
		for i, v := range values {
			words[i] = strconv.FormatInt(v, 10)
		}
		again, err := parseSeeds(strings.Join(words, ","))
		require.NoError(t, err)
		require.Equal(t, values, again)
		slices.Sort(values)
		require.Len(t, slices.Compact(values), len(again))
	})
}
