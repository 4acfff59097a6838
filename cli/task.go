package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/registry"
	"github.com/koopbench/koopbench/tasks"
	"github.com/koopbench/koopbench/tasks/orderedmnist"
	"github.com/koopbench/koopbench/tasks/trajectory"
)

// taskFlags choose a task and its options.
type taskFlags struct {
	task   string
	values map[string]*string // of the short forms, by the name of the flag
	flags  *pflag.FlagSet
	// configured says that a configuration gives the task: short forms go before its options.
	configured bool
	ofList     bool // it is one of several that are named
	// onValidation puts the validation part in place of the test part; nil for the task as it is.
	onValidation onValidation
}

// onValidation is as [tune.OnValidation] for one score.
type onValidation func(*core.Problem) (*core.Problem, error)

// shortForm is a flag that gives the task an option.
type shortForm struct{ flag, option, placeholder, usage string }

var shortForms = []shortForm{
	{
		"data",
		core.DataOption,
		"FILE",
		"data of the task: a file of trajectories (.npy, .npz, .csv or .tsv), a folder of them, or a list; for " +
			tasks.Default +
			" a folder of four IDX files, to replace the built-in MNIST",
	},
	{"num-digits", orderedmnist.DigitsOption, "N",
		"number of digits in the sequence: 0 to N-1 (5 for " + tasks.Default + ")"},
	{"split", core.SplitOption, "TRAIN,VAL,TEST",
		"numbers of snapshots to train, validate and test on (" + orderedmnist.DefaultSplit.String() + " for " +
			tasks.Default + ")"},
	{"steps", core.StepsOption, "N", "number of steps of the roll-out (15 for " + tasks.Default + ")"},
	{"lag", core.LagOption, "N", "snapshots per step (1 for " + tasks.Default + ")"},
}

// newTaskFlags returns those of the default task.
func newTaskFlags() *taskFlags {
	f := &taskFlags{task: tasks.Default, values: map[string]*string{}}
	for _, s := range shortForms {
		f.values[s.flag] = new(string)
	}
	return f
}

// add adds the flag for the task, and the short forms except for those that are left out.
func (f *taskFlags) add(flags *pflag.FlagSet, without ...string) {
	f.flags = flags
	flags.Var(word{&f.task, "NAME"}, "task", "task to compare methods on: name or name?option=value&option=value")
	for _, s := range shortForms {
		if !slices.Contains(without, s.flag) {
			flags.Var(word{f.values[s.flag], s.placeholder}, s.flag, s.usage)
		}
	}
}

// open opens the task with its options, and tells show if that takes long. The errors are usageErrors except those of
// the data.
func (f *taskFlags) open(ctx context.Context, c *catalogue, show io.Writer) (*benchmark.Task, error) {
	task, options, err := f.choose(c.Registry)
	if err != nil {
		return nil, err
	}
	opened, err := openTask(ctx, task, options, c.originInfo(core.KindTask, task.Describe().Name), f.onValidation,
		show)
	if ctx.Err() != nil {
		return nil, stoppedWhile("the task was being opened")
	}
	if errors.Is(err, core.ErrOption) || errors.Is(err, core.ErrTooShort) {
		return nil, usageError{err}
	}
	return opened, err
}

// infer takes the task of the user's own data if no task is named, the data are trajectories, and
// it has the options of all short forms that are given.
func (f *taskFlags) infer(r *registry.Registry) {
	data := *f.values[core.DataOption]
	task, err := r.Tasks.Get(trajectory.Name)
	if err != nil || data == "" || f.ofList || f.flags.Changed("task") || !dataset.IsRecordings(data) {
		return
	}
	for _, s := range shortForms {
		if _, ok := task.Describe().Option(s.option); !ok && *f.values[s.flag] != "" {
			return
		}
	}
	f.task = trajectory.Name
}

