// Package orderedmnist is the task Ordered MNIST: images of the digits 0, 1, 2, … in turn.
package orderedmnist

import (
	"context"
	"fmt"
	"math"
	"math/cmplx"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
)

// Name is the declared name of the task.
const Name = "ordered-mnist"

// DigitsOption is the option for the number of digits.
const DigitsOption = "digits"

// What the option "test" chooses.
const (
	testOption   = "test"
	testSequence = "sequence"
	testMNIST    = "mnist-test"
)

// MaxDigits is the largest number of digits.
const MaxDigits = dataset.Classes

// Task is Ordered MNIST of Kostic, Novelli, Grazzi, Lounici and Pontil, "Learning invariant
// representations of time-homogeneous stochastic dynamical systems", ICLR 2024: the image at time t
// shows the digit t mod c, c being the number of digits, and is the next one of that digit in the
// set. The state is the digit, and the evolution operator turns the c digits in a circle: its
// eigenvalues are the c-th roots of unity to the power of the lag.
type Task struct{}

var _ core.Task = Task{}

// Describe implements [core.Task].
func (Task) Describe() core.Description {
	return core.Description{
		Name:    Name,
		Summary: "images of the digits 0, 1, 2, … in turn, judged by an oracle that reads the predicted images",
		Doc: "Ordered MNIST of Kostic et al., \"Learning invariant representations of time-homogeneous stochastic " +
			"dynamical systems\", ICLR 2024: the image at time t is one of the digit t mod c, where c is the number of " +
			"digits. Roll-outs begin at every test image. A prediction is right if the oracle, a classifier trained on the " +
			"training images, sees the right digit in it. The eigenvalues of the true evolution operator are " +
			"the c-th roots of unity to the power of the lag. With test=mnist-test, training and validation images are " +
			"from the training set of MNIST, and test images from its test set, in order from the start. The paper does " +
			"the same, with a split of 800,201,1001.",
		Options: []core.Option{
			core.IntOption(DigitsOption, 5, 1, MaxDigits, "number of digits in the sequence: 0 to N-1"),
			core.TextOption(core.SplitOption, DefaultSplit.String(), 40, "numbers of images to train, validate and test on"),
			core.ChoiceOption(testOption, "test images: those after the validation images, or those of the MNIST test set",
				testSequence, testMNIST),
			core.IntOption(core.StepsOption, 15, 1, core.MaxSteps, "number of steps of a roll-out"),
			core.IntOption(core.LagOption, 1, 1, maxLag, "images per step"),
			core.TextOption(core.DataOption, "", core.MaxText,
				"folder of four IDX files, to replace the built-in MNIST"),
		},
	}
}

const maxLag = 1000

// Open implements [core.Task].
func (Task) Open(ctx context.Context, o core.Options) (*core.Problem, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	split, err := ParseSplit(o.String(core.SplitOption))
	if err != nil {
		return nil, err
	}
	lag := o.Int(core.LagOption)
	if least := lag + 1; split.Train < least || split.Validation < least {
		return nil, fmt.Errorf("%w: a split of %v images; training and validation need at least %d images each for a pair "+
			"at a "+
			"lag of %d", core.ErrOption, split, least, lag)
	}
	set, err := open(o.String(core.DataOption))
	if err != nil {
		return nil, err
	}
	draw := ofOne
	if o.String(testOption) == testMNIST {
		draw = ofHalves
	}
	im, err := draw(set, o.Int(DigitsOption), split)
	if err != nil {
		return nil, err
	}
	return problem(im, split.Train, o.Int(DigitsOption), o.Int(core.StepsOption), lag), nil
}

func open(folder string) (*dataset.Set, error) {
	if folder == "" {
		return dataset.MNIST()
	}
	return dataset.Open(folder)
}

// images are what a task is made of.
type images struct {
	seen, test       core.Snapshots // seen are those to train on, then those to validate on
	seenAre, testAre []int          // digits
	source           string
}

