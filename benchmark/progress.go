package benchmark

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// planned is what a command set out to do: the content of plan.json, which is there from before the first run until
// results.json is written, and longer only where the command was killed.
type planned struct {
	Schema      string       `json:"schema"`
	Task        TaskInfo     `json:"task"`
	Environment Environment  `json:"environment"`
	Oracle      OracleInfo   `json:"oracle"` // as it is before it is fitted
	Runs        []plannedRun `json:"runs"`
}

type plannedRun struct {
	Key    string `json:"key"`
	Method string `json:"method"`
	Seed   int64  `json:"seed"`
}

func (h *harness) planned(runs []run) planned {
	p := planned{Schema: Schema, Task: h.Task.Info, Environment: h.Environment, Oracle: h.oracle, Runs: []plannedRun{}}
	for _, r := range runs {
		p.Runs = append(p.Runs, plannedRun{r.key, r.entry.Label, r.seed})
	}
	return p
}

// Progress returns the results as far as they go. While a command is under way, or after it was killed, these are the runs
// of its plan that have finished, possibly none, and planned is the number of all of them. Otherwise they are those of
// results.json, and planned is 0; where there is none, r is nil. The error is [ErrResults] where what is there cannot be
// read.
func (s *Store) Progress() (r *Results, planned int, err error) {
	p, err := s.readPlan()
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(s.path("results.json")); errors.Is(err, fs.ErrNotExist) {
			return nil, 0, nil
		}
		r, err = s.Results()
		return r, 0, err
	}
	if err != nil {
		return nil, 0, err
	}
	r = &Results{Schema: p.Schema, Task: p.Task, Environment: p.Environment, Oracle: p.Oracle, Runs: []RunResult{}}
	if info, ok := s.oracle(p.Oracle.Key); ok {
		r.Oracle = info
	}
	for _, due := range p.Runs {
		run, ok, err := s.Run(due.Key)
		if err != nil {
			return nil, 0, err
		}
		if ok {
			run.Method = due.Method
			r.Runs = append(r.Runs, run)
		}
	}
	return r, len(p.Runs), nil
}

func (s *Store) readPlan() (p planned, err error) {
	path := s.path("plan.json")
	if err = s.readJSON(path, &p); err == nil && p.Schema != Schema {
		err = fmt.Errorf("%w: %s has the schema %q, and this version reads %q", ErrResults, path, p.Schema, Schema)
	}
	return p, err
}

func (s *Store) writePlan(p planned) error { return s.writeJSON(s.path("plan.json"), p) }

func (s *Store) removePlan() error {
	if err := os.Remove(s.path("plan.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
