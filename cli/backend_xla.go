//go:build xla

package cli

import (
	"os"

	"github.com/gomlx/go-xla/compute/xla"
)

const xlaBuilt = true

// prepareXLA makes sure that XLA uses the plugin that was named and never downloads one, in this
// process and its children.
func prepareXLA() {
	_ = os.Setenv(xla.NoAutoInstallEnv, "1") // fails for names that no variable can have only
	xla.EnableAutoInstall(false)
}
