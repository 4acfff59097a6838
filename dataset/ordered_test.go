package dataset

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

func TestOrdered(t *testing.T) {
	set, err := openFolder(inMemory(tiny()), "here")
	require.NoError(t, err)
	for _, c := range []struct {
		digits, limit int
		indices       []int
	}{
		{1, 0, []int{0, 2, 6}},
		{2, 0, []int{0, 1, 2, 5, 6, 7}},
		{3, 0, []int{0, 1, 4}}, // one image of digit 2
		{2, 1, []int{0}},
		{2, 5, []int{0, 1, 2, 5, 6}},
		{2, 6, []int{0, 1, 2, 5, 6, 7}},
	} {
		seq, err := set.Ordered(c.digits, c.limit)
		require.NoError(t, err)
		assert.Equal(t, c.digits, seq.Digits)
		assert.Equal(t, c.indices, seq.Indices)
		assert.Equal(t, []int{1, 2}, seq.Snapshots.Shape())
		require.Equal(t, len(c.indices), seq.Snapshots.Len())
		var want []float32
		for time, i := range c.indices {
			assert.Equal(t, time%c.digits, seq.Labels[time])
			want = append(want, float32(float64(2*i)/255), float32(float64(2*i+1)/255))
		}
		assert.Equal(t, want, seq.Snapshots.Floats())
	}
}

// TestHalves: the halves have no image in common, and say which they are.
func TestHalves(t *testing.T) {
	set, err := openFolder(inMemory(tiny()), "here")
	require.NoError(t, err)
	training, test := set.Halves()
	for _, c := range []struct {
		half   *Set
		pixels []float32
		says   string
	}{
		{training, []float32{0, 1, 2, 3}, "here (training images): sequence too short: 3 images"},
		{test, []float32{12, 13, 10, 11}, "here (test images): sequence too short: 3 images"},
	} {
		seq, err := c.half.Ordered(2, 0)
		require.NoError(t, err)
		for i := range c.pixels {
			c.pixels[i] /= 255
		}
		assert.Equal(t, c.pixels, seq.Snapshots.Floats())
		_, err = c.half.Ordered(2, 3)
		assert.ErrorIs(t, err, core.ErrTooShort)
		assert.ErrorContains(t, err, c.says)
	}
}

func TestOrderedErrors(t *testing.T) {
	set, err := openFolder(inMemory(tiny()), "here")
	require.NoError(t, err)
	for _, c := range []struct {
		digits, limit int
		is            error
		says          string
	}{
		{0, 0, core.ErrOption, "0 digits; there can be 1 to 10"},
		{-1, 0, core.ErrOption, "-1 digits"},
		{11, 0, core.ErrOption, "11 digits; there can be 1 to 10"},
		{2, -1, core.ErrOption, "limit of -1"},
		{4, 0, core.ErrTooShort, "no image of digit 3"},
		{10, 0, core.ErrTooShort, "no image of digit 3"},
		{2, 7, core.ErrTooShort, "7 images of the ordered sequence of 2 digits; it has 6"},
	} {
		_, err := set.Ordered(c.digits, c.limit)
		assert.ErrorIs(t, err, c.is)
		assert.ErrorContains(t, err, c.says)
		assert.ErrorContains(t, err, "here")
	}
}

// TestOrderedProperties holds for every set: labels cycle, no image is used twice, images of a
// digit keep their order and no further round fits.
func TestOrderedProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		digits := 1 + random.IntN(Classes)
		labels := make([]uint8, 50+random.IntN(200))
		for i := range labels {
			labels[i] = uint8(random.IntN(Classes))
		}
		for d := range digits {
			labels[d] = uint8(d)
		}
		indices, err := orderedIndices(labels, digits, 0)
		require.NoError(t, err)
		used := map[uint8]int{}
		for time, i := range indices {
			require.Equal(t, time%digits, int(labels[i]))
			used[labels[i]]++
			if time >= digits {
				require.Greater(t, i, indices[time-digits])
			}
		}
		exhausted := false
		for d := range digits {
			all := 0
			for _, l := range labels {
				if int(l) == d {
					all++
				}
			}
			require.Equal(t, len(indices)/digits, used[uint8(d)])
			exhausted = exhausted || all == used[uint8(d)]
		}
		require.True(t, exhausted, "some digit runs out")
	}
}
