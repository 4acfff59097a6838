package benchmark

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"

	"github.com/koopbench/koopbench/core"
)

// Task is an opened [core.Task], as the harness runs it. It is immutable.
type Task struct {
	Info TaskInfo
	*core.Problem

	starts      core.Snapshots // from which roll-outs begin
	startStates []int          // theirs, nil if they are not known
}

// NewTask returns the problem that the task of that description gave with these options. The error
// is [core.ErrContract] if it breaks a rule of [core.Problem].
func NewTask(d core.Description, options core.Options, p *core.Problem) (*Task, error) {
	p, err := core.GuardProblem(p)
	if err != nil {
		return nil, fmt.Errorf("the task %s: %w", d.Name, err)
	}
	t := &Task{Problem: p}
	at := p.Starts
	if at == nil {
		at = firstRows(p.Test.Len())
	}
	if t.starts, err = startsOf(p, at); err != nil {
		return nil, err
	}
	values := options.Map()
	delete(values, core.DataOption)
	t.Info = TaskInfo{
		Name: d.Name, Options: values, Source: p.Source, Shape: p.Train.Shape(),
		Train: p.Train.Len(), Validation: p.Validation.Len(), Test: p.Test.Len(), Starts: len(at),
		Lag: p.Lag, Steps: p.Steps, Rank: p.Rank, Picture: string(p.Picture), Measure: measureInfo(p.Measure()),
	}
	if s := p.States; s != nil {
		t.Info.States, t.Info.StateWord = s.Count, s.Word
		for _, i := range at {
			t.startStates = append(t.startStates, s.Test[i])
		}
	}
	if p.Truth != nil {
		for _, v := range p.Truth.Eigenvalues {
			t.Info.Eigenvalues = append(t.Info.Eigenvalues, Complex(v))
		}
	}
	t.Info.DataSHA256 = hashData(p)
	if p.States != nil {
		h := sha256.New()
		hashNumbers(h, p.States.Expected...)
		t.Info.ExpectedSHA256 = hex.EncodeToString(h.Sum(nil))
	}
	if err := t.Info.check(); err != nil { // results that nobody can read are found before anything is fitted
		return nil, fmt.Errorf("the task %s: %w: %w", d.Name, core.ErrContract, err)
	}
	return t, nil
}

// startsOf are the test snapshots with these indices, sharing memory if they are one whole trajectory.
func startsOf(p *core.Problem, at []int) (core.Snapshots, error) {
	if p.Starts == nil && p.Test.Count() == 1 {
		return p.Test.At(0), nil
	}
	values := make([]float32, len(at)*p.Test.At(0).Size())
	p.Test.Gather(values, at)
	return core.NewSnapshots(values, p.Test.Shape()...)
}

// expected are the true states after a step, counted from 1; step 0 is that of the starts.
func (t *Task) expected(step int) []int {
	if step == 0 {
		return t.startStates
	}
	return t.States.Expected[step-1]
}

// hashData is the SHA-256 of the snapshots of a problem, as float32, little-endian and row-major, of
// where trajectories end and roll-outs begin, and of the states; numbers have 64 bits.
func hashData(p *core.Problem) string {
	h := sha256.New()
	all := []core.Trajectories{p.Train, p.Validation, p.Test}
	var lengths []int
	for _, x := range all {
		for i := range x.Count() {
			lengths = append(lengths, x.At(i).Len())
			_, _ = x.At(i).WriteTo(h) // a hash takes everything
		}
	}
	states := 0
	if s := p.States; s != nil {
		states = s.Count
		hashNumbers(h, s.Train, s.Validation, s.Test)
	}
	hashNumbers(h, p.Train.Shape(), []int{p.Train.Len(), p.Validation.Len(), p.Test.Len(), states})
	if len(lengths) > len(all) || p.Starts != nil {
		hashNumbers(h, []int{p.Train.Count(), p.Validation.Count()}, lengths, p.Starts)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashNumbers(h hash.Hash, lists ...[]int) {
	var word [8]byte
	for _, numbers := range lists {
		for _, n := range numbers {
			binary.LittleEndian.PutUint64(word[:], uint64(n))
			h.Write(word[:])
		}
	}
}

// MeasureInfo is a [core.Measure] in results.
type MeasureInfo struct {
	Name          string   `json:"name"`
	Summary       string   `json:"summary"`
	Unit          string   `json:"unit,omitempty"`
	LowerIsBetter bool     `json:"lower_is_better,omitempty"`
	Least         *float64 `json:"least,omitempty"`  // of a score; none without a bound
	Most          *float64 `json:"most,omitempty"`   // likewise
	Chance        *float64 `json:"chance,omitempty"` // the score of guessing; none if it is not known
}

func measureInfo(m core.Measure) MeasureInfo {
	return MeasureInfo{m.Name, m.Summary, m.Unit, m.LowerIsBetter, finite(m.Least), finite(m.Most), finite(m.Chance)}
}

// Measure is what m tells of.
func (m MeasureInfo) Measure() core.Measure {
	or := func(v *float64, none float64) float64 {
		if v == nil {
			return none
		}
		return *v
	}
	return core.Measure{
		Name: m.Name, Summary: m.Summary, Unit: m.Unit, LowerIsBetter: m.LowerIsBetter,
		Least: or(m.Least, math.Inf(-1)), Most: or(m.Most, math.Inf(1)), Chance: or(m.Chance, math.NaN()),
	}
}
