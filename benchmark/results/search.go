package results

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
)

// SearchSchema names the layout of tune.json, as [Schema] names that of results.json.
const SearchSchema = "koopbench.search/1"

// Files of a search.
const (
	SearchFile = "tune.json"
	BestFile   = "best.yaml" // the configuration of the chosen trial
)

// MaxTrials is the largest number of trials of a search. Results do not hold more methods.
const MaxTrials = maxMethods

// ValidationPart is [TaskInfo.Part] of a search.
const ValidationPart = "validation"

// The scores of trials.
const (
	ScoreNRMSE    = "nrmse"    // the error of predictions, over all steps
	ScoreVAMP2    = "vamp2"    // the VAMP-2 score of the leading right eigenfunctions
	ScoreAccuracy = "accuracy" // by the oracle, over all steps
)

// SearchScores are all of them.
func SearchScores() []string { return []string{ScoreNRMSE, ScoreVAMP2, ScoreAccuracy} }

// Search is what one `bench tune` produced: the content of tune.json. It follows from the results
// beside it and from what the user asked for.
type Search struct {
	Schema        string         `json:"schema"`
	Command       []string       `json:"command"`         // as typed
	Method        string         `json:"method"`          // as the user wrote it, without the options of the search
	Options       []SearchOption `json:"options"`         // of the search
	Seeds         []int64        `json:"seeds"`           //
	Score         string         `json:"score"`           // "nrmse", "vamp2" or "accuracy", on the validation part
	LowerIsBetter bool           `json:"lower_is_better"` //
	OracleExposed bool           `json:"oracle_exposed"`  // the oracle has chosen
	Trials        []Trial        `json:"trials"`          // the method as it is first
	Chosen        *int           `json:"chosen"`          // place among the trials, from 0; null if none has a score
}

// SearchOption is an option of a search: values, or a range.
type SearchOption struct {
	Name   string   `json:"name"`
	Values []any    `json:"values,omitempty"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
	Log    bool     `json:"log,omitempty"` // drawn by the logarithm
}

// Trial is the method with some options.
type Trial struct {
	Method        string         `json:"method"`         // as its runs have it
	Options       map[string]any `json:"options"`        // of the search
	Scores        []Number       `json:"scores"`         // one for each seed; none if a run has none
	Score         *float64       `json:"score"`          // their mean
	StandardError *float64       `json:"standard_error"` // of the mean, over seeds; null for one seed
	Reason        string         `json:"reason,omitempty"`
}

// Better reports whether score a is better than b.
func (s *Search) Better(a, b float64) bool {
	if s.LowerIsBetter {
		return a < b
	}
	return a > b
}

// Best returns the chosen trial; nil if there is none.
func (s *Search) Best() *Trial {
	if s.Chosen == nil {
		return nil
	}
	return &s.Trials[*s.Chosen]
}

// check returns what is wrong with the form of a search.
func (s *Search) check() error {
	switch {
	case s.Schema != SearchSchema:
		return fmt.Errorf("it has the schema %.100q, but this version reads %q", s.Schema, SearchSchema)
	case !slices.Contains(SearchScores(), s.Score):
		return fmt.Errorf("its score is %.100q; it must be one of %q", s.Score, SearchScores())
	case len(s.Trials) == 0 || len(s.Trials) > MaxTrials:
		return fmt.Errorf("it has %d trials; there must be 1 to %d", len(s.Trials), MaxTrials)
	case len(s.Options) == 0 || len(s.Options) > maxSearchOptions:
		return fmt.Errorf("it has %d options; there must be 1 to %d", len(s.Options), maxSearchOptions)
	case len(s.Seeds) == 0 || len(s.Seeds) > maxSearchSeeds:
		return fmt.Errorf("it has %d seeds; there must be 1 to %d", len(s.Seeds), maxSearchSeeds)
	case s.Chosen != nil && (*s.Chosen < 0 || *s.Chosen >= len(s.Trials) || s.Trials[*s.Chosen].Score == nil):
		return errors.New("the chosen trial does not exist or has no score")
	}
	for _, o := range s.Options {
		if err := checkNames(o.Name); err != nil {
			return err
		}
	}
	first := map[string]int{}
	for i, t := range s.Trials {
		if k, twice := first[t.Method]; twice {
			return fmt.Errorf("the trials %d and %d are both %.100q", k+1, i+1, t.Method)
		}
		first[t.Method] = i
		for _, v := range []*float64{t.Score, t.StandardError} {
			if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
				return fmt.Errorf("trial %d has a score that is not finite", i+1)
			}
		}
		if err := errors.Join(checkNames(t.Method), checkSaid(t.Reason)); err != nil {
			return fmt.Errorf("trial %d: %w", i+1, err)
		}
	}
	return nil
}

const (
	// maxSearchOptions is the largest number of options of a search, which is that of a method.
	maxSearchOptions = 256
	// maxSearchSeeds is the largest number of seeds.
	maxSearchSeeds = 1000
)

// Search reads tune.json. The result is nil if there is none. The error is [ErrResults].
func (s *Store) Search() (*Search, error) {
	found := &Search{}
	err := s.readJSON(SearchFile, found, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := found.check(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrResults, s.Path(SearchFile), err)
	}
	return found, nil
}

// WriteSearch writes tune.json.
func (s *Store) WriteSearch(found Search) error { return s.writeJSON(SearchFile, found) }

// CheckPart returns [ErrNotComparable] if the folder has a search for options, finished or planned,
// but the task is not part of a search, or the other way round.
func (s *Store) CheckPart(own TaskInfo) error {
	plans, err := s.plans()
	if err != nil {
		return err
	}
	var parts []string
	for _, p := range plans {
		parts = append(parts, p.Task.Part)
	}
	if s.hasResults() {
		r, err := s.current()
		if err != nil {
			return err
		}
		parts = append(parts, r.Task.Part)
	}
	for _, part := range parts {
		if part != own.Part {
			return fmt.Errorf("%w: of the runs in %s and those of this command, some are of a search for options, judged on "+
				"validation data, and some are not; choose another folder with --out", ErrNotComparable, s.dir)
		}
	}
	return nil
}
