//go:build unix

package plugin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
	"github.com/koopbench/koopbench/plugin/internal/server"
)

// The plugins of these tests are this test's program, which misbehaves as the variables of its environment say.
const (
	actVariable  = "KOOPBENCH_TEST_ACT"  // "WHERE=WHAT"; empty for a plugin without a fault
	onceVariable = "KOOPBENCH_TEST_ONCE" // a file: the fault happens only while it does not exist
	noteVariable = "KOOPBENCH_TEST_NOTE" // a file that gets a line when the fault happens
)

// misbehave is the main function of the plugin.
func misbehave() {
	where, what, _ := strings.Cut(os.Getenv(actVariable), "=")
	switch where {
	case "start":
		begin(what)
	case "frames":
		serveInTheClear(&rogue{server: honest(), what: what})
	case "clear":
		serveInTheClear(honest())
	}
	if what == "nil" { // which the guard alone tells from a result
		plugin.Serve(things()...)
	}
	plugin.ServeUnguarded(things()...)
}

func things() []any {
	return []any{faultyMethod{}, faultyEmbedder{}, faultyOperator{}, faultyLoss{}, faultyOracle{}, faultyTask{}}
}

func honest() *server.Server {
	s, err := server.New("1.2.3", "test", things()...)
	if err != nil {
		panic(err)
	}
	return s
}

// due returns what is to go wrong at that place, "" for nothing.
func due(where string) string {
	place, what, _ := strings.Cut(os.Getenv(actVariable), "=")
	if place != where {
		return ""
	}
	if once := os.Getenv(onceVariable); once != "" {
		file, err := os.OpenFile(once, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return ""
		}
		file.Close()
	}
	if note := os.Getenv(noteVariable); note != "" {
		_ = os.WriteFile(note, []byte(what), 0o600)
	}
	return what
}

// act does what is due, and returns what is left to be done to the result.
func act(where string) (string, error) {
	switch what := due(where); what {
	case "kill":
		fmt.Fprintln(os.Stderr, "last words")
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "exit":
		os.Exit(0)
	case "hang":
		select {} // whatever the context says
	case "panic":
		panic("the sky is falling")
	case "goroutine":
		go deep(40)
		select {}
	case "error":
		return "", errors.New("the weather is bad")
	case "timeout":
		return "", context.DeadlineExceeded // of something of the author's own
	case "noise":
		line := bytes.Repeat([]byte("x"), 1<<20)
		for _, file := range []*os.File{os.Stdout, os.Stderr} {
			_, _ = file.Write(line)
		}
		_, _ = syscall.Write(1, line)
		_, _ = syscall.Write(2, line)
	case "child", "child and hang":
		leak(&syscall.SysProcAttr{})
	case "stray", "stray and hang":
		leak(&syscall.SysProcAttr{Setsid: true})
	case "socket":
		writeToConnections()
	case "litter":
		folder := filepath.Join(os.TempDir(), "a", "b")
		_ = os.MkdirAll(folder, 0o700)
		_ = os.WriteFile(filepath.Join(folder, "c"), []byte("c"), 0o400)
		_ = os.Chmod(folder, 0o500)
	default:
		return what, nil
	}
	return "", nil
}

// deep panics with a long stack.
func deep(n int) {
	if n == 0 {
		panic("the sky is falling")
	}
	deep(n - 1)
}

// leak starts a process that would go on, and that holds this one's output.
func leak(attributes *syscall.SysProcAttr) {
	c := exec.Command("sleep", "300")
	c.Stdout, c.Stderr, c.SysProcAttr = os.NewFile(1, "stdout"), os.NewFile(2, "stderr"), attributes
	if err := c.Start(); err != nil {
		panic(err)
	}
}

