// Package dataset reads labelled images and puts them in the order of a process, which is Ordered
// MNIST. It also reads trajectories of numbers and images from the files of users ([Recordings]).
//
// A [Set] is four IDX files: training and test images, with their labels. [MNIST] is the set inside
// the program, and [Open] reads a set from a folder. [Set.Ordered] makes the sequence 0, 1, …, c-1,
// 0, 1, … of its images.
//
// dataset imports core, internal/foreign, internal/npz, golang.org/x/sys and the standard library.
package dataset
