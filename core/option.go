package core

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Option declares one typed option. Default gives its type (bool, int, float64 or string), and its
// value if the user gives none. Make one with [BoolOption], [IntOption], [FloatOption],
// [ChoiceOption] or [TextOption].
type Option struct {
	Name    string
	Doc     string // one line without a full stop
	Default any
	Min     float64  // least value of a number
	Max     float64  // largest value of a number; most bytes of a text
	Choices []string // the values of a string; none for a text
}

// BoolOption declares a switch.
func BoolOption(name string, def bool, doc string) Option {
	return Option{Name: name, Doc: doc, Default: def}
}

// IntOption declares a whole number in [least, most].
func IntOption(name string, def, least, most int, doc string) Option {
	return Option{Name: name, Doc: doc, Default: def, Min: float64(least), Max: float64(most)}
}

// FloatOption declares a real number in [least, most].
func FloatOption(name string, def, least, most float64, doc string) Option {
	return Option{Name: name, Doc: doc, Default: def, Min: least, Max: most}
}

// ChoiceOption declares a choice of several words. The first is the default.
func ChoiceOption(name string, doc string, choices ...string) Option {
	return Option{Name: name, Doc: doc, Default: append(choices, "")[0], Choices: choices}
}

// TextOption declares free text, such as a path or the name of a device: UTF-8 without control
// characters, of at most the given number of bytes, 1 to [MaxText]. It may be empty.
func TextOption(name, def string, most int, doc string) Option {
	return Option{Name: name, Doc: doc, Default: def, Max: float64(most)}
}

// isText reports whether the option is a [TextOption].
func (o Option) isText() bool {
	_, isString := o.Default.(string)
	return isString && len(o.Choices) == 0 && o.Max > 0
}

// Type names the type of the option's values: "bool", "int", "float", "string" for a choice, or
// "text".
func (o Option) Type() string {
	if o.isText() {
		return "text"
	}
	switch o.Default.(type) {
	case bool:
		return "bool"
	case int:
		return "int"
	case float64:
		return "float"
	case string:
		return "string"
	}
	return fmt.Sprintf("%T", o.Default)
}

// Range describes the values that the option takes.
func (o Option) Range() string {
	if o.isText() {
		return fmt.Sprintf("at most %.0f bytes of UTF-8 without control characters", o.Max)
	}
	switch o.Default.(type) {
	case bool:
		return "true or false"
	case string:
		return strings.Join(o.Choices, ", ")
	}
	format, most := "%v", math.MaxFloat64
	if _, whole := o.Default.(int); whole {
		format, most = "%.0f", math.MaxInt
	}
	switch below, above := o.Min > -most, o.Max < most; {
	case below && above:
		return fmt.Sprintf(format+" … "+format, o.Min, o.Max)
	case below:
		return fmt.Sprintf("at least "+format, o.Min)
	case above:
		return fmt.Sprintf("at most "+format, o.Max)
	}
	return typeWords[o.Type()]
}

// Parse reads a value as the user writes it and checks it. The error is [ErrOption].
func (o Option) Parse(text string) (any, error) {
	var value any
	var err error
	switch o.Default.(type) {
	case bool:
		value, err = strconv.ParseBool(text)
	case int:
		value, err = strconv.Atoi(text)
	case float64:
		value, err = strconv.ParseFloat(text, 64)
	default:
		value = text
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s=%s: %q is not %s", ErrOption, o.Name, text, text, typeWords[o.Type()])
	}
	return value, o.Check(value)
}

var typeWords = map[string]string{"bool": "true or false", "int": "a whole number", "float": "a number"}

