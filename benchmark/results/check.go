package results

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/koopbench/koopbench/core"
)

// Check returns [ErrResults], with the run and the rule, if the results have a form that no command
// writes: lists with more or fewer elements than the task needs, labels that are not states, runs
// that occur twice, or keys that are not file names. Runs that are not evaluated have empty lists,
// and results of old versions have no labels of the oracle. Whether the values are right is for
// package verify.
func (r *Results) Check() error {
	if err := r.Task.Check(); err != nil {
		return fmt.Errorf("%w: the task: %w", ErrResults, err)
	}
	err := cmp.Or(checkProtocol(r.Protocol), checkExpected(r.Expected, r.Task), checkBaselines(r.Baselines, r.Task))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrResults, err)
	}
	if err := r.Oracle.check(r.Task); err != nil {
		return fmt.Errorf("%w: the oracle: %w", ErrResults, err)
	}
	if r.MaxEpochs < 0 {
		return fmt.Errorf("%w: the limit on epochs is %d; it must be at least 0", ErrResults, r.MaxEpochs)
	}
	if err := r.Environment.check(); err != nil {
		return fmt.Errorf("%w: the environment: %w", ErrResults, err)
	}
	methods := map[string]bool{}
	type name struct {
		method string
		seed   int64
	}
	keys, names := map[string]int{}, map[name]int{}
	for i := range r.Runs {
		run := &r.Runs[i]
		if err := run.Check(r.Task); err != nil {
			return fmt.Errorf("%w: run %d, %.100q, seed %d: %w", ErrResults, i+1, run.Method, run.Seed, err)
		}
		if first, twice := keys[run.Key]; twice {
			return fmt.Errorf("%w: runs %d and %d have the same key, %s", ErrResults, first, i+1, run.Key)
		}
		n := name{run.Method, run.Seed}
		if first, twice := names[n]; twice {
			return fmt.Errorf("%w: runs %d and %d are both %s", ErrResults, first, i+1, run.Title())
		}
		if err := run.checkRanked(r.Protocol); err != nil {
			return fmt.Errorf("%w: run %d, %s: %w", ErrResults, i+1, run.Title(), err)
		}
		keys[run.Key], names[n] = i+1, i+1
		if methods[run.Method] = true; len(methods) > maxMethods {
			return fmt.Errorf("%w: there are more than %d methods, the most of one folder; split them over several folders",
				ErrResults, maxMethods)
		}
	}
	return nil
}

const (
	// maxMethods is the largest number of methods that results hold, each with any number of seeds: a table or a figure
	// has a line for each.
	maxMethods = 1000
	// maxName is the largest length of a text that stands in a line with others, in bytes.
	maxName = 4096
	// maxAxes is the largest number of axes of a snapshot.
	maxAxes = 16
	// maxSaid is the largest length of a reason or a warning, in bytes; a run keeps less of one.
	maxSaid = 1 << 20
	// maxSnapshot is the largest number of values of a snapshot: pictures of them are drawn.
	maxSnapshot = 1 << 22
	// maxEpochs is the largest number of epochs in a history, each of which is drawn.
	maxEpochs = 1_000_000
)

// checkNames checks texts that stand in a line with others.
func checkNames(texts ...string) error {
	for _, text := range texts {
		if len(text) > maxName {
			return fmt.Errorf("a name has %d bytes, and the most is %d: %.40q…", len(text), maxName, text)
		}
	}
	return nil
}

// checkSaid checks reasons and warnings.
func checkSaid(texts ...string) error {
	for _, text := range texts {
		if len(text) > maxSaid {
			return fmt.Errorf("a reason or a warning has %d bytes, and the most is %d: %.40q…", len(text), maxSaid, text)
		}
	}
	return nil
}

func (e Environment) check() error {
	return checkNames(e.Version, e.Commit, e.ExecutableSHA256, e.Go, e.OS, e.CPU, e.Backend)
}

// check checks what a plugin says of itself; nil is none.
func (p *PluginInfo) check() error {
	if p == nil {
		return nil
	}
	if p.SHA256 == "" {
		return errors.New("its plugin has no SHA-256")
	}
	return checkNames(p.Path, p.SHA256, p.Version, p.SDK)
}

