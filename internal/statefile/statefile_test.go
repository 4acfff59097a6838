package statefile_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/statefile"
)

const format = "test.state/2"

func state() *core.State {
	return &core.State{Facts: []byte(`{"a":[1,2]}`), Arrays: map[string]core.Array{
		"part/weights": {Shape: []int{2, 2}, Values: []float32{1, 2, 3, float32(math.Inf(1))}},
		"part/bias.1":  {Shape: []int{}, Values: []float64{-0.5}},
		"counts":       {Shape: []int{3}, Values: []int64{1, 2, 1 << 60}},
		"raw":          {Shape: []int{0, 4}, Values: []uint8{}},
	}}
}

type header struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

func encode(t testing.TB, format string) []byte {
	data, err := statefile.Encode(format, header{"x", "v1.2"}, state())
	require.NoError(t, err)
	return data
}

func TestRoundTrip(t *testing.T) {
	data := encode(t, format)
	assert.Equal(t, data, encode(t, format))
	var h header
	got, err := statefile.Decode(data, format, &h)
	require.NoError(t, err)
	assert.Equal(t, header{"x", "v1.2"}, h)
	want := state()
	want.Arrays["part/bias.1"] = core.Array{Values: []float64{-0.5}}
	assert.Equal(t, want, got)
}

// TestEveryByteCounts: a file with any byte changed, or cut anywhere, is not read.
func TestEveryByteCounts(t *testing.T) {
	data := encode(t, format)
	var h header
	for i := range data {
		data[i] ^= 0x10
		_, err := statefile.Decode(data, format, &h)
		require.Error(t, err, "byte %d", i)
		data[i] ^= 0x10
		_, err = statefile.Decode(data[:i], format, &h)
		require.ErrorIs(t, err, statefile.ErrFormat, "cut at %d", i)
	}
	_, err := statefile.Decode(append(data, 0), format, &h)
	require.ErrorIs(t, err, statefile.ErrFormat)
}

func TestOtherFormats(t *testing.T) {
	var h header
	_, err := statefile.Decode(encode(t, "test.state/3"), format, &h)
	require.ErrorIs(t, err, statefile.ErrVersion)
	assert.ErrorContains(t, err, "it is of version 3 of the format test.state, and this program reads version 2; use "+
		"the program that wrote it, version v1.2")
	_, err = statefile.Decode(encode(t, "test.other/2"), format, &h)
	require.ErrorIs(t, err, statefile.ErrFormat)
	assert.ErrorContains(t, err, `"test.other/2"`)
}

func TestEncodeRefuses(t *testing.T) {
	for name, s := range map[string]*core.State{
		"facts":   {Facts: []byte("{")},
		"a shape": {Arrays: map[string]core.Array{"a": {Shape: []int{2}, Values: []float32{1}}}},
		"a type":  {Arrays: map[string]core.Array{"a": {Values: []string{""}}}},
		"header":  {Arrays: map[string]core.Array{"header.json": {Values: []float32{1}}}},
		"a name":  {Arrays: map[string]core.Array{"../a": {Values: []float32{1}}}},
	} {
		_, err := statefile.Encode(format, header{}, s)
		assert.Error(t, err, name)
	}
}

func FuzzDecode(f *testing.F) {
	data := encode(f, format)
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add(encode(f, "test.state/1"))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var h header
		s, err := statefile.Decode(data, format, &h)
		if err != nil {
			return
		}
		again, err := statefile.Encode(format, h, s)
		require.NoError(t, err)
		_, err = statefile.Decode(again, format, &h)
		require.NoError(t, err)
	})
}
