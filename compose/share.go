package compose

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/koopbench/koopbench/core"
)

// Share returns an embedder that fits the given one only once for the same training data, options
// and seed. After that it returns the same embedding, as long as the returned embedder exists. Only
// the first report has the time of compiling. Equal fits wait for one another, and a failed fit is
// not kept. Fits may run at the same time.
func Share(embedder core.Embedder) core.Embedder {
	return &shared{embedder: embedder, fits: map[[sha256.Size]byte]*sharedFit{}}
}

type shared struct {
	embedder core.Embedder
	mu       sync.Mutex
	fits     map[[sha256.Size]byte]*sharedFit
}

// sharedFit holds an embedding, once there is one. turn is full while a fit makes or reads it.
type sharedFit struct {
	turn      chan struct{}
	embedding core.Embedding
}

var (
	_ core.Embedder        = (*shared)(nil)
	_ core.EmbeddingLoader = (*shared)(nil)
	_ core.Declarer        = (*shared)(nil)
)

func (s *shared) Describe() core.Description { return s.embedder.Describe() }

func (s *shared) Fit(ctx context.Context, t *core.Training) (core.Embedding, error) {
	key, err := fingerprint(t)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	fit := s.fits[key]
	if fit == nil {
		fit = &sharedFit{turn: make(chan struct{}, 1)}
		s.fits[key] = fit
	}
	s.mu.Unlock()
	select {
	case fit.turn <- struct{}{}:
		defer func() { <-fit.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if fit.embedding != nil {
		decoder, _ := core.As[core.Decoder](fit.embedding)
		return reused{fit.embedding, decoder}, nil
	}
	embedding, err := s.embedder.Fit(ctx, t)
	if err != nil {
		return nil, err
	}
	fit.embedding = embedding
	return embedding, nil
}

// Has implements [core.Declarer].
func (s *shared) Has(a core.Ability) bool {
	_, ok := core.As[core.EmbeddingLoader](s.embedder)
	return a != core.AbilityEmbeddingLoader || ok
}

// Load implements [core.EmbeddingLoader]. A loaded embedding is not shared.
func (s *shared) Load(ctx context.Context, saved *core.Saved) (core.Embedding, error) {
	loader, ok := core.As[core.EmbeddingLoader](s.embedder)
	if !ok {
		return nil, fmt.Errorf("%w: %s cannot load embeddings", core.ErrUnavailable, s.Describe().Name)
	}
	return loader.Load(ctx, saved)
}

// reused is an embedding that took no time to fit.
type reused struct {
	core.Embedding
	core.Decoder // nil if it is none
}

var (
	_ core.Decoder  = reused{}
	_ core.Reporter = reused{}
	_ core.Saver    = reused{}
	_ core.Declarer = reused{}
)

func (r reused) Has(a core.Ability) bool {
	_, saves := core.As[core.Saver](r.Embedding)
	return (a != core.AbilityDecoder || r.Decoder != nil) && (a != core.AbilitySaver || saves)
}

func (r reused) Save(ctx context.Context) (*core.State, error) {
	saver, ok := core.As[core.Saver](r.Embedding)
	if !ok {
		return nil, fmt.Errorf("%w: the embedding cannot be saved", core.ErrUnavailable)
	}
	return saver.Save(ctx)
}

func (r reused) Report() core.Report {
	report := core.ReportOf(r.Embedding)
	report.CompileSeconds = 0
	return report
}

// fingerprint is a hash of everything that determines a fit. It returns ErrUnavailable if the fit sees the oracle.
func fingerprint(t *core.Training) (key [sha256.Size]byte, err error) {
	if t.OracleEmbedding != nil {
		return key, fmt.Errorf("%w: an embedder that sees the oracle cannot be shared", core.ErrUnavailable)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %d %d %d %v %#v", t.Name, t.Seed, t.Lag, t.States, t.Train.Shape(), t.Options.Map())
	for _, labels := range [][]int{t.TrainLabels, t.ValidationLabels} {
		fmt.Fprintf(h, " %v", labels)
	}
	for _, x := range []core.Trajectories{t.Train, t.Validation} {
		fmt.Fprintf(h, " %d:", x.Lengths())
		for _, part := range x.All() {
			_, _ = part.WriteTo(h) // a hash takes everything
		}
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}
