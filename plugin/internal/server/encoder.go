package server

import (
	"context"
	"fmt"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// oracleEncoder stands for the encoder of the oracle that judges: it asks the host, on the call
// in progress. Several goroutines may ask; they take turns.
type oracleEncoder struct {
	dim  int
	call chan *stream // holds the call in progress while no one asks; empty outside calls
}

var _ core.Embedding = (*oracleEncoder)(nil)

func newOracleEncoder(dim int) *oracleEncoder {
	return &oracleEncoder{dim: dim, call: make(chan *stream, 1)}
}

// during makes a call the one in progress while run runs. Calls come one at a time.
func (e *oracleEncoder) during(s *stream, run func() error) error {
	if e == nil {
		return run()
	}
	select {
	case e.call <- s:
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
	defer func() { <-e.call }()
	return run()
}

// Dim implements [core.Embedding].
func (e *oracleEncoder) Dim() int { return e.dim }

// Embed implements [core.Embedding].
func (e *oracleEncoder) Embed(ctx context.Context, x core.Snapshots) (*mat.Dense, error) {
	select {
	case s := <-e.call:
		defer func() { e.call <- s }()
		return e.ask(s, x)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *oracleEncoder) ask(s *stream, x core.Snapshots) (*mat.Dense, error) {
	begun := time.Now()
	defer func() { s.waited.Add(int64(time.Since(begun))) }()
	snapshots := transfer.Snapshots("snapshots", x)
	arrays := []transfer.Array{snapshots}
	if err := s.sendWhole(&wire.Frame{Content: &wire.Frame_Embed{Embed: &wire.Embed{Arrays: transfer.Headers(arrays)}}},
		arrays...); err != nil {
		return nil, brokenStream{err}
	}
	frame, err := s.Recv()
	if err != nil {
		return nil, brokenStream{err}
	}
	features := frame.GetFeatures()
	switch {
	case features == nil:
		return nil, fmt.Errorf("%w: %s came where features belong", core.ErrContract, transfer.Kind(frame))
	case features.GetFailure() != nil:
		return nil, transfer.Error(features.GetFailure())
	}
	received, err := transfer.Receive(s, features.GetArrays(), "features")
	if err != nil {
		return nil, err
	}
	z, err := received[0].Matrix()
	if err != nil {
		return nil, err
	}
	if n, d := z.Dims(); x.Len() > 0 && (n != x.Len() || d != e.dim) {
		return nil, fmt.Errorf("%w: %d×%d features of the oracle for %d snapshots; there must be %d of each",
			core.ErrContract, n, d, x.Len(), e.dim)
	}
	return z, nil
}
