package linalg

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Variant is how the rank of a ridge regression is limited.
type Variant string

const (
	// ReducedRank keeps the directions that predict best: the leading solutions of C_XY C_XYᵀ u =
	// σ² (C_X + αI) u.
	ReducedRank Variant = "reduced-rank"
	// PrincipalComponents keeps the directions of largest variance: the leading eigenvectors of
	// C_X.
	PrincipalComponents Variant = "principal-components"
	// Full keeps all directions: G = (C_X + αI)⁻¹ C_XY.
	Full Variant = "full"
)

// DefaultAlpha is the Tikhonov regularisation where none is given.
const DefaultAlpha = 1e-6

// RidgeOptions are the options of [FitRidge].
type RidgeOptions struct {
	// Alpha is the Tikhonov regularisation α, added to the eigenvalues of C_X: finite, at least 0;
	// nil for DefaultAlpha. It is absolute: features are expected to be of the order of 1. Where
	// C_X + αI is singular to rounding, as it is for α = 0 and linearly dependent features, its
	// inverse is the pseudo-inverse, and a warning says so.
	Alpha *float64
	// Rank is the largest rank of the operator, at most the number d of features; 0 for d. The
	// variant Full takes no other.
	Rank int
	// Variant is how to limit the rank; "" for ReducedRank.
	Variant Variant
	// Centre makes the covariances centred ones: the model regresses deviations from the mean, and
	// adds the mean.
	Centre bool
	// Precision is the unit roundoff ε of the numbers in the features, in [0, 1); 0 for float64's
	// 2⁻⁵². Directions whose value is at most 10·d·ε are dropped, with a warning: σ² for
	// ReducedRank, the eigenvalue of C_X + αI for PrincipalComponents.
	Precision float64
	// Lengths are the numbers of rows of the trajectories, which follow one another in the features
	// and add up to N; nil for one trajectory. No pair crosses the end of one.
	Lengths []int
}

// Ridge is ridge regression as a [core.EvolutionOperator], described as "ridge". Its fitted
// operators are [Operator]s.
type Ridge struct{}

var _ core.EvolutionOperator = Ridge{}

// Describe implements [core.EvolutionOperator].
func (Ridge) Describe() core.Description {
	return core.Description{
		Name:    "ridge",
		Summary: "ridge regression of the features one lag later, with reduced-rank and principal-component variants",
		Doc: "Regresses the features one lag later on the features now with Tikhonov regularisation, and limits the rank " +
			"of the result: by reduced-rank regression, which keeps the directions that predict best, or by principal " +
			"components, which keeps those of largest variance (Kostic et al., Learning Dynamical Systems via Koopman " +
			"Operator Regression in Reproducing Kernel Hilbert Spaces, NeurIPS 2022). Directions below the rounding of the " +
			"features are dropped, with a warning. Alpha is absolute: it expects features of the order of 1.",
		Options: []core.Option{
			core.FloatOption("alpha", DefaultAlpha, 0, math.MaxFloat64,
				"Tikhonov regularisation, added to the eigenvalues of the covariance"),
			core.IntOption("rank", 0, 0, math.MaxInt32,
				"largest rank of the operator, at most the number of features; 0 for that number"),
			core.ChoiceOption("variant", "how to limit the rank", string(ReducedRank), string(PrincipalComponents),
				string(Full)),
			core.BoolOption("centre", false, "centre the covariances"),
		},
	}
}

// Fit implements [core.EvolutionOperator] by [FitRidge]. The operator is an [Operator].
func (Ridge) Fit(ctx context.Context, t *core.OperatorTraining) (_ core.Operator, err error) {
	defer core.Recover(&err)
	model, err := FitRidge(ctx, t.Features, t.Observable, t.Lag, &RidgeOptions{
		Alpha:     new(t.Options.Float("alpha")),
		Rank:      t.Options.Int("rank"),
		Variant:   Variant(t.Options.String("variant")),
		Centre:    t.Options.Bool("centre"),
		Precision: t.Precision,
		Lengths:   t.Lengths,
	})
	if err != nil {
		return nil, err
	}
	return Operator{model}, nil
}

