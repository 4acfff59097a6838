package nn

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
)

// best is the epoch with the lowest validation loss so far, the first of equal ones, and its parameters. Its zero value
// is for no epoch.
type best struct {
	Epoch  int     `json:"epoch"`
	Loss   float64 `json:"loss"`
	values map[string]core.Array
}

// over reports whether training ends before the given epoch.
func (b best) over(epoch, patience int) bool {
	return patience > 0 && b.Epoch > 0 && epoch > b.Epoch+patience
}

// see takes the parameters of an epoch if it is the best.
func (b *best) see(epoch int, loss float64, store *model.Store) error {
	if b.Epoch > 0 && !(loss < b.Loss) {
		return nil
	}
	values, err := Parameters(store)
	if err == nil {
		*b = best{epoch, loss, values}
	}
	return err
}

// restore gives the store the parameters of the best epoch.
func (b best) restore(store *model.Store) error {
	for path, a := range b.values {
		v := store.GetVariable("/" + path)
		if v == nil {
			return fmt.Errorf("%w: there is no parameter %s", core.ErrShape, path)
		}
		value, err := stateTensor(a, v.Shape())
		if err != nil {
			return fmt.Errorf("the parameter %s: %w", path, err)
		}
		if err := v.SetValue(value); err != nil {
			return err
		}
	}
	return nil
}

const bestArrays = "best"

// keep adds the best epoch to a checkpoint.
func (b best) keep(s *core.State) *best {
	if b.Epoch == 0 {
		return nil
	}
	s.Add(bestArrays, &core.State{Arrays: b.values})
	return &b
}

// readBest reads what keep has added to s, for parameters of these shapes.
func readBest(kept *best, s *core.State, parameters map[string]shapes.Shape) (best, error) {
	if kept == nil {
		return best{}, nil
	}
	b := best{Epoch: kept.Epoch, Loss: kept.Loss, values: map[string]core.Array{}}
	for path, shape := range parameters {
		name := strings.TrimPrefix(path, "/")
		a := s.Arrays[bestArrays+path]
		if _, err := stateTensor(a, shape); err != nil {
			return best{}, fmt.Errorf("the best value of %s: %w", path, err)
		}
		b.values[name] = a
	}
	return b, nil
}
