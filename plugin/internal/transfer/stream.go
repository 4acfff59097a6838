package transfer

import (
	"fmt"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Stream is either end of a call.
type Stream interface {
	Send(*wire.Frame) error
	Recv() (*wire.Frame, error)
}

// ComputedTrailer is the name of what a plugin may send at the end of a call: the seconds that its
// own code took in it, a decimal number.
const ComputedTrailer = "koopbench-computed-seconds"

// CheckSize returns [core.ErrShape] for an array that is too large to be sent.
func CheckSize(arrays ...Array) error {
	for _, a := range arrays {
		if _, err := count(a.header); err != nil {
			return fmt.Errorf(
				"%w: the array %q of shape %v is larger than %d bytes, the most that is sent to another process or back "+
					"at once; use fewer snapshots, or built-in methods without --isolate, which read them where they are",
				core.ErrShape, a.header.GetName(), a.header.GetShape(), MaxArray)
		}
	}
	return nil
}

// Send sends a frame that announces arrays, and then their numbers. It returns the first error of
// the stream, or [core.ErrContract] for an array that is too large.
func Send(s Stream, frame *wire.Frame, arrays ...Array) error {
	for _, a := range arrays {
		if _, err := count(a.header); err != nil {
			return err
		}
	}
	if err := s.Send(frame); err != nil {
		return err
	}
	for _, a := range arrays {
		n, _ := count(a.header)
		width := widths[a.header.GetType()]
		for from := 0; from < n; from += MaxChunk / width {
			to := min(from+MaxChunk/width, n)
			chunk := a.append(make([]byte, 0, (to-from)*width), from, to)
			if err := s.Send(&wire.Frame{Content: &wire.Frame_Chunk{Chunk: chunk}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// CheckAnnounced checks the announcements of arrays, which must be of the given names in that
// order. The error is [core.ErrContract].
func CheckAnnounced(headers []*wire.Array, names ...string) error {
	if len(headers) != len(names) {
		return fmt.Errorf("%w: %d arrays were announced where %d belong, %q", core.ErrContract, len(headers), len(names),
			names)
	}
	for i, h := range headers {
		if h.GetName() != names[i] {
			return fmt.Errorf("%w: the array %q was announced where %q belongs", core.ErrContract, h.GetName(), names[i])
		}
		if _, err := count(h); err != nil {
			return err
		}
	}
	return nil
}

// Receive receives the announced arrays, which must be of the given names in that order. Memory
// grows with what has arrived, not with what was announced. The error is that of the stream, or
// [core.ErrContract].
func Receive(s Stream, headers []*wire.Array, names ...string) ([]Received, error) {
	if err := CheckAnnounced(headers, names...); err != nil {
		return nil, err
	}
	arrays := make([]Received, len(headers))
	for i, h := range headers {
		n, err := count(h)
		if err != nil {
			return nil, err
		}
		a := Received{Name: h.GetName(), Type: h.GetType(), Shape: make([]int, len(h.GetShape())), count: n}
		for k, axis := range h.GetShape() {
			if a.Shape[k] = int(axis); a.Shape[k] < 0 {
				return nil, fmt.Errorf("%w: the array %q has the shape %v", core.ErrContract, h.GetName(), h.GetShape())
			}
		}
		for got := 0; got < n; {
			chunk, err := receiveChunk(s, h, n-got)
			if err != nil {
				return nil, err
			}
			a.add(chunk)
			got += len(chunk) / widths[h.GetType()]
		}
		arrays[i] = a
	}
	return arrays, nil
}

// Discard receives the announced arrays and forgets them. The error is that of the stream, or
// [core.ErrContract].
func Discard(s Stream, headers []*wire.Array) error {
	for _, h := range headers {
		n, err := count(h)
		if err != nil {
			return err
		}
		for got := 0; got < n; {
			chunk, err := receiveChunk(s, h, n-got)
			if err != nil {
				return err
			}
			got += len(chunk) / widths[h.GetType()]
		}
	}
	return nil
}

// receiveChunk receives a chunk of at most n numbers.
func receiveChunk(s Stream, h *wire.Array, n int) ([]byte, error) {
	frame, err := s.Recv()
	if err != nil {
		return nil, err
	}
	c, ok := frame.GetContent().(*wire.Frame_Chunk)
	if !ok {
		return nil, fmt.Errorf("%w: %s came where a chunk of the array %q belongs", core.ErrContract,
			Kind(frame), h.GetName())
	}
	width := widths[h.GetType()]
	if len(c.Chunk) == 0 || len(c.Chunk)%width != 0 || len(c.Chunk)/width > n || len(c.Chunk) > MaxChunk {
		return nil, fmt.Errorf("%w: a chunk of %d bytes came for the array %q, which lacks %d numbers of %d bytes; a chunk "+
			"has at most %d bytes",
			core.ErrContract, len(c.Chunk), h.GetName(), n, width, MaxChunk)
	}
	return c.Chunk, nil
}

// Kind says what a frame holds, for messages.
func Kind(f *wire.Frame) string {
	content := f.ProtoReflect().WhichOneof(f.ProtoReflect().Descriptor().Oneofs().Get(0))
	if content == nil {
		return "an empty frame"
	}
	return fmt.Sprintf("a frame with %q", content.Name())
}
