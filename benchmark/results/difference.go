package results

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Aspect names an aspect in which results can differ.
type Aspect string

// The aspects. Runs that differ in one of the first seven are judged by other measures, so they do
// not belong in one table. Runs that differ in training, code or kernels are different runs, and
// are distinguished if they would be joined. The machine changes times.
const (
	AspectData     Aspect = "data"
	AspectSplit    Aspect = "split"
	AspectStates   Aspect = "states"
	AspectMeasure  Aspect = "measure"
	AspectSteps    Aspect = "steps"
	AspectProtocol Aspect = "protocol"
	AspectOracle   Aspect = "oracle"
	AspectTraining Aspect = "training"
	AspectCode     Aspect = "code"
	AspectKernels  Aspect = "kernels"
	AspectMachine  Aspect = "machine"
)

// Difference is one aspect in which two results differ.
type Difference struct {
	Aspect Aspect
	Text   string // "another split: 300+100+100 snapshots against 3000+1000+1000"
}

// Fatal reports whether accuracies have a different meaning on the two sides.
func (d Difference) Fatal() bool {
	return d.Aspect != AspectTraining && d.Aspect != AspectCode && d.Aspect != AspectKernels && d.Aspect != AspectMachine
}

// Differences lists how results differ from those that they are compared with, the most important
// difference first. It does not compare runs.
func Differences(r, against *Results) []Difference {
	d := settingOf(r).unlike(settingOf(against))
	if r.Protocol != against.Protocol {
		d = append(d, Difference{AspectProtocol, fmt.Sprintf("another protocol ranks: %s against %s", orUnknown(r.Protocol),
			orUnknown(against.Protocol))})
	}
	if e, f := r.Environment, against.Environment; e.machine() != f.machine() {
		d = append(d, Difference{AspectMachine, fmt.Sprintf("another machine: %s against %s", e.machine(), f.machine())})
	}
	return d
}

// setting is what all runs of one plan have in common.
type setting struct {
	Task        TaskInfo
	oracle      OracleInfo
	environment Environment
	maxEpochs   int // see [Results.MaxEpochs]
}

func settingOf(r *Results) setting { return setting{r.Task, r.Oracle, r.Environment, r.MaxEpochs} }

type differences []Difference

// Fatal joins the differences that are [Difference.Fatal], or returns nil if none is.
func Fatal(all []Difference) error {
	if fatal := slices.DeleteFunc(slices.Clone(all), func(d Difference) bool { return !d.Fatal() }); len(fatal) > 0 {
		return differences(fatal).err()
	}
	return nil
}

// err joins the texts.
func (d differences) err() error {
	texts := make([]string, len(d))
	for i, one := range d {
		texts[i] = one.Text
	}
	return errors.New(strings.Join(texts, "; "))
}

// unlike lists the differences of two settings except for the machine.
func (s setting) unlike(o setting) differences {
	var d differences
	add := func(a Aspect, format string, values ...any) {
		d = append(d, Difference{a, fmt.Sprintf(format, values...)})
	}
	t, u := s.Task, o.Task
	if t.Name != u.Name {
		add(AspectData, "another task: %q against %q", t.Name, u.Name)
	}
	if t.Train != u.Train || t.Validation != u.Validation || t.Test != u.Test {
		add(AspectSplit, "another split: %d+%d+%d snapshots against %d+%d+%d", t.Train, t.Validation, t.Test, u.Train,
			u.Validation, u.Test)
	}
	if t.Starts != u.Starts {
		add(AspectSplit, "another number of roll-outs: %d against %d", t.Starts, u.Starts)
	}
	if t.States != u.States {
		add(AspectStates, "another number of %s: %d against %d", t.stateWords(), t.States, u.States)
	}
	if t.Measure.Name != u.Measure.Name {
		add(AspectMeasure, "another measure: %s against %s", orUnknown(t.Measure.Name), orUnknown(u.Measure.Name))
	}
	if t.DataSHA256 != u.DataSHA256 && len(d) == 0 {
		add(AspectData, "other data: %s (SHA-256 %.12s…) against %s (%.12s…)%s", orUnknown(t.Source), t.DataSHA256,
			orUnknown(u.Source), u.DataSHA256, s.unrepeatable(o))
	}
	if t.Steps != u.Steps {
		add(AspectSteps, "another number of steps: %d against %d", t.Steps, u.Steps)
	}
	if t.Lag != u.Lag {
		add(AspectSteps, "another lag: %d against %d", t.Lag, u.Lag)
	}
	if t.ExpectedSHA256 != u.ExpectedSHA256 && len(d) == 0 {
		add(AspectData, "other states are expected for the same data")
	}
	if text := s.unlikeOptions(o); text != "" && len(d) == 0 {
		add(AspectData, "another task: %s", text)
	}
	if t.Plugin.Identity() != u.Plugin.Identity() {
		add(AspectData, "another task: it is from %s against %s", t.Plugin.Origin(), u.Plugin.Origin())
	}
	d = append(d, s.oracle.unlike(o.oracle)...)
	if s.maxEpochs != o.maxEpochs && len(d) == 0 {
		add(AspectTraining, "another limit of training: %s against %s", epochLimit(s.maxEpochs), epochLimit(o.maxEpochs))
	}
	e, f := s.environment, o.environment
	if e.ExecutableSHA256 != f.ExecutableSHA256 {
		add(AspectCode, "other code: %s against %s", e.Code(), f.Code())
	}
	if e.Backend != f.Backend {
		add(AspectKernels, "other kernels: %s against %s", e.Kernels(), f.Kernels())
	}
	if len(d) == 0 && s.oracle.Key != o.oracle.Key {
		add(AspectOracle, "another oracle: its key is %s against %s", s.oracle.Key, o.oracle.Key)
	}
	return d
}

