package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
	"github.com/koopbench/koopbench/registry"
)

// fitVariable tells a plugin that is built with the SDK for Python which fit to make, in JSON of a [byHandFit].
const fitVariable = "KOOPBENCH_PLUGIN_FIT"

type byHandFit struct {
	Name    string         `json:"name"`
	Options map[string]any `json:"options"`
	Seed    int64          `json:"seed"`
	Data    string         `json:"data"` // file of writeTraining

	labels bool // are declared to be seen
}

func (a *app) pluginFitCommand() *cobra.Command {
	f, trust := newDataFlags(), newTrustFlags()
	name, seed := "", 42
	cmd := &cobra.Command{
		Use:   "fit FILE [FLAGS]",
		Short: "Fit a Python plugin once, in the terminal, for a debugger",
		Long: `Fit a method of a Python plugin once, and predict the validation data once. The process of the plugin
has the terminal, so breakpoint() in the plugin starts Python's debugger. The fit gets the data and
options of a run, but no checkpoints and no oracle.`,
		Example: "  " + a.Name + " plugin fit ./my_plugin.py\n  " + a.Name +
			" plugin fit ./my_plugin.py --method 'my-ridge?alpha=0.1' --split 500,100,200",
		Args: oneArgument("the file of a plugin"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.fitPlugin(cmd.Context(), args[0], name, int64(seed), f, trust)
		},
	}
	flags := cmd.Flags()
	flags.Var(word{&name, "NAME"}, "method", "method to fit, with options as in run --methods (default the first method)")
	flags.Var(number{&seed, 0, 1 << 31}, "seed", "seed of the fit")
	f.add(cmd)
	trust.add(cmd)
	return cmd
}

// fitPlugin describes the plugin as any command does, then starts it with the terminal.
func (a *app) fitPlugin(ctx context.Context, path, name string, seed int64, f *dataFlags, trust *trustFlags) error {
	pins, err := trust.pins()
	if err != nil {
		return err
	}
	options := pins.options(path, a.warn)
	p, err := plugin.Open(ctx, path, &options)
	if err != nil {
		return err
	}
	info := p.Info()
	request, err := chosenFit(p.Things, name)
	if err := errors.Join(err, p.Close()); err != nil {
		return err
	}
	if !strings.HasPrefix(info.SDK, pythonSDK+" ") {
		return fmt.Errorf("plugin %s is built with %q; only the Python SDK can fit in the terminal; for Go, write a "+
			"test of your own", path, info.SDK)
	}
	task, err := a.openBuiltin(ctx, f.taskFlags)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "koopbench-fit-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	request.Seed, request.Data = seed, filepath.Join(folder, "training.npz")
	if err := writeTraining(request.Data, task, request.labels); err != nil {
		return err
	}
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if err := p.CheckFile(); err != nil { // the data took a while
		return err
	}
	signal.Ignore(os.Interrupt) // Ctrl-C is for the plugin and its debugger
	defer signal.Reset(os.Interrupt)
	process := exec.CommandContext(ctx, info.Path)
	process.Env = append(os.Environ(), fitVariable+"="+string(text))
	process.Stdin, process.Stdout, process.Stderr = a.stdin, a.stdout, a.stderr
	if err := process.Run(); err != nil {
		return fmt.Errorf("the fit of %s failed: %w", request.Name, err)
	}
	return nil
}

// chosenFit is the fit of a method of the plugin, of the first one if none is named.
func chosenFit(things []any, name string) (byHandFit, error) {
	r := registry.New()
	for _, thing := range things {
		if m, ok := thing.(core.Method); ok {
			if err := r.Methods.Add(m); err != nil {
				return byHandFit{}, err
			}
			if name == "" {
				name = m.Describe().Name
			}
		}
	}
	chosen, err := r.Select(name)
	if err == nil && len(chosen) > 1 {
		err = fmt.Errorf("%q names %d methods; name one of them", name, len(chosen))
	}
	if err != nil {
		return byHandFit{}, usageError{err}
	}
	d := chosen[0].Description
	return byHandFit{Name: d.Name, Options: chosen[0].Options.Map(), labels: d.Exposure == core.LabelExposed}, nil
}
