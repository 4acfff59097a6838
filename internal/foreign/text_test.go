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

func TestLine(t *testing.T) {
	assert.Equal(t, "a b�.csv", foreign.Line("a\n b\x1b.csv", 20))
	assert.Equal(t, "ab…", foreign.Line("abc", 2))
}

func TestDecimal(t *testing.T) {
	for text, is := range map[string]bool{"1e-3": true, "-.5": true, "1_000": false, "0x1p-1": false, "0X10": false} {
		assert.Equal(t, is, foreign.Decimal(text), text)
	}
}
