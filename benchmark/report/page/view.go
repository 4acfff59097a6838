package page

import (
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/figure"
)

// pageView is what the template of the page shows.
type pageView struct {
	Policy      string
	Style       template.CSS
	Script      template.JS
	Schema      string
	Title, Lead string
	Live        *Live
	Ready       bool   // there is a run to show
	Message     string // in the place of everything, where there is none
	Sample      samplePicture
	Ink         string // the class of images that are ink on paper
	Facts       []pageFact
	Step        int // whose accuracies stand where there is room for one
	Table       rankingTable
	Accuracy    pageChart
	Rollout     rolloutView
	Panels      []figure.Sheet
	Cost        costView
	Remarks     []remarkGroup
	Runs        runsView
	RunsTitle   string
	Command     string
	Environment []pageFact
	Data        pageData
}

// pageData is what the script reads.
type pageData struct {
	Names    map[int]string       `json:"names"`    // of the methods
	Steps    []int                `json:"steps"`    // at which the script knows accuracies
	Rest     int                  `json:"rest"`     // the legend's step while no pointer is over the chart
	Accuracy map[string][]*number `json:"accuracy"` // of each line at these steps
	Rollout  *rolloutData         `json:"rollout"`
}

// number is an accuracy in JSON, to four digits.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	return json.Marshal(math.Round(float64(n)*1e4) / 1e4)
}

type pageFact struct {
	Name, Value, More string
	Code              bool // a value to copy, not to read
}

type samplePicture struct {
	Source        template.URL
	Width, Height int
	Text          string
}

// remarkGroup is remarks of a kind. Those after the first few are folded away.
type remarkGroup struct {
	Heading string
	Count   int
	Items   []remark
	More    []remark
}

// maxRemarks is the number of remarks of a kind that stand open. One more would be no shorter folded away.
const maxRemarks = 8

type remark struct{ Lead, Text string }

type runsView struct {
	Costs []string // the names of columns
	Rows  []runRow
}

type runRow struct {
	Method, Seed, Status, Trained, Accuracy, Key string
	Costs                                        []string
}

// builder makes a page's view.
type builder struct {
	*figure.Drawer
	source analysis.Source
}

// waitingPage is the page before any run has finished. Of r, the task may be known.
func waitingPage(r *benchmark.Results, live *Live) *pageView {
	v := &pageView{Title: "No finished run yet", Live: live, Message: "This page shows the runs as they finish."}
	if r.Task.Name != "" {
		v.Title, v.Lead = taskTitle(r.Task), taskText(r)
	}
	return v
}

func (b *builder) view() (*pageView, error) {
	t := analysis.RankingTable(b.Results, b.Summaries(), b.Known)
	v := &pageView{
		Ready: true, Title: taskTitle(b.Results.Task), Lead: b.lead(), Step: b.Last(), Facts: b.facts(),
		Table: b.ranking(t), Accuracy: b.accuracyView(), Cost: b.costView(t.Costs),
		Panels: []figure.Sheet{b.Eigenvalues(), b.Eigenfunctions(), b.Training()},
		Runs:   b.runs(), RunsTitle: allRuns(len(b.Results.Runs)),
		Command: shellCommand(b.Results.Environment.Command), Environment: b.environment(),
	}
	if _, _, channels := analysis.PictureShape(b.Task.Starts.Shape()); channels != 3 {
		v.Ink = "ink"
	}
	var err error
	if v.Sample, err = b.sample(); err != nil {
		return nil, err
	}
	v.Data = pageData{Names: map[int]string{}, Steps: b.ReadSteps(), Rest: b.Last(), Accuracy: map[string][]*number{}}
	for _, e := range b.Exhibits {
		v.Data.Names[e.ID] = e.Label
	}
	for _, e := range b.AccuracyKey() {
		v.Data.Accuracy[e.Series] = numbers(v.Data.Steps, e.At)
	}
	if v.Rollout, v.Data.Rollout, err = b.rollout(); err != nil {
		return nil, err
	}
	for _, g := range t.Notes {
		group := remarkGroup{Heading: g.Heading}
		for _, text := range g.Notes {
			lead, rest, ok := strings.Cut(text, ": ")
			if !ok {
				lead, rest = "", text
			}
			group.Items = append(group.Items, remark{lead, unbroken(rest)})
		}
		group.Count = len(group.Items)
		if group.Count > maxRemarks+1 {
			group.Items, group.More = group.Items[:maxRemarks:maxRemarks], group.Items[maxRemarks:]
		}
		v.Remarks = append(v.Remarks, group)
	}
	return v, nil
}

