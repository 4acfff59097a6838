package cli

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
)

// savedModel runs linear on data with more arguments, and returns the file of its model.
func savedModel(t *testing.T, out string, args ...string) string {
	t.Helper()
	args = append([]string{"run", "--methods", "linear", "--steps", "3", "--save-models", "-q", "--out", out}, args...)
	got := call(t.Context(), lorenzConfig(), args...)
	require.Zero(t, got.status, got.stderr)
	return filepath.Join(out, "runs", resultsIn(t, out).Runs[0].Key+".model.npz")
}

// forecasts calls bench predict, and returns the content of the file that it writes.
func forecasts(t *testing.T, out string, args ...string) string {
	t.Helper()
	got := call(t.Context(), lorenzConfig(), append([]string{"predict", "--out", out}, args...)...)
	require.Zero(t, got.status, got.stderr)
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	return string(text)
}

// orbitNumbers are the columns of a table but for its first.
func orbitNumbers(t *testing.T, path string) (values []float32) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(strings.TrimPrefix(string(text), "t,x,y\n")) {
		for _, field := range strings.Split(strings.TrimSpace(line), ",")[1:] {
			v, err := strconv.ParseFloat(field, 32)
			require.NoError(t, err)
			values = append(values, float32(v))
		}
	}
	return values
}

func writeFile(t *testing.T, path string, write func(w io.Writer) error) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b))
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
}

// TestForecast: what follows a table is a table of the same columns, in its units, with its time going on, whether the
// model takes rows as they are, or standardised, or several at a time.
func TestForecast(t *testing.T) {
	t.Chdir(t.TempDir())
	var text strings.Builder
	text.WriteString("t,x,y\n")
	place := func(row int) (x, y float64) { return 40 + 3*math.Cos(.3*float64(row)), 2 * math.Sin(.3*float64(row)) }
	for i := range 300 {
		x, y := place(i)
		fmt.Fprintf(&text, "%.1f,%.7g,%.7g\n", .1*float64(i), x, y)
	}
	require.NoError(t, os.WriteFile("orbit.csv", []byte(text.String()), 0o600))
	for name, options := range map[string]string{
		"plain": "&standardise=false", "standardised": "", "delayed": "&delay=3&stride=2", "slower": "&lag=2&delay=2",
	} {
		t.Run(name, func(t *testing.T) {
			model := savedModel(t, name, "--task", "trajectory?data=orbit.csv"+options)
			lag := 1
			if name == "slower" {
				lag = 2
			}
			lines := strings.Split(forecasts(t, name+".csv", "--model", model, "--input", "orbit.csv", "--steps", "4"), "\n")
			require.Len(t, lines, 1+4+1)
			assert.Equal(t, "t,x,y", lines[0])
			for k, line := range lines[1:5] {
				row := 299 + (k+1)*lag
				var at, x, y float64
				_, err := fmt.Sscanf(line, "%g,%g,%g", &at, &x, &y)
				require.NoError(t, err, line)
				assert.InDelta(t, .1*float64(row), at, 1e-9)
				wantX, wantY := place(row)
				assert.InDelta(t, wantX, x, .25)
				assert.InDelta(t, wantY, y, .25)
			}
			all := forecasts(t, name+".tsv", "--model", model, "--input", "orbit.csv", "--steps", "2", "--from", "all")
			assert.True(t, strings.HasPrefix(all, "trajectory\trow\tstep\tt\tx\ty\n0\t"), all[:60])
			past := map[string]int{"delayed": 4, "slower": 1}[name]
			assert.Equal(t, 1+2*(300-past), strings.Count(all, "\n"))
		})
	}
}

