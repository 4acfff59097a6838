package cli

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/internal/npz"
)

// forecastEndings are those of the files that forecasts are written into, and forecastWriters what writes them.
var (
	forecastEndings = []string{".npy", ".npz", ".csv", ".tsv"}
	forecastWriters = map[string]func(p *forecast, w io.Writer) error{
		".npy": (*forecast).writeArray,
		".npz": (*forecast).writeArchive,
		".csv": func(p *forecast, w io.Writer) error { return p.writeTable(w, ',') },
		".tsv": func(p *forecast, w io.Writer) error { return p.writeTable(w, '\t') },
	}
)

// isForecast reports whether a file of that name holds forecasts.
func isForecast(name string) bool { return slices.Contains(forecastEndings, ending(name)) }

// isTable reports whether a file of that name is a text.
func isTable(name string) bool { return ending(name) == ".csv" || ending(name) == ".tsv" }

func ending(name string) string { return strings.ToLower(filepath.Ext(name)) }

// write writes a file that is not there yet, in the format of its ending.
func (p *forecast) write(path string) error {
	return writeNew(path, func(file io.Writer) error {
		w := bufio.NewWriter(file)
		if err := forecastWriters[ending(path)](p, w); err != nil {
			return err
		}
		return w.Flush()
	})
}

// array has the axes start, step, and those of a row. The first is left out if there is one start.
func (p *forecast) array() npz.Array {
	size := p.steps[0].Size()
	values := make([]float32, len(p.starts)*len(p.steps)*size)
	for i := range p.starts {
		for k, rows := range p.steps {
			at := (i*len(p.steps) + k) * size
			rows.Read(values[at:at+size], i)
		}
	}
	shape := append([]int{len(p.starts), len(p.steps)}, p.steps[0].Shape()...)
	if p.plain() {
		shape = shape[1:]
	}
	return npz.Array{Shape: shape, Values: values}
}

func (p *forecast) writeArray(w io.Writer) error { return npz.WriteArray(w, p.array()) }

// writeArchive adds the trajectory and the row of each start, and the time of each step.
func (p *forecast) writeArchive(w io.Writer) error {
	trajectories, rows := make([]int, len(p.starts)), make([]int, len(p.starts))
	var times []float64
	for i, s := range p.starts {
		trajectories[i], rows[i] = s.trajectory, s.row
		for k := range p.steps {
			if p.timed() {
				at, _ := p.time(s, k+1)
				times = append(times, at)
			}
		}
	}
	archive := npz.Archive{"predictions": p.array(), "trajectory": wholes(trajectories), "row": wholes(rows)}
	if p.timed() {
		archive["time"] = npz.Array{Shape: []int{len(p.starts), len(p.steps)}, Values: times}
	}
	return npz.Write(w, archive)
}

// writeTable writes a line for each start and step: the columns of the input and, if there are several starts,
// what tells them apart.
func (p *forecast) writeTable(w io.Writer, separator rune) error {
	table := csv.NewWriter(w)
	table.Comma = separator
	if header := p.header(); header != nil {
		if err := table.Write(header); err != nil {
			return err
		}
	}
	row := make([]float32, p.steps[0].Size())
	for i, s := range p.starts {
		for k, rows := range p.steps {
			rows.Read(row, i)
			fields := make([]string, len(row))
			for j, v := range row {
				fields[j] = strconv.FormatFloat(float64(v), 'g', -1, 32)
			}
			if p.timed() {
				fields = slices.Insert(fields, p.timeColumn(), timeText(p.time(s, k+1)))
			}
			if !p.plain() {
				fields = append([]string{strconv.Itoa(s.trajectory), strconv.Itoa(s.row), strconv.Itoa(k + 1)}, fields...)
			}
			if err := table.Write(fields); err != nil {
				return err
			}
		}
	}
	table.Flush()
	return table.Error()
}

// header is the first line; nil if the columns have no names and nothing stands before them.
func (p *forecast) header() []string {
	first := &p.from[0]
	names := slices.Clone(p.names)
	if names == nil && p.plain() {
		return nil
	}
	if names == nil {
		for _, column := range first.Columns {
			names = append(names, fmt.Sprintf("column%d", column))
		}
	}
	if p.timed() {
		name := first.Times.Name
		if name == "" && first.Names == nil {
			name = "t"
		}
		names = slices.Insert(names, p.timeColumn(), name)
	}
	if p.plain() {
		return names
	}
	return append([]string{"trajectory", "row", "step"}, names...)
}

// timed reports whether the rows have a time.
func (p *forecast) timed() bool { return p.from[0].Times != nil }

// timeColumn is how many columns of values come before that of the time.
func (p *forecast) timeColumn() (before int) {
	first := &p.from[0]
	for _, column := range first.Columns {
		if column < first.Times.Column {
			before++
		}
	}
	return before
}

// timeText writes a time to a millionth of how far rows are apart.
func timeText(at, apart float64) string {
	const finer, most = 6, 17
	decimals := min(max(0, int(math.Ceil(-math.Log10(apart)))+finer), most)
	text := strconv.FormatFloat(at, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
