package benchmark

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// savable reports whether a method can bring back what it saves.
func savable(m core.Method) bool {
	_, ok := core.As[core.ModelLoader](m)
	return ok
}

// save returns the file of a run's model, nil where it is not wanted or, with a warning, where it
// cannot be saved.
func (h *harness) save(ctx context.Context, r run, model core.Model, result *results.Run) (file []byte) {
	if !h.SaveModels {
		return nil
	}
	err := func() (err error) {
		defer core.Recover(&err)
		saver, ok := core.As[core.Saver](model)
		if !ok || !savable(r.entry.Method) {
			return fmt.Errorf("the method %s does not have that ability", r.description.Name)
		}
		state, err := saver.Save(ctx)
		if err != nil {
			return err
		}
		file, err = (&results.SavedModel{ModelInfo: h.modelInfo(results.ModelInfo{
			Kind: results.ModelOfMethod, Name: r.description.Name, Method: r.entry.Written, Key: r.key, Seed: r.seed,
			Options: r.entry.Options.Map(), Oracle: h.oracle.Key,
		}), Frame: h.Task.Frame, State: state}).Encode()
		return err
	}()
	if err != nil {
		result.Warnings = append(result.Warnings, beginning(fmt.Sprintf("the model was not saved: %v", err)))
		return nil
	}
	return file
}

func (h *harness) modelInfo(i results.ModelInfo) results.ModelInfo {
	i.Task, i.Backend, i.Version = h.Task.Info, h.Environment.Backend, h.Environment.Version
	return i
}

// saveOracle writes the judge, if it can be saved, so that the next command need not fit it.
func (h *harness) saveOracle(ctx context.Context) error {
	saver, ok := core.As[core.Saver](h.judge)
	if _, loads := core.As[core.JudgeLoader](h.Oracle.Oracle); !ok || !loads {
		return nil
	}
	state, err := saver.Save(ctx)
	if err != nil {
		return fmt.Errorf("it cannot be saved: %w", err)
	}
	m := &results.SavedModel{ModelInfo: h.modelInfo(results.ModelInfo{
		Kind: results.ModelOfOracle, Name: h.oracle.Name, Key: h.oracle.Key, Seed: h.oracle.Seed, Options: h.oracle.Options,
	}), State: state}
	return m.Write(h.store.OraclePath(h.oracle.Key))
}

// loadOracle takes the judge from the folder, where an earlier command has left it. It reports whether it has, and why
// it has not where there is one.
func (h *harness) loadOracle(ctx context.Context) (ok bool, warning string) {
	path := h.store.OraclePath(h.oracle.Key)
	m, err := h.store.Oracle(h.oracle.Key)
	if errors.Is(err, fs.ErrNotExist) {
		return false, ""
	}
	if err == nil && m.Key != h.oracle.Key {
		err = fmt.Errorf("%w: %s says that it is the oracle %q", results.ErrModel, path, m.Key)
	}
	if err == nil {
		err = core.Contain(func() (err error) {
			h.judge, err = m.LoadJudge(ctx, h.Oracle.Oracle)
			return err
		})
	}
	if err != nil {
		return false, "the oracle was fitted again, because its file was not used: " + err.Error()
	}
	h.Observer.Begin(OracleName, h.Oracle.Seed)
	h.Observer.End(OracleName, h.Oracle.Seed, Outcome{Status: results.StatusOK, Reused: true})
	return true, ""
}
