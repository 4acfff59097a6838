package core

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// NewStream returns the random stream with that name under a seed. Streams with different names or
// seeds are independent. The numbers of a stream depend on nothing else: not on the other methods
// that run, on their order, or on the machine.
//
// A name is a path of words, from the declared name of the method to the purpose: NewStream(42,
// "vamp", "shuffle"). The generator is ChaCha8, keyed by the SHA-256 of seed and name.
func NewStream(seed int64, name ...string) *rand.Rand {
	h := sha256.New()
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], uint64(seed))
	h.Write(word[:])
	for _, part := range name {
		binary.LittleEndian.PutUint64(word[:], uint64(len(part)))
		h.Write(word[:])
		h.Write([]byte(part))
	}
	return rand.New(rand.NewChaCha8([32]byte(h.Sum(nil))))
}
