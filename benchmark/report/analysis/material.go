package analysis

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"slices"
	"strconv"

	"github.com/koopbench/koopbench/benchmark/results"
)

// Source is where results come from: a [results.Store].
type Source interface {
	Results() (*results.Results, error)
	TaskArraysOf(t results.TaskInfo) (*results.TaskArrays, error)
	RunArraysOf(t results.TaskInfo, run *results.Run) (*results.RunArrays, error)
}

var _ Source = (*results.Store)(nil)

// Material is everything that figures show.
type Material struct {
	Results  *results.Results
	Task     *results.TaskArrays
	Known    Evidence
	Levels   []Baseline
	Steps    int   // of the roll-out
	Columns  []int // the steps that the roll-out shows, ascending
	Exhibits []Exhibit
	Measure  Measure
	Pictures Pictures
	// TrueImages are, by column, the pictures of the true future of the first start. There are none if
	// it is not known, if true states say enough, or if the task is drawn in time.
	TrueImages []image.Image
	// Of a task that is drawn in time: the true path from the first start, nothing if it is not known; and the first
	// training snapshots.
	Future, Trail Path
}

// Exhibit is a method with one of its runs to show: the first, by seed, that was evaluated.
type Exhibit struct {
	Summary
	Run    *results.Run  // nil where none was evaluated
	Absent bool          // the arrays of the run are not there
	Images []image.Image // by column: predictions from the first test snapshot
	Labels []int         // by column: what the oracle saw in them
	// The leading eigenfunctions that are not constant, at most two, and the constant ones before.
	Modes, constant []Mode
	// Forecast is the roll-out from the first start of a task that is drawn in time, and Functions the leading right
	// eigenfunctions of one on a line.
	Forecast  Path
	Functions []Function
}

// maxColumns is the number of steps that the roll-out shows side by side; of more it shows as many, evenly spaced.
const maxColumns = 30

// Gather reads what figures and the page show. The error is benchmark.ErrResults if results cannot
// be read, and [core.ErrUnavailable] if there is no run.
func Gather(s Source) (*Material, error) {
	r, err := s.Results()
	if err != nil {
		return nil, err
	}
	all, err := Summarize(r)
	if err != nil {
		return nil, err
	}
	m := &Material{Results: r, Known: EvidenceOf(r), Measure: MeasureOf(r.Task), Steps: StepsOf(r.Task, all)}
	m.Levels = Baselines(r, m.Known, m.Steps)
	m.Columns = ColumnsOf(m.Steps)
	if m.Task, err = s.TaskArraysOf(r.Task); err != nil {
		return nil, err
	}
	m.Pictures = picturesOf(r.Task, m.Task)
	if r.Task.InTime() {
		m.Future, m.Trail = pathOf(m.Task.Starts, m.Task.Futures), trailOf(m.Task.Sample)
	} else if !m.Told() {
		m.TrueImages = m.imagesOf(m.Task.Futures)
	}
	for _, sum := range all {
		e := Exhibit{Summary: sum}
		if len(sum.OK) > 0 {
			e.Run = sum.OK[0]
			arrays, err := s.RunArraysOf(r.Task, e.Run)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				e.Absent = true
			case err != nil:
				return nil, fmt.Errorf("%s, seed %d: %w", sum.Label, e.Run.Seed, err)
			default:
				e.take(arrays, m)
			}
		}
		m.Exhibits = append(m.Exhibits, e)
	}
	return m, nil
}

// Summaries are those of the exhibits.
func (m *Material) Summaries() []Summary {
	all := make([]Summary, len(m.Exhibits))
	for i, e := range m.Exhibits {
		all[i] = e.Summary
	}
	return all
}

// Last is the last of the steps that tables show.
func (m *Material) Last() int {
	shown := shownSteps(m.Steps, m.Results)
	return shown[len(shown)-1]
}

// MaxPoints is the largest number of points of a curve. With many methods, curves have fewer.
const MaxPoints = 200

