package orderedmnist

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
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

// TestOpenMNISTTest: what methods see is of the training set, what they are tested on of the test set.
func TestOpenMNISTTest(t *testing.T) {
	o := map[string]any{"split": "800,201,1001", "steps": 2, "test": "mnist-test"}
	p, err := opened(t, o)
	require.NoError(t, err)
	require.NoError(t, p.Validate())
	assert.Equal(t, []int{800, 201, 1001}, []int{p.Train.Len(), p.Validation.Len(), p.Test.Len()})
	assert.Equal(t, []int{0, 1, 2}, p.States.Test[:3])
	assert.Equal(t, []int{1, 2, 3}, p.States.Expected[0][:3])
	assert.Equal(t, "MNIST (embedded), tested on images of its test set", p.Source)

	set, err := dataset.MNIST()
	require.NoError(t, err)
	training, test := set.Halves()
	seen, err := training.Ordered(5, 1001)
	require.NoError(t, err)
	tested, err := test.Ordered(5, 1001)
	require.NoError(t, err)
	got := append(p.Train.At(0).Floats(), p.Validation.At(0).Floats()...)
	assert.Equal(t, seen.Snapshots.Floats(), got)
	assert.Equal(t, tested.Snapshots.Floats(), p.Test.At(0).Floats())
	assert.Equal(t, seen.Labels, append(p.States.Train, p.States.Validation...))

	delete(o, "test")
	usual, err := opened(t, o)
	require.NoError(t, err)
	assert.Equal(t, got, append(usual.Train.At(0).Floats(), usual.Validation.At(0).Floats()...))
	assert.NotEqual(t, usual.Test.At(0).Floats(), p.Test.At(0).Floats())
}

// TestOpenMNISTTestRefuses: neither part reaches into the other half.
func TestOpenMNISTTestRefuses(t *testing.T) {
	for split, says := range map[string]string{
		"29000,211,5": "a split of 29000,211,5 images: MNIST (embedded) (training images): sequence too short: 29211 " +
			"images of the ordered sequence of 5 digits; it has 29210; train and validate on fewer",
		"50,20,4901": "a split of 50,20,4901 images: MNIST (embedded) (test images): sequence too short: 4901 images of " +
			"the ordered sequence of 5 digits; it has 4900; test on fewer",
	} {
		_, err := opened(t, map[string]any{"split": split, "test": "mnist-test"})
		assert.ErrorIs(t, err, core.ErrTooShort)
		assert.EqualError(t, err, says)
	}
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
		"3,8,7":           {core.ErrOption, "at least 4 images each for a pair at a lag of 3"},
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
