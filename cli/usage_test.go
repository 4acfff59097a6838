package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBadInput gives every kind of bad input: a sentence on stderr, nothing on stdout, a non-zero
// status, and nothing on disk.
func TestBadInput(t *testing.T) {
	data := dataFolder(t)
	corrupt := dataFolder(t)
	images := filepath.Join(corrupt, "train-images-idx3-ubyte")
	content, err := os.ReadFile(images)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(images, content[:len(content)/2], 0o644))
	t.Setenv(backendVariable, "")
	largeGrid := "epochs=" + strings.Repeat("3,", 1000) + "3"

	for name, c := range map[string]struct {
		args   []string
		status int
	}{
		"unknown-command":       {[]string{"rnu", "--methods", "all"}, exitUsage},
		"unknown-command-far":   {[]string{"frobnicate"}, exitUsage},
		"unknown-help":          {[]string{"help", "rnu"}, exitUsage},
		"unknown-flag":          {[]string{"run", "--metods", "all"}, exitUsage},
		"unknown-flag-one-dash": {[]string{"run", "-methods", "all"}, exitUsage},
		"unknown-root-flag":     {[]string{"--quux"}, exitUsage},
		"flag-without-value":    {[]string{"run", "--methods"}, exitUsage},
		"bad-switch":            {[]string{"run", "--quiet=perhaps"}, exitUsage},
		"quiet-and-verbose":     {[]string{"run", "-q", "-v"}, exitUsage},
		"run-argument":          {[]string{"run", "vamp"}, exitUsage},
		"methods-with-spaces":   {[]string{"run", "--methods", "template", "other"}, exitUsage},
		"seeds-with-spaces":     {[]string{"run", "--seeds=0", "1", "2"}, exitUsage},
		"seeds-with-a-dash":     {tiny(data, "OUT", "--seeds", "0-4"), exitUsage},
		"list-argument":         {[]string{"list", "vamp"}, exitUsage},
		"info-without-name":     {[]string{"info"}, exitUsage},
		"info-unknown":          {[]string{"info", "templat"}, exitUsage},
		"completion-unknown":    {[]string{"completion", "zhs"}, exitUsage},
		"unknown-method":        {tiny(data, "OUT", "--methods", "templat"), exitUsage},
		"empty-method":          {tiny(data, "OUT", "--methods", "template,,other"), exitUsage},
		"no-method-matches":     {tiny(data, "OUT", "--methods", "x*"), exitUsage},
		"method-twice":          {tiny(data, "OUT", "--methods", "template,template"), exitUsage},
		"same-run-twice":        {tiny(data, "OUT", "--methods", "template,template?epochs=3"), exitUsage},
		"unknown-option":        {tiny(data, "OUT", "--methods", "template?epoch=3"), exitUsage},
		"option-out-of-range":   {tiny(data, "OUT", "--methods", "template?epochs=0"), exitUsage},
		"option-not-a-number":   {tiny(data, "OUT", "--methods", "template?blemish=big"), exitUsage},
		"option-without-value":  {tiny(data, "OUT", "--methods", "template?epochs"), exitUsage},
		"too-many-digits":       {tiny(data, "OUT", "--num-digits", "11"), exitUsage},
		"no-digits":             {tiny(data, "OUT", "--num-digits", "0"), exitUsage},
		"no-steps":              {tiny(data, "OUT", "--steps", "0"), exitUsage},
		"many-steps":            {tiny(data, "OUT", "--steps", "1000000"), exitUsage},
		"unknown-protocol":      {tiny(data, "OUT", "--protocol", "power"), exitUsage},
		"no-threads":            {tiny(data, "OUT", "--threads", "0"), exitUsage},
		"threads-twice":         {tiny(data, "OUT", "--threads", "1", "--backend", "cpu:threads=2"), exitUsage},
		"bad-kernels":           {tiny(data, "OUT", "--backend", "cpu:kernels=sse"), exitFailure},
		"profile-of-go":         {tiny(data, "OUT", "--backend", "go", "--profile"), exitUsage},
		"timeout-without-unit":  {tiny(data, "OUT", "--timeout", "90"), exitUsage},
		"no-jobs":               {tiny(data, "OUT", "--jobs", "0"), exitUsage},
		"negative-epochs":       {tiny(data, "OUT", "--epochs", "-1"), exitUsage},
		"half-an-epoch":         {tiny(data, "OUT", "--epochs", "0.5"), exitUsage},
		"split-of-two":          {tiny(data, "OUT", "--split", "3000,1000"), exitUsage},
		"split-not-a-number":    {tiny(data, "OUT", "--split", "3000,x,1000"), exitUsage},
		"split-too-small":       {tiny(data, "OUT", "--split", "1,1000,1000"), exitUsage},
		"split-too-large":       {tiny(data, "OUT", "--split", "80,20,20"), exitUsage},
		"seed-not-a-number":     {tiny(data, "OUT", "--seeds", "one"), exitUsage},
		"seed-twice":            {tiny(data, "OUT", "--seeds", "0..5,3"), exitUsage},
		"seeds-backwards":       {tiny(data, "OUT", "--seeds", "5..0"), exitUsage},
		"too-many-seeds":        {tiny(data, "OUT", "--seeds", "0..1000000000000"), exitUsage},
		"bad-oracle-seed":       {tiny(data, "OUT", "--oracle-seed", "x"), exitUsage},
		"unknown-backend":       {tiny(data, "OUT", "--backend", "og"), exitUsage},
		"no-data-folder":        {tiny(data+"/none", "OUT"), exitFailure},
		"data-is-a-file":        {tiny(images, "OUT"), exitFailure},
		"corrupt-data":          {tiny(corrupt, "OUT"), exitFailure},
		"task-and-tasks":        {[]string{"run", "--task", "duffing", "--tasks", "lorenz63", "--out", "OUT"}, exitUsage},
		"tasks-of-none":         {[]string{"run", "--tasks", "", "--out", "OUT"}, exitUsage},
		"tasks-unknown":         {[]string{"run", "--tasks", "duffing,lorentz63", "--out", "OUT"}, exitUsage},
		"tasks-unknown-option":  {[]string{"run", "--tasks", "duffing?step=3", "--out", "OUT"}, exitUsage},
		"tasks-twice":           {[]string{"run", "--tasks", "duffing,duffing?", "--out", "OUT"}, exitUsage},
		"tasks-without-option":  {[]string{"run", "--tasks", "duffing", "--num-digits", "3", "--out", "OUT"}, exitUsage},
		"tasks-option-twice":    {[]string{"run", "--tasks", "duffing?steps=3", "--steps", "3", "--out", "OUT"}, exitUsage},
		"tasks-unknown-method":  {[]string{"run", "--tasks", "duffing", "--methods", "x", "--out", "OUT"}, exitUsage},
		"tasks-with-spaces":     {[]string{"run", "--tasks", "duffing", "lorenz63"}, exitUsage},
		"shard-from-0":          {tiny(data, "OUT", "--shard", "0/4"), exitUsage},
		"shard-without-job":     {tiny(data, "OUT", "--shard", "auto"), exitUsage},
		"tune-nothing":          {[]string{"tune", "--option", "order=up"}, exitUsage},
		"tune-without-option":   {tuning(data, "OUT", "template"), exitUsage},
		"tune-unknown-method":   {tuning(data, "OUT", "templat", "--option", "order=up"), exitUsage},
		"tune-several-methods":  {tuning(data, "OUT", "template,other", "--option", "order=up"), exitUsage},
		"tune-unknown-option":   {tuning(data, "OUT", "template", "--option", "blemsh=0.1,0.2"), exitUsage},
		"tune-range-too-large":  {tuning(data, "OUT", "template", "--option", "blemish=0.1..2"), exitUsage},
		"tune-empty-list":       {tuning(data, "OUT", "template", "--option", "blemish="), exitUsage},
		"tune-range-of-words":   {tuning(data, "OUT", "template", "--option", "order=up..down"), exitUsage},
		"tune-trials-of-a-grid": {tuning(data, "OUT", "template", "--option", "order=up,down", "--trials", "5"), exitUsage},
		"tune-large-grid":       {tuning(data, "OUT", "template", "--option", largeGrid), exitUsage},
		"tune-option-twice":     {tuning(data, "OUT", "template?order=up", "--option", "order=down"), exitUsage},
		"tune-unknown-score":    {tuning(data, "OUT", "template", "--option", "order=up", "--score", "vamp1"), exitUsage},
		"tune-short-validation": {tuning(data, "OUT", "template", "--option", "order=up", "--steps", "20"), exitUsage},
		"tune-no-oracle": {[]string{
			"tune", "template", "--task", "duffing", "--option", "order=up", "--score", "accuracy", "--out", "OUT",
		}, exitUsage},
		"merge-nothing":          {[]string{"merge", "--out", "OUT"}, exitUsage},
		"merge-without-out":      {[]string{"merge", data}, exitUsage},
		"merge-foreign":          {[]string{"merge", "--out", "OUT", data}, exitFailure},
		"verify-without-folder":  {[]string{"verify"}, exitUsage},
		"verify-foreign":         {[]string{"verify", data}, exitFailure},
		"compare-one":            {[]string{"compare", data}, exitUsage},
		"compare-foreign":        {[]string{"compare", data, data}, exitFailure},
		"compare-format":         {[]string{"compare", data, data, "--format", "jsno"}, exitUsage},
		"report-without-folder":  {[]string{"report"}, exitUsage},
		"report-without-results": {[]string{"report", data}, exitFailure},
		"serve-without-folder":   {[]string{"serve"}, exitUsage},
		"serve-no-folder":        {[]string{"serve", "OUT"}, exitFailure},
		"serve-a-file":           {[]string{"serve", images}, exitFailure},
		"serve-no-port":          {[]string{"serve", data, "--listen", "localhost"}, exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			args := append([]string{}, c.args...)
			for i, arg := range args {
				args[i] = strings.ReplaceAll(arg, "OUT", out)
			}
			fakes := newFakes()
			got := call(t.Context(), fakes.config(), args...)
			assert.Equal(t, c.status, got.status)
			assert.Empty(t, got.stdout)
			assert.Equal(t, 1, strings.Count(got.stderr, "\n"), "one line on stderr: %s", got.stderr)
			assert.NoDirExists(t, out)
			assert.Zero(t, fakes.fits.Load())
			checkGolden(t, "bad/"+name, got, map[string]string{"OUT": out, "DATA": data, "CORRUPT": corrupt})
		})
	}
}