func checkHistory(h []Epoch) error {
	if len(h) > maxEpochs {
		return fmt.Errorf("it has a history of %d epochs, and the most is %d", len(h), maxEpochs)
	}
	return nil
}

// Title names a run in sentences.
func (r *Run) Title() string { return fmt.Sprintf("%s, seed %d", r.Method, r.Seed) }

// Check returns an error for values that no task can have.
func (t TaskInfo) Check() error {
	for _, n := range []struct {
		what  string
		value int
		most  int
	}{
		{"steps", t.Steps, core.MaxSteps}, {"roll-outs", t.Starts, math.MaxInt32},
		{"features as its rank", t.Rank, math.MaxInt32}, {"snapshots of lag", t.Lag, math.MaxInt32},
		{"training snapshots", t.Train, math.MaxInt32}, {"validation snapshots", t.Validation, math.MaxInt32},
		{"test snapshots", t.Test, math.MaxInt32},
	} {
		if n.value < 1 || n.value > n.most {
			return fmt.Errorf("it has %d %s; there must be 1 to %d", n.value, n.what, n.most)
		}
	}
	if len(t.Shape) == 0 || len(t.Shape) > maxAxes || slices.Min(t.Shape) < 1 {
		return fmt.Errorf("its snapshots have the shape %.100s; a shape must have 1 to %d axes of at least "+
			"1", fmt.Sprint(t.Shape),
			maxAxes)
	}
	size := 1
	for _, d := range t.Shape {
		if d > maxSnapshot/size {
			return fmt.Errorf("its snapshots have the shape %v, and the most is %d values", t.Shape, maxSnapshot)
		}
		size *= d
	}
	if err := checkNames(t.Name, t.Source, t.DataSHA256, t.TruthSHA256, t.TimeUnit); err != nil {
		return err
	}
	if t.Part != "" && t.Part != ValidationPart {
		return fmt.Errorf("its part %.100q replaces the test part; only %q may do so", t.Part, ValidationPart)
	}
	if t.Starts > t.Test {
		return fmt.Errorf("it has %d roll-outs, but only %d test snapshots to start from", t.Starts, t.Test)
	}
	if t.States < 0 || t.States > math.MaxInt32 || t.Judged() && t.States == 0 {
		return fmt.Errorf("it has %d states; a task that an oracle judges must have at least 1", t.States)
	}
	if t.Judged() && !reflect.DeepEqual(t.Measure, NewMeasureInfo(core.Accuracy(t.States))) {
		return fmt.Errorf("its measure has the name %s but is a different measure", accuracyName)
	}
	if !slices.Contains(core.Pictures(), core.Picture(t.Picture)) {
		return fmt.Errorf("its snapshots are drawn as %.100q, which is not a kind of picture", t.Picture)
	}
	for _, v := range []float64{t.Interval, t.ValidUpTo} {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("its snapshots are %v apart, and predictions are valid up to %v; both must be at least "+
				"0", t.Interval,
				t.ValidUpTo)
		}
	}
	if t.Leading < 0 || t.Leading > len(t.Eigenvalues) {
		return fmt.Errorf("%d of its %d true eigenvalues count, which is more than there are", t.Leading, len(t.Eigenvalues))
	}
	if t.Picture == string(core.LinePicture) && size != 1 {
		return fmt.Errorf("its snapshots are places on a line but have %d numbers; they must have one", size)
	}
	if len(t.Eigenvalues) > maxEigenvalues {
		return fmt.Errorf("it has %d true eigenvalues, and the most is %d", len(t.Eigenvalues), maxEigenvalues)
	}
	return cmp.Or(t.Measure.Measure().Validate(), checkNames(t.StateWord), t.Plugin.check())
}

// maxEigenvalues is the largest number of true eigenvalues.
const maxEigenvalues = 1 << 16

func checkProtocol(protocol string) error {
	if !slices.Contains(Protocols(), protocol) {
		return fmt.Errorf("the protocol is %.100q; it must be one of %q", protocol, Protocols())
	}
	return nil
}