// ofOne takes all images from one sequence.
func ofOne(set *dataset.Set, digits int, split Split) (images, error) {
	all, err := set.Ordered(digits, split.seen()+split.Test)
	if err != nil {
		return images{}, fmt.Errorf("a split of %v images: %w", split, err)
	}
	x, labels, n := all.Snapshots, all.Labels, split.seen()
	return images{x.Slice(0, n), x.Slice(n, x.Len()), labels[:n], labels[n:], set.Source}, nil
}

// ofHalves takes the images that methods see from the training set, and those to test on from the test set.
func ofHalves(set *dataset.Set, digits int, split Split) (images, error) {
	training, test := set.Halves()
	seen, err := training.Ordered(digits, split.seen())
	if err != nil {
		return images{}, fmt.Errorf("a split of %v images: %w; train and validate on fewer", split, err)
	}
	tested, err := test.Ordered(digits, split.Test)
	if err != nil {
		return images{}, fmt.Errorf("a split of %v images: %w; test on fewer", split, err)
	}
	source := set.Source + ", tested on images of its test set"
	return images{seen.Snapshots, tested.Snapshots, seen.Labels, tested.Labels, source}, nil
}

// problem is the task whose training images are the first so many that methods see.
func problem(im images, train, digits, steps, lag int) *core.Problem {
	states := &core.States{
		Count: digits, Word: "digit", Train: im.seenAre[:train], Validation: im.seenAre[train:], Test: im.testAre,
	}
	for step := range steps {
		states.Expected = append(states.Expected, moved(states.Test, (step+1)*lag, digits))
	}
	return &core.Problem{
		Train:      core.OneTrajectory(im.seen.Slice(0, train)),
		Validation: core.OneTrajectory(im.seen.Slice(train, im.seen.Len())),
		Test:       core.OneTrajectory(im.test),
		Lag:        lag, Steps: steps, Rank: digits, States: states, Source: im.source, Picture: core.ImagePicture,
		Truth: &core.Truth{Eigenvalues: roots(digits, lag)},
	}
}

// moved are the digits that come so many images later.
func moved(digits []int, images, count int) []int {
	later := make([]int, len(digits))
	for i, d := range digits {
		later[i] = (d + images) % count
	}
	return later
}

// roots are the eigenvalues of the operator that moves count digits on by lag: 1 first, and
// conjugates side by side, the one with positive imaginary part first.
func roots(count, lag int) []complex128 {
	at := func(k int) complex128 { return cmplx.Rect(1, 2*math.Pi*float64(k*lag%count)/float64(count)) }
	values := []complex128{1}
	for k := 1; 2*k <= count; k++ {
		z := at(k)
		if imag(z) < 0 {
			z = cmplx.Conj(z)
		}
		values = append(values, z)
		if 2*k < count {
			values = append(values, cmplx.Conj(z))
		}
	}
	return values
}

// Split is how many images go to each part, in the order of time.
type Split struct{ Train, Validation, Test int }

// DefaultSplit is that of the notebook and of the papers that it follows.
var DefaultSplit = Split{Train: 3000, Validation: 1000, Test: 1000}

// seen is the number of images that methods see.
func (s Split) seen() int { return s.Train + s.Validation }

func (s Split) String() string { return fmt.Sprintf("%d,%d,%d", s.Train, s.Validation, s.Test) }

// ParseSplit reads what [Split.String] writes. The error is [core.ErrOption].
func ParseSplit(text string) (s Split, err error) {
	const most = 1_000_000
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return s, fmt.Errorf("%w: a split of %q; give three numbers of images, TRAIN,VAL,TEST, like %v", core.ErrOption,
			text, DefaultSplit)
	}
	for i, part := range []struct {
		name  string
		value *int
		least int
	}{{"training", &s.Train, 2}, {"validation", &s.Validation, 2}, {"test", &s.Test, 1}} {
		written := strings.TrimSpace(parts[i])
		n, err := strconv.Atoi(written)
		if err != nil || n < part.least || n > most {
			return s, fmt.Errorf("%w: %q %s images; give a whole number from %d to %d", core.ErrOption, written, part.name,
				part.least, most)
		}
		*part.value = n
	}
	return s, nil
}