// writeToConnections writes garbage to every socket of this process.
func writeToConnections() {
	for fd := 3; fd < 64; fd++ {
		var s syscall.Stat_t
		if syscall.Fstat(fd, &s) == nil && s.Mode&syscall.S_IFMT == syscall.S_IFSOCK {
			_, _ = syscall.Write(fd, bytes.Repeat([]byte("garbage "), 1000))
		}
	}
	time.Sleep(100 * time.Millisecond)
}

// The five kinds, without a fault but for those that are due.

type (
	faultyMethod    struct{}
	faultyEmbedder  struct{}
	faultyOperator  struct{}
	faultyLoss      struct{}
	faultyOracle    struct{}
	faultyModel     struct{ size int }
	faultyEmbedding struct{ shape []int }
	faultyOperation struct{ features, observable int }
	faultyJudge     struct{ faultyEmbedding }
)

var (
	_ core.Method            = faultyMethod{}
	_ core.Embedder          = faultyEmbedder{}
	_ core.EvolutionOperator = faultyOperator{}
	_ core.Loss              = faultyLoss{}
	_ core.Oracle            = faultyOracle{}
	_ core.Spectral          = faultyModel{}
	_ core.Decoder           = faultyEmbedding{}
	_ core.SpectralOperator  = faultyOperation{}
	_ core.Encoder           = faultyJudge{}
)

func described(name string) core.Description {
	return core.Description{Name: name, Summary: "Something that goes wrong", Doc: "For tests."}
}

func (faultyMethod) Describe() core.Description {
	d := described("method")
	if what := due("describe"); what == "change" {
		d.Doc = fmt.Sprint(time.Now().UnixNano())
	}
	return d
}
func (faultyEmbedder) Describe() core.Description { return described("embedder") }
func (faultyOperator) Describe() core.Description { return described("operator") }
func (faultyLoss) Describe() core.Description     { return described("loss") }
func (faultyOracle) Describe() core.Description   { return described("oracle") }

func (faultyMethod) Fit(_ context.Context, t *core.Training) (core.Model, error) {
	switch what, err := act("fit"); {
	case err != nil:
		return nil, err
	case what == "nil":
		return nil, nil
	}
	return faultyModel{t.Train.Size()}, nil
}

func (faultyModel) Predict(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
	if strings.HasSuffix(due("fit"), " and hang") {
		select {}
	}
	what, err := act("predict")
	if err != nil {
		return core.Snapshots{}, err
	}
	return mangleSnapshots(x, what)
}

func (faultyModel) Eigenvalues() []complex128 {
	if what := due("eigenvalues"); what == "nan" {
		return []complex128{complex(math.NaN(), 0)}
	}
	return []complex128{1, 0.5}
}

func (faultyModel) LeftEigenfunctions(_ context.Context, x core.Snapshots) (*mat.CDense, error) {
	what, err := act("eigenfunctions")
	columns := 2
	switch what {
	case "columns":
		columns = 3
	case "nil":
		return nil, nil
	}
	m := mat.NewCDense(x.Len(), columns, nil)
	if what == "nan" {
		m.Set(1, 1, complex(0, math.Inf(1)))
	}
	return m, err
}

func (faultyEmbedder) Fit(_ context.Context, t *core.Training) (core.Embedding, error) {
	_, err := act("fit embedder")
	return faultyEmbedding{t.Train.Shape()}, err
}

func (e faultyEmbedding) Dim() int {
	if due("dim") != "" {
		return 0
	}
	n := 1
	for _, axis := range e.shape {
		n *= axis
	}
	return n
}

func (faultyEmbedding) Embed(_ context.Context, x core.Snapshots) (*mat.Dense, error) {
	what, err := act("embed")
	return mangleMatrix(x.Matrix(), what), err
}

func (e faultyEmbedding) Decode(_ context.Context, z mat.Matrix) (core.Snapshots, error) {
	what, err := act("decode")
	if err != nil {
		return core.Snapshots{}, err
	}
	x, err := core.SnapshotsFromMatrix(z, e.shape...)
	if err != nil {
		return x, err
	}
	return mangleSnapshots(x, what)
}

