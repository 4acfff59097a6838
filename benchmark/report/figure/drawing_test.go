package figure

import (
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/core"
)

func TestWrap(t *testing.T) {
	l := newLettering()
	width := l.label.Width("vamp?epochs=20&")
	for text, want := range map[string][]string{
		"":                               nil,
		"vamp":                           {"vamp"},
		"vamp?epochs=20&lr=1e-3":         {"vamp?epochs=20&", "lr=1e-3"},
		"two words more":                 {"two words more"},
		"several words with spaces":      {"several words with", "spaces"},
		"operator:kernel?a=1":            {"operator:kernel?", "a=1"},
		"aaaa-bbbb-cccc-dddd-eeee":       {"aaaa-bbbb-cccc-", "dddd-eeee"},
		"mmmmmmmmmmmmmmm":                {"mmmmmmmmmm", "mmmmm"},
		"words mmmmmmmmmmmmmmm":          {"words", "mmmmmmmmmm", "mmmmm"},
		strings.Repeat("é", 3) + "\nsec": {"ééé"},
	} {
		assert.Equal(t, want, wrap(l.label, text, width), text)
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("vamp?epochs=20&lr=1e-3", 80.0)
	f.Add("a b\xff\x00 c", 0.0)
	l := newLettering()
	f.Fuzz(func(t *testing.T, text string, width float64) {
		lines := wrap(l.label, text, vg.Length(width))
		squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		require.Equal(t, squeeze(analysis.Clean(text)), squeeze(strings.Join(lines, "")), "nothing is lost")
		for _, line := range lines {
			if len([]rune(line)) > 1 {
				require.LessOrEqual(t, l.label.Width(line), vg.Length(width), line)
			}
		}
	})
}

func TestShorten(t *testing.T) {
	l := newLettering()
	assert.Equal(t, "short", shorten(l.label, "short", 100))
	cut := shorten(l.label, "a long sentence that has no room", 60)
	assert.True(t, strings.HasPrefix(cut, "a long") && strings.HasSuffix(cut, "…"), cut)
	assert.LessOrEqual(t, l.label.Width(cut), vg.Length(60))
	assert.Equal(t, "…", shorten(l.label, "nothing fits", 0))
}

// The signs that figures use are in the font.
func TestFontHasTheSigns(t *testing.T) {
	l := newLettering()
	face := l.label.Handler.Cache().Lookup(l.label.Font, 10)
	for _, r := range "ψξλ₀₁₂₃₄₅₆₇₈₉−π…" {
		i, err := face.Face.GlyphIndex(nil, r)
		require.NoError(t, err)
		assert.NotZero(t, i, string(r))
	}
}

func TestTicks(t *testing.T) {
	labels := func(lo, hi float64, n int, whole bool) (all []string) {
		for _, tick := range ticksIn(lo, hi, n, whole) {
			all = append(all, tick.Label)
		}
		return all
	}
	assert.Equal(t, []string{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}, labels(0, 1, 5, false))
	assert.Equal(t, []string{"−5", "−4", "−3", "−2", "−1"}, labels(-5.1, -0.9, 5, false))
	assert.Equal(t, []string{"1", "2", "3"}, labels(1, 3, 6, true))
	assert.Equal(t, []string{"0.09000", "0.09005", "0.09010"}, labels(0.08999, 0.09012, 3, false))
	assert.Equal(t, []string{"0", "500000"}, labels(0, 999999, 2, false))
	assert.Equal(t, []string{"0", "0.5e6", "1.0e6"}, labels(0, 1e6, 2, false))
	assert.Equal(t, []string{"−4e−9", "−2e−9", "0"}, labels(-4e-9, 0, 2, false))
	var steps []string
	for _, tick := range stepTicks(15) {
		steps = append(steps, tick.Label)
	}
	assert.Equal(t, strings.Fields("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"), steps)
	assert.Len(t, stepTicks(1), 1)
	for _, tick := range stepTicks(1000) {
		assert.Equal(t, math.Trunc(tick.Value), tick.Value)
	}
}

// Ticks lie on the axis, ascend, and have labels that differ and say their value.
func FuzzTicks(f *testing.F) {
	f.Add(0.0, 1.0)
	f.Add(-5.0, -4.99)
	f.Add(1e99, -1e99)
	f.Add(5e-324, 0.0)
	f.Add(1e15, 1e15+1)
	f.Fuzz(func(t *testing.T, a, b float64) {
		axis, ok := fitAxis("", []float64{a, b, math.NaN()}, 5)
		require.Equal(t, analysis.Drawable(a) || analysis.Drawable(b), ok)
		if !ok {
			return
		}
		require.Less(t, axis.min, axis.max)
		require.GreaterOrEqual(t, len(axis.ticks), 2)
		require.LessOrEqual(t, len(axis.ticks), 8)
		for i, tick := range axis.ticks {
			slack := 1e-6 * (axis.max - axis.min)
			require.GreaterOrEqual(t, tick.Value, axis.min-slack)
			require.LessOrEqual(t, tick.Value, axis.max+slack)
			said, err := strconv.ParseFloat(strings.ReplaceAll(tick.Label, "−", "-"), 64)
			require.NoError(t, err)
			require.InDelta(t, tick.Value, said, 0.01*(axis.max-axis.min))
			if i > 0 {
				require.Greater(t, tick.Value, axis.ticks[i-1].Value)
				require.NotEqual(t, tick.Label, axis.ticks[i-1].Label)
			}
		}
	})
}

func TestPicture(t *testing.T) {
	nan := float32(math.NaN())
	grey, err := core.NewSnapshots([]float32{0, 0.5, 1, -6, 13, nan}, 2, 3)
	require.NoError(t, err)
	img := analysis.Pictures{High: 1}.Of(grey, 0).(*image.Gray)
	assert.Equal(t, image.Rect(0, 0, 3, 2), img.Bounds())
	assert.Equal(t, []uint8{255, 127, 0, 255, 0, 255}, img.Pix, "ink is dark, values are cut to [0, 1]")

	colour, err := core.NewSnapshots([]float32{1, 0, 0, 0, 2, -1}, 1, 2, 3)
	require.NoError(t, err)
	assert.Equal(t, color.NRGBA{255, 0, 0, 255}, analysis.Pictures{High: 1}.Of(colour, 0).At(0, 0))
	assert.Equal(t, color.NRGBA{0, 255, 0, 255}, analysis.Pictures{High: 1}.Of(colour, 0).At(1, 0))

	two, err := core.NewSnapshots([]float32{0, 1, 1, 1}, 2, 1, 2)
	require.NoError(t, err)
	assert.Equal(t, []uint8{127, 0}, analysis.Pictures{High: 1}.Of(two, 0).(*image.Gray).Pix, "the mean over channels")

	line, err := core.NewSnapshots([]float32{0, 1, 1, 0}, 2)
	require.NoError(t, err)
	assert.Equal(t, []uint8{0, 255}, analysis.Pictures{High: 1}.Of(line, 1).(*image.Gray).Pix,
		"the snapshot asked for, in a row")

	for want, p := range map[[2]vg.Length]analysis.Pictures{
		{30, 15}: {Height: 20, Width: 40}, {30, 5}: {Height: 1, Width: 1000}, {30, 30}: {Height: 1, Width: 1},
	} {
		w, h := (&Drawer{Material: &analysis.Material{Pictures: p}}).pictureSize(30)
		assert.Equal(t, want, [2]vg.Length{w, h})
	}
}

// Pixels of an image keep sharp edges in a PNG file.
func TestPixelsAreSharp(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 2, 1))
	img.Pix[1] = 255
	f := figure{name: "test", width: 72, height: 72, draw: func(c draw.Canvas) {
		c.DrawImage(vg.Rectangle{Min: vg.Point{X: 18, Y: 36}, Max: vg.Point{X: 54, Y: 72}}, img)
	}}
	file, err := f.as(PNG)
	require.NoError(t, err)
	got, _, err := image.Decode(strings.NewReader(string(file)))
	require.NoError(t, err)
	for x, want := range map[int]uint8{49: 255, 50: 0, 99: 0, 100: 255} {
		for _, y := range []int{0, 99} {
			r, _, _, _ := got.At(x, y).RGBA()
			assert.Equal(t, want, uint8(r>>8), "%d, %d", x, y)
		}
	}
	r, _, _, _ := got.At(60, 100).RGBA()
	assert.Equal(t, uint8(255), uint8(r>>8), "below it")
}

