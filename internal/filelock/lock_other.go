//go:build !unix || solaris || aix

package filelock

import (
	"errors"
	"os"
)

// Lock returns [errors.ErrUnsupported]: this system has no such locks.
func Lock(*os.File) error { return errors.ErrUnsupported }
