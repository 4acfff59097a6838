package verify

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/results"
)

// FuzzUnknownField: what verify looks for in a text that it has read.
func FuzzUnknownField(f *testing.F) {
	f.Add([]byte(`{"runs":[{"key":"k","Accuracy":[1]}],"task":{"x":null}}`))
	f.Add([]byte(`{"runs":null,"oracle":{"history":[{"epoch":1}]},"schema":"a","schema":"b"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var r results.Results
		if json.Unmarshal(text, &r) != nil {
			return
		}
		_, err := unknownField(text, r)
		require.NoError(t, err)
		for i := range r.Runs {
			_ = r.Runs[i].Check(r.Task)
		}
		if r.Check() == nil {
			_, err := r.CSV()
			require.NoError(t, err)
		}
	})
}
