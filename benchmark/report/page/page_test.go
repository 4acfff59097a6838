package page

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/figure"
	"github.com/koopbench/koopbench/benchmark/report/internal/fixture"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

func pageOf(t testing.TB, s analysis.Source) string {
	text, err := Bytes(builderOf(t, s).Material, s)
	require.NoError(t, err)
	return string(text)
}

func builderOf(t testing.TB, s analysis.Source) *builder {
	m, err := analysis.Gather(s)
	require.NoError(t, err)
	return &builder{figure.New(m), s}
}

// The page knows the accuracies at all of a thousand steps, and shows some of them.
func TestPageOfManySteps(t *testing.T) {
	s := fixture.MakeUp(t, fixture.Setting{Steps: 1000, Test: 20, Shape: []int{4, 4},
		Methods: []fixture.MadeUp{{Label: "m", First: 0.9}}})
	p := parse(t, pageOf(t, s))
	assert.Len(t, p.data.Scores["0"], 1000)
	assert.Contains(t, p.texts, "Accuracy at 30 of 1000 steps")
	assert.Contains(t, p.texts, "t = 999", "the last step at which predicting the input fails")
}

// parsed is a page as a browser reads it.
type parsed struct {
	texts   []string            // of everything that is shown
	tags    map[string]int      // elements by name
	attrs   map[string][]string // values by name of the attribute
	data    pageJSON
	scripts []string
}

type pageJSON struct {
	Names   map[int]string      `json:"names"`
	Scores  map[string][]string `json:"scores"`
	Rollout struct {
		Seed    string `json:"seed"`
		Columns []int  `json:"columns"`
		Runs    map[int][]struct {
			Seed, Text, Image string
			Labels            [][]int
		} `json:"runs"`
	} `json:"rollout"`
}

func parse(t testing.TB, page string) parsed {
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	p := parsed{tags: map[string]int{}, attrs: map[string][]string{}}
	for n := range root.Descendants() {
		switch n.Type {
		case html.ElementNode:
			p.tags[n.Data]++
			for _, a := range n.Attr {
				p.attrs[a.Key] = append(p.attrs[a.Key], a.Val)
			}
			if n.Data == "script" {
				p.scripts = append(p.scripts, n.FirstChild.Data)
			}
		case html.TextNode:
			if n.Parent.Data != "script" && n.Parent.Data != "style" && strings.TrimSpace(n.Data) != "" {
				p.texts = append(p.texts, strings.TrimSpace(n.Data))
			}
		}
	}
	require.Len(t, p.scripts, 2, "the data and the script, and no other")
	require.NoError(t, json.Unmarshal([]byte(p.scripts[0]), &p.data))
	return p
}

func TestPageContent(t *testing.T) {
	s := trickyResults(t)
	s.Content.Oracle.Warnings = []string{"the judge was tired"}
	p := parse(t, pageOf(t, s))
	text := strings.Join(p.texts, "\n")
	for _, want := range []string{
		"ordered-glyphs", "6 methods at seeds 0..2", "14 of 18", "the judge was tired",
		"fit: non-finite value: value 3 of snapshot 17 is NaN",
		"the operator has rank 2 and the task 5 states", "1 of 5 directions was dropped; the rank is 4", "v1.2.3",
		"a processor, 2 cores", "8.0 GiB",
		`bench run --methods 'vamp?epochs=20&lr=1e-3' --out 'it'\''s here'`, "Not ranked", "sees the oracle", "2/3",
		"All 18 runs",
	} {
		assert.Contains(t, text, want)
	}
	for _, run := range s.Content.Runs {
		assert.Contains(t, p.texts, run.Key)
	}
	m := builderOf(t, s)
	for _, e := range m.Exhibits {
		assert.Contains(t, p.texts, e.Label)
		if len(e.OK) > 0 {
			assert.Contains(t, p.texts, fmt.Sprintf("%.3f", e.At(15)))
			assert.Equal(t, fmt.Sprintf("%.3f", e.At(3)), p.data.Scores[strconv.Itoa(e.ID)][2])
		}
	}
	// Every element that a link or a label names is there; nothing is loaded from elsewhere.
	ids := map[string]bool{}
	for _, id := range p.attrs["id"] {
		assert.False(t, ids[id], "id %s twice", id)
		ids[id] = true
	}
	for _, href := range append(p.attrs["href"], p.attrs["src"]...) {
		if target, ok := strings.CutPrefix(href, "#"); ok {
			assert.True(t, ids[target], href)
		} else {
			assert.True(t, strings.HasPrefix(href, "data:"), "%.60s", href)
		}
	}
	assert.Empty(t, p.attrs["style"], "the policy forbids it")
	for name := range p.attrs {
		assert.False(t, strings.HasPrefix(name, "on"), name)
	}
}

