package registry_test

import (
	"fmt"

	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/methods/linear"
	"github.com/koopbench/koopbench/registry"
)

// A registry holds things by the names that they declare, and reads what a user chooses of them.
func Example() {
	r := registry.New()
	if err := r.Methods.Add(linear.New()); err != nil {
		fmt.Println(err)
		return
	}
	chosen, err := r.Select("linear,linear?rank=3&variant=principal-components")
	for _, s := range chosen {
		fmt.Println(s.Written, s.Options.Int("rank"), s.Options.String("variant"))
	}
	fmt.Println(err)
	_, err = r.Select("liner")
	fmt.Println(err)
	// Output:
	// linear 0 reduced-rank
	// linear?rank=3&variant=principal-components 3 principal-components
	// <nil>
	// unknown name: there is no method "liner"; did you mean "linear"? Choose from linear
}

func ExampleSet_Select() {
	r := registry.New()
	if err := r.Operators.Add(linalg.Ridge{}); err != nil {
		fmt.Println(err)
		return
	}
	operator, options, err := r.Operators.Select("ridge?alpha=1e-3")
	fmt.Println(operator.Describe().Name, options.Float("alpha"), err)
	// Output: ridge 0.001 <nil>
}

// What separates elements and options is escaped in the text of a value.
func ExampleEscapeValue() {
	fmt.Println("mine?weights=" + registry.EscapeValue("a, b.npz"))
	// Output: mine?weights=a%2C%20b.npz
}
