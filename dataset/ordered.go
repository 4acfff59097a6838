package dataset

import (
	"fmt"

	"github.com/koopbench/koopbench/core"
)

// A Sequence is a time-ordered part of a set.
type Sequence struct {
	// Snapshots are the images, of shape rows×columns, with 8 bits per pixel in memory and values in 0
	// … 1.
	Snapshots core.Snapshots
	// Labels has the label at every time t: t mod Digits.
	Labels []int
	// Indices has the index into the set of the image at every time.
	Indices []int
	// Digits is the number of different labels.
	Digits int
}

// Ordered returns the first limit images of the ordered sequence of that many digits, 1 to 10, or
// the whole sequence if limit is 0. The sequence has images of 0, 1, …, digits-1, 0, 1, …. The
// images of one digit are in the order of the set, and the sequence ends when the rarest digit runs
// out. It is the process "Ordered MNIST" of Kostic, Novelli, Grazzi, Lounici and Pontil, "Learning
// invariant representations of time-homogeneous stochastic dynamical systems", ICLR 2024, in the
// order of kooplearn's fetch_ordered_mnist.
//
// The error is [core.ErrOption] if digits or limit is out of range, and [core.ErrTooShort] if the
// set lacks a digit or the sequence has fewer than limit images.
func (s *Set) Ordered(digits, limit int) (*Sequence, error) {
	indices, err := orderedIndices(s.Labels, digits, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Source, err)
	}
	pixels, err := s.gather(indices)
	if err != nil {
		return nil, err
	}
	snapshots, err := core.NewPixelSnapshots(pixels, s.Rows, s.Columns)
	if err != nil {
		return nil, err
	}
	labels := make([]int, len(indices))
	for t, i := range indices {
		labels[t] = int(s.Labels[i])
	}
	return &Sequence{Snapshots: snapshots, Labels: labels, Indices: indices, Digits: digits}, nil
}

func orderedIndices(labels []uint8, digits, limit int) ([]int, error) {
	if digits < 1 || digits > Classes {
		return nil, fmt.Errorf("%w: an ordered sequence of %d digits; there can be 1 to %d", core.ErrOption, digits, Classes)
	}
	if limit < 0 {
		return nil, fmt.Errorf("%w: a limit of %d images; it must be at least 1, or 0 for all", core.ErrOption, limit)
	}
	images := make([][]int, digits) // by digit
	for i, l := range labels {
		if int(l) < digits {
			images[l] = append(images[l], i)
		}
	}
	rarest := len(labels)
	for digit, of := range images {
		if len(of) == 0 {
			return nil, fmt.Errorf("%w: it has no image of digit %d, which a sequence of %d digits needs", core.ErrTooShort,
				digit, digits)
		}
		rarest = min(rarest, len(of))
	}
	length := digits * rarest
	if limit > length {
		return nil, fmt.Errorf("%w: %d images of the ordered sequence of %d digits; it has %d", core.ErrTooShort, limit,
			digits, length)
	}
	if limit > 0 {
		length = limit
	}
	indices := make([]int, length)
	for t := range indices {
		indices[t] = images[t%digits][t/digits]
	}
	return indices, nil
}
