package benchmark

import (
	"context"
	cryptorand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// rows gives a model the test snapshots of a run. A prediction must depend on its snapshot alone,
// [core.RowIndependence], and two things here see to that:
//
//   - at each step the snapshots come in an order of their own, so that their places and their
//     company say nothing of the time;
//   - at one step some of them are predicted again, alone and in other company, and must come out
//     the same up to [core.RowTolerance].
//
// Orders and checks are drawn from a secret of this process, see [newSecret]: what is drawn from
// anything that a method can know, the seed and the data for instance, it can draw too.
type rows struct {
	secret, name string
	checked      int              // the step at which some are predicted again
	made         []core.Snapshots // those that were predicted alone beforehand; nil for none
}

const (
	aloneRows     = 4   // predicted again alone, before the others
	companionRows = 128 // the most that are predicted again in other company, after the others
)

// newSecret draws what nobody can know before the process ends, and nothing keeps.
func newSecret() string {
	var secret [32]byte
	_, _ = cryptorand.Read(secret[:]) // it never fails
	return string(secret[:])
}

// newRows draws again for each run, which the key names.
func newRows(secret, key string, steps int) rows {
	r := rows{secret: secret, name: key}
	r.checked = 1 + r.stream("row-check").IntN(steps)
	return r
}

// of are those of one protocol, whose orders are others.
func (r rows) of(protocol string) rows {
	r.name += " " + protocol
	return r
}

func (r rows) stream(purpose ...string) *rand.Rand {
	return core.NewStream(0, append([]string{r.secret, r.name}, purpose...)...)
}

// company returns which of n snapshots are looked at again: some alone, and some together.
func (r rows) company(n int) (alone, together []int) {
	chosen := r.stream("rows-checked").Perm(n)
	return chosen[:min(aloneRows, n)], chosen[:min(companionRows, (n+1)/2)]
}

// order is that of n snapshots at a step: the one with index order[i] comes i-th. Step 0 stands
// for eigenfunctions.
func (r rows) order(step, n int) []int { return r.stream("row-order", strconv.Itoa(step)).Perm(n) }

// alone predicts the snapshots of the check one by one.
func (r rows) alone(ctx context.Context, x core.Snapshots, ahead ahead) (all []core.Snapshots, err error) {
	single, _ := r.company(x.Len())
	for _, i := range single {
		one, err := again(ctx, x, []int{i}, r.checked, ahead)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// before has made the predictions one by one beforehand, before the model has seen the snapshots of
// another roll-out, if the protocol takes every step from x.
func (r rows) before(ctx context.Context, model core.Model, protocol string, x core.Snapshots) (rows, error) {
	if protocol != results.ProtocolPowers {
		return r, nil
	}
	ahead, err := predictor(protocol, model)
	if err == nil {
		r.made, err = r.alone(ctx, x, ahead)
	}
	return r, err
}

// predict returns the predictions for x, both in the order of time. They are made by counts, those
// of the check by ahead.
func (r rows) predict(ctx context.Context, x core.Snapshots, step int, counts, ahead ahead) (core.Snapshots, error) {
	order := r.order(step, x.Len())
	given, err := gather(x, order)
	if err != nil {
		return core.Snapshots{}, err
	}
	single, group := r.company(x.Len())
	alone := r.made
	if step == r.checked && alone == nil {
		if alone, err = r.alone(ctx, x, ahead); err != nil {
			return core.Snapshots{}, err
		}
	}
	next, err := predict(ctx, given, step, counts)
	if err != nil {
		return core.Snapshots{}, err
	}
	if next, err = gather(next, inverse(order)); err != nil || step != r.checked {
		return next, err
	}
	for k, i := range single {
		if err := sameRow(alone[k], 0, next, i, 1); err != nil {
			return core.Snapshots{}, err
		}
	}
	some, err := again(ctx, x, group, step, ahead)
	if err != nil {
		return core.Snapshots{}, err
	}
	for k, i := range group {
		if err := sameRow(some, k, next, i, len(group)); err != nil {
			return core.Snapshots{}, err
		}
	}
	return next, nil
}

// checkLabels has the judge label some snapshots again, alone and in other company, at the step that
// is checked: a judge that goes by their places could call any prediction right. Labels may differ
// in 1% of the rows, where rounding decides.
func (r rows) checkLabels(
	x core.Snapshots, labels []int, step int, classify func(core.Snapshots) ([]int, error),
) error {
	if step != r.checked {
		return nil
	}
	single, group := r.company(x.Len())
	calls := [][]int{group}
	for _, i := range single {
		calls = append(calls, []int{i})
	}
	total, different, first := 0, 0, 0
	for _, times := range calls {
		some, err := gather(x, times)
		if err != nil {
			return err
		}
		again, err := classify(some)
		if err != nil {
			return err
		}
		for k, i := range times {
			total++
			if again[k] != labels[i] {
				different, first = different+1, i
			}
		}
	}
	if 100*different <= total {
		return nil
	}
	return fmt.Errorf("the oracle: %w: %s: %d of %d predictions, such as that from test snapshot %d, get "+
		"a different label alone or in other batches than among all %d; label every snapshot by itself",
		core.ErrContract, core.RowIndependence, different, total, first, x.Len())
}

// again predicts the snapshots of x at these times once more.
func again(ctx context.Context, x core.Snapshots, times []int, step int, ahead ahead) (core.Snapshots, error) {
	given, err := gather(x, times)
	if err != nil {
		return core.Snapshots{}, err
	}
	some, err := predict(ctx, given, step, ahead)
	if err != nil {
		return core.Snapshots{}, fmt.Errorf("%d of the snapshots by themselves: %w", len(times), err)
	}
	return some, nil
}

// sameRow compares the prediction k of a call of company snapshots with the prediction i among all.
func sameRow(some core.Snapshots, k int, all core.Snapshots, i, company int) error {
	a, b := make([]float32, some.Size()), make([]float32, all.Size())
	some.Read(a, k)
	all.Read(b, i)
	d := core.RowDistance(a, b)
	if d <= core.RowTolerance {
		return nil
	}
	where := "alone"
	if company > 1 {
		where = fmt.Sprintf("in a call of %d snapshots", company)
	}
	return fmt.Errorf("%w: %s: test snapshot %d is predicted differently %s than in a call of %d: "+
		"the predictions differ by %.2g of their norm, and the limit is %g; predict every snapshot by itself, with no "+
		"statistics over other snapshots, no use of its place, no memory between calls, and no chance",
		core.ErrContract, core.RowIndependence, i, where, all.Len(), d, core.RowTolerance)
}

func firstRows(n int) []int {
	times := make([]int, n)
	for i := range times {
		times[i] = i
	}
	return times
}

func inverse(order []int) []int {
	places := make([]int, len(order))
	for place, i := range order {
		places[i] = place
	}
	return places
}
