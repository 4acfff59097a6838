package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
)

// situations are the settings in which every figure must stand.
func situations() map[string]setting {
	manySeeds := []madeUp{
		{label: "linear", half: 5, first: 0.85, rank: 5, noise: 0.6, failed: []int64{1, 2}},
		{label: "classifier", half: 6, first: 0.95, rank: 5, noise: 0.25, exposed: core.OracleExposed},
		{label: "labelled", first: 1, rank: 2, exposed: core.LabelExposed},
		{label: "vamp?epochs=20&lr=1e-3", first: 0.98, rank: 5, losses: true, noise: 0.05},
		{label: "autoencoder", half: 2, first: 0.9, rank: 4, losses: true, noise: 0.2, untaught: []int64{0, 2}},
		{label: "kernel", failed: []int64{0, 1, 2}},
		{label: "mean", first: 0.2},
		{label: "dmd", first: 0.5, half: 1, rank: 1, noise: 0.1},
	}
	many := []madeUp{{label: "operator:third-party-kernel?bandwidth=12.5&regularisation=1e-6&landmarks=300", first: 1, rank: 3}}
	for i := range 19 {
		many = append(many, madeUp{
			label: fmt.Sprintf("method-%c", 'a'+i), half: float64(i % 7), first: 0.6, rank: i % 5, losses: i%3 > 0, noise: 0.1,
		})
	}
	return map[string]setting{
		"five methods":        {test: 100},
		"several seeds":       {methods: manySeeds, seeds: []int64{0, 1, 2}, test: 60},
		"twenty methods":      {methods: many, digits: 10, test: 40},
		"one digit, one step": {methods: fiveMethods()[2:3], digits: 1, steps: 1, test: 3},
		"colour, wide":        {methods: fiveMethods()[:2], digits: 2, steps: 3, test: 20, shape: []int{10, 30, 3}},
		"tall, many steps":    {methods: fiveMethods()[:1], digits: 3, steps: 1000, test: 10, shape: []int{30, 8, 1}},
		"vectors":             {methods: fiveMethods()[:1], steps: 2, test: 10, shape: []int{12}},
		"failed":              {methods: []madeUp{{label: "kernel", failed: []int64{42}}}, test: 10},
		"nothing to show":     {methods: []madeUp{{label: "mean", first: 0.2}}, steps: 21, test: 10},
	}
}

func materialOf(t testing.TB, s source) *material {
	m, err := gather(s)
	require.NoError(t, err)
	return m
}

// Everything written in a figure lies within it, and no two texts lie over each other.
func TestTextHasRoom(t *testing.T) {
	for name, s := range situations() {
		d := newDrawer(materialOf(t, makeUp(t, s)))
		for _, figure := range Figures() {
			t.Run(name+"/"+figure, func(t *testing.T) {
				f := d.figure(figure)
				p := newProbe(f)
				f.draw(draw.NewCanvas(p, f.width, f.height))
				require.NotEmpty(t, p.texts)
				for i, a := range p.texts {
					assert.GreaterOrEqual(t, a.box.Min.X, 0.0, a.text)
					assert.GreaterOrEqual(t, a.box.Min.Y, 0.0, a.text)
					assert.LessOrEqual(t, a.box.Max.X, f.width.Points(), a.text)
					assert.LessOrEqual(t, a.box.Max.Y, f.height.Points(), a.text)
					for _, b := range p.texts[:i] {
						assert.False(t, a.box.overlaps(b.box), "%q lies over %q", a.text, b.text)
					}
				}
			})
		}
	}
}

func TestFiguresAreFiles(t *testing.T) {
	s := situations()
	for _, name := range []string{"one digit, one step", "colour, wide"} {
		d := newDrawer(materialOf(t, makeUp(t, s[name])))
		for _, figure := range Figures() {
			t.Run(name+"/"+figure, func(t *testing.T) {
				f := d.figure(figure)
				raster, vector, err := d.render(figure)
				require.NoError(t, err)

				img, err := png.Decode(bytes.NewReader(raster))
				require.NoError(t, err)
				assert.Equal(t, resolution, f.dpi())
				assert.InDelta(t, f.width.Points()/72*resolution, img.Bounds().Dx(), 1)
				assert.InDelta(t, f.height.Points()/72*resolution, img.Bounds().Dy(), 1)
				assert.False(t, uniform(img), "something is drawn")

				texts := svgTexts(t, vector)
				assert.NotEmpty(t, texts)
				assert.Contains(t, string(vector), fmt.Sprintf(`viewBox="0 0 %.5g %.5g"`, f.width.Points(), f.height.Points()))
				assert.Less(t, len(vector), 1<<20)
			})
		}
	}
}