// TestForecastOfEverySort: the same numbers in files of every sort give the same predictions, bit by bit, and these are
// in files of every sort.
func TestForecastOfEverySort(t *testing.T) {
	t.Chdir(t.TempDir())
	writeOrbit(t, "orbit.csv", 200)
	array := npz.Array{Shape: []int{200, 2}, Values: orbitNumbers(t, "orbit.csv")}
	writeFile(t, "orbit.npy", func(w io.Writer) error { return npz.WriteArray(w, array) })
	writeFile(t, "orbit.npz", func(w io.Writer) error { return npz.Write(w, npz.Archive{"a": array}) })
	model := savedModel(t, "results", "--task", "trajectory?data=orbit.csv&delay=2")
	for _, from := range []string{fromLast, fromAll} {
		want := forecasts(t, from+"0.npy", "--model", model, "--input", "orbit.csv", "--from", from)
		for i, input := range []string{"orbit.npy", "orbit.npz"} {
			got := forecasts(t, fmt.Sprintf("%s%d.npy", from, i+1), "--model", model, "--input", input, "--from", from)
			assert.True(t, want == got, "%s from %s", input, from)
		}
	}
	got, err := npz.ReadArray(strings.NewReader(forecasts(t, "last.npy", "--model", model, "--input", "orbit.npy")))
	require.NoError(t, err)
	assert.Equal(t, []int{15, 2}, got.Shape)
	table := forecasts(t, "last.csv", "--model", model, "--input", "orbit.npy")
	assert.True(t, strings.HasPrefix(table, "x,y\n"), "the model knows the names")

	require.NoError(t, os.Mkdir("runs", 0o700))
	writeOrbit(t, filepath.Join("runs", "run2.csv"), 40)
	writeOrbit(t, filepath.Join("runs", "run10.csv"), 50)
	text := forecasts(t, "runs.npz", "--model", model, "--input", "runs", "--steps", "2")
	archive, err := npz.Read(strings.NewReader(text), int64(len(text)))
	require.NoError(t, err)
	assert.Equal(t, []int{2, 2, 2}, archive["predictions"].Shape)
	assert.Equal(t, []int64{0, 1}, archive["trajectory"].Values)
	assert.Equal(t, []int64{39, 49}, archive["row"].Values)
	assert.InDeltaSlice(t, []float64{4, 4.1, 5, 5.1}, archive["time"].Values, 1e-9)
}

// TestForecastOfASimulation: the model of a task that standardises what it simulates takes rows as they are recorded.
func TestForecastOfASimulation(t *testing.T) {
	t.Chdir(t.TempDir())
	model := savedModel(t, "out", "--task", "lorenz63?split=400,100,100")
	require.NoError(t, os.WriteFile("now.csv", []byte("1,1,20\n"), 0o600))
	text := forecasts(t, "next.csv", "--model", model, "--input", "now.csv", "--steps", "1")
	var x, y, z float64
	_, err := fmt.Sscanf(text, "%g,%g,%g\n", &x, &y, &z)
	require.NoError(t, err, text)
	assert.InDelta(t, 20, z, 5, "in the units of the simulation")
}

// TestForecastOfImages: a model of images writes into a file if one is named, and has no columns.
func TestForecastOfImages(t *testing.T) {
	t.Chdir(t.TempDir())
	model := savedModel(t, "out", "--split", "60,30,30", "--num-digits", "3")
	pixels := make([]float64, 28*28)
	writeFile(t, "zero.npy", func(w io.Writer) error {
		return npz.WriteArray(w, npz.Array{Shape: []int{1, 28, 28}, Values: pixels})
	})
	text := forecasts(t, "next.npy", "--model", model, "--input", "zero.npy", "--steps", "2")
	got, err := npz.ReadArray(strings.NewReader(text))
	require.NoError(t, err)
	assert.Equal(t, []int{2, 28, 28}, got.Shape)
	for says, args := range map[string][]string{
		"images do not fit in a table":       {"--out", "next.csv"},
		"--from needs trajectories":          {"--from", "all"},
		"next.npy exists already; name anot": {"--out", "next.npy"},
	} {
		args = append([]string{"predict", "--model", model, "--input", "zero.npy"}, args...)
		got := call(t.Context(), lorenzConfig(), args...)
		assert.NotZero(t, got.status, says)
		assert.Contains(t, got.stderr, says)
	}
}

