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
	// Protocol ranks the methods; "" stands for [ProtocolReencode]. It changes no evaluation.
	Protocol string
	// Oracle judges if the task has no score of its own.
	Oracle OraclePlan
	// Entries are the methods to evaluate. No two are written in the same way.
	Entries []Entry
	// Seeds are the seeds at which each method is fitted, without duplicates.
	Seeds []int64
	// MaxEpochs limits the option "epochs" of every method and of the oracle; 0 for no limit.
	MaxEpochs int
	// Out is the folder of results, which is created. Finished runs in it with the same key are not
	// repeated.
	Out string
	// Jobs is the number of runs at the same time; 0 stands for 1. It changes no number.
	Jobs int
	// Threads is the number of processor threads that these runs share; 0 for as many as Go uses. It
	// changes no number.
	Threads int
	// Timeout is the time limit of a run, for fit and evaluation together, and of the oracle; 0 for no
	// limit. Time in which this process is stopped or the machine is asleep does not count. A run that
	// takes longer is stopped, provided that its method obeys its context, and gets StatusTimeout. If
	// the oracle takes longer, the plan ends with an error before any run.
	Timeout time.Duration
	// Shard is the part of the runs to make; the zero value stands for all.
	Shard results.Shard
	// Only says which runs of the shard to make; nil for all.
	Only func(method string, seed int64) bool
	// Again says of a method, as it is written, whether its finished runs are made again; nil for
	// none. The finished results stay until their replacements are complete.
	Again func(method string) bool
	// CheckpointEvery is how often the state of a fit is stored, so that a fit that is killed
	// continues from there; 0 for DefaultCheckpointEvery, and less than 0 for never. It changes no
	// number.
	CheckpointEvery time.Duration
	// SavePredictions keeps all predicted snapshots of each run, as runs/KEY.PROTOCOL.predictions.npz.
	// Finished runs without them are repeated. It changes no number.
	SavePredictions bool
	// Configuration is stored with the results as config.yaml, which can repeat them; nil for none.
	Configuration []byte
	// SaveModels stores the model of every finished run, if its method has that ability.
	SaveModels bool
	// Environment is stored with the results.
	Environment results.Environment
	// Observer gets reports of progress; nil for no reports.
	Observer Observer
	// Claimed is called when the folder of results belongs to this command, before anything is made;
	// nil for no call.
	Claimed func()

	cut bool // MaxEpochs has lowered an option
}

// Entry is a method with its options.
type Entry struct {
	Written string // how the user wrote it, which is Method of its runs: "vamp?epochs=20"
	Method  core.Method
	Options core.Options
	// Plugin is the code of the method, or of a part of it, if it is not in this executable; nil
	// otherwise. A run is reused only for the same code.
	Plugin *results.PluginInfo
	// Isolated says that processes that the method starts for each run, in the [core.Scope], do all of
	// its work.
	Isolated bool
}

// OraclePlan says how to make the judge.
type OraclePlan struct {
	Oracle  core.Oracle
	Options core.Options
	Seed    int64
	Plugin  *results.PluginInfo // as in [Entry]
}

// Observer gets reports on the progress of a plan. Several goroutines call it at the same time.
type Observer interface {
	// Begin is called when a run starts, and with [OracleName] when the oracle starts. Only one
	// goroutine uses the result.
	Begin(method string, seed int64) core.Progress
	// End is called when the run has finished.
	End(method string, seed int64, outcome Outcome)
}

// OracleName and ScoreName stand for the oracle and for the score of a task in the calls of an
// [Observer].
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

// Cap lowers the option "epochs" of the oracle and of every method to MaxEpochs, if they have it.
// If the option is part of the name as written, Cap changes it there too: "vamp?epochs=100" becomes
// "vamp?epochs=2". [Run] calls Cap itself. A caller that shows the plan before should call it
// first.
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

// Size is the number of runs that the plan's shard has.
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
