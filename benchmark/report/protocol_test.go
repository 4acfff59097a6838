package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark"
)

// TestProtocolIsNamed: whatever shows accuracies or predictions says by which protocol.
func TestProtocolIsNamed(t *testing.T) {
	for _, protocol := range benchmark.Protocols() {
		s := makeUp(t, setting{steps: 4, test: 40, methods: fiveMethods()[:2]})
		s.results.Task.Protocol = protocol
		words := protocolText(protocol)
		require.NotEqual(t, protocol, words)

		texts := parse(t, pageOf(t, s)).texts
		named := 0
		for _, text := range texts {
			if strings.Contains(text, "Protocol "+words) {
				named++
			}
		}
		assert.Equal(t, 4, named, "captions of ranking, accuracy, roll-out and cost")
		d := newDrawer(materialOf(t, s))
		for _, figure := range []string{"accuracy", "rollout"} {
			_, svg, err := d.render(figure)
			require.NoError(t, err)
			assert.Contains(t, string(svg), protocol+":", figure)
		}
	}
	assert.Equal(t, "tea leaves", protocolText("tea leaves"))
	assert.Equal(t, ", protocol tea leaves", byProtocol("tea leaves"))
	assert.Empty(t, byProtocol(benchmark.ProtocolReencode))
}
