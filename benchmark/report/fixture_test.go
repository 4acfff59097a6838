package report

import (
	"fmt"
	"image"
	"io/fs"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	xfont "golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/vg"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
)

// setting is what made-up results are made from. Its zero fields stand for those of the benchmark's defaults.
type setting struct {
	digits, steps, test int
	shape               []int
	seeds               []int64
	methods             []madeUp
}

// madeUp is a method whose results are made up.
type madeUp struct {
	label    string
	half     float64 // steps after which accuracy has fallen halfway to chance; 0 for never
	first    float64 // accuracy of the first step
	exposed  core.Exposure
	rank     int     // of the operator; 0 for no spectrum
	losses   bool    // there is a history
	noise    float64 // of the images and eigenfunctions
	untaught []int64 // seeds at which it learns nothing
	failed   []int64 // seeds at which it fails
	plugin   bool    // it comes from one
}

// fiveMethods resemble the built-in ones.
func fiveMethods() []madeUp {
	return []madeUp{
		{label: "linear", half: 5, first: 0.85, rank: 5, noise: 0.6},
		{label: "classifier", half: 6, first: 0.95, rank: 5, noise: 0.25, exposed: core.OracleExposed},
		{label: "vamp", first: 0.985, rank: 5, losses: true, noise: 0.05},
		{label: "contrastive", first: 0.99, rank: 5, losses: true, noise: 0.04},
		{label: "autoencoder", half: 2, first: 0.94, rank: 4, losses: true, noise: 0.2},
	}
}

// made is a source of made-up results.
type made struct {
	results *benchmark.Results
	task    *benchmark.TaskArrays
	arrays  map[string]*benchmark.RunArrays
}

var _ source = (*made)(nil)

func (m *made) Results() (*benchmark.Results, error)                           { return m.results, nil }
func (m *made) TaskArraysOf(benchmark.TaskInfo) (*benchmark.TaskArrays, error) { return m.task, nil }
func (m *made) RunArraysOf(_ benchmark.TaskInfo, run *benchmark.RunResult) (*benchmark.RunArrays, error) {
	if a := m.arrays[run.Key]; a != nil {
		return a, nil
	}
	return nil, fs.ErrNotExist
}

// makeUp returns results that look like a run's. They depend on the setting alone.
func makeUp(t testing.TB, s setting) *made {
	if s.digits == 0 {
		s.digits = 5
	}
	if s.steps == 0 {
		s.steps = 15
	}
	if s.test == 0 {
		s.test = 300
	}
	if s.shape == nil {
		s.shape = []int{28, 28}
	}
	if s.seeds == nil {
		s.seeds = []int64{42}
	}
	if s.methods == nil {
		s.methods = fiveMethods()
	}
	random := rand.New(rand.NewPCG(1, 2))
	drawn := glyphs(s.shape)
	m := &made{
		results: &benchmark.Results{
			Schema: benchmark.Schema,
			Task: benchmark.TaskInfo{
				Name: "ordered-mnist", States: s.digits, Shape: s.shape, Train: 3000, Validation: 1000, Test: s.test,
				Lag: 1, Steps: s.steps, Protocol: benchmark.ProtocolReencode,
			},
			Oracle: benchmark.OracleInfo{
				Name: "cnn", Seed: 42, ValidationAccuracy: 0.989, TestAccuracy: 0.985, History: losses(random, 20, 0.7, 0.002, 0.03),
			},
		},
		arrays: map[string]*benchmark.RunArrays{},
		task:   &benchmark.TaskArrays{},
	}
	for i := range s.test {
		m.task.TestStates = append(m.task.TestStates, i%s.digits)
	}
	for i := range benchmark.SampleCycles * s.digits {
		m.task.SampleStates = append(m.task.SampleStates, i%s.digits)
	}
	m.results.Oracle.TestLabels, m.results.Oracle.TestAccuracy = judged(m.task.TestStates, s.digits)
	images := func(labels []int, noise float64) core.Snapshots {
		var values []float32
		for _, label := range labels {
			for _, v := range drawn[label%10] {
				values = append(values, v+float32(noise*random.NormFloat64()))
			}
		}
		x, err := core.NewSnapshots(values, s.shape...)
		require.NoError(t, err)
		return x
	}
	shown := min(s.test, benchmark.RolloutSnapshots)
	m.task.Sample = images(m.task.SampleStates, 0.02)
	m.task.Starts = images(m.task.TestStates[:shown], 0.02)
	for _, method := range s.methods {
		for _, seed := range s.seeds {
			run := benchmark.RunResult{
				Key: fmt.Sprintf("%s-%d", method.label, seed), Method: method.label, Seed: seed, Exposed: string(method.exposed),
				Status: benchmark.StatusOK, Trained: true, Rank: method.rank, Parameters: 34213,
				FitSeconds: 3 + 30*random.Float64(), PredictSeconds: random.Float64(),
				CompileSeconds: 0.05 * float64(method.rank), PeakRSSBytes: (90 + 3*seed%7) << 20, Jobs: 1, Threads: 2,
			}
			cpu := 1.9 * run.FitSeconds
			run.CPUSeconds = &cpu
			if method.plugin {
				calls := 0.2 + run.PredictSeconds/10
				run.RPC = &benchmark.RPC{StartSeconds: 0.4, Seconds: &calls, Calls: 17, SentBytes: 49 << 20, ReceivedBytes: 47 << 20}
				run.Isolated, run.Plugin = true, &benchmark.PluginInfo{Path: "/plugins/kernel", Protocol: 1}
			}
			if slices.Contains(method.failed, seed) {
				run.Status, run.Trained, run.Reason = benchmark.StatusFailed, false, "fit: non-finite value: value 3 of snapshot 17 is NaN"
				m.results.Runs = append(m.results.Runs, run)
				continue
			}
			chance := 1 / float64(s.digits)
			start, half := method.first-0.01*random.Float64(), method.half
			run.Warnings = []string{}
			if slices.Contains(method.untaught, seed) {
				run.Trained, run.Reason, start, half = false, "the operator has rank 2 and the task 5 states", 0.3, 1
				run.Warnings = []string{"1 of 5 directions was dropped; the rank is 4"}
			}
			if method.losses {
				run.History = losses(random, 50, -1, -4.9, 0.05)
			}
			arrays := &benchmark.RunArrays{}
			for step := 1; step <= s.steps; step++ {
				fall := 1.0
				if half > 0 {
					fall = 1 / (1 + math.Pow(float64(step)/half, 3))
				}
				p := math.Min(1, math.Max(0, chance+(start-chance)*fall))
				labels, right := make([]int, s.test), 0
				for i := range labels {
					labels[i] = (m.task.TestStates[i] + step) % s.digits
					if random.Float64() >= p {
						labels[i] = (labels[i] + 1 + random.IntN(max(1, s.digits-1))) % s.digits
					}
					if labels[i] == (m.task.TestStates[i]+step)%s.digits {
						right++
					}
				}
				run.Ranked.Score = append(run.Ranked.Score, float64(right)/float64(s.test))
				arrays.Labels = append(arrays.Labels, labels)
				arrays.Rollout = append(arrays.Rollout, images(labels[:shown], method.noise))
			}
			run.Ranked.Labels = arrays.Labels
			run.Eigenvalues, arrays.LeftEigenfunctions = spectrum(random, method, m.task.TestStates, s.digits)
			m.results.Runs = append(m.results.Runs, run)
			m.arrays[run.Key] = arrays
		}
	}
	return m
}

