//go:build !unix

package main

import (
	"os"
	"os/exec"
)

const exeSuffix = ".exe"

// interruptGroup leaves the command as it is: the end of its context kills the process.
func interruptGroup(*exec.Cmd) {}

// peakRSS is not known here.
func peakRSS(*os.ProcessState) int64 { return 0 }
