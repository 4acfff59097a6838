//go:build !unix

package dataset

import (
	"errors"
	"os"
)

const canMap = false

func mapFile(*os.File, int64) (*mapping, error) { return nil, errors.ErrUnsupported }
