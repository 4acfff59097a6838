package core

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// State is something fitted, or a fit under way, in a form that can be stored: named arrays, and
// beside them whatever is not an array.
type State struct {
	// Facts is JSON, as the thing whose state it is writes and reads it; nil for nothing. JSON holds
	// no non-finite number: such belong in arrays.
	Facts []byte
	// Arrays have names of words joined by slashes, each of letters, digits, "_", "-" and ".":
	// "encoder/linear/weights". No array is called [StateHeader].
	Arrays map[string]Array
}

// StateHeader is the name that files of states have for what they say about the state; it is no name of an array.
const StateHeader = "header.json"

// Array is an array of any shape with its values in row-major order. Values is a []float32,
// []float64, []int64 or []uint8.
type Array struct {
	Shape  []int
	Values any
}

// Saved is what a load is given. Nothing may write to it.
type Saved struct {
	State
	// OracleEmbedding is the encoder of the oracle that judged the run, for what declares [OracleExposed]; nil otherwise.
	OracleEmbedding Embedding
}

var stateName = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)

// Validate returns [ErrShape] if the values of an array do not fill its shape or are of another
// type, and [ErrDescription] for a name that arrays cannot have, or facts that are not JSON.
func (s *State) Validate() error {
	if s.Facts != nil && !json.Valid(s.Facts) {
		return fmt.Errorf("%w: the facts of a state are %.80q, which is not JSON", ErrDescription, s.Facts)
	}
	for name, a := range s.Arrays {
		if name == StateHeader {
			return fmt.Errorf(
				"%w: an array of a state is called %q, which is the name of the header in files of states; give it another name",
				ErrDescription, name)
		}
		if !stateName.MatchString(name) || strings.Contains("/"+name+"/", "/../") || strings.Contains("/"+name+"/", "/./") {
			return fmt.Errorf(
				"%w: an array of a state is called %q; names are words of letters, digits, _, - and . joined by slashes",
				ErrDescription, name)
		}
		if err := a.validate(); err != nil {
			return fmt.Errorf("array %q: %w", name, err)
		}
	}
	return nil
}

func (a Array) validate() error {
	var n int
	switch v := a.Values.(type) {
	case []float32:
		n = len(v)
	case []float64:
		n = len(v)
	case []int64:
		n = len(v)
	case []uint8:
		n = len(v)
	default:
		return fmt.Errorf("%w: its values are a %T; they must be a []float32, []float64, []int64 or []uint8",
			ErrShape, a.Values)
	}
	size := 1
	for _, d := range a.Shape {
		if d < 0 || d > math.MaxInt32 || (d > 0 && size > math.MaxInt32/d) {
			return fmt.Errorf("%w: it has the shape %v; axes are not negative and hold fewer than 2³¹ values together",
				ErrShape, a.Shape)
		}
		size *= d
	}
	if size != n {
		return fmt.Errorf("%w: its %d values do not fill the shape %v", ErrShape, n, a.Shape)
	}
	return nil
}

// Add adds the arrays of a part under "name/…". Facts of parts go into the facts of the whole by the caller.
func (s *State) Add(name string, part *State) {
	if s.Arrays == nil {
		s.Arrays = map[string]Array{}
	}
	for n, a := range part.Arrays {
		s.Arrays[name+"/"+n] = a
	}
}

// Part returns the part whose arrays are those under "name/…", with the given facts.
func (s *State) Part(name string, facts []byte) *State {
	part := &State{Facts: facts, Arrays: map[string]Array{}}
	for n, a := range s.Arrays {
		if below, ok := strings.CutPrefix(n, name+"/"); ok {
			part.Arrays[below] = a
		}
	}
	return part
}

// StateValues returns the values of an array of a state. The error is [ErrShape] if it is not there
// with values of that type and that number of axes. They belong to the state.
func StateValues[T float32 | float64 | int64 | uint8](s *State, name string,
	axes int) (values []T, shape []int, err error) {
	a, ok := s.Arrays[name]
	if !ok {
		return nil, nil, fmt.Errorf("%w: the state has no array %q", ErrShape, name)
	}
	if err := a.validate(); err != nil {
		return nil, nil, fmt.Errorf("array %q: %w", name, err)
	}
	values, ok = a.Values.([]T)
	if !ok || len(a.Shape) != axes {
		return nil, nil, fmt.Errorf("%w: the array %q is a %T of %d axes; it must be a %T of %d", ErrShape, name, a.Values,
			len(a.Shape), values, axes)
	}
	return values, a.Shape, nil
}

// Checkpoints keeps the state of a fit that is under way, so that one which is killed is continued
// rather than repeated. A Checkpoints may be used by several goroutines at a time.
type Checkpoints interface {
	// Names lists what there is to load, in no order.
	Names() []string
	// Load returns what was last stored under the name by an identical fit that did not come to its
	// end, nil where there is nothing. A fit that continues from it gives what it gives undisturbed,
	// to the bit.
	Load(name string) *State
	// Due reports whether it is time to store. It costs next to nothing, and is meant to be asked after every step.
	Due() bool
	// Every is about how often Due becomes true, for a fit that keeps time itself; 0 for never.
	Every() time.Duration
	// Store keeps a state in the place of that of the same name, which [CheckCheckpointName] allows.
	// That it cannot be kept is no reason for a fit to fail, and not told. Store does not refer to s
	// once it has returned.
	Store(name string, s *State)
}

var checkpointName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// CheckCheckpointName returns [ErrDescription] unless the name is one of a checkpoint: at most 40
// lower-case letters, digits and hyphens.
func CheckCheckpointName(name string) error {
	if !checkpointName.MatchString(name) {
		return fmt.Errorf("%w: the name %q of a checkpoint must be lower-case letters, digits and hyphens, at most 40",
			ErrDescription, name)
	}
	return nil
}

// Leftovers are the states that an earlier fit has left, each handed out once: the Names and Load
// of a [Checkpoints] that embeds them. The zero value has none. Leftovers may be used by several
// goroutines at a time.
type Leftovers struct {
	mu     sync.Mutex
	states map[string]*State
	loaded bool
}

// Leave adds a state, in the place of that of the same name.
func (l *Leftovers) Leave(name string, s *State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.states == nil {
		l.states = map[string]*State{}
	}
	l.states[name] = s
}

// Names implements [Checkpoints].
func (l *Leftovers) Names() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.states))
}

// Load implements [Checkpoints].
func (l *Leftovers) Load(name string) *State {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.states[name]
	delete(l.states, name)
	l.loaded = l.loaded || s != nil
	return s
}

// Loaded reports whether any state was handed out.
func (l *Leftovers) Loaded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.loaded
}

// NoCheckpoints keeps nothing.
var NoCheckpoints Checkpoints = noCheckpoints{}

type noCheckpoints struct{}

func (noCheckpoints) Names() []string      { return nil }
func (noCheckpoints) Load(string) *State   { return nil }
func (noCheckpoints) Due() bool            { return false }
func (noCheckpoints) Every() time.Duration { return 0 }
func (noCheckpoints) Store(string, *State) {}
