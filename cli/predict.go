package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
)

// predictFlags are the flags of `bench predict`.
type predictFlags struct {
	model    string
	oracle   string
	inputs   []string
	steps    int
	from     string
	columns  string
	time     string
	protocol string
	out      string // "" for the default of what is predicted
	pngs     int
	given    func(flag string) bool
	compute  computeFlags
	plugins  *pluginFlags
}

func (a *app) predictCommand() *cobra.Command {
	f := &predictFlags{
		steps: 15, from: fromLast, protocol: results.ProtocolReencode, pngs: 10, plugins: newPluginFlags(),
	}
	f.plugins.namedOnly = true
	cmd := &cobra.Command{
		Use:   "predict --model FILE --input FILE… [FLAGS]",
		Short: "Predict what follows your rows or images, with a saved model",
		Long: `Predict what follows your rows or images, with a model that ` + a.Name + ` run --save-models has saved.
Each prediction is the next input. With --protocol powers, all steps come from the input by powers of
the evolution operator.

Trajectories: give files as for ` + a.Name + ` run --data. They are standardised and delayed like the training
data. Predictions have the columns and units of the input, and their time continues that of the input.
--out is a new file that ends in .npy, .npz, .csv or .tsv.

Images: give IDX files, .npy arrays or PNGs, of the same size as the training images. --out is a folder;
it gets predictions.npz, labels.csv and PNGs of the first images. The labels come from the oracle of the
model's run, whose file is in the folder of results.`,
		Example: "  " + a.Name + " predict --model results/runs/linear-s42-….model.npz --input orbit.csv --out next.csv\n" +
			"  " + a.Name + " predict --model results/runs/vamp-s42-….model.npz --input images.npy --out predictions\n" +
			"  " + a.Name + " predict --model linear.npz --oracle oracle.npz --input *.png",
		RunE: func(cmd *cobra.Command, args []string) error {
			f.inputs, f.given = append(f.inputs, args...), cmd.Flags().Changed
			return a.predict(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(word{&f.model, "FILE"}, "model", "model file")
	flags.Var(word{&f.oracle, "FILE"}, "oracle",
		"file of the oracle (default the one in the folder of results of the model)")
	flags.Var(
		list{&f.inputs, "FILE"},
		"input",
		"file, folder or list of trajectories, or file of images; may be "+
			"repeated, and further arguments are inputs too",
	)
	flags.Var(number{&f.steps, 1, core.MaxSteps}, "steps", "number of steps to predict")
	flags.Var(choice{&f.from, []string{fromLast, fromAll}}, "from", "rows of a trajectory to predict from")
	flags.Var(
		word{&f.columns, "LIST"},
		"columns",
		"columns of a trajectory to read (default those that the model "+
			"was trained on)",
	)
	flags.Var(word{&f.time, "COLUMN"}, "time", "column of a trajectory that has the time: a name, a number, auto or none "+
		"(default as in training)")
	flags.Var(choice{&f.protocol, results.Protocols()}, "protocol", "protocol of the roll-out, as in "+a.Name+" run")
	flags.Var(word{&f.out, "FILE"}, "out", "new file for predicted trajectories, or folder for predicted images "+
		"(default "+defaultForecast+" or "+defaultPredictions+")")
	flags.Var(number{&f.pngs, 0, math.MaxInt32}, "png",
		"number of inputs, from the first, whose predictions are written as PNGs")
	f.compute.add(flags, "compute backend for neural networks, as for "+a.Name+" run")
	flags.Var(list{&f.plugins.paths, "FILE"}, "plugin", "plugin that serves the method of the model; may be repeated")
	f.plugins.trustFlags.add(cmd)
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "write the logs of plugins, and errors in full")
	return cmd
}

// predict checks everything that was named, then predicts.
func (a *app) predict(ctx context.Context, f *predictFlags) error {
	switch {
	case f.model == "":
		return usagef("predict needs --model FILE, a model file; %s run --save-models writes these files "+
			"beside the runs", a.Name)
	case len(f.inputs) == 0:
		return usagef("predict needs --input FILE, trajectories or images")
	}
	s := a.begin()
	defer s.close()
	ctx = s.stoppable(ctx)
	if f.out != "" && !isForecast(f.out) {
		if err := checkPredictions(f.out); err != nil {
			return err
		}
	}
	saved, err := results.ReadModel(f.model)
	if err != nil {
		return err
	}
	if saved.Kind == results.ModelOfOracle {
		return usagef("--model %s: it is the model of the oracle, %s, which labels images but does not predict; "+
			"give the model of a run, %s",
			f.model, saved.Name, modelOfRun(filepath.Dir(f.model)))
	}
	prepare := a.preparePredictions
	if saved.Frame != nil || len(saved.Task.Shape) == 1 || isForecast(f.out) {
		prepare = a.prepareForecast
	}
	predict, err := prepare(ctx, f, saved)
	if err != nil {
		return err
	}
	if err := s.compute(f.compute); err != nil {
		return err
	}
	if here, err := backendIdentity(s.runtime); err != nil {
		return err
	} else if here != saved.Backend {
		a.warn("the model was trained on the backend %s but predicts on %s; the last bits may differ\n", saved.Backend,
			here)
	}
	if err := s.open(ctx, f.plugins); err != nil {
		return err
	}
	model, judge, err := s.loadModel(ctx, f, saved)
	if err != nil {
		return err
	}
	err = predict(ctx, model, judge)
	if err != nil && ctx.Err() != nil {
		return interruption("stopped; nothing was written")
	}
	return err
}

// predictor predicts with a model, and writes what it has predicted. The judge may be nil.
type predictor func(ctx context.Context, model core.Model, judge core.Judge) error

const defaultPredictions = "predictions"

// preparePredictions reads the images and returns what predicts.
func (a *app) preparePredictions(_ context.Context, f *predictFlags, saved *results.SavedModel) (predictor, error) {
	for _, flag := range []string{"from", "columns", "time"} {
		if f.given(flag) {
			return nil, usagef("--%s needs trajectories, but the model predicts images; "+
				"to treat them as rows, give --out a file, like %s", flag,
				defaultForecast)
		}
	}
	out := cmp.Or(f.out, defaultPredictions)
	if err := checkPredictions(out); err != nil {
		return nil, err
	}
	x, err := readInputs(f.inputs, saved.Task.Shape)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, model core.Model, judge core.Judge) error {
		p := predictions{inputs: x, source: sourceOf(saved, f)}
		if err := p.make(ctx, model, judge, saved.Task, f); err != nil {
			return err
		}
		if err := p.write(out, f.pngs); err != nil {
			return err
		}
		_, err := a.stdout.Write([]byte(p.summary()))
		say(a.stderr, "%s holds %s of %s\n", out, report.Counted(f.steps, "step"), report.Counted(x.Len(), "image"))
		return err
	}, nil
}

// modelOfRun names the model of a run in a folder of results.
func modelOfRun(dir string) string {
	found, err := filepath.Glob(filepath.Join(dir, "runs", "*.model.npz"))
	if err != nil || len(found) == 0 {
		return "which run --save-models writes as runs/METHOD-sSEED-….model.npz"
	}
	return "like " + found[0]
}

// readInputs reads all images, which must have that shape.
func readInputs(paths []string, shape []int) (core.Snapshots, error) {
	var values []float32
	for _, path := range paths {
		x, err := dataset.ReadImages(path)
		if err != nil {
			return core.Snapshots{}, fmt.Errorf("--input: %w", err)
		}
		one, err := core.NewSnapshots(nil, shape...)
		if err != nil {
			return core.Snapshots{}, err
		}
		if !x.SameShape(one) {
			return core.Snapshots{}, fmt.Errorf("--input: %s: %w: the images are %s, but the model needs %s",
				path, core.ErrShape,
				sizeText(x.Shape()), sizeText(shape))
		}
		values = append(values, x.Floats()...)
	}
	x, err := core.NewSnapshots(values, shape...)
	if err == nil && x.Len() == 0 {
		err = fmt.Errorf("--input: %w: it has no images", core.ErrTooShort)
	}
	return x, err
}

func sizeText(shape []int) string {
	words := make([]string, len(shape))
	for i, n := range shape {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, "×")
}

// loadModel loads the model and, where its file is found, the judge; nil otherwise.
func (s *session) loadModel(
	ctx context.Context, f *predictFlags, saved *results.SavedModel,
) (core.Model, core.Judge, error) {
	var judge core.Judge
	file, err := s.readOracle(f, saved)
	if err != nil {
		return nil, nil, err
	}
	if file != nil {
		oracle, err := s.Oracles.Get(file.Name)
		if err != nil {
			return nil, nil, fmt.Errorf("the file of the oracle: %w", err)
		}
		if judge, err = file.LoadJudge(ctx, oracle); err != nil {
			return nil, nil, err
		}
	}
	method, err := s.Methods.Get(saved.Name)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", f.model, err)
	}
	model, err := saved.Load(ctx, method, judge)
	return model, judge, err
}