// Check returns [ErrOption] if value does not have the option's type or is outside its range.
func (o Option) Check(value any) error {
	number := math.NaN()
	switch v := value.(type) {
	case int:
		number = float64(v)
	case float64:
		number = v
	}
	switch o.Default.(type) {
	case bool:
		if _, ok := value.(bool); ok {
			return nil
		}
	case int:
		if _, ok := value.(int); ok && number >= o.Min && number <= o.Max {
			return nil
		}
	case float64:
		if _, ok := value.(float64); ok && number >= o.Min && number <= o.Max {
			return nil
		}
	case string:
		s, ok := value.(string)
		if ok && o.isText() {
			return o.checkFree(s)
		}
		if ok && slices.Contains(o.Choices, s) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s=%v: give %s (%s)", ErrOption, o.Name, value, o.Range(), o.Type())
}

// checkFree checks a value of a [TextOption].
func (o Option) checkFree(text string) error {
	err := checkText("the text", text, int(o.Max))
	if o.Name == DataOption && len(text) <= int(o.Max) {
		err = nil // a path may be any bytes
	}
	if err == nil && strings.ContainsFunc(text, unicode.IsControl) {
		err = errors.New("the text has a control character; leave it out")
	}
	if err != nil {
		return fmt.Errorf("%w: %s=%.80q: %w", ErrOption, o.Name, text, err)
	}
	return nil
}

var optionPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// The limits of a [Description] and its options.
const (
	// MaxText is the most bytes that a [TextOption] can take: those of the longest path of Linux.
	MaxText = 4096

	maxLine    = 1 << 10  // bytes of a summary, of an option's doc, or of a choice
	maxDoc     = 64 << 10 // bytes of a description's doc
	maxOptions = 256
	maxChoices = 1024
)

func (o Option) validate() error {
	if !optionPattern.MatchString(o.Name) {
		return fmt.Errorf("the option name %q must be 1 to 40 lower-case letters, digits and underscores, a letter first",
			o.Name)
	}
	if o.Doc == "" {
		return fmt.Errorf("the option %q has no doc", o.Name)
	}
	if err := checkText("the doc of the option "+o.Name, o.Doc, maxLine); err != nil {
		return err
	}
	if len(o.Choices) > maxChoices {
		return fmt.Errorf("the option %q has %d choices; the most is %d", o.Name, len(o.Choices), maxChoices)
	}
	for _, choice := range o.Choices {
		if err := checkText("a choice of the option "+o.Name, choice, maxLine); err != nil {
			return err
		}
	}
	if o.Min-o.Min != 0 || o.Max-o.Max != 0 {
		const remedy = "both ends must be finite; use math.MaxFloat64 for no limit"
		return fmt.Errorf("the option %q takes numbers in %v … %v; "+remedy, o.Name, o.Min, o.Max)
	}
	switch o.Default.(type) {
	case bool:
	case string:
		if len(o.Choices) == 0 && !o.isText() {
			return fmt.Errorf("the option %q has neither choices nor a largest size of its text; give one of them", o.Name)
		}
		if o.isText() && (o.Max > MaxText || o.Max != math.Trunc(o.Max)) {
			return fmt.Errorf("the option %q takes %v bytes of text; give a whole number in 1 … %d",
				o.Name, o.Max, MaxText)
		}
	case int:
		if o.Min != math.Trunc(o.Min) || o.Max != math.Trunc(o.Max) {
			return fmt.Errorf("the option %q takes whole numbers in %v … %v; both ends must be whole",
				o.Name, o.Min, o.Max)
		}
	case float64:
	default:
		return fmt.Errorf("the default of option %q is a %T; it must be a bool, int, float64 or string",
			o.Name, o.Default)
	}
	if o.Min > o.Max {
		return fmt.Errorf("the option %q takes numbers in %v … %v, an empty range; give the smaller end first",
			o.Name, o.Min, o.Max)
	}
	return o.Check(o.Default)
}

// checkText checks that a text is UTF-8 of at most so many bytes.
func checkText(what, text string, most int) error {
	switch {
	case len(text) > most:
		return fmt.Errorf("%s has %d bytes; the most is %d", what, len(text), most)
	case !utf8.ValidString(text):
		return fmt.Errorf("%s is %.80q, which is not UTF-8", what, text)
	}
	return nil
}

// Options holds a value for each declared option. It is immutable.
type Options struct{ values map[string]any }

// Resolve gives every declared option a value: the given one, which it checks, or the default. The
// error is [ErrOption], also for an option that d does not declare, and names the options that
// exist.
func (d Description) Resolve(given map[string]any) (Options, error) {
	values := make(map[string]any, len(d.Options))
	for _, o := range d.Options {
		values[o.Name] = o.Default
	}
	for name, value := range given {
		o, ok := d.Option(name)
		if !ok {
			return Options{}, d.unknownOption(name)
		}
		if err := o.Check(value); err != nil {
			return Options{}, fmt.Errorf("%s: %w", d.Name, err)
		}
		values[name] = value
	}
	return Options{values}, nil
}

// ParseOptions is [Description.Resolve] for values as the user writes them.
func (d Description) ParseOptions(given map[string]string) (Options, error) {
	values := make(map[string]any, len(given))
	for name, text := range given {
		o, ok := d.Option(name)
		if !ok {
			return Options{}, d.unknownOption(name)
		}
		value, err := o.Parse(text)
		if err != nil {
			return Options{}, fmt.Errorf("%s: %w", d.Name, err)
		}
		values[name] = value
	}
	return d.Resolve(values)
}

func (d Description) unknownOption(name string) error {
	names := make([]string, len(d.Options))
	for i, o := range d.Options {
		names[i] = o.Name
	}
	slices.Sort(names)
	return fmt.Errorf("%s: %w: %s", d.Name, ErrOption, Unknown("option", name, names))
}

// Bool returns the value of a [BoolOption]. Bool, Int, Float and String panic if the option was not
// declared with that type. This is a mistake of the method's author, and any call reveals it.
func (o Options) Bool(name string) bool { return o.values[name].(bool) }

// Int returns the value of an [IntOption].
func (o Options) Int(name string) int { return o.values[name].(int) }

// Float returns the value of a [FloatOption].
func (o Options) Float(name string) float64 { return o.values[name].(float64) }

// String returns the value of a [ChoiceOption] or a [TextOption].
func (o Options) String(name string) string { return o.values[name].(string) }

// Map returns a copy of the names and values.
func (o Options) Map() map[string]any { return maps.Clone(o.values) }
