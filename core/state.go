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

// State is something fitted, or an unfinished fit, in a form that can be stored: named arrays, and
// facts for everything that is not an array.
type State struct {
	// Facts is JSON that the thing of this state writes and reads; nil for nothing. JSON cannot
	// represent numbers that are not finite: these belong in arrays.
	Facts []byte
	// Arrays have names made of words joined by slashes: "encoder/linear/weights". Words are made of
	// letters, digits, "_", "-" and ".". No array has the name [StateHeader].
	Arrays map[string]Array
}

// StateHeader is the name of the header in files of states, which says what the state is. An array
// cannot have this name.
const StateHeader = "header.json"

// Array is an array of any shape, with its values in row-major order. Values is a []float32,
// []float64, []int64 or []uint8.
type Array struct {
	Shape  []int
	Values any
}

// Saved is what a load gets. Nothing may write to it.
type Saved struct {
	State
	// OracleEmbedding is the encoder of the oracle that judged the run, for things that declare
	// [OracleExposed]; nil otherwise.
	OracleEmbedding Embedding
}

var stateName = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)

// Validate returns [ErrShape] if the values of an array do not fill its shape or have another type.
// It returns [ErrDescription] for a name that an array cannot have, or for facts that are not JSON.
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

// Add adds the arrays of a part under "name/…". The caller puts the facts of parts into the facts
// of the whole.
func (s *State) Add(name string, part *State) {
	if s.Arrays == nil {
		s.Arrays = map[string]Array{}
	}
	for n, a := range part.Arrays {
		s.Arrays[name+"/"+n] = a
	}
}

// Part returns the part with the given facts, whose arrays are those under "name/…".
func (s *State) Part(name string, facts []byte) *State {
	part := &State{Facts: facts, Arrays: map[string]Array{}}
	for n, a := range s.Arrays {
		if below, ok := strings.CutPrefix(n, name+"/"); ok {
			part.Arrays[below] = a
		}
	}
	return part
}

// StateValues returns the values of an array of a state. The error is [ErrShape] if there is no
// array with that name, type of values and number of axes. The values belong to the state.
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

// Checkpoints keeps the state of an unfinished fit, so that a fit that is killed can be continued
// instead of repeated. Several goroutines may use it at the same time.
type Checkpoints interface {
	// Names lists the states that can be loaded, in no order.
	Names() []string
	// Load returns the last state that an identical, unfinished fit stored under the name, or nil if
	// there is none. A fit that continues from it gives the same result as one without an
	// interruption, to the bit.
	Load(name string) *State
	// Due reports whether it is time to store. It costs almost nothing, and a fit should call it after
	// every step.
	Due() bool
	// Every is roughly how often Due becomes true, for a fit that measures time itself; 0 for never.
	Every() time.Duration
	// Store keeps a state in place of the one with the same name, which must pass
	// [CheckCheckpointName]. If it cannot keep the state, the fit does not fail and gets no error.
	// Store does not refer to s after it has returned.
	Store(name string, s *State)
}

var checkpointName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// CheckCheckpointName returns [ErrDescription] unless the name can be that of a checkpoint: at most
// 40 lower-case letters, digits and hyphens.
func CheckCheckpointName(name string) error {
	if !checkpointName.MatchString(name) {
		return fmt.Errorf("%w: the name %q of a checkpoint must be lower-case letters, digits and hyphens, at most 40",
			ErrDescription, name)
	}
	return nil
}

// Leftovers are the states that an earlier fit has left. Each can be loaded once. A [Checkpoints]
// gets Names and Load if it embeds Leftovers. The zero value has none. Several goroutines may use
// Leftovers at the same time.
type Leftovers struct {
	mu     sync.Mutex
	states map[string]*State
	loaded bool
}

// Leave adds a state in place of the one with the same name.
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

// Loaded reports whether any state was loaded.
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
