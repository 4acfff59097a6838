// Command peer measures koopbench against kooplearn and torch, part by part and in turn, on one machine.
//
//	go run ./internal/peer [flags]
//
// It installs the peer into a virtual environment of Python, which needs network and a few
// gigabytes of disk once, and prints a table in Markdown. There are three measurements: the whole
// experiment (whole.go), single steps on each compute backend (--steps, steps.go) and the kernels
// of backend/cpu (--kernels, kernels.go). docs/performance.md says what each figure holds, and has
// the figures.
//
// The peer's side is kooplearn_ordered_mnist.py; requirements.txt pins its packages. The command reads what the other
// programs write, and imports nothing of this module.
package main
