package compose

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// Normalise is how the features of an encoder are scaled.
type Normalise string

const (
	// NormaliseNone does not change them.
	NormaliseNone Normalise = "none"
	// NormaliseRows divides the features e of a snapshot by max(‖e‖₂, 1e-12).
	NormaliseRows Normalise = "rows"
	// NormaliseBatch gives each feature the mean 0 and the variance 1: over the batch in training, and
	// over the training snapshots afterwards.
	NormaliseBatch Normalise = "batch"
)

// Lagged is how training makes the features of successors.
type Lagged string

const (
	// LaggedNone takes them from the encoder, like those of snapshots.
	LaggedNone Lagged = "none"
	// LaggedLinear takes them from the encoder and multiplies them by a matrix, which is also trained.
	// The matrix is not used after training.
	LaggedLinear Lagged = "linear"
	// LaggedEncoder takes them from a second encoder, which is discarded after training.
	LaggedEncoder Lagged = "encoder"
)

// Views determines the features, and which two views of a batch of lagged pairs a loss compares.
type Views struct {
	Normalise Normalise `json:"normalise"`
	Lagged    Lagged    `json:"lagged"`
	// Constant makes the first feature the number 1.
	Constant bool `json:"constant"`
	// Centre subtracts the means of the features: those over a batch in training, and those over the
	// training snapshots in the regression. The regression also subtracts the mean of the observable,
	// and its predictions add both means back. So the constant function is removed (deflated), the
	// rest is learned, and the constant is added again (inflated).
	Centre bool `json:"centre"`
}

// DefaultViews are the views of a loss that names no others.
var DefaultViews = Views{Normalise: NormaliseRows, Lagged: LaggedLinear}

// Options of views.
const (
	featuresOption  = "features"
	normaliseOption = "normalise"
	laggedOption    = "lagged"
	constantOption  = "constant"
	centreOption    = "centre"
)

const maxFeatures = 1 << 12

// options declares the options of views. Their defaults are v and the given number of features.
func (v Views) options(features int) []core.Option {
	normalise := core.ChoiceOption(normaliseOption,
		"how to scale features. rows: the features of a snapshot have length 1; batch: each feature has mean 0 and "+
			"variance 1",
		string(NormaliseNone), string(NormaliseRows), string(NormaliseBatch))
	lagged := core.ChoiceOption(laggedOption,
		"how to embed successors in training. none: the same encoder; linear: the same encoder and a matrix; encoder: a "+
			"second encoder",
		string(LaggedNone), string(LaggedLinear), string(LaggedEncoder))
	normalise.Default, lagged.Default = string(v.Normalise), string(v.Lagged)
	return []core.Option{
		core.IntOption(featuresOption, features, 0, maxFeatures,
			"number of features, including the constant one; 0 for the number of states"),
		normalise, lagged,
		core.BoolOption(constantOption, v.Constant, "make the first feature the number 1"),
		core.BoolOption(centreOption, v.Centre,
			"subtract means in training and in the regression; predictions add them back"),
	}
}

// readViews reads the options of views.
func readViews(o core.Options) Views {
	return Views{
		Normalise: Normalise(o.String(normaliseOption)), Lagged: Lagged(o.String(laggedOption)),
		Constant: o.Bool(constantOption), Centre: o.Bool(centreOption),
	}
}

// check returns ErrOption for options that are allowed alone, but not together.
func (v viewer) check() error {
	switch {
	case v.Constant && v.Centre:
		return fmt.Errorf("%w: centre=true makes the feature of constant=true zero; leave out one of them",
			core.ErrOption)
	case v.Constant && v.features < 2:
		return fmt.Errorf("%w: features=%d, but constant=true is one of them; give at least 2",
			core.ErrOption, v.features)
	}
	return nil
}

// checkBatch returns ErrOption for batches of a size in which nothing is left once means are subtracted.
func (v Views) checkBatch(size int) error {
	if size > 1 || v.Normalise != NormaliseBatch && !v.Centre {
		return nil
	}
	return fmt.Errorf("%w: batch_size=%d with normalise=%s and centre=%v: one pair equals its mean, so "+
		"there is nothing to learn; give a batch_size of at least 2, or leave out these options", core.ErrOption, size,
		v.Normalise, v.Centre)
}

// viewer builds the views that a loss compares.
type viewer struct {
	Views
	network  nn.Encoder
	features int
	// centred says that the loss subtracts means by itself.
	centred bool
}

// Scopes of parameters.
const (
	encoderScope = "encoder"
	laggedScope  = "lagged"
	successors   = "successors" // the second encoder
	batchScope   = "normalise"
)

// learned is the number of features that the encoder gives.
func (v viewer) learned() int {
	if v.Constant {
		return v.features - 1
	}
	return v.features
}

// encode builds what the encoder gives for the snapshots x.
func (v viewer) encode(scope *model.Scope, x *graph.Node) *graph.Node {
	return v.network.Encode(scope.At(encoderScope), x, v.learned())
}

// embed builds the features of the snapshots x once the encoder is trained.
func (v viewer) embed(scope *model.Scope, x *graph.Node) *graph.Node {
	z := v.encode(scope, x)
	if v.Normalise == NormaliseBatch {
		z = nn.Standardised(scope.At(batchScope), z)
	}
	return v.complete(z)
}

// complete scales what an encoder gave, row by row, and adds the constant.
func (v viewer) complete(z *graph.Node) *graph.Node {
	if v.Normalise == NormaliseRows {
		z = nn.Normalise(z)
	}
	if v.Constant {
		ones := graph.Ones(z.Graph(), z.Shape())
		z = graph.Concatenate([]*graph.Node{graph.Slice(ones, graph.AxisRange(), graph.AxisRange(0, 1)), z}, 1)
	}
	return z
}

// batch builds the features of a batch in training.
func (v viewer) batch(scope *model.Scope, x *graph.Node) *graph.Node {
	z := v.network.Encode(scope, x, v.learned())
	if v.Normalise == NormaliseBatch {
		z = nn.Standardise(z)
	}
	return v.complete(z)
}

// build builds both views, of the snapshots x and of their successors y. If both have one encoder, they go through it
// as one batch.
func (v viewer) build(scope *model.Scope, x, y *graph.Node) (view, lagged *graph.Node) {
	if v.Lagged == LaggedEncoder {
		view, lagged = v.batch(scope.At(encoderScope), x), v.batch(scope.At(successors), y)
	} else {
		n := x.Shape().Dim(0)
		z := v.batch(scope.At(encoderScope), graph.Concatenate([]*graph.Node{x, y}, 0))
		view, lagged = graph.Slice(z, graph.AxisRange(0, n)), graph.Slice(z, graph.AxisRange(n))
		if v.Lagged == LaggedLinear {
			lagged = nn.LinearMap(scope.At(laggedScope), lagged, v.features)
		}
	}
	if v.Centre && !v.centred {
		view, lagged = centred(view), centred(lagged)
	}
	return view, lagged
}

// centred subtracts the means of the columns.
func centred(x *graph.Node) *graph.Node {
	return graph.Sub(x, graph.ReduceAndKeep(x, graph.ReduceMean, 0))
}

// dropTraining removes the parameters that only training needs.
func (v viewer) dropTraining(store *model.Store) error {
	if v.Lagged != LaggedEncoder {
		return nil // the matrix stays: it is small, and older models have it too
	}
	return store.DeleteVariablesInScope("/" + successors)
}
