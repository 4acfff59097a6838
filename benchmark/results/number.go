package results

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Epoch is one pass over the training data. A loss that is not a number is null in JSON.
type Epoch struct {
	Epoch      int    `json:"epoch"`
	Train      Number `json:"train"`
	Validation Number `json:"validation"`
}

// Number is a float64 whose non-finite values are null in JSON.
type Number float64

// MarshalJSON implements [json.Marshaler].
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'g', -1, 64), nil
}

// UnmarshalJSON implements [json.Unmarshaler].
func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

// Complex is a complex number, [real part, imaginary part] in JSON.
type Complex complex128

// MarshalJSON implements [json.Marshaler].
func (c Complex) MarshalJSON() ([]byte, error) {
	return json.Marshal([2]float64{real(c), imag(c)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (c *Complex) UnmarshalJSON(text []byte) error {
	var parts []float64
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	if len(parts) != 2 {
		return fmt.Errorf("a complex number is [real, imaginary], not %s", text)
	}
	*c = Complex(complex(parts[0], parts[1]))
	return nil
}
