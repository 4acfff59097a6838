package nn_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// unkept is an encoder that JSON does not hold.
type unkept struct {
	dense
	Layer func()
}

// TestEncodersThatCannotBeKept say so when they are saved, and encoders that are not known are left out.
func TestEncodersThatCannotBeKept(t *testing.T) {
	inference := encoder(t, small, 4)
	_, err := nn.NewEmbedding(unkept{}, inference, core.Report{}).Save(t.Context())
	require.ErrorIs(t, err, core.ErrUnavailable)
	assert.ErrorContains(t, err, "the encoder nn_test.unkept cannot be kept as JSON")
	s, err := nn.NewEmbedding(nil, inference, core.Report{}).Save(t.Context())
	require.NoError(t, err)
	assert.NotContains(t, string(s.Facts), "encoder")
	n, err := nn.LoadNetwork(s)
	require.NoError(t, err)
	like, err := nn.SavedEncoder(n, nn.ReferenceCNN())
	require.NoError(t, err)
	assert.Equal(t, nn.ReferenceCNN(), like)
}

// TestSavedEncoderIsNew: what is loaded shares no memory with the encoder that says of which type it is.
func TestSavedEncoderIsNew(t *testing.T) {
	s, err := nn.NewEmbedding(small, encoder(t, small, 4), core.Report{}).Save(t.Context())
	require.NoError(t, err)
	n, err := nn.LoadNetwork(s)
	require.NoError(t, err)
	like := nn.ReferenceCNN()
	loaded, err := nn.SavedEncoder(n, &like)
	require.NoError(t, err)
	assert.Equal(t, &small, loaded)
	assert.Equal(t, nn.ReferenceCNN(), like)
}

// FuzzSavedEncoder: whatever facts a file has, a network is refused with an error of package core,
// or has an encoder that says which snapshots it takes.
func FuzzSavedEncoder(f *testing.F) {
	f.Add([]byte(`{"shape":[8,8],"features":4,"encoder":{"type":"nn.CNN","fields":{"Channels":[4,8],"Kernel":3}}}`))
	f.Add([]byte(`{"shape":[8,0],"features":4,"encoder":{"type":"nn.CNN","fields":{"Channels":[1,1,1],"Kernel":-3}}}`))
	f.Add([]byte(`{"shape":[],"features":4,"encoder":{"type":"nn.CNN","fields":null}}`))
	f.Add([]byte(`{"features":4,"encoder":{"type":"nn.CNN"}}`))
	f.Add([]byte(`{"features":4,"encoder":null}`))
	f.Fuzz(func(t *testing.T, facts []byte) {
		n, err := nn.LoadNetwork(&core.State{Facts: facts})
		if err != nil {
			require.ErrorIs(t, err, core.ErrShape)
			return
		}
		loaded, err := nn.SavedEncoder(n, nn.ReferenceCNN())
		if err != nil {
			require.ErrorIs(t, err, core.ErrShape)
			return
		}
		if err := loaded.CheckShape(n.Shape); err != nil {
			require.True(t, errors.Is(err, core.ErrShape) || errors.Is(err, core.ErrOption), err)
			return
		}
		require.GreaterOrEqual(t, slices.Min(n.Shape), 1)
		require.GreaterOrEqual(t, n.Shape[len(n.Shape)-1], 1<<len(loaded.Channels))
	})
}
