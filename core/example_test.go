package core_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/koopbench/koopbench/core"
)

// persistence predicts that nothing changes.
type persistence struct{}

func (persistence) Describe() core.Description {
	return core.Description{
		Name: "persistence", Summary: "tomorrow is like today", Doc: "The prediction of a snapshot is the snapshot.",
		Options: []core.Option{core.FloatOption("fade", 0, 0, 1, "how much fades in a step")},
	}
}

func (persistence) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	if err := errors.Join(ctx.Err(), t.Validate()); err != nil {
		return nil, err
	}
	keep := float32(1 - t.Options.Float("fade"))
	return core.ModelFunc(func(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
		values := x.Floats()
		for i := range values {
			values[i] *= keep
		}
		return core.NewSnapshots(values, x.Shape()...)
	}), nil
}

// A method describes itself, is fitted to a sequence of snapshots, and gives a model that predicts.
func Example() {
	method := persistence{}
	options, err := method.Describe().ParseOptions(map[string]string{"fade": "0.5"})
	if err != nil {
		fmt.Println(err)
		return
	}
	sequence, err := core.NewSnapshots([]float32{1, 2, 3, 4, 5, 6}, 2) // three snapshots of two values
	if err != nil {
		fmt.Println(err)
		return
	}
	model, err := method.Fit(context.Background(), &core.Training{
		Train: core.OneTrajectory(sequence), Validation: core.OneTrajectory(sequence),
		Lag: 1, States: 2, Options: options,
		Name: "persistence", Progress: core.NoProgress,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	next, err := model.Predict(context.Background(), sequence)
	fmt.Println(next.Floats(), next.Shape(), err)
	// Output: [0.5 1 1.5 2 2.5 3] [2] <nil>
}

// Options are declared with type, default and range; what the user writes is checked, with a
// remedy.
func ExampleDescription_ParseOptions() {
	d := core.Description{Name: "mine", Summary: "a method", Options: []core.Option{
		core.IntOption("width", 64, 1, 512, "hidden units"),
		core.ChoiceOption("kernel", "kernel", "rbf", "matern"),
		core.TextOption("weights", "", 200, "file of weights to start from"),
	}}
	options, err := d.ParseOptions(map[string]string{"kernel": "matern", "weights": "/data/start.npz"})
	fmt.Println(options.Int("width"), options.String("kernel"), options.String("weights"), err)
	_, err = d.ParseOptions(map[string]string{"width": "0"})
	fmt.Println(err)
	_, err = d.ParseOptions(map[string]string{"widht": "8"})
	fmt.Println(err)
	// Output:
	// 64 matern /data/start.npz <nil>
	// mine: invalid option: width=0: give 1 … 512 (int)
	// mine: invalid option: there is no option "widht"; did you mean "width"? Choose from kernel, weights, width
}

// Snapshots are a sequence of arrays of one shape. Images of 8 bits stay so in memory.
func ExampleNewPixelSnapshots() {
	images, err := core.NewPixelSnapshots([]uint8{0, 51, 102, 255, 204, 153}, 1, 3) // two images of 1×3 pixels
	fmt.Println(images.Len(), images.Shape(), images.Size(), err)
	row := make([]float32, images.Size())
	images.Read(row, 1) // row 1, pixels divided by 255
	fmt.Println(row)
	// Output:
	// 2 [1 3] 3 <nil>
	// [1 0.8 0.6]
}

// Pairs lie in one trajectory; snapshots are numbered through.
func ExampleTrajectories() {
	first, err := core.NewSnapshots([]float32{0, 1, 2, 3}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	second, err := core.NewSnapshots([]float32{10, 11, 12}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	t, err := core.NewTrajectories(first, second)
	if err != nil {
		fmt.Println(err)
		return
	}
	const lag = 2
	starts, pair := t.PairStarts(lag), make([]float32, 2)
	for k := range starts.Len() {
		i := starts.At(k)
		t.Gather(pair, []int{i, i + lag})
		fmt.Println(i, pair)
	}
	// Output:
	// 0 [0 2]
	// 1 [1 3]
	// 4 [10 12]
}

// Each purpose has a random stream of its own, by a seed and names: what one draws changes no
// other.
func ExampleNewStream() {
	weights, shuffle := core.NewStream(42, "mine", "weights"), core.NewStream(42, "mine", "shuffle")
	first := weights.IntN(1000)
	_ = shuffle.Perm(10)
	fmt.Println(first == core.NewStream(42, "mine", "weights").IntN(1000))
	// Output: true
}

// Abilities are small optional interfaces, which a thing has or lacks.
func ExampleAs() {
	same := func(_ context.Context, x core.Snapshots) (core.Snapshots, error) { return x, nil }
	var model core.Model = core.ModelFunc(same)
	if _, ok := core.As[core.Spectral](model); !ok {
		fmt.Println("it has no spectrum")
	}
	// Output: it has no spectrum
}
