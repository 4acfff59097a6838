package cpu

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"
	"weak"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// storage is memory that this backend and the Go backend both see: a shared
// buffer of the Go backend.
type storage struct {
	shape  shapes.Shape
	inner  compute.Buffer
	flat   any            // a slice of the dtype's Go type
	memory unsafe.Pointer // of its first element; nil if it has none
	pooled bool           // made by allocate, which takes it again; else the Go backend made it as a result
	links  storageLinks   // while it is in a pool
}

// storageLinks are the places of an unused storage in its pool.
type storageLinks struct {
	newer, older *storage // of all
	above, below *storage // of one shape
	collections  uint32   // how many there had been when it came
}

// storageKey is a shape in comparable form.
type storageKey struct {
	dtype dtypes.DType
	rank  int
	dims  [maxPooledRank]int
}

const maxPooledRank = 6

func keyOf(shape shapes.Shape) (storageKey, bool) {
	k := storageKey{dtype: shape.DType, rank: shape.Rank()}
	if k.rank > maxPooledRank {
		return k, false
	}
	copy(k.dims[:], shape.Dimensions)
	return k, true
}

// leastPooled is how many bytes a pool may hold in any case.
const leastPooled = 64 << 20

// storagePool keeps storage that no buffer holds any more, by shape: no more than its limit, the
// oldest goes first. What is still there, unused, at the second garbage collection goes too. A shared
// buffer of the Go backend has one shape for ever, so storage of other shapes cannot take its place.
type storagePool struct {
	mu             sync.Mutex
	tops           map[storageKey]*storage // the newest of each shape
	newest, oldest *storage
	bytes, limit   int
	collections    uint32
	watched        bool
}

// raise lets the pool hold twice what one execution puts out, so that a program whose outputs
// become its next inputs allocates nothing.
func (p *storagePool) raise(outputs int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = max(p.limit, 2*outputs)
}

// take returns unused storage of a shape, nil if there is none.
func (p *storagePool) take(key storageKey) *storage {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.tops[key]
	if s != nil {
		p.remove(s, key)
	}
	return s
}

// put keeps storage.
func (p *storagePool) put(s *storage, key storageKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tops == nil {
		p.tops = map[storageKey]*storage{}
	}
	s.links = storageLinks{older: p.newest, below: p.tops[key], collections: p.collections}
	if s.links.older != nil {
		s.links.older.links.newer = s
	} else {
		p.oldest = s
	}
	if s.links.below != nil {
		s.links.below.links.above = s
	}
	p.newest, p.tops[key] = s, s
	p.bytes += bytes(s.shape)
	for p.bytes > max(p.limit, leastPooled) {
		p.drop()
	}
	p.watch()
}

// drop gives the oldest storage to the garbage collector.
func (p *storagePool) drop() {
	key, _ := keyOf(p.oldest.shape)
	p.remove(p.oldest, key)
	if p.tops[key] == nil {
		delete(p.tops, key)
	}
}

func (p *storagePool) remove(s *storage, key storageKey) {
	l := s.links
	if l.newer != nil {
		l.newer.links.older = l.older
	} else {
		p.newest = l.older
	}
	if l.older != nil {
		l.older.links.newer = l.newer
	} else {
		p.oldest = l.newer
	}
	if l.above != nil {
		l.above.links.below = l.below
	} else {
		p.tops[key] = l.below
	}
	if l.below != nil {
		l.below.links.above = l.above
	}
	s.links = storageLinks{}
	p.bytes -= bytes(s.shape)
}

// watch has the pool look at what is old at the next garbage collection, of which the end of an object
// that nothing refers to tells. It keeps no pool alive.
func (p *storagePool) watch() {
	if p.watched {
		return
	}
	p.watched = true
	runtime.AddCleanup(new(*storagePool), func(w weak.Pointer[storagePool]) {
		if p := w.Value(); p != nil {
			p.collected()
		}
	}, weak.Make(p))
}

// collected drops what was there at the garbage collection before this one.
func (p *storagePool) collected() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watched = false
	for p.oldest != nil && p.oldest.links.collections != p.collections {
		p.drop()
	}
	p.collections++
	if p.oldest != nil {
		p.watch()
	}
}

func (p *storagePool) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tops, p.newest, p.oldest, p.bytes = nil, nil, nil, 0
}

// allocate returns storage of a shape; its contents are arbitrary.
func (b *Backend) allocate(shape shapes.Shape) (*storage, error) {
	if b.finalized.Load() {
		return nil, fmt.Errorf("cpu backend: it is finalized")
	}
	if key, ok := keyOf(shape); ok {
		if s := b.storage.take(key); s != nil {
			return s, nil
		}
	}
	inner, _, err := b.fallback.NewSharedBuffer(0, shape)
	if err != nil {
		return nil, fmt.Errorf("cpu backend: memory for %s: %w", shape, err)
	}
	s, err := newStorage(inner)
	if err == nil {
		s.pooled = true
	}
	return s, err
}

// release gives storage back; nothing may refer to its memory any more.
func (b *Backend) release(s *storage) {
	if b.finalized.Load() {
		return
	}
	if !s.pooled {
		_ = s.inner.Finalize() // only a buffer that was finalized has an error
		return
	}
	if key, ok := keyOf(s.shape); ok {
		b.storage.put(s, key)
	}
}
