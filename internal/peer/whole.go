package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// parts are what both sides time on their own, in the order of the table.
var parts = []string{"oracle", "linear", "vamp", "contrastive", "autoencoder", "classifier", "prediction"}

// whole is the measurement of the whole experiment.
type whole struct {
	Settings    settings          `json:"settings"`
	Environment json.RawMessage   `json:"environment"` // as koopbench's results.json has it
	Versions    map[string]string `json:"versions"`    // of the peer's packages
	Rounds      []round           `json:"rounds"`
}

// round has one run of each side.
type round struct {
	Koopbench outcome `json:"koopbench"`
	Kooplearn outcome `json:"kooplearn"`
}

// outcome is one run of the whole experiment.
type outcome struct {
	cost
	Seconds            map[string]float64   `json:"seconds"`  // by part
	Accuracy           map[string][]float64 `json:"accuracy"` // by method, at each step
	OracleTestAccuracy float64              `json:"oracle_test_accuracy"`
}

// rest is the time of no part that both sides have.
func (o outcome) rest() float64 {
	rest := o.WallSeconds
	for _, part := range parts {
		rest -= o.Seconds[part]
	}
	return rest
}

func (o outcome) check() error {
	for _, part := range parts {
		if o.Seconds[part] <= 0 {
			return fmt.Errorf("the results have no time of the part %q", part)
		}
	}
	return nil
}

func (b *bench) measureWhole(ctx context.Context) (measurement, error) {
	xla := strings.HasPrefix(b.Backend, "xla")
	binary, err := b.build(ctx, "bench", "./cmd/bench", xla, "build", "-trimpath")
	if err != nil {
		return nil, err
	}
	return b.wholeOf(ctx, binary)
}

func (b *bench) wholeOf(ctx context.Context, binary string) (_ *whole, err error) {
	w := &whole{Settings: b.settings}
	for i := range b.Rounds {
		var r round
		if r.Koopbench, w.Environment, err = b.koopbench(ctx, binary,
			filepath.Join(b.temp, fmt.Sprint("results-", i))); err != nil {
			return nil, errors.Join(ctx.Err(), fmt.Errorf("koopbench's run failed: %w", err))
		}
		b.logf("round %d: koopbench %.1f s", i+1, r.Koopbench.WallSeconds)
		if r.Kooplearn, w.Versions, err = b.kooplearn(ctx); err != nil {
			return nil, errors.Join(ctx.Err(), fmt.Errorf("kooplearn's run failed: %w", err))
		}
		b.logf("round %d: kooplearn %.1f s", i+1, r.Kooplearn.WallSeconds)
		w.Rounds = append(w.Rounds, r)
	}
	return w, nil
}

func (b *bench) koopbench(ctx context.Context, binary, out string) (outcome, json.RawMessage, error) {
	seed := fmt.Sprint(b.Seed)
	args := []string{"run", "--methods", "notebook", "--quiet", "--seeds", seed, "--oracle-seed", seed, "--out", out}
	if b.Epochs > 0 {
		args = append(args, "--epochs", fmt.Sprint(b.Epochs))
	}
	if b.Backend != "" {
		args = append(args, "--backend", b.Backend)
	}
	spent, err := measure(b.command(ctx, b.threadVariables(), binary, args...))
	if err != nil {
		return outcome{}, nil, err
	}
	var r results
	if err := readJSON(filepath.Join(out, "results.json"), &r); err != nil {
		return outcome{}, nil, err
	}
	o := r.outcome(spent)
	return o, r.Environment, o.check()
}

// results is what is of interest in koopbench's results.json; docs/results.md describes it.
type results struct {
	Environment json.RawMessage `json:"environment"`
	Oracle      struct {
		FitSeconds   float64 `json:"fit_seconds"`
		TestAccuracy float64 `json:"test_accuracy"`
	} `json:"oracle"`
	Runs []struct {
		Method         string    `json:"method"`
		Accuracy       []float64 `json:"accuracy"`
		FitSeconds     float64   `json:"fit_seconds"`
		CompileSeconds float64   `json:"compile_seconds"`
		PredictSeconds float64   `json:"predict_seconds"`
	} `json:"runs"`
}

func (r *results) outcome(spent cost) outcome {
	o := outcome{
		cost:    spent,
		Seconds: map[string]float64{"oracle": r.Oracle.FitSeconds}, Accuracy: map[string][]float64{},
		OracleTestAccuracy: r.Oracle.TestAccuracy,
	}
	for _, run := range r.Runs {
		o.Seconds[run.Method] = run.FitSeconds + run.CompileSeconds
		o.Seconds["prediction"] += run.PredictSeconds
		o.Accuracy[run.Method] = run.Accuracy
	}
	return o
}

func (b *bench) kooplearn(ctx context.Context) (outcome, map[string]string, error) {
	out := filepath.Join(b.temp, "kooplearn.json")
	spent, err := measure(b.peer(ctx, out, "--epochs", fmt.Sprint(b.Epochs)))
	if err != nil {
		return outcome{}, nil, err
	}
	var r struct {
		outcome
		Versions map[string]string `json:"versions"`
	}
	if err := readJSON(out, &r); err != nil {
		return outcome{}, nil, err
	}
	r.cost = spent
	return r.outcome, r.Versions, r.check()
}

func (w *whole) markdown() string {
	t := newComparison("koopbench", "kooplearn")
	seconds := func(name string, of func(outcome) float64) { t.add(name, w.each(of)) }
	seconds("**whole run**, s", func(o outcome) float64 { return o.WallSeconds })
	for _, part := range parts {
		seconds(part+", s", func(o outcome) float64 { return o.Seconds[part] })
	}
	seconds("everything else, s", outcome.rest)
	seconds("processor time, s", func(o outcome) float64 { return o.CPUSeconds })
	seconds("peak memory, MB", func(o outcome) float64 { return float64(o.PeakRSSBytes) / 1e6 })
	return t.String()
}

// each returns one pair a round: koopbench's value and the peer's.
func (w *whole) each(of func(outcome) float64) [][2]float64 {
	var pairs [][2]float64
	for _, r := range w.Rounds {
		pairs = append(pairs, [2]float64{of(r.Koopbench), of(r.Kooplearn)})
	}
	return pairs
}
