package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/koopbench/koopbench/benchmark/results"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// jobVariables are all that --shard reads.
var jobVariables = []string{shardsVariable, slurmTask, slurmCount, slurmFirst, slurmLast, kubernetesIndexing}

// setJob makes the environment that of a job.
func setJob(t *testing.T, job map[string]string) {
	t.Helper()
	for _, name := range jobVariables {
		t.Setenv(name, "") // so that it is put back
		require.NoError(t, os.Unsetenv(name))
	}
	for name, value := range job {
		t.Setenv(name, value)
	}
}

// array is the environment of a task of sbatch --array=FIRST-LAST, as Slurm sets it.
func array(task, first, last, count int) map[string]string {
	return map[string]string{slurmTask: fmt.Sprint(task), slurmFirst: fmt.Sprint(first), slurmLast: fmt.Sprint(last),
		slurmCount: fmt.Sprint(count)}
}

func with(job map[string]string, name, value string) map[string]string {
	job[name] = value
	return job
}

func TestShardFlag(t *testing.T) {
	pod := func(index, count string) map[string]string {
		return map[string]string{kubernetesIndexing: index, shardsVariable: count}
	}
	both := with(array(0, 0, 1, 2), kubernetesIndexing, "1")
	for name, c := range map[string]struct {
		text string
		job  map[string]string
		want results.Shard
		says string
	}{
		"first":                  {"1/4", nil, results.Shard{Index: 1, Count: 4}, ""},
		"last, whatever the job": {"4/4", array(2, 0, 7, 8), results.Shard{Index: 4, Count: 4}, ""},
		"from 0":                 {"0/4", nil, results.Shard{}, "shard 0 of 4; shards count from 1 to 4"},
		"past the end":           {"5/4", nil, results.Shard{}, "shard 5 of 4"},
		"of none":                {"0/0", nil, results.Shard{}, "the number of shards cannot be 0"},
		"one number":             {"3", nil, results.Shard{}, "give I/N, like 1/4 to 4/4, or slurm"},
		"words":                  {"a/b", nil, results.Shard{}, "give I/N"},
		"nothing":                {"", nil, results.Shard{}, "give I/N"},

		"slurm, first task": {"slurm", array(0, 0, 7, 8), results.Shard{Index: 1, Count: 8}, ""},
		"slurm, last task":  {"auto", array(7, 0, 7, 8), results.Shard{Index: 8, Count: 8}, ""},
		"slurm, task again": {"slurm", with(array(5, 5, 5, 1), shardsVariable, "8"), results.Shard{Index: 6, Count: 8},
			""},
		"slurm, a single task": {"slurm", array(5, 5, 5, 1), results.Shard{},
			"1 tasks from 5 to 5, not all of 0 to N-1; set $KOOPBENCH_SHARDS"},
		"slurm, with gaps": {"slurm", array(3, 0, 6, 3), results.Shard{}, "3 tasks from 0 to 6"},
		"slurm, from 1":    {"slurm", array(1, 1, 8, 8), results.Shard{}, "submit --array=0-7"},
		"slurm, beyond": {"slurm", with(array(8, 0, 8, 9), shardsVariable, "8"), results.Shard{},
			"$SLURM_ARRAY_TASK_ID is 8, but the 8 shards count from 0 to 7"},
		"slurm, no array": {"slurm", nil, results.Shard{},
			"$SLURM_ARRAY_TASK_ID is not set: this is not a task of a job array"},
		"slurm, not a number": {"slurm", with(array(0, 0, 1, 2), slurmTask, "x"), results.Shard{},
			`$SLURM_ARRAY_TASK_ID is "x", which is not a whole number`},
		"slurm, count unknown": {"slurm", map[string]string{slurmTask: "1"}, results.Shard{},
			"$SLURM_ARRAY_TASK_MIN is not set, so the number of shards is unknown"},
		"slurm, strange number": {"slurm", with(array(0, 0, 1, 2), shardsVariable, "many"), results.Shard{},
			`$KOOPBENCH_SHARDS is "many"`},
		"kubernetes":       {"kubernetes", pod("0", "5"), results.Shard{Index: 1, Count: 5}, ""},
		"kubernetes, last": {"auto", pod("4", "5"), results.Shard{Index: 5, Count: 5}, ""},
		"kubernetes, uncounted": {"kubernetes", map[string]string{kubernetesIndexing: "0"}, results.Shard{},
			"set it to the completions of the job"},
		"kubernetes, no job": {"kubernetes", nil, results.Shard{}, "set completionMode: Indexed"},
		"kubernetes, beyond": {"kubernetes", pod("5", "5"), results.Shard{},
			"$JOB_COMPLETION_INDEX is 5, but the 5 shards count from 0 to 4"},
		"kubernetes, none": {"kubernetes", pod("0", "0"), results.Shard{}, "0 shards; give a number"},
		"auto, no job": {"auto", nil, results.Shard{},
			"neither $SLURM_ARRAY_TASK_ID nor $JOB_COMPLETION_INDEX is set"},
		"auto, both":             {"auto", both, results.Shard{}, "give slurm or kubernetes to choose one"},
		"both, and one is asked": {"slurm", both, results.Shard{Index: 1, Count: 2}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			setJob(t, c.job)
			var s shard
			err := s.Set(c.text)
			if c.says != "" {
				assert.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, s.Shard)
		})
	}
}

