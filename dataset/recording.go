package dataset

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
)

// Recording is a trajectory in a file: snapshots in the order of time.
type Recording struct {
	// File is the name of the file, with folders only where two files have one name, and Array that of the array in
	// an archive of several.
	File, Array string
	// Form says what the file was taken for.
	Form string
	// Rows are the snapshots: vectors of shape [d], or images of shape [h, w] or [h, w, c].
	Rows core.Snapshots
	// Columns are the columns that the values of a vector are from, counted from 1; nil for images. Names
	// has theirs, if the file tells them.
	Columns []int
	Names   []string
	// Time is the column that was left out as the time, "" if none was, and Interval what it says to lie
	// between two rows.
	Time     string
	Interval float64
	// Times are those of the rows; nil if no column was left out as the time.
	Times *Times

	spans []Span // of a table
	wide  *rows  // an array of numbers of more than 32 bits, or of as many that are whole; nil for others

	first int // line of the first row of a table; 0 for an array
}

// Times are those of the rows of a [Recording].
type Times struct {
	// Column is the column that they are from, counted from 1, and Name its name, "" if it has none.
	Column int
	Name   string
	// Step is the time from one row to the next, 0 if there is one row.
	Step float64

	at func(row int) float64
}

// At is the time of a row, counted from 0. The row must be there.
func (t *Times) At(row int) float64 { return t.at(row) }

// Selection says which columns of a file are read. Columns are named by their names or by numbers, counted
// from 1.
type Selection struct {
	// Arrays are the arrays of .npz files that are read, separated by commas; "" stands for all.
	Arrays string
	// Columns are separated by commas; A..B are those from A to B. "" stands for all.
	Columns string
	// Header says whether the first line of a table names the columns: [AutoHeader], "true" or "false".
	Header string
	// Time is the column with the time of a row, which must rise evenly: [AutoTime], [NoTime] or a column.
	Time string
}

// AutoHeader stands for a header where the first line has a text that is no number. It is also what "" stands for.
const AutoHeader = "auto"

const (
	// AutoTime stands for a column of a table called t, or time in any case of letters, unless Columns
	// name it. If Columns are left out, it may also be called index, or nothing. Of several arrays of an
	// archive, one of one axis that is called t or time is that of the others, unless Arrays are given.
	AutoTime = "auto"
	// NoTime says that all columns are data.
	NoTime = "none"
)

// maxRow is the largest number of values of a snapshot, and maxFiles that of files.
const (
	maxRow   = 1 << 22
	maxFiles = 1 << 16
)

// Recordings reads trajectories from files, what a file is being told by its content:
//
//   - NumPy's .npy: real numbers of any type, byte order and memory order, [n], [n, d], [n, h, w], and
//     [n, c, h, w] or [n, h, w, c], where channels are at most 4 if they come last. 8-bit images p become
//     p/255;
//   - NumPy's .npz: arrays as these, each of them a trajectory;
//   - tables of numbers, .csv and .tsv: with a header or without, separated by commas, semicolons, tabs
//     or spaces, with decimal commas where the comma separates nothing.
//
// place is a file, a folder of files that are called so, or several of both separated by commas. Files of
// a folder come in their natural order: run2 before run10.
//
// Arrays of more than a megabyte that are not compressed stay in their files, which are mapped into memory where the
// system can do so, and must stay as they are. All else takes at most [foreign.ArrayLimit] of memory
// together. Numbers are read as float32. Those of tables are checked, and those of arrays are not, see
// [Recording.CheckFinite].
//
// The error names file, row and column. It is [ErrFormat] for what cannot be read, [core.ErrNonFinite] for
// a number that is not finite, [core.ErrOption] for a column that is not there or cannot be the time,
// that of opening what must be a regular file, or that of ctx.
func Recordings(ctx context.Context, place string, s Selection) ([]Recording, error) {
	files, err := recordingsAt(place)
	if err != nil {
		return nil, err
	}
	r := recordings{Selection: s, left: foreign.ArrayLimit()}
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.read(ctx, file); err != nil {
			return nil, err
		}
	}
	return r.all, nil
}

// recordings are what has been read so far.
type recordings struct {
	Selection

	left int64 // bytes of memory
	all  []Recording
}

func (r *recordings) read(ctx context.Context, from place) error {
	file, err := from.open()
	if err != nil {
		return err
	}
	defer file.Close()
	content := bufio.NewReaderSize(file, 1<<16)
	start, _ := content.Peek(512)
	switch {
	case len(start) == 0:
		err = fmt.Errorf("%w: it is empty", ErrFormat)
	case bytes.HasPrefix(start, []byte("\x93NUMPY")), bytes.HasPrefix(start, []byte("PK\x03\x04")) && !isOffice(start):
		err = r.readArrays(file, from.name)
	case known(start) != "":
		err = fmt.Errorf("%w: it is %s; .npy, .npz, .csv and .tsv files are read", ErrFormat, known(start))
	default:
		t := table{Selection: r.Selection, left: r.left, lines: lines{content: content}}
		var one Recording
		one, err = t.read(ctx)
		one.File = from.name
		r.left, r.all = t.left, append(r.all, one)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", from.name, err)
	}
	return nil
}

// content is that of a file of arrays: a mapping, or memory if the file is small or cannot be mapped.
func (r *recordings) content(file *os.File) (*mapping, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > mostRead && canMap {
		return mapFile(file, info.Size())
	}
	if info.Size() > r.left {
		return nil, foreign.TooLarge("it has", info.Size(), r.left)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(file, info.Size()))
	r.left -= int64(len(content))
	return &mapping{bytes: content}, err
}

