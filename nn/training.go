package nn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"github.com/koopbench/koopbench/core"
)

// Trainer trains the parameters of a network by Adam, as its [Schedule] says, with β = (0.9, 0.999) and ε = 1e-8.
type Trainer struct {
	Backend  compute.Backend
	Store    *model.Store
	Schedule Schedule
	// Loss builds the loss of a batch, a float32 scalar, and one more scalar for each name in Metrics.
	// It is called once for each size of batch, for training and for validation.
	Loss    func(scope *model.Scope, batch []*graph.Node) (loss *graph.Node, metrics []*graph.Node)
	Metrics []string
	// Train are the examples to learn from. Validation are examples that only score; nil for no
	// validation.
	Train, Validation Data
	// ValidateWhole scores the validation examples as one batch, for losses that are means over
	// examples. Batches count in proportion to their number of examples.
	ValidateWhole bool
	// Shuffle draws a new order of the training examples in every epoch.
	Shuffle *rand.Rand
	// Progress gets reports of the phase "training", whose units are training steps, and of every
	// epoch; nil for no reports.
	Progress core.Progress
	// Extend, if any, returns tensors to append to those of a batch before its loss is computed. It
	// runs outside the graph and uses the current parameters.
	Extend func(ctx context.Context, batch []*tensors.Tensor) ([]*tensors.Tensor, error)
	// Checkpoints stores the state of the training between batches, and continues from it; nil for no
	// checkpoints. Name is that of the training, if a fit has several; "" stands for "training". A
	// training that continues calls Shuffle as often as one without an interruption, and gives the
	// same bits.
	Checkpoints core.Checkpoints
	Name        string
	// Memory, if any, points to what Extend remembers from batch to batch. Checkpoints store it as
	// JSON.
	Memory any
}

// History describes how a training went.
type History struct {
	Epochs  []core.Epoch
	Batches int // training batches in an epoch
	// Metrics holds the means over batches of each metric, like the losses in Epochs.
	Metrics map[string][]core.Epoch
	// Kept is the number of the epoch whose parameters the store has: the last one, or the best one
	// with patience.
	Kept           int
	CompileSeconds float64 // part of the training that compiling graphs took
	// Warnings are sentences for the user.
	Warnings []string
}

// Run trains. Epochs have unweighted means over batches, with training values taken before each
// update. Run checks ctx before every batch, and returns the context's error soon after ctx ends.
// It returns [core.ErrNonFinite] as soon as a loss is not a number. After an error, the parameters
// may have any values.
func (t *Trainer) Run(ctx context.Context) (_ History, err error) {
	defer core.Recover(&err)
	if t.Train.Len() < 1 {
		return History{}, fmt.Errorf("%w: there is no training example", core.ErrTooShort)
	}
	if t.Schedule.BatchSize < 1 {
		return History{}, fmt.Errorf("%w: batches of %d examples; give at least 1", core.ErrOption,
			t.Schedule.BatchSize)
	}
	if t.Schedule.Patience > 0 && (t.Validation == nil || t.Validation.Len() == 0) {
		return History{}, fmt.Errorf("%w: patience=%d needs validation examples; give some, or patience=0",
			core.ErrOption, t.Schedule.Patience)
	}
	progress := t.Progress
	if progress == nil {
		progress = core.NoProgress
	}
	r := training{Trainer: t, epoch: 1, metrics: map[string][]core.Epoch{}}
	if err := r.resume(); err != nil {
		return History{}, err
	}
	train, err := r.executor("training", t.Schedule.update)
	if err != nil {
		return History{}, err
	}
	defer train.Finalize()
	validate, err := r.executor("validation", nil)
	if err != nil {
		return History{}, err
	}
	defer validate.Finalize()

	batches := r.batches()
	progress.Phase("training", t.Schedule.Epochs*batches)
	for ; r.epoch <= t.Schedule.Epochs && !r.best.over(r.epoch, t.Schedule.Patience); r.epoch++ {
		order := t.Shuffle.Perm(t.Train.Len())
		if r.trained == nil {
			r.trained, err = r.pass(ctx, train, t.Train, order, false, func(batch int) {
				progress.Advance((r.epoch-1)*batches + batch)
			})
			if err != nil {
				return History{}, err
			}
		}
		validated := nans(1 + len(t.Metrics))
		if t.Validation != nil && t.Validation.Len() > 0 {
			if validated, err = r.pass(ctx, validate, t.Validation, ascending(t.Validation.Len()), t.ValidateWhole,
				nil); err != nil {
				return History{}, err
			}
		}
		r.add(r.epoch, r.trained, validated)
		r.trained = nil
		if t.Schedule.Patience > 0 {
			if err := r.best.see(r.epoch, validated[0], t.Store); err != nil {
				return History{}, err
			}
		}
		progress.Epoch(r.epochs[r.epoch-1])
	}
	if err := r.best.restore(t.Store); err != nil {
		return History{}, err
	}
	if err := dropTrainingState(t.Store); err != nil {
		return History{}, err
	}
	return History{r.epochs, batches, r.metrics, cmp.Or(r.best.Epoch, len(r.epochs)), r.compile.Seconds(),
		r.warnings}, nil
}