// TestForecastMistakes: what cannot be predicted gets a sentence, and nothing is written.
func TestForecastMistakes(t *testing.T) {
	t.Chdir(t.TempDir())
	writeOrbit(t, "orbit.csv", 300)
	model := savedModel(t, "results", "--task", "trajectory?data=orbit.csv&delay=4")
	for name, text := range map[string]string{
		"wide.csv": "x,y,z\n1,2,3\n2,3,4\n", "other.csv": "t,x,z\n0,1,2\n1,2,3\n", "short.csv": "t,x,y\n0,1,2\n1,2,3\n",
		"gap.csv": "t,x,y\n0,1,2\n1,2,nan\n", "mine.csv": "mine", "bare.csv": "1,2,3\n2,3,4\n",
		"notime.csv": "x,y\n1,2\n2,3\n3,4\n4,5\n",
	} {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
	nan := npz.Array{Shape: []int{5, 2}, Values: []float64{0, 1, 2, 3, 4, 5, 6, math.NaN(), 8, 9}}
	writeFile(t, "nan.npy", func(w io.Writer) error { return npz.WriteArray(w, nan) })
	for says, args := range map[string][]string{
		"wide.csv has the columns x, y, z, but the model":          {"--input", "wide.csv"},
		"other.csv has the columns x, z, but the model needs x, y": {"--input", "other.csv"},
		"bare.csv has rows of 3 values, but the model needs 2":     {"--input", "bare.csv"},
		"short.csv: sequence too short: 2 snapshots, and one":      {"--input", "short.csv"},
		`line 3, column 3 (y): "nan" is not finite`:                {"--input", "gap.csv"},
		"nan.npy, row 4, column 2: it is NaN":                      {"--input", "nan.npy"},
		"only one of orbit.csv and notime.csv has a time":          {"--input", "orbit.csv,notime.csv"},
		"mine.csv exists already; name another file":               {"--input", "orbit.csv", "--out", "mine.csv"},
		"next.txt: give a file that ends in .npy, .npz":            {"--input", "orbit.csv", "--out", "next.txt"},
		"--png needs images":                                       {"--input", "orbit.csv", "--png", "3"},
		`there is no column "z"`:                                   {"--input", "orbit.csv", "--columns", "x,z"},
		"orbit.csv has the columns y, x, but the model needs x, y": {"--input", "orbit.csv", "--columns", "y,x"},
		"--out: stat none: no such file":                           {"--input", "orbit.csv", "--out", "none/next.csv"},
		"predict needs --input FILE, trajectories or images":       {},
	} {
		got := call(t.Context(), lorenzConfig(), append([]string{"predict", "--model", model}, args...)...)
		assert.NotZero(t, got.status, says)
		assert.Contains(t, got.stderr, says)
		assert.NoFileExists(t, defaultForecast)
	}
	text, err := os.ReadFile("mine.csv")
	require.NoError(t, err)
	assert.Equal(t, "mine", string(text))
	first := forecasts(t, "wide2.csv", "--model", model, "--input", "orbit.csv", "--columns", "x..y", "--time", "t")
	assert.Equal(t, first, forecasts(t, "wide3.csv", "--model", model, "--input", "orbit.csv"))
}

// TestTimeText: times are as fine as their step asks for, and no finer.
func TestTimeText(t *testing.T) {
	for want, c := range map[string][2]float64{
		"100": {99.95 + .05, .05}, "0.3": {.1 + .2, .1}, "1700000000.123457": {1700000000.123457, 1}, "20": {20, 10},
		"0.66666667": {2. / 3, 1. / 30}, "2000000": {2e6, 1e6}, "-0.5": {-.5, .25},
	} {
		assert.Equal(t, want, timeText(c[0], c[1]))
	}
}

// TestModelOfAnotherFrame: a frame that does not fit the model is refused.
func TestModelOfAnotherFrame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.npz")
	m := &results.SavedModel{
		ModelInfo: results.ModelInfo{
			Kind: results.ModelOfMethod, Name: "linear", Task: results.TaskInfo{Lag: 1, Shape: []int{3}},
		},
		Frame: &core.Frame{Rows: 2, Stride: 1}, State: &core.State{},
	}
	require.NoError(t, m.Write(path))
	_, err := results.ReadModel(path)
	require.ErrorIs(t, err, results.ErrModel)
	assert.ErrorContains(t, err, "a frame of 2 rows")
	m.Frame = &core.Frame{Shift: []float64{1}, Scale: []float64{2}, Rows: 3, Stride: 1, Names: []string{"x"}}
	require.NoError(t, m.Write(path))
	read, err := results.ReadModel(path)
	require.NoError(t, err)
	assert.True(t, results.SameFrame(m.Frame, read.Frame))
	assert.Empty(t, read.State.Arrays)
	m.State.Arrays = map[string]core.Array{"frame/scale": {Shape: []int{1}, Values: []float64{1}}}
	_, err = m.Encode()
	require.ErrorIs(t, err, core.ErrDescription)
}

// TestVerifyOwnData: results of the user's own data are made again from a file, a folder or a list, and the frames of
// models are compared.
func TestVerifyOwnData(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("runs", 0o700))
	writeOrbit(t, filepath.Join("runs", "run1.csv"), 120)
	writeOrbit(t, filepath.Join("runs", "run2.csv"), 100)
	model := savedModel(t, "out", "--task", "trajectory?data=runs&delay=2")
	verify := func(data ...string) output {
		return call(t.Context(), lorenzConfig(), append([]string{"verify", "out", "-q"}, data...)...)
	}
	for _, data := range []string{"runs", "runs/run1.csv,runs/run2.csv"} {
		got := verify("--data", data)
		assert.Zero(t, got.status, got.stdout+got.stderr)
	}
	got := verify()
	assert.Contains(t, got.stderr, "there are no data; give data=FILE")
	assert.Contains(t, got.stderr, "; say where they are now with --data\n")
	got = verify("--data", "runs/run1.csv")
	assert.Contains(t, got.stderr, "; say where these data are now with --data\n")

	saved, err := results.ReadModel(model)
	require.NoError(t, err)
	saved.Frame.Shift[0]++
	require.NoError(t, saved.Write(model))
	got = verify("--data", "runs")
	assert.NotZero(t, got.status)
	assert.Contains(t, got.stdout, ".model.npz: its frame, which says how rows become snapshots, differs from that of "+
		"the task\n")
}