// Where names a value: the file, the line or row, and the column, all counted from 1.
func (r *Recording) Where(row, value int) string {
	if r.Columns == nil {
		return fmt.Sprintf("%s, snapshot %d, value %d", r.Title(), row+1, value+1)
	}
	column := r.Column(value)
	kind := "row"
	if r.first > 0 {
		kind, row = "line", row+r.first-1
	}
	return fmt.Sprintf("%s, %s %d, %s", r.Title(), kind, row+1, column)
}

// Column names the column of a value of a vector.
func (r *Recording) Column(value int) string {
	name := ""
	if r.Names != nil {
		name = r.Names[value]
	}
	return columnName(r.Columns[value]-1, name)
}

// Title names the recording: its file, and the array in it.
func (r *Recording) Title() string {
	if r.Array == "" {
		return r.File
	}
	return r.File + ", array " + r.Array
}

// CheckFinite returns [core.ErrNonFinite] naming the first value that is infinite or not a number.
func (r *Recording) CheckFinite() error {
	if r.Rows.CheckFinite() == nil {
		return nil
	}
	row := make([]float32, r.Rows.Size())
	for i := range r.Rows.Len() {
		r.Rows.Read(row, i)
		if j := slices.IndexFunc(row, func(v float32) bool { return v-v != 0 }); j >= 0 {
			return fmt.Errorf("%w: %s: it is %v as a number of 32 bits", core.ErrNonFinite, r.Where(i, j), row[j])
		}
	}
	return nil
}

// columnName is how the user finds a column, counted from 0.
func columnName(i int, name string) string {
	if name == "" {
		return fmt.Sprintf("column %d", i+1)
	}
	return fmt.Sprintf("column %d (%s)", i+1, name)
}

// choose returns the columns of so many that a list names, counted from 0. names may be nil.
func choose(list string, width int, names []string) ([]int, error) {
	var chosen []int
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		first, last, isRange := strings.Cut(item, "..")
		a, err := column(item, width, names)
		b := a
		if err != nil && isRange {
			if a, err = column(first, width, names); err == nil {
				b, err = column(last, width, names)
			}
		}
		switch {
		case err != nil:
			return nil, err
		case b < a:
			return nil, fmt.Errorf("%w: the range of columns %q goes backwards; put the first column first", core.ErrOption,
				item)
		}
		for i := a; i <= b; i++ {
			if slices.Contains(chosen, i) {
				return nil, fmt.Errorf("%w: %s is chosen twice", core.ErrOption, columnName(i, ""))
			}
			chosen = append(chosen, i)
		}
	}
	return chosen, nil
}

// column finds one column; names go before numbers.
func column(text string, width int, names []string) (int, error) {
	text = strings.TrimSpace(text)
	if i := slices.Index(names, text); i >= 0 && text != "" {
		if slices.Contains(names[i+1:], text) {
			return 0, fmt.Errorf("%w: two columns are called %.80q; name them by numbers", core.ErrOption, text)
		}
		return i, nil
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= width {
		return n - 1, nil
	}
	has := fmt.Sprintf("the columns 1..%d", width)
	if names != nil {
		has += ", " + Few(names)
	}
	if near := core.Nearest(text, names); text != "" && near != "" {
		has += fmt.Sprintf("; did you mean %q?", near)
	}
	return 0, fmt.Errorf("%w: there is no column %.80q; it has %s", core.ErrOption, text, has)
}

// shown is a name out of a file, for messages.
func shown(name string) string { return foreign.Line(name, 80) }

// shownPath is a whole path, for messages.
func shownPath(path string) string { return foreign.Line(path, 1000) }

// Few names the first of many, and the last.
func Few(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most-1], ", ") + ", … " + names[len(names)-1]
	}
	return strings.Join(names, ", ")
}

// even returns how far n times are apart, which must rise evenly. row says where one is.
func even(n int, time func(i int) float64, row func(i int) string) (float64, error) {
	if n < 2 {
		return 0, nil
	}
	for i := 1; i < n; i++ {
		if !(time(i) > time(i-1)) {
			return 0, fmt.Errorf("%w: the time does not rise from %s (%v) to the next row (%v); give each trajectory a file "+
				"of its own, or time=%s to take it as data", ErrFormat, row(i-1), time(i-1), time(i), NoTime)
		}
	}
	interval := (time(n-1) - time(0)) / float64(n-1)
	for i := range n {
		if !(math.Abs(time(i)-time(0)-float64(i)*interval) <= unevenness*interval) {
			odd, usual := oddStep(n, time)
			return 0, fmt.Errorf("%w: the time is not even: it rises by %.6g after %s, and by %.6g after most; give rows at "+
				"even times, or time=%s to take it as data", ErrFormat, time(odd+1)-time(odd), row(odd), usual, NoTime)
		}
	}
	return interval, nil
}

// oddStep is the row, of at least two, after which the time rises least like after others, and how
// much it usually rises: the median of the first rises.
func oddStep(n int, time func(i int) float64) (odd int, usual float64) {
	const most = 1 << 16
	steps := make([]float64, min(n-1, most))
	for i := range steps {
		steps[i] = time(i+1) - time(i)
	}
	slices.Sort(steps)
	usual = steps[len(steps)/2]
	for i, worst := 0, -1.0; i < n-1; i++ {
		if off := math.Abs(time(i+1) - time(i) - usual); off > worst {
			odd, worst = i, off
		}
	}
	return odd, usual
}

// unevenness is how far a time may be from an even one, as a part of a step: times are rounded as they are written.
const unevenness = 0.2
