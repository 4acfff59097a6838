package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

// The fakes are a whole benchmark that runs in milliseconds: 8×8 images of ten classes, methods
// that keep a mean image a class, and methods that fail in every way.

const (
	side         = 8
	trainImages  = 200
	testImages   = 50
	tinySplit    = "40,20,20"
	tinyDigits   = "4"
	fakeRunsEach = 3 // epochs of the fakes by default
)

// writeData writes the four IDX files of a made-up set: bright bars, one place a class, and noise.
func writeData(t testing.TB, dir string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	for part, count := range map[string]int{"train": trainImages, "t10k": testImages} {
		random := rand.New(rand.NewPCG(1, uint64(count)))
		images, labels := idxHeader(count, side, side), idxHeader(count)
		for i := range count {
			label := i % 10
			labels = append(labels, byte(label))
			for p := range side * side {
				value := byte(random.IntN(60))
				if p/6 == label {
					value += 180
				}
				images = append(images, value)
			}
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, part+"-images-idx3-ubyte"), images, 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, part+"-labels-idx1-ubyte"), labels, 0o644))
	}
}

func idxHeader(lengths ...int) []byte {
	header := []byte{0, 0, 8, byte(len(lengths))}
	for _, n := range lengths {
		header = binary.BigEndian.AppendUint32(header, uint32(n))
	}
	return header
}

// fakes is the registry of the tests and what it counts.
type fakes struct {
	fits  atomic.Int64       // of template methods
	began chan struct{}      // gets a value when the blocking method begins
	build func() (err error) // called for every registry, may be nil
	extra []core.Method      // beside the others
}

func newFakes() *fakes { return &fakes{began: make(chan struct{}, 100)} }

func (f *fakes) registry(*nn.Runtime) (*registry.Registry, error) {
	if f.build != nil {
		if err := f.build(); err != nil {
			return nil, err
		}
	}
	r := registry.New()
	return r, errors.Join(
		r.Methods.Add(
			&template{f, "template"}, &template{f, "other"},
			broken{"failing", func(context.Context) error {
				return fmt.Errorf("%w: the moon is in the wrong phase", core.ErrUnavailable)
			}},
			broken{"panicking", func(context.Context) error { panic("index out of range") }},
			broken{"blocking", func(ctx context.Context) error {
				f.began <- struct{}{}
				<-ctx.Done()
				return ctx.Err()
			}},
		),
		r.Methods.Add(f.extra...),
		r.Oracles.Add(judge{}),
	)
}

// config is that of the fakes' command line. It draws no figures, which would take longer than all the rest.
func (f *fakes) config() Config {
	return Config{Registry: f.registry, Version: "v0.0.0-test", draw: func(string) error { return nil }}
}

// template predicts the mean image of the next class, told apart by time, with a blemish that depends on the seed.
type template struct {
	fakes *fakes
	name  string
}

func (m *template) Describe() core.Description {
	return core.Description{
		Name: m.name, Summary: "the mean image of the next class",
		Doc: "It takes the mean of the training images of each class, and predicts that of the class after the nearest.",
		Options: []core.Option{
			core.IntOption("epochs", fakeRunsEach, 1, 100, "passes over nothing"),
			core.FloatOption("blemish", 0.01, 0, 1, "size of what the seed adds"),
			core.ChoiceOption("order", "which class follows", "up", "down"),
			core.BoolOption("warn", false, "whether to warn"),
		},
	}
}

func (m *template) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	m.fakes.fits.Add(1)
	model := &templates{means: means(t, func(time int) int { return time % t.States }), next: 1}
	if t.Options.String("order") == "down" {
		model.next = t.States - 1
	}
	for _, mean := range model.means {
		mean[t.Stream("blemish").IntN(len(mean))] += float32(t.Options.Float("blemish"))
	}
	t.Progress.Phase("training", t.Options.Int("epochs"))
	for epoch := 1; epoch <= t.Options.Int("epochs"); epoch++ {
		e := core.Epoch{Number: epoch, Train: 1 / float64(epoch), Validation: 2 / float64(epoch)}
		model.report.History = append(model.report.History, e)
		t.Progress.Advance(epoch)
		t.Progress.Epoch(e)
	}
	if t.Options.Bool("warn") {
		model.report.Warnings = []string{"the weather is bad"}
		model.report.Untrained = "nothing was learned"
	}
	return model, ctx.Err()
}

