package methods_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/dataset"
	"github.com/koopbench/koopbench/methods/contrastive"
	"github.com/koopbench/koopbench/nn"
)

// BenchmarkSeeds trains the reference encoder under the contrastive loss from four seeds, on two
// threads: one seed after the other, two at the same time with one thread each, and all four in one
// graph. An iteration is an epoch of 46 batches of 64 pairs for each of the four; step-ms is the time
// of one training step of all four, without compilation.
func BenchmarkSeeds(b *testing.B) {
	const seeds, threads = 4, 2
	whole, err := benchRuntime().Backend()
	require.NoError(b, err)
	own, ok := whole.(*cpu.Backend)
	if !ok {
		b.Skip("only the cpu backend shares its threads out")
	}
	set, err := dataset.MNIST()
	require.NoError(b, err)
	s, err := set.Ordered(5, 46*64+1)
	require.NoError(b, err)
	pairs := nn.Pairs(core.OneTrajectory(s.Snapshots), 1)
	both := own.WithThreads(threads)

	b.Run("in-turn", func(b *testing.B) {
		var compile time.Duration
		for seed := range seeds {
			compile += trainSeeds(b, both, pairs, seed)
		}
		report(b, compile)
	})
	b.Run("two-jobs", func(b *testing.B) {
		var compile [threads]time.Duration
		var jobs sync.WaitGroup
		for job := range threads {
			one := own.WithThreads(1)
			jobs.Go(func() {
				for seed := job; seed < seeds; seed += threads {
					compile[job] += trainSeeds(b, one, pairs, seed)
				}
			})
		}
		jobs.Wait()
		report(b, max(compile[0], compile[1]))
	})
	b.Run("one-graph", func(b *testing.B) {
		report(b, trainSeeds(b, both, pairs, 0, 1, 2, 3))
	})
}

// trainSeeds trains one encoder for each seed, all in one graph, for b.N epochs. It returns the time
// that compilation took.
func trainSeeds(b *testing.B, backend compute.Backend, pairs nn.Data, seeds ...int) time.Duration {
	history, err := (&nn.Trainer{
		Backend: backend, Store: nn.NewStore(int64(seeds[0]), "seeds"),
		Schedule: nn.Schedule{Epochs: b.N, BatchSize: 64, LearningRate: 1e-3},
		Loss: func(scope *model.Scope, batch []*graph.Node) (sum *graph.Node, _ []*graph.Node) {
			views := graph.Concatenate(batch, 0)
			n := batch[0].Shape().Dim(0)
			for _, seed := range seeds {
				z := nn.ReferenceCNN().Encode(scope.At("seed-%d", seed), views, 5)
				loss, _ := contrastive.Loss{}.Graph(
					graph.Slice(z, graph.AxisRange(0, n)), graph.Slice(z, graph.AxisRange(n)), core.Options{})
				if sum == nil {
					sum = loss
				} else {
					sum = graph.Add(sum, loss)
				}
			}
			return sum, nil
		},
		Train:   pairs,
		Shuffle: core.NewStream(int64(seeds[0]), "seeds", "shuffle"),
	}).Run(context.Background())
	if err != nil {
		b.Error(err)
	}
	return time.Duration(history.CompileSeconds * float64(time.Second))
}

// report tells the time of a training step of all seeds.
func report(b *testing.B, compile time.Duration) {
	b.ReportMetric((b.Elapsed()-compile).Seconds()*1000/float64(b.N)/46, "step-ms")
}