// Points is the number of points of a curve.
func (m *Material) Points() int { return min(MaxPoints, max(30, 20000/max(1, len(m.Exhibits)))) }

// maxRead is the number of scores that a reader of the page can point at, or as many as curves
// have points.
const maxRead = 60000

// ReadSteps are the steps at which scores can be read from the page. The one of [Material.Last] is
// among them.
func (m *Material) ReadSteps() []int {
	steps := append(Sampled(m.Steps, max(m.Points(), maxRead/max(1, len(m.Exhibits)))), m.Last())
	slices.Sort(steps)
	return slices.Compact(steps)
}

// ColumnsOf are the steps that are shown: all, or maxColumns of them including the first and the
// last.
func ColumnsOf(steps int) []int { return Sampled(steps, maxColumns) }

// take keeps of the arrays what figures show, so that the rest can go.
func (e *Exhibit) take(a *results.RunArrays, m *Material) {
	steps := a.Rollouts[m.Results.Protocol]
	if m.Results.Task.InTime() {
		e.Forecast = pathOf(m.Task.Starts, steps)
		e.Functions = m.functionsOf(e.Run.Eigenvalues, a.RightEigenfunctions)
	}
	e.Images = m.imagesOf(steps)
	for _, step := range m.Columns[:len(e.Images)] {
		if labels := e.Run.Ranked.Labels; step <= len(labels) {
			e.Labels = append(e.Labels, labels[step-1][0])
		}
	}
	if a.LeftEigenfunctions != nil {
		states := m.Results.Task.States
		e.Modes, e.constant = leadingModes(e.Run.Eigenvalues, a.LeftEigenfunctions, m.Task.TestStates, states)
	}
}

// imagesOf are by column what a roll-out has from the first start, as far as it goes.
func (m *Material) imagesOf(steps results.Rollout) (images []image.Image) {
	for _, step := range m.Columns {
		if step > len(steps) || steps[step-1].Len() == 0 {
			break
		}
		images = append(images, m.Pictures.Of(steps[step-1], 0))
	}
	return images
}

// ShownRun names the run that is shown: "seed 42, untrained".
func (e Exhibit) ShownRun() string {
	if e.Run == nil {
		return SeedWords(SeedsOf(e.Runs))
	}
	text := SeedWords([]int64{e.Run.Seed})
	if !e.Run.Trained {
		text += ", untrained"
	}
	if word := exposureWords[e.Exposed]; word != "" {
		text += ", " + word
	}
	return text
}

// Why says why nothing of the method is shown: how its first run ended.
func (s Summary) Why() string {
	run := s.Runs[0]
	if run.Status == results.StatusOK {
		return "never evaluated"
	}
	text := OneLine(string(run.Status))
	if run.Reason != "" {
		text += ": " + OneLine(run.Reason)
	}
	return text
}

// Told reports whether the true states of a roll-out are known.
func (m *Material) Told() bool { return len(m.Results.Expected) > 0 }

// Truth is the state a number of steps after the first start, −1 if that is unknown.
func (m *Material) Truth(step int) int {
	if step >= len(m.Results.Expected) {
		return -1
	}
	return m.Results.Expected[step][0]
}

// Truths are the true states of the given number of starts, and then of the snapshots that follow
// in each column.
func (m *Material) Truths(starts int) [][]int {
	var all [][]int
	for i := range min(starts, m.Results.Task.Starts) {
		var row []int
		for _, step := range append([]int{0}, m.Columns...) {
			if step < len(m.Results.Expected) {
				row = append(row, m.Results.Expected[step][i])
			}
		}
		all = append(all, row)
	}
	return all
}

// TruthText is the true state a number of steps after the first start, "?" if it is not known.
func (m *Material) TruthText(step int) string {
	if t := m.Truth(step); t >= 0 {
		return strconv.Itoa(t)
	}
	return "?"
}