// checkExpected checks the states that are expected in a task.
func checkExpected(expected [][]int, t TaskInfo) error {
	if t.Judged() != (len(expected) > 0) || t.Judged() && len(expected) != t.Steps+1 {
		return fmt.Errorf("there are %d lists of expected states; a task with an oracle must have %d, for step 0 and the %d "+
			"steps of a roll-out, and other tasks must have none", len(expected), t.Steps+1, t.Steps)
	}
	for step, states := range expected {
		if err := checkStates(states, t.Starts, t.States); err != nil {
			return fmt.Errorf("the expected states at step %d: %w", step, err)
		}
	}
	return nil
}

// checkBaselines checks the baselines of a task.
func checkBaselines(all []Baseline, t TaskInfo) error {
	if len(all) > 2 || len(all) == 2 && all[0].Name == all[1].Name {
		return fmt.Errorf("there are %d baselines; there must be %q and %q, once each", len(all), Persistence, Mean)
	}
	for _, b := range all {
		if b.Name != Persistence && b.Name != Mean {
			return fmt.Errorf("a baseline has the name %.100q; it must be %q or %q", b.Name, Persistence, Mean)
		}
		if err := checkScores(b.Score, b.Scores, t); err != nil {
			return fmt.Errorf("the baseline %s: %w", b.Name, err)
		}
	}
	return nil
}

// checkScores checks the means and the scores of a roll-out.
func checkScores(score []float64, scores [][]float64, t TaskInfo) error {
	if len(score) != t.Steps || len(scores) != t.Steps {
		return fmt.Errorf("it has means of %d steps and scores of %d, but a roll-out has "+
			"%d", len(score), len(scores), t.Steps)
	}
	m := t.Measure.Measure()
	for step, of := range scores {
		if len(of) != t.Starts {
			return fmt.Errorf("it has %d scores at step %d, but there are %d roll-outs", len(of), step+1, t.Starts)
		}
		for _, v := range append(slices.Clone(of), score[step]) {
			if err := m.Check(v); err != nil {
				return fmt.Errorf("step %d: %w", step+1, err)
			}
		}
	}
	return nil
}

func (o OracleInfo) check(t TaskInfo) error {
	if o.Key != "" && !isFileName(o.Key) {
		return fmt.Errorf("its key %.200q is not a file name", o.Key)
	}
	if t.Judged() != (o.Name != "") {
		return errors.New("a task that an oracle judges must have a named oracle, and other tasks must have none")
	}
	if n := len(o.TestLabels); n > 0 {
		if err := checkStates(o.TestLabels, t.Starts, t.States); err != nil {
			return fmt.Errorf("the labels of the test snapshots: %w", err)
		}
	}
	if err := cmp.Or(checkNames(o.Name), checkSaid(o.Warnings...), o.Plugin.check(), checkHistory(o.History)); err != nil {
		return err
	}
	for _, a := range []float64{o.ValidationAccuracy, o.TestAccuracy} {
		if !isShare(a) {
			return fmt.Errorf("its accuracy is %v; it must be 0 to 1", a)
		}
	}
	return nil
}

// Check checks a run of the task.
func (r *Run) Check(t TaskInfo) error {
	switch {
	case !isFileName(r.Key):
		return fmt.Errorf("its key %.200q is not a file name", r.Key)
	case r.Method == "" || strings.ContainsFunc(r.Method+r.Name, unicode.IsControl):
		return fmt.Errorf("it has the name %.200q, and its method %.200q; names must be printable and not "+
			"empty", r.Method, r.Name)
	case strings.ContainsFunc(r.Method+r.Name, func(c rune) bool { return unicode.Is(unicode.Cf, c) }):
		return fmt.Errorf("its name as written, %.200q, or its own, %.200q, has invisible characters", r.Method,
			r.Name)
	case strings.HasSuffix(r.Method, "?"):
		return fmt.Errorf("it has the name %.200q, which ends before its options", r.Method)
	case r.Rank < 0 || r.Parameters < 0:
		return fmt.Errorf("it has the rank %d and %d parameters; both must be at least 0", r.Rank, r.Parameters)
	}
	if err := r.checkCosts(); err != nil {
		return err
	}
	if err := cmp.Or(checkNames(r.Method, r.Name, r.Exposed), checkNames(r.PredictionSHA256...),
		checkSaid(r.Reason, r.Untrained), checkSaid(r.Warnings...), r.Plugin.check(),
		checkHistory(r.History)); err != nil {
		return err
	}
	if err := r.Diagnostics.check(t); err != nil {
		return fmt.Errorf("the diagnostics of its operator: %w", err)
	}
	if r.Environment != nil {
		if err := r.Environment.check(); err != nil {
			return err
		}
	}
	switch r.Status {
	case StatusOK, StatusFailed, StatusTimeout, StatusCrashed, StatusInvalid, StatusSkipped:
	default:
		return fmt.Errorf("its status is %.100q, which is not a status", r.Status)
	}
	if r.Trained && r.Status != StatusOK {
		return fmt.Errorf("it is %s but marked as trained; only a run that is ok can be trained", r.Status)
	}
	return r.checkEvaluations(t)
}