// TestJobsDoNotShard: a job's environment alone changes nothing.
func TestJobsDoNotShard(t *testing.T) {
	setJob(t, array(1, 0, 3, 4))
	out := filepath.Join(t.TempDir(), "out")
	require.Zero(
		t,
		call(
			t.Context(),
			newFakes().config(),
			tiny(dataFolder(t), out, "--methods", "template", "--seeds", "0..3", "-q")...).status,
	)
	assert.Len(t, resultsIn(t, out).Runs, 4)
}

// TestJobArray: the tasks of a job, in a folder that they share, one of them killed and given
// again, come to the results of one command.
func TestJobArray(t *testing.T) {
	const n = 3
	data, base := dataFolder(t), t.TempDir()
	methods := []string{"--methods", "template,other", "--seeds", "0..3"}
	whole := filepath.Join(base, "whole")
	require.Zero(t, call(t.Context(), newFakes().config(), tiny(data, whole, methods...)...).status)

	for name, job := range map[string]func(i int) map[string]string{
		"slurm": func(i int) map[string]string { return array(i, 0, n-1, n) },
		"kubernetes": func(i int) map[string]string {
			return map[string]string{kubernetesIndexing: fmt.Sprint(i), shardsVariable: fmt.Sprint(n)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(base, name)
			merge := []string{"merge", "--out", out, out}
			for i := range n {
				setJob(t, job(i))
				if i == 1 {
					blocked := startChild(
						t,
						nil,
						tiny(data, out, "--methods", "template,other,blocking", "--seeds", "0..3", "--shard", name)...)
					blocked.await(t, "blocking begins")
					require.NoError(t, blocked.Process.Kill())
					blocked.finish(t)
				}
				got := startChild(t, nil, tiny(data, out, append(methods, "--shard", name)...)...).finish(t)
				require.Zero(t, got.status, got.stderr)
				if i == 1 {
					assert.Contains(t, got.stderr, "already finished")
				}
				assert.Contains(t, got.stderr, fmt.Sprintf("(shard %d/%d: ", i+1, n))
				assert.Contains(t, got.stderr, "join them with: bench merge --out "+out+" "+out+"\n")
				assert.NoFileExists(t, filepath.Join(out, "results.json"))
				if i < n-1 {
					got = call(
						t.Context(),
						newFakes().config(),
						append([]string{"merge", "--out", filepath.Join(base, name+"-part"), out}, "-q")...)
					assert.Equal(t, exitFailure, got.status)
					assert.Regexp(t,
						`^bench: \d of 8 runs are missing \(.*: not finished.*\); give the commands of their shards again, then this `+
							`one\n$`,
						got.stderr)
					assert.NotEmpty(t, got.stdout, "what is there is shown")
				}
			}
			setJob(t, nil)
			got := call(t.Context(), newFakes().config(), merge...)
			require.Zero(t, got.status, got.stderr)
			assert.Equal(t, resultsIn(t, whole), resultsIn(t, out))
			assertKept(t, out, 8)
			if name == "slurm" {
				checkGolden(t, "merge", withoutTable(t, got, out), map[string]string{"DATA": data, "OUT": out})
			}
		})
	}
}

// TestShardWithoutRuns: more shards than runs are no mistake.
func TestShardWithoutRuns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	fakes := newFakes()
	got := call(t.Context(), fakes.config(), tiny(dataFolder(t), out, "--methods", "template", "--shard", "2/2")...)
	assert.Zero(t, got.status, got.stderr)
	assert.Empty(t, got.stdout)
	assert.Equal(t,
		"shard 2/2 is finished, with 0 of 1 runs; when all shards are finished, join them with: bench merge "+
			"--out "+out+" "+out+"\n", got.stderr)
	assert.Zero(t, fakes.fits.Load())

	got = call(t.Context(), newFakes().config(), "report", out)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "its shards are not joined")
}
