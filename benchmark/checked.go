package benchmark

import "github.com/koopbench/koopbench/benchmark/results"

// recheckRun puts the outcome of checks into a finished run, in its file too.
func (h *harness) recheckRun(found *results.Run, r run) (err error) {
	info, changed := found.Plugin.WithChecks(r.entry.Plugin)
	if changed {
		found.Plugin = info
		_, err = h.store.WriteRun(*found, nil)
	}
	return err
}

// recheckOracle is the same for the oracle of an earlier command.
func (h *harness) recheckOracle() (err error) {
	info, changed := h.oracle.Plugin.WithChecks(h.Oracle.Plugin)
	if changed {
		h.oracle.Plugin = info
		err = h.store.WriteOracle(h.oracle)
	}
	return err
}