// unlikeOptions says which options of two tasks differ. Code of another version need not know all
// of them: what the others determine, data, states and measure, is compared by itself.
func (s setting) unlikeOptions(o setting) string {
	t, u := s.Task.Options, o.Task.Options
	if s.environment.ExecutableSHA256 == o.environment.ExecutableSHA256 && t != nil && u != nil {
		return UnlikeOptions(t, u)
	}
	both, other := map[string]any{}, map[string]any{}
	for name, value := range t {
		if v, known := u[name]; known {
			both[name], other[name] = value, v
		}
	}
	return UnlikeOptions(both, other)
}

// unrepeatable says of two settings whose data differ that they must not, "" if they may.
func (s setting) unrepeatable(o setting) string {
	t, u := s.Task, o.Task
	if t.Options == nil || u.Options == nil || UnlikeOptions(t.Options, u.Options) != "" || t.Source != u.Source ||
		t.Plugin.Identity() != u.Plugin.Identity() || s.environment.ExecutableSHA256 != o.environment.ExecutableSHA256 {
		return ""
	}
	return fmt.Sprintf("; options, source and code are the same, so unless its files have changed, the task %s breaks "+
		"the "+
		"rule that equal options give equal bits", t.Name)
}

func epochLimit(most int) string {
	if most == 0 {
		return "none"
	}
	return fmt.Sprintf("at most %d epochs", most)
}

func (o OracleInfo) unlike(p OracleInfo) differences {
	var d differences
	add := func(format string, values ...any) {
		d = append(d, Difference{AspectOracle, fmt.Sprintf(format, values...)})
	}
	switch {
	case o.Name != p.Name:
		add("another oracle: %q against %q", o.Name, p.Name)
		return d
	case o.Seed != p.Seed:
		add("another seed of the oracle: %d against %d", o.Seed, p.Seed)
	}
	if text := UnlikeOptions(o.Options, p.Options); text != "" {
		add("another oracle: %s", text)
	}
	if o.Plugin.Identity() != p.Plugin.Identity() {
		add("another oracle: it is from %s against %s", o.Plugin.Origin(), p.Plugin.Origin())
	}
	return d
}

// maxUnlike is how many options are named that differ.
const maxUnlike = 20

// UnlikeOptions says which options differ, "" if none does: "epochs 1 against 20, lr 0.1 against
// none".
func UnlikeOptions(a, b map[string]any) string {
	var parts []string
	names := map[string]bool{}
	for _, m := range []map[string]any{a, b} {
		for name := range m {
			names[name] = true
		}
	}
	text := func(m map[string]any, name string) string {
		if v, ok := m[name]; ok {
			if _, word := v.(string); word {
				return v.(string)
			}
			number, err := json.Marshal(v) // whole numbers are int in a plan and float64 from JSON
			if err == nil {
				return string(number)
			}
			return fmt.Sprint(v)
		}
		return "none"
	}
	more := 0
	for _, name := range slices.Sorted(maps.Keys(names)) {
		x, y := text(a, name), text(b, name)
		switch {
		case x == y:
		case len(parts) == maxUnlike:
			more++
		default:
			parts = append(parts, fmt.Sprintf("%.200s %.200s against %.200s", name, x, y))
		}
	}
	if more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

// stateWords is what the task calls its states.
func (t TaskInfo) stateWords() string { return cmp.Or(t.StateWord, "state") + "s" }

// Kernels says which kernels computed something.
func (e Environment) Kernels() string { return orUnknown(e.Backend) }

// Code identifies the code of an executable.
func (e Environment) Code() string {
	text := fmt.Sprintf("executable %.12s", orUnknown(e.ExecutableSHA256))
	if e.Version != "" {
		text += ", version " + e.Version
	}
	if e.Commit != "" {
		text += fmt.Sprintf(", commit %.12s", e.Commit)
	}
	if e.Go != "" {
		text += ", " + e.Go
	}
	return text
}

func (e Environment) machine() string {
	return fmt.Sprintf("%s, %s, %d cores", orUnknown(e.OS), orUnknown(e.CPU), e.Cores)
}

// Origin says where a method or an oracle comes from.
func (p *PluginInfo) Origin() string {
	if p == nil {
		return "this program"
	}
	return fmt.Sprintf("the plugin %s (%.12s)", p.Path, p.SHA256)
}

func orUnknown(text string) string { return cmp.Or(text, "unknown") }