// training is a run in progress: in the epoch, at a batch of one of its passes, the first over the training examples.
type training struct {
	*Trainer
	epoch    int
	trained  []float64 // means of the pass over the training examples, nil until it is over
	at       place     // in the pass in progress
	epochs   []core.Epoch
	metrics  map[string][]core.Epoch
	compile  time.Duration
	warnings []string
	best     best
}

// place is how far a pass has come: batches done, and the weighted sums of loss and metrics over them, nil for none.
type place struct {
	batches int
	sums    []float64
	weight  float64
}

// batches is the number of training batches in an epoch.
func (r *training) batches() int {
	return (r.Train.Len() + r.Schedule.BatchSize - 1) / r.Schedule.BatchSize
}

// add adds an epoch to the history.
func (r *training) add(number int, trained, validated []float64) {
	r.epochs = append(r.epochs, core.Epoch{Number: number, Train: trained[0], Validation: validated[0]})
	for i, name := range r.Metrics {
		r.metrics[name] = append(r.metrics[name],
			core.Epoch{Number: number, Train: trained[1+i], Validation: validated[1+i]})
	}
}

// executor returns the executor of the loss and the metrics as float64 scalars, and of what finish adds to the graph.
func (r *training) executor(name string, finish func(scope *model.Scope, loss *graph.Node)) (*model.Exec, error) {
	exec, err := model.NewExec(r.Backend, r.Store, func(scope *model.Scope, batch []*graph.Node) []*graph.Node {
		defer PanicWithErrors()
		scope.Store().SetTraining(batch[0].Graph(), finish != nil)
		loss, metrics := r.Loss(scope, batch)
		if len(metrics) != len(r.Metrics) {
			panic(fmt.Errorf("the graph gives %d metrics, but %d have names", len(metrics), len(r.Metrics)))
		}
		if finish != nil {
			finish(scope, loss)
		}
		outputs := []*graph.Node{graph.ConvertDType(loss, dtypes.Float64)}
		for _, m := range metrics {
			outputs = append(outputs, graph.ConvertDType(m, dtypes.Float64))
		}
		return outputs
	})
	if err != nil {
		return nil, err
	}
	return exec.WithName(name), nil
}

// PanicWithErrors turns the value of a panic into an error. Defer it in a function that builds a
// graph. GoMLX returns only errors in this way; after other values it waits for ever in
// Exec.Finalize.
func PanicWithErrors() {
	switch r := recover().(type) {
	case nil:
	case error:
		panic(buildError{r})
	default:
		panic(buildError{fmt.Errorf("%v", r)})
	}
}

// buildError is what a function that builds a graph panicked with, before GoMLX says around it where that was.
type buildError struct{ error }

func (e buildError) Unwrap() error { return e.error }

