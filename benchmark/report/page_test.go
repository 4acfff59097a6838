package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
)

func pageOf(t testing.TB, s source) string {
	text, err := materialOf(t, s).pageBytes(s)
	require.NoError(t, err)
	return string(text)
}

func builderOf(t testing.TB, s source) *pageBuilder {
	return &pageBuilder{newDrawer(materialOf(t, s)), s}
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
	Names    map[int]string        `json:"names"`
	Accuracy map[string][]*float64 `json:"accuracy"`
	Rollout  struct {
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
	s.results.Oracle.Warnings = []string{"the judge was tired"}
	p := parse(t, pageOf(t, s))
	text := strings.Join(p.texts, "\n")
	for _, want := range []string{
		"Ordered MNIST", "6 methods at seeds 0..2", "14 of 18", "the judge was tired", "fit: non-finite value: value 3 of snapshot 17 is NaN",
		"the operator has rank 2 and the task 5 states", "1 of 5 directions was dropped; the rank is 4", "v1.2.3", "a processor, 2 cores", "8.0 GiB",
		`bench run --methods 'vamp?epochs=20&lr=1e-3' --out 'it'\''s here'`, "Not ranked", "sees the oracle", "2/3", "All 18 runs",
	} {
		assert.Contains(t, text, want)
	}
	for _, run := range s.results.Runs {
		assert.Contains(t, p.texts, run.Key)
	}
	m := materialOf(t, s)
	for _, e := range m.exhibits {
		assert.Contains(t, p.texts, e.label)
		if len(e.ok) > 0 {
			assert.Contains(t, p.texts, fmt.Sprintf("%.3f", e.at(15)))
			assert.InDelta(t, e.at(3), *p.data.Accuracy[strconv.Itoa(e.id)][2], 5e-5)
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
	arrays := s.arrays["mean-1"]
	for step, x := range arrays.Rollout {
		values := make([]float32, x.Size())
		for row := range x.Len() {
			assert.Equal(t, arrays.Labels[step][row], run.Labels[row][step])
			x.Read(values, row)
			for i, v := range values {
				r, _, _, _ := sheet.At(28*step+i%28, 28*row+i/28).RGBA()
				require.InDelta(t, 1-math.Min(1, math.Max(0, float64(v))), float64(r)/0xffff, 0.5/15+0.003)
			}
		}
	}
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
func escaping(t testing.TB, text string) *made {
	s := makeUp(t, setting{test: 20, steps: 2, methods: []madeUp{{label: "m", first: 0.9, rank: 5, losses: true, failed: []int64{1}}}, seeds: []int64{0, 1}})
	for i := range s.results.Runs {
		run := &s.results.Runs[i]
		run.Method, run.Warnings = text, []string{text}
		run.Name = "m" // which decides on the shape of the marker
		run.Reason, run.Trained = text, false
		run.Plugin = &benchmark.PluginInfo{Path: text, Version: text, SHA256: text}
	}
	r := s.results
	r.Task.Name, r.Task.Source, r.Task.Protocol, r.Task.DataSHA256 = text, text, text, text
	r.Oracle.Name, r.Oracle.Warnings, r.Oracle.Options = text, []string{text}, map[string]any{text: text}
	r.Environment = benchmark.Environment{Version: text, Commit: text, Command: []string{text}, Go: text, OS: text, CPU: text, Cores: 1, Backend: text, ExecutableSHA256: text}
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

func TestPageIsDeterministic(t *testing.T) {
	assert.Equal(t, pageOf(t, trickyResults(t)), pageOf(t, trickyResults(t)))
}

// TestPageStands: in every situation there is a page, without a value that is none.
func TestPageStands(t *testing.T) {
	for name, setting := range situations() {
		t.Run(name, func(t *testing.T) {
			s := makeUp(t, setting)
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
	s := makeUp(t, setting{test: 20})
	for i := range s.results.Runs {
		run := &s.results.Runs[i]
		run.Accuracy[3], run.Accuracy[7] = math.NaN(), math.Inf(1)
		run.FitSeconds, run.PredictSeconds = math.NaN(), math.Inf(1)
		run.History = []benchmark.Epoch{{Epoch: 1, Train: benchmark.Number(math.NaN()), Validation: benchmark.Number(math.Inf(-1))}}
		if len(run.Eigenvalues) > 0 {
			run.Eigenvalues[0] = benchmark.Complex(complex(math.NaN(), math.Inf(1)))
			run.Eigenvalues[1] = benchmark.Complex(complex(1e300, 0))
		}
	}
	s.results.Oracle.TestAccuracy = math.NaN()
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
	clear(s.arrays)
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
	require.NoError(t, WritePage(&live, nil, &benchmark.Results{}, &Live{Version: "1", Text: "No finished run yet."}))
	assert.Contains(t, live.String(), "connect-src &#39;self&#39;")
	assert.Contains(t, live.String(), "No finished run yet")
}

func TestPageErrors(t *testing.T) {
	var b bytes.Buffer
	assert.ErrorIs(t, WritePage(&b, benchmark.OpenStore(t.TempDir()), nil, nil), benchmark.ErrResults)
	assert.ErrorIs(t, WritePage(&b, benchmark.OpenStore(t.TempDir()), &benchmark.Results{}, nil), core.ErrUnavailable)
	assert.Empty(t, b.String())
}

// TestWritePageFile: Write leaves the page beside results.json, from the folder alone.
func TestWritePageFile(t *testing.T) {
	s := trickyResults(t)
	dir := t.TempDir()
	s.writeTo(t, dir)
	require.NoError(t, Write(dir))
	text, err := os.ReadFile(filepath.Join(dir, Page))
	require.NoError(t, err)
	assert.Equal(t, pageOf(t, s), string(text))
}

// writeTo writes a folder of results.
func (m *made) writeTo(t testing.TB, dir string) {
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "runs"), 0o755))
	for i := range m.results.Runs {
		run := &m.results.Runs[i]
		run.PredictionSHA256 = make([]string, len(run.Accuracy))
	}
	require.NoError(t, benchmark.OpenStore(dir).WriteResults(m.results))
	write := func(name string, a npz.Archive) {
		var b bytes.Buffer
		require.NoError(t, npz.Write(&b, a))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644))
	}
	snapshots := func(parts ...core.Snapshots) npz.Array {
		a := npz.Array{Shape: append([]int{parts[0].Len()}, parts[0].Shape()...)}
		var values []float32
		for _, x := range parts {
			values = append(values, x.Floats()...)
		}
		a.Values = values
		return a
	}
	ints := func(lists ...[]int) npz.Array {
		var values []int64
		for _, list := range lists {
			for _, v := range list {
				values = append(values, int64(v))
			}
		}
		return npz.Array{Shape: []int{len(values)}, Values: values}
	}
	write("data.npz", npz.Archive{
		"sample": snapshots(m.task.Sample), "sample_labels": ints(m.task.SampleLabels),
		"test_images": snapshots(m.task.TestImages), "test_labels": ints(m.task.TestLabels),
	})
	for key, arrays := range m.arrays {
		a := npz.Archive{"rollout": snapshots(arrays.Rollout...), "labels": ints(arrays.Labels...)}
		rollout, labels := a["rollout"], a["labels"]
		rollout.Shape = append([]int{len(arrays.Rollout)}, rollout.Shape...)
		labels.Shape = []int{len(arrays.Labels), len(arrays.Labels[0])}
		a["rollout"], a["labels"] = rollout, labels
		if arrays.LeftEigenfunctions != nil {
			n, k := arrays.LeftEigenfunctions.Dims()
			a["left_eigenfunctions"] = npz.Array{Shape: []int{n, k}, Values: arrays.LeftEigenfunctions.RawCMatrix().Data}
		}
		write(filepath.Join("runs", key+".npz"), a)
	}
}

// TestPageRanks: ranks, intervals and baselines are those of the table.
func TestPageRanks(t *testing.T) {
	s := makeUp(t, setting{test: 300, seeds: []int64{0, 1, 2, 3, 4}})
	m := materialOf(t, s)
	p := parse(t, pageOf(t, s))
	text := strings.Join(p.texts, "\n")
	for _, e := range m.exhibits {
		require.NotNil(t, e.total)
		assert.Contains(t, p.texts, shortInterval(e.total.Interval, 3))
		assert.Contains(t, p.texts, shortInterval(e.steps[13].Interval, 3))
		if e.exposed == core.Unexposed {
			assert.True(t, e.places.Ranked())
			assert.Contains(t, p.texts, e.places.String())
		}
	}
	for _, b := range baselines(m.results, m.known, m.steps) {
		assert.Contains(t, text, b.label)
	}
	assert.Contains(t, text, "rank\nplaces that paired tests")
	assert.Contains(t, text, bandsNote(m.exhibits))
	for _, note := range tableNotes(layOut(m.results, m.summaries(), m.known)) {
		assert.NotContains(t, note.Value, "shares its process", "%s: what costs are stands with them", note.Name)
	}
}

// TestPageCosts: each cost that some run tells has a column, of the runs that tell it.
func TestPageCosts(t *testing.T) {
	s := makeUp(t, setting{test: 20, seeds: []int64{0, 1}, methods: []madeUp{{label: "inside", first: 0.9, rank: 5}, {label: "outside", first: 0.8, rank: 4}}})
	columns := func() (names []string, rows map[string][]string) {
		b := builderOf(t, s)
		v := b.costView(costTable(b.summaries()))
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
	for i := range s.results.Runs {
		run := &s.results.Runs[i]
		run.FitSeconds, run.PredictSeconds, run.PeakRSSBytes, run.CompileSeconds, run.CPUSeconds, run.Jobs = 2, 0.5, 0, 0, nil, 1
	}
	names, _ := columns()
	assert.Equal(t, []string{"parameters", "operator rank", "fit s", "predict s"}, names)
	for i := range s.results.Runs {
		run := &s.results.Runs[i]
		run.PeakRSSBytes = 300 << 20
		if run.Method == "outside" {
			run.CPUSeconds, run.Isolated, run.Parameters, run.CompileSeconds = &cpu[run.Seed], true, 0, float64(run.Seed)
			run.RPC = &benchmark.RPC{StartSeconds: 0.125, Seconds: &calls, Calls: 4, SentBytes: 1 << 20, ReceivedBytes: 2 << 20}
		}
	}
	s.results.Runs[2].RPC.Seconds = nil
	names, rows := columns()
	assert.Equal(t, []string{"parameters", "operator rank", "fit s", "compile s", "predict s", "cpu s", "peak MiB", "rpc s", "rpc MiB"}, names)
	assert.Equal(t, []string{"34\u202f213", "5", "2.00", none, "0.50", none, "300", none, none}, rows["inside"])
	assert.Equal(t, []string{none, "4", "2.00", "0.50", "0.50", "2.00", "300", "0.25", "3.00"}, rows["outside"])
	assert.Contains(t, builderOf(t, s).costCaption(), "not isolated")
	s.results.Runs[0].Jobs = 2
	assert.Contains(t, builderOf(t, s).costCaption(), "shared the machine")
}

func TestPageMachines(t *testing.T) {
	s := makeUp(t, setting{test: 20, seeds: []int64{0, 1, 2}, methods: []madeUp{{label: "m", first: 0.9}}})
	here, there := &benchmark.Environment{CPU: "one", Cores: 2}, &benchmark.Environment{CPU: "two", Cores: 1, Version: "v2"}
	for i := range s.results.Runs {
		s.results.Runs[i].Environment = here
	}
	assert.Empty(t, machinesOf(s.results))
	s.results.Runs[1].Environment = there
	assert.Equal(t, []string{"2 runs: one, 2 cores", "1 run: two, 1 core, v2"}, machinesOf(s.results))
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

func TestLogAxis(t *testing.T) {
	for _, c := range [][2]float64{{1, 1}, {0.0001, 100000}, {0.2, 30}, {3, 5}, {1e-4, 1e-4}} {
		a := logAxis("s", c[0], c[1])
		assert.Less(t, a.min, math.Log10(c[0]))
		assert.Greater(t, a.max, math.Log10(c[1]))
		require.NotEmpty(t, a.ticks, "%v", c)
		assert.LessOrEqual(t, len(a.ticks), 12)
		for _, tick := range a.ticks {
			v, err := strconv.ParseFloat(tick.Label, 64)
			require.NoError(t, err)
			assert.InDelta(t, tick.Value, math.Log10(v), 1e-9)
		}
	}
}
