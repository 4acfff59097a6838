//go:build !unix || solaris || aix

package benchmark

import (
	"errors"
	"os"
)

func lockFile(*os.File) error { return errors.ErrUnsupported }
