package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/licences"
)

// TestFresh fails if a module that the program contains on any platform is missing in the embedded text, or is there in
// another version.
func TestFresh(t *testing.T) {
	t.Chdir("../../..")
	var want bytes.Buffer
	require.NoError(t, run(&want))
	assert.True(t, want.String() == licences.Text, "licences.txt is stale: run go generate ./internal/licences")
}

// TestTerms: the notice names the works whose terms ask for it, and their licences are there.
func TestTerms(t *testing.T) {
	for _, text := range []string{
		"licenses/by-sa/3.0", "licenses/by/4.0", "The FreeType Project", "Mozilla Public License", "SIL OPEN FONT LICENSE",
		"Apache License", "Redistribution and use in source and binary forms", "Permission is hereby granted, free of charge",
	} {
		assert.Contains(t, licences.Text, text)
	}
}
