package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/plugin"
)

// lockFile is the lock file where --plugin-lock names no other.
const lockFile = "koopbench-plugins.json"

// trustFlags say which plugins are trusted, and how long one may take to start.
type trustFlags struct {
	lock          string
	ignoreLock    bool
	allowWritable bool
	startTimeout  time.Duration
}

func newTrustFlags() *trustFlags {
	return &trustFlags{lock: lockFile, startTimeout: time.Minute}
}

func (f *trustFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(word{&f.lock, "FILE"}, "plugin-lock", "lock file that pins plugins by their SHA-256")
	flags.BoolVar(&f.ignoreLock, "plugin-ignore-lock", false,
		"warn, rather than refuse, if a plugin differs from its pin in the lock file")
	flags.BoolVar(&f.allowWritable, "plugin-allow-writable", false,
		"run a plugin even if other users can write its file or a folder above it")
	flags.Var(limit{&f.startTimeout}, "plugin-start-timeout", "time limit for the start of a plugin")
}

// pluginFlags say where plugins are and which are trusted.
type pluginFlags struct {
	trustFlags
	paths     []string
	folders   []string
	namedOnly bool // none in a folder
}

func newPluginFlags() *pluginFlags { return &pluginFlags{trustFlags: *newTrustFlags()} }

func (f *pluginFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(list{&f.paths, "FILE"}, "plugin", "plugin to use, in addition to those in the folders; may be repeated")
	flags.Var(list{&f.folders, "DIR"}, "plugin-dir",
		"folder of plugins, in addition to $KOOPBENCH_PLUGIN_PATH and your own folder; may be repeated")
	f.trustFlags.add(cmd)
	must(cmd.MarkFlagDirname("plugin-dir"))
}

// pins are what the lock file pins.
type pins struct {
	flags *trustFlags
	lock  *plugin.Lock
}

// pins reads the lock file.
func (f *trustFlags) pins() (*pins, error) {
	lock, err := plugin.ReadLock(f.lock)
	return &pins{f, lock}, err
}

// options are those to open a plugin with. warn is told of a pin that is ignored.
func (p *pins) options(path string, warn func(format string, values ...any)) plugin.Options {
	sum := p.lock.SHA256(path)
	if sum != "" && p.flags.ignoreLock {
		warn("the pin of %s in %s is ignored\n", path, p.flags.lock)
		sum = ""
	}
	return plugin.Options{
		SHA256: sum, AllowWritable: p.flags.allowWritable, StartTimeout: unlimited(p.flags.startTimeout),
	}
}

// list is a flag that may be repeated.
type list struct {
	values      *[]string
	placeholder string
}

func (l list) String() string        { return "" }
func (l list) Type() string          { return l.placeholder }
func (l list) Set(text string) error { *l.values = append(*l.values, text); return nil }
