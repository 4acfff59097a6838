package dataset

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
)

// table reads a table of numbers in a text.
type table struct {
	Selection

	left  int64 // bytes of memory
	lines lines

	separator byte     // 0 for a single column
	names     []string // of all columns; nil without a header
	width     int      // fields of a line
	columns   []int    // those that are read, counted from 0
	time      int      // the column of the time, -1 for none
	mark      byte     // between whole and decimal digits, 0 if none was seen

	comment bool // the first line begins with #

	fields [][]byte // of the line
	values []float32
	spans  []Span // of all columns
	times  []float64
}

// separators are the words for what separates the fields of a line, the surest first.
var separators = []struct {
	byte
	word string
}{{'\t', "tab-separated"}, {';', "semicolon-separated"}, {',', "comma-separated"}, {' ', "space-separated"}}

func (t *table) read(ctx context.Context) (Recording, error) {
	first, err := t.begin()
	if err != nil {
		return Recording{}, err
	}
	for line := first; err == nil; line, err = t.lines.next() {
		if t.lines.number%4096 == 0 && ctx.Err() != nil {
			return Recording{}, ctx.Err()
		}
		if err := t.add(line); err != nil {
			return Recording{}, err
		}
	}
	if !errors.Is(err, io.EOF) {
		return Recording{}, err
	}
	return t.recording()
}

// begin reads the header, and returns the first line of numbers.
func (t *table) begin() ([]byte, error) {
	first, err := t.lines.next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: it has no line that is not empty", ErrFormat)
	case err != nil:
		return nil, err
	case bytes.HasPrefix(first, []byte("\xff\xfe")), bytes.HasPrefix(first, []byte("\xfe\xff")):
		return nil, fmt.Errorf("%w: it is a text in UTF-16; save it in UTF-8", ErrFormat)
	}
	first = bytes.TrimPrefix(first, []byte("\xef\xbb\xbf"))
	switch {
	case len(first) == 0:
		return nil, fmt.Errorf("%w: its first line is empty", ErrFormat)
	case bytes.IndexByte(first, '\r') >= 0:
		return nil, fmt.Errorf("%w: its lines end with only a carriage return; save it with line feeds", ErrFormat)
	case bytes.HasPrefix(bytes.ToLower(first), []byte("sep=")):
		return nil, fmt.Errorf("%w: its first line, %.10q, is for Excel only; leave it out", ErrFormat, first)
	}
	header := bytes.TrimLeft(first, "# ")
	t.comment = first[0] == '#'
	t.separator = separatorOf(header)
	if err := t.split(header); err != nil {
		return nil, err
	}
	t.width = len(t.fields)
	t.spans = slices.Repeat([]Span{noSpan()}, t.width)
	isName := func(field []byte) bool {
		_, err := strconv.ParseFloat(strings.Replace(string(field), ",", ".", 1), 64)
		return len(field) > 0 && err != nil && !errors.Is(err, strconv.ErrRange)
	}
	named, texts := t.Header == "true", slices.ContainsFunc(t.fields, isName)
	switch {
	case t.Header == "false" && texts:
		return nil, fmt.Errorf("%w: the first line, %.20q, has a text that is not a number, but header=false says that it "+
			"is not a header",
			core.ErrOption, first)
	case t.Header != "true" && t.Header != "false":
		named = texts
		if !named && t.counted() {
			if named = len(t.fields[0]) == 0; !named {
				return nil, fmt.Errorf(
					"%w: the first line, %.20q, may be numbers or the header of columns without names; say which "+
						"by header=true or header=false", core.ErrOption, first)
			}
		}
	}
	if named {
		for _, field := range t.fields {
			t.names = append(t.names, shown(strings.Trim(string(field), `"`)))
		}
		if first, err = t.lines.next(); err != nil {
			return nil, fmt.Errorf("%w: it has a header but no numbers", ErrFormat)
		}
	}
	return first, t.choose()
}

// counted reports whether the fields of the line are 0, 1, …, perhaps after an empty one: pandas
// writes so for columns that have no names.
func (t *table) counted() bool {
	fields := t.fields
	if len(fields[0]) == 0 {
		fields = fields[1:]
	}
	for i, field := range fields {
		if string(field) != strconv.Itoa(i) {
			return false
		}
	}
	return len(t.fields) > 1
}

func separatorOf(line []byte) byte {
	quoted := false
	has := map[byte]bool{}
	for _, c := range line {
		quoted = quoted != (c == '"')
		has[c] = has[c] || !quoted
	}
	for _, s := range separators {
		if has[s.byte] {
			return s.byte
		}
	}
	return 0
}

