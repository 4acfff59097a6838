package compose

import (
	"fmt"

	"github.com/koopbench/koopbench/core"
)

// A method of parts has the options of all of them. If two parts declare the same name, the option of the later part is
// called "part_name". There is one exception: [centreOption] is one option of the whole, and all parts that declare it
// read it.

// part is a part of a composition with the names that its options have in the whole.
type part struct {
	options []core.Option
	inWhole map[string]string
}

// join adds the options of a part to those of the whole.
func join(whole []core.Option, kind string, options []core.Option) ([]core.Option, part) {
	taken := map[string]bool{}
	for _, o := range whole {
		taken[o.Name] = true
	}
	p := part{options, map[string]string{}}
	for _, o := range options {
		name := o.Name
		if _, is := o.Default.(bool); is && name == centreOption && taken[name] {
			p.inWhole[name] = name
			continue
		}
		for taken[name] {
			name = kind + "_" + name
		}
		taken[name] = true
		p.inWhole[o.Name] = name
		o.Name = name
		whole = append(whole, o)
	}
	return whole, p
}

// given returns the values of the part's options among those of the whole.
func (p part) given(whole core.Options) map[string]any {
	values, given := whole.Map(), make(map[string]any, len(p.options))
	for _, o := range p.options {
		given[o.Name] = values[p.inWhole[o.Name]]
	}
	return given
}

// read returns the part's options among those of the whole.
func (p part) read(whole core.Options) (core.Options, error) {
	options, err := core.Description{Options: p.options}.Resolve(p.given(whole))
	if err != nil {
		return core.Options{}, fmt.Errorf("the options of a part of the method: %w", err)
	}
	return options, nil
}
