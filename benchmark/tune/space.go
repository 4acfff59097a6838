package tune

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/registry"
)

// logFrom is how many times the lower end of a range of numbers the upper one is, from which on it is drawn from by the
// logarithm.
const logFrom = 10

// drawnPrecision is how many significant figures a number has that is drawn from a range.
const drawnPrecision = 3

// Space is what a search tries: values of some options of a method. The other options do not
// change.
type Space struct {
	Base       registry.Selection
	Dimensions []Dimension
}

// Dimension is an option and its values to try: a list of values as written, or a range without a
// list.
type Dimension struct {
	core.Option
	Values    []string
	Low, High float64
	Log       bool // a range is drawn from by the logarithm
}

// NewSpace reads the options to search, each "name=a,b,c" or "name=low..high". The errors are
// [core.ErrOption] and [core.ErrDuplicate].
func NewSpace(base registry.Selection, texts []string) (s Space, err error) {
	s.Base = base
	_, query, _ := strings.Cut(base.Written, "?")
	given := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		given[name] = base.Written
	}
	for _, text := range texts {
		d, err := newDimension(base.Description, text)
		if err != nil {
			return s, err
		}
		if first := given[d.Name]; first != "" {
			return s, fmt.Errorf("%w: the option %s is given by %q and by %q; give it once", core.ErrDuplicate, d.Name, first,
				text)
		}
		given[d.Name] = text
		s.Dimensions = append(s.Dimensions, d)
	}
	return s, nil
}

func newDimension(of core.Description, text string) (d Dimension, err error) {
	name, list, ok := strings.Cut(text, "=")
	if !ok || list == "" {
		return d, fmt.Errorf("%w: %q gives no values; write NAME=A,B,C or NAME=LOW..HIGH", core.ErrOption, text)
	}
	if d.Option, ok = of.Option(name); !ok {
		_, err := of.Resolve(map[string]any{name: nil})
		return d, err
	}
	if low, high, ranged := strings.Cut(list, ".."); ranged && d.Type() != "text" {
		return d, d.setRange(text, low, high)
	}
	for value := range strings.SplitSeq(list, ",") {
		value = strings.TrimSpace(value)
		if _, err := d.Parse(value); err != nil {
			return d, err
		}
		d.Values = append(d.Values, value)
	}
	return d, nil
}

// setRange reads both ends of a range.
func (d *Dimension) setRange(text, low, high string) error {
	kind := d.Type()
	if kind != "int" && kind != "float" {
		return fmt.Errorf("%w: %q is a range, but %s takes %s; list the values, separated by commas", core.ErrOption, text,
			d.Name, d.Range())
	}
	for _, end := range []struct {
		text  string
		value *float64
	}{{low, &d.Low}, {high, &d.High}} {
		value, err := d.Parse(strings.TrimSpace(end.text))
		if err != nil {
			return err
		}
		switch v := value.(type) {
		case int:
			*end.value = float64(v)
		case float64:
			*end.value = v
		}
	}
	if !(d.Low < d.High) {
		return fmt.Errorf("%w: the range %q is empty; put the smaller end first", core.ErrOption, text)
	}
	d.Log = kind == "float" && d.Low > 0 && d.High/d.Low >= logFrom
	return nil
}

// Ranged reports whether one of the options has a range. Then trials are drawn at random.
func (s Space) Ranged() bool {
	for _, d := range s.Dimensions {
		if d.Values == nil {
			return true
		}
	}
	return false
}

