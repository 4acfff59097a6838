package benchmark

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/statefile"
)

// DefaultCheckpointEvery is how often the state of a fit is stored if a plan does not say.
const DefaultCheckpointEvery = 20 * time.Second

// checkpointFormat is the name and version of the format of checkpoints/KEY-NAME.npz.
const checkpointFormat = "koopbench.checkpoint/1"

const checkpointFolder = "checkpoints"

// checkpointHeader says whose state a file holds.
type checkpointHeader struct {
	Key     string  `json:"key"`     // of the run or the oracle
	Name    string  `json:"name"`    // of the state, among those of the fit
	Seconds float64 `json:"seconds"` // that the fit had taken
}

// checkpoints keeps the states of one fit as files, and hands out those that an earlier process left.
type checkpoints struct {
	core.Leftovers // of earlier processes

	store  *results.Store
	key    string
	every  time.Duration
	clock  *awake  // of this process
	before float64 // seconds that the fit took in earlier processes

	mu       sync.Mutex
	due      time.Time
	warnings []string
}

var _ core.Checkpoints = (*checkpoints)(nil)

// openCheckpoints opens those of a key; every is how often they are stored, and clock counts what the
// fit takes. Files that are incomplete or foreign are left aside, with a warning.
func openCheckpoints(s *results.Store, key string, every time.Duration, clock *awake) *checkpoints {
	if every == 0 {
		every = DefaultCheckpointEvery
	}
	c := &checkpoints{store: s, key: key, every: every, clock: clock, due: time.Now().Add(every)}
	if every < 0 {
		return c
	}
	for _, name := range checkpointFiles(s, key) {
		if err := c.open(name); err != nil {
			c.warnings = append(c.warnings, fmt.Sprintf("the checkpoint %s was not used: %v", name, err))
		}
	}
	return c
}

func (c *checkpoints) path(name string) string {
	return c.store.Path(checkpointFolder, c.key+"-"+name+".npz")
}

func (c *checkpoints) open(name string) (err error) {
	var header checkpointHeader
	var state *core.State
	err = c.store.Open(checkpointFolder+"/"+name, func(f io.ReaderAt, size int64) error {
		state, err = statefile.Read(f, size, checkpointFormat, &header)
		return err
	})
	if err != nil {
		return err
	}
	if c.key != header.Key || c.path(header.Name) != c.store.Path(checkpointFolder, name) {
		return fmt.Errorf("it says that it is %q of the run %q", header.Name, header.Key)
	}
	c.Leave(header.Name, state)
	c.before = max(c.before, header.Seconds)
	return nil
}

func (c *checkpoints) Every() time.Duration { return max(c.every, 0) }

func (c *checkpoints) Due() bool {
	if c.every < 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().After(c.due)
}

// slowest is the longest time between two checkpoints whose writing takes long.
const slowest = 40 * time.Second

// Store writes the state. It takes less than a fiftieth of the time, unless more than slowest would be repeated.
func (c *checkpoints) Store(name string, state *core.State) {
	if c.every < 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	start := time.Now()
	if err := c.write(name, state); err != nil && len(c.warnings) < 5 {
		c.warnings = append(c.warnings, fmt.Sprintf("a checkpoint was not stored, so an interruption would have repeated "+
			"more: %v", err))
	}
	now := time.Now()
	c.due = now.Add(max(c.every, min(50*now.Sub(start), slowest)))
}

func (c *checkpoints) write(name string, state *core.State) error {
	if err := core.CheckCheckpointName(name); err != nil {
		return err
	}
	data, err := statefile.Encode(checkpointFormat, checkpointHeader{c.key, name, c.seconds()}, state)
	if err != nil {
		return err
	}
	if err := c.store.Files().Make(checkpointFolder); err != nil {
		return err
	}
	return atomicfile.Write(c.path(name), data)
}

// earlier is how long the fit took in earlier processes whose state it continued from.
func (c *checkpoints) earlier() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.Loaded() {
		return 0
	}
	return c.before
}

// seconds is how long the fit has taken, in earlier processes too. The caller holds c.mu.
func (c *checkpoints) seconds() float64 {
	seconds := c.clock.elapsed().Seconds()
	if c.Loaded() {
		seconds += c.before
	}
	return seconds
}

// told returns what the user should know.
func (c *checkpoints) told() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.warnings
}

// remove removes the files.
func (c *checkpoints) remove() error { return removeCheckpoints(c.store, c.key) }

// checkpointFiles lists the files of any of the keys.
func checkpointFiles(s *results.Store, keys ...string) []string {
	entries, _ := s.Files().Entries(checkpointFolder) // where it cannot be read there is nothing to continue from
	var names []string
	for _, e := range entries {
		if slices.ContainsFunc(keys, func(key string) bool { return strings.HasPrefix(e.Name(), key+"-") }) {
			names = append(names, e.Name())
		}
	}
	return names
}

// removeCheckpoints removes those of what has finished, and what killed processes have left
// half-written.
func removeCheckpoints(s *results.Store, keys ...string) error {
	var errs []error
	for _, name := range checkpointFiles(s, keys...) {
		if err := s.Files().Remove(checkpointFolder + "/" + name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if _, err := s.Files().Stat(checkpointFolder); err == nil { // no link out of the folder
		atomicfile.Sweep(s.Path(checkpointFolder))
	}
	if left, err := s.Files().Entries(checkpointFolder); err == nil && len(left) == 0 {
		_ = s.Files().Remove(checkpointFolder) // if it still is empty
	}
	return errors.Join(errs...)
}
