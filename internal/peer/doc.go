// Command peer measures koopbench against kooplearn and torch, part by part and in turn, on one
// machine.
//
//	go run ./internal/peer [flags]
//
// It installs kooplearn and torch into a Python virtual environment. The first time, this needs the
// network and a few gigabytes of disk. Then it prints a table in Markdown. There are three
// measurements: the whole experiment (whole.go), single steps on each compute backend (--steps,
// steps.go) and the kernels of backend/cpu (--kernels, kernels.go). docs/performance.md has the
// figures and explains them.
//
// kooplearn_ordered_mnist.py runs kooplearn and torch, and requirements.txt pins their versions.
// The command reads what the other programs write, and imports nothing of this module.
package main
