package page

import (
	"fmt"
	"html/template"
	"image"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/report/figure"
	"github.com/koopbench/koopbench/benchmark/results"
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
	Message     string // in place of everything, if there is none
	Sample      samplePicture
	Ink         string // the class of images that are ink on paper
	Facts       []pageFact
	Step        int // whose scores stand where there is room for one
	Table       rankingTable
	Measure     string // its name, a capital first
	MeasureName string
	Scores      pageChart
	Rollout     rolloutView
	InTime      bool // snapshots are drawn against time, and not as pictures
	Panels      []figure.Sheet
	Operator    costView
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
	Names   map[int]string      `json:"names"`  // of the methods
	Steps   []int               `json:"steps"`  // at which the script knows scores
	Rest    int                 `json:"rest"`   // the legend's step while no pointer is over the chart
	Scores  map[string][]string `json:"scores"` // of each line at these steps, as they are shown
	Rollout *rolloutData        `json:"rollout"`
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
	Method, Seed, Status, Trained, Score, Key string
	Costs                                     []string
}

// builder makes a page's view.
type builder struct {
	*figure.Drawer
	source analysis.Source
}

// waitingPage is the page before any run has finished. Of r, the task may be known.
func waitingPage(r *results.Results, live *Live) *pageView {
	v := &pageView{Title: "No run has finished yet", Live: live, Message: "This page shows the runs as they finish."}
	if r.Task.Name != "" {
		v.Title, v.Lead = analysis.OrUnnamed(r.Task.Name), taskText(r)
	}
	return v
}

