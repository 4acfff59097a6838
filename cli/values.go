package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/core"
)

// The types below are the values of flags: each checks what the user writes as the command line is read.

// word is any text; placeholder stands for it in the help.
type word struct {
	value       *string
	placeholder string
}

func (w word) String() string {
	if w.value == nil {
		return ""
	}
	return *w.value
}

func (w word) Type() string          { return w.placeholder }
func (w word) Set(text string) error { *w.value = text; return nil }

// choice is one word of several.
type choice struct {
	value *string
	words []string
}

func (c choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

func (c choice) Type() string { return strings.Join(c.words, "|") }

func (c choice) Set(text string) error {
	if !slices.Contains(c.words, text) {
		return errors.New(core.Unknown("value", text, c.words))
	}
	*c.value = text
	return nil
}

// number is a whole number from least to most.
type number struct {
	value       *int
	least, most int
}

func (n number) String() string {
	if n.value == nil {
		return "0"
	}
	return strconv.Itoa(*n.value)
}

func (n number) Type() string { return "N" }

func (n number) Set(text string) error {
	v, err := strconv.Atoi(text)
	if err != nil || v < n.least || v > n.most {
		return fmt.Errorf("give a whole number from %d to %d", n.least, n.most)
	}
	*n.value = v
	return nil
}

// steps are steps of a roll-out, counted from 1.
type steps []int

func (s *steps) String() string {
	var texts []string
	for _, step := range *s {
		texts = append(texts, strconv.Itoa(step))
	}
	return strings.Join(texts, ",")
}

func (s *steps) Type() string { return "LIST" }

func (s *steps) Set(text string) error {
	*s = nil
	for part := range strings.SplitSeq(text, ",") {
		var step int
		if err := (number{&step, 1, core.MaxSteps}).Set(strings.TrimSpace(part)); err != nil {
			return fmt.Errorf("%q: %w", part, err)
		}
		*s = append(*s, step)
	}
	return nil
}

// formats are those of figures.
type formats []report.Format

func (f *formats) String() string {
	var names []string
	for _, format := range *f {
		names = append(names, string(format))
	}
	return strings.Join(names, ",")
}

func (f *formats) Type() string { return "LIST" }

func (f *formats) Set(text string) error {
	*f = nil
	for part := range strings.SplitSeq(text, ",") {
		format, known := report.Format(strings.TrimSpace(part)), report.FigureFormats()
		if !slices.Contains(known, format) {
			all := formats(known)
			return errors.New(core.Unknown("format of figures", string(format), strings.Split(all.String(), ",")))
		}
		*f = append(*f, format)
	}
	return nil
}

// limit is a time, 0 for no limit.
type limit struct{ value *time.Duration }

func (l limit) String() string {
	if l.value == nil || *l.value == 0 {
		return "0"
	}
	return l.value.String()
}

func (l limit) Type() string { return "TIME" }

func (l limit) Set(text string) error {
	v, err := time.ParseDuration(text)
	if err != nil || v < 0 {
		return fmt.Errorf("give a time with its unit, like 90s, 15m or 2h, or 0")
	}
	*l.value = v
	return nil
}

// addVerbosity adds the flag -v, of which two say more than one.
func (a *app) addVerbosity(flags *pflag.FlagSet) {
	f := flags.VarPF(verbosity{a}, "verbose", "v", "write every epoch, the logs of plugins, and errors in full; -vv "+
		"writes the logs of libraries too")
	f.NoOptDefVal = "true"
}

// addFullErrors adds the flag -v of a command that has no more to say.
func (a *app) addFullErrors(flags *pflag.FlagSet) {
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "write errors in full")
}

// must panics where a flag that gets a completion is misspelt, which any call finds.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// verbosity is a switch that can be set twice.
type verbosity struct{ *app }

func (v verbosity) String() string { return strconv.FormatBool(v.app != nil && v.verbose) }
func (v verbosity) Type() string   { return "bool" }

func (v verbosity) Set(text string) error {
	on, err := strconv.ParseBool(text)
	if err != nil {
		return err
	}
	v.verbose, v.libraries = on, on && v.verbose
	return nil
}

// unlimited is the time of a limit where there must be one: 0, which is no limit, becomes more than anyone waits.
func unlimited(d time.Duration) time.Duration {
	const long = 10_000 * time.Hour
	if d == 0 {
		return long
	}
	return d
}

// seed is one seed.
type seed int64

func (s *seed) String() string { return strconv.FormatInt(int64(*s), 10) }
func (s *seed) Type() string   { return "SEED" }

func (s *seed) Set(text string) error {
	v, err := parseSeed(text)
	*s = seed(v)
	return err
}

func parseSeed(text string) (int64, error) {
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a seed; give a whole number of 64 bits", text)
	}
	return v, nil
}

// seeds is a list of seeds as the user wrote it.
type seeds struct {
	text   string
	values []int64
}

func (s *seeds) String() string { return s.text }
func (s *seeds) Type() string   { return "LIST" }

func (s *seeds) Set(text string) error {
	values, err := parseSeeds(text)
	*s = seeds{text, values}
	return err
}

// maxSeeds is how many seeds a command takes.
const maxSeeds = 1000

// dashed is a range as other programs write one.
var dashed = regexp.MustCompile(`^(-?\d+)\s*[-–:]\s*(-?\d+)$`)

// parseSeeds reads seeds separated by commas; FROM..TO stands for all from FROM to TO, both
// included. No seed may come twice.
func parseSeeds(text string) ([]int64, error) {
	var values []int64
	seen := map[int64]bool{}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if ends := dashed.FindStringSubmatch(part); ends != nil {
			return nil, fmt.Errorf("%q is not a range; write %s..%s for all from %s to %s", part, ends[1], ends[2], ends[1],
				ends[2])
		}
		first, last, isRange := strings.Cut(part, "..")
		from, err := parseSeed(first)
		if err != nil {
			return nil, err
		}
		to := from
		if isRange {
			if to, err = parseSeed(last); err != nil {
				return nil, err
			}
		}
		if to < from {
			return nil, fmt.Errorf("the range %s is empty; put the smaller seed first", part)
		}
		if uint64(to)-uint64(from) >= uint64(maxSeeds-len(values)) {
			return nil, fmt.Errorf("more than %d seeds, the limit of a command", maxSeeds)
		}
		for v := from; ; v++ {
			if seen[v] {
				return nil, fmt.Errorf("the seed %d is given twice; give each once", v)
			}
			seen[v] = true
			values = append(values, v)
			if v == to {
				break
			}
		}
	}
	return values, nil
}
