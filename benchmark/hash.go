package benchmark

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/koopbench/koopbench/core"
)

// hashSnapshots is the SHA-256 of the values as float32 little-endian, row-major.
func hashSnapshots(x core.Snapshots) string {
	h := sha256.New()
	_, _ = x.WriteTo(h) // a hash takes everything
	return hex.EncodeToString(h.Sum(nil))
}

// runKey names a run by everything that determines its numbers.
func runKey(task TaskInfo, oracleKey string, env Environment, identity string, d core.Description, options core.Options, seed int64) string {
	return runKeyOf(task, oracleKey, env, identity, d.Name, options.Map(), seed)
}

// runKeyOf is the key of a run of a method of that name; options are all of them.
func runKeyOf(task TaskInfo, oracleKey string, env Environment, identity, name string, options map[string]any, seed int64) string {
	task.Source, task.Plugin = "", task.Plugin.sameCode()
	return fmt.Sprintf("%s-s%d-%s", strings.ReplaceAll(name, ":", "-"), seed, hashJSON(struct {
		Schema, Oracle, Executable, Identity, Backend, Method string
		Task                                                  TaskInfo
		Options                                               map[string]any
		Seed                                                  int64
	}{Schema, oracleKey, env.ExecutableSHA256, identity, env.Backend, name, task, options, seed}))
}

// oracleKey is the same for the oracle, which does not depend on the roll-out.
func oracleKey(task TaskInfo, env Environment, identity string, d core.Description, options core.Options, seed int64) string {
	return oracleKeyOf(task, env, identity, d.Name, options.Map(), seed)
}

func oracleKeyOf(task TaskInfo, env Environment, identity, name string, options map[string]any, seed int64) string {
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