// pass runs the batches of the data in the given order, from where the training is, and returns the
// means of loss and metrics.
func (r *training) pass(ctx context.Context, exec *model.Exec, data Data, order []int, weigh bool,
	done func(batch int)) ([]float64, error) {
	if r.at.sums == nil {
		r.at.sums = make([]float64, 1+len(r.Metrics))
	}
	for from := r.at.batches * r.Schedule.BatchSize; from < len(order); from += r.Schedule.BatchSize {
		if err := ctx.Err(); err != nil {
			r.store()
			return nil, err
		}
		indices := order[from:min(from+r.Schedule.BatchSize, len(order))]
		values, err := r.step(ctx, exec, data.Batch(indices))
		if err != nil {
			return nil, fmt.Errorf("epoch %d, %s batch %d: %w", r.epoch, exec.Name(), r.at.batches+1, err)
		}
		weight := 1.0
		if weigh {
			weight = float64(len(indices))
		}
		r.at.batches++
		r.at.weight += weight
		for i, v := range values {
			r.at.sums[i] += weight * v
		}
		if done != nil {
			done(r.at.batches)
		}
		if r.Checkpoints != nil && r.Checkpoints.Due() {
			r.store()
		}
	}
	means := r.at.sums
	for i := range means {
		means[i] /= r.at.weight
	}
	r.at = place{}
	return means, nil
}

func (r *training) step(ctx context.Context, exec *model.Exec, batch []*tensors.Tensor) ([]float64, error) {
	defer func() { finalize(batch) }()
	if r.Extend != nil {
		extension, err := r.Extend(ctx, batch)
		if err != nil {
			return nil, err
		}
		batch = append(batch, extension...)
	}
	if err := r.prepare(exec, batch); err != nil {
		return nil, err
	}
	if r.trained == nil && r.Schedule.Rates != ConstantRate && r.Schedule.Rates != "" {
		batches := r.batches()
		if err := setRate(r.Store,
			r.Schedule.rate((r.epoch-1)*batches+r.at.batches, r.Schedule.Epochs*batches)); err != nil {
			return nil, err
		}
	}
	outputs, err := exec.Call(arguments(batch)...)
	if err != nil {
		return nil, err
	}
	defer finalize(outputs)
	values := make([]float64, len(outputs))
	for i, o := range outputs {
		values[i] = tensors.ToScalar[float64](o)
	}
	if loss := values[0]; math.IsNaN(loss) || math.IsInf(loss, 0) {
		return nil, fmt.Errorf("%w: the loss is %v at the learning rate %g; a smaller learning rate may "+
			"help", core.ErrNonFinite,
			loss, r.Schedule.LearningRate)
	}
	return values, nil
}

// prepare compiles the graph for the shapes of the batch, once, and gives a value to parameters that have none.
func (r *training) prepare(exec *model.Exec, batch []*tensors.Tensor) error {
	start := time.Now()
	inputs := make([]shapes.Shape, len(batch))
	for i, t := range batch {
		inputs[i] = t.Shape()
	}
	if _, err := exec.Compile(inputs...); err != nil {
		if own := (buildError{}); errors.As(err, &own) {
			return own.error
		}
		return err
	}
	if err := r.Store.InitializeVariables(r.Backend, nil); err != nil {
		return err
	}
	r.compile += time.Since(start)
	return nil
}

// dropTrainingState removes what only the optimiser needs from a store.
func dropTrainingState(store *model.Store) error {
	for _, path := range []string{optimizer.AdamDefaultScope, optimizer.Scope, optimizer.GlobalStepVariableName} {
		if err := store.DeleteVariablesInScope(path); err != nil {
			return err
		}
	}
	return nil
}

func arguments(batch []*tensors.Tensor) []any {
	args := make([]any, len(batch))
	for i, t := range batch {
		args[i] = t
	}
	return args
}

// finalize frees tensors now rather than when the garbage collector finds them.
func finalize(ts []*tensors.Tensor) {
	for _, t := range ts {
		t.MustFinalizeAll()
	}
}

func ascending(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

func nans(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = math.NaN()
	}
	return values
}
