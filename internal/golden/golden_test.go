package golden

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

func TestCommittedFilesHoldCases(t *testing.T) {
	t.Setenv(Folder, "")
	for name, cases := range map[string]int{"losses.json": 24, "losses_more.json": 90, "ridge.json": 32,
		"ordered_mnist.json": 10, "processes.json": 7, "kernel.json": 96} {
		var file struct{ Cases []json.RawMessage }
		Load(t, name, &file)
		assert.Len(t, file.Cases, cases, name)
	}
}

func TestLoadReadsTheNamedFolder(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "other.json"), []byte(`{"cases": [{"value": 7}]}`), 0o600))
	t.Setenv(Folder, folder)
	var file struct{ Cases []struct{ Value int } }
	Load(t, "other.json", &file)
	assert.Equal(t, 7, file.Cases[0].Value)

	_, err := read("ridge.json")
	assert.ErrorIs(t, err, os.ErrNotExist, "a named folder replaces the committed files")
}

func TestDecodeRefusesFilesThatTestNothing(t *testing.T) {
	for _, content := range []string{``, `[]`, `{}`, `{"cases": []}`, `{"cases": null}`, `{"cases": [{}]} {}`} {
		var file struct{ Cases []struct{} }
		assert.Error(t, decode([]byte(content), &file), content)
	}
}

func TestArray(t *testing.T) {
	var a Array
	require.NoError(t, json.Unmarshal([]byte(`{"shape": [2, 3], "data": [1, 2, 3, 4, 5, 6]}`), &a))
	assert.True(t, mat.Equal(mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6}), a.Dense()))
	a.Dense().Set(0, 0, 100)
	assert.Equal(t, 1.0, a.Data[0], "Dense shares no memory")

	var vector, z Array
	require.NoError(t, json.Unmarshal([]byte(`{"shape": [2], "data": [1, 2]}`), &vector))
	assert.True(t, mat.Equal(mat.NewDense(2, 1, []float64{1, 2}), vector.Dense()))
	require.NoError(t, json.Unmarshal([]byte(`{"shape": [2], "re": [1, 2], "im": [3, 4]}`), &z))
	assert.Equal(t, []complex128{1 + 3i, 2 + 4i}, z.Complex())

	for _, broken := range []string{`{"data": [1]}`, `{"shape": [], "data": []}`, `{"shape": [0], "data": []}`,
		`{"shape": [2], "data": [1]}`,
		`{"shape": [1], "data": [1], "re": [1], "im": [1]}`, `{"shape": [1], "re": [1]}`, `{"shape": [-1, -1], "data": [1]}`,
		`3`} {
		assert.Error(t, json.Unmarshal([]byte(broken), &Array{}), broken)
	}
}

func TestNearIsRelativeToTheLargestEntry(t *testing.T) {
	want := Array{Shape: []int{1, 2}, Data: []float64{-1000, 1}}
	assert.NoError(t, want.near(mat.NewDense(1, 2, []float64{-1000, 1.9}), 1e-3))
	assert.Error(t, want.near(mat.NewDense(1, 2, []float64{-1000, 2.1}), 1e-3))
	assert.Error(t, want.near(mat.NewDense(1, 2, []float64{-1000, math.NaN()}), 1e-3))
	assert.Error(t, want.near(mat.NewDense(2, 1, []float64{-1000, 1}), 1e-3))
}
