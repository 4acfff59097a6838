package results

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/internal/statefile"
)

// ModelFormat is the name and version of the format of model files. It changes whenever a reader of the old layout
// would misread the new one.
const ModelFormat = "koopbench.model/1"

// Kinds of model files.
const (
	ModelOfMethod = "method"
	ModelOfOracle = "oracle"
)

// ErrModel means that a file cannot be read as a model.
var ErrModel = errors.New("not readable as a model")

// ModelInfo describes a model file.
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
	// Frame is the frame of the task; nil if it has none.
	Frame *core.Frame
	State *core.State
}

// ReadModel reads a model file. The error is [ErrModel] if the file is incomplete, changed, or of
// another version.
func ReadModel(path string) (*SavedModel, error) {
	return readModel(func(use func(f io.ReaderAt, size int64) error) error {
		f, err := foreign.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return opened(f, path, use)
	})
}

// ReadModel is [ReadModel] for a file of the folder.
func (s *Store) ReadModel(name string) (*SavedModel, error) {
	return readModel(func(use func(f io.ReaderAt, size int64) error) error { return s.Open(name, use) })
}

func readModel(open func(use func(f io.ReaderAt, size int64) error) error) (m *SavedModel, err error) {
	err = open(func(f io.ReaderAt, size int64) error {
		m, err = decodeModel(f, size)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	return m, nil
}

// Oracle reads the file of the oracle with that key. The errors are those of [ReadModel], and
// [fs.ErrNotExist] if there is no such file.
func (s *Store) Oracle(key string) (*SavedModel, error) {
	if !isFileName(key) {
		return nil, fmt.Errorf("%w: the key of an oracle, %.200q, is not a file name", ErrModel, key)
	}
	return s.ReadModel(OracleFile(key))
}

func decodeModel(r io.ReaderAt, size int64) (*SavedModel, error) {
	m := &SavedModel{}
	var err error
	var header modelHeader
	if m.State, err = statefile.Read(r, size, ModelFormat, &header); err != nil {
		return nil, err
	}
	m.ModelInfo = header.ModelInfo
	switch {
	case m.Kind != ModelOfMethod && m.Kind != ModelOfOracle:
		err = fmt.Errorf("it is of the kind %q; it must be %q or %q", m.Kind, ModelOfMethod, ModelOfOracle)
	case m.Task.Lag < 1:
		err = fmt.Errorf("it has a lag of %d snapshots; it must be at least 1", m.Task.Lag)
	case m.Oracle != "" && !isFileName(m.Oracle):
		err = fmt.Errorf("the key of its oracle, %q, is not a file name", m.Oracle)
	default:
		if _, err = core.NewSnapshots(nil, m.Task.Shape...); err == nil {
			err = m.unframe(header.Frame)
		}
	}
	return m, err
}

// Write writes the file.
func (m *SavedModel) Write(path string) error {
	data, err := m.Encode()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.Write(path, data)
}

// Encode returns the content of the file. The error is [core.ErrContract] if there is no state.
func (m *SavedModel) Encode() ([]byte, error) {
	if m.State == nil {
		return nil, fmt.Errorf("%w: saving gave neither a state nor an error", core.ErrContract)
	}
	header, state, err := m.framed()
	if err != nil {
		return nil, err
	}
	return statefile.Encode(ModelFormat, header, state)
}

// Load returns the model that its method makes from its state. The judge is the oracle that judged
// the run, for methods that see the oracle, whose models contain it; nil for others. The error is
// [core.ErrUnavailable] if the method cannot load models, or needs a judge.
func (m *SavedModel) Load(ctx context.Context, method core.Method, judge core.Judge) (_ core.Model, err error) {
	defer core.Recover(&err)
	loader, ok := core.As[core.ModelLoader](method)
	if !ok || m.Kind != ModelOfMethod {
		return nil, fmt.Errorf("%w: the method %s cannot load the model of a %s", core.ErrUnavailable, method.Describe().Name,
			m.Kind)
	}
	saved := &core.Saved{State: *m.State}
	if method.Describe().Exposure == core.OracleExposed {
		encoder, ok := core.As[core.Encoder](judge)
		if judge == nil || !ok {
			return nil, fmt.Errorf("%w: the model of %s needs the features of the oracle with the key %s; give that oracle "+
				"too", core.ErrUnavailable, m.Name, m.Oracle)
		}
		saved.OracleEmbedding = encoder.Encoder()
	}
	model, err := loader.Load(ctx, saved)
	if err != nil {
		return nil, fmt.Errorf("the model of %s: %w", m.Name, err)
	}
	return model, nil
}

// LoadJudge returns the judge that its oracle makes from its state.
func (m *SavedModel) LoadJudge(ctx context.Context, oracle core.Oracle) (_ core.Judge, err error) {
	defer core.Recover(&err)
	loader, ok := core.As[core.JudgeLoader](oracle)
	if !ok || m.Kind != ModelOfOracle {
		return nil, fmt.Errorf("%w: the oracle %s cannot load the model of a %s", core.ErrUnavailable, oracle.Describe().Name,
			m.Kind)
	}
	judge, err := loader.Load(ctx, &core.Saved{State: *m.State})
	if err != nil {
		return nil, fmt.Errorf("the oracle %s: %w", m.Name, err)
	}
	return judge, nil
}

// ModelPath is the path of the model of a run, if it is stored.
func (s *Store) ModelPath(key string) string { return s.Path(ModelFile(key)) }

// OraclePath is the path of the oracle with that key, if it can be stored.
func (s *Store) OraclePath(key string) string { return s.Path(OracleFile(key)) }
