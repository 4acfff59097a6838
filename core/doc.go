// Package core holds the contracts of koopbench: what a method that learns an evolution operator is given, and what it
// must give back.
//
// Things of six kinds can be registered ([Kind]). Each describes itself and does one thing:
//
//   - a [Method] is fitted to a training sequence and gives a [Model], which turns snapshots into the next snapshots;
//   - an [Embedder] is fitted to a training sequence and gives an [Embedding], which turns snapshots into features;
//   - an [EvolutionOperator] is fitted to a trajectory of features and gives an [Operator], which advances features and
//     observables in time;
//   - a [Loss] scores two time-lagged views of a batch and returns its gradients;
//   - an [Oracle] is fitted to labelled snapshots and gives a [Judge], which labels snapshots;
//   - a [Task] opens a [Problem]: what methods are compared on, and what judges their predictions.
//
// What a fitted thing can do beyond its required methods (a report of its training, eigenvalues and
// eigenfunctions, …) is a small optional interface, listed in ability.go, which [As] asks for. What
// holds for every thing, whoever wrote it, a guard checks that registries and plugins put around it
// ([Guard]).
//
// Data comes in two forms. Snapshots are float32, row-major, first axis time ([Snapshots]). Features and everything of
// linear algebra are float64 gonum matrices with one row a snapshot.
//
// Every package may import core; core imports the standard library and gonum only.
package core
