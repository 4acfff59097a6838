// Package tune searches the options of one method, on validation data alone.
//
// A trial is the method with certain options. It is a run of the harness (package benchmark) on a
// problem whose test part is the validation part of the task ([OnValidation]). So trials are
// continued, shared out and verified as all runs are. A [Space] lists the trials, and [Choose]
// takes the best of their results.
package tune
