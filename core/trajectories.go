package core

import (
	"fmt"
	"iter"
	"slices"
	"sort"

	"gonum.org/v1/gonum/mat"
)

// Trajectories are one or several sequences of snapshots of one shape. Snapshots have consecutive
// numbers from 0: first those of the first trajectory, then those of the second, and so on.
// Trajectories are independent: a lagged pair lies within one of them.
//
// Trajectories are immutable, as [Snapshots] are, and share their memory. Any number of goroutines
// may read them. The zero value has no trajectory and no shape.
type Trajectories struct {
	parts []Snapshots
	ends  []int // ends[k] is the number of snapshots of the trajectories 0 … k
}

// OneTrajectory returns the single trajectory x.
func OneTrajectory(x Snapshots) Trajectories {
	return Trajectories{parts: []Snapshots{x}, ends: []int{x.Len()}}
}

// NewTrajectories returns one trajectory for each of the given sequences. They share the memory of
// the sequences. The error is [ErrShape] if there is none, or if the sequences differ in shape.
func NewTrajectories(parts ...Snapshots) (Trajectories, error) {
	if len(parts) == 0 {
		return Trajectories{}, fmt.Errorf("%w: there is no trajectory; give at least one", ErrShape)
	}
	t, n := Trajectories{parts: slices.Clone(parts), ends: make([]int, len(parts))}, 0
	for k, x := range parts {
		if !x.SameShape(parts[0]) {
			return Trajectories{}, fmt.Errorf("%w: snapshots of shape %v in trajectory %d and of shape %v in "+
				"trajectory 0; give snapshots of one shape", ErrShape, x.Shape(), k, parts[0].Shape())
		}
		n += x.Len()
		t.ends[k] = n
	}
	return t, nil
}

// CutTrajectories cuts x into trajectories of the given lengths; nil stands for one trajectory.
// They share the memory of x. The error is [ErrShape] if the lengths do not add up to the number of
// snapshots or one is negative.
func CutTrajectories(x Snapshots, lengths []int) (Trajectories, error) {
	if lengths == nil {
		return OneTrajectory(x), nil
	}
	if err := checkLengths(lengths, x.Len(), "snapshots"); err != nil {
		return Trajectories{}, err
	}
	parts, from := make([]Snapshots, len(lengths)), 0
	for k, n := range lengths {
		parts[k] = x.Slice(from, from+n)
		from += n
	}
	return NewTrajectories(parts...)
}

// checkLengths returns [ErrShape] unless the lengths of trajectories add up to so many rows.
func checkLengths(lengths []int, rows int, what string) error {
	sum := 0
	for k, n := range lengths {
		if n < 0 || n > rows-sum {
			return fmt.Errorf("%w: trajectory %d has a length of %d, and %d of the %d %s are left for it; "+
				"the lengths must add up to %d", ErrShape, k, n, rows-sum, rows, what, rows)
		}
		sum += n
	}
	if sum != rows {
		return fmt.Errorf("%w: the lengths of %d trajectories add up to %d, and there are %d %s; "+
			"give a length for each trajectory", ErrShape, len(lengths), sum, rows, what)
	}
	return nil
}

// Count is the number of trajectories.
func (t Trajectories) Count() int { return len(t.parts) }

// At returns trajectory k, for k in 0 … Count-1. It panics for another k, as indexing does.
func (t Trajectories) At(k int) Snapshots { return t.parts[k] }

// All iterates over the trajectories in their order, with their numbers.
func (t Trajectories) All() iter.Seq2[int, Snapshots] { return slices.All(t.parts) }

// Lengths returns the number of snapshots of each trajectory.
func (t Trajectories) Lengths() []int {
	lengths := make([]int, len(t.parts))
	for k, x := range t.parts {
		lengths[k] = x.Len()
	}
	return lengths
}

// Len is the number of snapshots of all trajectories together.
func (t Trajectories) Len() int {
	if len(t.ends) == 0 {
		return 0
	}
	return t.ends[len(t.ends)-1]
}

func (t Trajectories) first() Snapshots {
	if len(t.parts) == 0 {
		return Snapshots{}
	}
	return t.parts[0]
}

