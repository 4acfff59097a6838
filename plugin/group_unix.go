//go:build unix

package plugin

import (
	"os"
	"syscall"

	"github.com/koopbench/koopbench/plugin/internal/process"
)

// killOwnGroup kills this process and those that it has started, if the host gave it a group of its own.
func killOwnGroup() {
	if os.Getenv(process.OwnGroup) != "" || syscall.Getpgrp() == syscall.Getpid() {
		_ = syscall.Kill(0, syscall.SIGKILL)
	}
}
