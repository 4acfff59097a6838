package analysis

import (
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

// RankingSchema names the layout of a [Ranking] in JSON.
const RankingSchema = "koopbench.ranking/1"

// Ranking is the table of results as data. A number that is not known is nil. Intervals are 95% intervals.
type Ranking struct {
	Schema        string          `json:"schema"`
	Task          string          `json:"task"`
	Part          string          `json:"part,omitempty"` // of the data, if it is not the test part
	Measure       string          `json:"measure"`
	LowerIsBetter bool            `json:"lower_is_better"`
	Snapshots     int             `json:"snapshots"` // test snapshots that predictions start from
	Protocol      string          `json:"protocol"`  // ranks the methods
	OtherProtocol string          `json:"other_protocol,omitempty"`
	Methods       []RankedMethod  `json:"methods"` // in the order of the table
	Baselines     []NamedBaseline `json:"baselines"`
}

// RankedMethod is a row of a [Ranking].
type RankedMethod struct {
	Method   string        `json:"method"`
	Exposed  core.Exposure `json:"exposed"`   // "" for a method that is ranked
	RankLow  *int          `json:"rank_low"`  // the best rank that the method may have
	RankHigh *int          `json:"rank_high"` // the worst
	Runs     int           `json:"runs"`
	Trained  int           `json:"trained"` // runs that learned
	Tried    int           `json:"tried"`   // runs that were not skipped
	Scores   ByProtocol    `json:"scores"`
	Other    *ByProtocol   `json:"other,omitempty"` // scores by the other protocol
}

// ByProtocol has the scores of a method by one protocol.
type ByProtocol struct {
	Status string `json:"status"` // "ok" if any run was evaluated
	OK     int    `json:"ok"`     // number of runs that were evaluated
	Scored
}

// NamedBaseline has the scores of a baseline.
type NamedBaseline struct {
	Name string `json:"name"`
	Scored
}

// Scored is the mean over all steps, and what is known of each step.
type Scored struct {
	Score
	Steps []Score `json:"steps"` // step 1 first
}

// Score is a mean over seeds and test snapshots.
type Score struct {
	Mean *float64 `json:"mean"`
	Low  *float64 `json:"low"` // end of the interval
	High *float64 `json:"high"`
	SD   *float64 `json:"sd"` // over seeds
}

// NewRanking gathers the rows of [RankingTable] as data. The error is [core.ErrUnavailable] if there is no run.
func NewRanking(r *results.Results) (*Ranking, error) {
	all, err := Summarize(r)
	if err != nil {
		return nil, err
	}
	known := EvidenceOf(r)
	ranking := &Ranking{
		Schema: RankingSchema, Task: Clean(r.Task.Name), Part: Clean(r.Task.Part),
		Measure: Clean(MeasureOf(r.Task).Name), LowerIsBetter: r.Task.Measure.LowerIsBetter, Snapshots: r.Task.Starts,
		Protocol: Clean(r.Protocol), OtherProtocol: OtherProtocol(r), Baselines: []NamedBaseline{},
	}
	var other []Summary // by ID
	if ranking.OtherProtocol != "" {
		by := rankedBy(r, ranking.OtherProtocol)
		other = gather(by, EvidenceOf(by), true)
	}
	for _, s := range all {
		row := RankedMethod{
			Method: Clean(s.Label), Exposed: core.Exposure(Clean(string(s.Exposed))), Runs: len(s.Runs),
			Trained: s.Trained(), Tried: s.Tried(), Scores: s.byProtocol(),
		}
		if s.Places.Ranked() {
			row.RankLow, row.RankHigh = &s.Places.Best, &s.Places.Worst
		}
		if other != nil {
			by := other[s.ID].byProtocol()
			row.Other = &by
		}
		ranking.Methods = append(ranking.Methods, row)
	}
	for _, b := range Baselines(r, known, StepsOf(r.Task, all)) {
		ranking.Baselines = append(ranking.Baselines, NamedBaseline{b.Name, scored(b.Mean, b.Total, b.At, b.Steps)})
	}
	return ranking, nil
}

func (s Summary) byProtocol() ByProtocol {
	return ByProtocol{s.Ended(), len(s.OK), scored(s.Overall(), s.Total, s.Mean, s.Steps)}
}

// scored joins means with what is known of them; estimates may be fewer than the means at single steps.
func scored(mean float64, total *stats.Estimate, at []float64, estimates []*stats.Estimate) Scored {
	all := Scored{newScore(mean, total), make([]Score, len(at))}
	for i, mean := range at {
		var e *stats.Estimate
		if i < len(estimates) {
			e = estimates[i]
		}
		all.Steps[i] = newScore(mean, e)
	}
	return all
}

func newScore(mean float64, e *stats.Estimate) Score {
	if e == nil {
		return Score{Mean: finite(mean)}
	}
	return Score{finite(mean), finite(e.Interval.Low), finite(e.Interval.High), finite(e.SD)}
}
