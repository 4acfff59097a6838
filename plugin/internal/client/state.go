package client

import (
	"context"
	"fmt"
	"runtime"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// sendCheckpoints puts what is kept of an earlier fit into the call of a fit, and returns its
// arrays. What cannot be sent is left out, and that fit begins again.
func sendCheckpoints(kept core.Checkpoints, first *wire.FitCall) []transfer.Array {
	if kept == nil {
		return nil
	}
	first.CheckpointSeconds = kept.Every().Seconds()
	var arrays []transfer.Array
	for _, name := range kept.Names() {
		state := kept.Load(name)
		if state == nil {
			continue
		}
		sent, of, err := transfer.State(name, state)
		if err != nil {
			continue
		}
		first.Checkpoints = append(first.Checkpoints, sent)
		arrays = append(arrays, of...)
	}
	return arrays
}

// maxCheckpoints is how many checkpoints a fit has at once.
const maxCheckpoints = 64

// checkpoint keeps a checkpoint that the plugin has sent.
func (c *call) checkpoint(sent *wire.State) error {
	if c.kept == nil || c.kept.Every() <= 0 {
		return fmt.Errorf("%w: the plugin sent a checkpoint, and none was asked for", core.ErrContract)
	}
	if core.CheckCheckpointName(sent.GetName()) != nil { // it cannot be kept, which is no reason for a fit to fail
		if err := transfer.Discard(c, sent.GetArrays()); err != nil {
			return c.failed(err)
		}
		c.kept.Store(sent.GetName(), &core.State{}) // tells the user
		return nil
	}
	if c.stored == nil {
		c.stored = map[string]bool{}
	}
	if c.stored[sent.GetName()] = true; len(c.stored) > maxCheckpoints {
		return fmt.Errorf("%w: the plugin sent checkpoints of more than %d names; store a state under the name of the "+
			"one that it replaces",
			core.ErrContract, maxCheckpoints)
	}
	state, err := transfer.ReceiveState(c, sent)
	if err != nil {
		return c.failed(err)
	}
	c.kept.Store(sent.GetName(), state)
	return nil
}

// Save implements [core.Saver].
func (m model) Save(ctx context.Context) (_ *core.State, err error) {
	defer named(m.session.Name(), &err)
	if !m.Has(core.AbilitySaver) {
		return nil, fmt.Errorf("%w: the model cannot be saved", core.ErrUnavailable)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, reply, err := m.begin(ctx, &wire.ApplyCall{Handle: m.handle, Operation: wire.Operation_SAVE})
	if err != nil {
		return nil, err
	}
	if reply.GetState() == nil {
		return nil, fmt.Errorf("%w: an array came where the state of a model belongs", core.ErrContract)
	}
	state, err := transfer.ReceiveState(c, reply.GetState())
	if err != nil {
		return nil, c.failed(err)
	}
	runtime.KeepAlive(m.fitted)
	return state, c.finish()
}
