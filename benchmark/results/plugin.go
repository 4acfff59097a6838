package results

import "reflect"

// PluginInfo says which plugin took part in a run.
type PluginInfo struct {
	Path     string `json:"path"`
	SHA256   string `json:"sha256"`   // of the file
	Protocol int    `json:"protocol"` // version of the plugin protocol
	Version  string `json:"version"`  // its own, may be ""
	SDK      string `json:"sdk"`      // what it is built with, may be ""
	Pinned   bool   `json:"pinned"`   // its SHA-256 was in the lock file
	// Checks says how the plugin fared in its conformance checks; nil if they were not run. They
	// are of its program and of what the runs of one command used of it.
	Checks *PluginChecks `json:"checks,omitempty"`
}

// PluginChecks is the outcome of the conformance checks of a plugin.
type PluginChecks struct {
	Passed int `json:"passed"` // number of checks
	// Failed are the names of the checks that failed: "vamp: row-independence", "loss:vamp: gradients",
	// "oracle:cnn: labels", "task:rotation: score-length", "plugin: start". It is empty if none did.
	Failed []string `json:"failed"`
}

// Identity is what a plugin's runs are kept under: the file that is started, and the version that it gives itself,
// since a script may import code that the hash knows nothing of.
func (p *PluginInfo) Identity() string {
	switch {
	case p == nil:
		return ""
	case p.Version == "":
		return p.SHA256
	}
	return p.SHA256 + " " + p.Version
}

// SameCode is what is kept of a plugin where runs of the same code are to be the same.
func (p *PluginInfo) SameCode() *PluginInfo {
	if p == nil {
		return nil
	}
	return &PluginInfo{SHA256: p.SHA256, Version: p.Version}
}

// WithChecks is what a plugin is, with the outcome of checks that were just made; p and now are
// of the same file. It reports whether that is anything new.
func (p *PluginInfo) WithChecks(now *PluginInfo) (info *PluginInfo, changed bool) {
	if p == nil || now == nil || now.Checks == nil || reflect.DeepEqual(p.Checks, now.Checks) {
		return p, false
	}
	checked := *p
	checked.Checks = now.Checks
	return &checked, true
}
