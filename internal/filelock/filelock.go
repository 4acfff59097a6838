// Package filelock locks files for this process, so that other processes know that it still uses
// them. A lock ends with the process, however that ends. Any package may import it; it imports the
// standard library only.
package filelock

import "errors"

// ErrLocked says that another process, or another open file of this one, has the lock.
var ErrLocked = errors.New("locked")
