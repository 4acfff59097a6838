package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

func main() { os.Exit(exitStatus()) }

func exitStatus() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "peer: interrupted")
		return 130
	default:
		fmt.Fprintln(os.Stderr, "peer:", err)
		return 1
	}
}

// settings are what to measure, and how.
type settings struct {
	Rounds  int    `json:"rounds"`
	Seed    int64  `json:"seed"`
	Epochs  int    `json:"epochs"` // at most so many, 0 for no limit
	Threads int    `json:"threads"`
	Backend string `json:"backend"` // of koopbench, "" for its default
	XLA     string `json:"xla"`     // file of a PJRT plugin, "" for none

	steps, kernels bool
	venv, python   string
	json           string
}

func parse(args []string, stderr io.Writer) (*settings, error) {
	s := &settings{}
	flags := flag.NewFlagSet("peer", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&s.Rounds, "rounds", 3, "number of times to measure everything, in turn")
	flags.Int64Var(&s.Seed, "seed", 42, "seed of all methods and oracles, at every round")
	flags.IntVar(&s.Epochs, "epochs", 0, "train nothing for more epochs; 0 is no limit")
	flags.IntVar(&s.Threads, "threads", runtime.GOMAXPROCS(0), "threads of both sides")
	flags.StringVar(&s.Backend, "backend", "",
		"compute backend of koopbench's whole run, as bench takes it: cpu:kernels=avx2")
	flags.BoolVar(&s.steps, "steps", false, "measure single steps, on every backend, in place of the whole run")
	flags.BoolVar(&s.kernels, "kernels", false,
		"measure the kernels of backend/cpu in place of the whole run; this needs no Python")
	flags.StringVar(&s.XLA, "xla", "", "file of a PJRT plugin: --steps on XLA too, which needs a C compiler")
	flags.StringVar(&s.venv, "venv", "",
		"virtual environment of the peer (default koopbench/peer in the user's cache folder)")
	flags.StringVar(&s.python, "python", "python3", "interpreter to make the virtual environment with")
	flags.StringVar(&s.json, "json", "", "write all figures to this file")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q; there are flags only", flags.Arg(0))
	case s.Rounds < 1:
		return nil, fmt.Errorf("--rounds %d; give at least 1", s.Rounds)
	case s.Threads < 1:
		return nil, fmt.Errorf("--threads %d; give at least 1", s.Threads)
	case s.Epochs < 0:
		return nil, fmt.Errorf("--epochs %d; give at least 1, or 0 for no limit", s.Epochs)
	case s.steps && s.kernels:
		return nil, errors.New("--steps and --kernels are two measurements; give one of them")
	case s.XLA != "" && !s.steps:
		return nil, errors.New("--xla goes with --steps; the whole run takes --backend xla:FILE")
	case s.Backend != "" && (s.steps || s.kernels):
		return nil, errors.New("--backend goes with the whole run; --steps and --kernels measure all of them")
	}
	if s.XLA != "" {
		path, err := filepath.Abs(s.XLA)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("--xla: cannot read the PJRT plugin: %w", err)
		}
		s.XLA = path
	}
	return s, nil
}

// measurement is something to show and to keep.
type measurement interface{ markdown() string }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "koopbench-peer-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	b := &bench{settings: *s, root: root, temp: temp, log: stderr}
	m, err := b.measure(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(stdout, m.markdown()); err != nil {
		return err
	}
	return writeJSON(s.json, m)
}

func (b *bench) measure(ctx context.Context) (measurement, error) {
	if b.kernels {
		return b.measureKernels(ctx)
	}
	if err := b.prepareVenv(ctx); err != nil {
		return nil, err
	}
	if b.steps {
		return b.measureSteps(ctx)
	}
	return b.measureWhole(ctx)
}

// bench is a measurement in progress.
type bench struct {
	settings
	root   string    // folder of go.mod
	temp   string    // folder for what is built and written
	log    io.Writer // for progress, and what the programs say
	python string    // of the virtual environment
}

func (b *bench) logf(format string, values ...any) { fmt.Fprintf(b.log, format+"\n", values...) }

// moduleRoot is the folder of this module's go.mod.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf(
			"go list does not say where the module is; run this inside the repository, with go on the path: %w", err)
	}
	path, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if path != "github.com/koopbench/koopbench" {
		return "", fmt.Errorf("this folder is in the module %s; run this inside koopbench's repository", path)
	}
	return dir, nil
}

func writeJSON(path string, value any) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

func readJSON(path string, value any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, value); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
