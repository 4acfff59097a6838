package cli

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
)

// Words that --shard takes for where a job's environment tells the shard.
const (
	slurmShard      = "slurm"
	kubernetesShard = "kubernetes"
	autoShard       = "auto"
)

// Variables that tell the shard. Both schedulers count from 0.
const (
	// shardsVariable is how many shards there are: our own, since Kubernetes has none for it, and
	// Slurm's counts the tasks of one submission, which may be a few that are repeated.
	shardsVariable     = "KOOPBENCH_SHARDS"
	slurmTask          = "SLURM_ARRAY_TASK_ID"
	slurmCount         = "SLURM_ARRAY_TASK_COUNT"
	slurmFirst         = "SLURM_ARRAY_TASK_MIN"
	slurmLast          = "SLURM_ARRAY_TASK_MAX"
	kubernetesIndexing = "JOB_COMPLETION_INDEX"
)

// shard is a [benchmark.Shard] as the user wrote it. The environment is read only where a word asks
// for it: a command does not make fewer runs because it happens to be started by a job.
type shard struct {
	text string
	results.Shard
}

func (s *shard) String() string { return s.text }
func (s *shard) Type() string   { return "SHARD" }

func (s *shard) Set(text string) error {
	var err error
	s.text = text
	switch text {
	case slurmShard:
		s.Shard, err = shardOfSlurm()
	case kubernetesShard:
		s.Shard, err = shardOfKubernetes()
	case autoShard:
		s.Shard, err = shardOfJob()
	default:
		s.Shard, err = parseShard(text)
	}
	return err
}

// words are for the head of a run: " (shard 2/8: 20 of 160 runs)".
func (s *shard) words(p *benchmark.Plan) string {
	if s.Whole() {
		return ""
	}
	return fmt.Sprintf(" (shard %v: %d of %d runs)", s.Shard, p.Size(), len(p.Entries)*len(p.Seeds))
}

func parseShard(text string) (s results.Shard, err error) {
	index, count, ok := strings.Cut(text, "/")
	if ok {
		if s.Index, err = strconv.Atoi(index); err == nil {
			s.Count, err = strconv.Atoi(count)
		}
	}
	if !ok || err != nil {
		return s, fmt.Errorf("give I/N, like 1/4 to 4/4, or %s, %s or %s", slurmShard, kubernetesShard, autoShard)
	}
	if s.Count == 0 {
		return s, fmt.Errorf("the number of shards cannot be 0; give I/N, like 1/4 to 4/4")
	}
	return s, s.Check()
}

// shardOfSlurm is that of a task of an array. Without KOOPBENCH_SHARDS the array must be 0-N whole:
// of one with gaps, or of a single task that is repeated, Slurm's variables do not tell how many
// shards there are.
func shardOfSlurm() (results.Shard, error) {
	task, ok, err := variable(slurmTask)
	if err != nil {
		return results.Shard{}, err
	}
	if !ok {
		return results.Shard{}, fmt.Errorf(
			"$%s is not set: this is not a task of a job array; submit one with sbatch --array=0-7, or give I/N", slurmTask)
	}
	count, ok, err := variable(shardsVariable)
	if ok || err != nil {
		return counted(task, slurmTask, count, err)
	}
	values := make([]int, 3)
	for i, name := range []string{slurmFirst, slurmLast, slurmCount} {
		if values[i], ok, err = variable(name); err != nil {
			return results.Shard{}, err
		} else if !ok {
			return results.Shard{}, fmt.Errorf("$%s is not set, so the number of shards is unknown; set $%s, or give I/N",
				name, shardsVariable)
		}
	}
	if first, last, count := values[0], values[1], values[2]; first != 0 || last != count-1 {
		return results.Shard{}, fmt.Errorf(
			"the array has %d tasks from %d to %d, not all of 0 to N-1; "+
				"set $%s to the number of shards, or submit --array=0-%d",
			count, first, last, shardsVariable, count-1)
	}
	return counted(task, slurmTask, values[2], nil)
}

// shardOfKubernetes is that of a pod of an indexed job.
func shardOfKubernetes() (results.Shard, error) {
	index, ok, err := variable(kubernetesIndexing)
	if err != nil {
		return results.Shard{}, err
	}
	if !ok {
		return results.Shard{}, fmt.Errorf(
			"$%s is not set: this is not a pod of an indexed job; set completionMode: Indexed, or give I/N", kubernetesIndexing)
	}
	count, ok, err := variable(shardsVariable)
	if err == nil && !ok {
		return results.Shard{}, fmt.Errorf(
			"$%s is not set, and Kubernetes does not give the number of shards; set it to the completions of the job",
			shardsVariable)
	}
	return counted(index, kubernetesIndexing, count, err)
}

// shardOfJob is that of whichever job there is.
func shardOfJob() (results.Shard, error) {
	_, slurm := os.LookupEnv(slurmTask)
	_, kubernetes := os.LookupEnv(kubernetesIndexing)
	switch {
	case slurm && kubernetes:
		return results.Shard{}, fmt.Errorf("both $%s and $%s are set; give %s or %s to choose one", slurmTask,
			kubernetesIndexing, slurmShard, kubernetesShard)
	case slurm:
		return shardOfSlurm()
	case kubernetes:
		return shardOfKubernetes()
	}
	return results.Shard{}, fmt.Errorf(
		"neither $%s nor $%s is set: this is not a task of a job array; give I/N, like 1/4 to 4/4", slurmTask,
		kubernetesIndexing)
}

// counted is the shard of an index that counts from 0.
func counted(index int, name string, count int, err error) (results.Shard, error) {
	switch {
	case err != nil:
		return results.Shard{}, err
	case count < 1 || count > results.MaxShards:
		return results.Shard{}, fmt.Errorf("%d shards; give a number from 1 to %d", count, results.MaxShards)
	case index < 0 || index >= count:
		return results.Shard{}, fmt.Errorf("$%s is %d, but the %d shards count from 0 to %d", name, index, count,
			count-1)
	}
	return results.Shard{Index: index + 1, Count: count}, nil
}

// variable is a whole number in the environment; ok is false if there is none.
func variable(name string) (value int, ok bool, err error) {
	text, ok := os.LookupEnv(name)
	if !ok {
		return 0, false, nil
	}
	if value, err = strconv.Atoi(text); err != nil {
		return 0, false, fmt.Errorf("$%s is %q, which is not a whole number", name, text)
	}
	return value, true, nil
}
