package registry

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/koopbench/koopbench/core"
)

// Selection is a method with options, as the user chose it.
type Selection struct {
	// Written is how the user wrote it, "vamp?epochs=20": unique in a list of selections.
	Written     string
	Method      core.Method
	Description core.Description
	Options     core.Options
}

// everything is the name that stands for every method that is not on request.
const everything = "all"

// Select reads a list of methods separated by commas. An element is what [Set.Select] reads, a
// pattern in which * stands for any characters and nothing else is special, the name of a group
// ([Registry.Group]), or "all", which stands for every method that is not on request. Patterns,
// groups and "all" choose in alphabetical order and leave out what was named already; naming a
// thing twice is an error. Errors are [core.ErrUnknown],
// [core.ErrOption] and [core.ErrDuplicate].
func (r *Registry) Select(list string) ([]Selection, error) {
	var selections []Selection
	chosen := map[string]bool{}
	add := func(written string) error {
		method, options, err := r.Methods.Select(written)
		if err != nil {
			return err
		}
		chosen[written] = true
		name, _, _ := strings.Cut(written, "?")
		selections = append(selections, Selection{written, method, r.Methods.things[name].description, options})
		return nil
	}
	if !utf8.ValidString(list) {
		return nil, fmt.Errorf("%w: the list of methods %q is not text in UTF-8", core.ErrUnknown, list)
	}
	for element := range strings.SplitSeq(list, ",") {
		element = strings.TrimSpace(element)
		name, _, hasOptions := strings.Cut(element, "?")
		switch {
		case element == "":
			return nil, fmt.Errorf("%w: the list of methods %q has an empty element; there is all, %s", core.ErrUnknown, list, strings.Join(r.Methods.Names(), ", "))
		case r.standsForSeveral(name):
			if hasOptions {
				return nil, fmt.Errorf("%w: %q gives options to several methods; give them to each method by name", core.ErrOption, element)
			}
			names := r.match(name)
			if len(names) == 0 {
				return nil, fmt.Errorf("%w: no method matches %q; there is %s", core.ErrUnknown, name, strings.Join(r.Methods.Names(), ", "))
			}
			for _, n := range names {
				if chosen[n] {
					continue
				}
				if err := add(n); err != nil {
					return nil, err
				}
			}
		default:
			if chosen[element] {
				return nil, fmt.Errorf("%w: %q is named twice", core.ErrDuplicate, element)
			}
			if err := add(element); err != nil {
				return nil, err
			}
		}
	}
	return selections, nil
}

// standsForSeveral reports whether a name is "all", a pattern, or a group that no method is called by.
func (r *Registry) standsForSeveral(name string) bool {
	_, isMethod := r.Methods.things[name]
	_, isGroup := r.groups[name]
	return name == everything || strings.Contains(name, "*") || isGroup && !isMethod
}

func (r *Registry) match(pattern string) []string {
	if pattern == everything {
		return slices.DeleteFunc(r.Methods.Names(), r.Methods.OnRequest)
	}
	if group, ok := r.groups[pattern]; ok {
		return group
	}
	expression := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
	var names []string
	for _, name := range r.Methods.Names() {
		if expression.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}

// Select reads the name of a thing, or its name with options: "vamp?epochs=20&lr=1e-3". In a value,
// % and two hexadecimal digits stand for a byte, as [EscapeValue] writes it. Errors are
// [core.ErrUnknown] and [core.ErrOption].
func (s Set[T]) Select(element string) (T, core.Options, error) {
	name, query, _ := strings.Cut(element, "?")
	thing, err := s.Get(name)
	if err != nil {
		return thing, core.Options{}, err
	}
	given, err := parseQuery(element, query)
	if err != nil {
		return thing, core.Options{}, err
	}
	options, err := s.things[name].description.ParseOptions(given)
	return thing, options, err
}

func parseQuery(element, query string) (map[string]string, error) {
	options := map[string]string{}
	if query == "" {
		return options, nil
	}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%w: in %q, %q is not key=value", core.ErrOption, element, pair)
		}
		if _, twice := options[key]; twice {
			return nil, fmt.Errorf("%w: %q gives %s twice", core.ErrOption, element, key)
		}
		text, err := url.PathUnescape(value)
		if err != nil {
			return nil, fmt.Errorf("%w: in %q, a %% is not before two hexadecimal digits; write %%25 for it",
				core.ErrOption, element)
		}
		options[key] = text
	}
	return options, nil
}

// EscapeValue returns the value of an option as a selection has it: % , & and spaces, and bytes that
// are no UTF-8, are written as % and two hexadecimal digits.
func EscapeValue(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		c, size := utf8.DecodeRuneInString(text)
		odd := c == utf8.RuneError && size == 1 // no UTF-8, which a path need not be
		if !odd && !unicode.IsSpace(c) && !strings.ContainsRune("%,&", c) {
			b.WriteString(text[:size])
		} else {
			for _, part := range []byte(text[:size]) {
				fmt.Fprintf(&b, "%%%02X", part)
			}
		}
		text = text[size:]
	}
	return b.String()
}
