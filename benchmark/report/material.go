package report

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"slices"
	"strconv"

	"github.com/koopbench/koopbench/benchmark"
)

// source is where results come from: a [benchmark.Store].
type source interface {
	Results() (*benchmark.Results, error)
	TaskArraysOf(t benchmark.TaskInfo) (*benchmark.TaskArrays, error)
	RunArraysOf(t benchmark.TaskInfo, run *benchmark.RunResult) (*benchmark.RunArrays, error)
}

var _ source = (*benchmark.Store)(nil)

// material is what figures are drawn from.
type material struct {
	results  *benchmark.Results
	task     *benchmark.TaskArrays
	known    evidence
	steps    int   // of the roll-out
	columns  []int // the steps that the roll-out shows, ascending
	exhibits []exhibit
}

// exhibit is a method with what is shown of one of its runs: the first, by seed, that was evaluated.
type exhibit struct {
	summary
	run    *benchmark.RunResult // nil where none was evaluated
	absent bool                 // the arrays of the run are not there
	images []image.Image        // by column: predictions from the first test snapshot
	labels []int                // by column: what the oracle saw in them
	// The leading eigenfunctions that are not constant, at most two, and the constant ones before.
	modes, constant []mode
}

// maxColumns is the number of steps that the roll-out shows side by side; of more it shows as many, evenly spaced.
const maxColumns = 30

func gather(s source) (*material, error) {
	r, err := s.Results()
	if err != nil {
		return nil, err
	}
	all, err := summarize(r)
	if err != nil {
		return nil, err
	}
	m := &material{results: r, known: evidenceOf(r), steps: stepsOf(r.Task, all)}
	m.columns = columnsOf(m.steps)
	if m.task, err = s.TaskArraysOf(r.Task); err != nil {
		return nil, err
	}
	for _, sum := range all {
		e := exhibit{summary: sum}
		if len(sum.ok) > 0 {
			e.run = sum.ok[0]
			arrays, err := s.RunArraysOf(r.Task, e.run)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				e.absent = true
			case err != nil:
				return nil, fmt.Errorf("%s, seed %d: %w", sum.label, e.run.Seed, err)
			default:
				e.take(arrays, m)
			}
		}
		m.exhibits = append(m.exhibits, e)
	}
	return m, nil
}

// summaries are those of the exhibits.
func (m *material) summaries() []summary {
	all := make([]summary, len(m.exhibits))
	for i, e := range m.exhibits {
		all[i] = e.summary
	}
	return all
}

// last is the last of the steps that tables show.
func (m *material) last() int {
	shown := shownSteps(m.steps, m.results.Task)
	return shown[len(shown)-1]
}

// maxRead is the number of accuracies that a reader of the page can point at, or as many as curves
// have points.
const maxRead = 60000

// readSteps are the steps at which accuracies can be read from the page, the one of [material.last]
// among them.
func (m *material) readSteps() []int {
	steps := append(sampled(m.steps, max(m.points(), maxRead/max(1, len(m.exhibits)))), m.last())
	slices.Sort(steps)
	return slices.Compact(steps)
}

// columnsOf are the steps shown: all, or maxColumns of them with the first and the last.
func columnsOf(steps int) []int { return sampled(steps, maxColumns) }

// take keeps of the arrays what figures show, so that the rest can go.
func (e *exhibit) take(a *benchmark.RunArrays, m *material) {
	for _, step := range m.columns {
		if step > len(a.Rollout) || a.Rollout[step-1].Len() == 0 || step > len(a.Labels) || len(a.Labels[step-1]) == 0 {
			break
		}
		e.images = append(e.images, picture(a.Rollout[step-1], 0))
		e.labels = append(e.labels, a.Labels[step-1][0])
	}
	if a.LeftEigenfunctions != nil {
		states := m.results.Task.States
		e.modes, e.constant = leadingModes(e.run.Eigenvalues, a.LeftEigenfunctions, m.task.TestLabels, states)
	}
}

// shownRun names the run that is shown: "seed 42, untrained".
func (e exhibit) shownRun() string {
	if e.run == nil {
		return seedWords(seedsOf(e.runs))
	}
	text := seedWords([]int64{e.run.Seed})
	if !e.run.Trained {
		text += ", untrained"
	}
	if word := exposureWords[e.exposed]; word != "" {
		text += ", " + word
	}
	return text
}

// why says why nothing of the method is shown: how its first run ended.
func (e exhibit) why() string {
	run := e.runs[0]
	if run.Status == benchmark.StatusOK {
		return "never evaluated"
	}
	text := oneLine(string(run.Status))
	if run.Reason != "" {
		text += ": " + oneLine(run.Reason)
	}
	return text
}

// startTitle stands before the state of the snapshot that a roll-out starts from.
const startTitle = "Start: "

// truth is the state a number of steps after the first test snapshot, −1 where that is unknown.
func (m *material) truth(step int) int {
	states := m.results.Task.States
	if len(m.task.TestLabels) == 0 || states < 1 {
		return -1
	}
	return (m.task.TestLabels[0] + step*max(1, m.results.Task.Lag)) % states
}

func (m *material) columnTitle(step int) string {
	truth := "?"
	if t := m.truth(step); t >= 0 {
		truth = strconv.Itoa(t)
	}
	if step == 0 {
		return startTitle + truth
	}
	return truth
}
