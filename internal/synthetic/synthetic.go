// Package synthetic makes small data for tests.
package synthetic

import (
	"github.com/koopbench/koopbench/core"
)

// Images returns n noisy images of size×size pixels that show the states 0, 1, …, states-1, 0, … in
// turn, and their labels. State k is a bright rectangle at a place of its own; values are in [0,
// 1]. size is at least 4.
func Images(n, size, states int, seed int64) (core.Snapshots, []int) {
	random := core.NewStream(seed, "synthetic")
	values, labels := make([]float32, n*size*size), make([]int, n)
	for t := range n {
		image := values[t*size*size : (t+1)*size*size]
		for i := range image {
			image[i] = 0.2 * random.Float32()
		}
		labels[t] = t % states
		from := labels[t] * (size*size - size) / states
		for i := range size {
			image[from+i] += 0.7 + 0.1*random.Float32()
		}
	}
	snapshots, err := core.NewSnapshots(values, size, size)
	if err != nil {
		panic(err)
	}
	return snapshots, labels
}

// Training returns training data of such images at lag 1, a quarter of them for validation, with resolved options of d.
func Training(d core.Description, n, size, states int, seed int64, options map[string]any) (*core.Training, error) {
	resolved, err := d.Resolve(options)
	if err != nil {
		return nil, err
	}
	x, labels := Images(n, size, states, 1)
	cut := n - n/4
	return &core.Training{
		Train: core.OneTrajectory(x.Slice(0, cut)), Validation: core.OneTrajectory(x.Slice(cut, n)),
		TrainLabels: labels[:cut], ValidationLabels: labels[cut:],
		Lag: 1, States: states, Options: resolved, Seed: seed, Name: d.Name, Progress: core.NoProgress,
	}, nil
}
