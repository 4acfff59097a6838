package nn

import (
	"math"

	"github.com/koopbench/koopbench/core"
)

// Schedule says how long and how fast to train. Everything else is as in [Trainer].
type Schedule struct {
	Epochs       int     // passes over the training data
	BatchSize    int     // examples a step; the last batch of an epoch may be smaller
	LearningRate float64 // the largest one of the training
	WeightDecay  float64 // on every parameter

	Optimiser Optimiser `json:",omitzero"` // "" for [AdamW]
	Rates     Rates     `json:",omitzero"` // "" for [ConstantRate]
	// Clip is the largest Euclidean norm of the gradient by all parameters together; 0 for no limit. A
	// longer gradient is scaled down to it.
	Clip float64 `json:",omitzero"`
	// Patience ends the training after this number of epochs without a lower validation loss. Then the
	// parameters of the epoch with the lowest validation loss are kept, even if all epochs were
	// trained. 0 means that all epochs are trained and the parameters of the last one are kept.
	Patience int `json:",omitzero"`
}

// Optimiser is the rule that changes parameters by their gradients.
type Optimiser string

const (
	// AdamW applies the weight decay to the parameter, separately from the gradient (Loshchilov and
	// Hutter, Decoupled weight decay regularization, ICLR 2019).
	AdamW Optimiser = "adamw"
	// Adam adds the weight decay to the gradient, as the parameter times the decay (Kingma and Ba,
	// Adam: a method for stochastic optimization, ICLR 2015). Without weight decay, Adam and AdamW are
	// the same.
	Adam Optimiser = "adam"
)

// Rates is how the learning rate changes during training.
type Rates string

const (
	// ConstantRate is the same in all steps.
	ConstantRate Rates = "constant"
	// CosineRate falls to 0 as half a cosine (Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts,
	// ICLR 2017, without restarts).
	CosineRate Rates = "cosine"
	// OneCycleRate rises from a 25th of the largest rate for three tenths of the steps, and then falls
	// to a 250 000th of it. Both parts are half a cosine (Smith and Topin, Super-convergence, 2019,
	// with the numbers of PyTorch's OneCycleLR). The momentum does not change.
	OneCycleRate Rates = "one-cycle"
)

const (
	oneCycleRise  = 0.3
	oneCycleFirst = 1.0 / 25
	oneCycleLast  = oneCycleFirst / 1e4
)

// rate is the learning rate at a step, 0 … steps-1.
func (s Schedule) rate(step, steps int) float64 {
	cosine := func(from, to, way float64) float64 { return to + (from-to)*(1+math.Cos(math.Pi*way))/2 }
	switch s.Rates {
	case CosineRate:
		return s.LearningRate * cosine(1, 0, float64(step)/float64(steps))
	case OneCycleRate:
		top := oneCycleRise*float64(steps) - 1
		if at := float64(step); at < top {
			return s.LearningRate * cosine(oneCycleFirst, 1, at/top)
		}
		top = max(top, 0)
		return s.LearningRate * cosine(1, oneCycleLast, (float64(step)-top)/max(float64(steps)-1-top, 1))
	}
	return s.LearningRate
}

// ScheduleOptions declares the options of a schedule. Their defaults are those of s.
func ScheduleOptions(s Schedule) []core.Option {
	optimiser := core.ChoiceOption("optimiser", "optimiser of the parameters",
		string(AdamW), string(Adam))
	rates := core.ChoiceOption("schedule", "how the learning rate changes during training",
		string(ConstantRate), string(CosineRate), string(OneCycleRate))
	if s.Optimiser != "" {
		optimiser.Default = string(s.Optimiser)
	}
	if s.Rates != "" {
		rates.Default = string(s.Rates)
	}
	return []core.Option{
		core.IntOption("epochs", s.Epochs, 1, 100_000, "passes over the training data"),
		core.FloatOption("lr", s.LearningRate, 0, 10, "learning rate; the largest one, if the schedule changes it"),
		core.IntOption("batch_size", s.BatchSize, 1, 65_536,
			"examples per training step, such as pairs of snapshots; the last step of an epoch may have fewer"),
		core.FloatOption("weight_decay", s.WeightDecay, 0, 10,
			"weight decay; adamw applies it separately, adam adds it to the gradient"),
		optimiser, rates,
		core.FloatOption("clip", s.Clip, 0, math.MaxFloat64,
			"largest norm of the gradient of all parameters together; 0 for no limit"),
		core.IntOption("patience", s.Patience, 0, 100_000,
			"stop after this many epochs without a lower validation loss, and keep the best epoch; 0 to train all epochs and "+
				"keep the last"),
	}
}

// ReadSchedule reads the options that [ScheduleOptions] declares.
func ReadSchedule(o core.Options) Schedule {
	return Schedule{
		Epochs:       o.Int("epochs"),
		BatchSize:    o.Int("batch_size"),
		LearningRate: o.Float("lr"),
		WeightDecay:  o.Float("weight_decay"),
		Optimiser:    Optimiser(o.String("optimiser")),
		Rates:        Rates(o.String("schedule")),
		Clip:         o.Float("clip"),
		Patience:     o.Int("patience"),
	}
}
