package cli

import (
	"time"

	"github.com/spf13/pflag"
)

// lockFile is the lock file where --plugin-lock names no other.
const lockFile = "koopbench-plugins.json"

// pluginFlags say where plugins are and which are trusted.
type pluginFlags struct {
	paths         []string
	folders       []string
	lock          string
	ignoreLock    bool
	allowWritable bool
	startTimeout  time.Duration
}

func newPluginFlags() *pluginFlags {
	return &pluginFlags{lock: lockFile, startTimeout: time.Minute}
}

func (f *pluginFlags) add(flags *pflag.FlagSet) {
	flags.Var(list{&f.paths, "FILE"}, "plugin", "plugin to use, beside those in the folders; may be repeated")
	flags.Var(list{&f.folders, "DIR"}, "plugin-dir", "folder of plugins, beside those of $KOOPBENCH_PLUGIN_PATH and your own; may be repeated")
	flags.Var(word{&f.lock, "FILE"}, "plugin-lock", "lock file, which pins the SHA-256 of plugins")
	flags.BoolVar(&f.ignoreLock, "plugin-ignore-lock", false, "run plugins that are not what the lock file pins, with a warning")
	flags.BoolVar(&f.allowWritable, "plugin-allow-writable", false, "run plugins whose file or folder others can write")
	flags.Var(limit{&f.startTimeout}, "plugin-start-timeout", "time that a plugin may take to start")
}

// list is a flag that may be repeated.
type list struct {
	values      *[]string
	placeholder string
}

func (l list) String() string        { return "" }
func (l list) Type() string          { return l.placeholder }
func (l list) Set(text string) error { *l.values = append(*l.values, text); return nil }
