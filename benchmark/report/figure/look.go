package figure

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// look is how a method is drawn: the places of its colour in the palette, of its marker and of its
// dashes.
type look struct{ colour, marker, dash int }

// spreading is hashed before each name. It is such that methods which are often seen together have
// different colours.
const spreading = "5642622 "

// colourOf is the place in the palette of the method that declares this name. It depends on the
// name alone, so that the method has its colour in every report; two names may share one.
func colourOf(name string) int {
	sum := sha256.Sum256([]byte(spreading + name))
	return int(binary.BigEndian.Uint32(sum[:]) % uint32(len(palette)))
}

// looksOf are those of the methods of these declared names, in the order of their labels. Colours
// depend on the names alone. Where two methods share a colour, the first keeps the marker and the
// dashes that go with it. All markers differ as long as there are enough, then all pairs of marker
// and dashes, then what is left, so that colour is not what tells methods apart. Two methods of one
// colour have one marker only if nothing else is left.
func looksOf(names []string) []look {
	looks := make([]look, len(names))
	markersUsed, pairsUsed, looksUsed := map[int]int{}, map[[2]int]int{}, map[look]int{}
	paintedUsed := map[[2]int]int{} // pairs of colour and marker
	take := func(i int, l look) {
		looks[i] = l
		markersUsed[l.marker]++
		pairsUsed[[2]int{l.marker, l.dash}]++
		looksUsed[l]++
		paintedUsed[[2]int{l.colour, l.marker}]++
	}
	var later []int
	for i, name := range names {
		c := colourOf(name)
		if l := (look{c, c % len(shapes), c % len(dashes)}); looksUsed[l] == 0 {
			take(i, l)
		} else {
			later = append(later, i)
		}
	}
	for _, i := range later {
		c := colourOf(names[i])
		var free []look
		for m := range shapes {
			for d := range dashes {
				free = append(free, look{c, (c + m) % len(shapes), (c + d) % len(dashes)})
			}
		}
		take(i, slices.MinFunc(free, func(a, b look) int { // the first of the least used
			return cmp.Or(
				cmp.Compare(looksUsed[a], looksUsed[b]),
				cmp.Compare(pairsUsed[[2]int{a.marker, a.dash}], pairsUsed[[2]int{b.marker, b.dash}]),
				cmp.Compare(markersUsed[a.marker], markersUsed[b.marker]),
				cmp.Compare(paintedUsed[[2]int{c, a.marker}], paintedUsed[[2]int{c, b.marker}]),
			)
		}))
	}
	return looks
}