// labelsOf is what the oracle saw in the predictions of a run.
func labelsOf(t *testing.T, s *fixture.Made, key string) [][]int {
	i := slices.IndexFunc(s.Content.Runs, func(run results.Run) bool { return run.Key == key })
	require.GreaterOrEqual(t, i, 0)
	return s.Content.Runs[i].Ranked.Labels
}

// TestPageImages: the images in the page are those of the runs, to the 16 levels kept.
func TestPageImages(t *testing.T) {
	s := trickyResults(t)
	p := parse(t, pageOf(t, s))
	run := p.data.Rollout.Runs[5][1] // mean, seed 1
	require.Equal(t, "1", run.Seed)
	text, err := base64.StdEncoding.DecodeString(run.Image)
	require.NoError(t, err)
	sheet, err := png.Decode(bytes.NewReader(text))
	require.NoError(t, err)
	require.Equal(t, 15*28, sheet.Bounds().Dx())
	require.Equal(t, 10*28, sheet.Bounds().Dy())
	arrays, labels := s.Arrays["mean-1"], labelsOf(t, s, "mean-1")
	for step, x := range arrays.Rollouts[s.Content.Protocol] {
		values := make([]float32, x.Size())
		for row := range x.Len() {
			assert.Equal(t, labels[step][row], run.Labels[row][step])
			x.Read(values, row)
			for i, v := range values {
				r, _, _, _ := sheet.At(28*step+i%28, 28*row+i/28).RGBA()
				require.InDelta(t, 1-math.Min(1, math.Max(0, float64(v))), float64(r)/0xffff, 0.5/15+0.003)
			}
		}
	}
}

// TestTrueImages: of a task without states the first row is what truly follows, if that is known, and moves with the
// others.
func TestTrueImages(t *testing.T) {
	s := unjudged(t)
	p := parse(t, pageOf(t, s))
	assert.Contains(t, p.texts, "truth")
	assert.Contains(t, p.attrs["id"], "sprite-futures")
	s.Task.Futures = nil
	p = parse(t, pageOf(t, s))
	assert.NotContains(t, p.texts, "truth")
	assert.NotContains(t, p.attrs["id"], "sprite-futures")
}

// unjudged is results of images without states, whose future is known.
func unjudged(t testing.TB) *fixture.Made {
	s := fixture.Scored(t, fixture.Setting{Test: 20, Steps: 2, Methods: fixture.FiveMethods()[:2]})
	s.Content.Task.Picture = string(core.ImagePicture)
	s.Task.Futures = results.Rollout{s.Task.Starts, s.Task.Starts}
	return s
}

// TestPageEscapes: no text from the results becomes markup, wherever it stands.
func TestPageEscapes(t *testing.T) {
	plain := parse(t, pageOf(t, escaping(t, "harmless")))
	p := parse(t, pageOf(t, escaping(t, trickyName)))
	delete(plain.tags, "text") // a drawing has room for some texts only
	delete(p.tags, "text")
	assert.Equal(t, plain.tags, p.tags, "the same elements as with a harmless text")
	assert.Contains(t, p.data.Names, 0)
	for _, name := range p.data.Names {
		assert.Equal(t, trickyName, name)
	}
	assert.NotContains(t, p.scripts[0], "<", "of the data in its raw form")
}

// escaping has the text in the place of every text that results hold.
func escaping(t testing.TB, text string) *fixture.Made {
	s := fixture.MakeUp(t, fixture.Setting{Test: 20, Steps: 2, Methods: []fixture.MadeUp{{Label: "m", First: 0.9,
		Rank: 5, Losses: true, Failed: []int64{1}}}, Seeds: []int64{0, 1}})
	for i := range s.Content.Runs {
		run := &s.Content.Runs[i]
		run.Method, run.Warnings = text, []string{text}
		run.Name = "m" // which decides on the shape of the marker
		run.Reason, run.Trained = text, false
		run.Plugin = &results.PluginInfo{Path: text, Version: text, SHA256: text}
	}
	r := s.Content
	r.Task.Name, r.Task.Source, r.Protocol, r.Task.DataSHA256 = text, text, text, text
	r.Oracle.Name, r.Oracle.Warnings, r.Oracle.Options = text, []string{text}, map[string]any{text: text}
	r.Environment = results.Environment{Version: text, Commit: text, Command: []string{text}, Go: text, OS: text,
		CPU: text, Cores: 1, Backend: text, ExecutableSHA256: text}
	return s
}

func FuzzPageEscapes(f *testing.F) {
	for _, seed := range []string{trickyName, "<!--", "]]>", "\u2028", "a\x00b", "${x}", "{{.}}", "&lt;", "\xff"} {
		f.Add(seed)
	}
	plain := parse(f, pageOf(f, escaping(f, "harmless")))
	f.Fuzz(func(t *testing.T, text string) {
		p := parse(t, pageOf(t, escaping(t, text)))
		for _, tag := range []string{"script", "img", "style", "link", "meta", "base", "iframe", "object", "form", "a"} {
			assert.Equal(t, plain.tags[tag], p.tags[tag], tag)
		}
	})
}

