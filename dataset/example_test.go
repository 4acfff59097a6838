package dataset_test

import (
	"fmt"
	"log"

	"github.com/koopbench/koopbench/dataset"
)

func Example() {
	set, err := dataset.MNIST()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d images of %d×%d\n", set.Source, len(set.Labels), set.Rows, set.Columns)

	seq, err := set.Ordered(5, 5000)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d snapshots of shape %v\n", seq.Snapshots.Len(), seq.Snapshots.Shape())
	fmt.Println("labels:", seq.Labels[:12])
	fmt.Println("images:", seq.Indices[:12])
	// Output:
	// MNIST (embedded): 70000 images of 28×28
	// 5000 snapshots of shape [28 28]
	// labels: [0 1 2 3 4 0 1 2 3 4 0 1]
	// images: [1 3 5 7 2 21 6 16 10 9 34 8]
}

// A folder with the four files of Fashion-MNIST, or of another set in this form, takes the place of MNIST.
func ExampleOpen() {
	set, err := dataset.Open("mnist")
	if err != nil {
		log.Fatal(err)
	}
	seq, err := set.Ordered(10, 1000)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(seq.Snapshots.Len(), "snapshots")
	// Output: 1000 snapshots
}
