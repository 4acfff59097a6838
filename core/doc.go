// Package core defines the contracts of koopbench: what a method that learns an evolution operator
// is given, and what it must return.
//
// Things of six kinds can be registered ([Kind]). Each describes itself and does one thing:
//
//   - a [Method] is fitted to a training sequence and returns a [Model], which turns snapshots into
//     the next snapshots;
//   - an [Embedder] is fitted to a training sequence and returns an [Embedding], which turns
//     snapshots into features;
//   - an [EvolutionOperator] is fitted to a trajectory of features and returns an [Operator], which
//     advances features and observables in time;
//   - a [Loss] scores two time-lagged views of a batch and returns its gradients;
//   - an [Oracle] is fitted to labelled snapshots and returns a [Judge], which labels snapshots;
//   - a [Task] opens a [Problem]: the data that methods are compared on, and what judges their
//     predictions.
//
// A fitted thing may be able to do more than its required methods: report its training, give
// eigenvalues and eigenfunctions, and so on. Each such ability is a small optional interface in
// ability.go, and [As] asks for it. Some rules hold for every thing, whoever wrote it. Registries
// and plugins put a guard around each thing, which checks these rules ([Guard]).
//
// Data comes in two forms. Snapshots are float32, row-major, and their first axis is time
// ([Snapshots]). Features and all linear algebra are float64 gonum matrices with one row per
// snapshot.
//
// Every package may import core. core imports only the standard library and gonum.
package core
