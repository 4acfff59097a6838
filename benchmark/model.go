package benchmark

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/internal/statefile"
)

// ModelFormat is the name and version of the format of model files. It changes whenever a reader of the old layout would misread
// the new one.
const ModelFormat = "koopbench.model/1"

// Kinds of model files.
const (
	ModelOfMethod = "method"
	ModelOfOracle = "oracle"
)

// ErrModel says that a file cannot be read as a model.
var ErrModel = errors.New("not readable as a model")

// ModelInfo says what a model file holds.
type ModelInfo struct {
	Kind    string         `json:"kind"`             // ModelOfMethod or ModelOfOracle
	Name    string         `json:"name"`             // declared name of the method or the oracle
	Method  string         `json:"method,omitempty"` // as the user wrote it: "vamp?epochs=20"
	Key     string         `json:"key"`              // of the run, or of the oracle
	Seed    int64          `json:"seed"`
	Options map[string]any `json:"options"`
	Oracle  string         `json:"oracle,omitempty"` // key of the oracle that judged the run
	Task    TaskInfo       `json:"task"`
	Backend string         `json:"backend"` // that computed it; on another one predictions may differ in the last bits
	Version string         `json:"version"` // of koopbench
}

// SavedModel is a model file.
type SavedModel struct {
	ModelInfo
	State *core.State
}

// ReadModel reads a model file. The error is [ErrModel] where it is torn, changed, or of another version.
func ReadModel(path string) (*SavedModel, error) {
	f, err := foreign.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	m, err := decodeModel(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrModel, path, err)
	}
	return m, nil
}