// judged is what an oracle sees in snapshots of those states that takes one in 70 for its successor, and its accuracy.
func judged(states []int, count int) (seen []int, accuracy float64) {
	seen = slices.Clone(states)
	wrong := 0
	for i := 17; i < len(seen) && count > 1; i += 70 {
		seen[i] = (seen[i] + 1) % count
		wrong++
	}
	return seen, 1 - float64(wrong)/float64(len(seen))
}

// losses fall from one value to another over the epochs.
func losses(random *rand.Rand, epochs int, from, to, gap float64) []benchmark.Epoch {
	var history []benchmark.Epoch
	for e := range epochs {
		v := to + (from-to)*math.Exp(-float64(e)/8) + 0.01*math.Abs(from-to)*random.NormFloat64()
		history = append(history, benchmark.Epoch{
			Epoch: e + 1, Train: benchmark.Number(v), Validation: benchmark.Number(v + gap*math.Abs(to-from)*float64(e)/float64(epochs)),
		})
	}
	return history
}

// spectrum is that of a noisy cycle through the states: the leading roots of unity, and eigenfunctions of random phase.
func spectrum(random *rand.Rand, m madeUp, labels []int, states int) ([]benchmark.Complex, *mat.CDense) {
	rank := min(m.rank, states)
	if rank == 0 {
		return nil, nil
	}
	var powers []int // pairs first
	for k := 1; 2*k < states; k++ {
		powers = append(powers, k, states-k)
	}
	powers = append(powers, 0)
	if states%2 == 0 {
		powers = append(powers, states/2)
	}
	var values []benchmark.Complex
	left := mat.NewCDense(len(labels), rank, nil)
	for j := range rank {
		turn := 2 * math.Pi * float64(powers[j]) / float64(states)
		values = append(values, benchmark.Complex(cmplx.Rect(0.99-0.02*float64(j/2), turn)))
		phase := cmplx.Rect(3, 2*math.Pi*random.Float64())
		if powers[j] == 0 || 2*powers[j] == states {
			phase = -2
		}
		for i, label := range labels {
			noise := complex(m.noise*random.NormFloat64(), m.noise*random.NormFloat64())
			if imag(phase) == 0 {
				noise = complex(real(noise), 0)
			}
			left.Set(i, j, phase*(cmplx.Rect(1, turn*float64(label))+noise))
		}
	}
	return values, left
}

// glyphs are pictures of the digits 0 to 9, row-major in a shape.
func glyphs(shape []int) [][]float32 {
	height, width, channels := pictureShape(shape)
	l := newLettering()
	letters := l.title.Handler.Cache().Lookup(l.title.Font, vg.Points(0.95*float64(min(height, width))))
	face := letters.FontFace(72)
	var all [][]float32
	for digit := range 10 {
		img := image.NewGray(image.Rect(0, 0, width, height))
		drawer := xfont.Drawer{Dst: img, Src: image.White, Face: face}
		text := strconv.Itoa(digit)
		drawer.Dot = fixed.Point26_6{X: (fixed.I(width) - drawer.MeasureString(text)) / 2, Y: fixed.I(height * 17 / 20)}
		drawer.DrawString(text)
		values := make([]float32, 0, width*height*channels)
		for _, p := range img.Pix {
			for range channels {
				values = append(values, float32(p)/255)
			}
		}
		all = append(all, values)
	}
	return all
}