// Shape is the shape of one snapshot.
func (t Trajectories) Shape() []int { return t.first().Shape() }

// Size is the number of values in one snapshot.
func (t Trajectories) Size() int { return t.first().Size() }

// SameShape reports whether the snapshots of t and u have the same shape.
func (t Trajectories) SameShape(u Trajectories) bool { return t.first().SameShape(u.first()) }

// find returns the trajectory of snapshot i, and the place of the snapshot in it.
func (t Trajectories) find(i int) (k, at int) {
	if len(t.parts) > 1 {
		k = sort.SearchInts(t.ends, i+1)
	}
	return k, i - t.ends[k] + t.parts[k].Len()
}

// Read copies snapshots from, from+1, … into dst until dst is full, across the ends of
// trajectories. The length of dst must be a multiple of Size, and the snapshots must exist: Read
// panics otherwise, as indexing does.
func (t Trajectories) Read(dst []float32, from int) {
	for len(dst) > 0 {
		k, at := t.find(from)
		part := dst
		if k < len(t.parts)-1 {
			part = dst[:min(len(dst), (t.ends[k]-from)*t.Size())]
		}
		t.parts[k].Read(part, at)
		dst, from = dst[len(part):], t.ends[k]
	}
}

// Gather copies the snapshots with the given numbers into dst, one after the other.
func (t Trajectories) Gather(dst []float32, snapshots []int) {
	if len(t.parts) == 1 {
		t.parts[0].Gather(dst, snapshots)
		return
	}
	size := t.Size()
	for i, s := range snapshots {
		t.Read(dst[i*size:(i+1)*size], s)
	}
}

// Snapshots returns all snapshots in sequence. If there is one trajectory, the result is that
// trajectory. If there are several, it is a copy, unless one of them comes from a [Source]: then
// nothing is copied. 8-bit images stay so if all trajectories consist of them. Pairs of the result
// may cross the ends of trajectories.
func (t Trajectories) Snapshots() Snapshots {
	if len(t.parts) < 2 {
		return t.first()
	}
	if slices.ContainsFunc(t.parts, func(x Snapshots) bool { return x.source != nil }) {
		return ofSource(joined{t}, t.Len(), t.first().shape, t.Size())
	}
	all := Snapshots{shape: t.parts[0].shape, size: t.parts[0].size}
	if slices.ContainsFunc(t.parts, func(x Snapshots) bool { return x.pixels == nil }) {
		all.floats = make([]float32, t.Len()*all.size)
		t.Read(all.floats, 0)
		return all
	}
	all.pixels = make([]uint8, 0, t.Len()*all.size)
	for _, x := range t.parts {
		all.pixels = append(all.pixels, x.pixels...)
	}
	return all
}

// Slice returns the snapshots from … end-1 in sequence. They share memory if they lie in one
// trajectory, and are a copy if they lie in several. Slice panics if the range is not within the
// snapshots, as slicing does.
func (t Trajectories) Slice(from, end int) Snapshots {
	if from < 0 || from > end || end > t.Len() {
		panic(fmt.Sprintf("core: snapshots %d to %d of %d", from, end, t.Len()))
	}
	var cut Trajectories
	for k, x := range t.parts {
		start := t.ends[k] - x.Len()
		if a, b := max(from, start), min(end, t.ends[k]); a < b {
			cut.parts = append(cut.parts, x.Slice(a-start, b-start))
			cut.ends = append(cut.ends, b-from)
		}
	}
	if len(cut.parts) == 0 && len(t.parts) > 0 {
		return t.parts[0].Slice(0, 0)
	}
	return cut.Snapshots()
}

// View is [Snapshots.View] for the snapshots of all trajectories, in their order.
func (t Trajectories) View() mat.Matrix {
	views := make([]mat.Matrix, len(t.parts))
	for k, x := range t.parts {
		views[k] = x.View()
	}
	return StackRows(views...)
}

// Matrix returns the flattened snapshots of all trajectories as the rows of a new Len×Size matrix.
// The matrix is empty if there is no snapshot.
func (t Trajectories) Matrix() *mat.Dense { return t.Snapshots().Matrix() }