// FitRidge regresses the N×d matrix of features, one row a time, on itself lag rows earlier within
// a trajectory; with it the N×p matrix of an observable at the same times, if that is not nil. nil
// options are the defaults.
//
// The error is [core.ErrTooShort] if there is no lagged pair, [core.ErrShape] if features and
// observable differ in length or the lengths do not add up to it, [core.ErrNonFinite] for such
// values and for features so large that their covariances overflow, [core.ErrUnavailable] for
// features so small, by themselves or beside alpha, that the operator underflows, [core.ErrOption]
// for options out of range, and that of ctx soon after it ends. Features that are constant,
// linearly dependent or more than the pairs are no error: directions that they do not determine are
// dropped, and [Model.Report] says so.
//
// The time is that of two products of N·d² multiplications and a few factorisations of d×d
// matrices. The memory is that of about six d×d matrices. A matrix that is not a *mat.Dense is read
// by blocks of about a million numbers, two to four times, so that it may be larger than the
// memory; one that is is not copied.
func FitRidge(ctx context.Context, features, observable mat.Matrix, lag int, o *RidgeOptions) (_ *Model, err error) {
	defer core.Recover(&err)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o == nil {
		o = &RidgeOptions{}
	}
	data, err := newPairs(features, observable, lag, o.Lengths)
	if err != nil {
		return nil, err
	}
	problem, err := o.problem(data.features.width)
	if err != nil {
		return nil, err
	}
	if problem.centre {
		if err := data.centre(ctx); err != nil {
			return nil, err
		}
	}
	cx, cxy, err := data.covariances(ctx)
	if err != nil {
		return nil, err
	}
	variance, cross := largestDiagonal(cx), largestEntry(cxy)
	s, err := problem.solve(ctx, cx, cxy)
	if err != nil {
		return nil, err
	}
	if s.basis != nil && (variance < leastCovariance || cross > 0 && largestEntry(s.image) < leastCovariance) {
		if err := data.checkUnderflow(ctx, problem.alpha); err != nil {
			return nil, err
		}
	}
	m := newModel(s, data.features.width, data.lag)
	if err := m.fitObservable(ctx, data); err != nil {
		return nil, err
	}
	if err := m.checkFinite(); err != nil {
		return nil, err
	}
	return m, nil
}

// problem returns the options with their defaults, checked for d features.
func (o *RidgeOptions) problem(d int) (regression, error) {
	p := regression{alpha: DefaultAlpha, variant: o.Variant, rank: o.Rank, centre: o.Centre}
	if o.Alpha != nil {
		p.alpha = *o.Alpha
	}
	if p.variant == "" {
		p.variant = ReducedRank
	}
	if p.rank == 0 {
		p.rank = d
	}
	precision := o.Precision
	if precision == 0 {
		precision = epsilon
	}
	p.threshold = 10 * float64(d) * precision
	variants := []Variant{ReducedRank, PrincipalComponents, Full}
	switch {
	case !(p.alpha >= 0 && p.alpha <= math.MaxFloat64):
		return p, fmt.Errorf("%w: alpha=%v; it must be a finite number of at least 0", core.ErrOption, p.alpha)
	case p.rank < 0 || p.rank > d:
		return p, fmt.Errorf("%w: rank=%d for %d features; it must be in 0 … %d; 0 means %d", core.ErrOption,
			p.rank, d, d, d)
	case !slices.Contains(variants, p.variant):
		return p, fmt.Errorf("%w: variant=%s; choose from %v", core.ErrOption, p.variant, variants)
	case p.variant == Full && p.rank != d:
		return p, fmt.Errorf("%w: rank=%d with variant=full, which has rank %d; leave out the rank or choose %s",
			core.ErrOption, p.rank, d, ReducedRank)
	case !(precision > 0 && precision < 1):
		return p, fmt.Errorf("%w: a precision of %v; it must be in [0, 1); 0 means that of float64", core.ErrOption,
			precision)
	}
	return p, nil
}
