package nn

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

func TestMeanError(t *testing.T) {
	train, err := core.NewSnapshots([]float32{0, 2, 2, 6}, 2) // mean (1, 4)
	require.NoError(t, err)
	validation, err := core.NewSnapshots([]float32{1, 4, 0, 7}, 2)
	require.NoError(t, err)
	assert.InDelta(t, (0+0+1+9)/4.0, meanError(core.OneTrajectory(train), core.OneTrajectory(validation)), 1e-12)
	assert.Empty(t, untrained(0.89, 1))
	assert.NotEmpty(t, untrained(0.91, 1))
	assert.NotEmpty(t, untrained(0, 0), "there was nothing to learn")
}