// Trials lists the trials as a command line writes methods, each once. The first is the method as
// given. Without a range, the trials are all combinations, and the error is [core.ErrOption] if
// there are more than results can hold. With a range, they are n trials drawn from a stream of the
// seed, or fewer if there are not as many. Equal arguments give equal trials, and a larger n gives
// the same ones and more.
func (s Space) Trials(n int, seed int64) ([]string, error) {
	l := &lister{space: s, seen: map[string]bool{}}
	base := s.Base.Options.Map()
	start := make([]string, len(s.Dimensions))
	for i, d := range s.Dimensions {
		start[i] = fmt.Sprint(base[d.Name])
	}
	l.seen[l.key(start)] = true
	l.trials = []string{s.Base.Written}
	if !s.Ranged() {
		return l.grid()
	}
	random := core.NewStream(seed, "tune", s.Base.Description.Name)
	const triesEach = 100
	for range triesEach * n {
		if len(l.trials) == n {
			break
		}
		values := make([]string, len(s.Dimensions))
		for i, d := range s.Dimensions {
			values[i] = d.draw(random)
		}
		l.add(values)
	}
	return l.trials, nil
}

// lister collects trials.
type lister struct {
	space  Space
	seen   map[string]bool
	trials []string
}

// key tells values of the options apart: 1e-3 and 0.001 are one.
func (l *lister) key(values []string) string {
	parsed := make([]string, len(values))
	for i, text := range values {
		v, _ := l.space.Dimensions[i].Parse(text) // of values that were read so before
		parsed[i] = fmt.Sprintf("%q", fmt.Sprint(v))
	}
	return strings.Join(parsed, ",")
}

func (l *lister) add(values []string) {
	key := l.key(values)
	if l.seen[key] {
		return
	}
	l.seen[key] = true
	written := l.space.Base.Written
	separator := "?"
	if strings.Contains(written, "?") {
		separator = "&"
	}
	for i, d := range l.space.Dimensions {
		written += separator + d.Name + "=" + registry.EscapeValue(values[i])
		separator = "&"
	}
	l.trials = append(l.trials, written)
}

// grid adds all combinations, the last option changing first.
func (l *lister) grid() ([]string, error) {
	count := 1
	for _, d := range l.space.Dimensions {
		if count *= len(d.Values); count > results.MaxTrials {
			return nil, fmt.Errorf("%w: a grid of more than %d trials, the limit of a search; list fewer values, or give a "+
				"range and --trials", core.ErrOption, results.MaxTrials)
		}
	}
	for k := range count {
		values := make([]string, len(l.space.Dimensions))
		for i := len(values) - 1; i >= 0; i-- {
			of := l.space.Dimensions[i].Values
			values[i] = of[k%len(of)]
			k /= len(of)
		}
		l.add(values)
	}
	return l.trials[:min(len(l.trials), results.MaxTrials)], nil
}

// draw draws a value.
func (d Dimension) draw(random *rand.Rand) string {
	switch {
	case d.Values != nil:
		return d.Values[random.IntN(len(d.Values))]
	case d.Type() == "int":
		return strconv.FormatInt(int64(d.Low)+random.Int64N(int64(d.High-d.Low)+1), 10)
	case d.Log:
		return d.short(math.Exp(math.Log(d.Low) + random.Float64()*(math.Log(d.High)-math.Log(d.Low))))
	}
	return d.short(d.Low + random.Float64()*(d.High-d.Low))
}

// short writes a number of the range in short, which does not take it out of the range.
func (d Dimension) short(v float64) string {
	text := strconv.FormatFloat(v, 'g', drawnPrecision, 64)
	if rounded, err := strconv.ParseFloat(text, 64); err == nil && rounded >= d.Low && rounded <= d.High {
		return text
	}
	return strconv.FormatFloat(min(max(v, d.Low), d.High), 'g', -1, 64)
}

// Described returns the options of the search for its results.
func (s Space) Described() []results.SearchOption {
	all := make([]results.SearchOption, len(s.Dimensions))
	for i, d := range s.Dimensions {
		all[i] = results.SearchOption{Name: d.Name, Log: d.Log}
		if d.Values == nil {
			all[i].Low, all[i].High = &d.Low, &d.High
			continue
		}
		for _, text := range d.Values {
			value, _ := d.Parse(text) // of values that were read so before
			all[i].Values = append(all[i].Values, value)
		}
	}
	return all
}
