package npz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/internal/foreign"
)

// header is that of a .npy file.
type header struct {
	kind    kind
	descr   string // of the kind, without the order of bytes
	shape   []int
	size    int   // number of values
	length  int64 // of the header itself, in bytes
	fortran bool  // values are column-major
}

const (
	signature = "\x93NUMPY"
	// maxHeader is the largest header that is read, in bytes; NumPy itself reads 10000.
	maxHeader = 1 << 16
	// maxAxes is the largest number of axes, NumPy's own.
	maxAxes = 64
)

// readHeader reads a header of any of NumPy's versions, and refuses arrays that take more than most
// bytes of memory: of an array without values, its axes count.
func readHeader(r io.Reader, most int64) (header, error) {
	lead := make([]byte, len(signature)+2)
	n, err := io.ReadFull(r, lead)
	switch {
	case n < len(signature) || string(lead[:len(signature)]) != signature:
		return header{}, errors.New("it does not begin with NumPy's \"\\x93NUMPY\"")
	case err != nil:
		return header{}, errors.New("it ends within its header")
	}
	width := 2
	switch version := lead[len(signature)]; version {
	case 1:
	case 2, 3:
		width = 4
	default:
		return header{}, fmt.Errorf("its header is of version %d; the versions 1, 2 and 3 are read", version)
	}
	length := make([]byte, 4)
	if _, err := io.ReadFull(r, length[:width]); err != nil {
		return header{}, errors.New("it ends within its header")
	}
	size := binary.LittleEndian.Uint32(length)
	if size > maxHeader {
		return header{}, fmt.Errorf("its header has %d bytes, and the most is %d", size, maxHeader)
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(r, text); err != nil {
		return header{}, errors.New("it ends within its header")
	}
	h, err := parseHeader(text)
	if err != nil {
		return h, err
	}
	h.length = int64(len(lead) + width + len(text))
	return h, h.check(most)
}

// check refuses what takes more than most bytes of memory.
func (h header) check(most int64) error {
	values := int64(1)
	for _, d := range h.shape {
		if d > 0 && values > math.MaxInt64/64/int64(d) {
			return fmt.Errorf("the shape %v is too large", h.shape)
		}
		values *= int64(max(d, 1))
	}
	memory := values * int64(h.kind.memory)
	if h.fortran {
		memory *= 2 // while it is turned
	}
	if memory > most {
		return foreign.TooLarge(fmt.Sprintf("an array of shape %v takes", h.shape), memory, most)
	}
	return nil
}

// parseHeader reads a Python dictionary with the three entries of a header, however it is spaced,
// quoted and ordered.
func parseHeader(text []byte) (h header, err error) {
	s := scanner{rest: text}
	seen := map[string]bool{}
	if !s.take('{') {
		return h, s.unreadable(text)
	}
	for !s.take('}') {
		key, ok := s.quoted()
		if !ok || seen[key] || !s.take(':') {
			return h, s.unreadable(text)
		}
		seen[key] = true
		switch key {
		case "descr":
			descr, isText := s.quoted()
			if !isText {
				return h, errors.New("its values are records of several fields; arrays of numbers are read")
			}
			h.descr = strings.TrimLeft(descr, "<>=|")
			if h.kind, err = kindOf(descr); err != nil {
				return h, err
			}
		case "fortran_order":
			h.fortran = s.word("True")
			ok = h.fortran || s.word("False")
		case "shape":
			h.shape, ok = s.tuple()
		default:
			ok = false
		}
		if !ok || !s.take(',') && !s.at('}') {
			return h, s.unreadable(text)
		}
	}
	if len(seen) != 3 || len(bytes.Trim(s.rest, " \t\n\x00")) > 0 {
		return h, s.unreadable(text)
	}
	h.size = product(h.shape)
	return h, nil
}

// scanner reads what Python writes.
type scanner struct{ rest []byte }

func (s *scanner) unreadable(text []byte) error { return fmt.Errorf("unreadable header %.80q", text) }

func (s *scanner) at(b byte) bool {
	s.rest = bytes.TrimLeft(s.rest, " \t\n\r")
	return len(s.rest) > 0 && s.rest[0] == b
}

func (s *scanner) take(b byte) bool {
	if !s.at(b) {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) word(w string) bool {
	s.at(0)
	rest, ok := bytes.CutPrefix(s.rest, []byte(w))
	s.rest = rest
	return ok
}

// quoted reads a text without escapes, in either quotes; Python 2 may have put a u before it.
func (s *scanner) quoted() (string, bool) {
	s.word("u")
	for _, quote := range []byte{'\'', '"'} {
		if s.at(quote) {
			text, rest, ok := bytes.Cut(s.rest[1:], []byte{quote})
			if !ok || bytes.ContainsAny(text, "\\\n") {
				return "", false
			}
			s.rest = rest
			return string(text), true
		}
	}
	return "", false
}

// tuple reads the lengths of axes; Python 2 may have put an L after each.
func (s *scanner) tuple() (lengths []int, ok bool) {
	if !s.take('(') {
		return nil, false
	}
	for comma := true; !s.take(')'); comma = s.take(',') {
		s.at(0)
		digits := len(s.rest) - len(bytes.TrimLeft(s.rest, "0123456789"))
		n, err := strconv.Atoi(string(s.rest[:digits]))
		if err != nil || !comma || len(lengths) == maxAxes {
			return nil, false
		}
		s.rest = s.rest[digits:]
		s.word("L")
		lengths = append(lengths, n)
		if len(lengths) == 1 && !s.at(',') {
			return nil, false // (3) is a number
		}
	}
	return lengths, true
}

// kindOf is the type of values that a descr names: "<f4", "|b1", "i8".
func kindOf(descr string) (kind, error) {
	name, big := descr, false
	if name != "" && strings.ContainsRune("<>=|", rune(name[0])) {
		big, name = name[0] == '>', name[1:]
	}
	if name == "?" {
		name = "b1"
	}
	k, ok := kinds[name]
	if !ok {
		return k, fmt.Errorf(
			"values of type %.40q are not read; floats and whole numbers of at most 64 bits, and booleans, are", descr)
	}
	if k.order = binary.ByteOrder(binary.LittleEndian); big {
		k.order = binary.BigEndian
	}
	return k, nil
}
