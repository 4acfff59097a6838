// Package filelock locks files for this process. So other processes can tell that this one still
// uses them. A lock ends with the process, however the process ends. Any package may import it. It
// imports only the standard library.
package filelock

import "errors"

// ErrLocked says that another process, or another open file of this one, has the lock.
var ErrLocked = errors.New("locked")
