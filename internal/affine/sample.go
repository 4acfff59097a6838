package affine

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/distance"
)

// Sample returns the features, m×d, of m snapshots of x in their order. One is drawn from each of m
// equal stretches of x. If there are fewer than m, all are used. The error is that of Embed.
func (e *Embedding) Sample(ctx context.Context, x core.Trajectories, m int, random *rand.Rand) (*mat.Dense, error) {
	n, size := x.Len(), x.Size()
	m = min(m, n)
	chosen := make([]int, m)
	for k := range chosen {
		from, end := k*n/m, (k+1)*n/m
		chosen[k] = from + random.IntN(end-from)
	}
	values := make([]float32, m*size)
	x.Gather(values, chosen)
	drawn, err := core.NewSnapshots(values, x.Shape()...)
	if err != nil {
		return nil, err
	}
	return e.Embed(ctx, drawn)
}

// MedianDistance is the median distance between the features of different snapshots, in a sample of
// at most 512; 1 if all are equal. The error is that of ctx or of Embed.
func (e *Embedding) MedianDistance(ctx context.Context, x core.Trajectories, random *rand.Rand) (float64, error) {
	const most, mostValues = 512, 1 << 22
	points, err := e.Sample(ctx, x, min(most, max(2, mostValues/x.Size())), random)
	if err != nil {
		return 0, err
	}
	var distances []float64
	m, _ := points.Dims()
	for i := range m {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		for k := range i {
			if square := distance.Square(points.RawRowView(i), points.RawRowView(k)); square > 0 {
				distances = append(distances, math.Sqrt(square))
			}
		}
	}
	if len(distances) == 0 {
		return 1, nil
	}
	slices.Sort(distances)
	return distances[len(distances)/2], nil
}