// choose finds the columns that are asked for.
func (t *table) choose() (err error) {
	t.columns = make([]int, t.width)
	for i := range t.columns {
		t.columns[i] = i
	}
	if t.Columns != "" {
		if t.columns, err = choose(t.Columns, t.width, t.names); err != nil {
			return err
		}
	}
	switch t.Time {
	case NoTime:
		t.time = -1
	case AutoTime:
		if t.time, err = t.autoTime(); err != nil {
			return err
		}
	default:
		if t.time, err = column(t.Time, t.width, t.names); err != nil {
			return err
		}
		t.columns = slices.DeleteFunc(t.columns, func(i int) bool { return i == t.time })
	}
	if len(t.columns) == 0 {
		return fmt.Errorf("%w: no column is left", core.ErrOption)
	}
	return nil
}

// autoTime finds the column of the time by its name, -1 for none. Columns that are asked for are data.
func (t *table) autoTime() (int, error) {
	found := -1
	for i, name := range t.names {
		switch {
		case t.Columns == "" && (name == "" || strings.EqualFold(name, "index")), isTime(name) &&
			(t.Columns == "" || !slices.Contains(t.columns, i)):
		default:
			continue
		}
		if found >= 0 {
			return 0, fmt.Errorf("%w: %s and %s may both be the time; choose one with time=, and the other columns with "+
				"columns=",
				core.ErrOption, t.column(found), t.column(i))
		}
		found = i
	}
	return found, nil
}

// isTime reports whether a name says that numbers are times. T is a temperature.
func isTime(name string) bool { return name == "t" || strings.EqualFold(name, "time") }

// split makes the fields of a line.
func (t *table) split(line []byte) error {
	blank := " \t"
	switch t.separator {
	case '\t':
		blank = " "
	case ' ':
		line = bytes.TrimSpace(line)
	}
	t.fields = t.fields[:0]
	for {
		line = bytes.TrimLeft(line, blank)
		field, rest, quoted := line, []byte(nil), false
		if len(line) > 0 && line[0] == '"' && t.separator != ' ' {
			var ok bool
			if field, rest, ok = unquoted(line[1:]); !ok {
				return t.wrong(len(t.fields), "a quote that does not end in its line")
			}
			line, quoted = bytes.TrimLeft(rest, blank), true
		}
		end := len(line)
		if t.separator != 0 {
			if i := bytes.IndexByte(line, t.separator); i >= 0 {
				end = i
			}
		}
		if !quoted {
			field = bytes.TrimRight(line[:end], blank)
		} else if end > 0 && len(bytes.TrimSpace(line[:end])) > 0 {
			return t.wrong(len(t.fields), "there is a text after a quote")
		}
		t.fields = append(t.fields, field)
		if end == len(line) {
			return nil
		}
		line = line[end+1:]
	}
}

// unquoted returns the text up to the closing quote, and what follows it. Two quotes stand for one.
func unquoted(line []byte) (field, rest []byte, ok bool) {
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] != '"':
			field = append(field, line[i])
		case i+1 < len(line) && line[i+1] == '"':
			field = append(field, '"')
			i++
		default:
			return field, line[i+1:], true
		}
	}
	return nil, nil, false
}

// add adds a line of numbers.
func (t *table) add(line []byte) error {
	if err := t.split(line); err != nil {
		return err
	}
	if n := len(t.fields); n != t.width {
		hint := ""
		switch {
		case t.comment:
			hint = "; leave the first line out if it does not name the columns"
		case t.names != nil && n == t.width+1 && t.lines.number == 2:
			hint = "; if the first column has the names of rows, as R writes them, name it in the header or leave it out"
		case t.separator == ',' && n > t.width:
			hint = "; if the comma is the decimal mark, separate the columns by semicolons or tabs"
		}
		return fmt.Errorf("%w: line %d has %s, but the first line has %d%s", ErrFormat, t.lines.number,
			foreign.Count(n, "field"), t.width, hint)
	}
	if t.left -= int64(4*len(t.columns) + 8); t.left < 0 {
		return foreign.TooLarge("its numbers take more than", foreign.ArrayLimit(), foreign.ArrayLimit())
	}
	for _, i := range t.columns {
		v, err := t.number(i)
		if err != nil {
			return err
		}
		if math.IsInf(float64(float32(v)), 0) {
			return t.notFinite(i, "is beyond the range of numbers of 32 bits")
		}
		t.values = append(t.values, float32(v))
		t.spans[i].add(v)
	}
	if t.time >= 0 {
		v, err := t.number(t.time)
		if err != nil {
			return err
		}
		t.times = append(t.times, v)
	}
	return nil
}

