package results

import "reflect"

// PluginInfo describes a plugin that a run used.
type PluginInfo struct {
	Path     string `json:"path"`
	SHA256   string `json:"sha256"`   // of the file
	Protocol int    `json:"protocol"` // version of the plugin protocol
	Version  string `json:"version"`  // its own, may be ""
	SDK      string `json:"sdk"`      // what it is built with, may be ""
	Pinned   bool   `json:"pinned"`   // its SHA-256 was in the lock file
	// Checks is the outcome of the plugin's conformance checks; nil if they were not run. They check
	// its program, and the things of it that the runs of one command used.
	Checks *PluginChecks `json:"checks,omitempty"`
}

// PluginChecks is the outcome of the conformance checks of a plugin.
type PluginChecks struct {
	Passed int `json:"passed"` // number of checks
	// Failed are the names of the checks that failed: "vamp: row-independence", "loss:vamp: gradients",
	// "oracle:cnn: labels", "task:rotation: score-length", "plugin: start". It is empty if none did.
	Failed []string `json:"failed"`
}

// Identity identifies a plugin in the keys of runs: the file that is started, and the version that
// the plugin gives itself, because a script may import code that the hash does not cover.
func (p *PluginInfo) Identity() string {
	switch {
	case p == nil:
		return ""
	case p.Version == "":
		return p.SHA256
	}
	return p.SHA256 + " " + p.Version
}

// SameCode is the part of a plugin that must be equal for runs of the same code.
func (p *PluginInfo) SameCode() *PluginInfo {
	if p == nil {
		return nil
	}
	return &PluginInfo{SHA256: p.SHA256, Version: p.Version}
}

// WithChecks returns the plugin with the outcome of checks that were just made; p and now describe
// the same file. It also reports whether the outcome is new.
func (p *PluginInfo) WithChecks(now *PluginInfo) (info *PluginInfo, changed bool) {
	if p == nil || now == nil || now.Checks == nil || reflect.DeepEqual(p.Checks, now.Checks) {
		return p, false
	}
	checked := *p
	checked.Checks = now.Checks
	return &checked, true
}
