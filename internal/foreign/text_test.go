package foreign_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/koopbench/koopbench/internal/foreign"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"vamp, seed 1\n\tφ … 95%": "vamp, seed 1\n\tφ … 95%",
		"\x1b[2J\a\r\x00\x7f":     "�[2J����",
		"\u009b31m":               "�31m",
		"\xff\xfe":                "�",
		"a\u202eb\u2066c\u2028d":  "a�b�c�d",
		"\u061c\u200e\u200f":      "���",
		"\u202a\u2029\u2069":      "���",
	} {
		assert.Equal(t, want, foreign.Printable(text))
	}
}

func TestShorten(t *testing.T) {
	assert.Equal(t, "short", foreign.Shorten("short", 5))
	assert.Equal(t, "shor…", foreign.Shorten("short", 4))
	assert.Equal(t, "é…", foreign.Shorten("ééé", 3))
}

func TestCell(t *testing.T) {
	for text, want := range map[string]string{
		"vamp": "vamp", "": "", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx",
		"\rx": "'\rx", "a=b": "a=b", "'x": "'x",
	} {
		assert.Equal(t, want, foreign.Cell(text))
	}
}
