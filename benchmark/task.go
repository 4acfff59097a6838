package benchmark

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
)

// Task is a sequence with known states, cut into training, validation and test parts, and the length of the roll-out. It
// is immutable.
type Task struct {
	Info TaskInfo
	// Train, Validation and Test are consecutive parts of the sequence.
	Train, Validation, Test core.Snapshots
	// The labels are the states of the snapshots, in 0 … Info.States-1.
	TrainLabels, ValidationLabels, TestLabels []int
}

// Split is how many snapshots go to each part, in the order of time.
type Split struct{ Train, Validation, Test int }

// DefaultSplit is that of the notebook and of the papers it follows.
var DefaultSplit = Split{Train: 3000, Validation: 1000, Test: 1000}

// Limits of a task.
const (
	DefaultDigits = 5
	DefaultSteps  = 15
	MaxSteps      = 1000
	lag           = 1
)

// NewOrderedMNIST returns the task "Ordered MNIST" of Kostic et al. 2024 (ICLR, "Learning invariant representations of
// time-homogeneous stochastic dynamical systems"): images of the digits 0 … digits-1 in turn; the state at time t is t mod
// digits; the protocol is [ProtocolReencode]. The error is [core.ErrOption] for numbers out of range and [core.ErrTooShort] if the set has too few images.
func NewOrderedMNIST(set *dataset.Set, digits int, split Split, steps int) (*Task, error) {
	switch {
	case steps < 1 || steps > MaxSteps:
		return nil, fmt.Errorf("%w: %d steps of roll-out; give 1 to %d", core.ErrOption, steps, MaxSteps)
	case split.Train < 2 || split.Validation < 2 || split.Test < 1:
		return nil, fmt.Errorf("%w: a split of %d,%d,%d snapshots; training and validation need at least 2 each for a lagged pair, test 1", core.ErrOption, split.Train, split.Validation, split.Test)
	}
	total := split.Train + split.Validation + split.Test
	sequence, err := set.Ordered(digits, total)
	if err != nil {
		return nil, fmt.Errorf("a split of %d,%d,%d snapshots: %w", split.Train, split.Validation, split.Test, err)
	}
	x, labels := sequence.Snapshots, sequence.Labels
	a, b := split.Train, split.Train+split.Validation
	t := &Task{
		Train: x.Slice(0, a), Validation: x.Slice(a, b), Test: x.Slice(b, total),
		TrainLabels: labels[:a], ValidationLabels: labels[a:b], TestLabels: labels[b:total],
	}
	t.Info = TaskInfo{
		Name: "ordered-mnist", Source: set.Source, States: digits, Shape: x.Shape(),
		Train: split.Train, Validation: split.Validation, Test: split.Test,
		Lag: lag, Steps: steps, Protocol: ProtocolReencode,
	}
	t.Info.DataSHA256 = hashData(x, labels, t.Info)
	return t, nil
}

// WithProtocol returns the task with another protocol of the roll-out. The error is [core.ErrOption] where there is none of that name.
func (t *Task) WithProtocol(protocol string) (*Task, error) {
	if !slices.Contains(Protocols(), protocol) {
		return nil, fmt.Errorf("%w: %s", core.ErrOption, core.Unknown("protocol", protocol, Protocols()))
	}
	other := *t
	other.Info.Protocol = protocol
	return &other, nil
}

// hashData is the SHA-256 of the snapshots (float32 little-endian, row-major), their states, shape and split.
func hashData(x core.Snapshots, labels []int, info TaskInfo) string {
	h := sha256.New()
	_, _ = x.WriteTo(h) // a hash takes everything
	var word [8]byte
	for _, numbers := range [][]int{labels, info.Shape, {info.Train, info.Validation, info.Test, info.States}} {
		for _, n := range numbers {
			binary.LittleEndian.PutUint64(word[:], uint64(n))
			h.Write(word[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