func uniform(img image.Image) bool {
	b := img.Bounds()
	first := img.At(b.Min.X, b.Min.Y)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if img.At(x, y) != first {
				return false
			}
		}
	}
	return true
}

// svgTexts checks that a file is well-formed XML and returns what its text elements say.
func svgTexts(t *testing.T, file []byte) []string {
	var texts []string
	d := xml.NewDecoder(bytes.NewReader(file))
	inText := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		require.NoError(t, err)
		switch v := token.(type) {
		case xml.StartElement:
			inText = v.Name.Local == "text"
		case xml.CharData:
			if inText {
				texts = append(texts, string(v))
			}
		case xml.EndElement:
			inText = false
		}
	}
}

// The same results give the same bytes, whatever the order of their runs.
func TestFiguresRepeat(t *testing.T) {
	s := setting{methods: situations()["several seeds"].methods[2:6], seeds: []int64{0, 1, 2}, steps: 2, test: 10, digits: 3}
	a, b := makeUp(t, s), makeUp(t, s)
	slices.Reverse(b.results.Runs)
	ma, mb := newDrawer(materialOf(t, a)), newDrawer(materialOf(t, b))
	for _, figure := range Figures() {
		rasterA, vectorA, err := ma.render(figure)
		require.NoError(t, err)
		rasterB, vectorB, err := mb.render(figure)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(rasterA, rasterB), "%s.png", figure)
		assert.True(t, bytes.Equal(vectorA, vectorB), "%s.svg", figure)
	}
}

func TestLargeFiguresHaveFewerDots(t *testing.T) {
	f := figure{width: 20 * 72, height: 200 * 72}
	d := float64(f.dpi())
	assert.LessOrEqual(t, 20*d*200*d, float64(maxDots))
	assert.Equal(t, resolution, figure{width: 720, height: 720}.dpi())
	assert.Equal(t, 1, figure{width: 1e9, height: 1e9}.dpi())
}

func TestAccuracyLegend(t *testing.T) {
	m := materialOf(t, makeUp(t, situations()["several seeds"]))
	key := newDrawer(m).accuracyKey()
	assert.Contains(t, bandsNote(m.exhibits), "over seeds and test snapshots, of one seed over snapshots alone")
	var names []string
	for _, e := range key {
		require.NotNil(t, e.sample)
		names = append(names, e.name)
	}
	assert.ElementsMatch(t, []string{
		"vamp?epochs=20&lr=1e-3", "linear (1/3 seeds ok)", "autoencoder (1/3 trained)", "mean", "dmd", "labelled (sees labels)",
		"classifier (sees the oracle)", "kernel (failed)", "chance (1/5)", "persistence", "oracle on true images (0.983)",
	}, names)
	assert.Equal(t, "vamp?epochs=20&lr=1e-3", names[0], "the best first")
	assert.Equal(t, "oracle on true images (0.983)", names[len(names)-1])
	assert.Less(t, slices.Index(names, "mean"), slices.Index(names, "classifier (sees the oracle)"), "exposed methods apart")
	m.known.seen = m.known.truth
	key = newDrawer(m).accuracyKey()
	assert.True(t, slices.ContainsFunc(key, func(e legendEntry) bool { return e.name == "persistence" }))
	m = materialOf(t, makeUp(t, setting{test: 10}))
	assert.Contains(t, bandsNote(m.exhibits), "over test snapshots alone")
	noLabels := makeUp(t, setting{test: 10})
	for i := range noLabels.results.Runs {
		noLabels.results.Runs[i].Labels = nil
	}
	assert.Empty(t, bandsNote(materialOf(t, noLabels).exhibits), "without labels there is no interval")
}

func TestHue(t *testing.T) {
	assert.Equal(t, hue(3), hue(13))
	assert.Equal(t, hue(9), hue(-1))
}

func TestRolloutInsets(t *testing.T) {
	made := makeUp(t, setting{test: 20})
	right, wrong := 0, 0
	for _, run := range made.results.Runs {
		for step, labels := range run.Labels {
			if labels[0] == (step+1)%5 {
				right++
			} else {
				wrong++
			}
		}
	}
	require.Positive(t, right)
	require.Positive(t, wrong)
	_, vector, err := newDrawer(materialOf(t, made)).render("rollout")
	require.NoError(t, err)
	assert.Equal(t, right, bytes.Count(vector, []byte(`fill="#00724a"`)))
	assert.Equal(t, wrong, bytes.Count(vector, []byte(`fill="#c61a1a"`)))
	assert.Equal(t, 5*(1+15), bytes.Count(vector, []byte("<image ")), "the start and every step of every method")
	texts := svgTexts(t, vector)
	assert.Contains(t, texts, "Start: 0")
	assert.Contains(t, texts, "contrastive")
}