func TestCurveBreaksWhereAValueIsMissing(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		values         []float64
		strokes, fills int // lines, and dots
	}{
		"whole":          {[]float64{1, 2, 3}, 1, 0},
		"a gap":          {[]float64{1, 2, nan, 3, 4}, 2, 0},
		"a lonely value": {[]float64{1, 2, nan, 3, nan, 1, 2}, 2, 1},
		"one value":      {[]float64{1}, 0, 1},
		"none":           {[]float64{nan, nan}, 0, 0},
		"too large":      {[]float64{1, 2, 1e200}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProbe(figure{width: 100, height: 100})
			axes := newPlot(newLettering(), axis{min: 1, max: 7}, axis{min: 0, max: 4})
			curve{values: c.values, line: trainingLine}.Plot(draw.New(p), axes)
			assert.Equal(t, [2]int{c.strokes, c.fills}, [2]int{p.strokes, p.fills})
		})
	}
}

// Persistence leaps between 0 and 1: it is dots, without a line that would cross all others.
func TestPersistenceIsDots(t *testing.T) {
	d := New(materialOf(t, fixture.MakeUp(t, fixture.Setting{Test: 50,
		Methods: []fixture.MadeUp{{Label: "never", Failed: []int64{42}}}})))
	with, without := newProbe(figure{width: 100, height: 100}), newProbe(figure{width: 100, height: 100})
	p := d.scorePlot(nil)
	p.Draw(draw.New(with))
	newPlot(d.lettering, axis{max: 1}, axis{max: 1, ticks: ticksIn(0, 1, 5, false)}).Draw(draw.New(without))
	assert.Equal(t, 2, with.strokes-without.strokes, "the lines of chance and oracle")
	assert.Equal(t, 2, with.fills, "dots and their edges")
	sample := newProbe(figure{width: 24, height: 10})
	baselineSample(analysis.PersistenceName)(draw.New(sample))
	assert.Equal(t, [2]int{0, 1}, [2]int{sample.strokes, sample.fills}, "dots stand in the legend")
}

