package trajectory

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
	"github.com/koopbench/koopbench/internal/foreign"
)

// many is from how many trajectories on shares are of whole ones.
const many = 10

// split says what goes to each part: shares of rows, or numbers of snapshots.
type split struct {
	text   string
	shares []float64 // nil for numbers
	counts []int
}

// parseSplit reads three numbers. The error is [core.ErrOption].
func parseSplit(text string) (split, error) {
	s := split{text: text}
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return s, fmt.Errorf("%w: a split of %q; give three shares, like .6,.2,.2, or three numbers of snapshots",
			core.ErrOption,
			text)
	}
	sum := 0.0
	for _, part := range parts {
		part = strings.TrimSpace(part)
		if n, err := strconv.Atoi(part); err == nil && n > 0 {
			s.counts = append(s.counts, n)
		}
		v, err := strconv.ParseFloat(part, 64)
		if err != nil || !foreign.Decimal(part) || !(v > 0) || math.IsInf(v, 0) {
			return s, fmt.Errorf("%w: %.40q in the split %q; give positive numbers",
				core.ErrOption, part, text)
		}
		s.shares, sum = append(s.shares, v), sum+v
	}
	const rounding = 1e-9
	switch {
	case len(s.counts) == 3:
		s.shares = nil
	case sum > 1+rounding:
		return s, fmt.Errorf("%w: the sum of the shares %q is %.4g; give shares with a sum of at most 1, or whole numbers "+
			"of "+
			"snapshots", core.ErrOption, text, sum)
	}
	return s, nil
}

// ends are where each part of so many ends.
func (s split) ends(n int) (ends [3]int) {
	sum := 0.0
	for i, share := range s.shares {
		sum += share
		ends[i] = min(n, int(math.Round(sum*float64(n))))
	}
	return ends
}

// piece is a run of rows of one recording.
type piece struct {
	from *dataset.Recording
	rows core.Snapshots
}

// partNames are the names of arrays and files that are parts by themselves.
var partNames = []string{"train", "validation", "test"}

// cut cuts recordings into the parts to train, validate and test on, in the order of time and of
// files, and says by which rule. The error is [core.ErrTooShort] if a part comes out too short, or
// [core.ErrOption].
func (s setting) cut(all []dataset.Recording) (parts [3][]piece, rule string, err error) {
	named, err := namedParts(all)
	add := func(part int, r *dataset.Recording, from, end int) {
		parts[part] = append(parts[part], piece{r, r.Rows.Slice(from, end)})
	}
	switch {
	case err != nil:
		return parts, "", err
	case named != nil && s.split.text != defaultSplit:
		return parts, "", fmt.Errorf("%w: a split of %s, but arrays or files are named train, validation and test; "+
			"leave out split, or give them other names", core.ErrOption, s.split.text)
	case named != nil:
		rule = "split by the names train, validation and test"
		for part, some := range named {
			for _, r := range some {
				add(part, r, 0, r.Rows.Len())
			}
		}
	case s.split.shares == nil:
		rule = "split by numbers of snapshots"
		err = s.cutByCounts(all, add)
	case len(all) >= many:
		rule = "whole trajectories to each part"
		from := 0
		for part, end := range s.split.ends(len(all)) {
			for ; from < end; from++ {
				add(part, &all[from], 0, all[from].Rows.Len())
			}
		}
	default:
		rule = "split in time"
		if len(all) > 1 {
			rule = "each split in time"
		}
		for i := range all {
			from := 0
			for part, end := range s.split.ends(all[i].Rows.Len()) {
				add(part, &all[i], from, end)
				from = end
			}
		}
	}
	if left := unused(all, parts); left > 0 {
		rule += fmt.Sprintf(", which leaves %s unused", foreign.Count(left, "row"))
	}
	if err == nil {
		err = s.longEnough(parts)
	}
	return parts, rule, err
}

