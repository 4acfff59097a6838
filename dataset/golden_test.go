package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/golden"
)

// orderedCase is a case of ordered_mnist.json.
type orderedCase struct {
	NumDigits   int    `json:"num_digits"`
	Length      int    `json:"length"`
	First       []int  `json:"first_indices"`
	Last        []int  `json:"last_indices"`
	SHA256Start string `json:"sha256_uint8_first_5000"`
	SHA256All   string `json:"sha256_uint8_all"`
	LabelsOK    bool   `json:"labels_ok"`
}

const startLength = 5000

// measure returns the case that a sequence is, with as many first and last indices as like has.
func measure(seq *Sequence, like orderedCase) orderedCase {
	n := len(seq.Indices)
	labelsOK := len(seq.Labels) == n && seq.Snapshots.Len() == n
	for t, l := range seq.Labels {
		labelsOK = labelsOK && l == t%seq.Digits
	}
	return orderedCase{
		NumDigits:   seq.Digits,
		Length:      n,
		First:       seq.Indices[:min(len(like.First), n)],
		Last:        seq.Indices[n-min(len(like.Last), n):],
		SHA256Start: pixelSHA256(seq, min(startLength, n)),
		SHA256All:   pixelSHA256(seq, n),
		LabelsOK:    labelsOK,
	}
}

// pixelSHA256 is the SHA-256 of the first n images as 8-bit pixels.
func pixelSHA256(seq *Sequence, n int) string {
	h := sha256.New()
	values := make([]float32, seq.Snapshots.Size())
	pixels := make([]byte, len(values))
	for i := range n {
		seq.Snapshots.Read(values, i)
		for j, v := range values {
			pixels[j] = uint8(v*255 + 0.5)
		}
		h.Write(pixels)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestGoldenOrderedMNIST(t *testing.T) {
	var file struct{ Cases []orderedCase }
	golden.Load(t, "ordered_mnist.json", &file)
	set, err := MNIST()
	require.NoError(t, err)
	for _, want := range file.Cases {
		t.Run(fmt.Sprintf("%d digits", want.NumDigits), func(t *testing.T) {
			t.Parallel() // one set serves several goroutines
			require.NotEmpty(t, want.First)
			require.NotEmpty(t, want.Last)
			all, err := set.Ordered(want.NumDigits, 0)
			require.NoError(t, err)
			assert.Equal(t, want, measure(all, want))

			start, err := set.Ordered(want.NumDigits, startLength)
			require.NoError(t, err)
			assert.Equal(t, all.Indices[:startLength], start.Indices)
			assert.Equal(t, all.Labels[:startLength], start.Labels)
			assert.Equal(t, want.SHA256Start, pixelSHA256(start, startLength))
		})
	}
}

// TestGoldenHalves: the first 1001 images of either half are those that NumPy takes from MNIST's files.
func TestGoldenHalves(t *testing.T) {
	set, err := MNIST()
	require.NoError(t, err)
	training, test := set.Halves()
	for _, c := range []struct {
		half        *Set
		length      int
		first, last []int
		sum         string
	}{
		{training, 29210, []int{1, 3, 5, 7, 2, 21}, []int{2088, 1842, 2101},
			"a0ec9e3d3e610e5cd766e06d2407c3b1820321247914670aab4a442de4e95fb4"},
		{test, 4900, []int{3, 2, 1, 18, 4, 10}, []int{1923, 1815, 2326},
			"b8aedde3a810bc88815e070d0a07a922c3ba3885f598113d414fe96d8585b754"},
	} {
		all, err := c.half.Ordered(5, 0)
		require.NoError(t, err)
		assert.Len(t, all.Indices, c.length)
		seq, err := c.half.Ordered(5, 1001)
		require.NoError(t, err)
		assert.Equal(t, c.first, seq.Indices[:6])
		assert.Equal(t, c.last, seq.Indices[998:])
		assert.Equal(t, c.sum, pixelSHA256(seq, 1001))
	}
}

// TestGoldenNoticesEveryPerturbation changes every value of a case, one at a time: none may still be what is measured.
func TestGoldenNoticesEveryPerturbation(t *testing.T) {
	var file struct{ Cases []map[string]any }
	golden.Load(t, "ordered_mnist.json", &file)
	stored := file.Cases[0]
	parse := func() (c orderedCase) {
		content, err := json.Marshal(stored)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(content, &c))
		return c
	}
	want := parse()
	set, err := MNIST()
	require.NoError(t, err)
	seq, err := set.Ordered(want.NumDigits, 0)
	require.NoError(t, err)
	got := measure(seq, want)
	require.Equal(t, want, got)

	for field, value := range stored {
		if list, ok := value.([]any); ok {
			for i, v := range list {
				list[i] = perturbed(t, v)
				assert.NotEqual(t, parse(), got, "%s[%d]", field, i)
				list[i] = v
			}
			continue
		}
		stored[field] = perturbed(t, value)
		assert.NotEqual(t, parse(), got, field)
		stored[field] = value
	}
}

func perturbed(t *testing.T, value any) any {
	switch v := value.(type) {
	case bool:
		return !v
	case float64:
		return v + 1
	case string:
		last := "0"
		if v[len(v)-1] == '0' {
			last = "1"
		}
		return v[:len(v)-1] + last
	}
	t.Fatalf("a value of type %T", value)
	return nil
}
