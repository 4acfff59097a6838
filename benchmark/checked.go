package benchmark

import "reflect"

// withChecks is what a plugin is, with the outcome of checks that were just made; was and now are
// of the same file. It reports whether that is anything new.
func withChecks(was, now *PluginInfo) (info *PluginInfo, changed bool) {
	if was == nil || now == nil || now.Checks == nil || reflect.DeepEqual(was.Checks, now.Checks) {
		return was, false
	}
	checked := *was
	checked.Checks = now.Checks
	return &checked, true
}

// recheckRun puts the outcome of checks into a finished run, in its file too.
func (h *harness) recheckRun(found *RunResult, r run) (err error) {
	info, changed := withChecks(found.Plugin, r.entry.Plugin)
	if changed {
		found.Plugin = info
		err = h.store.writeJSON(h.store.path("runs", found.Key+".json"), found)
	}
	return err
}

// recheckOracle is the same for the oracle of an earlier command.
func (h *harness) recheckOracle() (err error) {
	info, changed := withChecks(h.oracle.Plugin, h.Oracle.Plugin)
	if changed {
		h.oracle.Plugin = info
		err = h.store.writeJSON(h.store.path("oracle.json"), h.oracle)
	}
	return err
}