func TestBackendFromEnvironment(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	args := tiny(dataFolder(t), out, "--methods", "template")
	t.Setenv(backendVariable, "og")
	got := call(t.Context(), newFakes().config(), args...)
	assert.Equal(t, exitUsage, got.status)
	assert.Contains(t, got.stderr, `bench: GOMLX_BACKEND og: there is no compute backend "og"; did you mean "go"?`)
	assert.Zero(t, call(t.Context(), newFakes().config(), append(args, "--backend", "go")...).status,
		"the flag goes before the environment")
	assert.Zero(t, call(t.Context(), newFakes().config(), "list").status, "only what computes needs the backend")

	t.Setenv(backendVariable, "go")
	assert.Zero(t, call(t.Context(), newFakes().config(), args...).status)
}

// TestOutIsAFile: permissions would not do, tests may run as root.
func TestOutIsAFile(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	require.NoError(t, os.WriteFile(out, []byte("mine"), 0o644))
	fakes := newFakes()
	for _, dir := range []string{out, filepath.Join(out, "results")} {
		got := call(t.Context(), fakes.config(), tiny(dataFolder(t), dir, "-q")...)
		assert.Equal(t, exitFailure, got.status)
		assert.Empty(t, got.stdout)
		assert.Regexp(t, `^bench: cannot make the folder of results .*: .*; choose another with --out\n$`, got.stderr)
	}
	assert.Zero(t, fakes.fits.Load())
	content, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(content))
}

