package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// usualChecks are the options of checks where no flag says otherwise.
func usualChecks() check.Options {
	return check.Options{Epochs: 40, Timeout: time.Minute, Grace: 5 * time.Second}
}

// checkFlags are the flags of `bench plugin check`.
type checkFlags struct {
	trust   *trustFlags
	json    bool
	only    checkNames
	epochs  int
	timeout time.Duration
	grace   time.Duration
}

func (a *app) pluginCheckCommand() *cobra.Command {
	usual := usualChecks()
	f := &checkFlags{trust: newTrustFlags(), epochs: usual.Epochs, timeout: usual.Timeout, grace: usual.Grace}
	cmd := &cobra.Command{
		Use:   "check FILE [FLAGS]",
		Short: "Check that a plugin keeps its contracts, and explain each failure",
		Long: `Check that a plugin keeps its contracts. The checks start and end its process, and fit and use each
thing that it serves: are fits and predictions correct, repeatable and independent of one another? For
each failure the command explains the rule, what it found, and the remedy. The exit status is 0 if all
checks pass.`,
		Example: "  " + a.Name + " plugin check ./my-plugin\n  " + a.Name +
			" plugin check ./my-plugin --json > report.json\n" +
			"  " + a.Name + " plugin check ./my-plugin --only learns,repeatable",
		Args: oneArgument("the file of a plugin"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.checkPlugin(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "write the report as JSON")
	flags.Var(&f.only, "only", "names of checks to run, together with the checks that they need (default all)")
	flags.Var(number{&f.epochs, 1, 1 << 20}, "epochs",
		"epochs of the fits that must learn, if the method has such an option")
	flags.Var(limit{&f.timeout}, "timeout", "time limit of each check")
	flags.Var(limit{&f.grace}, "grace",
		"time limit for a cancelled call to return, and for a process to end when asked")
	f.trust.add(cmd)
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "write the logs of the plugin, and errors in full")
	return cmd
}

// checkNames is a list of checks.
type checkNames struct{ names []string }

func (c *checkNames) String() string { return strings.Join(c.names, ",") }
func (c *checkNames) Type() string   { return "NAME,…" }

func (c *checkNames) Set(text string) error {
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if known := allChecks(); !slices.Contains(known, name) {
			return errors.New(core.Unknown("check", name, known))
		}
		c.names = append(c.names, name)
	}
	return nil
}

// allChecks are the names of all checks, of whatever kind.
func allChecks() []string {
	var names []string
	for _, e := range check.Catalogue() {
		names = append(names, e.Check)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// CheckSchema names the layout of the output of `bench plugin check --json`. It changes whenever a
// reader of the old layout would misread the new one. Fields may be added without a change.
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
	pins, err := f.trust.pins()
	if err != nil {
		return err
	}
	report := checkReport{Schema: CheckSchema, OK: true}
	if report.Plugin, err = filepath.Abs(path); err != nil {
		return err
	}
	failed := 0
	c, err := a.newPluginChecks(path, pins.options(path, a.warn), check.Options{
		Epochs: f.epochs, Timeout: unlimited(f.timeout), Grace: unlimited(f.grace), Only: f.only.names,
	})
	if err != nil {
		return err
	}
	c.add = func(r check.Report) error {
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
	i, err := c.run(ctx)
	if err != nil {
		return err
	}
	report.SHA256, report.Version, report.SDK = i.SHA256, i.Version, i.SDK
	report.Protocol, report.Encrypted = i.Protocol, i.Encrypted
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

// pluginChecks are the checks of a plugin: of its program, then of what it serves.
type pluginChecks struct {
	path    string
	options *plugin.Options
	checks  check.Options
	free    func(thing any) error              // says that the name of a thing is taken
	wanted  func(thing any) bool               // which things are checked; nil for all
	begin   func(kind check.Kind, name string) // is told what is checked next; nil for no one
	add     func(check.Report) error           // gets each report
}

// newPluginChecks returns the checks of a plugin that is opened by options. Its processes log to
// the terminal with -v, and otherwise to nobody: checks make them fail on purpose.
func (a *app) newPluginChecks(path string, o plugin.Options, checks check.Options) (*pluginChecks, error) {
	c, err := a.builtin()
	if err != nil {
		return nil, err
	}
	const patience = 2 * time.Second // with a process that must end, where the checks give more
	o.Grace = min(patience, checks.Grace)
	if a.verbose {
		o.Log = (&pluginLogs{terminal: a.stderr}).of(path)
	}
	return &pluginChecks{path: path, options: &o, checks: checks, free: c.checkFree,
		begin: func(check.Kind, string) {}}, nil
}

// run makes the checks. It returns what the plugin is, empty if it does not describe itself.
func (c *pluginChecks) run(ctx context.Context) (info plugin.Info, err error) {
	stopped := interruption("stopped before all checks were made")
	add := func(r check.Report) error {
		if ctx.Err() != nil {
			return stopped
		}
		return c.add(r)
	}
	// A start fails by its own time limit, and with more words than the check's has.
	ofProgram := c.checks
	ofProgram.Timeout += 3 * c.options.StartTimeout
	program := &checkedProgram{c.path, c.options, c.free}
	c.begin(check.KindPlugin, program.Name())
	report := check.Plugin(ctx, program, &ofProgram)
	if strings.HasSuffix(c.path, ".py") { // what it is built with may not be known yet
		report = report.InPython()
	}
	if len(report.Results) > 0 {
		if err := add(report); err != nil || !describesItself(report) {
			return info, err
		}
	}
	// All things are checked in one process, or another where one has crashed.
	p, err := plugin.Open(ctx, c.path, c.options)
	if ctx.Err() != nil {
		return info, stopped
	}
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	for _, thing := range p.Things {
		if c.wanted != nil && !c.wanted(thing) {
			continue
		}
		c.begin(core.KindOf(thing), describedName(thing))
		report := check.New(thing, &c.checks).RunAll(ctx)
		if len(report.Results) == 0 {
			continue // none of these checks is about such a thing
		}
		if strings.HasPrefix(p.Info().SDK, pythonSDK+" ") {
			report = report.InPython()
		}
		if err := add(report); err != nil {
			return p.Info(), err
		}
	}
	return p.Info(), nil
}

// pythonSDK begins what a plugin that is built with the SDK for Python says of its SDK.
const pythonSDK = "koopbench-plugin"

// describesItself reports whether what a plugin serves can be told from its description. Where that
// was not checked, it may be.
func describesItself(program check.Report) bool {
	for _, r := range program.Results {
		if r.Check == "descriptions" || r.Status != check.Pass && slices.Contains([]string{"file", "start"}, r.Check) {
			return r.Status == check.Pass
		}
	}
	return true
}

// checkedProgram is the file of a plugin as the checks see it.
type checkedProgram struct {
	path    string
	options *plugin.Options
	free    func(thing any) error // says whose its name is
}

var _ check.Program = (*checkedProgram)(nil)

func (p *checkedProgram) Name() string { return filepath.Base(p.path) }

func (p *checkedProgram) File() error { return plugin.CheckFile(p.path, p.options) }

func (p *checkedProgram) Free(things []any) error {
	var taken []error
	for _, thing := range things {
		taken = append(taken, p.free(thing))
	}
	return errors.Join(taken...)
}

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
