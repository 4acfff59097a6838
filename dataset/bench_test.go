package dataset

import "testing"

// BenchmarkLoadMNIST is what a benchmark run loads: the first 5000 images of the ordered sequence of five digits.
func BenchmarkLoadMNIST(b *testing.B) { benchmarkLoad(b, 5000) }

// BenchmarkLoadMNISTWhole loads all of that sequence.
func BenchmarkLoadMNISTWhole(b *testing.B) { benchmarkLoad(b, 0) }

func benchmarkLoad(b *testing.B, limit int) {
	b.ReportAllocs()
	for b.Loop() {
		set, err := MNIST()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := set.Ordered(5, limit); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen reads and checks the four files of MNIST.
func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Open("mnist"); err != nil {
			b.Fatal(err)
		}
	}
}
