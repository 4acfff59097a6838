package transfer

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/wire"
)

func TestText(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"été", 9, "été"}, {"été", 4, "ét\uFFFD"[:3]}, {"abc", 2, "ab"}, {"", 3, ""},
		{"a\xffb", 9, "a\uFFFDb"}, {"a\xff\xffb", 5, "a\uFFFD"}, {"\xff", 2, ""},
	} {
		assert.Equal(t, c.want, Text(c.text, c.most), "%q in %d bytes", c.text, c.most)
	}
}

// TestFailuresCanBeSent: an error's text may be no UTF-8, and of any size.
func TestFailuresCanBeSent(t *testing.T) {
	f := Failure(fmt.Errorf("%w: %s\xff\n%s", core.ErrPanic, strings.Repeat("a", 2<<20), strings.Repeat("b", 2<<20)))
	assert.Equal(t, wire.Failure_PANIC, f.GetKind())
	assert.Len(t, f.GetMessage(), 1<<20)
	assert.Len(t, f.GetStack(), 1<<20)
	assert.Equal(t, "bad \uFFFD", Failure(errors.New("bad \xff")).GetMessage())
}

// TestNamesOfStates: a name that is not UTF-8 can be sent, for the host to say that it is none.
func TestNamesOfStates(t *testing.T) {
	for name, want := range map[string]string{"training": "training", "f\xfcr": "f\uFFFDr",
		strings.Repeat("x", 2*MaxName): strings.Repeat("x", MaxName)} {
		sent, _, err := State(name, &core.State{})
		require.NoError(t, err)
		assert.Equal(t, want, sent.GetName())
		_, err = proto.Marshal(sent)
		assert.NoError(t, err)
	}
}
