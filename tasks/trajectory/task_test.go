package trajectory_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
	"github.com/koopbench/koopbench/internal/npz"
	"github.com/koopbench/koopbench/tasks/trajectory"
)

func open(t *testing.T, data string, options map[string]any) (*core.Problem, error) {
	t.Helper()
	values := map[string]any{core.DataOption: data}
	for name, v := range options {
		values[name] = v
	}
	o, err := trajectory.Task{}.Describe().Resolve(values)
	require.NoError(t, err)
	p, err := trajectory.Task{}.Open(t.Context(), o)
	if err == nil {
		require.NoError(t, p.Validate())
	}
	return p, err
}

func opened(t *testing.T, data string, options map[string]any) *core.Problem {
	t.Helper()
	p, err := open(t, data, options)
	require.NoError(t, err)
	return p
}

// table is rows of numbers as text.
func table(header string, rows [][]float32) string {
	var text strings.Builder
	if header != "" {
		text.WriteString(header + "\n")
	}
	for _, row := range rows {
		for j, v := range row {
			if j > 0 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, "%v", v)
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// npy is the only array of an archive that package npz writes.
func npy(t *testing.T, shape []int, values any) []byte {
	var b bytes.Buffer
	require.NoError(t, npz.WritePlain(&b, npz.Archive{"x": {Shape: shape, Values: values}}, ""))
	start := bytes.Index(b.Bytes(), []byte("\x93NUMPY"))
	header := int(binary.LittleEndian.Uint16(b.Bytes()[start+8:]))
	size := binary.Size(values)
	return b.Bytes()[start:][:10+header+size]
}

func written(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

// wave is n rows of d numbers.
func wave(n, d int) [][]float32 {
	rows := make([][]float32, n)
	for i := range rows {
		for j := range d {
			rows[i] = append(rows[i], float32(math.Sin(0.37*float64(i)+float64(j))*float64(j+1)+0.1))
		}
	}
	return rows
}

func flat(rows [][]float32) (all []float32) {
	for _, row := range rows {
		all = append(all, row...)
	}
	return all
}

// TestSameNumbersSameBits: as a table, an array and an archive.
func TestSameNumbersSameBits(t *testing.T) {
	rows := wave(200, 3)
	values := flat(rows)
	doubles := make([]float64, len(values))
	for i, v := range values {
		doubles[i] = float64(v)
	}
	var stored, deflated bytes.Buffer
	archive := npz.Archive{"orbit": {Shape: []int{200, 3}, Values: values}}
	require.NoError(t, npz.WritePlain(&stored, archive, ""))
	require.NoError(t, npz.Write(&deflated, archive))
	for _, options := range []map[string]any{nil, {"standardise": "false"}, {"delay": 4, "stride": 2, "lag": 2,
		"steps": 3}} {
		hashes := map[string]string{}
		for name, content := range map[string][]byte{
			"a.csv": []byte(table("x,y,z", rows)), "a.tsv": []byte(strings.ReplaceAll(table("", rows), ",", "\t")),
			"a.npy": npy(t, []int{200, 3}, values), "b.npy": npy(t, []int{200, 3}, doubles),
			"a.npz": stored.Bytes(), "b.npz": deflated.Bytes(),
		} {
			hash, err := results.HashData(t.Context(), opened(t, written(t, name, content), options))
			require.NoError(t, err)
			hashes[hash] = name
		}
		assert.Len(t, hashes, 1, options)
	}
}

// TestStandardised: values less the mean of the training part, over its deviation; constants are not divided.
func TestStandardised(t *testing.T) {
	rows := wave(500, 2)
	for i := range rows {
		rows[i][0] += 1e4
		rows[i] = append(rows[i], 0.1)
	}
	p := opened(t, written(t, "a.csv", []byte(table("x,y,c", rows))), nil)
	for j := range 3 {
		mean, squares := 0.0, 0.0
		for i := range 300 {
			mean += float64(rows[i][j]) / 300
		}
		for i := range 300 {
			squares += (float64(rows[i][j]) - mean) * (float64(rows[i][j]) - mean) / 300
		}
		deviation := math.Sqrt(squares)
		if j == 2 {
			mean, deviation = float64(float32(0.1)), 1
		}
		for i := range 100 {
			assert.InDelta(t, (float64(rows[400+i][j])-mean)/deviation, p.Test.At(0).View().At(i, j), 1e-6)
		}
		assert.InDelta(t, mean, p.Frame.Shift[j], 1e-6)
		assert.InDelta(t, deviation, p.Frame.Scale[j], 1e-6)
	}
	assert.Equal(t, []string{"x", "y", "c"}, p.Frame.Names)
	assert.Contains(t, p.Source, "; constant: c; ")
	raw := opened(t, written(t, "a.csv", []byte(table("", rows))), map[string]any{"standardise": "false"})
	assert.Equal(t, flat(rows[:300]), raw.Train.At(0).Floats())
}

// TestManyTrajectories: 200 files of 50 rows are split whole, and nothing is paired across an end.
func TestManyTrajectories(t *testing.T) {
	dir := t.TempDir()
	for k := range 200 {
		rows := make([][]float32, 50)
		for i := range rows {
			rows[i] = []float32{float32(k), float32(i)}
		}
		name := filepath.Join(dir, fmt.Sprintf("run%d.csv", k))
		require.NoError(t, os.WriteFile(name, []byte(table("k,i", rows)), 0o600))
	}
	p := opened(t, dir, map[string]any{"standardise": "false", "lag": 3, "steps": 5, "delay": 2})
	assert.Equal(t, []int{120, 40, 40}, []int{p.Train.Count(), p.Validation.Count(), p.Test.Count()})
	assert.Contains(t, p.Source, "200 trajectories (run0.csv … run199.csv): each 50 rows × 2 columns (k, i), header, "+
		"comma-separated; whole trajectories to each part")
	for _, x := range []core.Trajectories{p.Train, p.Validation, p.Test} {
		all := x.Matrix()
		starts := x.PairStarts(3)
		assert.Equal(t, x.Count()*(49-3), starts.Len())
		for k := range starts.Len() {
			i := starts.At(k)
			assert.InDelta(t, all.At(i, 0), all.At(i, 2), 0, "a delay within one trajectory")
			assert.InDelta(t, all.At(i, 0), all.At(i+3, 0), 0, "a pair within one trajectory")
			assert.InDelta(t, all.At(i, 1)+3, all.At(i+3, 1), 0)
		}
	}
	test := p.Test.Matrix()
	for _, i := range p.Starts {
		assert.InDelta(t, test.At(i, 0), test.At(i+15, 0), 0, "the whole future is in the trajectory")
		assert.InDelta(t, test.At(i, 1)+15, test.At(i+15, 1), 0)
	}
	assert.InDelta(t, 0, test.At(0, 0)-160, 0, "the last fifth, in natural order")
}

func TestSplits(t *testing.T) {
	rows := wave(100, 1)
	one := written(t, "one.csv", []byte(table("", rows)))
	two := written(t, "two.csv", []byte(table("", rows[:50])))
	var named bytes.Buffer
	require.NoError(t, npz.Write(&named, npz.Archive{
		"train":      {Shape: []int{30, 1}, Values: flat(rows[:30])},
		"validation": {Shape: []int{20, 1}, Values: flat(rows[:20])},
		"test":       {Shape: []int{10, 1}, Values: flat(rows[:10])},
	}))
	parts := t.TempDir()
	for name, n := range map[string]int{"Train": 30, "validation": 20, "test": 10} {
		require.NoError(t, os.WriteFile(filepath.Join(parts, name+".csv"), []byte(table("", rows[:n])), 0o600))
	}
	for _, c := range []struct {
		data, split             string
		delay                   int
		train, validation, test []int
		rule                    string
	}{
		{one, "", 1, []int{60}, []int{20}, []int{20}, "split in time"},
		{one, ".5,.2,.2", 1, []int{50}, []int{20}, []int{20}, "split in time, which leaves 10 rows unused"},
		{one, "", 5, []int{56}, []int{16}, []int{16}, "split in time"},
		{one, "50,20,10", 1, []int{50}, []int{20}, []int{10}, "split by numbers of snapshots, which leaves 20 rows unused"},
		{one, "50,20,10", 5, []int{50}, []int{20}, []int{10}, "split by numbers of snapshots, which leaves 8 rows unused"},
		{one + "," + two, "", 1, []int{60, 30}, []int{20, 10}, []int{20, 10}, "each split in time"},
		{one + "," + two, "70,40,40", 1, []int{70}, []int{30, 10}, []int{40}, "split by numbers of snapshots"},
		{written(t, "named.npz", named.Bytes()), "", 1, []int{30}, []int{20}, []int{10},
			"split by the names train, validation and test"},
		{parts, "", 1, []int{30}, []int{20}, []int{10}, "split by the names train, validation and test"},
	} {
		options := map[string]any{"delay": c.delay, "steps": 5}
		if c.split != "" {
			options["split"] = c.split
		}
		p := opened(t, c.data, options)
		assert.Equal(t, [][]int{c.train, c.validation, c.test}, [][]int{p.Train.Lengths(), p.Validation.Lengths(),
			p.Test.Lengths()},
			"%v", c)
		assert.True(t, strings.HasSuffix(p.Source, "; "+c.rule), p.Source)
	}
}

func TestProblem(t *testing.T) {
	p := opened(t, orbit(t, 1000), map[string]any{"eigenvalues": ".9-.1i, 1,.9+.1i", "lag": 2, "starts": 50})
	assert.Equal(t,
		"orbit.csv: 1000 rows × 2 columns (x, y), header, comma-separated; column t is time, dropped; split in time",
		p.Source)
	assert.InDelta(t, 0.05, p.Clock.Interval, 1e-9)
	assert.Equal(t, 50, p.StartCount())
	assert.Equal(t, 2, p.Rank)
	assert.Equal(t, core.SeriesPicture, p.Picture)
	assert.Equal(t, "nrmse", p.Measure().Name)
	require.Len(t, p.Truth.Eigenvalues, 3)
	assert.InDelta(t, 1, real(p.Truth.Eigenvalues[0]), 1e-12)
	assert.InDelta(t, 0.18, imag(p.Truth.Eigenvalues[1]), 1e-12)
	assert.InDelta(t, -0.18, imag(p.Truth.Eigenvalues[2]), 1e-12)

	images := opened(t, written(t, "film.npy", npy(t, []int{100, 3, 2}, append(make([]uint8, 599), 255))), nil)
	assert.Equal(t, core.ImagePicture, images.Picture)
	assert.Equal(t, []int{3, 2}, images.Train.Shape())
	assert.Contains(t, images.Source, "film.npy: 100 images of 3×2, 8-bit pixels, divided by 255")
	wide := opened(t, written(t, "wide.npy", npy(t, []int{12_000, 30}, append(make([]float32, 12_000*30-1), 1))), nil)
	assert.Equal(t, 16, wide.Rank)
	assert.Contains(t, wide.Source, "wide.npy: 12\u202f000 rows × 30 columns, float32")
}

// TestTrivialEigenvalue: 1 is true of every operator, whether the user writes it or not.
func TestTrivialEigenvalue(t *testing.T) {
	data := orbit(t, 200)
	for _, text := range []string{".9+.1i,.9-.1i", "1,.9+.1i,.9-.1i", ".9-.1i, .9+.1i, 1.0"} {
		p := opened(t, data, map[string]any{"eigenvalues": text})
		assert.Equal(t, []complex128{1, .9 + .1i, .9 - .1i}, p.Truth.Eigenvalues, text)
	}
	assert.Nil(t, opened(t, data, nil).Truth)
}

// TestConstantTest: errors over no variance mean nothing.
func TestConstantTest(t *testing.T) {
	_, err := open(t, written(t, "a.csv", []byte(table("", wave(80, 1))+strings.Repeat("0\n", 40))), nil)
	require.ErrorIs(t, err, core.ErrOption)
	assert.ErrorContains(t, err, "no value of the 24 test snapshots changes")
}

// TestPrecision: what 32 bits cannot tell apart is refused by the name of its column.
func TestPrecision(t *testing.T) {
	for _, c := range []struct {
		offset, amplitude, grain float64
		lost                     bool
	}{{1e8, 1.3, 0, true}, {1e6, 1.3, 0, true}, {1e4, 1.3, 0, false}, {0, 1.3, 0, false}, {16777216, 50, 2, false},
		{1e8, 0, 0, false}} {
		text, values := "x,y\n", []float64{}
		for i := range 100 {
			v := c.offset + c.amplitude*math.Sin(0.3*float64(i))
			if c.grain > 0 {
				v = math.Round(v/c.grain) * c.grain
			}
			text += fmt.Sprintf("%d,%.17g\n", i*i%7, v)
			values = append(values, float64(i*i%7), v)
		}
		for _, data := range []string{written(t, "a.csv", []byte(text)), written(t, "a.npy", npy(t, []int{100, 2}, values))} {
			_, err := open(t, data, nil)
			if !c.lost {
				require.NoError(t, err, c)
				continue
			}
			require.ErrorIs(t, err, dataset.ErrFormat)
			assert.ErrorContains(t, err, ": column 2")
			assert.ErrorContains(t, err, "take a constant off it, such as its mean, or leave it out by columns=")
		}
	}
}

func TestRefused(t *testing.T) {
	long, short := written(t, "long.csv", []byte(table("", wave(100, 2)))), written(t, "short.csv",
		[]byte(table("", wave(8, 2))))
	wide := written(t, "wide.csv", []byte(table("", wave(100, 3))))
	values := flat(wave(100, 2))
	values[2*41+1] = float32(math.NaN())
	gap := written(t, "gap.npy", npy(t, []int{100, 2}, values))
	far := wave(100, 1)
	for i := range far[:60] {
		far[i][0] = float32(i%2) * 1e-30
	}
	far[99][0] = 1e30
	var two bytes.Buffer
	require.NoError(t, npz.Write(&two, npz.Archive{"train": {Shape: []int{2, 1}, Values: []float32{1, 2}},
		"x": {Shape: []int{2, 1}, Values: []float32{1, 2}}}))
	for name, c := range map[string]struct {
		data    string
		options map[string]any
		is      error
		says    string
	}{
		"no data": {"", nil, core.ErrOption, "there are no data; give data=FILE"},
		"shorter than the lag": {long + "," + short, map[string]any{"lag": 10, "steps": 1}, core.ErrTooShort,
			"short.csv gives 5 rows to the training part; at a lag of 10 and a delay of 1 a pair needs 11"},
		"few to test": {long, map[string]any{"steps": 30}, core.ErrTooShort,
			"the longest test trajectory has 20 rows, but 30 steps at a lag of 1 and a delay of 1 need 31"},
		"widths": {long + "," + wide, nil, core.ErrShape,
			"snapshots have the shape [2] in long.csv but [3] in wide.csv"},
		"nothing": {long, map[string]any{"split": "1,0,0"}, core.ErrOption,
			`"0" in the split "1,0,0"; give positive numbers`},
		"next to none": {long, map[string]any{"split": ".9,.099,.001"}, core.ErrTooShort,
			"the longest test trajectory has 0 rows"},
		"two parts": {long, map[string]any{"split": ".9,.1"}, core.ErrOption, "give three shares"},
		"too much": {long, map[string]any{"split": ".9,.2,.2"}, core.ErrOption,
			`the sum of the shares ".9,.2,.2" is 1.3`},
		"too many": {long, map[string]any{"split": "80,20,20"}, core.ErrTooShort, "the test part lacks 20"},
		"eigenvalues": {long, map[string]any{"eigenvalues": ".9,one"}, core.ErrOption,
			`the eigenvalue "one" is not a number; write it like .95 or .95+.1i`},
		"no finite one": {long, map[string]any{"eigenvalues": "nan"}, core.ErrOption, `the eigenvalue "nan" is not a number`},
		"growing": {long, map[string]any{"eigenvalues": "1,5"}, core.ErrOption,
			`the eigenvalue "5" has a modulus above 1`},
		"half a pair": {long, map[string]any{"eigenvalues": "1,.95+.1i"}, core.ErrOption, "(0.95+0.1i) has no conjugate"},
		"not decimal": {long, map[string]any{"eigenvalues": ".9_5"}, core.ErrOption, `the eigenvalue ".9_5" is not a number`},
		"no share":    {long, map[string]any{"split": "0x1p-1,.2,.2"}, core.ErrOption, `"0x1p-1" in the split`},
		"NaN":         {gap, nil, core.ErrNonFinite, "gap.npy, row 42, column 2: it is NaN"},
		"NaN, as it is": {gap, map[string]any{"standardise": "false"}, core.ErrNonFinite,
			"gap.npy, row 42, column 2: it is NaN"},
		"far out": {written(t, "far.csv", []byte(table("", far))), nil, core.ErrNonFinite,
			"a value is far outside the training part"},
		"names of parts": {written(t, "two.npz", two.Bytes()), nil, core.ErrOption,
			"1 of 2 arrays or files are named train, validation or test"},
		"a part missing": {written(t, "Train.csv", []byte(table("", wave(100, 2)))) + "," +
			written(t, "TEST.csv", []byte(table("", wave(100, 2)))), nil,
			core.ErrOption, "2 of 2 arrays or files are named train, validation or test"},
		"a file twice": {long + "," + filepath.Dir(long), nil, core.ErrOption, "long.csv is given twice"},
		"other columns": {written(t, "a.csv", []byte(table("x,y", wave(100, 2)))) + "," +
			written(t, "b.csv", []byte(table("y,x", wave(100, 2)))), nil,
			core.ErrShape, "the columns are x, y in a.csv but y, x in b.csv"},
		"other intervals": {written(t, "a.csv", []byte("t,x\n0,1\n1,2\n")) + "," +
			written(t, "b.csv", []byte("t,x\n0,1\n2,2\n")), nil,
			core.ErrShape, "the interval between rows is 1 in a.csv but 2 in b.csv"},
		"turned": {written(t, "wide.npy", npy(t, []int{2, 200}, make([]float32, 400))), nil, core.ErrTooShort,
			"wide.npy gives 1 row to the training part; at a lag of 1 and a delay of 1 a pair needs 2; change split, " +
				"lag or delay, or leave out the file; it is read as 2 rows of 200 values, with time as the first axis; " +
				"transpose it"},
		"one time": {long + "," + written(t, "b.csv", []byte("t,x,y\n0,1,2\n2,2,2\n")), nil, core.ErrShape,
			"b.csv has a time but long.csv does not"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, c.data, c.options)
			require.ErrorIs(t, err, c.is)
			assert.ErrorContains(t, err, c.says)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o, err := trajectory.Task{}.Describe().Resolve(map[string]any{core.DataOption: long})
	require.NoError(t, err)
	_, err = trajectory.Task{}.Open(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	_, err = results.HashData(ctx, opened(t, long, nil))
	require.ErrorIs(t, err, context.Canceled)
}

// TestDelaysCopyNothing: snapshots of a long delay overlap in memory.
func TestDelaysCopyNothing(t *testing.T) {
	const rows = 20_000
	values := make([]float32, rows)
	for i := range values {
		values[i] = float32(i % 100)
	}
	p := opened(t, written(t, "a.npy", npy(t, []int{rows}, values)), map[string]any{"delay": 300, "stride": 3,
		"standardise": "false"})
	x := p.Train.At(0)
	assert.Equal(t, []int{300}, x.Shape())
	assert.Equal(t, 12_000-897, x.Len())
	row := make([]float32, 300)
	x.Read(row, 5)
	assert.Equal(t, []float32{5, 8, 11}, row[:3])
	_, err := x.Slice(0, 3).WriteTo(io.Discard)
	require.NoError(t, err)
}

// TestDelayedImages stand one below the other, and only the newest is judged.
func TestDelayedImages(t *testing.T) {
	pixels := make([]uint8, 100*6)
	for i := range pixels {
		pixels[i] = uint8(i * i)
	}
	p := opened(t, written(t, "film.npy", npy(t, []int{100, 3, 2}, pixels)), map[string]any{"delay": 2, "steps": 3})
	assert.Equal(t, []int{6, 2}, p.Test.Shape())
	scorer, err := p.Score.Fit(t.Context(), nil)
	require.NoError(t, err)
	predicted := make([]float32, p.StartCount()*12)
	for k, i := range p.Starts {
		p.Test.Read(predicted[12*k:12*k+12], i+2)
		clear(predicted[12*k : 12*k+6]) // what was given
	}
	x, err := core.NewSnapshots(predicted, 6, 2)
	require.NoError(t, err)
	scores, err := scorer.Score(t.Context(), 2, x)
	require.NoError(t, err)
	assert.Equal(t, make([]float64, p.StartCount()), scores)
}