func (faultyOperator) Fit(_ context.Context, t *core.OperatorTraining) (core.Operator, error) {
	_, err := act("fit operator")
	o := faultyOperation{}
	_, o.features = t.Features.Dims()
	_, o.observable = t.Observable.Dims()
	return o, err
}

func (o faultyOperation) Rank() int {
	if due("rank") != "" {
		return o.features + 1
	}
	return o.features
}

func (faultyOperation) Predict(_ context.Context, z mat.Matrix, _ int) (*mat.Dense, error) {
	what, err := act("features")
	return mangleMatrix(mat.DenseCopyOf(z), what), err
}

func (o faultyOperation) PredictObservable(_ context.Context, z mat.Matrix, _ int) (*mat.Dense, error) {
	what, err := act("observable")
	n, _ := z.Dims()
	return mangleMatrix(mat.NewDense(n, o.observable, nil), what), err
}

func (o faultyOperation) Eigenvalues() []complex128 {
	if due("spectrum") != "" {
		return make([]complex128, o.features+1)
	}
	return make([]complex128, o.features)
}

func (o faultyOperation) LeftEigenfunctions(_ context.Context, z mat.Matrix) (*mat.CDense, error) {
	n, _ := z.Dims()
	return mat.NewCDense(n, o.features, nil), nil
}

func (o faultyOperation) RightEigenfunctions(ctx context.Context, z mat.Matrix) (*mat.CDense, error) {
	return o.LeftEigenfunctions(ctx, z)
}

func (faultyLoss) Evaluate(_ context.Context, x, y mat.Matrix, _ core.Options) (core.LossValue, error) {
	what, err := act("evaluate")
	v := core.LossValue{Value: mat.Sum(x), GradX: mangleMatrix(mat.DenseCopyOf(x), what), GradY: mat.DenseCopyOf(y)}
	if what == "value" {
		v = core.LossValue{Value: math.NaN(), GradX: mat.DenseCopyOf(x), GradY: v.GradY}
	}
	return v, err
}

func (faultyOracle) Fit(_ context.Context, t *core.Training) (core.Judge, error) {
	_, err := act("fit oracle")
	return faultyJudge{faultyEmbedding{t.Train.Shape()}}, err
}

func (faultyJudge) Classify(_ context.Context, x core.Snapshots) ([]int, error) {
	what, err := act("classify")
	labels := make([]int, x.Len())
	switch what {
	case "range":
		labels[2] = 7
	case "rows":
		labels = append(labels, 0)
	case "empty":
		labels = nil
	}
	return labels, err
}

func (j faultyJudge) Encoder() core.Embedding { return j.faultyEmbedding }

func mangleSnapshots(x core.Snapshots, what string) (core.Snapshots, error) {
	if what == "" {
		return x, nil
	}
	shape := x.Shape()
	floats := append([]float32{}, x.Floats()...)
	switch what {
	case "nan":
		floats[3] = float32(math.NaN())
	case "inf":
		floats[3] = float32(math.Inf(-1))
	case "rows":
		floats = append(floats, floats[:x.Size()]...)
	case "few":
		floats = floats[:len(floats)-x.Size()]
	case "shape":
		shape = []int{x.Size()}
	case "empty":
		return core.Snapshots{}, nil
	}
	return core.NewSnapshots(floats, shape...)
}

func mangleMatrix(m *mat.Dense, what string) *mat.Dense {
	n, d := m.Dims()
	switch what {
	case "nan":
		m.Set(0, 0, math.NaN())
	case "inf":
		m.Set(0, 0, math.Inf(1))
	case "rows":
		return mat.NewDense(n+1, d, nil)
	case "columns":
		return mat.NewDense(n, d+1, nil)
	case "empty":
		return &mat.Dense{}
	case "nil":
		return nil
	}
	return m
}
