package edmd

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/affine"
)

// The dictionaries.
const (
	randomFourier = "random-fourier"
	radial        = "rbf"
	polynomials   = "polynomials"
	fourier       = "fourier"
)

// Limits of a dictionary. Regression on the most functions takes about 800 MB.
const (
	mostFunctions = 4096
	mostPoints    = 1 << 27 // numbers in the frequencies or centres, 1 GiB
)

const doc = "The dictionaries: random-fourier, random Fourier features of a Gaussian kernel (Rahimi and Recht, " +
	"Random features for large-scale kernel machines, NeurIPS 2007); rbf, Gaussian functions around training snapshots, " +
	"one from each of equal stretches of the data; polynomials, all monomials to a total degree; fourier, cos 2πkx and " +
	"sin 2πkx of each value x divided by the period. Each has the constant function 1. All except fourier first " +
	"standardise the values over the training snapshots, so large values are safe. The lengths of random-fourier and " +
	"rbf are relative to the median distance of training snapshots. The functions of these two are divided by the root " +
	"of their number (for random-fourier, of half of it). At full rank the time for the eigenvalues grows with the cube " +
	"of the number of functions. Random parts are drawn with the seed of the run."

// Dictionary returns the embedder "dictionary". Its features are the functions of a dictionary, and the
// first is the constant 1. It refuses more than 4096 functions.
func Dictionary() core.Embedder { return core.GuardEmbedder(dictionary{}) }

type dictionary struct{}

var (
	_ core.Embedder        = dictionary{}
	_ core.EmbeddingLoader = dictionary{}
	_ core.Checker         = dictionary{}
)

// Describe implements [core.Embedder].
func (dictionary) Describe() core.Description {
	return core.Description{
		Name: "dictionary", Summary: "a dictionary of functions of the snapshot", Doc: doc,
		Options: []core.Option{
			core.ChoiceOption("dictionary", "the functions", radial, randomFourier, polynomials, fourier),
			core.IntOption("functions", 300, 1, mostFunctions-1,
				"random-fourier, rbf: number of functions, without the constant"),
			core.FloatOption("length_scale", 0.5, 1e-6, 1e6,
				"random-fourier, rbf: length, relative to the median distance of training snapshots"),
			core.IntOption("degree", 3, 1, 100, "polynomials: largest total degree"),
			core.IntOption("frequencies", 8, 1, mostFunctions, "fourier: number of frequencies for each value"),
			core.FloatOption("period", 1, 1e-30, 1e30, "fourier: period, in units of the snapshot"),
		},
	}
}

// functions are the functions of a dictionary, of d coordinates.
type functions interface {
	// number is how many there are.
	number() int
	// evaluate fills the n×number matrix dst with their values at the rows of the n×d matrix z. A row
	// of dst depends on that row of z alone.
	evaluate(dst, z *mat.Dense)
}

// Fit implements [core.Embedder].
func (d dictionary) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	if err := d.Check(t); err != nil {
		return nil, err
	}
	e := &embedding{facts: chosen(t.Options)}
	var err error
	if e.Dictionary == fourier {
		e.coordinates = affine.Divide(t.Train.Shape(), t.Options.Float("period"))
	} else if e.coordinates, err = affine.Standardise(ctx, t.Train); err != nil {
		return nil, err
	}
	if e.Dictionary == randomFourier || e.Dictionary == radial {
		err = e.draw(ctx, t)
	}
	if err != nil {
		return nil, err
	}
	return e, e.prepare()
}

// chosen are the facts that options give.
func chosen(o core.Options) facts {
	return facts{Dictionary: o.String("dictionary"), Degree: o.Int("degree"), Frequencies: o.Int("frequencies")}
}

// Check implements [core.Checker].
func (dictionary) Check(t *core.Training) error {
	return chosen(t.Options).check(t.Options.Int("functions"), t.Train.Size())
}

// draw draws frequencies or centres.
func (e *embedding) draw(ctx context.Context, t *core.Training) error {
	random := t.Stream("dictionary")
	length, err := e.coordinates.MedianDistance(ctx, t.Train, random)
	if err != nil {
		return err
	}
	e.Length = t.Options.Float("length_scale") * length
	if e.Dictionary == radial {
		e.points, err = e.coordinates.Sample(ctx, t.Train, t.Options.Int("functions"), random)
		return err
	}
	e.points, e.phases = drawFrequencies(t.Options.Int("functions"), e.coordinates.Dim(), e.Length, random)
	return nil
}

// check returns [core.ErrOption] for a dictionary of too many functions, or too many numbers to keep.
// points is the number of frequencies or centres, d that of coordinates.
func (f facts) check(points, d int) error {
	tooMany := func(what, remedy string, number any) error {
		return fmt.Errorf("%w: %s of %d values are %v functions; the most is %d: %s", core.ErrOption, what, d, number,
			mostFunctions, remedy)
	}
	switch f.Dictionary {
	case polynomials:
		if number := monomialCount(d, f.Degree); !number.IsInt64() || number.Int64() > mostFunctions {
			return tooMany(fmt.Sprintf("polynomials to degree %d", f.Degree),
				"lower the degree, or choose dictionary="+randomFourier, number)
		}
	case fourier:
		if number := 1 + 2*f.Frequencies*d; number > mostFunctions {
			return tooMany(fmt.Sprintf("Fourier functions of %d frequencies", f.Frequencies),
				"lower frequencies, or choose dictionary="+randomFourier, number)
		}
	default:
		if points > mostPoints/d {
			return fmt.Errorf("%w: %d functions of %d values need %d numbers; the most is %d: give at most functions=%d",
				core.ErrOption, points, d, points*d, mostPoints, mostPoints/d)
		}
	}
	return nil
}
