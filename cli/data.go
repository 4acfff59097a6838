package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
)

// dataFlags say which task's training data are meant.
type dataFlags struct {
	*taskFlags

	out    string
	labels bool
}

func newDataFlags() *dataFlags { return &dataFlags{taskFlags: newTaskFlags()} }

func (f *dataFlags) add(cmd *cobra.Command) { f.taskFlags.add(cmd.Flags(), "steps") }

// openBuiltin opens the task, which is built in.
func (a *app) openBuiltin(ctx context.Context, f *taskFlags) (*benchmark.Task, error) {
	c, err := a.builtin()
	if err != nil {
		return nil, err
	}
	return f.open(ctx, c, a.stderr)
}

func (a *app) dataCommand() *cobra.Command {
	f := newDataFlags()
	cmd := &cobra.Command{
		Use:   "data --out FILE.npz [FLAGS]",
		Short: "Write the training and validation data to a file, to try a fit outside the benchmark",
		Long: `Write the training and validation data to a file, to try a fit outside the benchmark. The file never
has the test data. If there are several trajectories, it has the length of each one too. Open it with
numpy.load, or with Training.load of the Python SDK.`,
		Example: "  " + a.Name + " data --out training.npz\n  " + a.Name + " data --split 500,100,200 --out small.npz",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.out == "" {
				return usagef("data needs --out FILE.npz, the file to write")
			}
			task, err := a.openBuiltin(cmd.Context(), f.taskFlags)
			if err != nil {
				return err
			}
			return writeTraining(f.out, task, f.labels)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().Var(word{&f.out, "FILE"}, "out", "file to write; it must not exist yet")
	f.add(cmd)
	cmd.Flags().BoolVar(&f.labels, "labels", false, "add the labels, which ranked methods never see")
	return cmd
}

// checkNew makes sure that there is no file of that path.
func checkNew(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists already; name another file, or remove it", path)
	}
	_, err := os.Stat(filepath.Dir(path))
	return err
}

// writeNew writes a file that is not there yet. Nothing is left of it if that fails.
func writeNew(path string, write func(w io.Writer) error) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return errors.Join(checkNew(path), err)
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			_ = os.Remove(path) // a part of a file is of no use
		}
	}()
	return write(file)
}

// writeTraining writes the training data of a task into a file that is not there yet.
func writeTraining(path string, task *benchmark.Task, labels bool) error {
	return writeNew(path, func(to io.Writer) error { return encodeTraining(to, task, labels) })
}

func encodeTraining(to io.Writer, task *benchmark.Task, labels bool) error {
	w := npz.NewWriter(to)
	for name, x := range map[string]core.Snapshots{"train": task.Train.Snapshots(),
		"validation": task.Validation.Snapshots()} {
		to, err := w.Float32(name, append([]int{x.Len()}, x.Shape()...)...)
		if err != nil {
			return err
		}
		if _, err := x.WriteTo(to); err != nil {
			return err
		}
	}
	numbers := npz.Archive{"lag": whole(task.Lag), "states": whole(task.Rank)}
	for name, x := range map[string]core.Trajectories{"train_lengths": task.Train, "validation_lengths": task.Validation} {
		if x.Count() > 1 {
			numbers[name] = wholes(x.Lengths())
		}
	}
	if labels && task.States == nil {
		return fmt.Errorf("%w: the task %s has no states, so it has no labels", core.ErrUnavailable, task.Info.Name)
	}
	if labels {
		numbers["train_labels"], numbers["validation_labels"] = wholes(task.States.Train), wholes(task.States.Validation)
	}
	for name, array := range numbers {
		if err := w.Add(name, array); err != nil {
			return err
		}
	}
	return w.Close()
}

func whole(n int) npz.Array { return npz.Array{Values: []int64{int64(n)}} }

func wholes(numbers []int) npz.Array {
	values := make([]int64, len(numbers))
	for i, n := range numbers {
		values[i] = int64(n)
	}
	return npz.Array{Shape: []int{len(values)}, Values: values}
}
