package ownfolder_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/ownfolder"
)

func TestCheck(t *testing.T) {
	yes, no := func() bool { return true }, func() bool { return false }
	for name, c := range map[string]struct {
		files []string
		kind  *ownfolder.Kind
		own   func() bool
		says  string
	}{
		"no folder":                 {nil, ownfolder.Results, nil, ""},
		"nothing of these names":    {[]string{"notes.txt", "labels.csv", "images"}, ownfolder.Results, nil, ""},
		"results again":             {[]string{"data.npz", "results.json"}, ownfolder.Results, yes, ""},
		"predictions again":         {[]string{"labels.csv", "predictions.json"}, ownfolder.Predictions, yes, ""},
		"results of something else": {[]string{"logs"}, ownfolder.Results, no, "has logs, which this program did not write"},
		"labels of something else": {[]string{"labels.csv"}, ownfolder.Predictions, no, "has labels.csv, which this " +
			"program did not write"},
		"pictures of something else": {[]string{"images"}, ownfolder.Predictions, no, "has images, which this program did " +
			"not write"},
		"predictions into results": {[]string{"data.npz", "results.json"}, ownfolder.Predictions, no,
			"has data.npz, which another kind of command writes"},
		"tasks again": {[]string{"tasks.json", "tasks.html", "lorenz63"}, ownfolder.Tasks, yes, ""},
		"tasks of something else": {[]string{"tasks.json"}, ownfolder.Tasks, no, "has tasks.json, which this program " +
			"did not write"},
		"tasks into results":          {[]string{"data.npz"}, ownfolder.Tasks, no, "has data.npz, which another kind"},
		"results into those of tasks": {[]string{"tasks.json"}, ownfolder.Results, no, "has tasks.json, which another"},
		"results into predictions": {[]string{"predictions.json", "labels.csv"}, ownfolder.Results, no,
			"has predictions.json, which another kind"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			for _, file := range c.files {
				require.NoError(t, os.MkdirAll(filepath.Join(dir, file), 0o755))
			}
			err := c.kind.Check(dir, c.own)
			if c.says == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, c.kind.Foreign)
			assert.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, "choose another folder with --out")
		})
	}
}
