//go:build !unix

package cli

import "errors"

// limitFiles has no counterpart on this system.
func limitFiles(uint64) error { return errors.ErrUnsupported }
