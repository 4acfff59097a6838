package results

import (
	"fmt"
	"strings"
)

// Bounded is the beginning of a text that may be of any size, such as what a panic was given.
func Bounded(text string) string {
	const most = 64 << 10 // bytes
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s … (%d bytes in all)", strings.ToValidUTF8(text[:most], ""), len(text))
}

// Shortened are texts as they are kept.
func Shortened(texts []string) []string {
	for i := range texts {
		texts[i] = Bounded(texts[i])
	}
	return texts
}
