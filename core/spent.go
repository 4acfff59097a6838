package core

import "math"

// Spent is what a run has used in processes other than this program's, such as those of plugins.
type Spent struct {
	// StartSeconds is the time until the processes were ready for their first call.
	StartSeconds float64
	// CPUSeconds is the processor time, user and system, of the processes that have ended, and of the
	// processes that they started and waited for. It is NaN if the time of one is not known.
	CPUSeconds float64
	// PeakRSSBytes is the largest resident memory of any one process that has ended, or of one that it
	// started and waited for. It is NaN if that of one is not known.
	PeakRSSBytes float64
	// Calls is the number of calls that gave a result. CallSeconds is the time that they took
	// together.
	Calls       int64
	CallSeconds float64
	// RPCSeconds is the part of CallSeconds in which no code of a method ran: arrays were packed, sent
	// and unpacked, and processes were woken. It is NaN if one process does not report it.
	RPCSeconds float64
	// SentBytes and ReceivedBytes are the bytes of all calls on the wire, without what the connection
	// adds.
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

// Spend adds to what the run has used in other processes. It may be called while the scope is being
// closed, and afterwards.
func (s *Scope) Spend(more Spent) {
	s.spending.Lock()
	defer s.spending.Unlock()
	s.spent, s.outside = s.spent.plus(more), true
}

// Spent returns the sum of all calls of Spend, and whether there was one. It is complete when the
// scope is closed.
func (s *Scope) Spent() (spent Spent, ok bool) {
	s.spending.Lock()
	defer s.spending.Unlock()
	return s.spent, s.outside
}