func (b *builder) view() (*pageView, error) {
	t := analysis.RankingTable(b.Results, b.Summaries(), b.Known)
	v := &pageView{
		Ready: true, Title: analysis.OrUnnamed(b.Results.Task.Name), Lead: b.lead(), Step: b.Last(), Facts: b.facts(),
		Table: b.ranking(t), Measure: analysis.Capital(b.Measure.Name), MeasureName: b.Measure.Name,
		Scores: b.scoresView(), Operator: b.operatorView(t.Operator), Cost: b.costView(t.Costs),
		Panels: b.Sheets(), InTime: b.Results.Task.InTime(),
		Runs: b.runs(), RunsTitle: allRuns(len(b.Results.Runs)),
		Command: shellCommand(b.Results.Environment.Command), Environment: b.environment(),
	}
	if !b.Pictures.Colour {
		v.Ink = "ink"
	}
	var err error
	if v.Sample, err = b.sample(); err != nil {
		return nil, err
	}
	v.Data = pageData{Names: map[int]string{}, Steps: b.ReadSteps(), Rest: b.Last(), Scores: map[string][]string{}}
	for _, e := range b.Exhibits {
		v.Data.Names[e.ID] = e.Label
	}
	for _, e := range b.ScoreKey() {
		for _, step := range v.Data.Steps {
			v.Data.Scores[e.Series] = append(v.Data.Scores[e.Series], b.Measure.Text(e.At(step)))
		}
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

func taskText(r *results.Results) string {
	t := r.Task
	text := fmt.Sprintf("%d training, %d validation and %d test snapshots", t.Train, t.Validation, t.Test)
	if t.States > 0 {
		text = analysis.States(t) + ": " + text
	}
	if t.Source != "" {
		text += " from " + analysis.OneLine(t.Source)
	}
	return text + fmt.Sprintf("; a roll-out of %s of lag\u00a0%d, protocol %s.", analysis.Counted(max(t.Steps, 1), "step"),
		max(t.Lag, 1), analysis.OrUnnamed(r.Protocol))
}

func allRuns(n int) string {
	if n == 1 {
		return "The run"
	}
	return fmt.Sprintf("All %d runs", n)
}

func (b *builder) lead() string {
	var runs []*results.Run
	for _, e := range b.Exhibits {
		runs = append(runs, e.Runs...)
	}
	text := analysis.Counted(len(b.Exhibits), "method") + " at " + analysis.SeedWords(analysis.SeedsOf(runs)) + " on " +
		taskText(b.Results)
	return strings.TrimSpace(text + " " + analysis.Caveat(b.Results))
}

func (b *builder) facts() []pageFact {
	evaluated, trained, total, seconds := 0, 0, 0, 0.0
	for _, e := range b.Exhibits {
		evaluated, trained, total = evaluated+len(e.OK), trained+e.Trained(), total+len(e.Runs)
		for _, run := range e.OK {
			seconds += run.FitSeconds
		}
	}
	facts := []pageFact{
		{Name: "Runs evaluated", Value: fmt.Sprintf("%d of %d", evaluated, total), More: "each run is one method at one " +
			"seed"},
		{Name: "Trained", Value: fmt.Sprintf("%d of %d", trained, total), More: "that learned something"},
	}
	task := b.Results.Task
	if task.Judged() {
		facts = append(facts, pageFact{Name: "Oracle", Value: b.Measure.Text(b.Results.Oracle.TestAccuracy),
			More: "accuracy on true test " + analysis.SnapshotWord(task) + "s" + analysis.Weak(b.Results)})
	}
	if chance := task.Measure.Chance; chance != nil {
		more := b.Measure.Label() + " of guessing"
		if task.Judged() {
			more = "one of " + analysis.States(task)
		}
		facts = append(facts, pageFact{Name: "Chance", Value: b.Measure.Text(*chance), More: more})
	}
	return append(facts, pageFact{Name: "Fits", Value: durationText(seconds), More: "total of all runs"})
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
	n, states := min(x.Len(), 10), b.Results.Task.States
	if states > 0 {
		n = min(x.Len(), len(b.Task.SampleStates), 2*states)
	}
	height, width := b.Pictures.Height, b.Pictures.Width
	if n == 0 || width*n > 4000 || height > 300 || b.Results.Task.InTime() {
		return samplePicture{}, nil
	}
	encoded, err := sprite(n, 1, height, width, func(column, _ int) image.Image { return b.Pictures.Of(x, column) })
	if err != nil {
		return samplePicture{}, err
	}
	text := fmt.Sprintf("The first %d snapshots of the sequence", n)
	if states > 0 {
		labels := make([]string, n)
		for i := range labels {
			labels[i] = strconv.Itoa(b.Task.SampleStates[i])
		}
		text += fmt.Sprintf(", which show the %ss %s", analysis.StateWord(b.Results.Task), strings.Join(labels, ", "))
	}
	scale := max(1, 56/max(height, 1))
	return samplePicture{
		Source: template.URL("data:image/png;base64," + encoded), Width: n * width * scale, Height: height * scale,
		Text: text + ".",
	}, nil
}

func (b *builder) runs() (v runsView) {
	shown := analysis.ShownCosts(b.Results, b.Summaries())
	for _, c := range shown {
		v.Costs = append(v.Costs, c.Name)
	}
	for _, e := range b.Exhibits {
		for _, run := range e.Runs {
			row := runRow{
				Method: e.Label, Seed: strconv.FormatInt(run.Seed,
					10), Status: analysis.OneLine(string(run.Status)), Trained: "no", Score: analysis.None, Key: run.Key,
			}
			if run.Trained {
				row.Trained = "yes"
			}
			if step := b.Last(); step <= len(run.Ranked.Score) && run.Status == results.StatusOK {
				row.Score = b.Measure.Text(run.Ranked.Score[step-1])
			}
			for _, c := range shown {
				row.Costs = append(row.Costs, c.Cell([]*results.Run{run}).Value)
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
	add("protocol", analysis.ProtocolText(r.Protocol, r.Task))
	add("oracle", analysis.OracleText(r))
	add("oracle options", optionsText(r.Oracle.Options))
	for _, p := range pluginsOf(r) {
		add("plugin", p)
	}
	return facts
}

// machinesOf says how many runs were made where, if that is more than one place.
func machinesOf(r *results.Results) []string {
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

func pluginsOf(r *results.Results) []string {
	var texts []string
	add := func(p *results.PluginInfo) {
		if p != nil {
			pinned := "not pinned"
			if p.Pinned {
				pinned = "pinned"
			}
			texts = append(texts, fmt.Sprintf("%s, SHA-256 %s, %s; %s",
				strings.TrimSpace(p.Path+" "+p.Version), p.SHA256, pinned, strings.TrimPrefix(analysis.ChecksText(p), "plugin, ")))
		}
	}
	add(r.Task.Plugin)
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