// means are the mean images of the classes.
func means(t *core.Training, class func(time int) int) [][]float32 {
	sums, counts := make([][]float32, t.States), make([]float32, t.States)
	image := make([]float32, t.Train.Size())
	for time := range t.Train.Len() {
		c := class(time)
		if sums[c] == nil {
			sums[c] = make([]float32, len(image))
		}
		t.Train.Read(image, time)
		for p, v := range image {
			sums[c][p] += v
		}
		counts[c]++
	}
	for c := range sums {
		for p := range sums[c] {
			sums[c][p] /= counts[c]
		}
	}
	return sums
}

type templates struct {
	means  [][]float32
	next   int
	report core.Report
}

func (m *templates) Report() core.Report { return m.report }

func (m *templates) Predict(_ context.Context, x core.Snapshots) (core.Snapshots, error) {
	var values []float32
	for _, c := range m.classify(x) {
		values = append(values, m.means[(c+m.next)%len(m.means)]...)
	}
	return core.NewSnapshots(values, x.Shape()...)
}

func (m *templates) classify(x core.Snapshots) []int {
	labels := make([]int, x.Len())
	image := make([]float32, x.Size())
	for i := range labels {
		x.Read(image, i)
		least := float32(1e9)
		for c, mean := range m.means {
			distance := float32(0)
			for p, v := range image {
				distance += (v - mean[p]) * (v - mean[p])
			}
			if distance < least {
				least, labels[i] = distance, c
			}
		}
	}
	return labels
}

// judge is an oracle of the same kind.
type judge struct{}

func (judge) Describe() core.Description {
	return core.Description{Name: defaultOracle, Summary: "the nearest mean image",
		Options: []core.Option{core.IntOption("epochs", 2, 1, 100, "passes over nothing")}}
}

func (judge) Fit(ctx context.Context, t *core.Training) (core.Judge, error) {
	return judgement{templates{means: means(t, func(time int) int { return t.TrainLabels[time] })}}, ctx.Err()
}

type judgement struct{ templates }

func (j judgement) Classify(_ context.Context, x core.Snapshots) ([]int, error) {
	return j.classify(x), nil
}

// broken is a method that never gives a model.
type broken struct {
	name string
	fit  func(ctx context.Context) error
}

func (b broken) Describe() core.Description {
	return core.Description{Name: b.name, Summary: "for tests", Exposure: core.LabelExposed}
}

func (b broken) Fit(ctx context.Context, _ *core.Training) (core.Model, error) {
	return nil, b.fit(ctx)
}

// This test's program is a worker where it is started as one, over mortalFakes.

// mortalFakes are the fakes and methods that end the process they are fitted in.
func mortalFakes() *fakes {
	f := newFakes()
	f.extra = []core.Method{
		broken{"dying", func(context.Context) error {
			fmt.Fprintln(os.Stderr, "the last words of dying")
			return endSelf()
		}},
		broken{"exiting", func(context.Context) error {
			os.Exit(3)
			return nil
		}},
	}
	return f
}

// endSelf kills this process.
func endSelf() error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	return self.Kill()
}

// output is what a command line did.
type output struct {
	status         int
	stdout, stderr string
}

// call runs a command line in this process.
func call(ctx context.Context, config Config, args ...string) output {
	var stdout, stderr bytes.Buffer
	status := Main(ctx, args, nil, &stdout, &stderr, config)
	return output{status, stdout.String(), stderr.String()}
}

// tiny is `bench run` of the made-up set: it returns its arguments, with more at the end.
func tiny(data, out string, more ...string) []string {
	return append(
		[]string{"run", "--data", data, "--out", out, "--num-digits", tinyDigits, "--split", tinySplit, "--steps", "3"},
		more...)
}

// dataFolder is a folder with the made-up set.
func dataFolder(t testing.TB) string {
	dir := filepath.Join(t.TempDir(), "data")
	writeData(t, dir)
	return dir
}

// results reads results.json and takes away what differs from one execution to the next.
func resultsIn(t *testing.T, dir string) *results.Results {
	t.Helper()
	r, err := results.OpenStore(dir).Results()
	require.NoError(t, err)
	r.Environment = results.Environment{}
	r.Oracle.FitSeconds = 0
	for i := range r.Runs {
		run := &r.Runs[i]
		run.FitSeconds, run.CompileSeconds, run.PeakRSSBytes = 0, 0, 0
		for k := range run.Evaluations {
			run.Evaluations[k].PredictSeconds = 0
		}
		run.Environment = nil
		run.CPUSeconds, run.RPC, run.Jobs, run.Threads, run.Isolated = nil, nil, 0, 0, false
	}
	return r
}
