package results

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestOptionsOfOtherVersions: an option that a version did not know makes no other task, the values of those that both
// know do.
func TestOptionsOfOtherVersions(t *testing.T) {
	of := func(code string, options map[string]any) *Results {
		return &Results{Task: TaskInfo{Options: options}, Environment: Environment{ExecutableSHA256: code}}
	}
	now := of("b", map[string]any{"steps": 4, "test": "sequence"})
	for text, then := range map[string]*Results{
		"":                                of("a", map[string]any{"steps": 4.0}),
		"other code: executable a":        of("a", nil),
		"another task: steps 5 against 4": of("a", map[string]any{"steps": 5}),
		"another task: test none against": of("b", map[string]any{"steps": 4}),
	} {
		d := Differences(then, now)
		if assert.NotEmpty(t, d) {
			assert.Contains(t, d[0].Text, text)
			assert.Equal(t, text != "" && d[0].Aspect == AspectData, Fatal(d) != nil, text)
		}
	}
}
