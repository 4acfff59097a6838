package check

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/koopbench/koopbench/core"
)

// Options say how to check. Nil options are the defaults.
type Options struct {
	// Shape is the shape of the snapshots of the synthetic sequence; nil for 28×28.
	Shape []int
	// States is the number of patterns through which the sequence cycles, and the number of states in
	// the Training of a fit; 0 for 4. A snapshot must have at least twice as many values.
	States int
	// Snapshots is the length of the sequence that a fit must learn, a quarter of which is for
	// validation; 0 for 240. It is at least 10 for each state.
	Snapshots int
	// Epochs is the value of the option "epochs" in fits that must learn, if the thing declares this
	// option and Settings does not set it; 0 for 40. All other fits have 2 epochs.
	Epochs int
	// Settings are values of the thing's options in all fits, evaluations and openings; nil for the
	// defaults. With a small split and few steps, the checks of a task are fast.
	Settings map[string]any
	// Accuracy is the least share of right answers that counts as having learned the sequence; 0 for
	// half-way between chance and one.
	Accuracy float64
	// Timeout is the time limit of each check; 0 for a minute.
	Timeout time.Duration
	// Grace is the time in which a call must return after its context has ended; 0 for 5 s.
	Grace time.Duration
	// Expect has the reason for each check that is known to fail. Such a check fails if it passes.
	Expect map[string]string
	// Only are the checks to run, together with those that they need; nil for all. Names for other
	// kinds of things are ignored.
	Only []string
	// Reference is another implementation, of the same kind, whose outputs must be equal to the bit; nil for none.
	Reference any
	// Observe is called with each result as soon as it exists; nil for no call.
	Observe func(Result)
}

// resolved returns the options with their defaults.
func (o *Options) resolved() Options {
	var r Options
	if o != nil {
		r = *o
	}
	if r.Shape == nil {
		r.Shape = []int{28, 28}
	}
	r.Shape, r.Settings, r.Expect = slices.Clone(r.Shape), maps.Clone(r.Settings), maps.Clone(r.Expect)
	r.States = orElse(r.States, 4)
	r.Snapshots = orElse(r.Snapshots, 240)
	r.Epochs = orElse(r.Epochs, 40)
	r.Accuracy = orElse(r.Accuracy, (1+1/float64(max(1, r.States)))/2)
	r.Timeout = orElse(r.Timeout, time.Minute)
	r.Grace = orElse(r.Grace, 5*time.Second)
	return r
}

func orElse[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// mostValues is the largest size of a snapshot.
const mostValues = 1 << 24

// validate returns an error that names the first option that cannot be used. known are the checks that there are.
func (o Options) validate(known []string) error {
	size := 1
	for _, axis := range o.Shape {
		if axis < 1 || axis > mostValues/size {
			return wrong(fmt.Sprintf("give axes of at least 1, and at most %d values in all", mostValues),
				"Shape is %v", o.Shape)
		}
		size *= axis
	}
	switch {
	case o.States < 2:
		return wrong("give at least 2", "States is %d", o.States)
	case size < 2*o.States:
		return wrong("give a larger Shape or fewer States", "Shape %v has %d values; %d patterns need at least %d", o.Shape,
			size, o.States, 2*o.States)
	case o.Snapshots < 10*o.States:
		return wrong(fmt.Sprintf("give at least %d", 10*o.States), "Snapshots is %d for %d patterns", o.Snapshots, o.States)
	case o.Epochs < 1:
		return wrong("give at least 1", "Epochs is %d", o.Epochs)
	case !(o.Accuracy > 0 && o.Accuracy <= 1):
		return wrong("give a share in (0, 1]", "Accuracy is %v", o.Accuracy)
	case o.Timeout < 0 || o.Grace < 0:
		return wrong("give positive times", "Timeout is %v, Grace is %v", o.Timeout, o.Grace)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Expect)) {
		if !slices.Contains(known, name) {
			return wrong("name an existing check", "Expect: %s", core.Unknown("check", name, known))
		}
		if o.Expect[name] == "" {
			return wrong("say why in the value of the map", "Expect gives no reason for the failure of %q", name)
		}
	}
	return nil
}

// values returns option values for a fit: the settings, and few epochs where the description declares that option.
func (o Options) values(d core.Description, brief bool) map[string]any {
	values := maps.Clone(o.Settings)
	if values == nil {
		values = map[string]any{}
	}
	option, declared := d.Option(epochsOption)
	if _, whole := option.Default.(int); !declared || !whole {
		return values
	}
	epochs, given := values[epochsOption].(int)
	if !given {
		epochs = o.Epochs
	}
	if brief {
		epochs = min(epochs, briefEpochs)
	}
	values[epochsOption] = int(min(max(float64(epochs), option.Min), option.Max))
	return values
}

const (
	epochsOption = "epochs"
	briefEpochs  = 2
)
