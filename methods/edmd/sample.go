package edmd

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/affine"
)

// sample returns the coordinates of m snapshots, one drawn from each of m equal stretches of x, or of
// all if they are fewer.
func sample(
	ctx context.Context, coordinates *affine.Embedding, x core.Trajectories, m int, random *rand.Rand,
) (*mat.Dense, error) {
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
	return coordinates.Embed(ctx, drawn)
}

// medianDistance is the median distance of a sample of snapshots that differ, in coordinates; 1 if
// none do.
func medianDistance(
	ctx context.Context, coordinates *affine.Embedding, x core.Trajectories, random *rand.Rand,
) (float64, error) {
	const most, mostValues = 512, 1 << 22
	points, err := sample(ctx, coordinates, x, min(most, max(2, mostValues/x.Size())), random)
	if err != nil {
		return 0, err
	}
	var distances []float64
	m, d := points.Dims()
	for i := range m {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		for k := range i {
			a, b, sum := points.RawRowView(i), points.RawRowView(k), 0.0
			for j := range d {
				sum += (a[j] - b[j]) * (a[j] - b[j])
			}
			if sum > 0 {
				distances = append(distances, math.Sqrt(sum))
			}
		}
	}
	if len(distances) == 0 {
		return 1, nil
	}
	slices.Sort(distances)
	return distances[len(distances)/2], nil
}
