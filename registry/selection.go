package registry

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/koopbench/koopbench/core"
)

// Selection is a method with options, as the user chose it.
type Selection struct {
	// Label is how the user wrote it, "vamp?epochs=20": unique in a list of selections.
	Label       string
	Method      core.Method
	Description core.Description
	Options     core.Options
}

// Select reads a list of methods separated by commas. An element is a name, a name with options ("vamp?epochs=20&lr=1e-3"),
// a pattern in which * stands for any characters and nothing else is special, or "all", which stands for every method that is not
// on request. Patterns, "all" too, match in alphabetical order and leave out what was named already; naming a thing twice is an error. Errors are
// [core.ErrUnknown], [core.ErrOption] and [core.ErrDuplicate].
func (r *Registry) Select(list string) ([]Selection, error) {
	var selections []Selection
	chosen := map[string]bool{}
	add := func(label, name string, options map[string]string) error {
		method, err := r.Methods.Get(name)
		if err != nil {
			return err
		}
		d := r.Methods.things[name].description
		resolved, err := d.ParseOptions(options)
		if err != nil {
			return err
		}
		chosen[label] = true
		selections = append(selections, Selection{label, method, d, resolved})
		return nil
	}
	if !utf8.ValidString(list) {
		return nil, fmt.Errorf("%w: the list of methods %q is not text in UTF-8", core.ErrUnknown, list)
	}
	for element := range strings.SplitSeq(list, ",") {
		element = strings.TrimSpace(element)
		name, query, hasOptions := strings.Cut(element, "?")
		switch {
		case element == "":
			return nil, fmt.Errorf("%w: the list of methods %q has an empty element; there is all, %s", core.ErrUnknown, list, strings.Join(r.Methods.Names(), ", "))
		case name == "all" || strings.Contains(name, "*"):
			if hasOptions {
				return nil, fmt.Errorf("%w: %q gives options to a pattern; give them to each method by name", core.ErrOption, element)
			}
			names := r.match(name)
			if len(names) == 0 {
				return nil, fmt.Errorf("%w: no method matches %q; there is %s", core.ErrUnknown, name, strings.Join(r.Methods.Names(), ", "))
			}
			for _, n := range names {
				if chosen[n] {
					continue
				}
				if err := add(n, n, nil); err != nil {
					return nil, err
				}
			}
		default:
			options, err := parseQuery(element, query)
			if err != nil {
				return nil, err
			}
			if chosen[element] {
				return nil, fmt.Errorf("%w: %q is named twice", core.ErrDuplicate, element)
			}
			if err := add(element, name, options); err != nil {
				return nil, err
			}
		}
	}
	return selections, nil
}

func (r *Registry) match(pattern string) []string {
	if pattern == "all" {
		return slices.DeleteFunc(r.Methods.Names(), r.Methods.OnRequest)
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
		options[key] = value
	}
	return options, nil
}