// unused is how many rows are in no part.
func unused(all []dataset.Recording, parts [3][]piece) (n int) {
	for i := range all {
		n += all[i].Rows.Len()
	}
	for _, part := range parts {
		for _, one := range part {
			n -= one.rows.Len()
		}
	}
	return n
}

// namedParts are the recordings to train, validate and test on, if their names are those of parts; nil if none is. The
// name is that of an array or else, of several files, that of the file.
func namedParts(all []dataset.Recording) (parts [][]*dataset.Recording, err error) {
	parts, found := make([][]*dataset.Recording, len(partNames)), 0
	for i := range all {
		for part, name := range partNames {
			if strings.EqualFold(all[i].Array, name) || len(all) > 1 && strings.EqualFold(stem(all[i].File), name) {
				parts[part], found = append(parts[part], &all[i]), found+1
				break
			}
		}
	}
	switch {
	case found == 0:
		return nil, nil
	case found < len(all) || slices.ContainsFunc(parts, func(part []*dataset.Recording) bool { return part == nil }):
		return nil, fmt.Errorf("%w: %d of %d arrays or files are named train, validation or test; give all three and "+
			"no others, or use other names", core.ErrOption, found, len(all))
	}
	return parts, nil
}

// stem is a name of a file without folders and without what kind of file it is.
func stem(file string) string {
	base := path.Base(file)
	return strings.TrimSuffix(base, path.Ext(base))
}

// cutByCounts takes as many snapshots as asked for, trajectory by trajectory.
func (s setting) cutByCounts(all []dataset.Recording, add func(part int, r *dataset.Recording, from, end int)) error {
	i, from, past := 0, 0, s.past()
	for part, wanted := range s.split.counts {
		for left := wanted; left > 0; {
			if i == len(all) {
				return fmt.Errorf("%w: a split of %s snapshots; the %s part lacks %d", core.ErrTooShort, s.split.text,
					partNames[part], left)
			}
			n := min(left, all[i].Rows.Len()-from-past)
			if n <= 0 {
				i, from = i+1, 0
				continue
			}
			add(part, &all[i], from, from+n+past)
			left, from = left-n, from+n+past
		}
	}
	return nil
}

// longEnough checks that every piece to train or validate on has a pair, and that there is a start to test from.
func (s setting) longEnough(parts [3][]piece) error {
	longest := 0
	for i, name := range []string{"training", "validation", "test"} {
		if len(parts[i]) == 0 {
			return fmt.Errorf("%w: the split %s leaves the %s part empty", core.ErrTooShort, s.split.text, name)
		}
		for _, one := range parts[i] {
			n := one.rows.Len()
			if least := s.past() + s.lag + 1; i < 2 && n < least {
				return fmt.Errorf("%w: %s gives %s to the %s part; at a lag of %d and a delay of %d a pair needs %d; "+
					"change split, lag or delay, or leave out the file%s", core.ErrTooShort, one.from.Title(), foreign.Count(n, "row"),
					name, s.lag, s.delay, least, turned(one.from))
			}
			if i == 2 {
				longest = max(longest, n)
			}
		}
	}
	if least := s.past() + s.steps*s.lag + 1; longest < least {
		return fmt.Errorf("%w: the longest test trajectory has %s, but %s at a lag of %d and a delay of %d need %d; give "+
			"fewer steps, or a larger test part%s", core.ErrTooShort, foreign.Count(longest, "row"),
			foreign.Count(s.steps, "step"),
			s.lag, s.delay, least, turned(parts[2][0].from))
	}
	return nil
}

// turned is a hint where rows and columns may be the wrong way round.
func turned(r *dataset.Recording) string {
	if r.Columns == nil || r.Rows.Size() <= r.Rows.Len() {
		return ""
	}
	return fmt.Sprintf("; it is read as %s of %d values, with time as the first axis; transpose it if that is wrong",
		foreign.Count(r.Rows.Len(), "row"), r.Rows.Size())
}