func TestRolloutRows(t *testing.T) {
	made := makeUp(t, situations()["several seeds"])
	delete(made.arrays, "mean-0")
	m := materialOf(t, made)
	rows := map[string]rolloutRow{}
	for _, row := range newDrawer(m).rolloutRows(1000) {
		rows[row.exhibit.label] = row
	}
	assert.Len(t, rows, 8)
	assert.Equal(t, int64(0), rows["linear"].exhibit.run.Seed, "the first seed")
	assert.Len(t, rows["linear"].right, 15)
	assert.Equal(t, "seed 0, untrained", rows["autoencoder"].exhibit.shownRun())
	assert.Equal(t, "failed: fit: non-finite value: value 3 of snapshot 17 is NaN", rows["kernel"].message)
	assert.Equal(t, "the images of this run were not kept", rows["mean"].message)
}

func TestShownRunSkipsFailedSeeds(t *testing.T) {
	m := materialOf(t, makeUp(t, setting{test: 10, steps: 1, seeds: []int64{3, 1, 2}, methods: []madeUp{
		{label: "a", first: 1, failed: []int64{1}},
	}}))
	assert.Equal(t, "seed 2", m.exhibits[0].shownRun())
}

func TestColumns(t *testing.T) {
	for _, steps := range []int{1, 2, 15, maxColumns, maxColumns + 1, 200, 1000} {
		columns := columnsOf(steps)
		assert.Len(t, columns, min(steps, maxColumns))
		assert.Equal(t, 1, columns[0])
		assert.Equal(t, steps, columns[len(columns)-1])
		for i := range columns[1:] {
			assert.Less(t, columns[i], columns[i+1])
		}
	}
}

func TestTrainingWithoutFiniteLoss(t *testing.T) {
	nan := benchmark.Number(math.NaN())
	p := (&drawer{material: &material{}, lettering: newLettering()}).lossPanel("m", [][]benchmark.Epoch{{{Epoch: 1, Train: nan, Validation: nan}, {Epoch: 2, Train: benchmark.Number(math.Inf(1)), Validation: 1e300}}})
	assert.Equal(t, "no finite loss", p.message)
}

// Results that no run would give still give figures, or an error.
func TestOddResults(t *testing.T) {
	nan := math.NaN()
	for name, spoil := range map[string]func(m *made){
		"accuracy not a number":  func(m *made) { m.results.Runs[0].Accuracy = []float64{nan, math.Inf(1), 0.5, nan} },
		"accuracy out of range":  func(m *made) { m.results.Runs[0].Accuracy = []float64{-1e300, 7, 1e300} },
		"accuracy 0 and 1":       func(m *made) { m.results.Runs[0].Accuracy = []float64{0, 1, 0} },
		"accuracy longer":        func(m *made) { m.results.Runs[0].Accuracy = make([]float64, 50) },
		"accuracy missing":       func(m *made) { m.results.Runs[0].Accuracy = nil },
		"no states":              func(m *made) { m.results.Task.States = 0 },
		"too many states":        func(m *made) { m.results.Task.States = math.MaxInt32 },
		"negative":               func(m *made) { m.results.Task.States, m.results.Task.Steps, m.results.Task.Lag = -1, -1, -1 },
		"too many steps":         func(m *made) { m.results.Task.Steps = math.MaxInt32 },
		"no name":                func(m *made) { m.results.Task.Name, m.results.Runs[0].Method = "", "" },
		"name does not print":    func(m *made) { m.results.Runs[0].Method = "a\x00\x1b[31m\n\ufffe<b>&\xff" },
		"name is long":           func(m *made) { m.results.Runs[0].Method = strings.Repeat("abcdefghij", 100) },
		"oracle not a number":    func(m *made) { m.results.Oracle.TestAccuracy = nan },
		"no arrays":              func(m *made) { m.arrays = nil },
		"no labels of snapshots": func(m *made) { m.task.TestLabels, m.task.SampleLabels = nil, nil },
		"labels out of range":    func(m *made) { m.task.TestLabels[0], m.task.TestLabels[1] = -7, math.MaxInt },
		"no images":              func(m *made) { m.task.TestImages, m.task.Sample = core.Snapshots{}, core.Snapshots{} },
		"empty arrays": func(m *made) {
			for key := range m.arrays {
				m.arrays[key] = &benchmark.RunArrays{}
			}
		},
		"ragged arrays": func(m *made) {
			for _, a := range m.arrays {
				a.Labels, a.Rollout[1] = a.Labels[:2], core.Snapshots{}
			}
		},
		"eigenfunctions not numbers": func(m *made) {
			for _, a := range m.arrays {
				a.LeftEigenfunctions.Set(0, 0, complex(nan, nan))
				a.LeftEigenfunctions.Set(1, 0, complex(math.Inf(1), 1e300))
			}
		},
		"eigenfunctions zero": func(m *made) {
			for _, a := range m.arrays {
				a.LeftEigenfunctions.Zero()
			}
		},
		"fewer eigenvalues": func(m *made) {
			for i := range m.results.Runs {
				m.results.Runs[i].Eigenvalues = m.results.Runs[i].Eigenvalues[:1]
			}
		},
		"eigenvalues huge": func(m *made) {
			for i := range m.results.Runs {
				m.results.Runs[i].Eigenvalues[0] = benchmark.Complex(complex(-1e300, nan))
			}
		},
		"losses": func(m *made) {
			m.results.Runs[0].History = []benchmark.Epoch{
				{Epoch: -5, Train: 1}, {Epoch: 0}, {Epoch: math.MaxInt, Train: 2}, {Epoch: 1, Train: 1e99, Validation: -1e99}, {Epoch: 2, Train: benchmark.Number(nan), Validation: 5e-324},
			}
			m.results.Runs[1].History = []benchmark.Epoch{{Epoch: 1, Train: 5e-324, Validation: 0}}
			m.results.Oracle.History = []benchmark.Epoch{{Epoch: 1, Train: 1e50, Validation: benchmark.Number(math.Nextafter(1e50, 2e50))}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			made := makeUp(t, setting{steps: 3, test: 12, methods: fiveMethods()[1:3], shape: []int{8, 8}})
			spoil(made)
			d := newDrawer(materialOf(t, made))
			for _, figure := range Figures() {
				f := d.figure(figure)
				assert.NotPanics(t, func() { f.raster(20) })
				vector, err := f.svg()
				require.NoError(t, err, figure)
				svgTexts(t, vector)
				assert.NotRegexp(t, `(NaN|Inf)[ "LMz]`, string(vector), "%s draws nowhere", figure)
			}
			var b bytes.Buffer
			require.NoError(t, WriteTable(&b, made.results))
		})
	}
}