// unbroken keeps a number and its unit in one line.
func unbroken(text string) string {
	return strings.NewReplacer(" %", "\u00a0%", " = ", "\u00a0=\u00a0").Replace(text)
}

// fractionText writes an accuracy to three digits, or a dash for none.
func fractionText(v float64) string {
	if !isFraction(v) {
		return analysis.None
	}
	return fmt.Sprintf("%.3f", v)
}

func isFraction(v float64) bool { return v >= 0 && v <= 1 }

// numbers are the values at steps, nil where there is none.
func numbers(steps []int, at func(int) float64) []*number {
	values := make([]*number, len(steps))
	for i, step := range steps {
		if v := number(at(step)); isFraction(float64(v)) {
			values[i] = &v
		}
	}
	return values
}

func taskTitle(t benchmark.TaskInfo) string {
	if t.Name == "ordered-mnist" {
		return "Ordered MNIST"
	}
	return analysis.OrUnnamed(t.Name)
}

func taskText(r *benchmark.Results) string {
	t := r.Task
	text := fmt.Sprintf("%s: %d training, %d validation and %d test snapshots", analysis.States(t), t.Train,
		t.Validation, t.Test)
	if t.Source != "" {
		text += " from " + analysis.OneLine(t.Source)
	}
	return text + fmt.Sprintf("; a roll-out of %s of lag\u00a0%d%s.", analysis.Counted(max(t.Steps, 1), "step"),
		max(t.Lag, 1),
		analysis.ByProtocol(r.Protocol))
}

func allRuns(n int) string {
	if n == 1 {
		return "The run"
	}
	return fmt.Sprintf("All %d runs", n)
}

func (b *builder) lead() string {
	var runs []*benchmark.RunResult
	for _, e := range b.Exhibits {
		runs = append(runs, e.Runs...)
	}
	text := analysis.Counted(len(b.Exhibits), "method") + " at " + analysis.SeedWords(analysis.SeedsOf(runs)) + " on " +
		taskText(b.Results)
	return strings.TrimSpace(text + " " + analysis.CutShort(b.Results))
}

func (b *builder) facts() []pageFact {
	evaluated, trained, total, seconds := 0, 0, 0, 0.0
	for _, e := range b.Exhibits {
		evaluated, trained, total = evaluated+len(e.OK), trained+e.Trained(), total+len(e.Runs)
		for _, run := range e.OK {
			seconds += run.FitSeconds
		}
	}
	oracle := "accuracy on true test images"
	if b.Results.Oracle.TestAccuracy < benchmark.WeakJudge {
		oracle += ": a weak judge"
	}
	facts := []pageFact{
		{Name: "Runs evaluated", Value: fmt.Sprintf("%d of %d", evaluated, total), More: "a method at a seed each"},
		{Name: "Trained", Value: fmt.Sprintf("%d of %d", trained, total), More: "that learned something"},
		{Name: "Oracle", Value: fmt.Sprintf("%.3f", b.Results.Oracle.TestAccuracy), More: oracle},
	}
	if n := b.Results.Task.States; n > 0 {
		facts = append(facts, pageFact{Name: "Chance", Value: fmt.Sprintf("%.3f", 1/float64(n)),
			More: fmt.Sprintf("one of %s", analysis.States(b.Results.Task))})
	}
	return append(facts, pageFact{Name: "Fits", Value: durationText(seconds), More: "all together"})
}

