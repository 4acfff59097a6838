package orderedmnist

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

func opened(t *testing.T, options map[string]any) (*core.Problem, error) {
	o, err := Task{}.Describe().Resolve(options)
	require.NoError(t, err)
	return Task{}.Open(context.Background(), o)
}

func TestOpen(t *testing.T) {
	require.NoError(t, Task{}.Describe().Validate())
	p, err := opened(t, map[string]any{"digits": 3, "split": "30, 8,7", "steps": 4, "lag": 2})
	require.NoError(t, err)
	require.NoError(t, p.Validate())
	assert.Equal(t, []int{30, 8, 7, 7}, []int{p.Train.Len(), p.Validation.Len(), p.Test.Len(), p.StartCount()})
	assert.Equal(t, []int{28, 28}, p.Train.Shape())
	assert.Equal(t, []int{0, 1, 2, 0}, p.States.Train[:4])
	assert.Equal(t, []int{2, 0, 1, 2, 0, 1, 2}, p.States.Test)
	assert.Equal(t, []int{1, 2, 0, 1, 2, 0, 1}, p.States.Expected[0], "two images later")
	assert.Equal(t, p.States.Test, p.States.Expected[2], "six images later")
	assert.Len(t, p.States.Expected, 4)
	assert.Equal(t, core.Accuracy(3), p.Measure())
}

func TestTruth(t *testing.T) {
	for _, c := range []struct {
		digits, lag int
		want        []complex128
	}{
		{1, 1, []complex128{1}},
		{2, 1, []complex128{1, -1}},
		{2, 2, []complex128{1, 1}},
		{4, 1, []complex128{1, 1i, -1i, -1}},
		{4, 3, []complex128{1, 1i, -1i, -1}},
		{4, 2, []complex128{1, -1, -1, 1}},
		{3, 1, []complex128{1, -0.5 + 0.8660254037844386i, -0.5 - 0.8660254037844386i}},
	} {
		got := roots(c.digits, c.lag)
		require.Len(t, got, len(c.want))
		for i, z := range c.want {
			assert.InDelta(t, real(z), real(got[i]), 1e-15, "%v %d", c, i)
			assert.InDelta(t, imag(z), imag(got[i]), 1e-15, "%v %d", c, i)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for options, c := range map[string]struct {
		is   error
		says string
	}{
		"3":               {core.ErrOption, "give three numbers of images, TRAIN,VAL,TEST, like 3000,1000,1000"},
		"1,8,7":           {core.ErrOption, `"1" training images; give a whole number from 2 to 1000000`},
		"30,x,7":          {core.ErrOption, `"x" validation images`},
		"30,8,0":          {core.ErrOption, `"0" test images; give a whole number from 1 to 1000000`},
		"3,8,7":           {core.ErrOption, "at least 4 each for a pair at a lag of 3"},
		"50000,50000,100": {core.ErrTooShort, "a split of 50000,50000,100 images"},
	} {
		_, err := opened(t, map[string]any{"split": options, "lag": 3})
		assert.ErrorIs(t, err, c.is, options)
		assert.ErrorContains(t, err, c.says, options)
	}
}

// FuzzSplit: whatever is accepted is what its own text says.
func FuzzSplit(f *testing.F) {
	for _, text := range []string{"3000,1000,1000", "2, 2, 1", "1,2,3,4", "2,2,-1", "0x10,2,2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSplit(text)
		if err != nil {
			require.ErrorIs(t, err, core.ErrOption)
			return
		}
		require.GreaterOrEqual(t, min(s.Train, s.Validation, s.Test+1), 2)
		again, err := ParseSplit(s.String())
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}
