package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// checkFlags are the flags of `bench plugin check`.
type checkFlags struct {
	trust   *trustFlags
	json    bool
	epochs  int
	timeout time.Duration
	grace   time.Duration
}

func (a *app) pluginCheckCommand() *cobra.Command {
	f := &checkFlags{trust: newTrustFlags(), epochs: 40, timeout: time.Minute, grace: 5 * time.Second}
	cmd := &cobra.Command{
		Use:   "check FILE [FLAGS]",
		Short: "Check that a plugin keeps the contracts, and explain what does not",
		Long: `Check that a plugin keeps the contracts: that its process starts and ends as it must, and, for each thing that it serves, that
fits and predictions are right, repeatable and independent. What fails is explained, with the remedy. The status is 0 if
nothing fails.`,
		Example: "  " + a.Name + " plugin check ./my-plugin\n  " + a.Name + " plugin check ./my-plugin --json > report.json",
		Args:    oneArgument("the file of a plugin"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.checkPlugin(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "write the report as JSON")
	flags.Var(number{&f.epochs, 1, 1 << 20}, "epochs", "epochs of fits that must learn, where there is such an option")
	flags.Var(limit{&f.timeout}, "timeout", "time that each check may take")
	flags.Var(limit{&f.grace}, "grace", "time in which a call must return when it is cancelled, and a process end when it is asked to")
	f.trust.add(cmd)
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "write what the plugin logs, and errors in full")
	return cmd
}

// CheckSchema names the layout of what `bench plugin check --json` writes. It changes whenever a reader of the old layout would
// misread the new one; fields may be added without.
const CheckSchema = "koopbench.plugin-check/1"

// checkReport is the machine-readable form of a whole check.
type checkReport struct {
	Schema    string         `json:"schema"`
	Plugin    string         `json:"plugin"` // the file, absolute
	SHA256    string         `json:"sha256"` // of the file; this and what follows are empty where it does not start
	Version   string         `json:"version"`
	SDK       string         `json:"sdk"`
	Protocol  int            `json:"protocol"`
	Encrypted bool           `json:"encrypted"`
	OK        bool           `json:"ok"`      // no check failed
	Reports   []check.Report `json:"reports"` // of the program, then of each thing that it serves
}

// checkPlugin checks the process, then everything that it serves.
func (a *app) checkPlugin(ctx context.Context, path string, f *checkFlags) error {
	ctx, stop := stopBySignal(ctx)
	defer stop()
	pins, err := f.trust.pins(a.warn)
	if err != nil {
		return err
	}
	o := pins.options(path)
	const patience = 2 * time.Second // with a process that must end, where the flag gives more
	o.Grace = min(patience, unlimited(f.grace))
	if a.verbose {
		logs := &pluginLogs{level: hclog.Debug, terminal: a.stderr}
		o.Log = logs.of(path)
	}
	report := checkReport{Schema: CheckSchema, OK: true}
	if report.Plugin, err = filepath.Abs(path); err != nil {
		return err
	}
	checks := &check.Options{Epochs: f.epochs, Timeout: unlimited(f.timeout), Grace: unlimited(f.grace)}
	failed := 0
	add := func(r check.Report) error {
		if ctx.Err() != nil {
			return interruption("stopped before all checks were made")
		}
		failed += len(r.With(check.Fail))
		report.OK, report.Reports = report.OK && r.OK(), append(report.Reports, r)
		if f.json {
			return nil
		}
		if len(report.Reports) > 1 {
			if _, err := fmt.Fprintln(a.stdout); err != nil {
				return err
			}
		}
		return r.WriteText(a.stdout)
	}
	// A start fails by its own time limit, and with more words than the check's has.
	ofProgram := *checks
	ofProgram.Timeout += 3 * o.StartTimeout
	program := check.Plugin(ctx, &checkedProgram{path, o}, &ofProgram)
	if err := add(program); err != nil {
		return err
	}
	if describesItself(program) {
		if err := a.checkThings(ctx, path, o, checks, &report, add); err != nil {
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
		return fmt.Errorf("checks of %s that failed: %d", path, failed)
	}
	return nil
}

// describesItself reports whether what a plugin serves can be told from its description.
func describesItself(program check.Report) bool {
	for _, r := range program.Results {
		if r.Check == "descriptions" {
			return r.Status == check.Pass
		}
	}
	return false
}

// checkThings checks everything that a plugin serves, in one process of it, or another where one has crashed.
func (a *app) checkThings(ctx context.Context, path string, o *plugin.Options, checks *check.Options, report *checkReport, add func(check.Report) error) (err error) {
	p, err := plugin.Open(ctx, path, o)
	if ctx.Err() != nil {
		return interruption("stopped before all checks were made")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	i := p.Info()
	report.SHA256, report.Version, report.SDK, report.Protocol, report.Encrypted = i.SHA256, i.Version, i.SDK, i.Protocol, i.Encrypted
	for _, thing := range p.Things {
		if err := add(checkThing(ctx, thing, checks)); err != nil {
			return err
		}
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

// checkedProgram is the file of a plugin as the checks see it.
type checkedProgram struct {
	path    string
	options *plugin.Options
}

var _ check.Program = (*checkedProgram)(nil)

func (p *checkedProgram) Name() string { return filepath.Base(p.path) }

func (p *checkedProgram) File() error { return plugin.CheckFile(p.path, p.options) }

func (p *checkedProgram) Start(ctx context.Context) (check.Process, error) {
	probe, err := plugin.NewProbe(ctx, p.path, p.options)
	if err != nil {
		return nil, err
	}
	return checkedProcess{probe}, nil
}

func (p *checkedProgram) ByHand(ctx context.Context) (string, int, error) {
	return plugin.ByHand(ctx, p.path, p.options)
}

type checkedProcess struct{ *plugin.Probe }

var _ check.Process = checkedProcess{}

func (p checkedProcess) End(ctx context.Context, how check.Ending) ([]string, error) {
	return p.Probe.End(ctx, how == check.Asked)
}
