package benchmark

import (
	"errors"
	"io/fs"

	"github.com/koopbench/koopbench/benchmark/results"
)

// Due is a run of a plan, with its state according to [Preview].
type Due struct {
	Method string
	Seed   int64
	// Finished says that the folder of results has the run, and that [Run] would use it unchanged.
	Finished bool
	// Reason says why a run that was made before is made again; "" if it was not made before.
	Reason string
}

// Preview returns the runs of the plan's shard in their order, and which of them [Run] would make.
// It reads the folder of results, but trains and writes nothing. The errors are those that Run
// returns before it trains anything, except [ErrBusy] and [ErrForeign].
func Preview(plan Plan) ([]Due, error) {
	h := &harness{Plan: plan, store: results.OpenStore(plan.Out)}
	_, all, err := h.begin()
	if err != nil {
		return nil, err
	}
	var earlier results.Earlier
	if h.Shard.Whole() {
		if earlier, err = h.store.Earlier(h.blankResults(), h.blanks(all)); err != nil {
			return nil, err
		}
	}
	var runs []Due
	for _, r := range h.due(all) {
		_, lack := h.finished(r)
		d := Due{Method: r.entry.Written, Seed: r.seed, Finished: lack == nil && !h.again(r)}
		switch {
		case d.Finished:
		case lack == nil:
			d.Reason = "it was asked for"
		case errors.Is(lack, errNotMade):
			d.Reason = earlier.Replaced(*h.blank(r, share{}))
		case errors.Is(lack, fs.ErrNotExist):
			d.Reason = "a file of it is missing"
		default:
			d.Reason = lack.Error()
		}
		runs = append(runs, d)
	}
	return runs, nil
}
