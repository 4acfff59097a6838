package atomicfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/koopbench/koopbench/internal/filelock"
)

// Temporary files are called .tmp-koopbench-MACHINE-NUMBER, in hexadecimal digits, so that nothing
// else is taken for one.
const temporaryPrefix = ".tmp-koopbench-"

var temporary = regexp.MustCompile(`^\.tmp-koopbench-([0-9a-f]{8})-[0-9a-f]{16}$`)

// silence is how long a file of another machine must not have been written before it is taken for
// one that a killed program has left: locks do not reach all machines on every storage.
const silence = 24 * time.Hour

// machine is a digest of this machine's name.
var machine = sync.OnceValue(func() string {
	name, _ := os.Hostname() // machines without a name count as one
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:4])
})

func temporaryName() string {
	return fmt.Sprintf("%s%s-%016x", temporaryPrefix, machine(), rand.Uint64())
}

// Sweep removes from a folder the files of this package that killed programs have left: files with
// such names whose locks are free. Those of other machines must also not have been written for a
// day. Files that are being written stay. Nothing is removed if the storage has no locks. Files
// that cannot be removed stay.
func Sweep(dir string) {
	for _, name := range leftovers(dir) {
		withFree(filepath.Join(dir, name), os.Remove)
	}
}

// Leftovers returns the names of the files that [Sweep] would remove from a folder.
func Leftovers(dir string) (free []string) {
	for _, name := range leftovers(dir) {
		withFree(filepath.Join(dir, name), func(string) error {
			free = append(free, name)
			return nil
		})
	}
	return free
}

// leftovers are the names of files that may have been left.
func leftovers(dir string) (names []string) {
	entries, _ := os.ReadDir(dir) // what cannot be read is left
	for _, e := range entries {
		of := temporary.FindStringSubmatch(e.Name())
		if of == nil || !e.Type().IsRegular() {
			continue
		}
		if of[1] != machine() {
			if info, err := e.Info(); err != nil || time.Since(info.ModTime()) < silence {
				continue
			}
		}
		names = append(names, e.Name())
	}
	return names
}

// withFree calls use with the path of a file that no process is writing.
func withFree(path string, use func(path string) error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if filelock.Lock(file) == nil && isAt(file, path) {
		_ = use(path) // what cannot be removed is left
	}
}

// swept are the folders that this process has swept.
var swept sync.Map

func sweepOnce(dir string) {
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	if _, before := swept.LoadOrStore(dir, true); !before {
		Sweep(dir)
	}
}
