package benchmark

import (
	"fmt"
	"strings"
)

// beginning is the beginning of a text that may be of any size, such as what a panic was given.
func beginning(text string) string {
	const most = 64 << 10 // bytes
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s … (%d bytes in all)", strings.ToValidUTF8(text[:most], ""), len(text))
}

// beginnings are those of texts, in their place.
func beginnings(texts []string) []string {
	for i := range texts {
		texts[i] = beginning(texts[i])
	}
	return texts
}