func (d *Diagnostics) check(t TaskInfo) error {
	if d == nil {
		return nil
	}
	if n := len(d.EigenfunctionErrors); n > len(t.Eigenvalues) {
		return fmt.Errorf("there are errors of %d eigenfunctions, but %d true eigenvalues", n, len(t.Eigenvalues))
	}
	if n := len(d.ChapmanKolmogorov); n > t.Steps {
		return fmt.Errorf("they are of %d steps, but a roll-out has %d", n, t.Steps)
	}
	if len(d.Constant) > maxEigenvalues || len(d.Constant) > 0 && slices.Min(d.Constant) < 0 {
		return fmt.Errorf("%d eigenfunctions are constant; the number must be at least 0", len(d.Constant))
	}
	all := append([]*float64{d.SpectralError, d.SpectralErrorDirected, d.VAMP2}, d.EigenfunctionErrors...)
	for _, v := range d.ChapmanKolmogorov {
		all = append(all, &v)
	}
	for _, v := range all {
		if v != nil && !(*v >= 0) {
			return fmt.Errorf("one is %v; all must be at least 0", *v)
		}
	}
	return nil
}

// checkEvaluations checks that there is one by each protocol, or none of a run that was not fitted.
func (r *Run) checkEvaluations(t TaskInfo) error {
	if r.Untrained != "" && r.Trained {
		return errors.New("it is marked as trained, but gives a reason why it did not learn")
	}
	if n := len(r.Evaluations); n == 0 && r.Status == StatusOK || n > len(Protocols()) {
		return fmt.Errorf("it is %s and has %d evaluations; there must be one by each protocol", r.Status, n)
	}
	if len(r.PredictionSHA256) != 0 && len(r.PredictionSHA256) != t.Steps {
		return fmt.Errorf("it has %d hashes of predictions; a run of %d steps must have as many, or "+
			"none", len(r.PredictionSHA256),
			t.Steps)
	}
	for i := range r.Evaluations {
		e := &r.Evaluations[i]
		if err := checkProtocol(e.Protocol); err != nil {
			return err
		}
		if r.Evaluation(e.Protocol) != e {
			return fmt.Errorf("it has two evaluations by the protocol %s", e.Protocol)
		}
		if err := e.check(t); err != nil {
			return fmt.Errorf("the protocol %s: %w", e.Protocol, err)
		}
	}
	return nil
}

// checkRanked checks that what a run says of itself is what its evaluation by a protocol says: others
// read the first.
func (r *Run) checkRanked(protocol string) error {
	ranked := *r
	ranked.RankBy(protocol)
	if r.Status != ranked.Status || r.Reason != ranked.Reason || r.Trained != ranked.Trained {
		return fmt.Errorf("it says %s, trained %t and the reason %.100q, but its evaluation by %s says %s, %t and "+
			"%.100q", r.Status, r.Trained, r.Reason, protocol, ranked.Status, ranked.Trained, ranked.Reason)
	}
	if !slices.Equal(r.PredictionSHA256, ranked.PredictionSHA256) {
		return fmt.Errorf("its hashes of predictions differ from those of its evaluation by %s", protocol)
	}
	return nil
}