// readOracle reads the oracle's file: the one that was named, or the one of the model's folder of results, nil if there
// is none.
func (a *app) readOracle(f *predictFlags, saved *results.SavedModel) (*results.SavedModel, error) {
	if f.oracle != "" {
		file, err := results.ReadModel(f.oracle)
		if err != nil {
			return nil, fmt.Errorf("--oracle: %w", err)
		}
		if file.Kind != results.ModelOfOracle {
			return nil, usagef("--oracle %s: it is the model of a method, %s; give the file of an oracle", f.oracle, file.Name)
		}
		if file.Key != saved.Oracle {
			a.warn("%s is not the oracle that judged the run of %s\n", f.oracle, f.model)
		}
		return file, nil
	}
	if saved.Oracle == "" {
		return nil, nil
	}
	beside := filepath.Dir(f.model)
	for _, dir := range []string{filepath.Dir(beside), beside} {
		file, err := results.OpenStore(dir).Oracle(saved.Oracle)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return file, err
	}
	say(
		a.stderr,
		"the predictions have no labels, because the file of the oracle, oracle-%s.npz, is not in the folder of results; "+
			"give it "+
			"with --oracle\n",
		saved.Oracle,
	)
	return nil, nil
}

// predictions are what follows the inputs.
type predictions struct {
	inputs core.Snapshots
	steps  []core.Snapshots
	labels [][]int // of the inputs, then of each step; nil without a judge
	source source
}

func (p *predictions) make(
	ctx context.Context, model core.Model, judge core.Judge, task results.TaskInfo, f *predictFlags,
) error {
	label := func(x core.Snapshots) error {
		if judge == nil {
			return nil
		}
		labels, err := judge.Classify(ctx, x)
		if err == nil {
			err = core.CheckLabels(labels, x.Len(), task.States)
		}
		p.labels = append(p.labels, labels)
		return err
	}
	if err := label(p.inputs); err != nil {
		return err
	}
	return benchmark.RollOut(ctx, model, f.protocol, p.inputs, f.steps, func(_ int, x core.Snapshots) error {
		p.steps = append(p.steps, x)
		return label(x)
	})
}
