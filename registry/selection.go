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

// Selection is a method with options, as the user chose them.
type Selection struct {
	// Written is the text of the user, "vamp?epochs=20". It is unique in a list of selections.
	Written     string
	Method      core.Method
	Description core.Description
	Options     core.Options
}

// everything is the name that stands for every thing that is not on request.
const everything = "all"

// Select reads a list of methods as [Set.Expand] does. The name of a group ([Registry.Group])
// stands for its methods, unless a method has this name. Errors are [core.ErrUnknown],
// [core.ErrOption] and [core.ErrDuplicate].
func (r *Registry) Select(list string) ([]Selection, error) {
	elements, err := r.Methods.expand(list, r.groups)
	if err != nil {
		return nil, err
	}
	var selections []Selection
	for _, written := range elements {
		method, options, err := r.Methods.Select(written)
		if err != nil {
			return nil, err
		}
		name, _, _ := strings.Cut(written, "?")
		selections = append(selections, Selection{written, method, r.Methods.things[name].description, options})
	}
	return selections, nil
}

// Expand reads a list of things separated by commas, and returns its elements, which [Set.Select]
// reads. An element is one of these:
//
//   - a name, with or without options;
//   - a pattern, in which * stands for any characters and no other character is special;
//   - "all", which stands for every thing that is not on request.
//
// Patterns and "all" choose in alphabetical order, and leave out things that are already named.
// Naming a thing twice is an error. Options are not checked. Errors are [core.ErrUnknown],
// [core.ErrOption] and [core.ErrDuplicate].
func (s Set[T]) Expand(list string) ([]string, error) { return s.expand(list, nil) }

func (s Set[T]) expand(list string, groups map[string][]string) ([]string, error) {
	if !utf8.ValidString(list) {
		return nil, fmt.Errorf("%w: the list of %s %q is not text in UTF-8", core.ErrUnknown, s.kind.Plural(), list)
	}
	var elements []string
	for element := range strings.SplitSeq(list, ",") {
		element = strings.TrimSpace(element)
		name, _, hasOptions := strings.Cut(element, "?")
		several, names := s.match(name, groups)
		switch {
		case element == "":
			return nil, fmt.Errorf("%w: the list of %s %q has an empty element; choose from all, %s", core.ErrUnknown,
				s.kind.Plural(), list, strings.Join(s.Names(), ", "))
		case several && hasOptions:
			return nil, fmt.Errorf("%w: %q gives options to several %s; give them to each %s by name", core.ErrOption,
				element, s.kind.Plural(), s.kind.Title())
		case several && len(names) == 0:
			return nil, fmt.Errorf("%w: no %s matches %q; choose from %s", core.ErrUnknown, s.kind.Title(), name,
				strings.Join(s.Names(), ", "))
		case several:
			for _, n := range names {
				if !slices.Contains(elements, n) {
					elements = append(elements, n)
				}
			}
		case slices.Contains(elements, element):
			return nil, fmt.Errorf("%w: %q is named twice", core.ErrDuplicate, element)
		default:
			if _, err := s.Get(name); err != nil {
				return nil, err
			}
			elements = append(elements, element)
		}
	}
	return elements, nil
}

// match reports whether a name is "all", a pattern, or a group that no thing is called by, and for what it stands.
func (s Set[T]) match(name string, groups map[string][]string) (several bool, names []string) {
	_, isThing := s.things[name]
	group, isGroup := groups[name]
	switch {
	case name == everything:
		return true, slices.DeleteFunc(s.Names(), s.OnRequest)
	case isGroup && !isThing:
		return true, group
	case !strings.Contains(name, "*"):
		return false, nil
	}
	expression := Pattern(name)
	for _, n := range s.Names() {
		if expression.MatchString(n) {
			names = append(names, n)
		}
	}
	return true, names
}

// Select reads the name of a thing, or its name with options: "vamp?epochs=20&lr=1e-3". In a value,
// % and two hexadecimal digits stand for a byte, as [EscapeValue] writes them. Errors are
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

// Pattern returns an expression for the whole of a name, in which * stands for any characters and nothing else is
// special.
func Pattern(text string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$")
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
			return nil, fmt.Errorf("%w: in %q, two hexadecimal digits must follow a %%; write %%25 for a single %%",
				core.ErrOption, element)
		}
		options[key] = text
	}
	return options, nil
}

// EscapeValue returns the value of an option in the form that a selection has. It writes % , & and
// spaces, and bytes that are not UTF-8, as % and two hexadecimal digits.
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