// save writes made-up results as the harness does.
func save(t testing.TB, m *made) (dir string) {
	dir = t.TempDir()
	m.writeTo(t, dir)
	return dir
}

func TestWrite(t *testing.T) {
	made := makeUp(t, setting{steps: 4, test: 30, methods: fiveMethods()[:3]})
	dir := save(t, made)
	require.NoError(t, Write(dir))

	var want, got []string
	for _, name := range Figures() {
		want = append(want, name+".png", name+".svg")
	}
	slices.Sort(want)
	entries, err := os.ReadDir(filepath.Join(dir, Folder))
	require.NoError(t, err)
	for _, e := range entries {
		got = append(got, e.Name())
	}
	assert.Equal(t, want, got, "all figures and nothing else, no temporary file")

	// What comes through the files is what is in memory.
	raster, vector, err := newDrawer(materialOf(t, made)).render("rollout")
	require.NoError(t, err)
	for name, data := range map[string][]byte{"rollout.png": raster, "rollout.svg": vector} {
		file, err := os.ReadFile(filepath.Join(dir, Folder, name))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(data, file), name)
	}
}

func TestWriteRefuses(t *testing.T) {
	assert.ErrorIs(t, Write(t.TempDir()), benchmark.ErrResults, "no results")

	small := setting{steps: 1, test: 5, methods: fiveMethods()[:1]}
	noRuns := makeUp(t, small)
	noRuns.results.Runs = nil
	err := Write(save(t, noRuns))
	assert.ErrorIs(t, err, core.ErrUnavailable)
	assert.ErrorContains(t, err, "no finished run")

	dir := save(t, makeUp(t, small))
	require.NoError(t, os.Remove(filepath.Join(dir, "data.npz")))
	assert.ErrorIs(t, Write(dir), benchmark.ErrResults)

	dir = save(t, makeUp(t, small))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "runs", "linear-42.npz"), []byte("torn"), 0o644))
	err = Write(dir)
	assert.ErrorIs(t, err, benchmark.ErrResults)
	assert.ErrorContains(t, err, "linear, seed 42")

	dir = save(t, makeUp(t, small))
	require.NoError(t, os.WriteFile(filepath.Join(dir, Folder), nil, 0o644))
	assert.ErrorContains(t, Write(dir), "folder of figures")

	dir = save(t, makeUp(t, small))
	require.NoError(t, os.Remove(filepath.Join(dir, "runs", "linear-42.npz")))
	assert.NoError(t, Write(dir), "a run whose arrays are gone is named in the figures")
}

// BenchmarkWrite draws all figures of five methods.
func BenchmarkWrite(b *testing.B) {
	dir := save(b, makeUp(b, setting{test: 1000}))
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, Write(dir))
	}
}
