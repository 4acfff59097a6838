package core

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// A Method learns to turn snapshots into the next snapshots.
type Method interface {
	// Describe returns the same description at every call.
	Describe() Description
	// Fit trains on t and returns a model that owes nothing to other calls: fitting twice is
	// independent, and two fits with equal t are equal to the bit, however the memory of the
	// snapshots is laid out. It neither keeps nor changes what t refers to beyond the call, except
	// that the model may keep t.OracleEmbedding. It learns from no pair that crosses the end of a
	// trajectory; a method that cannot use several of them returns [ErrUnavailable] if there are.
	// It returns the context's error soon after ctx ends, and a typed error of this package for
	// data it cannot use. A fit that finished but learned nothing is not an error: the model's
	// [Report] says so.
	//
	// The harness calls it with a t that passes [Training.Validate]. Fit may be called
	// concurrently.
	Fit(ctx context.Context, t *Training) (Model, error)
}

// A Model is a fitted method. Its further abilities are the optional interfaces [Reporter],
// [Spectral] and [Forecaster].
//
// A Model is used by one goroutine at a time.
type Model interface {
	// Predict returns, for each snapshot of x, the snapshot expected one lag later, in the same shape
	// and order. The harness calls it with finite snapshots of the shape of the training snapshots, in
	// an order that says nothing of their times, and with any number of them.
	//
	// Rows are independent ([RowIndependence]): the prediction for a snapshot depends on that snapshot alone, up to
	// [RowTolerance]; not on the others in x, on earlier calls, or on chance. Predict does not change x, and returns the
	// context's error soon after ctx ends.
	Predict(ctx context.Context, x Snapshots) (Snapshots, error)
}

// ModelFunc is a [Model] that has no further abilities.
type ModelFunc func(ctx context.Context, x Snapshots) (Snapshots, error)

var _ Model = ModelFunc(nil)

// Predict calls f.
func (f ModelFunc) Predict(ctx context.Context, x Snapshots) (Snapshots, error) { return f(ctx, x) }

// Training is what a fit may see.
type Training struct {
	// Train and Validation are what to learn from and what only scores, all of one shape. Each has
	// a pair at least. Pairs lie in one trajectory: [Trajectories.PairStarts] tells them.
	Train, Validation Trajectories
	// Lag is how many snapshots one step of prediction spans, at least 1.
	Lag int
	// States is the usual choice for a rank or a number of features: [Problem.Rank], and for what sees
	// labels the number of states.
	States int
	// LeastRank is the rank below which an operator tells too little of the process to count as trained; 0 for States. A
	// process without states may have an operator of any rank, and the least is 2: constants alone say nothing.
	LeastRank int
	// Options holds a value for every option that the description declares.
	Options Options
	// Seed is where all randomness comes from, by [Training.Stream].
	Seed int64
	// Name is the declared name of what is being fitted; it keys the random streams.
	Name string
	// Progress is never nil.
	Progress Progress
	// Checkpoints is where a long fit may keep its state; nil for nowhere.
	Checkpoints Checkpoints

	// TrainLabels and ValidationLabels are the labels of the snapshots, in 0 … States-1 and
	// numbered through as the snapshots are, for oracles and for methods that declare
	// [LabelExposed]; nil otherwise.
	TrainLabels, ValidationLabels []int
	// OracleEmbedding is the encoder of the oracle that judges the run, for methods that declare [OracleExposed]; nil
	// otherwise. It may be used concurrently.
	OracleEmbedding Embedding
}

// Stream returns the random stream for one purpose ("init", "shuffle", …) of this fit.
func (t *Training) Stream(purpose string) *rand.Rand { return NewStream(t.Seed, t.Name, purpose) }

// Validate checks that t is complete and consistent: it returns [ErrTooShort] if Train or
// Validation has no lagged pair, [ErrShape] if shapes or numbers of labels differ, [ErrNonFinite]
// and [ErrLabel] for such values.
func (t *Training) Validate() error {
	switch {
	case t.Lag < 1:
		return fmt.Errorf("%w: a lag of %d snapshots; it must be at least 1", ErrOption, t.Lag)
	case t.States < 1:
		return fmt.Errorf("%w: %d states; there must be at least 1", ErrOption, t.States)
	}
	if err := t.Train.checkPairs("training snapshots", t.Lag); err != nil {
		return err
	}
	if err := t.Validation.checkPairs("validation snapshots", t.Lag); err != nil {
		return err
	}
	if !t.Train.SameShape(t.Validation) {
		return fmt.Errorf("%w: training snapshots of shape %v, validation snapshots of shape %v", ErrShape, t.Train.Shape(),
			t.Validation.Shape())
	}
	if err := t.Train.CheckFinite(); err != nil {
		return fmt.Errorf("training data: %w", err)
	}
	if err := t.Validation.CheckFinite(); err != nil {
		return fmt.Errorf("validation data: %w", err)
	}
	if t.TrainLabels != nil || t.ValidationLabels != nil {
		if err := CheckLabels(t.TrainLabels, t.Train.Len(), t.States); err != nil {
			return fmt.Errorf("training labels: %w", err)
		}
		if err := CheckLabels(t.ValidationLabels, t.Validation.Len(), t.States); err != nil {
			return fmt.Errorf("validation labels: %w", err)
		}
	}
	return nil
}

// CheckLabels returns [ErrShape] unless there are n labels, and [ErrLabel] unless all are in 0 … classes-1.
func CheckLabels(labels []int, n, classes int) error {
	if len(labels) != n {
		return fmt.Errorf("%w: %d labels for %d snapshots", ErrShape, len(labels), n)
	}
	for i, l := range labels {
		if l < 0 || l >= classes {
			return fmt.Errorf("%w: label %d of snapshot %d is not in 0 … %d", ErrLabel, l, i, classes-1)
		}
	}
	return nil
}
