package foreign

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Steers reports whether a character can control a terminal, or change how the text around it is
// read. These are control characters, except the end of a line and the tab, and characters that set
// the direction of writing.
func Steers(c rune) bool {
	switch {
	case c == '\n' || c == '\t':
		return false
	case c == '\u061c', c >= '\u200e' && c <= '\u200f', c >= '\u2028' && c <= '\u202e', c >= '\u2066' && c <= '\u2069':
		return true
	}
	return unicode.IsControl(c)
}

// Printable replaces characters that [Steers] finds, and bytes that are not UTF-8, by �.
func Printable(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if !strings.ContainsFunc(text, Steers) {
		return text
	}
	return strings.Map(func(c rune) rune {
		if Steers(c) {
			return unicode.ReplacementChar
		}
		return c
	}, text)
}

// Shorten cuts a text to at most that many bytes, whole characters, with … at the end.
func Shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// Decimal reports whether a number is not written in a way that only programs use: hexadecimal, or
// with _ between its digits.
func Decimal(number string) bool { return !strings.ContainsAny(number, "xX_") }

// Line shortens a text, such as the name of a file, to one line of at most that many bytes.
func Line(text string, most int) string {
	return Shorten(Printable(strings.Join(strings.Fields(text), " ")), most)
}

// Count returns a number with the name of the things, which gets an s unless the number is 1.
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// Cell returns a text for a cell of a CSV table. If a spreadsheet would take the text for a
// formula, it begins with '.
func Cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