// Every colour that a drawing names is in the style sheet.
func TestPageColoursAreDeclared(t *testing.T) {
	page := pageOf(t, trickyResults(t))
	named := 0
	for _, m := range regexp.MustCompile(`var\(--(\w+)\)`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(style(), "--"+m[1]+":") {
			t.Errorf("--%s is not declared", m[1])
		}
		named++
	}
	assert.Greater(t, named, 100)
}

func TestPageIsDeterministic(t *testing.T) {
	assert.Equal(t, pageOf(t, trickyResults(t)), pageOf(t, trickyResults(t)))
}

// TestPageStands: in every situation there is a page, without a value that is none.
func TestPageStands(t *testing.T) {
	for name, setting := range fixture.Situations() {
		t.Run(name, func(t *testing.T) {
			s := fixture.MakeUp(t, setting)
			page := pageOf(t, s)
			p := parse(t, page)
			assert.Regexp(t, `^data:`, strings.Join(append(p.attrs["src"], "data:"), ""))
			for _, list := range []string{"d", "x", "y", "x1", "cx", "cy", "points", "viewbox", "width", "height", "transform"} {
				for _, v := range p.attrs[list] {
					assert.NotRegexp(t, `NaN|Inf|\d[eE][+-]?\d`, v)
				}
			}
			for _, text := range p.texts {
				assert.NotRegexp(t, `\bNaN\b.{0,3}$|%!`, strings.TrimSuffix(text, "value 3 of snapshot 17 is NaN"))
			}
		})
	}
}

// TestPageOfBrokenNumbers: losses, accuracies, eigenvalues, times and images that are not numbers are left out.
func TestPageOfBrokenNumbers(t *testing.T) {
	s := fixture.MakeUp(t, fixture.Setting{Test: 20})
	for i := range s.Content.Runs {
		run := &s.Content.Runs[i]
		run.Ranked.Score[3], run.Ranked.Score[7] = math.NaN(), math.Inf(1)
		run.FitSeconds, run.Ranked.PredictSeconds = math.NaN(), math.Inf(1)
		run.History = []results.Epoch{{Epoch: 1, Train: results.Number(math.NaN()),
			Validation: results.Number(math.Inf(-1))}}
		if len(run.Eigenvalues) > 0 {
			run.Eigenvalues[0] = results.Complex(complex(math.NaN(), math.Inf(1)))
			run.Eigenvalues[1] = results.Complex(complex(1e300, 0))
		}
	}
	s.Content.Oracle.TestAccuracy = math.NaN()
	p := parse(t, pageOf(t, s))
	for _, list := range []string{"d", "x", "y", "cx", "cy"} {
		for _, v := range p.attrs[list] {
			assert.NotRegexp(t, `NaN|Inf`, v)
		}
	}
	assert.Contains(t, p.texts, "no finite loss")
}

func TestPageWithoutArrays(t *testing.T) {
	s := trickyResults(t)
	clear(s.Arrays)
	p := parse(t, pageOf(t, s))
	assert.Contains(t, p.texts, "No run has images to show.")
}

func TestPolicy(t *testing.T) {
	page := pageOf(t, trickyResults(t))
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	require.NotNil(t, policy)
	text := html.UnescapeString(policy[1])
	assert.Contains(t, text, "default-src 'none'")
	assert.NotRegexp(t, `connect-src|unsafe|http|\*`, text)
	var live bytes.Buffer
	require.NoError(t, Write(&live, nil, &results.Results{}, &Live{Version: "1", Text: "No run has finished yet."}))
	assert.Contains(t, live.String(), "connect-src &#39;self&#39;")
	assert.Contains(t, live.String(), "No run has finished yet")
}

func TestPageErrors(t *testing.T) {
	var b bytes.Buffer
	assert.ErrorIs(t, Write(&b, results.OpenStore(t.TempDir()), nil, nil), results.ErrResults)
	assert.ErrorIs(t, Write(&b, results.OpenStore(t.TempDir()), &results.Results{}, nil), core.ErrUnavailable)
	assert.Empty(t, b.String())
}

