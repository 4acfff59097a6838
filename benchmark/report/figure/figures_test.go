package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

func materialOf(t testing.TB, s analysis.Source) *analysis.Material {
	m, err := analysis.Gather(s)
	require.NoError(t, err)
	return m
}

// Everything written in a figure lies within it, and no two texts lie over each other.
func TestTextHasRoom(t *testing.T) {
	for name, s := range fixture.Situations() {
		d := New(materialOf(t, fixture.MakeUp(t, s)))
		for _, figure := range Names(d.Results.Task) {
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
	s := fixture.Situations()
	for _, name := range []string{"one state, one step", "colour, wide"} {
		d := New(materialOf(t, fixture.MakeUp(t, s[name])))
		for _, figure := range Names(d.Results.Task) {
			t.Run(name+"/"+figure, func(t *testing.T) {
				f := d.figure(figure)
				files, err := d.render(figure, []Format{PNG, SVG})
				require.NoError(t, err)
				raster, vector := files[PNG], files[SVG]

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
	s := fixture.Setting{Methods: fixture.Situations()["several seeds"].Methods[2:6], Seeds: []int64{0, 1, 2}, Steps: 2,
		Test: 10, States: 3}
	a, b := fixture.MakeUp(t, s), fixture.MakeUp(t, s)
	slices.Reverse(b.Content.Runs)
	ma, mb := New(materialOf(t, a)), New(materialOf(t, b))
	for _, figure := range Names(a.Content.Task) {
		formats := []Format{PNG, SVG, PDF}
		filesA, err := ma.render(figure, formats)
		require.NoError(t, err)
		filesB, err := mb.render(figure, formats)
		require.NoError(t, err)
		for _, format := range formats {
			assert.True(t, bytes.Equal(filesA[format], filesB[format]), "%s.%s", figure, format)
		}
	}
}

func TestLargeFiguresHaveFewerDots(t *testing.T) {
	f := figure{width: 20 * 72, height: 200 * 72}
	d := float64(f.dpi())
	assert.LessOrEqual(t, 20*d*200*d, float64(maxDots))
	assert.Equal(t, resolution, figure{width: 720, height: 720}.dpi())
	assert.Equal(t, 1, figure{width: 1e9, height: 1e9}.dpi())
}

func TestScoreLegend(t *testing.T) {
	m := materialOf(t, fixture.MakeUp(t, fixture.Situations()["several seeds"]))
	key := New(m).ScoreKey()
	assert.Contains(t, analysis.BandsNote(m.Exhibits), "over seeds and test snapshots; with one seed, over test "+
		"snapshots only")
	var names []string
	for _, e := range key {
		require.NotNil(t, e.sample)
		names = append(names, e.text())
	}
	assert.ElementsMatch(t, []string{
		"vamp?epochs=20&lr=1e-3", "linear (1/3 seeds ok)", "autoencoder (1/3 trained)", "mean", "dmd",
		"labelled (sees labels)",
		"classifier (sees the oracle)", "kernel (failed)", "chance (1/5)", "persistence", "oracle on true images (0.983)",
	}, names)
	assert.Equal(t, "vamp?epochs=20&lr=1e-3", names[0], "the best first")
	assert.Equal(t, []string{"oracle on true images (0.983)", "persistence", "chance (1/5)"}, names[len(names)-3:])
	assert.Less(t, slices.Index(names, "mean"), slices.Index(names, "classifier (sees the oracle)"),
		"exposed methods apart")
	m = materialOf(t, fixture.MakeUp(t, fixture.Setting{Test: 10}))
	assert.Contains(t, analysis.BandsNote(m.Exhibits), "over test snapshots only")
	noLabels := fixture.MakeUp(t, fixture.Setting{Test: 10})
	for i := range noLabels.Content.Runs {
		noLabels.Content.Runs[i].Ranked.Labels = nil
	}
	assert.Empty(t, analysis.BandsNote(materialOf(t, noLabels).Exhibits), "without labels there is no interval")
}

func TestHue(t *testing.T) {
	assert.Equal(t, hue(3), hue(13))
	assert.Equal(t, hue(9), hue(-1))
}

func TestRolloutInsets(t *testing.T) {
	made := fixture.MakeUp(t, fixture.Setting{Test: 20})
	right, wrong := 0, 0
	for _, run := range made.Content.Runs {
		for step, labels := range run.Ranked.Labels {
			if labels[0] == (step+1)%5 {
				right++
			} else {
				wrong++
			}
		}
	}
	require.Positive(t, right)
	require.Positive(t, wrong)
	files, err := New(materialOf(t, made)).render("rollout", []Format{SVG})
	require.NoError(t, err)
	vector := files[SVG]
	assert.Equal(t, right, bytes.Count(vector, []byte(`fill="#00724a"`)))
	assert.Equal(t, wrong, bytes.Count(vector, []byte(`fill="#c61a1a"`)))
	assert.Equal(t, 5*(1+15), bytes.Count(vector, []byte("<image ")), "the start and every step of every method")
	texts := svgTexts(t, vector)
	assert.Contains(t, texts, "Start: 0")
	assert.Contains(t, texts, "contrastive")
}

func TestRolloutRows(t *testing.T) {
	made := fixture.MakeUp(t, fixture.Situations()["several seeds"])
	delete(made.Arrays, "mean-0")
	m := materialOf(t, made)
	rows := map[string]rolloutRow{}
	for _, row := range New(m).rolloutRows(1000) {
		rows[row.exhibit.Label] = row
	}
	assert.Len(t, rows, 8)
	assert.Equal(t, int64(0), rows["linear"].exhibit.Run.Seed, "the first seed")
	assert.Len(t, rows["linear"].right, 15)
	assert.Equal(t, "seed 0, untrained", rows["autoencoder"].exhibit.ShownRun())
	assert.Equal(t, "failed: fit: non-finite value: value 3 of snapshot 17 is NaN", rows["kernel"].message)
	assert.Equal(t, "the images of this run were not kept", rows["mean"].message)
}

// Images of a task without states stand below what truly follows, where that is known.
func TestTrueImages(t *testing.T) {
	made := fixture.Scored(t, fixture.Setting{Steps: 3, Test: 10, Methods: fixture.FiveMethods()[:1]})
	assert.Len(t, New(materialOf(t, made)).rolloutRows(1000), 1, "nothing is known")
	for range 3 {
		made.Task.Futures = append(made.Task.Futures, made.Task.Starts)
	}
	rows := New(materialOf(t, made)).rolloutRows(1000)
	require.Len(t, rows, 2)
	assert.Equal(t, "truth", rows[0].name[0].text)
	assert.Len(t, rows[0].exhibit.Images, 3)
	_, err := New(materialOf(t, made)).rolloutFigure().as(SVG)
	require.NoError(t, err)

	told := fixture.MakeUp(t, fixture.Setting{Steps: 3, Test: 10, Methods: fixture.FiveMethods()[:1]})
	told.Task.Futures = made.Task.Futures
	assert.Len(t, New(materialOf(t, told)).rolloutRows(1000), 1, "the true states stand above")
}

func TestShownRunSkipsFailedSeeds(t *testing.T) {
	m := materialOf(t, fixture.MakeUp(t, fixture.Setting{Test: 10, Steps: 1, Seeds: []int64{3, 1, 2},
		Methods: []fixture.MadeUp{
			{Label: "a", First: 1, Failed: []int64{1}},
		}}))
	assert.Equal(t, "seed 2", m.Exhibits[0].ShownRun())
}

func TestTrainingWithoutFiniteLoss(t *testing.T) {
	nan := results.Number(math.NaN())
	p := (&Drawer{Material: &analysis.Material{}, lettering: newLettering()}).lossPanel("m",
		[][]results.Epoch{{{Epoch: 1, Train: nan, Validation: nan},
			{Epoch: 2, Train: results.Number(math.Inf(1)), Validation: 1e300}}})
	assert.Equal(t, "no finite loss", p.message)
}

// Results that no run would give still give figures, or an error.
func TestOddResults(t *testing.T) {
	nan := math.NaN()
	for name, spoil := range map[string]func(m *fixture.Made){
		"accuracy not a number": func(m *fixture.Made) {
			m.Content.Runs[0].Ranked.Score = []float64{nan, math.Inf(1), 0.5, nan}
		},
		"accuracy out of range": func(m *fixture.Made) { m.Content.Runs[0].Ranked.Score = []float64{-1e300, 7, 1e300} },
		"accuracy 0 and 1":      func(m *fixture.Made) { m.Content.Runs[0].Ranked.Score = []float64{0, 1, 0} },
		"accuracy longer":       func(m *fixture.Made) { m.Content.Runs[0].Ranked.Score = make([]float64, 50) },
		"accuracy missing":      func(m *fixture.Made) { m.Content.Runs[0].Ranked.Score = nil },
		"no states":             func(m *fixture.Made) { m.Content.Task.States = 0 },
		"too many states":       func(m *fixture.Made) { m.Content.Task.States = math.MaxInt32 },
		"negative": func(m *fixture.Made) {
			m.Content.Task.States, m.Content.Task.Steps, m.Content.Task.Lag = -1, -1, -1
		},
		"too many steps":         func(m *fixture.Made) { m.Content.Task.Steps = math.MaxInt32 },
		"no name":                func(m *fixture.Made) { m.Content.Task.Name, m.Content.Runs[0].Method = "", "" },
		"name does not print":    func(m *fixture.Made) { m.Content.Runs[0].Method = "a\x00\x1b[31m\n\ufffe<b>&\xff" },
		"name is long":           func(m *fixture.Made) { m.Content.Runs[0].Method = strings.Repeat("abcdefghij", 100) },
		"oracle not a number":    func(m *fixture.Made) { m.Content.Oracle.TestAccuracy = nan },
		"no arrays":              func(m *fixture.Made) { m.Arrays = nil },
		"no labels of snapshots": func(m *fixture.Made) { m.Task.TestStates, m.Task.SampleStates = nil, nil },
		"labels out of range":    func(m *fixture.Made) { m.Task.TestStates[0], m.Task.TestStates[1] = -7, math.MaxInt },
		"no images": func(m *fixture.Made) {
			m.Task.Starts, m.Task.Sample = core.Snapshots{},
				core.Snapshots{}
		},
		"empty arrays": func(m *fixture.Made) {
			for key := range m.Arrays {
				m.Arrays[key] = &results.RunArrays{}
			}
		},
		"ragged arrays": func(m *fixture.Made) {
			for _, a := range m.Arrays {
				a.Rollouts[m.Content.Protocol][1] = core.Snapshots{}
			}
			m.Content.Runs[0].Ranked.Labels = m.Content.Runs[0].Ranked.Labels[:2]
		},
		"eigenfunctions not numbers": func(m *fixture.Made) {
			for _, a := range m.Arrays {
				a.LeftEigenfunctions.Set(0, 0, complex(nan, nan))
				a.LeftEigenfunctions.Set(1, 0, complex(math.Inf(1), 1e300))
			}
		},
		"eigenfunctions zero": func(m *fixture.Made) {
			for _, a := range m.Arrays {
				a.LeftEigenfunctions.Zero()
			}
		},
		"fewer eigenvalues": func(m *fixture.Made) {
			for i := range m.Content.Runs {
				m.Content.Runs[i].Eigenvalues = m.Content.Runs[i].Eigenvalues[:1]
			}
		},
		"eigenvalues huge": func(m *fixture.Made) {
			for i := range m.Content.Runs {
				m.Content.Runs[i].Eigenvalues[0] = results.Complex(complex(-1e300, nan))
			}
		},
		"losses": func(m *fixture.Made) {
			m.Content.Runs[0].History = []results.Epoch{
				{Epoch: -5, Train: 1}, {Epoch: 0}, {Epoch: math.MaxInt, Train: 2}, {Epoch: 1, Train: 1e99,
					Validation: -1e99}, {Epoch: 2, Train: results.Number(nan), Validation: 5e-324},
			}
			m.Content.Runs[1].History = []results.Epoch{{Epoch: 1, Train: 5e-324, Validation: 0}}
			m.Content.Oracle.History = []results.Epoch{{Epoch: 1, Train: 1e50,
				Validation: results.Number(math.Nextafter(1e50, 2e50))}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			made := fixture.MakeUp(t, fixture.Setting{Steps: 3, Test: 12, Methods: fixture.FiveMethods()[1:3],
				Shape: []int{8, 8}})
			spoil(made)
			d := New(materialOf(t, made))
			for _, figure := range Names(made.Content.Task) {
				f := d.figure(figure)
				assert.NotPanics(t, func() { f.raster(20) })
				vector, err := f.as(SVG)
				require.NoError(t, err, figure)
				svgTexts(t, vector)
				assert.NotRegexp(t, `(NaN|Inf)[ "LMz]`, string(vector), "%s draws nowhere", figure)
			}
		})
	}
}
