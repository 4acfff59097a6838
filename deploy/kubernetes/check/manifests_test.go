// Package check validates the manifests against the schema of Kubernetes, and does what the job
// would do without a cluster. It is a separate module, so that no other module needs Kubernetes'
// types.
package check

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// documents reads a file of manifests, one text each.
func documents(t *testing.T, name string) [][]byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	require.NoError(t, err)
	return bytes.Split(text, []byte("\n---\n"))
}

// decode reads a manifest as T: a field that T does not have, or that is there twice, is an error.
func decode[T any](t *testing.T, text []byte) *T {
	t.Helper()
	var v T
	require.NoError(t, yaml.UnmarshalStrict(text, &v))
	return &v
}

func jobs(t *testing.T) (shards, merge *batchv1.Job, claim *corev1.PersistentVolumeClaim) {
	first, second := documents(t, "job.yaml"), documents(t, "merge.yaml")
	require.Len(t, first, 2)
	require.Len(t, second, 1)
	return decode[batchv1.Job](t, first[1]), decode[batchv1.Job](t, second[0]), decode[corev1.PersistentVolumeClaim](t,
		first[0])
}

// TestStrict: the decoder finds what is misspelt, of another type, or there twice.
func TestStrict(t *testing.T) {
	job := string(documents(t, "job.yaml")[1])
	for name, change := range map[string][2]string{
		"misspelt":     {"completionMode:", "completionsMode:"},
		"another type": {"completions: 8", "completions: many"},
		"twice":        {"  parallelism: 8\n", "  parallelism: 8\n  parallelism: 8\n"},
	} {
		changed := strings.Replace(job, change[0], change[1], 1)
		require.NotEqual(t, job, changed)
		var v batchv1.Job
		assert.Error(t, yaml.UnmarshalStrict([]byte(changed), &v), name)
	}
}

func TestManifests(t *testing.T) {
	shards, merge, claim := jobs(t)
	for _, job := range []*batchv1.Job{shards, merge} {
		assert.Equal(t, "batch/v1", job.APIVersion)
		assert.Equal(t, "Job", job.Kind)
		pod := job.Spec.Template.Spec
		assert.Equal(t, corev1.RestartPolicyNever, pod.RestartPolicy)
		require.Len(t, pod.Containers, 1)
		assert.Equal(t, shards.Spec.Template.Spec.Containers[0].Image, pod.Containers[0].Image)
		mounted := map[string]string{}
		for _, m := range pod.Containers[0].VolumeMounts {
			mounted[m.Name] = m.MountPath
		}
		assert.Equal(t, map[string]string{"results": "/results", "tmp": "/tmp"}, mounted)
		require.Len(t, pod.Volumes, 2)
		assert.Equal(t, claim.Name, pod.Volumes[0].PersistentVolumeClaim.ClaimName)
		assert.NotNil(t, pod.Volumes[1].EmptyDir)
	}
	assert.Equal(t, "v1", claim.APIVersion)
	assert.Equal(t, "PersistentVolumeClaim", claim.Kind)
	assert.Equal(t, []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}, claim.Spec.AccessModes,
		"pods on several nodes write to it")

	spec := shards.Spec
	require.NotNil(t, spec.CompletionMode)
	assert.Equal(t, batchv1.IndexedCompletion, *spec.CompletionMode)
	assert.Equal(t, *spec.Completions, *spec.Parallelism)
	assert.Nil(t, spec.BackoffLimit,
		"a limit of all pods together would end the job before its shards have had their tries")
	assert.Equal(t, []corev1.EnvVar{{Name: "KOOPBENCH_SHARDS", Value: strconv.Itoa(int(*spec.Completions))}},
		spec.Template.Spec.Containers[0].Env)
}

// TestShardsAndMerge runs what the pods would run, one after the other, with the environment that
// Kubernetes gives them, and holds the results against those of one command without shards.
func TestShardsAndMerge(t *testing.T) {
	shards, merge, _ := jobs(t)
	base := t.TempDir()
	bench, volume := filepath.Join(base, "bench"), filepath.Join(base, "results")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bench, "./cmd/bench")
	build.Dir = filepath.Join("..", "..", "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	// small makes what the manifest asks for quick: a flag that comes again counts.
	small := []string{"--methods", "linear,classifier", "--seeds", "0..4", "--epochs", "1", "--split", "100,50,40",
		"--steps", "3", "--quiet"}
	run := func(env []string, args ...string) {
		t.Helper()
		for i, arg := range args {
			args[i] = strings.Replace(arg, "/results", volume, 1)
		}
		cmd := exec.CommandContext(t.Context(), bench, args...)
		cmd.Env = append([]string{"TMPDIR=" + t.TempDir()}, env...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%v: %s", args, out)
	}
	container := shards.Spec.Template.Spec.Containers[0]
	for index := range int(*shards.Spec.Completions) {
		env := []string{"JOB_COMPLETION_INDEX=" + strconv.Itoa(index)}
		for _, v := range container.Env {
			env = append(env, v.Name+"="+v.Value)
		}
		run(env, append(slices.Clone(container.Args), small...)...)
	}
	run(nil, slices.Clone(merge.Spec.Template.Spec.Containers[0].Args)...)
	run(nil, append([]string{"run", "--out", "/results/whole"}, small...)...)
	assert.Equal(t, rows(t, volume, "whole"), rows(t, volume, "all"))
}

// rows are the accuracies and hashes of results.
func rows(t *testing.T, names ...string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append(names, "results.csv")...))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	// Two methods, five seeds, two protocols, three steps.
	assert.Len(t, lines, 1+2*5*2*3)
	return lines
}
