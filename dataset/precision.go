package dataset

import (
	"math"
	"runtime/debug"

	"github.com/koopbench/koopbench/core"
)

// Span is the range of the numbers of a column, and how far the 32-bit floats that are read may be
// from them.
type Span struct{ Low, High, Error float64 }

// Widen extends a span to include the numbers of another.
func (s *Span) Widen(other Span) {
	s.Low, s.High, s.Error = min(s.Low, other.Low), max(s.High, other.High), max(s.Error, other.Error)
}

// Lost reports whether 32 bits distinguish fewer than a thousand numbers of the span.
func (s Span) Lost() bool { return s.Error > (s.High-s.Low)/2000 && s.Error > 0 && s.High > s.Low }

// noSpan holds no number.
func noSpan() Span { return Span{math.Inf(1), math.Inf(-1), 0} }

func (s *Span) add(v float64) {
	s.Widen(Span{v, v, math.Abs(v - float64(float32(v)))})
}

// Spans are the spans of the columns of a recording of vectors, or nil for types of numbers that
// fit into 32 bits. Those of an array are read from its file. The error is that of a file that has
// changed.
func (r *Recording) Spans() (spans []Span, err error) {
	source := r.wide
	if source == nil {
		return r.spans, nil
	}
	defer core.Recover(&err)
	defer settle(source.mapping, debug.SetPanicOnFault(true))
	spans = make([]Span, len(r.Columns))
	for j := range spans {
		spans[j] = noSpan()
	}
	for i := range r.Rows.Len() {
		for j, column := range r.Columns {
			spans[j].add(source.view.At(i, column-1))
		}
	}
	return spans, nil
}