func (e *Evaluation) check(t TaskInfo) error {
	if err := cmp.Or(checkNames(e.PredictionSHA256...), checkSaid(e.Reason)); err != nil {
		return err
	}
	const most = 1e9 // seconds, some thirty years
	if !(e.PredictSeconds >= 0 && e.PredictSeconds <= most) {
		return fmt.Errorf("its predict_seconds is %v; it must be 0 to %.0f", e.PredictSeconds, most)
	}
	wanted := t.Steps
	switch e.Status {
	case StatusOK:
	case StatusFailed, StatusCrashed, StatusInvalid, StatusSkipped:
		wanted = 0
	default:
		return fmt.Errorf("its status is %.100q, which is not a status of an evaluation", e.Status)
	}
	labels, scores := 0, wanted
	if t.Judged() {
		labels, scores = wanted, 0
	}
	for _, list := range []struct {
		what           string
		length, wanted int
	}{
		{"means of scores", len(e.Score), wanted}, {"hashes of predictions", len(e.PredictionSHA256), wanted},
		{"lists of labels", len(e.Labels), labels}, {"lists of scores", len(e.Scores), scores},
	} {
		if list.length != list.wanted {
			return fmt.Errorf("it has %d %s; a run of %d steps that is %s must have %d", list.length, list.what, t.Steps,
				e.Status, list.wanted)
		}
	}
	if scores > 0 {
		return checkScores(e.Score, e.Scores, t)
	}
	for step, labels := range e.Labels {
		if err := checkStates(labels, t.Starts, t.States); err != nil {
			return fmt.Errorf("the labels at step %d: %w", step+1, err)
		}
		if !isShare(e.Score[step]) {
			return fmt.Errorf("its %s at step %d is %v; it must be 0 to 1", accuracyName, step+1, e.Score[step])
		}
	}
	return nil
}

func checkStates(states []int, n, count int) error {
	if len(states) != n {
		return fmt.Errorf("there are %d, for %d snapshots", len(states), n)
	}
	for i, s := range states {
		if s < 0 || s >= count {
			return fmt.Errorf("that of snapshot %d is %d; it must be 0 to %d", i+1, s, count-1)
		}
	}
	return nil
}

// checkCosts checks that what a run cost are numbers that it can have cost.
func (r *Run) checkCosts() error {
	const most = 1e9 // seconds, some thirty years
	seconds := map[string]float64{
		"fit_seconds": r.FitSeconds, "resumed_seconds": r.ResumedSeconds, "compile_seconds": r.CompileSeconds,
	}
	counts := map[string]int64{"peak_rss_bytes": r.PeakRSSBytes, "jobs": int64(r.Jobs), "threads": int64(r.Threads)}
	if r.CPUSeconds != nil {
		seconds["cpu_seconds"] = *r.CPUSeconds
	}
	if c := r.RPC; c != nil {
		seconds["rpc.start_seconds"] = c.StartSeconds
		counts["rpc.calls"], counts["rpc.sent_bytes"], counts["rpc.received_bytes"] = c.Calls, c.SentBytes, c.ReceivedBytes
		if c.Seconds != nil {
			seconds["rpc.seconds"] = *c.Seconds
		}
	}
	for _, name := range slices.Sorted(maps.Keys(seconds)) {
		if v := seconds[name]; !(v >= 0 && v <= most) {
			return fmt.Errorf("its %s is %v; it must be 0 to %.0f", name, v, most)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[name]; n < 0 || n > core.MaxCount {
			return fmt.Errorf("its %s is %d; it must be 0 to %d", name, n, core.MaxCount)
		}
	}
	return nil
}

// isFileName reports whether a key can be a part of the name of a file in the folder of results,
// and of no path.
func isFileName(key string) bool {
	return key != "" && key[0] != '.' && len(key) < 200 && !strings.ContainsAny(key, `/\`) &&
		!strings.ContainsFunc(key, unicode.IsControl)
}

// checkKey returns [ErrResults] unless a run of that key can have files.
func checkKey(key string) error {
	if isFileName(key) {
		return nil
	}
	return fmt.Errorf("%w: the key %.200q is not a file name", ErrResults, key)
}

func isShare(v float64) bool { return v >= 0 && v <= 1 }