// TestPageRanks: ranks, intervals and baselines are those of the table.
func TestPageRanks(t *testing.T) {
	s := fixture.MakeUp(t, fixture.Setting{Test: 300, Seeds: []int64{0, 1, 2, 3, 4}})
	m := builderOf(t, s)
	p := parse(t, pageOf(t, s))
	text := strings.Join(p.texts, "\n")
	table := analysis.RankingTable(m.Results, m.Summaries(), m.Known)
	for _, section := range table.Sections {
		for _, row := range section.Rows {
			for i, cell := range row.Cells {
				if cell.Detail != "" && table.Columns[i].Name != "sd" {
					assert.Contains(t, p.texts, cell.Detail)
				}
			}
			assert.Contains(t, p.texts, row.Cells[4].Value)
			assert.True(t, row.Cells[0].Value == "" || slices.Contains(p.texts, row.Cells[0].Value))
		}
	}
	for _, b := range m.Levels {
		assert.Contains(t, text, b.Label)
	}
	assert.Contains(t, text, "rank\npossible places by paired tests")
	assert.Contains(t, text, analysis.BandsNote(m.Exhibits))
	for _, note := range tableNotes(analysis.RankingTable(m.Results, m.Summaries(), m.Known), "") {
		assert.NotContains(t, note.Value, "share a process", "%s: what costs are stands with them", note.Name)
	}
}

// TestPageCosts: each cost that some run tells has a column, of the runs that tell it.
func TestPageCosts(t *testing.T) {
	s := fixture.MakeUp(t, fixture.Setting{Test: 20, Seeds: []int64{0, 1},
		Methods: []fixture.MadeUp{{Label: "inside", First: 0.9, Rank: 5}, {Label: "outside", First: 0.8, Rank: 4}}})
	columns := func() (names []string, rows map[string][]string) {
		b := builderOf(t, s)
		v := b.costView(analysis.RankingTable(b.Results, b.Summaries(), b.Known).Costs)
		rows = map[string][]string{}
		for _, c := range v.Columns {
			names = append(names, c.Name)
		}
		for _, g := range v.Groups {
			for _, row := range g.Rows {
				for _, cell := range row.Cells {
					rows[row.Name] = append(rows[row.Name], cell.Text)
				}
			}
		}
		return names, rows
	}
	cpu, calls := []float64{1.5, 2.5}, 0.25
	for i := range s.Content.Runs {
		run := &s.Content.Runs[i]
		run.FitSeconds, run.Ranked.PredictSeconds, run.PeakRSSBytes, run.CompileSeconds, run.CPUSeconds, run.Jobs = 2,
			0.5, 0, 0, nil, 1
	}
	names, _ := columns()
	assert.Equal(t, []string{"parameters", "operator rank", "fit s", "predict s"}, names)
	for i := range s.Content.Runs {
		run := &s.Content.Runs[i]
		run.PeakRSSBytes = 300 << 20
		if run.Method == "outside" {
			run.CPUSeconds, run.Isolated, run.Parameters, run.CompileSeconds = &cpu[run.Seed], true, 0, float64(run.Seed)
			run.RPC = &results.RPC{StartSeconds: 0.125, Seconds: &calls, Calls: 4, SentBytes: 1 << 20, ReceivedBytes: 2 << 20}
		}
	}
	s.Content.Runs[2].RPC.Seconds = nil
	names, rows := columns()
	assert.Equal(t, []string{"parameters", "operator rank", "fit s", "compile s", "predict s", "cpu s", "peak MiB",
		"rpc s", "rpc MiB"}, names)
	assert.Equal(t, []string{"34\u202f213", "5", "2.00", analysis.None, "0.50", analysis.None, "300", analysis.None,
		analysis.None}, rows["inside"])
	assert.Equal(t, []string{analysis.None, "4", "2.00", "0.50", "0.50", "2.00", "300", "0.25", "3.00"}, rows["outside"])
	assert.Contains(t, builderOf(t, s).costCaption(), "not isolated")
	s.Content.Runs[0].Jobs = 2
	assert.Contains(t, builderOf(t, s).costCaption(), "ran at the same time as others")
}

func TestPageMachines(t *testing.T) {
	s := fixture.MakeUp(t, fixture.Setting{Test: 20, Seeds: []int64{0, 1, 2},
		Methods: []fixture.MadeUp{{Label: "m", First: 0.9}}})
	here, there := &results.Environment{CPU: "one", Cores: 2}, &results.Environment{CPU: "two", Cores: 1,
		Version: "v2"}
	for i := range s.Content.Runs {
		s.Content.Runs[i].Environment = here
	}
	assert.Empty(t, machinesOf(s.Content))
	s.Content.Runs[1].Environment = there
	assert.Equal(t, []string{"2 runs: one, 2 cores", "1 run: two, 1 core, v2"}, machinesOf(s.Content))
	assert.Contains(t, parse(t, pageOf(t, s)).texts, "2 runs: one, 2 cores")
}

func TestShellCommand(t *testing.T) {
	for want, args := range map[string][]string{
		"bench run":             {"bench", "run"},
		`bench '' 'a b' '$(x)'`: {"bench", "", "a b", "$(x)"},
		`bench 'it'\''s'`:       {"bench", "it's"},
		"":                      nil,
	} {
		assert.Equal(t, want, shellCommand(args))
	}
}
