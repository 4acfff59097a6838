package check

import (
	"math"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/koopbench/koopbench/core"
)

// described is what all kinds have.
type described interface{ Describe() core.Description }

const descriptionRule = "The description follows the rules of core.Description, is the same at every call, and has a " +
	"summary of one line without a full stop and a doc"

func checkDescription(thing described) error {
	d := thing.Describe()
	if err := d.Validate(); err != nil {
		return wrong("change the description", "%v", err)
	}
	if again := thing.Describe(); !reflect.DeepEqual(d, again) {
		return wrong("return a constant", "Describe returned %+v, and then %+v", d, again)
	}
	if err := checkLine("the summary", d.Summary); err != nil {
		return err
	}
	if strings.TrimSpace(d.Doc) == "" {
		return wrong("say what it does and where it comes from (paper, equation)", "the description has no doc")
	}
	for _, o := range d.Options {
		if err := checkLine("the doc of option "+o.Name, o.Doc); err != nil {
			return err
		}
	}
	return nil
}

func checkLine(what, text string) error {
	switch {
	case strings.TrimSpace(text) != text || strings.ContainsAny(text, "\n\r\t"):
		return wrong("make it one line without space around it", "%s is %q", what, text)
	case strings.HasSuffix(text, "."):
		return wrong("leave the full stop out", "%s is %q", what, text)
	}
	return nil
}

// oddText is a text of what programs stumble on: separators, quotes, a path upwards, letters of
// several bytes, spaces at the ends.
const oddText = " ../a,b&c=d%20?*'\"\\$(x) ÄΩ日🙂 "

// variations returns for each option its further values that are tried, each a name and a value:
// the other value of a switch, every choice, the empty text and an odd one, the least number, and
// the largest of a few whole numbers. Settings that values has stay.
func variations(d core.Description, values map[string]any) []setting {
	const few = 8
	var all []setting
	for _, o := range d.Options {
		current, given := values[o.Name]
		if !given {
			current = o.Default
		}
		var others []any
		switch o.Default.(type) {
		case bool:
			others = []any{true, false}
		case string:
			if o.Type() == "text" {
				others = []any{"", cutText(oddText, int(o.Max))}
			}
			for _, choice := range o.Choices {
				others = append(others, choice)
			}
		case int:
			others = []any{wholeEnd(o.Min)}
			if o.Max-o.Min <= few {
				others = append(others, wholeEnd(o.Max))
			}
		case float64:
			others = []any{o.Min}
		}
		for _, other := range others {
			if other != current {
				all = append(all, setting{o.Name, other})
			}
		}
	}
	return all
}

// cutText returns the longest beginning of a text that has at most so many bytes and ends with a
// whole character.
func cutText(text string, most int) string {
	for len(text) > most {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

// wholeEnd is the end of the range of a whole number. The largest numbers are rounded in an option,
// beyond what an int holds.
func wholeEnd(end float64) int {
	switch {
	case end >= math.MaxInt:
		return math.MaxInt
	case end <= math.MinInt:
		return math.MinInt
	}
	return int(end)
}

type setting struct {
	name  string
	value any
}
