//go:build !xla

package cli

const xlaBuilt = false

func prepareXLA() {}
