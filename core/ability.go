package core

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// This file lists the abilities that a thing may have beyond what its kind requires, fitted or to
// be fitted. Ask for one with [As], never by a type assertion: a thing that lives in another
// process answers by what it declared.

// Decoder is the ability of an [Embedding] to turn features back into snapshots.
type Decoder interface {
	// Decode returns a snapshot for each row of the n×Dim matrix z. It may be called concurrently.
	Decode(ctx context.Context, z mat.Matrix) (Snapshots, error)
}

// Checker is the ability of a [Method] or an [Embedder] to find out before a fit that it cannot use
// the options on the data.
type Checker interface {
	// Check returns the error that Fit would return for t because of its options, or because of the
	// number and the shape of its snapshots. It does not look at values, and returns nil if it finds
	// no error. It returns at once. Fit checks the same.
	Check(t *Training) error
}

// Viewer is the ability of an [Embedding] whose features cost so little that computing them at each
// reading is better than keeping them.
type Viewer interface {
	// View returns the Len×Dim matrix of the values that Embed returns. Each value is computed when it
	// is read. The matrix may be read concurrently and refers to x.
	View(x Snapshots) (mat.Matrix, error)
}

// Encoder is the ability of a [Judge] to return the features on which it bases its labels.
type Encoder interface {
	Encoder() Embedding
}

// Reporter is the ability to report how a fit went.
type Reporter interface {
	// Report returns the same report at every call. It keeps the rules of [Report.Validate].
	Report() Report
}

// Spectral is the ability of a [Model] whose evolution operator has a spectrum.
type Spectral interface {
	// Eigenvalues returns the eigenvalues of the one-lag operator in descending order of modulus.
	Eigenvalues() []complex128
	// LeftEigenfunctions returns the n×r values of the left eigenfunctions at each snapshot. Columns
	// are in the order of Eigenvalues and scaled as [SpectralOperator] says.
	LeftEigenfunctions(ctx context.Context, x Snapshots) (*mat.CDense, error)
}

// RightSpectral is the ability of a [Spectral] model to give also the right eigenfunctions, those
// of the evolution operator itself: f with E[f(x_lag) | x_0] = λ f(x_0), according to the model.
type RightSpectral interface {
	// RightEigenfunctions is like [Spectral.LeftEigenfunctions], for the right eigenfunctions.
	RightEigenfunctions(ctx context.Context, x Snapshots) (*mat.CDense, error)
}

// Forecaster is the ability of a [Model] to look several steps ahead at once by powers of its
// evolution operator. The predictions in between are not turned back into inputs.
type Forecaster interface {
	// Forecast returns, for each snapshot of x, the snapshot expected steps lags later, in the same
	// shape and order. One step gives the result of [Model.Predict], to the bit. Forecast keeps the
	// same rules as Predict, and earlier calls with other steps make no difference. The error is
	// [ErrOption] for steps below 1.
	Forecast(ctx context.Context, x Snapshots, steps int) (Snapshots, error)
}

// SpectralOperator is the ability of an [Operator] that has a spectrum.
type SpectralOperator interface {
	// Eigenvalues returns the r eigenvalues in descending order of modulus. Conjugate pairs are
	// adjacent, the one with positive imaginary part first.
	Eigenvalues() []complex128
	// LeftEigenfunctions and RightEigenfunctions return the n×r values of the eigenfunctions at the
	// rows of the n×d matrix z. Columns are in the order of Eigenvalues. An eigenfunction is z·w for a
	// coefficient vector w. Right vectors have ‖w‖₂ = 1. Left vectors l are scaled so that Σ_j l_j w_j
	// = 1, without conjugation.
	LeftEigenfunctions(ctx context.Context, z mat.Matrix) (*mat.CDense, error)
	RightEigenfunctions(ctx context.Context, z mat.Matrix) (*mat.CDense, error)
}

// Saver is the ability of a [Model], [Embedding], [Operator] or [Judge] to be stored. The things
// that fit these must have the ability to load them: [ModelLoader], [EmbeddingLoader],
// [OperatorLoader] or [JudgeLoader].
type Saver interface {
	// Save returns a state from which the same version of the code can load the same thing, also in
	// another process. It returns [ErrUnavailable] if the thing cannot be stored after all. The state
	// belongs to the caller, who must not write to its arrays.
	Save(ctx context.Context) (*State, error)
}

// ModelLoader is the ability of a [Method] to load a model that one of its fits made and that was
// saved.
type ModelLoader interface {
	// Load returns a model that predicts the same bits as the saved one. It returns [ErrShape],
	// [ErrUnavailable] or another error of this package for a state that no model of the method saved.
	// It never panics.
	Load(ctx context.Context, s *Saved) (Model, error)
}

// EmbeddingLoader is the same ability of an [Embedder].
type EmbeddingLoader interface {
	Load(ctx context.Context, s *Saved) (Embedding, error)
}

// OperatorLoader is the same ability of an [EvolutionOperator].
type OperatorLoader interface {
	Load(ctx context.Context, s *Saved) (Operator, error)
}

// JudgeLoader is the same ability of an [Oracle].
type JudgeLoader interface {
	Load(ctx context.Context, s *Saved) (Judge, error)
}

// Ability is a constant for each interface of this file, with the interface's name.
type Ability int

// The abilities.
const (
	AbilityDecoder Ability = iota + 1
	AbilityViewer
	AbilityEncoder
	AbilityReporter
	AbilitySpectral
	AbilityRightSpectral
	AbilityForecaster
	AbilitySpectralOperator
	AbilitySaver
	AbilityModelLoader
	AbilityEmbeddingLoader
	AbilityOperatorLoader
	AbilityJudgeLoader
	AbilityChecker
)

// abilityOf returns the ability of the interface T, 0 for any other type.
func abilityOf[T any]() Ability {
	switch any((*T)(nil)).(type) {
	case *Decoder:
		return AbilityDecoder
	case *Viewer:
		return AbilityViewer
	case *Encoder:
		return AbilityEncoder
	case *Reporter:
		return AbilityReporter
	case *Spectral:
		return AbilitySpectral
	case *RightSpectral:
		return AbilityRightSpectral
	case *Forecaster:
		return AbilityForecaster
	case *SpectralOperator:
		return AbilitySpectralOperator
	case *Saver:
		return AbilitySaver
	case *ModelLoader:
		return AbilityModelLoader
	case *EmbeddingLoader:
		return AbilityEmbeddingLoader
	case *OperatorLoader:
		return AbilityOperatorLoader
	case *JudgeLoader:
		return AbilityJudgeLoader
	case *Checker:
		return AbilityChecker
	}
	return 0
}

// Declarer restricts the abilities of a thing whose type has more methods than the thing can serve.
// An example is a stand-in for a thing in another process.
type Declarer interface {
	// Has reports whether the thing really has an ability that its type has.
	Has(ability Ability) bool
}

// As returns the ability T of a thing, fitted or to be fitted, and whether it has it. T is one of
// the interfaces of this file.
func As[T any](thing any) (T, bool) {
	ability, ok := thing.(T)
	if guard, guarded := thing.(wrapper); guarded {
		inner, has := As[T](guard.unwrap())
		if !has || !ok { // what the guard does not guard
			return inner, has
		}
		return ability, true
	}
	if declarer, restricted := thing.(Declarer); ok && restricted {
		ok = declarer.Has(abilityOf[T]())
	}
	if !ok {
		var none T
		return none, false
	}
	return ability, true
}
