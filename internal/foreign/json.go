package foreign

import (
	"encoding/json"
	"reflect"
)

// What parts of a JSON text take in memory at most, in bytes, as fields of Go structs and slices that
// grow as they are filled. A text of "[{},{},…]" takes hundreds of times its size.
const (
	valueCost  = 10  // a number in a slice
	textCost   = 24  // the header of a string
	copies     = 4   // of a text: decoded, cleaned, and encoded again into a buffer that grows
	listCost   = 64  // the header of a slice, and its first values
	objectCost = 256 // a struct of some fields, an epoch or an environment
	outerDepth = 3   // brackets and braces around and of what may be a larger struct: a run in the list of runs
	anyCost    = 128 // a value whose type is any
)

// anyMember is the name of the members whose values have no types of their own.
const anyMember = "options"

// JSON is [json.Unmarshal] for a text that may come from other people. The error is [ErrTooLarge]
// if the values would need more than [Limit]; then nothing is decoded.
func JSON(text []byte, v any) error { return NewBudget().decode(text, v) }

// Budget is the memory that several texts use together, at most [Limit]. Only one goroutine at a
// time may use it.
type Budget struct{ used int64 }

// NewBudget returns an unused budget.
func NewBudget() *Budget { return &Budget{} }

func (b *Budget) decode(text []byte, v any) error {
	cost := Cost(text, v)
	if b.used+cost > Limit() {
		return TooLarge("what it says, and what was read with it, would take", b.used+cost, Limit())
	}
	b.used += cost - int64(len(text)) // the text itself goes
	return json.Unmarshal(text, v)
}

// Cost is an upper bound, in bytes, of the memory for a JSON text and the value that it is decoded
// to.
func Cost(text []byte, v any) int64 {
	c := costs{total: int64(len(text))}
	outer := max(objectCost, elementSize(reflect.TypeOf(v), nil)*3/2)
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := endOfString(text, i)
			c.add(textCost + copies*int64(end-i))
			for _, b := range text[i:end] {
				switch {
				case b >= 0x80: // what is not UTF-8 becomes a sign of three bytes
					c.total += 2
				case b == '<', b == '>', b == '&': // which is encoded again in six bytes
					c.total += 5
				}
			}
			c.named = string(text[i+1:end]) == anyMember
			i = end
			continue
		case ':':
			if c.named && c.untyped == 0 {
				c.untyped = c.depth + 1
			}
		case '{':
			if c.depth++; c.depth <= outerDepth {
				c.add(outer)
			} else {
				c.add(objectCost)
			}
		case '[':
			c.depth++
			c.add(listCost)
		case '}', ']':
			c.depth--
			c.ended()
		case ',':
			c.ended()
			c.add(valueCost)
		case ' ', '\t', '\n', '\r':
			continue
		}
		c.named = false
	}
	return c.total
}

// elementSize is the size of the largest struct that slices in a type hold.
func elementSize(t reflect.Type, above []reflect.Type) (size int64) {
	for _, a := range above {
		if a == t {
			return 0
		}
	}
	if t == nil {
		return 0
	}
	above = append(above, t)
	switch t.Kind() {
	case reflect.Pointer, reflect.Map:
		return elementSize(t.Elem(), above)
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Struct {
			size = int64(t.Elem().Size())
		}
		return max(size, elementSize(t.Elem(), above))
	case reflect.Struct:
		for i := range t.NumField() {
			size = max(size, elementSize(t.Field(i).Type, above))
		}
	}
	return size
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

// ended ends the value of such a member where what follows is beside or outside it.
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