// choose returns the task that is named, and all its options.
func (f *taskFlags) choose(r *registry.Registry) (core.Task, core.Options, error) {
	f.infer(r)
	name, query, _ := strings.Cut(f.task, "?")
	task, err := r.Tasks.Get(name)
	if err != nil {
		return nil, core.Options{}, usageError{fmt.Errorf("--task: %w", err)}
	}
	var pairs []string
	if query != "" {
		pairs = strings.Split(query, "&")
	}
	d := task.Describe()
	for _, s := range shortForms {
		value := *f.values[s.flag]
		if value == "" {
			continue
		}
		option, ok := d.Option(s.option)
		if !ok {
			return nil, core.Options{}, usagef("--%s: the task %s has no option %q; %s", s.flag, name, s.option,
				optionNames(d))
		}
		given := func(pair string) bool { return strings.HasPrefix(pair, s.option+"=") }
		if !f.configured && slices.ContainsFunc(pairs, given) {
			return nil, core.Options{}, usagef("--%s: %s already gives the option %s; give it only once", s.flag, f.flag(),
				s.option)
		}
		pairs = slices.DeleteFunc(pairs, given)
		if _, err := option.Parse(value); err != nil {
			return nil, core.Options{}, usagef("--%s %s: give %s", s.flag, foreign.Line(value, maxLine/4), option.Range())
		}
		pairs = append(pairs, s.option+"="+registry.EscapeValue(value))
	}
	element := name
	if len(pairs) > 0 {
		element += "?" + strings.Join(pairs, "&")
	}
	task, options, err := r.Tasks.Select(element)
	if err != nil {
		err = usageError{fmt.Errorf("%s: %w", f.flag(), err)}
	}
	return task, options, err
}

// flag is the one that names the task.
func (f *taskFlags) flag() string {
	if f.ofList {
		return "--tasks"
	}
	return "--task"
}

// data is the place of the data, "" if none is given.
func (f *taskFlags) data() string {
	if *f.values[core.DataOption] != "" {
		return *f.values[core.DataOption]
	}
	_, query, _ := strings.Cut(f.task, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if value, ok := strings.CutPrefix(pair, core.DataOption+"="); ok {
			place, err := url.PathUnescape(value)
			if err == nil {
				return place
			}
		}
	}
	return ""
}

func optionNames(d core.Description) string {
	if len(d.Options) == 0 {
		return "it has none"
	}
	names := make([]string, len(d.Options))
	for i, o := range d.Options {
		names[i] = o.Name
	}
	return "it has " + strings.Join(names, ", ")
}

// patience is for how long a task is opened without a word.
const patience = 2 * time.Second

// openTask opens a task, on its validation part if that is asked for, and tells show if that takes long. A panic in it
// is an error.
func openTask(
	ctx context.Context,
	task core.Task,
	options core.Options,
	from *results.PluginInfo,
	part onValidation,
	show io.Writer,
) (*benchmark.Task, error) {
	defer time.AfterFunc(patience, func() {
		say(show, "opening  %s: reading, checking and hashing all data before the first run\n", task.Describe().Name)
	}).Stop()
	var problem *core.Problem
	var opened *benchmark.Task
	err := core.Contain(func() (err error) {
		if problem, err = task.Open(ctx, options); err == nil && part != nil {
			problem, err = part(problem)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the task %s: %w", task.Describe().Name, err)
	}
	err = core.Contain(func() (err error) { // it reads the data
		opened, err = benchmark.NewTask(ctx, task.Describe(), options, problem)
		return err
	})
	if err == nil {
		opened.Info.Plugin = from
		if part != nil {
			opened.Info.Part = results.ValidationPart
		}
	}
	return opened, err
}

// taskNode is the task with all its options for a configuration that is kept: the place of its data is
// absolute.
func taskNode(info results.TaskInfo, data string) (*yaml.Node, error) {
	options := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	add := func(name, value string) { options.Content = append(options.Content, scalar(name), scalar(value)) }
	for _, name := range slices.Sorted(maps.Keys(info.Options)) {
		add(name, fmt.Sprint(info.Options[name]))
	}
	if data != "" {
		places := []string{data}
		if info.Name == trajectory.Name {
			places = dataset.SplitPlaces(data)
		}
		for i := range places {
			absolute, err := filepath.Abs(places[i])
			if err != nil {
				return nil, err
			}
			places[i] = absolute
		}
		add(core.DataOption, strings.Join(places, ","))
	}
	if len(options.Content) == 0 {
		return scalar(info.Name), nil
	}
	return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar(info.Name), options}}, nil
}

// isShortForm reports whether a flag gives an option of the task.
func isShortForm(flag string) bool {
	return slices.ContainsFunc(shortForms, func(s shortForm) bool { return s.flag == flag })
}

// describeTask says what methods are compared on, except for the source of the data.
func describeTask(t results.TaskInfo) string {
	size := make([]string, len(t.Shape))
	for i, n := range t.Shape {
		size[i] = fmt.Sprint(n)
	}
	states := ""
	if t.States > 0 {
		states = " " + report.Counted(t.States, cmp.Or(t.StateWord, "state")) + ","
	}
	return fmt.Sprintf("%s:%s %d + %d + %d snapshots of %s, %s", t.Name, states, t.Train, t.Validation, t.Test,
		strings.Join(size, "×"), report.Counted(t.Steps, "step"))
}
