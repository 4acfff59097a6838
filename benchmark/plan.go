package benchmark

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// Plan is what to run.
type Plan struct {
	Task *Task
	// Protocol ranks the methods, [ProtocolReencode] if it is empty. It changes no evaluation.
	Protocol string
	// Oracle judges, if the task has no score of its own.
	Oracle OraclePlan
	// Entries are the methods to evaluate, no two written alike.
	Entries []Entry
	// Seeds are the seeds at which each is fitted, unique.
	Seeds []int64
	// MaxEpochs caps the option "epochs" of every method and of the oracle; 0 for no cap.
	MaxEpochs int
	// Out is the folder of results. It is created; finished runs in it with the same key are not repeated.
	Out string
	// Jobs is how many runs are under way at once; 0 stands for 1. It changes no number.
	Jobs int
	// Threads is how many processor threads the runs under way share; 0 for as many as Go uses. It changes no number.
	Threads int
	// Timeout is how long a run may take, fit and evaluation together, and how long the oracle may;
	// 0 for no limit. Time in which this process is stopped, or the machine asleep, does not count.
	// A run that takes longer is stopped, as far as its method heeds its context, and is
	// StatusTimeout; if the oracle does, the plan ends with an error before any run.
	Timeout time.Duration
	// Shard is the part of the runs that is made; the zero value stands for all.
	Shard results.Shard
	// Only says which runs of the shard are made; nil for all.
	Only func(method string, seed int64) bool
	// Again says of a method, as it is written, that its finished runs are made again; nil for none.
	// What is finished stays until its replacement is.
	Again func(method string) bool
	// CheckpointEvery is how often the state of a fit is stored, so that one that is killed continues from there; 0 for
	// DefaultCheckpointEvery, and less than 0 for never. It changes no number.
	CheckpointEvery time.Duration
	// SavePredictions keeps all predicted snapshots of each run, as runs/KEY.PROTOCOL.predictions.npz;
	// finished runs that lack them are repeated. It changes no number.
	SavePredictions bool
	// Configuration is kept with the results as config.yaml, to repeat them with; nil for none.
	Configuration []byte
	// SaveModels stores the model of every run that has finished, where its method has that ability.
	SaveModels bool
	// Environment is kept with the results.
	Environment results.Environment
	// Observer is told of progress; nil for no one.
	Observer Observer
	// Claimed is called once the folder of results is this command's, before anything is made; nil
	// for nothing.
	Claimed func()

	cut bool // MaxEpochs has lowered an option
}

// Entry is a method with its options.
type Entry struct {
	Written string // how the user wrote it, which is Method of its runs: "vamp?epochs=20"
	Method  core.Method
	Options core.Options
	// Plugin is the code behind the method, or a part of it, where that is not this executable: a run is reused for the
	// same code only. It is nil otherwise.
	Plugin *results.PluginInfo
	// Isolated says that all of the method's work is done in processes that it starts for each run, as a [core.Scope] has
	// them.
	Isolated bool
}

// OraclePlan is how the judge is made.
type OraclePlan struct {
	Oracle  core.Oracle
	Options core.Options
	Seed    int64
	Plugin  *results.PluginInfo // as in [Entry]
}

// Observer is told how a plan proceeds, by several goroutines at a time.
type Observer interface {
	// Begin is called when a run starts, and with [OracleName] when the oracle does. One goroutine uses what it returns.
	Begin(method string, seed int64) core.Progress
	// End is called when it has finished.
	End(method string, seed int64, outcome Outcome)
}

// OracleName and ScoreName stand for the oracle, and for the score of a task, where an [Observer] is
// told of runs.
const (
	OracleName = "the oracle"
	ScoreName  = "the score"
)

// Outcome is how a run ended, for an [Observer].
type Outcome struct {
	Status  results.Status
	Reason  string
	Reused  bool    // found finished in the folder of results
	Seconds float64 // taken altogether
}

type noObserver struct{}

func (noObserver) Begin(string, int64) core.Progress { return core.NoProgress }
func (noObserver) End(string, int64, Outcome)        {}

// run is one fit and roll-out to be made.
type run struct {
	entry       Entry
	description core.Description
	seed        int64
	key         string
	place       int // in the plan, from 0
}