// readModel is [ReadModel] for a file of the folder.
func (s *Store) readModel(name string) (m *SavedModel, err error) {
	err = s.open(name, func(f io.ReaderAt, size int64) error {
		m, err = decodeModel(f, size)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	return m, nil
}

// Oracle reads the file of the oracle of a key. The error is as of [ReadModel], with [fs.ErrNotExist] if there is none.
func (s *Store) Oracle(key string) (*SavedModel, error) {
	if !isFileName(key) {
		return nil, fmt.Errorf("%w: the key of an oracle, %.200q, is no name of a file", ErrModel, key)
	}
	return s.readModel(oracleFile(key))
}

// modelFile and oracleFile are the names of model files in the folder.
func modelFile(key string) string { return "runs/" + key + ".model.npz" }

func oracleFile(key string) string { return "oracle-" + key + ".npz" }

func decodeModel(r io.ReaderAt, size int64) (*SavedModel, error) {
	m := &SavedModel{}
	var err error
	if m.State, err = statefile.Read(r, size, ModelFormat, &m.ModelInfo); err != nil {
		return nil, err
	}
	switch {
	case m.Kind != ModelOfMethod && m.Kind != ModelOfOracle:
		err = fmt.Errorf("it is of the kind %q; there is %q and %q", m.Kind, ModelOfMethod, ModelOfOracle)
	case m.Task.Lag < 1:
		err = fmt.Errorf("it is of a lag of %d snapshots, which is at least 1", m.Task.Lag)
	case m.Oracle != "" && !isFileName(m.Oracle):
		err = fmt.Errorf("the key of its oracle, %q, is no name of a file", m.Oracle)
	default:
		_, err = core.NewSnapshots(nil, m.Task.Shape...)
	}
	return m, err
}

// Write writes the file.
func (m *SavedModel) Write(path string) error {
	data, err := m.encode()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.Write(path, data)
}

func (m *SavedModel) encode() ([]byte, error) {
	if m.State == nil {
		return nil, fmt.Errorf("%w: there is neither a state nor an error", core.ErrContract)
	}
	return statefile.Encode(ModelFormat, m.ModelInfo, m.State)
}

// Load returns the model as the method of its name makes it of its state. The judge is the oracle that judged the run, of which models
// of methods that see the oracle are a part; nil for others. The error is [core.ErrUnavailable] where the method cannot load
// models, or needs a judge.
func (m *SavedModel) Load(ctx context.Context, method core.Method, judge core.Judge) (_ core.Model, err error) {
	defer core.Recover(&err)
	loader, ok := core.As[core.ModelLoader](method)
	if !ok || m.Kind != ModelOfMethod {
		return nil, fmt.Errorf("%w: the method %s cannot load the model of a %s", core.ErrUnavailable, method.Describe().Name, m.Kind)
	}
	saved := &core.Saved{State: *m.State}
	if method.Describe().Exposure == core.OracleExposed {
		encoder, ok := core.As[core.Encoder](judge)
		if judge == nil || !ok {
			return nil, fmt.Errorf("%w: the model of %s works on the features of the oracle with the key %s; give that oracle too", core.ErrUnavailable, m.Name, m.Oracle)
		}
		saved.OracleEmbedding = encoder.Encoder()
	}
	model, err := loader.Load(ctx, saved)
	if err != nil {
		return nil, fmt.Errorf("the model of %s: %w", m.Name, err)
	}
	return model, nil
}

// LoadJudge returns the judge as the oracle of its name makes it of its state.
func (m *SavedModel) LoadJudge(ctx context.Context, oracle core.Oracle) (_ core.Judge, err error) {
	defer core.Recover(&err)
	loader, ok := core.As[core.JudgeLoader](oracle)
	if !ok || m.Kind != ModelOfOracle {
		return nil, fmt.Errorf("%w: the oracle %s cannot load the model of a %s", core.ErrUnavailable, oracle.Describe().Name, m.Kind)
	}
	judge, err := loader.Load(ctx, &core.Saved{State: *m.State})
	if err != nil {
		return nil, fmt.Errorf("the oracle %s: %w", m.Name, err)
	}
	return judge, nil
}

// RollOut predicts what follows snapshots by a protocol: [ProtocolReencode] feeds them to the model, what it predicts to the model
// again, and so on; [ProtocolPowers] takes every step from the given snapshots. It calls each with the predictions of every step,
// counted from 1. What the model returns is checked as in a run.
func RollOut(ctx context.Context, model core.Model, protocol string, x core.Snapshots, steps int, each func(step int, predicted core.Snapshots) error) error {
	return core.Contain(func() error { return rollOut(ctx, model, protocol, x, steps, each) })
}

func rollOut(
	ctx context.Context, model core.Model, protocol string, x core.Snapshots, steps int,
	each func(step int, predicted core.Snapshots) error,
) error {
	ahead, err := predictor(protocol, model)
	if err != nil {
		return err
	}
	for step := 1; step <= steps; step++ {
		next, err := predict(ctx, x, step, ahead)
		if err != nil {
			return fmt.Errorf("prediction at step %d: %w", step, err)
		}
		if err := each(step, next); err != nil {
			return err
		}
		if protocol != ProtocolPowers {
			x = next
		}
	}
	return nil
}

// ModelPath is where the model of a run is stored, if it is.
func (s *Store) ModelPath(key string) string { return s.path(modelFile(key)) }

// OraclePath is where the oracle of a key is stored, if it can be.
func (s *Store) OraclePath(key string) string { return s.path(oracleFile(key)) }

// savable reports whether a method can bring back what it saves.
func savable(m core.Method) bool {
	_, ok := core.As[core.ModelLoader](m)
	return ok
}

// save returns the file of a run's model, nil where it is not wanted or, with a warning, where it
// cannot be saved.
func (h *harness) save(ctx context.Context, r run, model core.Model, result *RunResult) (file []byte) {
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
		file, err = (&SavedModel{h.modelInfo(ModelInfo{
			Kind: ModelOfMethod, Name: r.description.Name, Method: r.entry.Label, Key: r.key, Seed: r.seed,
			Options: r.entry.Options.Map(), Oracle: h.oracle.Key,
		}), state}).encode()
		return err
	}()
	if err != nil {
		result.Warnings = append(result.Warnings, bounded(fmt.Sprintf("the model was not saved: %v", err)))
		return nil
	}
	return file
}

func (h *harness) modelInfo(i ModelInfo) ModelInfo {
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
	m := &SavedModel{h.modelInfo(ModelInfo{
		Kind: ModelOfOracle, Name: h.oracle.Name, Key: h.oracle.Key, Seed: h.oracle.Seed, Options: h.oracle.Options,
	}), state}
	return m.Write(h.store.OraclePath(h.oracle.Key))
}

// loadOracle takes the judge from the folder, where an earlier command has left it. It reports whether it has, and why it has not
// where there is one.
func (h *harness) loadOracle(ctx context.Context) (ok bool, warning string) {
	path := h.store.OraclePath(h.oracle.Key)
	m, err := h.store.Oracle(h.oracle.Key)
	if errors.Is(err, fs.ErrNotExist) {
		return false, ""
	}
	if err == nil && m.Key != h.oracle.Key {
		err = fmt.Errorf("%w: %s says it is the oracle %q", ErrModel, path, m.Key)
	}
	if err == nil {
		err = core.Contain(func() (err error) {
			h.judge, err = m.LoadJudge(ctx, h.Oracle.Oracle)
			return err
		})
	}
	if err != nil {
		return false, "the oracle was fitted again, since its file was left aside: " + err.Error()
	}
	h.Observer.Begin(OracleLabel, h.Oracle.Seed)
	h.Observer.End(OracleLabel, h.Oracle.Seed, Outcome{Status: StatusOK, Reused: true})
	return true, ""
}
