package core

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// The kinds of failure that callers distinguish with [errors.Is]. The message that wraps one names
// the value, the limit and the remedy.
var (
	// ErrShape: arrays do not have the shapes or lengths they must have.
	ErrShape = errors.New("wrong shape")
	// ErrNonFinite: a value is infinite or not a number.
	ErrNonFinite = errors.New("non-finite value")
	// ErrTooShort: a sequence has too few snapshots for what is asked of it.
	ErrTooShort = errors.New("sequence too short")
	// ErrUnknown: there is nothing with that name.
	ErrUnknown = errors.New("unknown name")
	// ErrDuplicate: a name is taken.
	ErrDuplicate = errors.New("name already taken")
	// ErrDescription: a description breaks the rules of [Description].
	ErrDescription = errors.New("invalid description")
	// ErrOption: an option does not exist, or its value has the wrong type or is out of range.
	ErrOption = errors.New("invalid option")
	// ErrLabel: a label is outside 0 … Classes-1.
	ErrLabel = errors.New("label out of range")
	// ErrUnavailable: something that is needed does not exist, for instance the encoder of an oracle
	// that has none.
	ErrUnavailable = errors.New("not available")
	// ErrContract: a method or a part of one returned what its contract forbids: wrong shapes, non-finite values.
	ErrContract = errors.New("contract broken")
	// ErrCrashed: the process in which a method or a part of one ran has ended, or cannot be reached.
	ErrCrashed = errors.New("process crashed")
	// ErrPanic: a panic was caught at the boundary of a package.
	ErrPanic = errors.New("internal failure")
)

// Recover turns a panic into an [ErrPanic] with the stack where it happened; a panic value that is
// an error stays reachable by [errors.As]. [Unreadable] becomes its own error. Use it as the first
// deferred call of a function that may meet a panic of a numerical library and has a named error
// result:
//
//	func (m *model) Predict(…) (_ Snapshots, err error) {
//		defer core.Recover(&err)
func Recover(err *error) {
	switch r := recover().(type) {
	case nil:
	case Unreadable:
		*err = r.Err
	case error:
		*err = fmt.Errorf("%w: %w\n%s", ErrPanic, r, debug.Stack())
	default:
		*err = fmt.Errorf("%w: %v\n%s", ErrPanic, r, debug.Stack())
	}
}

// Contain makes a call on a goroutine of its own, waits for it, and returns its error. A panic in
// the call becomes an [ErrPanic], as [Recover] makes it. So does an end of the goroutine by
// [runtime.Goexit]. Neither reaches the caller. Contain cannot stop [os.Exit], or what other goroutines
// do that the call starts.
func Contain(call func() error) error {
	done := make(chan error, 1)
	go func() {
		err := fmt.Errorf("%w: runtime.Goexit was called, which ends a goroutine; return an error instead", ErrPanic)
		defer func() { done <- err }()
		err = func() (err error) {
			defer Recover(&err)
			return call()
		}()
	}()
	return <-done
}