func TestHelp(t *testing.T) {
	for _, command := range []string{"", "run", "tune", "list", "info", "report", "serve", "merge", "clean", "predict",
		"verify",
		"compare", "version", "licences", "completion", "help",
		"data", "plugin", "plugin check", "plugin fit", "plugin list", "plugin lock", "plugin serve"} {
		t.Run(command, func(t *testing.T) {
			args := append(strings.Fields(command), "--help")
			got := call(t.Context(), newFakes().config(), args...)
			assert.Zero(t, got.status)
			assert.Empty(t, got.stderr)
			assert.Contains(t, got.stdout, "Examples:\n")
			checkGolden(t, "help/"+strings.Join(append([]string{"bench"}, strings.Fields(command)...), "-"), got, nil)
			if command != "" {
				assert.Equal(t, got,
					call(t.Context(), newFakes().config(), append([]string{"help"}, strings.Fields(command)...)...))
			}
		})
	}
	assert.Equal(t, call(t.Context(), newFakes().config(), "--help"), call(t.Context(), newFakes().config()))
}

func TestHelpOfAnotherProgram(t *testing.T) {
	config := newFakes().config()
	config.Name = "custombench"
	for _, args := range [][]string{{"--help"}, {"run", "--help"}, {"help", "--help"}, {"completion", "--help"}} {
		assert.NotContains(t, strings.ReplaceAll(call(t.Context(), config, args...).stdout, "custombench", ""), "bench ")
	}
	assert.Contains(t, call(t.Context(), config, "rnu").stderr, "custombench: ")
}
