package foreign

import "encoding/json"

// What parts of a JSON text take in memory at most, in bytes, as fields of Go structs and slices that
// grow as they are filled. A text of "[{},{},…]" takes hundreds of times its size.
const (
	valueCost       = 10   // a number in a slice
	textCost        = 24   // the header of a string
	listCost        = 64   // the header of a slice, and its first values
	outerObjectCost = 1024 // a struct of many fields: a run in the list of runs
	innerObjectCost = 256  // an epoch, an environment
	outerDepth      = 3    // brackets and braces around what is an outer object
	anyCost         = 128  // a value whose type is any
)

// anyMember is the name of the members whose values have no types of their own.
const anyMember = "options"

// JSON is [json.Unmarshal] for a text that others may have made. The error is [ErrTooLarge], before
// anything is decoded, where the values would take more than [Limit].
func JSON(text []byte, v any) error {
	if cost := Cost(text); cost > Limit() {
		return TooLarge("what it says would take", cost, Limit())
	}
	return json.Unmarshal(text, v)
}

// Cost is an upper bound of the memory that a JSON text and what it decodes to take, in bytes.
func Cost(text []byte) int64 {
	c := costs{total: int64(len(text))}
	for i := 0; i < len(text); i++ {
		switch b := text[i]; b {
		case '"':
			end := endOfString(text, i)
			c.add(textCost)
			c.named = string(text[i+1:min(end, i+1+len(anyMember))]) == anyMember && end == i+1+len(anyMember)
			i = end
			continue
		case ':':
			if c.named && c.untyped == 0 {
				c.untyped = c.depth + 1
			}
		case '{':
			c.depth++
			if c.depth <= outerDepth {
				c.add(outerObjectCost)
			} else {
				c.add(innerObjectCost)
			}
		case '[':
			c.depth++
			c.add(listCost)
		case '}', ']':
			c.depth--
			c.ended()
		case ',':
			c.add(valueCost)
			c.ended()
		case ' ', '\t', '\n', '\r':
			continue
		}
		c.named = false
	}
	return c.total
}

type costs struct {
	total   int64
	depth   int
	named   bool // the last string was the name of such a member
	untyped int  // the depth at which its value began, 0 outside of one
}

func (c *costs) add(n int64) {
	if c.untyped > 0 {
		n = max(n, anyCost)
	}
	c.total += n
}

// ended ends the value of a member where what follows is beside or outside it.
func (c *costs) ended() {
	if c.depth < c.untyped {
		c.untyped = 0
	}
}

// endOfString is the place of the quote that ends the string that begins at i, or the end of the text.
func endOfString(text []byte, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return min(i, len(text))
}
