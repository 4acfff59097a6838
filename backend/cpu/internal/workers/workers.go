// Package workers runs the parts of one operation on a fixed set of goroutines. It does not know
// graphs or kernels, and imports only the standard library.
package workers

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Task is work cut into parts. Which goroutine runs a part, and in which
// order parts run, is not defined: the cut must depend on the work alone, so
// that results do not depend on the number of workers.
type Task interface {
	// Run does one part. worker is less than the pool's size and is held by
	// no other part of the same Run at the same time: it may index scratch
	// memory.
	Run(part, worker int)
}

// Pool is a fixed number of goroutines, the caller of Run among them. It is
// safe for concurrent use; Runs at the same time share the goroutines.
type Pool struct {
	size int

	mu     sync.Mutex
	wake   *sync.Cond
	jobs   []*Job // that still have parts to hand out
	closed bool
	ticket atomic.Uint64 // counts the jobs ever added, for spinning workers
}

// Job is the state of one Run; a caller keeps one and passes it to each Run,
// so that Run allocates nothing. The zero value is ready to use. One Job
// serves one Run at a time.
type Job struct {
	task  Task
	parts int64
	next  atomic.Int64
	slots atomic.Int64 // worker numbers given out
	busy  atomic.Int64 // goroutines of the pool inside the job; written with Pool.mu held
	idle  sync.Cond    // signalled when busy falls to zero
	panic atomic.Pointer[PanicError]
}

// PanicError is a panic of a part.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // where
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Unwrap returns the panic's value where it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// New returns a pool of size goroutines, of which it starts size − 1.
func New(size int) *Pool {
	p := &Pool{size: size}
	p.wake = sync.NewCond(&p.mu)
	for range size - 1 {
		go p.work()
	}
	return p
}

// Size returns the number of goroutines, at least 1.
func (p *Pool) Size() int { return p.size }

// Close ends the pool's goroutines; Runs after it run on their callers alone.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.wake.Broadcast()
}

// Run calls task.Run for each part from 0 to parts − 1 and returns when all
// have returned. A panic of a part skips the parts not yet begun and comes
// back as a *PanicError.
func (p *Pool) Run(j *Job, task Task, parts int) error {
	if parts <= 0 {
		return nil
	}
	j.task, j.parts = task, int64(parts)
	j.next.Store(0)
	j.slots.Store(0)
	j.panic.Store(nil)
	shared := parts > 1 && p.size > 1
	if shared {
		p.mu.Lock()
		j.idle.L = &p.mu
		p.jobs = append(p.jobs, j)
		p.ticket.Add(1)
		p.mu.Unlock()
		if parts == 2 {
			p.wake.Signal()
		} else {
			p.wake.Broadcast()
		}
	}
	j.run()
	if shared {
		p.mu.Lock()
		p.remove(j)
		p.mu.Unlock()
		if !spin(func() bool { return j.busy.Load() == 0 }) {
			p.mu.Lock()
			for j.busy.Load() > 0 {
				j.idle.Wait()
			}
			p.mu.Unlock()
		}
	}
	j.task = nil
	if e := j.panic.Load(); e != nil {
		return e
	}
	return nil
}

// run does parts until none is left.
func (j *Job) run() {
	worker := int(j.slots.Add(1)) - 1
	defer func() {
		if r := recover(); r != nil {
			j.panic.CompareAndSwap(nil, &PanicError{Value: r, Stack: debug.Stack()})
			j.next.Store(j.parts)
		}
	}()
	for {
		part := j.next.Add(1) - 1
		if part >= j.parts {
			return
		}
		j.task.Run(int(part), worker)
	}
}

// remove takes a job off the list; p.mu is held.
func (p *Pool) remove(j *Job) {
	for i, other := range p.jobs {
		if other == j {
			last := len(p.jobs) - 1
			copy(p.jobs[i:], p.jobs[i+1:])
			p.jobs[last] = nil
			p.jobs = p.jobs[:last]
			return
		}
	}
}

// patience is how long a goroutine out of work looks for more before it
// sleeps: operations follow each other within microseconds, and waking a
// sleeper takes tens of them.
const patience = 50 * time.Microsecond

// spin waits until done, or until patience ends, and reports which. Other
// goroutines get their turn.
func spin(done func() bool) bool {
	begin := time.Now()
	for {
		for range 100 {
			if done() {
				return true
			}
		}
		if time.Since(begin) > patience {
			return false
		}
		runtime.Gosched()
	}
}

func (p *Pool) work() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for len(p.jobs) == 0 && !p.closed {
			seen := p.ticket.Load()
			p.mu.Unlock()
			spin(func() bool { return p.ticket.Load() != seen })
			p.mu.Lock()
			if len(p.jobs) == 0 && !p.closed {
				p.wake.Wait()
			}
		}
		if p.closed {
			return
		}
		j := p.jobs[0]
		j.busy.Add(1)
		p.mu.Unlock()
		j.run()
		p.mu.Lock()
		p.remove(j)
		if j.busy.Add(-1) == 0 {
			j.idle.Broadcast()
		}
	}
}