// Cap lowers the option "epochs" of the oracle and of every method to MaxEpochs, where they have one, and writes so
// where they are written with it: "vamp?epochs=100" becomes "vamp?epochs=2". [Run] does it too; a caller that shows the
// plan before does it first.
func (p *Plan) Cap() error {
	if p.Task.Info.Judged() {
		cut, err := p.capOne(p.Oracle.Oracle, &p.Oracle.Options)
		if err != nil {
			return fmt.Errorf("the oracle: %w", err)
		}
		p.cut = p.cut || cut
	}
	p.Entries = slices.Clone(p.Entries)
	for i := range p.Entries {
		e := &p.Entries[i]
		cut, err := p.capOne(e.Method, &e.Options)
		if err != nil {
			return fmt.Errorf("the method %s: %w", e.Written, err)
		}
		if cut {
			p.cut = true
			e.Written = epochsWritten.ReplaceAllString(e.Written, fmt.Sprintf("${1}%d", p.MaxEpochs))
		}
	}
	return nil
}

// limit is MaxEpochs if it has lowered an option, and 0 otherwise.
func (p *Plan) limit() int {
	if !p.cut {
		return 0
	}
	return p.MaxEpochs
}

const epochsOption = "epochs"

var epochsWritten = regexp.MustCompile(`([?&]` + epochsOption + `=)[^&]*`)

// runs lists every method at every seed, keyed, and rejects what is not unique.
func (p *Plan) runs(oracleKey string) ([]run, error) {
	if len(p.Entries) == 0 || len(p.Seeds) == 0 {
		return nil, fmt.Errorf("%w: a plan of %d methods and %d seeds; give at least one of each", core.ErrOption,
			len(p.Entries), len(p.Seeds))
	}
	var runs []run
	written := map[string]string{}
	for _, e := range p.Entries {
		d, err := described(e.Method, e.Options)
		if err != nil {
			return nil, fmt.Errorf("the method %s: %w", e.Written, err)
		}
		for _, seed := range p.Seeds {
			key := results.RunKey(p.Task.Info, oracleKey, p.Environment, e.Plugin.Identity(), d.Name, e.Options.Map(), seed)
			if other, twice := written[key]; twice {
				return nil, fmt.Errorf("%w: %q and %q at seed %d are the same run; name it once", core.ErrDuplicate, other,
					e.Written, seed)
			}
			written[key] = e.Written
			runs = append(runs, run{e, d, seed, key, len(runs)})
		}
	}
	return runs, nil
}

// described returns the description of a method or an oracle. It has checked it and the options, so
// that what is kept of them can be written.
func described(thing interface{ Describe() core.Description }, options core.Options) (d core.Description, err error) {
	err = core.Contain(func() error {
		d = thing.Describe()
		return d.Validate()
	})
	if err != nil {
		return d, err
	}
	if _, err := json.Marshal(options.Map()); err != nil {
		return d, fmt.Errorf("%w: %w", core.ErrOption, err)
	}
	return d, nil
}

// capOne lowers the option "epochs", if there is one, to MaxEpochs, and reports whether it was higher.
func (p *Plan) capOne(thing interface{ Describe() core.Description }, options *core.Options) (cut bool, err error) {
	d, err := described(thing, *options)
	if err != nil {
		return false, err
	}
	values := options.Map()
	epochs, ok := values[epochsOption].(int)
	if p.MaxEpochs <= 0 || !ok || epochs <= p.MaxEpochs {
		return false, nil
	}
	values[epochsOption] = p.MaxEpochs
	*options, err = d.Resolve(values)
	return true, err
}

// Size is the number of runs of the plan that are to be made, those of its shard.
func (p *Plan) Size() int {
	n := 0
	for place := range len(p.Entries) * len(p.Seeds) {
		if p.Shard.Has(place) && p.wants(p.Entries[place/len(p.Seeds)].Written, p.Seeds[place%len(p.Seeds)]) {
			n++
		}
	}
	return n
}

func (p *Plan) wants(method string, seed int64) bool { return p.Only == nil || p.Only(method, seed) }

func (p *Plan) again(r run) bool { return p.Again != nil && p.Again(r.entry.Written) }

// due are the runs of the plan that are to be made.
func (p *Plan) due(all []run) []run {
	return slices.DeleteFunc(slices.Clone(all), func(r run) bool {
		return !p.Shard.Has(r.place) || !p.wants(r.entry.Written, r.seed)
	})
}

func (h *harness) planned(runs []run) results.Planned {
	r := h.blankResults()
	p := results.Planned{
		Schema: results.Schema, Task: r.Task, Environment: r.Environment, Oracle: r.Oracle, MaxEpochs: r.MaxEpochs,
		Protocol: r.Protocol, Expected: r.Expected, Runs: []results.PlannedRun{},
	}
	if !h.Shard.Whole() {
		p.Shard = &h.Shard
	}
	for _, r := range runs {
		p.Runs = append(p.Runs, results.PlannedRun{Key: r.key, Method: r.entry.Written, Seed: r.seed})
	}
	return p
}
