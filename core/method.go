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
	// Fit trains on t and returns a model that does not depend on other calls. Two fits are
	// independent, and two fits with equal t are equal to the bit, whatever the layout of the
	// snapshots in memory. After the call, Fit keeps and changes nothing that t refers to, except that
	// the model may keep t.OracleEmbedding. Fit never learns from a pair that crosses the end of a
	// trajectory. A method that cannot use several trajectories returns [ErrUnavailable] for them. Fit
	// returns the context's error soon after ctx ends, and a typed error of this package for data that
	// it cannot use. A fit that finished but learned nothing is not an error: the model's [Report]
	// says so.
	//
	// The harness calls it with a t that passes [Training.Validate]. Fit may be called concurrently.
	Fit(ctx context.Context, t *Training) (Model, error)
}

// A Model is a fitted method. Its further abilities are the optional interfaces [Reporter],
// [Spectral] and [Forecaster].
//
// A Model is used by one goroutine at a time.
type Model interface {
	// Predict returns, for each snapshot of x, the snapshot expected one lag later, in the same shape
	// and order. The harness calls it with any number of finite snapshots of the shape of the training
	// snapshots, in an order that says nothing about their times.
	//
	// Rows are independent ([RowIndependence]): the prediction for a snapshot depends on that snapshot
	// alone, up to [RowTolerance]. It does not depend on the other snapshots in x, on earlier calls,
	// or on chance. Predict does not change x, and returns the context's error soon after ctx ends.
	Predict(ctx context.Context, x Snapshots) (Snapshots, error)
}

// ModelFunc is a [Model] without further abilities.
type ModelFunc func(ctx context.Context, x Snapshots) (Snapshots, error)

var _ Model = ModelFunc(nil)

// Predict calls f.
func (f ModelFunc) Predict(ctx context.Context, x Snapshots) (Snapshots, error) { return f(ctx, x) }

// Training is what a fit gets.
type Training struct {
	// Train is what the fit learns from, and Validation only scores. Both have the same shape, and at
	// least one pair each. Pairs lie within one trajectory: [Trajectories.PairStarts] returns them.
	Train, Validation Trajectories
	// Lag is how many snapshots one step of prediction spans, at least 1.
	Lag int
	// States is the usual choice for a rank or a number of features. It is [Problem.Rank], but for
	// things that see labels it is the number of states.
	States int
	// LeastRank is the lowest rank at which an operator counts as trained; 0 for States. With a lower
	// rank it says too little about the process. For a process without states, an operator may have
	// any rank from 2 on, because constants alone say nothing.
	LeastRank int
	// Options holds a value for every option that the description declares.
	Options Options
	// Seed determines all randomness, through [Training.Stream].
	Seed int64
	// Name is the declared name of the thing that is fitted. It keys the random streams.
	Name string
	// Progress is never nil.
	Progress Progress
	// Checkpoints is where a long fit may store its state; nil if there is no such place.
	Checkpoints Checkpoints

	// TrainLabels and ValidationLabels are the labels of the snapshots, in 0 … States-1, numbered like
	// the snapshots. They are for oracles and for methods that declare [LabelExposed]; nil otherwise.
	TrainLabels, ValidationLabels []int
	// OracleEmbedding is the encoder of the oracle that judges the run, for methods that declare
	// [OracleExposed]; nil otherwise. It may be used concurrently.
	OracleEmbedding Embedding
}

// Stream returns the random stream for one purpose ("init", "shuffle", …) of this fit.
func (t *Training) Stream(purpose string) *rand.Rand { return NewStream(t.Seed, t.Name, purpose) }

// Validate checks that t is complete and consistent. It returns [ErrTooShort] if Train or
// Validation has no lagged pair, [ErrShape] if shapes or numbers of labels differ, [ErrNonFinite]
// for values that are not finite, and [ErrLabel] for labels out of range.
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
