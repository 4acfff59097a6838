package server

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// load loads a model that was saved.
func (s *Server) load(in *stream, c *wire.LoadCall) error {
	thing, err := s.thing(c.GetKind(), c.GetName())
	if err != nil {
		return err
	}
	loader, ok := core.As[core.ModelLoader](thing)
	if !ok {
		return fmt.Errorf("%w: %q cannot load models", core.ErrUnavailable, c.GetName())
	}
	state, err := transfer.ReceiveState(in, c.GetState())
	if err != nil {
		return err
	}
	saved := &core.Saved{State: *state}
	encoder, err := encoderOf(c.GetOracleDim())
	if err != nil {
		return err
	}
	if encoder != nil {
		saved.OracleEmbedding = encoder
	}
	var model core.Model
	err = encoder.during(in, func() error {
		return in.compute(func() (err error) {
			model, err = loader.Load(in.ctx, saved)
			return err
		})
	})
	return s.finish(in, &fitted{kind: c.GetKind(), thing: model, encoder: encoder}, err)
}

// save sends the state of something fitted.
func (f *fitted) save(in *stream, c *wire.ApplyCall) error {
	saver, ok := core.As[core.Saver](f.thing)
	if !ok {
		return f.cannot(c)
	}
	var state *core.State
	err := in.compute(func() (err error) {
		state, err = saver.Save(in.ctx)
		return err
	})
	if err != nil {
		return err
	}
	if state == nil {
		return fmt.Errorf("%w: saving returned neither a state nor an error", core.ErrContract)
	}
	sent, arrays, err := transfer.State("", state)
	if err != nil {
		return fmt.Errorf("%w: %w", core.ErrContract, err)
	}
	return in.sendWhole(&wire.Frame{Content: &wire.Frame_Result{Result: &wire.Result{State: sent}}}, arrays...)
}

// checkpoints are those that the host keeps for the fit in progress.
type checkpoints struct {
	core.Leftovers

	s     *stream
	every time.Duration // 0 for none

	mu    sync.Mutex
	due   time.Time
	ended bool // the fit is, and the host listens no more
}

var _ core.Checkpoints = (*checkpoints)(nil)

// receiveCheckpoints receives what an earlier fit left.
func receiveCheckpoints(in *stream, c *wire.FitCall) (*checkpoints, error) {
	every := c.GetCheckpointSeconds()
	if !(every >= 0 && every <= math.MaxInt32) {
		return nil, fmt.Errorf("%w: a checkpoint every %v seconds; the most is %d", core.ErrOption, every, math.MaxInt32)
	}
	k := &checkpoints{s: in, every: time.Duration(every * float64(time.Second))}
	for _, sent := range c.GetCheckpoints() {
		state, err := transfer.ReceiveState(in, sent)
		if err != nil {
			return nil, err
		}
		k.Leave(sent.GetName(), state)
	}
	k.due = time.Now().Add(k.every)
	return k, nil
}

func (k *checkpoints) Every() time.Duration { return k.every }

func (k *checkpoints) Due() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.every > 0 && time.Now().After(k.due)
}

// Store sends the state, unless the fit has ended. That it cannot be sent shows in the next thing that is.
func (k *checkpoints) Store(name string, state *core.State) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.every <= 0 || k.ended {
		return
	}
	k.due = time.Now().Add(k.every)
	sent, arrays, err := transfer.State(name, state)
	if err != nil {
		return // the host could not keep it
	}
	_ = k.s.sendWhole(&wire.Frame{Content: &wire.Frame_Checkpoint{Checkpoint: sent}}, arrays...)
}

// end makes later stores do nothing.
func (k *checkpoints) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = true
}