// number is the number in a field of the line. It is finite.
func (t *table) number(i int) (float64, error) {
	field := t.fields[i]
	if len(field) == 0 {
		return 0, t.wrong(i, "the number is missing; fill the gap, or "+t.leaveOut(i))
	}
	text := string(field)
	mark := byte(0)
	switch commas := strings.Count(text, ","); {
	case commas == 1 && t.separator != ',' && !strings.Contains(text, "."):
		text, mark = strings.Replace(text, ",", ".", 1), ','
	case commas == 0 && strings.Contains(text, "."):
		mark = '.'
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange), !foreign.Decimal(text):
		return 0, t.wrong(i, fmt.Sprintf("%.40q is not a number; %s", field, t.leaveOut(i)))
	case mark != 0 && t.mark != 0 && mark != t.mark:
		return 0, t.wrong(i, fmt.Sprintf(
			"%.40q has a different decimal mark from the numbers before it; use either points or commas",
			field))
	case err != nil:
		return 0, t.notFinite(i, "is beyond the range of numbers")
	case v-v != 0:
		return 0, t.notFinite(i, "is not finite")
	}
	if mark != 0 {
		t.mark = mark
	}
	return v, nil
}

// leaveOut says how to leave a column out.
func (t *table) leaveOut(i int) string {
	if i == t.time {
		return "leave out the column with columns= and time=" + NoTime
	}
	return "leave out the column with columns="
}

// wrong is [ErrFormat] for a field of the line.
func (t *table) wrong(i int, says string) error {
	return fmt.Errorf("%w: line %d, %s: %s", ErrFormat, t.lines.number, t.column(i), says)
}

func (t *table) notFinite(i int, says string) error {
	return fmt.Errorf("%w: line %d, %s: %.40q %s", core.ErrNonFinite, t.lines.number, t.column(i), t.fields[i], says)
}

func (t *table) column(i int) string {
	if i < len(t.names) {
		return columnName(i, t.names[i])
	}
	return columnName(i, "")
}

// recording is what all lines make.
func (t *table) recording() (r Recording, err error) {
	r.first = 1
	if t.names != nil {
		r.first = 2
	}
	if t.time >= 0 {
		r.Time = columnName(t.time, "")
		if t.names != nil && t.names[t.time] != "" {
			r.Time = "column " + t.names[t.time]
		}
		r.Times = &Times{Column: t.time + 1, at: func(i int) float64 { return t.times[i] }}
		if t.names != nil {
			r.Times.Name = t.names[t.time]
		}
		interval, err := even(len(t.times), r.Times.at, func(i int) string { return fmt.Sprintf("line %d", i+r.first) })
		if err != nil {
			return r, err
		}
		r.Times.Step = interval
		if t.names == nil || !slices.Contains([]string{"", "index"}, strings.ToLower(t.names[t.time])) {
			r.Interval = interval
		}
		t.drop(t.time)
		if len(t.columns) == 0 {
			return r, fmt.Errorf("%w: its only column is the time; give time=%s to take it as data", core.ErrOption, NoTime)
		}
	}
	for _, i := range t.columns {
		r.spans = append(r.spans, t.spans[i])
		r.Columns = append(r.Columns, i+1)
		if t.names != nil {
			r.Names = append(r.Names, t.names[i])
		}
	}
	r.Form = t.form()
	r.Rows, err = core.NewSnapshots(t.values, len(t.columns))
	return r, err
}

// drop leaves a column out of the values, if it is among them.
func (t *table) drop(column int) {
	at := slices.Index(t.columns, column)
	if at < 0 {
		return
	}
	kept := t.values[:0]
	for i, v := range t.values {
		if i%len(t.columns) != at {
			kept = append(kept, v)
		}
	}
	t.values, t.columns = kept, slices.Delete(t.columns, at, at+1)
}

// form says what the text was taken for.
func (t *table) form() string {
	words := []string{"no header"}
	if t.names != nil {
		words[0] = "header"
	}
	for _, s := range separators {
		if s.byte == t.separator {
			words = append(words, s.word)
		}
	}
	if t.mark == ',' {
		words = append(words, "decimal commas")
	}
	return strings.Join(words, ", ")
}

// lines reads the lines of a text.
type lines struct {
	content *bufio.Reader
	number  int // of the line, from 1
	line    []byte
}

// maxTextLine is the longest line, in bytes.
const maxTextLine = 1 << 24

// next returns the next line, without its end. It holds until the next call. Empty lines may only
// come at the end. The error is [io.EOF] there.
func (l *lines) next() ([]byte, error) {
	for blank := 0; ; blank++ {
		l.line = l.line[:0]
		var err error
		for {
			var part []byte
			part, err = l.content.ReadSlice('\n')
			l.line = append(l.line, part...)
			if !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
			if len(l.line) > maxTextLine {
				return nil, fmt.Errorf("%w: line %d has more than %d bytes", ErrFormat, l.number+1, maxTextLine)
			}
		}
		if err != nil && !errors.Is(err, io.EOF) || err != nil && len(l.line) == 0 {
			return nil, err
		}
		l.number++
		if line := bytes.TrimRight(l.line, "\r\n"); len(bytes.TrimSpace(line)) > 0 {
			if blank > 0 {
				return nil, fmt.Errorf("%w: line %d is empty, but line %d is not; leave out empty lines, and give each "+
					"trajectory a file of its own", ErrFormat, l.number-1, l.number)
			}
			return line, nil
		}
	}
}
