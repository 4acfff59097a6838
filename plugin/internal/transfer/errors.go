package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/wire"
)

// sentinels are the errors that keep their kind on the wire.
var sentinels = []struct {
	kind wire.Failure_Kind
	err  error
}{
	{wire.Failure_PANIC, core.ErrPanic},
	{wire.Failure_CONTRACT, core.ErrContract},
	{wire.Failure_SHAPE, core.ErrShape},
	{wire.Failure_NON_FINITE, core.ErrNonFinite},
	{wire.Failure_TOO_SHORT, core.ErrTooShort},
	{wire.Failure_OPTION, core.ErrOption},
	{wire.Failure_LABEL, core.ErrLabel},
	{wire.Failure_UNAVAILABLE, core.ErrUnavailable},
	{wire.Failure_UNKNOWN, core.ErrUnknown},
	{wire.Failure_CANCELLED, context.Canceled},
	{wire.Failure_CANCELLED, context.DeadlineExceeded},
}

// maxFailure is the most bytes of a message, and of a stack, that are sent: a panic's value may be
// of any size.
const maxFailure = 1 << 20

// Failure turns an error into what is sent of it: its kind, its text, and the stack where it was a panic.
func Failure(err error) *wire.Failure {
	f := &wire.Failure{Message: err.Error()}
	if errors.Is(err, core.ErrPanic) {
		f.Message, f.Stack, _ = strings.Cut(f.Message, "\n")
	}
	f.Message, f.Stack = Text(f.Message, maxFailure), Text(f.Stack, maxFailure)
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			f.Kind = s.kind
			break
		}
	}
	return f
}

// Text is the beginning of a text, of at most so many bytes, with the replacement character for
// each byte that is not UTF-8: other texts cannot be sent.
func Text(s string, most int) string {
	s = s[:min(len(s), most)]
	if utf8.ValidString(s) {
		return s
	}
	s = string([]rune(s)) // may be longer
	for end := min(len(s), most); ; end-- {
		if utf8.ValidString(s[:end]) {
			return s[:end]
		}
	}
}

// Texts is Text for each of several.
func Texts(texts []string, most int) []string {
	var sent []string
	for _, s := range texts {
		sent = append(sent, Text(s, most))
	}
	return sent
}

// Error turns a failure into an error that wraps the sentinel of its kind. The text is the plugin's.
func Error(f *wire.Failure) error {
	e := &remoteError{text: f.GetMessage()}
	for _, s := range sentinels {
		if f.GetKind() == s.kind {
			e.sentinel = s.err
			break
		}
	}
	switch {
	case e.text != "":
	case e.sentinel != nil:
		e.text = fmt.Sprintf("%v: the plugin gave no further message", e.sentinel)
	default:
		e.text = "the plugin failed without a message; see its log"
	}
	if f.GetStack() != "" {
		e.text += "\n" + f.GetStack()
	}
	return e
}

// remoteError is an error that has come over the wire: the kind of one without repeating its text.
type remoteError struct {
	text     string
	sentinel error
}

func (e *remoteError) Error() string { return e.text }

func (e *remoteError) Unwrap() error { return e.sentinel }