func durationText(seconds float64) string {
	switch {
	case math.IsNaN(seconds) || math.IsInf(seconds, 0) || seconds < 0:
		return analysis.None
	case seconds < 99.5:
		return fmt.Sprintf("%.3g s", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%.0f min", seconds/60)
	}
	return fmt.Sprintf("%.1f h", seconds/3600)
}

// sample is the first snapshots of the sequence side by side.
func (b *builder) sample() (samplePicture, error) {
	x := b.Task.Sample
	n := min(x.Len(), len(b.Task.SampleStates), 2*max(1, b.Results.Task.States))
	height, width, _ := analysis.PictureShape(x.Shape())
	if n == 0 || width*n > 4000 || height > 300 {
		return samplePicture{}, nil
	}
	encoded, err := strip(x, n)
	if err != nil {
		return samplePicture{}, err
	}
	labels := make([]string, n)
	for i := range labels {
		labels[i] = strconv.Itoa(b.Task.SampleStates[i])
	}
	scale := max(1, 56/max(height, 1))
	return samplePicture{
		Source: template.URL("data:image/png;base64," + encoded), Width: n * width * scale, Height: height * scale,
		Text: fmt.Sprintf("The first %d snapshots of the sequence, which show the %ss %s.", n,
			analysis.StateWord(b.Results.Task), strings.Join(labels, ", ")),
	}, nil
}

func (b *builder) runs() (v runsView) {
	shown := analysis.ShownCosts(b.Summaries())
	for _, c := range shown {
		v.Costs = append(v.Costs, c.Name)
	}
	for _, e := range b.Exhibits {
		for _, run := range e.Runs {
			row := runRow{
				Method: e.Label, Seed: strconv.FormatInt(run.Seed,
					10), Status: analysis.OneLine(string(run.Status)), Trained: "no", Accuracy: analysis.None, Key: run.Key,
			}
			if run.Trained {
				row.Trained = "yes"
			}
			if step := b.Last(); step <= len(run.Ranked.Score) && run.Status == benchmark.StatusOK {
				row.Accuracy = fractionText(run.Ranked.Score[step-1])
			}
			for _, c := range shown {
				row.Costs = append(row.Costs, c.Cell([]*benchmark.RunResult{run}).Value)
			}
			v.Rows = append(v.Rows, row)
		}
	}
	return v
}

func (b *builder) environment() []pageFact {
	r := b.Results
	e := r.Environment
	var facts []pageFact
	add := func(name, value string) {
		if value = analysis.OneLine(value); value != "" {
			facts = append(facts, pageFact{Name: name, Value: value, Code: isHash(value)})
		}
	}
	add("koopbench", strings.TrimSpace(e.Version+" "+e.Commit))
	add("executable", e.ExecutableSHA256)
	add("Go", e.Go)
	add("system", e.OS)
	if e.Cores > 0 {
		add("processor", strings.TrimPrefix(fmt.Sprintf("%s, %s", e.CPU, analysis.Counted(e.Cores, "core")), ", "))
	}
	if e.MemoryBytes > 0 {
		add("memory", fmt.Sprintf("%.1f GiB", float64(e.MemoryBytes)/(1<<30)))
	}
	add("backend", e.Backend)
	for _, text := range machinesOf(r) {
		add("made by", text)
	}
	add("data", r.Task.DataSHA256)
	add("protocol", analysis.ProtocolText(r.Protocol))
	o := r.Oracle
	add("oracle", fmt.Sprintf("%s, seed %d, accuracy %.3f on validation and %.3f on test snapshots",
		analysis.OrUnnamed(o.Name), o.Seed, o.ValidationAccuracy, o.TestAccuracy))
	add("oracle options", optionsText(o.Options))
	for _, p := range pluginsOf(r) {
		add("plugin", p)
	}
	return facts
}

// machinesOf says how many runs were made where, if that is more than one place.
func machinesOf(r *benchmark.Results) []string {
	runs := map[string]int{}
	for i := range r.Runs {
		if e := r.Runs[i].Environment; e != nil {
			parts := []string{e.CPU, analysis.Counted(e.Cores, "core"), e.OS, e.Backend,
				strings.TrimSpace(e.Version + " " + e.Commit)}
			runs[strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")]++
		}
	}
	if len(runs) < 2 {
		return nil
	}
	var texts []string
	for _, place := range slices.Sorted(maps.Keys(runs)) {
		texts = append(texts, analysis.Counted(runs[place], "run")+": "+place)
	}
	return texts
}

// isHash says that a text is a long hexadecimal number.
func isHash(text string) bool {
	return len(text) >= 32 && strings.Trim(text, "0123456789abcdef") == ""
}

func optionsText(options map[string]any) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(options)) {
		parts = append(parts, fmt.Sprintf("%s=%v", name, options[name]))
	}
	return strings.Join(parts, ", ")
}

func pluginsOf(r *benchmark.Results) []string {
	var texts []string
	add := func(p *benchmark.PluginInfo) {
		if p != nil {
			pinned := "not pinned"
			if p.Pinned {
				pinned = "pinned"
			}
			texts = append(texts, fmt.Sprintf("%s, SHA-256 %s, %s; %s",
				strings.TrimSpace(p.Path+" "+p.Version), p.SHA256, pinned, strings.TrimPrefix(analysis.ChecksText(p), "plugin, ")))
		}
	}
	add(r.Oracle.Plugin)
	for i := range r.Runs {
		add(r.Runs[i].Plugin)
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

// shellCommand writes a command so that a POSIX shell reads it as it was.
func shellCommand(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = arg
		plain := func(c rune) bool {
			return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_-+=./:,@%", c)
		}
		if arg == "" || strings.ContainsFunc(arg, func(c rune) bool { return !plain(c) }) {
			quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
