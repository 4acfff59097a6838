package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"

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

// Failure turns an error into what is sent of it: its kind, its text, and the stack where it was a panic.
func Failure(err error) *wire.Failure {
	f := &wire.Failure{Message: err.Error()}
	if errors.Is(err, core.ErrPanic) {
		f.Message, f.Stack, _ = strings.Cut(f.Message, "\n")
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			f.Kind = s.kind
			break
		}
	}
	return f
}

// Error turns a failure into an error that wraps the sentinel of its kind. The text is the plugin's.
func Error(f *wire.Failure) error {
	text := f.GetMessage()
	if f.GetStack() != "" {
		text += "\n" + f.GetStack()
	}
	for _, s := range sentinels {
		if f.GetKind() == s.kind {
			return &remoteError{text, s.err}
		}
	}
	return &remoteError{text, nil}
}

// remoteError is an error that has come over the wire: the kind of one without repeating its text.
type remoteError struct {
	text     string
	sentinel error
}

func (e *remoteError) Error() string {
	if e.text == "" {
		return fmt.Sprint("the plugin failed without a message: ", e.sentinel)
	}
	return e.text
}

func (e *remoteError) Unwrap() error { return e.sentinel }
