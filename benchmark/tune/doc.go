// Package tune searches options of one method on validation data alone.
//
// A trial is the method with some options, and a run of the harness (package benchmark) on a problem whose test part is
// the validation part of the task ([OnValidation]): it is continued, shared out and verified as every run is. A [Space]
// lists the trials, and [Choose] takes the best of their results.
package tune
