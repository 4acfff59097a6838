package figure

import (
	"bytes"
	"compress/zlib"
	"image"
	"image/color"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
)

// pageOf is the content of the page of a PDF file, which is its first stream.
func pageOf(t *testing.T, file []byte) string {
	t.Helper()
	require.True(t, bytes.HasPrefix(file, []byte("%PDF-1.")), "%.20q", file)
	_, stream, found := bytes.Cut(file, []byte("stream\n"))
	require.True(t, found)
	unpacked, err := zlib.NewReader(bytes.NewReader(stream))
	require.NoError(t, err)
	content, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	return string(content)
}

// What is drawn on a page of 100 points is where it belongs: PDF counts y upward.
func TestPDF(t *testing.T) {
	f := figure{title: "a (b)", width: 100, height: 100, draw: func(c draw.Canvas) {
		c.StrokeLine2(draw.LineStyle{Color: color.NRGBA{255, 0, 0, 255}, Width: 2, Dashes: []vg.Length{3, 1}}, 10, 20, 30, 40)
		c.FillPolygon(color.NRGBA{0, 0, 255, 128}, []vg.Point{{X: 1, Y: 1}, {X: 2, Y: 1}, {X: 1, Y: 2}})
		letter(c, newLettering().title, 50, 60, text.XLeft, "λ₁ = −1")
		pixels := image.NewNRGBA(image.Rect(0, 0, 2, 1))
		pixels.Set(0, 0, color.NRGBA{1, 2, 3, 255})
		pixels.Set(1, 0, color.NRGBA{})
		c.DrawImage(vg.Rectangle{Min: vg.Point{X: 5, Y: 6}, Max: vg.Point{X: 25, Y: 16}}, pixels)
	}}
	file, err := f.as(PDF)
	require.NoError(t, err)
	page := pageOf(t, file)
	for _, part := range []string{
		"1.000 0.000 0.000 RG", "2.00 w", "[3.00 1.00] 0.00 d", "10.00 20.00 m\n30.00 40.00 l\nS",
		"0.000 0.000 1.000 rg", "1.00 1.00 m\n2.00 1.00 l\n1.00 2.00 l\nh\nf",
		"BT 50.00 60.00 Td",
		"q 20.00 0 0 10.00 5.00 6.00 cm BI /W 2 /H 1 /CS /RGB /BPC 8 /F /AHx ID\n010203ffffff>\nEI Q",
	} {
		assert.Contains(t, page, part)
	}
	assert.Contains(t, string(file), "/ca 0.502", "half of the blue is seen through")
	assert.Contains(t, string(file), "/MediaBox [0 0 100.00 100.00]")
	assert.Contains(t, string(file), "/FontFile2", "fonts are embedded")
}

// Dots that overlap are one path, so that they are painted once; signs beyond U+FFFF are replaced.
func TestPDFDotsAndSigns(t *testing.T) {
	f := figure{title: "😀", width: 100, height: 100, draw: func(c draw.Canvas) {
		c.SetColor(color.NRGBA{0, 0, 255, 128})
		var path vg.Path
		for x := range 3 {
			at := vg.Point{X: vg.Length(10 + x), Y: 20}
			path.Move(vg.Point{X: at.X + 4, Y: at.Y})
			path.Arc(at, 4, 0, 2*math.Pi)
			path.Close()
		}
		c.Fill(path)
		letter(c, newLettering().note, 50, 60, text.XLeft, "a 😀 b")
	}}
	file, err := f.as(PDF)
	require.NoError(t, err)
	page := pageOf(t, file)
	assert.Contains(t, page, "8.00 w")
	assert.Contains(t, page, "10.00 20.00 m\n10.01 20.00 l\n11.00 20.00 m\n11.01 20.00 l\n12.00 20.00 m\n12.01 20.00 l\nS")
}

// Every figure of every situation can be a PDF file.
func TestPDFOfAll(t *testing.T) {
	s := fixture.Situations()
	for _, name := range []string{"one state, one step", "colour, wide", "several seeds"} {
		d := New(materialOf(t, fixture.MakeUp(t, s[name])))
		for _, figure := range Names(d.Results.Task) {
			files, err := d.render(figure, []Format{PDF})
			require.NoError(t, err, figure)
			assert.Contains(t, pageOf(t, files[PDF]), " Tj", figure)
			assert.Less(t, len(files[PDF]), 1<<20, figure)
		}
	}
}