func TestPanicOfADrawingIsAnError(t *testing.T) {
	f := figure{name: "broken", width: 72, height: 72, draw: func(draw.Canvas) { panic("of the library") }}
	for _, format := range []Format{PNG, SVG, PDF} {
		_, err := f.as(format)
		assert.ErrorIs(t, err, core.ErrPanic, format)
	}
	_, err := f.as("gif")
	assert.ErrorIs(t, err, core.ErrOption)
}

// Images that about fill [0,1] have that range, and others that of the first ones.
func TestRangeOfImages(t *testing.T) {
	made := fixture.MakeUp(t, fixture.Setting{Shape: []int{1, 2}, Steps: 1, Test: 10, Methods: fixture.FiveMethods()[:1]})
	for want, values := range map[[2]float32][]float32{
		{0, 1}: {-0.125, 0.75}, {0, 255}: {0, 255}, {-1, 1}: {-1, 1}, {0, 0.125}: {0, 0.125}, {-2, 0}: {0, -2},
	} {
		x, err := core.NewSnapshots(values, 1, 2)
		require.NoError(t, err)
		made.Task.Starts, made.Task.Sample = x, x
		pictures := materialOf(t, made).Pictures
		assert.Equal(t, want, [2]float32{pictures.Low, pictures.High})
		if want[1] != 1 || want[0] < 0 {
			assert.ElementsMatch(t, []uint8{0, 255}, pictures.Of(x, 0).(*image.Gray).Pix, "from white to black: %v", values)
		}
	}
	made.Task.Starts, made.Task.Sample = made.Task.Starts.Slice(0, 0), made.Task.Sample.Slice(0, 0)
	assert.Equal(t, "Values are cut to [0, 1]", materialOf(t, made).Pictures.Note())
}

// A curve is drawn as bars from zero, over a range that holds zero and the first snapshots; what lies beyond is cut.
func TestCurvesAreBars(t *testing.T) {
	made := fixture.Scored(t, fixture.Setting{Shape: []int{2}, Steps: 1, Test: 10})
	starts, err := core.NewSnapshots([]float32{1, -1}, 2)
	require.NoError(t, err)
	made.Task.Starts, made.Task.Sample = starts, starts
	pictures := materialOf(t, made).Pictures
	assert.Contains(t, pictures.Note(), "[−1, 1]")
	x, err := core.NewSnapshots([]float32{0.5, -7, float32(math.NaN()), 1}, 2)
	require.NoError(t, err)
	img := pictures.Of(x, 0).(*image.Gray)
	require.Equal(t, image.Rect(0, 0, pictures.Width, pictures.Height), img.Bounds())
	ink := func(img *image.Gray, column int) (dark []int) {
		for y := range pictures.Height {
			if img.GrayAt(column, y).Y < 100 {
				dark = append(dark, y)
			}
		}
		return dark
	}
	left, right := ink(img, pictures.Width/4), ink(img, 3*pictures.Width/4)
	assert.InDelta(t, pictures.Height/4, len(left), 1, "half of the upper half")
	assert.InDelta(t, pictures.Height/2, len(right), 1, "cut to the lower half")
	assert.Equal(t, pictures.Height-1, right[len(right)-1])
	assert.Empty(t, ink(pictures.Of(x, 1).(*image.Gray), pictures.Width/4), "what is not a number has no bar")
}
