package conformance

import (
	"testing"

	"github.com/koopbench/koopbench/conformance/internal/broken"
	"github.com/koopbench/koopbench/core"
)

func TestTaskSuite(t *testing.T) {
	RunTaskSuite(t, func() core.Task { return broken.Correct()["task"].(core.Task) }, quick())
}
