package results

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
	"github.com/koopbench/koopbench/internal/statefile"
)

func FuzzReadModel(f *testing.F) {
	whole, err := os.ReadFile(filepath.Join("testdata", "model.npz"))
	require.NoError(f, err)
	f.Add(whole)
	f.Add(whole[:len(whole)/3])
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decodeModel(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		data, err = statefile.Encode(ModelFormat, m.ModelInfo, m.State) // a file would be synced, which takes longest
		require.NoError(t, err)
		again, err := decodeModel(bytes.NewReader(data), int64(len(data)))
		require.NoError(t, err)
		require.Equal(t, m.ModelInfo, again.ModelInfo)
	})
}

// FuzzRunArrays: an archive is the arrays of a run, which [RunArrays.check] can judge, or an error.
// The archive has one array of the fuzzed header and values beside good ones.
func FuzzRunArrays(f *testing.F) {
	f.Add("rollout", 1, 2, 3, 4)
	f.Add("labels", 2, 0, -1, 1<<30)
	f.Add("left_eigenfunctions", 0, 0, 0, 0)
	f.Fuzz(func(t *testing.T, name string, a, b, c, n int) {
		shape := []int{a, b, c}
		n = min(max(n, 0), 1000)
		for _, values := range []any{make([]float32, n), make([]int64, n), make([]complex128, n)} {
			archive := npz.Archive{
				"rollout_reencode": {Shape: []int{1, 1, 2}, Values: make([]float32, 2)},
			}
			if a >= 0 && b >= 0 && c >= 0 && a < 1000 && b < 1000 && c < 1000 && a*b*c == n {
				archive[name] = npz.Array{Shape: shape, Values: values}
			} else {
				archive[name] = npz.Array{Shape: []int{n}, Values: values}
			}
			arrays, err := runArraysOf(archive)
			if err != nil {
				continue
			}
			info := TaskInfo{States: 2, Steps: 1, Lag: 1, Train: 2, Validation: 2, Test: 2, Starts: 2, Shape: []int{2}}
			run := &Run{Evaluations: []Evaluation{{Protocol: ProtocolReencode, Status: StatusOK}}}
			if arrays.check(info, run) == nil {
				require.Len(t, arrays.Rollouts[ProtocolReencode], 1)
			}
		}
	})
}

// FuzzTaskArrays: a file is data.npz of a task, or an error.
func FuzzTaskArrays(f *testing.F) {
	x, err := core.NewSnapshots([]float32{1, 2}, 1)
	require.NoError(f, err)
	var b bytes.Buffer
	require.NoError(f, npz.Write(&b, (&TaskArrays{
		Sample: x, Starts: x, SampleStates: []int{0, 1}, TestStates: []int{0, 1}, Futures: Rollout{x}, Test: x,
		TrueEigenfunctions: mat.NewCDense(2, 1, nil),
	}).archive()))
	f.Add(b.Bytes())
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "data.npz"), data, 0o644))
		info := TaskInfo{States: 2, Steps: 1, Lag: 1, Train: 2, Validation: 2, Test: 2, Starts: 2, Shape: []int{1},
			Picture: string(core.LinePicture), Eigenvalues: []Complex{1}}
		if arrays, err := OpenStore(dir).TaskArraysOf(info); err == nil {
			require.Len(t, arrays.TestStates, 2)
		} else {
			require.ErrorIs(t, err, ErrResults)
		}
	})
}

// FuzzGather: what merge and serve read of a folder is results that can be checked, or an error.
func FuzzGather(f *testing.F) {
	const task = `"schema":"koopbench.results/2","protocol":"reencode","task":{"steps":1,"lag":1,"rank":1,"train":1,` +
		`"validation":1,"test":1,` +
		`"starts":1,"shape":[1],"picture":"curve","measure":{"name":"error","summary":"an error"}}`
	f.Add([]byte(`{`+task+`,"runs":[{"key":"k","method":"m","seed":1}]}`),
		[]byte(`{"key":"k","method":"m","seed":1,"status":"failed"}`))
	f.Add([]byte(`{`+task+`,"shard":{"index":1,"count":2},"runs":[]}`), []byte(`{}`))
	dir := f.TempDir()
	require.NoError(f, os.Mkdir(filepath.Join(dir, "runs"), 0o755))
	f.Fuzz(func(t *testing.T, plan, run []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "plan.json"), plan, 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "runs", "k.json"), run, 0o644))
		r, _, err := OpenStore(dir).Progress()
		if err == nil && r != nil {
			require.NoError(t, r.Check())
		}
		folders, err := openFolders(OpenStore(filepath.Join(dir, "none")), []string{dir})
		if err == nil {
			_, _ = join(folders)
		}
	})
}
