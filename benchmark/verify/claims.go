package verify

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// checkClaims holds what the results say against what else they say: it needs no run.
func (c *comparison) checkClaims() {
	o := c.Oracle
	key := results.OracleKey(c.Task, c.Environment, o.Plugin.Identity(), o.Name, o.Options, o.Seed)
	if !c.Task.Judged() {
		o.Key = ""
	} else if key != o.Key {
		c.find("the oracle %s: its key is recorded as %s, but its record gives %s", o.Name, o.Key, key)
	}
	c.checkEpochs("the oracle "+o.Name, o.Options)
	if given := c.AboveOracle(); !slices.Equal(given, c.Warnings) {
		c.find("warnings about methods are recorded as %.200q, but the recorded labels give %.200q", c.Warnings, given)
	}
	if c.MaxEpochs > 0 && !c.anythingCut() {
		c.find("the results say that training was limited to %d epochs, but no run has that many", c.MaxEpochs)
	}
	first := map[string]*results.Run{}
	for i := range c.Runs {
		run := &c.Runs[i]
		env := c.EnvironmentOf(run)
		if env.ExecutableSHA256 != c.Environment.ExecutableSHA256 {
			c.find("%s: it is recorded as made by the %s, but the results by the %s", run.Title(), env.Code(),
				c.Environment.Code())
		}
		if env.Backend != c.Environment.Backend {
			c.find("%s: it is recorded as made on the kernels %s, but the results on %s", run.Title(),
				env.Kernels(), c.Environment.Kernels())
		}
		key := results.RunKey(c.Task, o.Key, env, run.Plugin.Identity(), run.DeclaredName(), run.Options, run.Seed)
		if key != run.Key {
			c.find("%s: its key is recorded as %s, but its record gives %s", run.Title(), run.Key, key)
		}
		c.checkEpochs(run.Title(), run.Options)
		c.checkMeaning(run.Title(), run)
		other := first[run.Method]
		if other == nil {
			first[run.Method] = run
			continue
		}
		if text := results.UnlikeOptions(run.Options, other.Options); text != "" {
			c.find("%s: its options differ from those of seed %d, which has the same name as written: "+
				"%s", run.Title(), other.Seed,
				text)
		}
		if run.DeclaredName() != other.DeclaredName() || run.Plugin.Identity() != other.Plugin.Identity() {
			c.find("%s: it is the method %s from %s, but seed %d, which has the same name as written, is %s from %s",
				run.Title(), run.DeclaredName(), run.Plugin.Origin(), other.Seed, other.DeclaredName(),
				other.Plugin.Origin())
		}
	}
}

// checkEpochs checks that no option is above the limit that the results name.
func (c *comparison) checkEpochs(who string, options map[string]any) {
	epochs, ok := epochsIn(options)
	if ok && c.MaxEpochs > 0 && epochs > float64(c.MaxEpochs) {
		c.find("%s: it is recorded with %v epochs, but the results with at most %d", who, epochs, c.MaxEpochs)
	}
}

// anythingCut reports whether the oracle or a run has as many epochs as the limit allows.
func (c *comparison) anythingCut() bool {
	all := []map[string]any{c.Oracle.Options}
	for i := range c.Runs {
		all = append(all, c.Runs[i].Options)
	}
	return slices.ContainsFunc(all, func(options map[string]any) bool {
		epochs, ok := epochsIn(options)
		return ok && epochs == float64(c.MaxEpochs)
	})
}

// epochsIn is the option "epochs", which JSON holds as a float64.
func epochsIn(options map[string]any) (epochs float64, ok bool) {
	if n, whole := options["epochs"].(int); whole {
		return float64(n), true
	}
	epochs, ok = options["epochs"].(float64)
	return epochs, ok
}

// checkMeaning checks that the name as written stands for the method and the options that are recorded.
func (c *comparison) checkMeaning(who string, run *results.Run) {
	if name, _, _ := strings.Cut(run.Method, "?"); name != run.DeclaredName() {
		c.find("%s: its name as written, %q, means the method %s, but it is recorded as made by %s", who, run.Method,
			name, run.DeclaredName())
		return
	}
	_, meant, err := c.Meaning(run.Method)
	if errors.Is(err, core.ErrUnknown) {
		return // it cannot be made again either, which is told
	}
	if err != nil {
		c.find("%s: its name as written, %q, does not name a method: %v", who, run.Method, err)
		return
	}
	options := maps.Clone(meant.Map())
	if epochs, ok := options["epochs"].(int); ok && c.MaxEpochs > 0 {
		options["epochs"] = min(epochs, c.MaxEpochs)
	}
	if text := results.UnlikeOptions(run.Options, options); text != "" {
		c.find("%s: its recorded options differ from those of its name as written, %q: %s", who, run.Method, text)
	}
}
