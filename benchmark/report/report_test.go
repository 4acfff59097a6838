package report

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/report/page"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// pageTexts are the texts of a page.
func pageTexts(t testing.TB, m *fixture.Made) []string {
	gathered, err := analysis.Gather(m)
	require.NoError(t, err)
	file, err := page.Bytes(gathered, m)
	require.NoError(t, err)
	return textsOf(t, file)
}

// textsOf are those that HTML or SVG shows.
func textsOf(t testing.TB, file []byte) (texts []string) {
	root, err := html.Parse(bytes.NewReader(file))
	require.NoError(t, err)
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style" &&
			strings.TrimSpace(n.Data) != "" {
			texts = append(texts, strings.TrimSpace(n.Data))
		}
	}
	return texts
}

// shown writes figures and page of results and returns the texts in each, by names such as "page" and "accuracy".
func shown(t testing.TB, m *fixture.Made) map[string][]string {
	dir := save(t, m)
	require.NoError(t, Write(dir))
	paths := map[string]string{"page": Page}
	for _, name := range Figures(m.Content.Task) {
		paths[name] = filepath.Join(Folder, name+".svg")
	}
	texts := map[string][]string{}
	for name, path := range paths {
		file, err := os.ReadFile(filepath.Join(dir, path))
		require.NoError(t, err)
		texts[name] = textsOf(t, file)
	}
	return texts
}

// save writes made-up results as the harness does.
func save(t testing.TB, m *fixture.Made) (dir string) {
	dir = t.TempDir()
	m.WriteTo(t, dir)
	return dir
}

func TestWrite(t *testing.T) {
	made := fixture.MakeUp(t, fixture.Setting{Steps: 4, Test: 30, Methods: fixture.FiveMethods()[:3]})
	dir := save(t, made)
	require.NoError(t, Write(dir))

	var want, got []string
	for _, name := range Figures(made.Content.Task) {
		want = append(want, name+".png", name+".svg")
	}
	slices.Sort(want)
	entries, err := os.ReadDir(filepath.Join(dir, Folder))
	require.NoError(t, err)
	for _, e := range entries {
		got = append(got, e.Name())
	}
	assert.Equal(t, want, got, "all figures and nothing else, no temporary file")

	var page bytes.Buffer
	require.NoError(t, WritePage(&page, results.OpenStore(dir), nil, nil))
	file, err := os.ReadFile(filepath.Join(dir, Page))
	require.NoError(t, err)
	assert.Equal(t, page.String(), string(file))
}

func TestWriteRefuses(t *testing.T) {
	assert.ErrorIs(t, Write(t.TempDir()), results.ErrResults, "no results")

	small := fixture.Setting{Steps: 1, Test: 5, Methods: fixture.FiveMethods()[:1]}
	noRuns := fixture.MakeUp(t, small)
	noRuns.Content.Runs = nil
	err := Write(save(t, noRuns))
	assert.ErrorIs(t, err, core.ErrUnavailable)
	assert.ErrorContains(t, err, "no finished run")

	dir := save(t, fixture.MakeUp(t, small))
	require.NoError(t, os.Remove(filepath.Join(dir, "data.npz")))
	assert.ErrorIs(t, Write(dir), results.ErrResults)

	dir = save(t, fixture.MakeUp(t, small))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "runs", "linear-42.npz"), []byte("torn"), 0o644))
	err = Write(dir)
	assert.ErrorIs(t, err, results.ErrResults)
	assert.ErrorContains(t, err, "linear, seed 42")

	dir = save(t, fixture.MakeUp(t, small))
	require.NoError(t, os.WriteFile(filepath.Join(dir, Folder), nil, 0o644))
	assert.ErrorContains(t, Write(dir), "folder of figures")

	dir = save(t, fixture.MakeUp(t, small))
	require.NoError(t, os.Remove(filepath.Join(dir, "runs", "linear-42.npz")))
	assert.NoError(t, Write(dir), "a run whose arrays are gone is named in the figures")
}

// BenchmarkWrite draws all figures of five methods.
func BenchmarkWrite(b *testing.B) {
	dir := save(b, fixture.MakeUp(b, fixture.Setting{Test: 1000}))
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, Write(dir))
	}
}

// BenchmarkReportOfThousandRuns is all of `bench report`: figures and page.
func BenchmarkReportOfThousandRuns(b *testing.B) {
	dir := fixture.ManyRuns(b, 20, 50)
	for b.Loop() {
		require.NoError(b, Write(dir))
	}
}

// Figure and page say which eigenvalues they show and which they leave out.
func TestConstantEigenfunctionsAreNamed(t *testing.T) {
	s := fixture.MakeUp(t, fixture.Setting{Test: 40, Methods: fixture.FiveMethods()[2:4]})
	for key, arrays := range s.Arrays {
		for i := range 40 {
			arrays.LeftEigenfunctions.Set(i, 0, 1)
			if key == "contrastive-42" {
				for j := range 5 {
					arrays.LeftEigenfunctions.Set(i, j, 1)
				}
			}
		}
	}
	for _, part := range []string{"eigenfunctions", "page"} {
		text := strings.Join(shown(t, s)[part], " ")
		assert.Contains(t, text, "seed 42; left out: λ₁ = 0.306 + 0.942i")
		assert.Contains(t, text, "Re ξ₂,  λ₂ = 0.306 − 0.942i")
		assert.Contains(t, text, "contrastive (only constant ones)")
		assert.Contains(t, text, "It leaves out constant ones: those with a standard deviation below 0.3 of their root "+
			"mean square.")
	}
}

func TestEigenfunctionsNameWhoHasNone(t *testing.T) {
	made := fixture.MakeUp(t, fixture.Situations()["several seeds"])
	delete(made.Arrays, "linear-0")
	texts := shown(t, made)["eigenfunctions"]
	joined := strings.Join(texts, " ")
	assert.Contains(t, joined, "Without eigenfunctions: linear (its arrays were not kept), mean (no spectrum), kernel "+
		"(failed).")
	for _, want := range []string{
		"glyph 0", "glyph 4", "dmd", "Re ξ₁,  λ₁ = 0.306 + 0.942i", "Re ξ₃,  λ₃ = −0.785 + 0.570i",
	} {
		assert.Contains(t, texts, want)
	}
}

// TestProtocolIsNamed: whatever shows accuracies or predictions says by which protocol.
func TestProtocolIsNamed(t *testing.T) {
	for _, protocol := range results.Protocols() {
		s := fixture.MakeUp(t, fixture.Setting{Both: true, Steps: 4, Test: 40, Methods: fixture.FiveMethods()[:2]})
		s.Content.RankBy(protocol)
		words := analysis.ProtocolText(protocol, s.Content.Task)
		require.NotEqual(t, protocol, words)

		all := shown(t, s)
		named := 0
		for _, text := range all["page"] {
			if strings.Contains(text, "Protocol "+words) {
				named++
			}
		}
		assert.Equal(t, 4, named, "captions of ranking, accuracy, roll-out and cost")
		for _, figure := range []string{"accuracy", "rollout"} {
			assert.Contains(t, strings.Join(all[figure], " "), protocol+":", figure)
		}
	}
	assert.Equal(t, "tea leaves", analysis.ProtocolText("tea leaves", results.TaskInfo{}))
}
