package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// checkFlags are the flags of `bench plugin check`.
type checkFlags struct {
	plugins *pluginFlags
	json    bool
	epochs  int
	timeout time.Duration
}

func (a *app) pluginCheckCommand() *cobra.Command {
	f := &checkFlags{plugins: newPluginFlags()}
	cmd := &cobra.Command{
		Use:   "check FILE [FLAGS]",
		Short: "Check that a plugin keeps the contracts, and explain what does not",
		Long: `Check that a plugin keeps the contracts: that it starts and ends as it must, and, for each thing that it serves, that fits and
predictions are right, repeatable and independent. What fails is explained, with the remedy. The status is 0 if nothing fails.`,
		Example: "  " + a.Name + " plugin check ./my-plugin\n  " + a.Name + " plugin check ./my-plugin --json",
		Args:    oneArgument("the file of a plugin"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.checkPlugin(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "write the reports as JSON")
	flags.Var(number{&f.epochs, 1, 1 << 20}, "epochs", "epochs of fits that must learn, where there is such an option")
	flags.Var(limit{&f.timeout}, "timeout", "time limit of each check")
	f.plugins.add(flags)
	return cmd
}

// checkReport is the machine-readable form of a whole check.
type checkReport struct {
	Schema int            `json:"schema"`
	Plugin string         `json:"plugin"`
	SHA256 string         `json:"sha256"`
	Things []check.Report `json:"things"`
}

// checkPlugin checks the process, then everything that it serves.
func (a *app) checkPlugin(ctx context.Context, path string, f *checkFlags) (err error) {
	ctx, stop := stopBySignal(ctx)
	defer stop()
	f.plugins.paths = []string{path}
	f.plugins.folders = nil
	p, err := openPlugin(ctx, path, f.plugins)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	report := checkReport{Schema: check.Schema, Plugin: p.Info().Path, SHA256: p.Info().SHA256}
	failed := 0
	options := &check.Options{Epochs: f.epochs, Timeout: f.timeout}
	for _, thing := range p.Things {
		r := checkThing(ctx, thing, options)
		if ctx.Err() != nil {
			return interruption("stopped before all checks were made")
		}
		failed += len(r.With(check.Fail))
		report.Things = append(report.Things, r)
		if f.json {
			continue
		}
		if _, err := fmt.Fprintln(a.stdout); err != nil {
			return err
		}
		if err := r.WriteText(a.stdout); err != nil {
			return err
		}
	}
	if f.json {
		e := json.NewEncoder(a.stdout)
		e.SetIndent("", "  ")
		if err := e.Encode(report); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d checks of %s failed", failed, path)
	}
	return nil
}

// checkThing checks what a plugin serves.
func checkThing(ctx context.Context, thing any, o *check.Options) check.Report {
	switch thing := thing.(type) {
	case core.Method:
		return check.Method(ctx, thing, o)
	case core.Embedder:
		return check.Embedder(ctx, thing, o)
	case core.EvolutionOperator:
		return check.Operator(ctx, thing, o)
	case core.Loss:
		return check.Loss(ctx, thing, o)
	}
	return check.Oracle(ctx, thing.(core.Oracle), o)
}

// openPlugin opens one plugin as the flags say.
func openPlugin(ctx context.Context, path string, f *pluginFlags) (*plugin.Plugin, error) {
	lock, err := plugin.ReadLock(f.lock)
	if err != nil {
		return nil, err
	}
	sum := lock.SHA256(path)
	if f.ignoreLock {
		sum = ""
	}
	return plugin.Open(ctx, path, &plugin.Options{SHA256: sum, AllowWritable: f.allowWritable, StartTimeout: f.startTimeout})
}
