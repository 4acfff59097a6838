package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPrinter(t *testing.T) {
	var b bytes.Buffer
	p := &printer{to: &b, most: 12}
	for _, part := range []string{"a\x1b[", "31m\x9b\n", "caf\xc3", "\xa9\xff\n", "0123456789\n", "01234", "567",
		"89abcd", "e", "\nnext", "\n", "\u202ex\r\n"} {
		n, err := p.Write([]byte(part))
		require.NoError(t, err)
		assert.Equal(t, len(part), n)
	}
	assert.Equal(t, "a�[31m�\ncafé�\n0123456789\n0123456789ab…\nnext\n�x�\n", b.String())

	b.Reset()
	long := strings.Repeat("é", 100000)
	_, err := (&printer{to: &b}).Write([]byte(long))
	require.NoError(t, err)
	assert.Equal(t, long, b.String())
}
