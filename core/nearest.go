package core

import (
	"fmt"
	"strings"
)

// Unknown returns a sentence for a name that does not exist: it gives the kind, the name, the
// nearest name, and all names that exist.
func Unknown(kind, name string, known []string) string {
	if len(known) == 0 {
		return fmt.Sprintf("there is no %s %q, and no other %[1]s here", kind, name)
	}
	text := fmt.Sprintf("there is no %s %q", kind, name)
	if near := Nearest(name, known); near != "" {
		text += fmt.Sprintf("; did you mean %q? Choose from ", near)
	} else {
		text += "; choose from "
	}
	return text + strings.Join(known, ", ")
}

// Nearest returns the known name that takes the fewest edits to reach. It returns "" if these are
// more than half of the name's length.
func Nearest(name string, known []string) string {
	best, least := "", max(2, (len(name)+1)/2)+1
	for _, k := range known {
		if d := editDistance(strings.ToLower(name), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// editDistance is Levenshtein's, over bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