// CheckFinite returns [ErrNonFinite] with the first snapshot and value that is infinite or not a
// number, and nil if there is none.
func (t Trajectories) CheckFinite() error {
	for k, x := range t.parts {
		if err := x.CheckFinite(); err != nil {
			if len(t.parts) > 1 {
				err = fmt.Errorf("trajectory %d: %w", k, err)
			}
			return err
		}
	}
	return nil
}

// PairStarts returns the starts of the lagged pairs: the numbers i for which the snapshots i and
// i+lag lie in one trajectory. There are none for a lag below 1.
func (t Trajectories) PairStarts(lag int) PairStarts { return pairStarts(t.Lengths(), lag) }

// Pairs is the number of lagged pairs.
func (t Trajectories) Pairs(lag int) int { return t.PairStarts(lag).Len() }

// checkPairs returns [ErrTooShort] if there is no lagged pair; what names the snapshots.
func (t Trajectories) checkPairs(what string, lag int) error {
	if t.Pairs(lag) > 0 {
		return nil
	}
	return noPair(what, t.Len(), t.Count(), lag)
}

// noPair is the error for so many rows in so many trajectories, none of which has a lagged pair.
func noPair(what string, rows, trajectories, lag int) error {
	if trajectories < 2 {
		return fmt.Errorf("%w: %d %s have no pair at a lag of %d; give at least %d",
			ErrTooShort, rows, what, lag, lag+1)
	}
	return fmt.Errorf("%w: %d %s in %d trajectories have no pair at a lag of %d; give a trajectory of at least %d",
		ErrTooShort, rows, what, trajectories, lag, lag+1)
}

// PairStarts are the starts of lagged pairs in ascending order: the rows i for which the rows i and
// i+lag belong to one trajectory. With one trajectory of n rows they are 0 … n-lag-1. They take
// memory for each trajectory, not for each pair, and are immutable.
type PairStarts struct {
	runs []run // none is empty
	n    int
}

// run is a run of consecutive starts: the pairs before … before+end-from-1 start at from … end-1.
type run struct{ from, end, before int }

// NewPairStarts returns the starts of the pairs of the given number of rows, such as those of a
// matrix of features. lengths are the numbers of rows of consecutive trajectories; nil stands for
// one trajectory. The error is [ErrOption] for a lag below 1, [ErrShape] if the lengths do not add
// up to rows or one is negative, and [ErrTooShort] if there is no pair.
func NewPairStarts(rows, lag int, lengths []int) (PairStarts, error) {
	if lag < 1 {
		return PairStarts{}, fmt.Errorf("%w: a lag of %d rows; it must be at least 1", ErrOption, lag)
	}
	if lengths == nil {
		lengths = []int{rows}
	}
	if err := checkLengths(lengths, rows, "rows"); err != nil {
		return PairStarts{}, err
	}
	starts := pairStarts(lengths, lag)
	if starts.Len() == 0 {
		return PairStarts{}, noPair("rows", rows, len(lengths), lag)
	}
	return starts, nil
}

func pairStarts(lengths []int, lag int) (p PairStarts) {
	if lag < 1 {
		return p
	}
	start := 0
	for _, n := range lengths {
		if n > lag {
			p.runs = append(p.runs, run{start, start + n - lag, p.n})
			p.n += n - lag
		}
		start += n
	}
	return p
}

// Len is the number of pairs.
func (p PairStarts) Len() int { return p.n }

// At returns the row at which pair k starts, for k in 0 … Len-1. It panics for another k, as
// indexing does.
func (p PairStarts) At(k int) int {
	if k < 0 || k >= p.n {
		panic(fmt.Sprintf("core: pair %d of %d", k, p.n))
	}
	i := 0
	if len(p.runs) > 1 {
		i = sort.Search(len(p.runs), func(i int) bool { return p.runs[i].before > k }) - 1
	}
	return p.runs[i].from + k - p.runs[i].before
}

// Runs iterates over runs of consecutive starts from … end-1. Each trajectory that has a pair gives
// one run, in the order of trajectories.
func (p PairStarts) Runs() iter.Seq2[int, int] {
	return func(yield func(from, end int) bool) {
		for _, r := range p.runs {
			if !yield(r.from, r.end) {
				return
			}
		}
	}
}
