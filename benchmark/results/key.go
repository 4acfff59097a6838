package results

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"strings"

	"github.com/koopbench/koopbench/core"
)

// HashSnapshots is the SHA-256 of the values as float32 little-endian, row-major.
func HashSnapshots(x core.Snapshots) string {
	h := sha256.New()
	_, _ = x.WriteTo(h) // a hash takes everything
	return hex.EncodeToString(h.Sum(nil))
}

// RunKey returns the key of a run, which covers everything that determines its numbers. name is
// that of the method, and options are all of its options.
func RunKey(
	task TaskInfo, oracleKey string, env Environment, identity, name string, options map[string]any, seed int64,
) string {
	task.Source, task.Plugin = "", task.Plugin.SameCode()
	return fmt.Sprintf("%s-s%d-%s", strings.ReplaceAll(name, ":", "-"), seed, hashJSON(struct {
		Schema, Oracle, Executable, Identity, Backend, Method string
		Task                                                  TaskInfo
		Options                                               map[string]any
		Seed                                                  int64
	}{Schema, oracleKey, env.ExecutableSHA256, identity, env.Backend, name, task, options, seed}))
}

// OracleKey is the same for the oracle, whose key does not cover the roll-out.
func OracleKey(task TaskInfo, env Environment, identity, name string, options map[string]any, seed int64) string {
	return hashJSON(struct {
		Schema, Executable, Identity, Backend, Oracle, Data string
		Options                                             map[string]any
		Seed                                                int64
	}{Schema, env.ExecutableSHA256, identity, env.Backend, name, task.DataSHA256, options, seed})
}

// hashJSON is the first 16 hexadecimal digits of the SHA-256 of v in JSON.
func hashJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // only of types above, which have no value that JSON cannot hold
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// HashData is the SHA-256 of the snapshots of a problem, as float32, little-endian and row-major,
// of the ends of trajectories, of the starts of roll-outs, and of the states. Integers have 64
// bits. HashData reads all data once, which may take minutes. The error is that of ctx.
func HashData(ctx context.Context, p *core.Problem) (string, error) {
	h := sha256.New()
	until := writer(func(values []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return h.Write(values)
	})
	all := []core.Trajectories{p.Train, p.Validation, p.Test}
	var lengths []int
	for _, x := range all {
		for i := range x.Count() {
			lengths = append(lengths, x.At(i).Len())
			if _, err := x.At(i).WriteTo(until); err != nil {
				return "", err
			}
		}
	}
	states := 0
	if s := p.States; s != nil {
		states = s.Count
		hashNumbers(h, s.Train, s.Validation, s.Test)
	}
	hashNumbers(h, p.Train.Shape(), []int{p.Train.Len(), p.Validation.Len(), p.Test.Len(), states})
	if len(lengths) > len(all) || p.Starts != nil {
		hashNumbers(h, []int{p.Train.Count(), p.Validation.Count()}, lengths, p.Starts)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

type writer func([]byte) (int, error)

func (w writer) Write(values []byte) (int, error) { return w(values) }

// HashFunctions is the SHA-256 of the values of functions, complex128, little-endian, one function after the other.
func HashFunctions(functions [][]complex128) string {
	h := sha256.New()
	for _, f := range functions {
		for _, v := range f {
			_ = binary.Write(h, binary.LittleEndian, v) // a hash takes everything
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashNumbers(h hash.Hash, lists ...[]int) {
	var word [8]byte
	for _, numbers := range lists {
		for _, n := range numbers {
			binary.LittleEndian.PutUint64(word[:], uint64(n))
			h.Write(word[:])
		}
	}
}

// HashStates is the SHA-256 of lists of states.
func HashStates(lists ...[]int) string {
	h := sha256.New()
	hashNumbers(h, lists...)
	return hex.EncodeToString(h.Sum(nil))
}
