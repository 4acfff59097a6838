package compose

import (
	"cmp"
	"context"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// LossOptions are further options of an embedder that is trained under a loss. The zero value means
// the defaults.
type LossOptions struct {
	// Name, Summary and Doc describe the embedder. If Name is empty, it is "loss:" and the name of the
	// loss. If Summary or Doc is empty, it is that of the loss.
	Name, Summary, Doc string
	// Network is the encoder; nil for [nn.Reference]. If it is an [nn.Configurable], its options are
	// options of the embedder.
	Network nn.Encoder
	// Views has the defaults of the options normalise, lagged, constant and centre; nil for [DefaultViews].
	Views *Views
	// Features is the default number of features, including the constant one; 0 for the number of
	// states.
	Features int
	// Schedule has the defaults of the options of training; nil for [DefaultSchedule].
	Schedule *nn.Schedule
}

// DefaultSchedule is the schedule of a loss that names no other.
var DefaultSchedule = nn.Schedule{Epochs: 50, BatchSize: 64, LearningRate: 2e-3, WeightDecay: 0.01}

// LossEmbedder returns the embedder that trains an encoder under a loss. The loss compares two
// views of a batch of lagged pairs: the features of snapshots, and those of their successors.
// Options determine the features and the difference of the two views ([Views]), the number of
// features, and how long and fast to train ([nn.ScheduleOptions]).
//
// A loss that is an [nn.GraphLoss] is part of the graph of a training step. Any other loss is
// evaluated outside the graph: it gets the two views u and v, both n×d, and returns the value and
// its derivatives ∂u and ∂v. The encoder is then trained by the gradient of ⟨u, ∂u⟩ + ⟨v, ∂v⟩.
//
// The embedder and the loss have a guard around them ([core.Guard]). Nil options are the defaults.
func LossEmbedder(runtime *nn.Runtime, loss core.Loss, o *LossOptions) core.Embedder {
	if o == nil {
		o = &LossOptions{}
	}
	e := &lossEmbedder{runtime: runtime, loss: core.GuardLoss(loss), network: nn.Reference{}}
	if o.Network != nil {
		e.network = o.Network
	}
	views, schedule := DefaultViews, DefaultSchedule
	if o.Views != nil {
		views = *o.Views
	}
	if o.Schedule != nil {
		schedule = *o.Schedule
	}
	l := loss.Describe()
	e.description = core.Description{
		Name:     firstOf(o.Name, "loss:"+l.Name),
		Summary:  firstOf(o.Summary, l.Summary),
		Doc:      firstOf(o.Doc, l.Doc),
		Options:  append(nn.ScheduleOptions(schedule), views.options(o.Features)...),
		Exposure: l.Exposure,
	}
	e.description.Options, e.lossPart = join(e.description.Options, "loss", l.Options)
	e.description.Options, e.networkPart = join(e.description.Options, "encoder", nn.EncoderOptions(e.network))
	return core.GuardEmbedder(e)
}

type lossEmbedder struct {
	description core.Description
	runtime     *nn.Runtime
	loss        core.Loss
	lossPart    part
	networkPart part
	network     nn.Encoder
}

var (
	_ core.Embedder        = (*lossEmbedder)(nil)
	_ core.EmbeddingLoader = (*lossEmbedder)(nil)
	_ core.Checker         = (*lossEmbedder)(nil)
)

func (e *lossEmbedder) Describe() core.Description { return e.description }

// viewer is what the options and the shape of the snapshots make.
func (e *lossEmbedder) viewer(t *core.Training) (viewer, error) {
	options, err := e.networkPart.read(t.Options)
	if err != nil {
		return viewer{}, err
	}
	network, err := nn.Choose(e.network, t.Train.Shape(), options)
	if err != nil {
		return viewer{}, err
	}
	_, centred := e.loss.Describe().Option(centreOption)
	v := viewer{readViews(t.Options), network, lossFeatures(t), centred}
	return v, cmp.Or(v.check(), v.checkBatch(nn.ReadSchedule(t.Options).BatchSize))
}

// Check implements [core.Checker].
func (e *lossEmbedder) Check(t *core.Training) error {
	_, err := e.viewer(t)
	return err
}

func (e *lossEmbedder) Fit(ctx context.Context, t *core.Training) (_ core.Embedding, err error) {
	defer core.Recover(&err)
	twin, err := e.viewer(t)
	if err != nil {
		return nil, err
	}
	options, err := e.lossPart.read(t.Options)
	if err != nil {
		return nil, err
	}
	backend, err := e.runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	store := nn.NewStore(t.Seed, t.Name)
	scored, err := newScoring(backend, store, twin, e.loss, options)
	if err != nil {
		return nil, err
	}
	defer scored.close()
	history, err := (&nn.Trainer{
		Backend:     backend,
		Store:       store,
		Schedule:    nn.ReadSchedule(t.Options),
		Loss:        scored.graph,
		Metrics:     []string{degenerate},
		Train:       nn.Pairs(t.Train, t.Lag),
		Validation:  nn.Pairs(t.Validation, t.Lag),
		Shuffle:     t.Stream("shuffle"),
		Progress:    t.Progress,
		Checkpoints: t.Checkpoints,
		Extend:      scored.extend,
		Memory:      &scored.memory,
	}).Run(ctx)
	if err != nil {
		return nil, err
	}
	parameters := nn.NumParameters(store)
	if err := twin.settle(ctx, backend, store, t.Train); err != nil {
		return nil, err
	}
	return newLossEmbedding(backend, store, t.Train.Shape(), twin, core.Report{
		History:        history.Epochs,
		Parameters:     parameters,
		CompileSeconds: history.CompileSeconds + scored.compile.Seconds(),
		Warnings:       append(scored.warnings(history), history.Warnings...),
	})
}

// lossFeatures is the number of features that a fit asks for. If it says nothing, there is one
// beside a constant at least.
func lossFeatures(t *core.Training) int {
	least := 1
	if t.Options.Bool(constantOption) {
		least = 2
	}
	return cmp.Or(t.Options.Int(featuresOption), max(t.States, least))
}

// Load implements [core.EmbeddingLoader].
func (e *lossEmbedder) Load(ctx context.Context, s *core.Saved) (_ core.Embedding, err error) {
	defer core.Recover(&err)
	n, err := nn.LoadNetwork(&s.State)
	if err != nil {
		return nil, err
	}
	network, err := nn.SavedEncoder(n, e.network)
	if err != nil {
		return nil, err
	}
	if err := network.CheckShape(n.Shape); err != nil {
		return nil, err
	}
	backend, err := e.runtime.BackendFor(ctx)
	if err != nil {
		return nil, err
	}
	twin, err := savedViews(&s.State, network, n.Features)
	if err != nil {
		return nil, err
	}
	return newLossEmbedding(backend, n.Store, n.Shape, twin, core.Report{Parameters: nn.NumParameters(n.Store)})
}
