package kernel

import (
	"cmp"
	"context"
	"fmt"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/affine"
)

// Limits of the number of centres. Regression on the most takes about 800 MB.
const (
	mostCentres  = 4096
	usualCentres = 1000
)

const doc = "The kernels of two snapshots a and b: rbf, exp(−‖a−b‖²/2l²) for a length l; matern12, exp(−‖a−b‖/l), " +
	"and matern32 and matern52, which are smoother; polynomial, (a·b/scale + coef0)^degree. The features belong to " +
	"centres. These are training snapshots, one from each of equal stretches of the data, drawn with the seed of the " +
	"run. " +
	"If all snapshots are centres, the regression is exact in the space of the kernel. With fewer it is the " +
	"Nyström approximation. Memory grows with the square of the number of centres, time with its cube. Time is " +
	"longer if the kernel is so smooth that the matrix of its values at the centres is singular to rounding. Directions " +
	"of this matrix are left out if their eigenvalue is below 1e-13 of the largest."

// Features returns the embedder "kernel-features". The product of the features of two snapshots is their kernel.
func Features() core.Embedder { return core.GuardEmbedder(embedder{}) }

type embedder struct{}

var (
	_ core.Embedder        = embedder{}
	_ core.EmbeddingLoader = embedder{}
	_ core.Checker         = embedder{}
)

// Describe implements [core.Embedder].
func (embedder) Describe() core.Description {
	return core.Description{
		Name: "kernel-features", Summary: "features whose products are a kernel of the snapshots", Doc: doc,
		Options: []core.Option{
			core.ChoiceOption("kernel", "the kernel", rbf, matern12, matern32, matern52, polynomial),
			core.FloatOption("length_scale", 0, 0, 1e30,
				"all except polynomial: length, in units of the snapshot; 0 to use relative_scale"),
			core.FloatOption("relative_scale", 1, 1e-6, 1e6,
				"all except polynomial: length, relative to the median distance of training snapshots, if length_scale is 0"),
			core.IntOption("degree", 3, 1, 20, "polynomial: degree"),
			core.FloatOption("coef0", 1, 0, 1e6, "polynomial: added to the scaled product"),
			core.FloatOption("scale", 0, 0, 1e30,
				"polynomial: divides the product; 0 for the mean ‖a‖² of training snapshots"),
			core.IntOption("centres", 0, 0, mostCentres, fmt.Sprintf(
				"number of centres, at most one per training snapshot; 0 for all of them, up to %d",
				usualCentres)),
		},
	}
}

// Fit implements [core.Embedder].
func (e embedder) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	if err := e.Check(t); err != nil {
		return nil, err
	}
	coordinates, f, err := choose(ctx, t)
	if err != nil {
		return nil, err
	}
	points, err := coordinates.Sample(ctx, t.Train, centresOf(t), t.Stream("centres"))
	if err != nil {
		return nil, err
	}
	fitted := &embedding{coordinates: coordinates}
	if fitted.features, err = newFeatures(f, points); err != nil {
		return nil, err
	}
	return fitted, ctx.Err()
}

// Check implements [core.Checker].
func (embedder) Check(t *core.Training) error {
	if n, centres := t.Train.Len(), centresOf(t); centres > n {
		return fmt.Errorf("%w: centres=%d for %d training snapshots; give at most %d, or 0", core.ErrOption, centres, n, n)
	}
	return nil
}

// centresOf is the number of centres of a fit. It has at most as many features.
func centresOf(t *core.Training) int {
	return cmp.Or(t.Options.Int("centres"), min(t.Train.Len(), usualCentres))
}

// choose returns the kernel, and the coordinates in which it is computed. Kernels of the distance are computed
// about the mean of the snapshots: this changes no distance, and loses less of it to rounding.
func choose(ctx context.Context, t *core.Training) (*affine.Embedding, function, error) {
	o := t.Options
	f := function{
		Kernel: o.String("kernel"), Length: o.Float("length_scale"), Degree: o.Int("degree"), Coef0: o.Float("coef0"),
		Scale: o.Float("scale"),
	}
	switch {
	case f.Kernel == polynomial && f.Scale > 0:
		return affine.Divide(t.Train.Shape(), 1), f, nil
	case f.Kernel != polynomial && f.Length > 0 && !f.valid():
		return nil, f, fmt.Errorf("%w: length_scale=%g; give at least %g, or 0", core.ErrOption, f.Length, leastLength)
	case f.Kernel == polynomial:
		f.Scale = float64(t.Train.Size())
		coordinates, err := affine.Scale(ctx, t.Train)
		return coordinates, f, err
	}
	coordinates, err := affine.Centre(ctx, t.Train)
	if err == nil && f.Length == 0 {
		f.Length, err = coordinates.MedianDistance(ctx, t.Train, t.Stream("distance"))
		f.Length *= o.Float("relative_scale")
	}
	return coordinates, f, err
}
