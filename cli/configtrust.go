package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/koopbench/koopbench/plugin"
)

// A configuration may be from others: a folder of results has one. So it does not say which code is
// run, nor what is trusted: that is for the command line alone. Plugins that it names run if a lock
// file of the user pins them.

// trusting are the flags that say what is trusted.
var trusting = []string{"plugin-dir", "plugin-lock", "plugin-ignore-lock", "plugin-allow-writable"}

// checkTrust refuses a value that says what is trusted, unless it says what holds anyway.
func (c config) checkTrust(flag *pflag.Flag, n *yaml.Node, texts []string) error {
	switch {
	case flag.Name == "backend":
		if len(texts) == 1 && strings.HasPrefix(texts[0], xlaBackend+":") && texts[0] != os.Getenv(backendVariable) {
			return c.at(n, "backend %.200q is a library, which would run; a configuration must not choose it; "+
				"if you trust it, give it on the command line, --backend %.200s", texts[0], texts[0])
		}
	case slices.Contains(trusting, flag.Name):
		for _, text := range texts {
			if text != flag.Value.String() && !samePath(text, flag.Value.String()) {
				return c.at(n, "%s says what to trust, and a configuration must not decide that; if the configuration is yours, "+
					"give the flag on "+
					"the command line, --%s", flag.Name, flag.Name)
			}
		}
	}
	return nil
}

func samePath(a, b string) bool {
	x, errX := filepath.Abs(a)
	y, errY := filepath.Abs(b)
	return a != "" && b != "" && errX == nil && errY == nil && x == y
}

// checkConfigured checks that each plugin that the configuration names is pinned: in the lock file of
// the command line, or in the one where the command runs, unless that lies with the configuration.
func (f *runFlags) checkConfigured(lockNamed bool) error {
	if !f.configured {
		return nil
	}
	lock := &plugin.Lock{}
	if lockNamed || !within(f.plugins.lock, filepath.Dir(f.config)) {
		var err error
		if lock, err = plugin.ReadLock(f.plugins.lock); err != nil {
			return err
		}
	}
	for _, path := range f.plugins.paths {
		if lock.SHA256(path) == "" || f.plugins.ignoreLock {
			return usagef("--config %s names the plugin %.200q, which would run, and your lock file does not pin it; "+
				"if you trust it, name it on the command line, --plugin %.200s, or pin it with plugin lock", f.config, path, path)
		}
	}
	return nil
}

// within reports whether a file lies in a folder or below it, wherever links lead.
func within(file, folder string) bool {
	real := func(path string) string {
		if absolute, err := filepath.Abs(path); err == nil {
			path = absolute
		}
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
		return path
	}
	below, err := filepath.Rel(real(folder), real(file))
	return err == nil && below != ".." && !strings.HasPrefix(below, ".."+string(filepath.Separator))
}
