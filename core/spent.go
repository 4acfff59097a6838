package core

import "math"

// Spent is what processes other than this program's have taken for a run: those of plugins, for instance.
type Spent struct {
	// StartSeconds is the time that passed until they were ready for their first call.
	StartSeconds float64
	// CPUSeconds is the processor time, user and system, of those that have ended, and of the
	// processes that they started and waited for. It is not a number where that of one is not known.
	CPUSeconds float64
	// PeakRSSBytes is the largest resident memory that any one of those that have ended has had, or
	// one that they started and waited for. It is not a number where that of one is not known.
	PeakRSSBytes float64
	// Calls is the number of calls that gave a result, and CallSeconds the time that they took together.
	Calls       int64
	CallSeconds float64
	// RPCSeconds is the part of CallSeconds in which no code of a method ran: arrays were packed, sent
	// and unpacked, and processes were woken. It is not a number where one does not tell.
	RPCSeconds float64
	// SentBytes and ReceivedBytes are those of all calls, as they are on the wire, without what the connection adds.
	SentBytes, ReceivedBytes int64
}

// plus is both together.
func (s Spent) plus(o Spent) Spent {
	return Spent{
		StartSeconds: s.StartSeconds + o.StartSeconds,
		CPUSeconds:   s.CPUSeconds + o.CPUSeconds,
		PeakRSSBytes: math.Max(s.PeakRSSBytes, o.PeakRSSBytes), // not a number where one is not
		Calls:        s.Calls + o.Calls, CallSeconds: s.CallSeconds + o.CallSeconds, RPCSeconds: s.RPCSeconds + o.RPCSeconds,
		SentBytes: s.SentBytes + o.SentBytes, ReceivedBytes: s.ReceivedBytes + o.ReceivedBytes,
	}
}

// Spend adds to what the scope's run has taken in other processes. It may be called while the scope
// is being closed, and after.
func (s *Scope) Spend(more Spent) {
	s.spending.Lock()
	defer s.spending.Unlock()
	s.spent, s.outside = s.spent.plus(more), true
}

// Spent is what was told by Spend, and whether anything was. It is complete once the scope is closed.
func (s *Scope) Spent() (spent Spent, ok bool) {
	s.spending.Lock()
	defer s.spending.Unlock()
	return s.spent, s.outside
}
